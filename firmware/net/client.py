"""A connection as the server sees it: its stream, its HTTP state, its deadline, and a request's body.  The only code that awaits a stream.

Time-outs: `deadline` says until when something is awaited from the client; the server's sweeper calls overdue() then.
"""

import asyncio

from firmware.ipp.status import BodyError
from firmware.net import http1
from hal import compat
from hal.compat import const

_TURN_BYTES = const(8192)


class Client:
    """A connection: its stream, its HTTP state and its deadline."""

    def __init__(self, stream, peer, tls, settings):
        self.stream = stream
        self.peer = peer
        self.tls = tls
        self.settings = settings
        self.http = http1.Connection(settings.http)
        self.task = asyncio.current_task()
        self.deadline = None  # ticks, while something is awaited from the client
        self.idle_since = None  # ticks, between requests
        self.cancelled = False  # by overdue(), and not yet noticed
        self.quick = None  # quick.Answers, or None
        self.begun = b""  # what the read brought with which a request began, when there are quick answers
        self._stuck = False  # it does not take what is sent
        self._readinto = getattr(stream, "readinto", None)
        self._buffer = None  # of read_bytes, for readinto
        self._closed = False

    def overdue(self):
        """Cancels what the connection waits for; its task then says goodbye."""
        self.cancelled = True
        self.deadline = None
        if self.task is not None:
            self.task.cancel()

    def close(self):
        if not self._closed:
            self._closed = True
            try:
                if self._stuck:
                    self.stream.abort()
                else:
                    self.stream.close()
            except OSError:
                pass

    async def _receive(self):
        """Bytes-like of at most read_bytes, empty at the end; valid until the next call.  Raises OSError."""
        size = self.settings.read_bytes
        if self._readinto is None:
            return await self.stream.read(size)
        if self._buffer is None:
            self._buffer = memoryview(bytearray(size))
        count = await self._readinto(self._buffer)
        return self._buffer[:count] if count else b""

    async def read(self, timeout_ms):
        """Feeds the HTTP state once.  Raises HttpError 408 after the time-out."""
        self.deadline = compat.ticks_add(compat.ticks_ms(), timeout_ms)
        try:
            data = await self._receive()
        except OSError:
            data = b""
        except compat.CancelledError:
            if not self.cancelled:
                raise
            self.cancelled = False
            raise http1.HttpError(408, "The request came too slowly.")
        finally:
            self.deadline = None
        self.http.feed(data)
        return len(data)

    async def send(self, data):
        """Sends data and waits until the stream has taken it.  Raises OSError."""
        self.stream.write(data)
        self.deadline = compat.ticks_add(compat.ticks_ms(), self.settings.send_ms)
        try:
            await self.stream.drain()
        except compat.CancelledError:
            if not self.cancelled:
                raise
            self.cancelled = False
            self._stuck = True
            raise OSError("the client does not take the answer")
        finally:
            self.deadline = None

    async def head(self):
        """The next request's head, or None when the client is done."""
        http = self.http
        begun = self.idle_since = compat.ticks_ms()
        while True:
            event = http.next_event()
            if event == http1.REQUEST:
                self.idle_since = None
                return http.request
            if event == http1.CLOSED:
                return None
            if http.idle:
                if self.quick is not None:
                    self.stream.at_once(self._at_once)
                if await self.read(self.settings.idle_ms):
                    self.idle_since = None
                    begun = compat.ticks_ms()
            else:
                spent_ms = compat.ticks_diff(compat.ticks_ms(), begun)
                if spent_ms >= self.settings.head_ms:
                    raise http1.HttpError(408, "The request came too slowly.")
                await self.read(self.settings.head_ms - spent_ms)

    def _at_once(self, data):
        """The answer to what an idle client sends, if it can be had without reading it, else None."""
        answer = self.quick.find(data)  # pyright: ignore[reportAttributeAccessIssue]
        if answer is None:
            self.begun = data
        elif not self.cancelled:
            self.idle_since = now = compat.ticks_ms()
            self.deadline = compat.ticks_add(now, self.settings.idle_ms)
        return answer

    async def drain_body(self, timeout_ms):
        """Reads and drops the rest of a body.  False when there is too much of it, or it takes too long or breaks off."""
        end = compat.ticks_add(compat.ticks_ms(), timeout_ms)
        dropped = 0
        try:
            while True:
                event = self.http.next_event()
                if event == http1.END:
                    return True
                if event == http1.DATA:
                    dropped += len(self.http.data)
                    if dropped > self.settings.drain_bytes:
                        return False
                else:
                    left_ms = compat.ticks_diff(end, compat.ticks_ms())
                    if left_ms <= 0:
                        return False
                    await self.read(left_ms)
        except http1.HttpError:
            return False

    async def linger(self):
        """Reads on for a moment, so that a client that still sends gets its answer before the connection is reset."""
        end = compat.ticks_add(compat.ticks_ms(), self.settings.linger_ms)
        left = self.settings.drain_bytes
        while left > 0:
            timeout_ms = compat.ticks_diff(end, compat.ticks_ms())
            if timeout_ms <= 0:
                return
            self.deadline = compat.ticks_add(compat.ticks_ms(), timeout_ms)
            try:
                data = await self._receive()
            except compat.CancelledError:
                if not self.cancelled:
                    raise
                self.cancelled = False
                return
            finally:
                self.deadline = None
            if not data:
                return
            left -= len(data)


class Body:
    """A request's body as its handler reads it."""

    def __init__(self, client, request):
        self._client = client
        self._request = request
        self._ended = False
        self._turn_bytes = 0
        self._window_bytes = 0
        self._window_ms = client.settings.body_ms
        self.rest = b""  # read already, but not yet handed out

    async def read(self):
        """The next piece, bytes-like and valid until the next call; b"" at the end.  Raises BodyError."""
        if len(self.rest):
            piece = self.rest
            self.rest = b""
            return piece
        if self._ended:
            return b""
        client = self._client
        http = client.http
        try:
            while True:
                event = http.next_event()
                if event == http1.DATA:
                    self._request.expect_continue = False
                    return http.data
                if event == http1.END:
                    self._ended = True
                    return b""
                await self._more(client)
        except http1.HttpError as e:
            raise BodyError(e.status, e.message)
        except OSError:
            raise BodyError(400, "The client has gone.")

    async def readinto(self, buf):
        """Fills at most buf; returns the bytes, 0 at the end.  Raises BodyError."""
        if not len(self.rest):
            self.rest = await self.read()
        there = len(self.rest)
        if there > len(buf):
            there = len(buf)
            rest = memoryview(self.rest)
            buf[:] = rest[:there]
            self.rest = rest[there:]
        else:
            buf[:there] = self.rest
            self.rest = b""
        return there

    async def _more(self, client):
        if self._request.expect_continue:
            self._request.expect_continue = False
            await client.send(http1.CONTINUE)
        settings = client.settings
        if self._turn_bytes >= _TURN_BYTES:
            # a client that is always ahead must not keep the machine's own tasks waiting
            self._turn_bytes = 0
            await compat.sleep_ms(0)
        begun = compat.ticks_ms()
        count = await client.read(self._window_ms)
        self._turn_bytes += count
        self._window_bytes += count
        if self._window_bytes >= settings.body_bytes:
            self._window_bytes = 0
            self._window_ms = settings.body_ms
        else:
            self._window_ms -= compat.ticks_diff(compat.ticks_ms(), begun)
            if self._window_ms <= 0:
                raise http1.HttpError(408, "The request came too slowly.")
