"""Where CPython and MicroPython differ in language run time and clocks.  Files and their errors: hal/files.

Callers import names from here and never ask which Python they run on.

    const(n)                     n; MicroPython's compiler folds it
    ticks_ms() ticks_us()        wrapping counters; compare by ticks_diff only, move by ticks_add
    sleep_ms(ms)                 coroutine; sleep_ms(0) lets the others run (and, on MicroPython in Node, collects garbage)
    wait_for_ms(aw, ms)          coroutine; raises TimeoutError; aw must be a coroutine
    start_server(cb, host, port, backlog), open_connection(host, port)    coroutines, asyncio streams
    CancelledError, TimeoutError  asyncio's own (CancelledError is a BaseException)
    sha256(data=b"")             object with update(buf) and digest(); digest once only
    crc32(data, value=0)         unsigned
    pbkdf2(password, salt, n)    coroutine; the 32 bytes of PBKDF2 with HMAC-SHA-256 and n iterations; the others run meanwhile
    inflater(stream, kind)       object with readinto(buf) -> bytes read, 0 at the end; see there
    urandom(n)                   bytes from the system's generator
    unix_s()                     seconds since 1970, or None without a clock that was set
    print_exception(e, file)     traceback
    mem_alloc(), mem_free(), collect()   MicroPython heap in bytes; None, None, nothing on CPython
    forget(module)               lets a module's code go that is not needed any more: collected, on MicroPython; to import it again is fine
    seldom(module, name)         `name` of a module whose code a board holds only while it is used
"""

import asyncio
import binascii
import hashlib
import sys
import time

from hal.errors import DataError

CancelledError = asyncio.CancelledError
TimeoutError = asyncio.TimeoutError
sha256 = hashlib.sha256

# Kinds of compressed stream.
GZIP = 1
DEFLATE = 2  # RFC 1951 without a wrapper, which is what IPP's "deflate" names
ZLIB = 3
_GZIP_MAGIC = b"\x1f\x8b"
_HEAP_FOR_A_WINDOW = 131072  # bytes that are free: a window must not take what the print may need

_CLOCK_SET_AFTER_S = 1704067200  # 2024-01-01: a clock before that was never set
_SECONDS_1970_TO_2000 = 946684800

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


def crc32(data, value=0):
    """CRC-32 of zlib and IEEE 802.3, as an unsigned 32-bit number; value: of what came before."""
    return binascii.crc32(data, value) & 0xFFFFFFFF


if sys.implementation.name == "micropython":
    import gc
    import io
    import os

    import deflate as _deflate

    ticks_ms = time.ticks_ms
    ticks_us = time.ticks_us
    ticks_diff = time.ticks_diff
    ticks_add = time.ticks_add
    sleep_ms = asyncio.sleep_ms
    wait_for_ms = asyncio.wait_for_ms
    mem_alloc = gc.mem_alloc
    mem_free = gc.mem_free
    collect = gc.collect

    def forget(module):
        parent, _, name = module.rpartition(".")
        sys.modules.pop(module, None)
        parent = sys.modules.get(parent)
        if hasattr(parent, name):
            delattr(parent, name)

    def seldom(module, name):
        """What the module calls `name`, without keeping the module.

        Modules that the import brings in are forgotten at once, those that were there before stay: the code goes when the caller lets
        go of what he got (a coroutine that runs holds its code).  For code that most minutes do not call; imported again by the next
        call, some milliseconds on a board.  Such a module must have no state, and no class or exception that others compare with.
        """
        before = set(sys.modules)
        found = getattr(__import__(module, None, None, (name,)), name)
        for fresh in list(sys.modules):
            if fresh not in before:
                forget(fresh)
        return found

    def start_server(callback, host, port, backlog=5):
        return asyncio.start_server(callback, host, port, backlog)

    def open_connection(host, port):
        return asyncio.open_connection(host, port)

    def print_exception(error, file=None):
        sys.print_exception(error, file or sys.stderr)

    if hasattr(os, "urandom"):
        urandom = os.urandom
    else:
        # MicroPython in Node: the host script hands out the system's generator, as a number at a time
        def urandom(n):
            import host

            return bytes(host.random_byte() for _ in range(n))

    def unix_s():
        now = int(time.time())
        if time.gmtime(0)[0] == 2000:
            now += _SECONDS_1970_TO_2000
        return now if now > _CLOCK_SET_AFTER_S else None

    async def pbkdf2(password, salt, iterations):
        from hal.kdf import steps

        out = bytearray(32)
        for _ in steps(password, salt, iterations, out):
            await sleep_ms(0)
        return bytes(out)

    class _Source(io.IOBase):
        """What DeflateIO reads from has to be one of MicroPython's own streams; it asks for a byte at a time."""

        def __init__(self, stream):
            self._stream = stream
            self._in = bytearray(512)
            self._at = self._end = 0

        def peek(self):
            """Up to two bytes that come next."""
            while self._end - self._at < 2:
                self._in[: self._end - self._at] = self._in[self._at : self._end]
                self._end -= self._at
                self._at = 0
                n = self._stream.readinto(memoryview(self._in)[self._end :])
                if not n:
                    break
                self._end += n
            return bytes(self._in[self._at : min(self._end, self._at + 2)])

        def readinto(self, buf):
            if self._at == self._end:
                self._at = 0
                self._end = self._stream.readinto(self._in)
                if not self._end:
                    return 0
            n = min(len(buf), self._end - self._at)
            buf[:n] = memoryview(self._in)[self._at : self._at + n]
            self._at += n
            return n

        def ioctl(self, request, argument):
            return 0

    class _Inflater:
        def __init__(self, stream, kind, window_bits):
            self._source = _Source(stream)
            self._kind = _kind_of(kind, self._source.peek())
            # a window of 32 KiB is what the format may need, and what a small heap has not: then what reaches further back is an error
            self._bits = window_bits or (15 if gc.mem_free() >= _HEAP_FOR_A_WINDOW else 12)
            self._begin()

        def _begin(self):
            form = {GZIP: _deflate.GZIP, DEFLATE: _deflate.RAW, ZLIB: _deflate.ZLIB}[self._kind]
            self._io = _deflate.DeflateIO(self._source, form, self._bits)

        def readinto(self, buf):
            while self._io is not None:
                try:
                    n = self._io.readinto(buf)
                except (OSError, EOFError, ValueError):
                    raise DataError("broken compressed data")
                if n or not len(buf):
                    return n
                self._io = None
                if self._kind == GZIP and self._source.peek() == _GZIP_MAGIC:
                    self._begin()
            return 0

