"""Printers on the local network, by DNS-SD over multicast DNS (RFC 6762, RFC 6763), through the zeroconf library."""

import socket
import threading
import time
from collections.abc import Iterator

from zeroconf import IPVersion, NonUniqueNameException, ServiceBrowser, ServiceListener, Zeroconf

PRINTERS = "_ipps-3d._tcp.local."
_ANSWER_MS = 1500  # for what a printer has to say of itself


class Found(ServiceListener):
    """Collects what a browser finds; wait() gives the printers one by one, as they come."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._names: list[str] = []
        self._gone: set[str] = set()

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        with self._news:
            self._gone.discard(name)
            if name not in self._names:
                self._names.append(name)
                self._news.notify()

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        pass

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        with self._news:
            self._gone.add(name)

    def wait(self, timeout_s: float) -> Iterator[str]:
        end = time.monotonic() + timeout_s
        told = 0
        while True:
            with self._news:
                while len(self._names) == told and self._news.wait(end - time.monotonic()):
                    pass
                if len(self._names) == told:
                    return
                name = self._names[told]
                told += 1
                if name in self._gone:
                    continue
            yield name


def printers(timeout_s: float) -> Iterator[dict]:
    """Printers as they answer within timeout_s: {"name", "uri", "host", "port", "addresses", "uuid", "make_and_model", "location",
    "formats", "admin_uri"}.  OSError when there is no network to ask."""
    found = Found()
    zeroconf = Zeroconf(ip_version=IPVersion.All)
    try:
        ServiceBrowser(zeroconf, PRINTERS, found)
        for name in found.wait(timeout_s):
            info = zeroconf.get_service_info(PRINTERS, name, _ANSWER_MS)
            if info is not None and info.server and info.port:
                yield _told(name, info)
    except NonUniqueNameException:  # raised for own services only; there are none
        return
    finally:
        zeroconf.close()


def _told(name: str, info) -> dict:
    texts = {key.decode("utf-8", "replace").lower(): (value or b"").decode("utf-8", "replace") for key, value in info.properties.items()}
    host = info.server.rstrip(".")
    addresses = info.parsed_scoped_addresses()
    path = texts.get("rp") or "ipp/print3d"
    return {
        "name": name.removesuffix("." + PRINTERS),
        "uri": f"ipps://{_reachable(host, addresses)}:{info.port}/{path.lstrip('/')}",
        "host": host,
        "port": info.port,
        "addresses": addresses,
        "uuid": texts.get("uuid", ""),
        "make_and_model": texts.get("ty", ""),
        "location": texts.get("note", ""),
        "formats": [text for text in texts.get("pdl", "").split(",") if text],
        "admin_uri": texts.get("adminurl", ""),
    }


def _reachable(host: str, addresses: list[str]) -> str:
    """The host's name where this computer's resolver knows names of the local network, else an address."""
    try:
        socket.getaddrinfo(host, None)
        return host
    except OSError:
        pass
    # an address of a link works on this computer only, and has a zone that a URI can hardly hold
    best = sorted(addresses, key=lambda text: (text.startswith("fe80:"), ":" in text))
    if not best:
        return host
    return f"[{best[0]}]" if ":" in best[0] else best[0]
