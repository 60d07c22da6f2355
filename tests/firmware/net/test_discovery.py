"""The task between responder and network: what is told follows the settings, names outlive a restart, floods cost a bounded share."""

import asyncio
from collections import deque

import pytest

from firmware.net import dnsmessage
from firmware.net.discovery import Discovery
from hal.errors import HalError, StorageError
from tests.firmware.net.helpers_mdns import query, records, response

UUID = "urn:uuid:00000000-0000-4000-8000-000000abcdef"
OTHER = bytes([10, 0, 0, 9])


class FakeConfig:
    def __init__(self, **settings):
        self.settings = {"printer_uuid": UUID, "printer_name": "Printer", **settings}
        self.kept = {}
        self.dns_sd_name = None
        self.saves = 0
        self.fails = False

    def get(self, name, default=None):
        return self.settings.get(name, default)

    def record(self, key):
        return self.kept.get(key)

    def set_record(self, key, record):
        if self.fails:
            raise StorageError("worn out")
        self.kept[key] = record

    async def save(self):
        self.saves += 1


class FakeDatagrams:
    """A network where `claimed` instances belong to somebody else, who answers probes."""

    def __init__(self, claimed=()):
        self.sent = []
        self.claimed = claimed
        self.came = deque()
        self.news = asyncio.Event()
        self.closed = False
        self.received = 0

    def links(self):
        return {"eth0": [(bytes([10, 0, 0, 1]), 24)]}

    def send(self, data, key, destination):
        self.sent.append(data)
        for section, owner, kind, _, _, _ in records(data):
            if section == dnsmessage.AUTHORITY and kind == dnsmessage.SRV and owner[1 : 1 + owner[0]].decode() in self.claimed:
                self.put(response((owner, kind, 120, bytes(6) + b"\1x\5local\0")))

    def put(self, data):
        self.came.append((data, "eth0", OTHER, 5353))
        self.news.set()

    async def receive(self, timeout_ms):
        if not self.came:
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), timeout_ms / 1000)
            except TimeoutError:
                return None
        self.received += 1
        return self.came.popleft()

    def close(self):
        self.closed = True


class FakeNet:
    port = 8631

    def __init__(self, datagrams):
        self.datagrams = datagrams

    def multicast(self, port, group4, group6):
        if self.datagrams is None:
            raise HalError("taken")
        assert (port, group4, group6) == (5353, "224.0.0.251", "ff02::fb")
        return self.datagrams


def services(host):
    return [("_ipps-3d._tcp", [("adminurl", "https://%s:8631/" % host)])]


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not happen")


def run(config, datagrams, test, may_store=lambda: True):
    """test(discovery, renames) while it runs, from start to end of the printer."""
    config.dns_sd_name = None

    async def main():
        renames = []

        async def renamed():
            renames.append(config.dns_sd_name)

        discovery = Discovery(FakeNet(datagrams), config, services, may_store, renamed, ("localhost",))
        task = asyncio.create_task(discovery.run())
        await test(discovery, renames)
        discovery.close()
        await asyncio.wait_for(task, 10)
        return discovery

    return asyncio.run(main())


def test_told_and_gone():
    config, datagrams = FakeConfig(), FakeDatagrams()

    async def test(discovery, renames):
        await until(lambda: discovery.responder.settled and renames)
        assert renames == ["Printer"] and config.saves == 0  # a plain name need not be kept
        assert "printwright-abcdef.local" in discovery and "localhost" in discovery and "evil.example" not in discovery

    run(config, datagrams, test)
    assert datagrams.closed
    assert {ttl for _, _, _, _, ttl, _ in records(datagrams.sent[-1])} == {0}


def test_another_name_outlives_a_restart():
    config = FakeConfig()

    async def test(discovery, renames):
        await until(lambda: renames)
        assert renames == ["Printer (2)"]

    run(config, FakeDatagrams(("Printer",)), test)
    assert config.saves == 1
    # nobody else is there any more, but people know it by that name
    datagrams = FakeDatagrams()
    run(config, datagrams, test)
    assert not any(b"\x07Printer\x08" in data for data in datagrams.sent)
    # a name that its owner chose begins plain
    config.settings["printer_name"] = "Left one"

    async def plain(discovery, renames):
        await until(lambda: renames)
        assert renames == ["Left one"]

    run(config, FakeDatagrams(), plain)


@pytest.mark.parametrize("record", [b"", b"\0\0\0", b"\xff\xff\xff\xffOther", b"\0\0\0\0Printer", bytes(400)])
def test_damaged_record(record):
    config = FakeConfig()
    config.kept[62] = record
    discovery = Discovery(FakeNet(FakeDatagrams), config, services, None, None)
    assert discovery.responder.numbers == (1, 1)


def test_nothing_is_stored_when_nothing_may_be():
    config = FakeConfig()

    async def test(discovery, renames):
        await until(lambda: renames)

    run(config, FakeDatagrams(("Printer",)), test, lambda: False)
    assert not config.kept
    config.fails = True
    run(config, FakeDatagrams(("Printer",)), test)
    assert not config.kept and config.dns_sd_name == "Printer (2)"


def test_a_flood_gets_its_share():
    datagrams = FakeDatagrams()

    async def test(discovery, renames):
        await until(lambda: renames)
        flood = query((b"\x08_ipps-3d\x04_tcp\5local\0", dnsmessage.PTR))
        for _ in range(5000):
            datagrams.put(flood)
        before = datagrams.received
        await asyncio.sleep(0.5)
        # at most 20 in each tenth of a second, and a pause behind them
        assert datagrams.received - before <= 5 * 20 + 20

    run(FakeConfig(), datagrams, test)


def test_no_port():
    discovery = Discovery(FakeNet(None), FakeConfig(), services, None, None)
    with pytest.raises(HalError):
        asyncio.run(discovery.run())