else:
    import importlib
    import traceback
    import zlib
    from os import urandom  # noqa: F401

    _TICKS_PERIOD = 1 << 30  # as on the boards, so that a comparison done wrong shows up here, too

    def ticks_ms():
        return time.monotonic_ns() // 1000000 % _TICKS_PERIOD

    def ticks_us():
        return time.monotonic_ns() // 1000 % _TICKS_PERIOD

    def ticks_add(ticks, delta):
        return (ticks + delta) % _TICKS_PERIOD

    def ticks_diff(end, start):
        half = _TICKS_PERIOD // 2
        return (end - start + half) % _TICKS_PERIOD - half

    def sleep_ms(delay_ms):
        return asyncio.sleep(delay_ms / 1000)

    def wait_for_ms(awaitable, timeout_ms):
        return asyncio.wait_for(awaitable, timeout_ms / 1000)

    def start_server(callback, host, port, backlog=5):
        return asyncio.start_server(callback, host, port, backlog=backlog)

    def open_connection(host, port):
        return asyncio.open_connection(host, port)

    def print_exception(error, file=None):
        traceback.print_exception(error, file=file or sys.stderr)

    def mem_alloc():
        return None

    mem_free = mem_alloc

    def collect():
        pass

    def forget(module):
        pass

    def seldom(module, name):
        return getattr(importlib.import_module(module), name)

    def unix_s():
        now = int(time.time())
        return now if now > _CLOCK_SET_AFTER_S else None

    async def pbkdf2(password, salt, iterations):
        # in a thread: hashlib lets the others run
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, hashlib.pbkdf2_hmac, "sha256", password, salt, iterations)

    class _Inflater:
        _CHUNK = 4096

        def __init__(self, stream, kind, window_bits):
            self._stream = stream
            self._in = bytearray(self._CHUNK)
            self._left = b""
            self._more(2)
            self._kind = _kind_of(kind, self._left[:2])
            self._bits = window_bits or 15
            self._begin()

        def _begin(self):
            self._z = zlib.decompressobj({GZIP: 16, DEFLATE: 0, ZLIB: 0}[self._kind] + self._bits * (-1 if self._kind == DEFLATE else 1))

        def _more(self, count):
            """Until so many bytes wait, if the stream has them."""
            while len(self._left) < count:
                n = self._stream.readinto(self._in)
                if not n:
                    break
                self._left += bytes(self._in[:n])

        def readinto(self, buf):
            while self._z is not None and len(buf):
                self._more(1)
                ended = not self._left
                try:
                    got = self._z.decompress(self._left, len(buf))
                except zlib.error:
                    raise DataError("broken compressed data") from None
                self._left = self._z.unconsumed_tail
                if self._z.eof:
                    self._left = self._z.unused_data
                    self._more(2)
                    if self._kind == GZIP and self._left[:2] == _GZIP_MAGIC:
                        self._begin()
                    else:
                        self._z = None
                    ended = False
                if got:
                    buf[: len(got)] = got
                    return len(got)
                if ended:
                    raise DataError("compressed data end too soon")
            return 0


def _kind_of(kind, start):
    # senders that mean zlib's wrapper by "deflate" are common; a proper one never begins so (stored, padding bits set)
    if kind == DEFLATE and len(start) == 2 and start[0] & 15 == 8 and start[0] < 128 and (start[0] << 8 | start[1]) % 31 == 0:
        return ZLIB
    return kind


def inflater(stream, kind, window_bits=None):
    """Decompressing reader over `stream` (its readinto gives 0 at the end; blocking).

    kind: GZIP (several members in a row are one text), DEFLATE (taken with zlib's wrapper, too) or ZLIB.  Its readinto(buf) fills at most
    buf and returns the bytes, 0 at the end of the compressed data, what follows them being left alone; raises DataError when they are
    broken or cut off.  Holds a window of 2**window_bits bytes on MicroPython (by default 32 KiB, 4 KiB where the heap is small): one at
    a time, on a board.
    """
    return _Inflater(stream, kind, window_bits)
