"""The task that keeps the printer's names on the local network: between firmware/net/dnssd.Responder and hal/api.Datagrams.

What is told follows the settings (name, location) and the interfaces, which are looked at every few seconds.  Names that had to be changed
because others have them are kept over restarts.
"""

from firmware.config import NETWORK_NAMES
from firmware.net import dnsrecords, dnssd
from firmware.net.dnsmessage import label
from hal.compat import const, print_exception, sleep_ms, ticks_diff, ticks_ms, urandom
from hal.errors import StorageError

GROUP4 = "224.0.0.251"
GROUP6 = "ff02::fb"
_LOOK_MS = const(2000)  # how often interfaces and settings are looked at
_WINDOW_MS = const(100)
_DATAGRAMS_A_WINDOW = const(20)  # further ones wait: whatever others send, the printer has other work
_STORE_MS = const(60000)  # names are stored at most so often


class Discovery:
    """net: hal.api.Net that serves and has `datagrams`; config: firmware/config.Config; services(host) -> [(type, TXT entries), ...];
    may_store(): flash may be written now; renamed(): awaited after the name changed; names: container of the printer's other names."""

    def __init__(self, net, config, services, may_store, renamed, names=()):
        self._net = net
        self._names_beside = names
        self._may_store = may_store
        self._config = config
        self._services = services
        self._renamed = renamed
        self._links = None
        self._now = 0
        self._last = ticks_ms()
        self._stored_at = -_STORE_MS
        host, instance = self._wanted()
        self.responder = dnssd.Responder(host, instance, _random, self._numbers(instance))

    def __contains__(self, host):
        """True for the printer's own name on the network and its other ones, in lower case: for the check of the Host field."""
        return host == self.responder.host.lower() or host in self._names_beside

    def _clock(self):
        ticks = ticks_ms()
        self._now += ticks_diff(ticks, self._last)
        self._last = ticks
        return self._now

    async def run(self):
        """Until close().  HalError when the port cannot be had."""
        self._links = self._net.multicast(dnssd.PORT, GROUP4, GROUP6)
        look_at = 0
        try:
            while self._links is not None:
                now = self._clock()
                if now >= look_at:
                    look_at = now + _LOOK_MS
                    await self._look(now)
                await self._listen(look_at)
        finally:
            self.close()

    async def _look(self, now):
        responder = self.responder
        host, instance = self._wanted()
        responder.rename(host, instance, self._numbers(instance), now)
        port = self._net.port
        told = [(kind, port, dnsrecords.text(entries)) for kind, entries in self._services(responder.host)]
        responder.set_services(told, now)
        responder.set_links(self._links.links(), now)  # pyright: ignore[reportOptionalMemberAccess]
        if responder.settled and now - self._stored_at >= _STORE_MS:
            await self._keep(responder, instance, now)

    async def _listen(self, until):
        """Datagrams of a tenth of a second, or until something is due."""
        begun = now = self._clock()
        count = 0
        while self._links is not None and now < until and count < _DATAGRAMS_A_WINDOW and now - begun < _WINDOW_MS:
            self._send(self.responder.poll(now))
            due = self.responder.next_ms(now)
            wait = until - now if due is None else min(due, until) - now
            got = await self._links.receive(max(wait, 1))
            now = self._clock()
            if got is not None:
                if not count:
                    begun = now
                count += 1
                data, key, address, port = got
                self.responder.receive(data, key, address, port, now)
            else:
                begun = now
        if self._links is not None:
            self._send(self.responder.poll(now))
        if count >= _DATAGRAMS_A_WINDOW:
            await sleep_ms(_WINDOW_MS)

    def _send(self, datagrams):
        for data, key, destination in datagrams:
            self._links.send(data, key, destination)  # pyright: ignore[reportOptionalMemberAccess]

    def close(self):
        """Says good-bye; run() ends with the next datagram or in some seconds."""
        links = self._links
        if links is not None:
            self._send(self.responder.stop(self._clock()))
            self._links = None
            links.close()

    def _wanted(self):
        # the UUID's last digits: two boards out of the same box do not have to argue
        return "printwright-" + self._config.get("printer_uuid")[-6:], self._config.get("printer_name") or "Printwright"

    def _numbers(self, instance):
        """Numbers behind the names as they were kept, if for this name."""
        kept = self._config.record(NETWORK_NAMES)
        if kept is None or len(kept) < 4 or kept[4:] != label(instance):
            return 1, 1
        return max(1, kept[0] << 8 | kept[1]), max(1, kept[2] << 8 | kept[3])

    async def _keep(self, responder, instance, now):
        numbers = responder.numbers
        changed = self._config.dns_sd_name != responder.instance
        if numbers != self._numbers(instance) and self._may_store():
            self._stored_at = now
            record = bytes([numbers[0] >> 8, numbers[0] & 255, numbers[1] >> 8, numbers[1] & 255]) + label(instance)
            try:
                self._config.set_record(NETWORK_NAMES, record)
                await self._config.save()
            except StorageError as error:
                print_exception(error)
        if changed:
            self._config.dns_sd_name = responder.instance
            await self._renamed()


def _random(n):
    octets = urandom(2)
    return (octets[0] << 8 | octets[1]) % n
