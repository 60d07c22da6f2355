"""The desktop's network: TLS and plain text at one port, told apart by a connection's first byte; several addresses at a free port.

CPython only.  A connection is looked at (MSG_PEEK, nothing is taken from it) before asyncio gets it, so TLS starts on an untouched
socket.  Until its handler runs, a connection is one of at most _WAITING_MAX, of which the peer with the most loses its oldest when
there is no room; one is accepted a turn of the loop, and handshakes have a rate.  Whatever arrives, the print goes on.
"""

import asyncio
import errno
import socket
from asyncio import sslproto
from collections import deque

from hal.errors import HalError
from hal.sim.net import SimNet

_PORT_TRIES = 20
_BACKLOG = 128
_HANDSHAKE = 22  # ContentType of a TLS record (RFC 8446 section 5.1); no HTTP method begins so
_WAITING_MAX = 256  # connections that have not said anything yet or are in their handshake
_FIRST_BYTE_S = 60
_HANDSHAKE_S = 10
_SHUTDOWN_S = 1
_HANDSHAKES_A_SECOND = 100
_BURST = 50  # handshakes at once after a quiet time
_RETRY_S = 0.1  # after the system had no room for a connection
_READ_BYTES = 65536
_TLS_BUFFER_BYTES = 32768


class DesktopNet(SimNet):
    """hosts: addresses or names to listen at.  tls: None (plain text only) or a function that returns an ssl.SSLContext, called once,
    by serve(); what it raises comes out of there.  advertise: the network is told of it (mDNS)."""

    def __init__(self, hosts=("127.0.0.1",), port=8631, tls=None, advertise=False):
        SimNet.__init__(self, hosts, port)
        self.datagrams = advertise
        self._factory = tls
        self._context = None
        self._waiting = {}  # _Waiting: None, the oldest first
        self._tasks = set()
        self._queue = deque()  # of _Waiting that want a handshake
        self._timer = None
        self._budget = _BURST
        self._budget_at_s = 0
        self.tls = tls is not None

    async def serve(self, handler):
        if self._factory is not None and self._context is None:
            self._context = self._factory()
            # of each encrypted connection; asyncio's own is 256 KiB, which hundreds of idle ones would keep for nothing
            sslproto.SSLProtocol.max_size = _TLS_BUFFER_BYTES
        tries = _PORT_TRIES
        while True:
            try:
                return await SimNet.serve(self, handler)
            except HalError:
                # a port that is free on one address may be taken on the next
                tries -= 1
                if self._wanted or not tries:
                    raise

    def multicast(self, port, group4, group6):
        from hal.sim.multicast import Multicast  # Linux only

        return Multicast(self._hosts, port, group4, group6)

    async def _listen(self, host, port):
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        return _Listener(listener, self.task(self._accept(listener)))

    def _busy(self, error):
        return error.errno == errno.EADDRINUSE

    def _port_of(self, server, port):
        return server.socket.getsockname()[1]

    def close(self):
        SimNet.close(self)
        for waiting in list(self._waiting):
            waiting.drop()

    def task(self, coroutine):
        # the loop itself holds tasks weakly only
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self, listener):
        loop = asyncio.get_running_loop()
        while True:
            try:
                link, address = await loop.sock_accept(listener)
            except ConnectionError:
                continue  # it went away again
            except OSError:
                await asyncio.sleep(_RETRY_S)
                continue
            self._begin(link, address[0])
            # many that come at once take turns with everything else
            await asyncio.sleep(0)

    def _begin(self, link, peer):
        link.setblocking(False)
        waiting = _Waiting(self, link, peer)
        if self._context is None:
            waiting.start(None)
            return
        waiting.look()
        self._waiting[waiting] = None
        if len(self._waiting) > _WAITING_MAX:
            self._victim().drop()

    def _victim(self):
        counts = {}
        for waiting in self._waiting:
            counts[waiting.peer] = counts.get(waiting.peer, 0) + 1
        most = max(counts.values())
        return next(waiting for waiting in self._waiting if counts[waiting.peer] == most)

    def shake(self, waiting):
        """TLS begins when there is room for a handshake."""
        self._queue.append(waiting)
        if self._timer is None:
            self._pump()

    def _pump(self):
        self._timer = None
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        self._budget = min(_BURST, self._budget + (now_s - self._budget_at_s) * _HANDSHAKES_A_SECOND)
        self._budget_at_s = now_s
        while self._queue and self._budget >= 1:
            waiting = self._queue.popleft()
            if waiting.there:
                self._budget -= 1
                waiting.start(self._context)
        if self._queue:
            self._timer = loop.call_later(1 / _HANDSHAKES_A_SECOND, self._pump)

    def forget(self, waiting):
        self._waiting.pop(waiting, None)

    async def run(self, link, context):
        """A connection from its first byte to its handler, which runs in a task of its own once TLS, if any, stands."""
        loop = asyncio.get_running_loop()
        reader = _Reader(_READ_BYTES, loop)

        def accepted(reader, writer):
            return self._accepted(reader, writer, context is not None)

        protocol = _Protocol(reader, accepted, loop)
        reader.at_once = protocol.at_once  # pyright: ignore[reportAttributeAccessIssue]  (for SimStream)
        seconds = {} if context is None else {"ssl_handshake_timeout": _HANDSHAKE_S, "ssl_shutdown_timeout": _SHUTDOWN_S}
        try:
            await loop.connect_accepted_socket(lambda: protocol, link, ssl=context, **seconds)
        except OSError:
            pass  # no TLS, too slow, or gone: nobody is there to be told


