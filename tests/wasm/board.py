# A board as a backend of hal/factory, for MicroPython in Node: as thin as one over `machine` would be.  The hardware is JavaScript
# (tests/wasm/hardware.mjs), outside the heap as a board's is.

import os

import uctypes

from hal import api, errors
from hal.api import AXES
from hal.compat import const, print_exception, sleep_ms, start_server, unix_s
from hal.stepcore import StepCore, lib

_LAG_MAX_MS = const(1000)
_FOLDER = "/state/documents/"


class Clock(api.Clock):
    """Machine time passes as fast as it can while a job depends on it, else with the wall clock."""

    def __init__(self):
        self._now_ms = self._base_ms = 0

    def ticks_ms(self):
        return self._now_ms

    def uptime_s(self):
        return lib.hw_wall_ms() // 1000 + 1

    def unix_s(self):
        return unix_s()

    async def wait_ms(self, ms, active):
        if not active:
            behind_ms = lib.hw_wall_ms() - self._base_ms - self._now_ms
            await sleep_ms(max(0, ms - behind_ms))
            ms = max(ms, min(_LAG_MAX_MS, lib.hw_wall_ms() - self._base_ms - self._now_ms))
        self._now_ms = lib.hw_advance(ms)
        if active:
            await sleep_ms(0)
            self._base_ms = lib.hw_wall_ms() - self._now_ms


class Heater(api.Heater):
    def __init__(self, port, index):
        self._port = port
        self._index = index

    def set_duty(self, permille):
        self._port.heater(self._index, permille)

    def duty(self):
        return self._port.output(self._index)


class Adc(api.Adc):
    def __init__(self, index):
        self._index = index

    def read(self):
        return lib.hw_adc(self._index)


class Fan(api.Pwm):
    def __init__(self, cools):
        self._cools = cools
        self._permille = 0

    def set(self, permille):
        self._permille = permille
        if self._cools:
            lib.hw_fan(permille)

    def get(self):
        return self._permille


class Flash(api.Flash):
    def __init__(self, data):
        self.size = data["bytes"]
        self.sector_bytes = data["sector_bytes"]
        self.page_bytes = data["page_bytes"]

    def _inside(self, offset, size):
        if offset < 0 or offset + size > self.size:
            raise api.FlashError("outside of the flash")

    def read_into(self, offset, buf):
        self._inside(offset, len(buf))
        lib.hw_flash_read(offset, uctypes.addressof(buf), len(buf))

    def program(self, offset, data):
        self._inside(offset, len(data))
        if offset % self.page_bytes or len(data) % self.page_bytes or lib.hw_flash_program(offset, uctypes.addressof(data), len(data)):
            raise api.FlashError("against the rules of the flash")

    def erase(self, offset):
        self._inside(offset, self.sector_bytes)
        lib.hw_flash_erase(offset)

    async def sync(self):
        pass


class Writer(api.FileWriter):
    def __init__(self, files, name):
        self._files = files
        self._file = open(_FOLDER + name, "wb", 0)

    def write(self, buf):
        if len(buf) > self._files.free_bytes():
            raise errors.StorageFull("no room")
        self._files.used += len(buf)
        self._file.write(buf)

    def close(self):
        self._file.close()


class Files(api.Files):
    def __init__(self, capacity):
        for folder in ("/state", _FOLDER[:-1]):
            try:
                os.mkdir(folder)
            except OSError:
                pass  # it is there
        self._capacity = capacity
        self.used = sum([self.size(name) for name in self.names()])

    def create(self, name):
        self.remove(name)
        return Writer(self, name)

    def open(self, name):
        try:
            return open(_FOLDER + name, "rb", 0)
        except OSError:
            raise errors.StorageError("no file " + name)

    def size(self, name):
        try:
            return os.stat(_FOLDER + name)[6]
        except OSError:
            return None

    def remove(self, name):
        size = self.size(name)
        if size is None:
            return False
        os.remove(_FOLDER + name)
        self.used -= size
        return True

    def names(self):
        return sorted(os.listdir(_FOLDER))

    def free_bytes(self):
        return max(0, self._capacity - self.used)

    async def sync(self):
        pass


class Net(api.Net):
    port = None

    async def serve(self, handler):
        async def accepted(stream, _):
            stream.abort = stream.close
            try:
                await handler(stream, stream.get_extra_info("peername")[0], False)
            except OSError:
                pass  # the peer is gone
            except Exception as error:
                print_exception(error)
            stream.close()

        self._server = await start_server(accepted, "127.0.0.1", 0)
        self.port = self._server.port

    def close(self):
        self._server.close()


class Trace(api.Trace):
    def begin(self):
        lib.hw_trace_begin()

    def end(self):
        lib.hw_trace_end()


class Board:
    """Calls of hal/factory.build, in its order."""

    def start(self, desc, caps):
        self._desc = desc
        self._caps = caps

    def core(self, config, port_config):
        core = StepCore(config, port_config)
        self._port = core.port
        lib.hw_start(self._port.host)
        return core

    def clock(self):
        return Clock()

    def heater(self, name, data, index):
        return Heater(self._port, index)

    def sensor(self, name, data):
        return Adc(api.HEATERS.index(name))

    def fan(self, name, data):
        return Fan(name == "part")

    def endstop(self, axis, data, index):
        return AXES.index(axis)

    def flash(self):
        return Flash(self._desc["pcb"]["flash"])

    def files(self):
        return Files(self._caps.spool_bytes)

    def net(self):
        return Net()

    def trace(self):
        self._desc = None
        return Trace()

    def identify(self, actions):
        pass

    def close(self):
        self._port.fault()
