"""Listening: both loopback addresses, free and busy ports, connections that go wrong; and the lock of a state folder."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest

from hal import factory
from hal.errors import E_BUSY, BusyError, HalError, StorageError
from hal.sim import SimOptions, build
from hal.sim.desktop import StateLock
from hal.sim.desktopnet import DesktopNet

LOOPBACK = ("127.0.0.1", "::1")


async def echo(stream, peer, tls):
    while data := await stream.read(100):
        stream.write(data)
        await stream.drain()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_both_addresses_at_one_free_port():
    seen = []

    async def handler(stream, peer, tls):
        seen.append((peer, tls))
        await echo(stream, peer, tls)

    async def run():
        net = DesktopNet(LOOPBACK, 0)
        assert net.port is None
        await net.serve(handler)
        assert net.port > 0
        for host in LOOPBACK if has_ipv6() else LOOPBACK[:1]:
            reader, writer = await asyncio.open_connection(host, net.port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        net.close()

    asyncio.run(run())
    assert ("127.0.0.1", False) in seen
    assert not has_ipv6() or ("::1", False) in seen


def test_a_busy_port_is_a_clear_error():
    async def run():
        first, second = DesktopNet(LOOPBACK, 0), None
        await first.serve(echo)
        second = DesktopNet(LOOPBACK, first.port)
        with pytest.raises(HalError) as error:
            await second.serve(echo)
        assert error.value.code == E_BUSY
        assert "port %d is in use" % first.port in str(error.value)
        assert second.port is None
        first.close()
        await second.serve(echo)
        second.close()

    asyncio.run(run())


def test_busy_on_one_address_only_leaves_nothing_open():
    if not has_ipv6():
        pytest.skip("no IPv6 loopback")

    async def run():
        with socket.socket(socket.AF_INET6) as other:
            other.bind(("::1", 0))
            other.listen()
            port = other.getsockname()[1]
            net = DesktopNet(LOOPBACK, port)
            with pytest.raises(HalError, match="in use"):
                await net.serve(echo)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))

    asyncio.run(run())


def test_an_address_that_is_not_ours():
    async def run():
        with pytest.raises(HalError, match="cannot listen on 192.0.2.1"):
            await DesktopNet(("192.0.2.1",), 0).serve(echo)
        net = DesktopNet(("192.0.2.1", "127.0.0.1"), 0)
        await net.serve(echo)
        assert net.port
        net.close()

    asyncio.run(run())


@pytest.mark.parametrize("failure", [ConnectionResetError(104, "reset"), ValueError("bug")])
def test_a_failing_handler_closes_its_connection_only(failure, capsys):
    async def fails(stream, peer, tls):
        data = await stream.read(10)
        if data == b"bad":
            raise failure
        stream.write(data)
        await stream.drain()

    async def run():
        net = DesktopNet(("127.0.0.1",), 0)
        await net.serve(fails)
        for text, answer in ((b"bad", b""), (b"good", b"good")):
            reader, writer = await asyncio.open_connection("127.0.0.1", net.port)
            writer.write(text)
            assert await reader.read() == answer
            writer.close()
        net.close()

    asyncio.run(run())
    assert ("bug" in capsys.readouterr().err) == isinstance(failure, ValueError)


def test_a_peer_that_does_not_read_holds_the_writer_back():
    async def run():
        sent = 0
        blocked = asyncio.Event()

        async def floods(stream, peer, tls):
            nonlocal sent
            while sent < 1 << 30:
                stream.write(bytes(65536))
                sent += 65536
                waiting = asyncio.ensure_future(stream.drain())
                done, _ = await asyncio.wait([waiting], timeout=0.3)
                if not done:
                    blocked.set()
                await waiting

        net = DesktopNet(("127.0.0.1",), 0)
        await net.serve(floods)
        reader, writer = await asyncio.open_connection("127.0.0.1", net.port, limit=1024)
        await asyncio.wait_for(blocked.wait(), 20)
        assert sent < 1 << 26
        writer.transport.abort()
        net.close()

    asyncio.run(run())


# -- state folder


def test_a_second_machine_on_the_same_state(tmp_path):
    state = str(tmp_path / "state")
    first = build(factory.describe(), SimOptions(state=state))
    with pytest.raises(BusyError) as error:
        build(factory.describe(), SimOptions(state=state))
    assert state in str(error.value) and "process %d" % os.getpid() in str(error.value)
    first.close()
    build(factory.describe(), SimOptions(state=state)).close()


def test_the_lock_goes_with_a_killed_process(tmp_path):
    state = str(tmp_path / "state")
    code = "import sys, time; from hal.sim.desktop import StateLock; lock = StateLock(sys.argv[1]); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, state], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"1\n"
        with pytest.raises(BusyError, match="process %d" % process.pid):
            StateLock(state)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    StateLock(state).close()


def test_a_state_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        build(factory.describe(), SimOptions(state=str(tmp_path / "file" / "state")))


def test_what_fails_later_releases_the_lock(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "flash.bin").write_bytes(bytes(100))
    for _ in range(2):
        with pytest.raises(StorageError, match="remove it to begin anew"):
            build(factory.describe(), SimOptions(state=str(state)))


def test_state_survives(tmp_path):
    state = str(tmp_path / "state")

    async def run():
        machine = build(factory.describe(), SimOptions(state=state))
        machine.flash.program(0, bytes(256))
        writer = machine.files.create("doc")
        writer.write(b"G28\n")
        writer.close()
        await machine.files.sync()
        await machine.flash.sync()
        machine.close()
        again = build(factory.describe(), SimOptions(state=state))
        buf = bytearray(256)
        again.flash.read_into(0, buf)
        assert buf == bytes(256) and again.files.names() == ["doc"]
        again.close()

    asyncio.run(run())