class _Reader(asyncio.StreamReader):
    at_once = None  # as in hal.api.Stream


class _Protocol(asyncio.StreamReaderProtocol):
    """asyncio's own, but that data may be answered where it arrives: waking a task costs more than most answers."""

    _answer = None
    _link: asyncio.Transport | None = None

    def connection_made(self, transport):
        self._link = transport  # pyright: ignore[reportAttributeAccessIssue]
        super().connection_made(transport)

    def at_once(self, answer):
        self._answer = answer

    def data_received(self, data):
        answer = self._answer
        if answer is not None:
            # a client that does not take its answers gets no more of them this way
            link = self._link
            octets = None if link is None or link.get_write_buffer_size() else answer(data)
            if link is not None and octets is not None:
                link.write(octets)
                return
            self._answer = None
        super().data_received(data)


class _Listener:
    def __init__(self, listener, task):
        self.socket = listener
        self._task = task

    def close(self):
        loop = self._task.get_loop()
        if not loop.is_closed():
            # or the next socket with this number would inherit it
            loop.remove_reader(self.socket.fileno())
            self._task.cancel()
        self.socket.close()


class _Waiting:
    """A connection before its handler: silent, in line for its handshake, or in it."""

    def __init__(self, net, link, peer):
        self.peer = peer
        self._net = net
        self._link: socket.socket | None = link  # None once it is asyncio's
        self._loop = asyncio.get_running_loop()
        self._timer = None
        self._task = None

    @property
    def there(self):
        """It has not been given away or dropped."""
        return self._link is not None

    def look(self):
        """Waits for the first byte."""
        assert self._link
        self._timer = self._loop.call_later(_FIRST_BYTE_S, self.drop)
        self._loop.add_reader(self._link.fileno(), self._readable)

    def _readable(self):
        assert self._link
        try:
            first = self._link.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._quiet()
        if not first:
            self.drop()
        elif first[0] == _HANDSHAKE:
            self._net.shake(self)
        else:
            self.start(None)

    def _quiet(self):
        if self._timer is not None and self._link is not None:
            self._timer.cancel()
            self._timer = None
            self._loop.remove_reader(self._link.fileno())

    def start(self, context):
        """Gives the socket to asyncio."""
        link, self._link = self._link, None
        self._task = self._net.task(self._net.run(link, context))
        self._task.add_done_callback(self._done)

    def _done(self, task):
        self._net.forget(self)

    def drop(self):
        """Ends the connection at once."""
        self._net.forget(self)
        if self._task is not None:
            self._task.cancel()
        elif self._link is not None:
            self._quiet()
            self._link.close()
            self._link = None
