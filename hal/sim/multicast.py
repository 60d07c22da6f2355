"""The desktop's multicast datagrams (hal/api.Datagrams), for mDNS: one socket for IPv4, one for IPv6, each in the group on every interface.

CPython on Linux only.  Other responders of this computer (avahi, browsers) share the port; every one of them gets what comes to the group.
"""

import asyncio
import errno
import fcntl
import socket
import struct
from collections import deque

import ifaddr

from hal.api import Datagrams
from hal.errors import HalError

_IP_PKTINFO = 8  # linux/in.h; Python's socket does not name them
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
_SIOCGIFFLAGS = 0x8913
_UP, _LOOPBACK, _RUNNING, _MULTICAST = 0x1, 0x8, 0x40, 0x1000  # linux/if.h
_TENTATIVE, _DAD_FAILED = 0x40, 0x08  # linux/if_addr.h
_WAITING_MAX = 64  # datagrams; further ones wait in the system's buffer, and are lost when that is full
_OCTETS_MAX = 9000
_BUFFER_OCTETS = 65536
_ANY = ("0.0.0.0", "::")


class Multicast(Datagrams):
    """hosts: addresses that the printer listens at: only these are told; 0.0.0.0 and :: are all of their kind.  group4, group6: addresses.

    The loopback interface counts only where everything listens there.  HalError when the port cannot be had.
    """

    def __init__(self, hosts, port, group4, group6):
        self._port = port
        self._hosts = _packed(hosts)
        self._groups = {socket.AF_INET: socket.inet_aton(group4), socket.AF_INET6: socket.inet_pton(socket.AF_INET6, group6)}
        self._loopback = all(host[0] == 127 if len(host) == 4 else host == b"\0" * 15 + b"\1" for host in self._hosts)
        self._joined = {socket.AF_INET: set(), socket.AF_INET6: set()}
        self._waiting = deque()
        self._came = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._reading = False
        self._sockets = {}
        problem = None
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                self._sockets[family] = self._open(family)
            except OSError as error:
                problem = error
        if not self._sockets:
            raise HalError("cannot use UDP port %d: %s" % (port, problem))
        self._read(True)

    def _open(self, family):
        link = socket.socket(family, socket.SOCK_DGRAM)
        try:
            link.setblocking(False)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_OCTETS)
            if family == socket.AF_INET:
                link.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
                link.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
                link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
                # RFC 6762 section 11
                link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
                link.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
            else:
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                link.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
            link.bind(("", self._port))
        except OSError:
            link.close()
            raise
        return link

    def links(self):
        found = {}
        for index, addresses in self._interfaces().items():
            for family in self._sockets:
                # a link of a kind without an address there has nobody to speak for
                if any(_family(address) == family for address, _ in addresses):
                    found[(index, family)] = addresses
        for family, link in self._sockets.items():
            wanted = {index for index, kind in found if kind == family}
            for index in self._joined[family] - wanted:
                self._membership(family, link, index, False)
            for index in wanted - self._joined[family]:
                if not self._membership(family, link, index, True):
                    del found[(index, family)]
        return found

    def _membership(self, family, link, index, join):
        group = self._groups[family]
        try:
            if family == socket.AF_INET:
                option = socket.IP_ADD_MEMBERSHIP if join else socket.IP_DROP_MEMBERSHIP
                link.setsockopt(socket.IPPROTO_IP, option, struct.pack("=4s4si", group, b"\0" * 4, index))
            else:
                option = socket.IPV6_JOIN_GROUP if join else socket.IPV6_LEAVE_GROUP
                link.setsockopt(socket.IPPROTO_IPV6, option, struct.pack("=16sI", group, index))
        except OSError as error:
            # an interface that was taken away has left by itself; one that came back is a member still
            if join and error.errno != errno.EADDRINUSE:
                return False
        (self._joined[family].add if join else self._joined[family].discard)(index)
        return True

    def _interfaces(self):
        """{index: [(address, bits of its network), ...]} of the interfaces that work, with the addresses that the printer is reached at."""
        found = {}
        unready = _unready()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            for adapter in ifaddr.get_adapters():
                flags = _flags(probe, adapter.name)
                if flags & (_UP | _RUNNING) != _UP | _RUNNING or bool(flags & _LOOPBACK) != self._loopback:
                    continue
                if not self._loopback and not flags & _MULTICAST:
                    continue
                addresses = []
                for ip in adapter.ips:
                    text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
                    address = _packed([text])[0]
                    if address in unready:
                        continue
                    if address in self._hosts or (b"\0" * len(address)) in self._hosts:
                        addresses.append((address, ip.network_prefix))
                if addresses and adapter.index is not None:
                    found[adapter.index] = addresses
        return found

    def send(self, data, key, destination):
        index, family = key
        link = self._sockets[family]
        if family == socket.AF_INET:
            address, port = destination or (self._groups[family], self._port)
            place = (socket.inet_ntoa(address), port)
            info = (socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=i4s4s", index, b"\0" * 4, b"\0" * 4))
        else:
            address, port = destination or (self._groups[family], self._port)
            place = (socket.inet_ntop(family, address), port, 0, index)
            info = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("=16sI", b"\0" * 16, index))
        try:
            link.sendmsg([data], [info], 0, place)
        except OSError:
            pass  # the interface went down this moment, or there is no room: as if it were lost on the way

    async def receive(self, timeout_ms):
        if not self._waiting:
            self._came.clear()
            self._read(True)
            try:
                await asyncio.wait_for(self._came.wait(), timeout_ms / 1000)
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None

    def _read(self, on):
        if on == self._reading:
            return
        self._reading = on
        for family, link in self._sockets.items():
            if on:
                self._loop.add_reader(link.fileno(), self._readable, family, link)
            else:
                self._loop.remove_reader(link.fileno())

    def _readable(self, family, link):
        try:
            data, about, _, source = link.recvmsg(_OCTETS_MAX + 1, 128)
        except OSError:
            return
        index = None
        for level, kind, octets in about:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                index = struct.unpack_from("=i", octets)[0]
            elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                index = struct.unpack_from("=16sI", octets)[1]
        address = socket.inet_pton(family, source[0].partition("%")[0])
        self._waiting.append((data, (index, family), address, source[1]))
        self._came.set()
        if len(self._waiting) >= _WAITING_MAX:
            self._read(False)

    def close(self):
        for link in self._sockets.values():
            self._loop.remove_reader(link.fileno())
            link.close()
        self._sockets = {}


def _packed(hosts):
    found = []
    for host in hosts:
        for _, _, _, _, address in socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM):
            text = str(address[0]).partition("%")[0]
            found.append(socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text))
    return found


def _family(address):
    return socket.AF_INET if len(address) == 4 else socket.AF_INET6


def _unready():
    """IPv6 addresses that cannot be used yet: whether they are free is being asked (RFC 4862 section 5.4), or they are not."""
    try:
        with open("/proc/net/if_inet6") as table:
            rows = [line.split() for line in table]
    except OSError:
        return ()
    return {bytes.fromhex(row[0]) for row in rows if int(row[4], 16) & (_TENTATIVE | _DAD_FAILED)}


def _flags(probe, name):
    try:
        answer = fcntl.ioctl(probe.fileno(), _SIOCGIFFLAGS, struct.pack("=16s24x", name.encode()[:15]))
    except OSError:
        return 0
    return struct.unpack_from("=16sH", answer)[1]
