# Python half of tests/wasm/host.mjs, imported in MicroPython at start: what its asyncio leaves out in Node (run, TCP streams), and the
# motion core as module `pwcore`.  Bytes never cross as objects: JavaScript copies them to and from addresses.

import asyncio
import gc
import sys
import time
from asyncio import core

import host
import uctypes

_READABLE, _WRITABLE, _ACCEPTED, _LISTENING, _REFUSED, _TURN = range(6)
_EADDRINUSE, _ECONNRESET = 3, 15  # as WASI numbers them, see hal/files

_spare = [None] * 256  # given back first thing on MemoryError, so that there is room to report it
_streams = {}
_servers = {}
_turn = asyncio.Event()


class Stream:
    """asyncio's stream on a socket that JavaScript holds; received bytes wait there, 16 KiB at most, outside this heap."""

    def __init__(self, number):
        self._n = number
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._fresh = asyncio.Event()
        self._moved = 0

    def get_extra_info(self, key, default=None):
        return (host.peer_address(self._n), host.peer_port(self._n)) if key == "peername" else default

    async def _let_collect(self):
        # who finds a socket always ready would never let garbage be collected
        if self._moved:
            self._moved = 0
            await asyncio.sleep(0)

    async def _take(self, at, n):
        while True:
            self._readable.clear()
            got = host.take(self._n, at, n)
            if got > 0:
                self._moved += got
                await self._let_collect()
                return got
            if got == -1:
                return 0
            if got == -2:
                raise OSError(_ECONNRESET)
            await self._readable.wait()

    async def readinto(self, buf):
        return await self._take(uctypes.addressof(buf), len(buf))

    async def read(self, n=-1):
        if n < 0:
            whole = b""
            while True:
                part = await self.read(2048)
                if not part:
                    return whole
                whole += part
        if not n:
            return b""
        buf = bytearray(n)
        got = await self._take(uctypes.addressof(buf), n)
        return bytes(memoryview(buf)[:got])

    async def readexactly(self, n):
        buf = bytearray(n)
        at = uctypes.addressof(buf)
        done = 0
        while done < n:
            got = await self._take(at + done, n - done)
            if not got:
                raise EOFError
            done += got
        return bytes(buf)

    async def readline(self):
        whole = b""
        while True:
            n = host.line_length(self._n)  # to the end of the line, or all that is there
            part = await self.read(n if n > 0 else 1)
            whole += part
            if not part or part[-1] == 10:
                return whole

    def write(self, data):
        self._moved += len(data)
        if len(data) and not host.send(self._n, uctypes.addressof(data), len(data)):
            self._writable.clear()

    async def drain(self):
        await self._writable.wait()
        await self._let_collect()
        if host.broken(self._n):
            raise OSError(_ECONNRESET)

    def close(self):
        host.close(self._n)
        _streams.pop(self._n, None)
        self._readable.set()

    async def wait_closed(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()


class Server:
    """What start_server returns; `port` is the one that was got for port 0."""

    def __init__(self, number, callback):
        self._n = number
        self.callback = callback
        self.port = 0
        self.up = asyncio.Event()
        self.refused = False

    def close(self):
        host.unlisten(self._n)
        _servers.pop(self._n, None)

    async def wait_closed(self):
        pass


async def _serve(callback, stream):
    try:
        await callback(stream, stream)
    except asyncio.CancelledError:
        pass
    except Exception as e:
        if isinstance(e, MemoryError):
            _spare.clear()
        sys.print_exception(e)
    stream.close()


async def _start_server(callback, address, port, backlog=5, ssl=None):
    number = host.listen(address or "", port, backlog)
    server = _servers[number] = Server(number, callback)
    await server.up.wait()
    if server.refused:
        _servers.pop(number, None)
        raise OSError(_EADDRINUSE)
    return server


async def _open_connection(address, port, ssl=None):
    number = host.connect(address, port)
    stream = _streams[number] = Stream(number)
    await stream._fresh.wait()
    if host.broken(number):
        stream.close()
        raise OSError(_ECONNRESET)
    return stream, stream


def _event(kind, number, value):
    """Called by JavaScript, with integers only."""
    try:
        if kind == _TURN:
            _turn.set()
        elif kind == _READABLE:
            if number in _streams:
                _streams[number]._readable.set()
        elif kind == _WRITABLE:
            if number in _streams:
                _streams[number]._fresh.set()
                _streams[number]._writable.set()
        elif kind == _ACCEPTED:
            stream = _streams[number] = Stream(number)
            asyncio.create_task(_serve(_servers[value].callback, stream))
        elif kind in (_LISTENING, _REFUSED):
            _servers[number].refused = kind == _REFUSED
            _servers[number].port = value
            _servers[number].up.set()
    except MemoryError:
        _spare.clear()
        print("MemoryError in a socket's event")
        host.exit(1)


# asyncio's own loop runs everything that is ready in one call from JavaScript, and only its return lets garbage be collected.  This one
# runs one step of one task a call, so that the heap has to hold live data and the garbage of a single step.
def _run_step():
    queue = core._task_queue
    task = queue.peek()
    if task and time.ticks_diff(task.ph_key, time.ticks_ms()) <= 0:
        queue.pop()
        core.cur_task = task
        error = task.data
        try:
            if error:
                task.data = None
                task.coro.throw(error)
            else:
                task.coro.send(None)
        except (asyncio.CancelledError, Exception) as e:
            _task_over(task, e, error)
        task = queue.peek()
    core.cur_task = core._top_level_task
    if task:
        core._schedule_run_iter(max(0, time.ticks_diff(task.ph_key, time.ticks_ms())))


def _task_over(task, outcome, thrown):
    """A task has returned, failed or was cancelled.  Its `state`: True while it runs and nobody waits for it, a queue of those who do,
    None when it is over and was not waited for, False when it was."""
    if not task.state:
        if task.state is None:  # its failure came back from the queue below: nobody asked for it
            task.data = thrown
            core._exc_context["exception"] = thrown
            core._exc_context["future"] = task
            core.Loop.call_exception_handler(core._exc_context)
        return
    waited = False
    if task.state is True:
        task.state = None
    elif callable(task.state):
        task.state(task, outcome)
        task.state = False
        waited = True
    else:
        while task.state.peek():
            core._task_queue.push(task.state.pop())
            waited = True
        task.state = False
    if not waited and not isinstance(outcome, (asyncio.CancelledError, StopIteration)):
        core._task_queue.push(task)
    task.data = outcome


core._run_iter = _run_step

# sleep(0) would stay inside one call from JavaScript; this goes round its loop, so that garbage is collected as on a board
_sleep, _sleep_ms = asyncio.sleep, asyncio.sleep_ms


async def _round():
    _turn.clear()
    host.turn()
    await _turn.wait()


_blocking = []
asyncio.sleep = lambda t: _sleep(t) if t > 0 or _blocking else _round()
asyncio.sleep_ms = lambda t: _sleep_ms(t) if t > 0 or _blocking else _round()
asyncio.start_server = _start_server
asyncio.open_connection = _open_connection

_started = []


async def _top(coro):
    try:
        await coro
    except SystemExit as e:
        host.exit(_status(e))
    except BaseException as e:
        _spare.clear()
        sys.print_exception(e)
        host.exit(1)
    else:
        host.exit(0)


def _status(e):
    code = e.args[0] if e.args else 0
    return 0 if code is None else code if isinstance(code, int) else 1


def _run(coro):
    _started.append(asyncio.create_task(_top(coro)))  # ends the process when coro ends: nothing may follow asyncio.run


asyncio.run = _run


def _run_blocking(coro):
    """asyncio.run as elsewhere, that is: it returns when coro has.  JavaScript does not run meanwhile, so there are no sockets and no
    collection of garbage; for tests."""

    async def top():
        try:
            outcome.append((await coro, None))
        except BaseException as e:
            outcome.append((None, e))

    outcome = []
    caller = core.cur_task
    _blocking.append(1)
    asyncio.create_task(top())
    while not outcome:
        core._run_iter()
        if not outcome:
            task = core._task_queue.peek()
            if not task:
                outcome.append((None, RuntimeError("asyncio.run: everything waits, for nothing that could happen")))
            elif time.ticks_diff(task.ph_key, time.ticks_ms()) > 0:
                time.sleep_ms(1)
    _blocking.pop()
    core.cur_task = caller
    if outcome[0][1]:
        raise outcome[0][1]
    return outcome[0][0]


asyncio.run_blocking = _run_blocking


def _exec(path):
    try:
        if path.endswith(".py"):
            with open(path) as f:
                code = compile(f.read(), path, "exec")
            exec(code, {"__name__": "__main__", "__file__": path})
        else:
            __import__(path)
    except SystemExit as e:
        host.exit(_status(e))
    except BaseException as e:
        _spare.clear()
        sys.print_exception(e)
        host.exit(1)
    if not _started and not asyncio.core._task_queue.peek():
        host.exit(0)


class _Core:
    pass


def _install_core(exports, names):
    for name in names.split(" "):
        setattr(_Core, name, getattr(exports, name))
    sys.modules["pwcore"] = _Core


# Ask for a collection after every 4 KiB: it is made when the call from JavaScript returns, while a heap that is full raises at once.
gc.threshold(4096)
_mem_alloc = gc.mem_alloc
