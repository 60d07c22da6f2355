"""The motion core as one class, over three backends that are chosen once, at import.

* cffi (CPython): native._printwright.
* user module (MicroPython on a board): `printwright`.
* WebAssembly (MicroPython in Node): JavaScript module `pwcore`, the core's exports in the interpreter's own memory.

Only integers and buffers cross: text goes as (buffer, start, end) without being copied, records come back in arrays of 64-bit
integers that are made once.  A call allocates nothing that lives on.

Memory: core and port live in blocks that the backend has outside the heap, or else in bytearrays, which on MicroPython count against
its heap (`StepCore.memory_bytes` says how much): then make the StepCore early, while the heap is in one piece.

Not here: playing in time (hal/stepport), steps for digests and files (hal/stepsink), what a command means (firmware/gcode).
"""

import sys
from array import array

from hal.errors import ConfigError, HalError

if sys.implementation.name == "micropython":
    import uctypes

    try:
        import printwright as lib

        BACKEND = "user module"
    except ImportError:
        import pwcore as lib

        BACKEND = "wasm"

    def block(size):
        """Memory for an object of the core: the backend's own, which is never given back, or when that is used up the heap's."""
        place = lib.pw_block(size) if hasattr(lib, "pw_block") else 0
        return uctypes.bytearray_at(place, size) if place else bytearray(size)

    at = uctypes.addressof
    NULL = 0

    def ref(buf, ctype):
        return uctypes.addressof(buf)

    out = ref

    def handle(buf, ctype):
        return buf[0]

    def text(pointer):
        if not pointer:
            return None
        raw = uctypes.bytearray_at(pointer, 48)
        return str(raw[: raw.find(b"\0")], "ascii")

else:
    from native._printwright import ffi as _ffi
    from native._printwright import lib as _cffi_lib

    lib = _cffi_lib

    def at(buf):
        """Address of a buffer's first byte, as the backend's calls want it; the caller keeps the buffer alive."""
        return _ffi.cast("char *", _ffi.from_buffer(buf))

    def ref(buf, ctype):
        """The same for a record or an object of a C type."""
        return _ffi.cast(ctype + " *", _ffi.from_buffer(buf))

    def out(buf, ctype):
        """The same for a place that receives a pointer to a C type."""
        return _ffi.cast(ctype + " **", _ffi.from_buffer(buf))

    def handle(buf, ctype):
        """The pointer received there."""
        return _ffi.cast(ctype + " *", buf[0])

    def text(pointer):
        """A C string, or None for a null pointer."""
        return _ffi.string(pointer).decode() if pointer else None

    block = bytearray  # memory for an object of the core
    NULL = _ffi.NULL

    BACKEND = "cffi"


# The enums of native/include/printwright.h; tests/hal/test_stepcore.py compares them with the header.
PW_ABI = 2
PW_MOTORS = 8
PW_EXTRUDERS = 5
PW_OK = 0
PW_E_ARG = -1
PW_E_CONFIG = -2
PW_E_MEMORY = -3
PW_E_STATE = -4
PW_E_FULL = -5
PW_E_FEATURE = -6
PW_E_SYNTAX = -20
PW_E_NUMBER = -21
PW_E_LINE_LENGTH = -22
PW_E_CHECKSUM = -23
PW_E_RETRACT = -24
PW_E_VOLUME = -25
PW_E_NO_FEEDRATE = -26
PW_E_FEEDRATE = -27
PW_E_EXTRUSION = -28
PW_E_ARC = -29
PW_E_OFFSET = -31
PW_E_DWELL = -32
PW_E_VALUE = -33
PW_E_DIALECT = -34
PW_E_TOOL = -35
PW_E_REACH = -36
PW_E_MESH = -37
PW_E_REPEATED = -38
PW_E_WORD = -39
PW_E_COLD = -40
PW_E_ASSERT = -90
PW_CARTESIAN = 0
PW_COREXY = 1
PW_COREXZ = 2
PW_LINEAR = 3
PW_DELTA = 4
PW_MESH_BILINEAR = 0
PW_MESH_BICUBIC = 1
PW_SHAPER_NONE = 0
PW_ZV = 1
PW_ZVD = 2
PW_MZV = 3
PW_EI = 4
PW_2HUMP_EI = 5
PW_3HUMP_EI = 6
PW_FEED = 0
PW_SCAN = 1
PW_GCODE = 0
PW_SAFE_GCODE = 1
PW_EV_NONE = 0
PW_EV_FULL = 1
PW_EV_COMMAND = 2
PW_EV_LAYER = 3
PW_EV_ERROR = 4
PW_EV_END = 5

_VALUE = 8  # index of value[0] in struct pw_event
_EVENT_WORDS = 34
_STATUS_WORDS = 30


class CoreError(HalError):
    """A call that the core refused: `code` is one of PW_E_*, `name` its name."""

    def __init__(self, code):
        self.name = text(lib.pw_err_name(code))
        super().__init__("%s (%d)" % (self.name, code))
        self.code = code


def checked(result):
    """The result of a call, or CoreError when it is negative."""
    if result < 0:
        raise CoreError(result)
    return result


def _word(index):
    return property(lambda self: self.raw[index])


class Event:
    """What ended the last scan or feed.  One object, filled anew by each call.

    `kind` is PW_EV_*; `code`, `line`, `column` belong to PW_EV_ERROR; `letter` ("M"), `number`, `sub` to a command; `words` has
    bit n set for letter 'A' + n.
    """

    def __init__(self):
        self.raw = array("q", bytes(8 * _EVENT_WORDS))

    kind = _word(0)
    code = _word(1)
    number = _word(3)
    sub = _word(4)
    line = _word(5)
    column = _word(6)
    words = _word(7)

    @property
    def letter(self):
        """The command's letter; "" when the event is no command."""
        return chr(self.raw[2]) if self.raw[2] else ""

    @property
    def name(self):
        """The error's name, as PW_E_VOLUME."""
        return text(lib.pw_err_name(self.raw[1]))

    def value(self, letter):
        """The number after a letter in millionths, or None when the command has no such word."""
        index = ord(letter) - 65
        if not (self.raw[7] >> index) & 1:
            return None
        return self.raw[_VALUE + index]


class Status:
    """struct pw_status, read by StepCore.status().  One object, filled anew by each call."""

    def __init__(self):
        self.raw = array("q", bytes(8 * _STATUS_WORDS))

    state = _word(0)
    error = _word(1)
    line = _word(2)
    moves = _word(3)
    segments = _word(4)
    planned_tick = _word(5)
    final_tick = _word(6)
    tool = _word(11)
    ignored = _word(20)
    idle = _word(21)

    def position_nm(self, axis):
        """Target of the last motion taken, in nm; axis 0 to 3 is x y z e."""
        return self.raw[7 + axis]

    def count(self, motor):
        """Steps of the motor in the runs made so far."""
        return self.raw[12 + motor]


def config_fields(name_of):
    """[(name, length)] of a struct of int32_t, from a function index -> name or None; "max_um[1]" belongs to ("max_um", 3)."""
    fields = []
    index = 0
    while True:
        name = text(name_of(index))
        if name is None:
            return fields
        name = name.split("[")[0]
        if fields and fields[-1][0] == name:
            fields[-1] = (name, fields[-1][1] + 1)
        else:
            fields.append((name, 1))
        index += 1


def config_array(name_of, config, defaults):
    """The struct as array('i') in the header's order.

    config: name -> int, or a list of ints for an array field.  defaults: the same, for what config may leave out.  Raises
    ConfigError naming an unknown key, a missing one, or one with a wrong value.
    """
    words = array("i")
    known = set()
    for name, length in config_fields(name_of):
        known.add(name)
        value = config.get(name, defaults.get(name))
        if value is None:
            raise ConfigError(name, "missing")
        values = value if isinstance(value, (list, tuple)) else (value,)
        if len(values) != length:
            raise ConfigError(name, "%d values expected, not %d" % (length, len(values)))
        for number in values:
            if not isinstance(number, int) or not -0x80000000 <= number <= 0x7FFFFFFF:
                raise ConfigError(name, "a 32-bit integer expected, not %r" % (number,))
            words.append(number)
    for name in sorted(config):
        if name not in known:
            raise ConfigError(name, "unknown")
    return words


def field_at(name_of, index):
    """Name of the field that the core refused."""
    return text(name_of(index)) if index >= 0 else "?"


class StepCore:
    """G-code bytes in, runs of steps out (native/include/printwright.h).

    config: the fields of struct pw_config by name (`abi` may be left out).  port_config: the fields of struct pw_host_config
    that differ from their defaults; the port is made when `port` is first used.  Raises ConfigError naming a bad field.
    """

    def __init__(self, config, port_config=None):
        words = config_array(lib.pw_config_field, config, {"abi": PW_ABI})
        self.config_words = words
        self.event = Event()
        self._status = Status()
        self._port_config = port_config or {}
        self._port = None
        size = lib.pw_core_size(ref(words, "struct pw_config"))
        self._memory = block(size if size else 8)
        where = array("q", (0,))
        bad = array("i", (-1,))
        result = lib.pw_init(
            ref(self._memory, "void"), len(self._memory), ref(words, "struct pw_config"), out(where, "struct pw_core"), ref(bad, "int32_t")
        )
        if result in (PW_E_CONFIG, PW_E_FEATURE):
            why = "out of range" if result == PW_E_CONFIG else "not in this build of the motion core"
            raise ConfigError(field_at(lib.pw_config_field, bad[0]), why)
        checked(result)
        self.tick_hz = config["tick_hz"]
        self.motors = config["motors"]
        self.core = handle(where, "struct pw_core")
        self._event_at = ref(self.event.raw, "struct pw_event")
        self._status_at = ref(self._status.raw, "struct pw_status")

    @property
    def memory_bytes(self):
        """Bytes of the core's block (the port's own are in port.memory_bytes)."""
        return len(self._memory)

    @property
    def port(self):
        """The host port (hal/stepport.HostPort), made on first use."""
        if self._port is None:
            from hal.stepport import HostPort

            self._port = HostPort(self, self._port_config)
        return self._port

    def begin(self, mode=PW_FEED, dialect=PW_GCODE):
        """A new document; for PW_FEED also plan tick 0, home position, empty queues in the port."""
        checked(lib.pw_begin(self.core, mode, dialect))
        if mode == PW_FEED and self._port is not None:
            self._port.begin()

    def scan(self, buf, start, end):
        """Checks buf[start:end] without planning; returns the bytes taken, `event` says what ended it."""
        return checked(lib.pw_scan(self.core, at(buf) + start, end - start, self._event_at))

    def scan_cold(self, tools):
        """From here on in the scan the tools (bit n: Tn) must not push filament: PW_E_COLD."""
        checked(lib.pw_scan_cold(self.core, tools))

    def skip(self, on):
        """The document's moves are left out, or made again, from the next line fed on."""
        checked(lib.pw_skip(self.core, on))

    def feed(self, buf, start, end):
        """Takes G-code from buf[start:end]; returns the bytes taken, `event` says what ended it."""
        if self._port is not None:
            self._port.open(True)
        return checked(lib.pw_feed(self.core, at(buf) + start, end - start, self._event_at))

    def end_document(self):
        """The text has ended: call again until `event` is PW_EV_END (or an error).  Returns 0."""
        result = checked(lib.pw_end(self.core, self._event_at))
        if self._port is not None and self.event.kind == PW_EV_END:
            self._port.open(False)
        return result

    def mark(self, mark_id):
        """Puts a mark behind the motion fed so far; False when the queue is full (run, then try again)."""
        return self._queued(lib.pw_mark(self.core, mark_id))

    def flush(self):
        """Ends look-ahead: the motion fed so far will end in a stop; False when the queue is full."""
        done = self._queued(lib.pw_flush(self.core))
        if done and self._port is not None:
            self._port.open(False)
        return done

    def _queued(self, result):
        if result == PW_E_FULL:
            return False
        checked(result)
        return True

    def run(self, budget=64):
        """Lets the core plan and fill its rings; returns the work done, 0 when nothing is to be done.  The port does this itself."""
        return checked(lib.pw_run(self.core, budget))

    def override(self, speed_permille, flow_permille):
        """Speed and flow from the next move fed on."""
        checked(lib.pw_override(self.core, speed_permille, flow_permille))

    def mesh(self, words=None, heights_nm=None):
        """Takes a mesh, heights row by row along x, or none: between documents, or in one that stands at home with nothing queued.

        words: kind, nx, ny, x_um, y_um, spacing_x_um, spacing_y_um, fade_from_um, fade_to_um.  CoreError; then nothing has changed.
        """
        shape, heights = array("i", words or (0,)), array("i", heights_nm or (0,))
        if words and len(heights) != words[1] * words[2]:
            raise ConfigError("mesh", "%d heights expected, not %d" % (words[1] * words[2], len(heights)))
        checked(lib.pw_mesh(self.core, ref(shape, "struct pw_mesh") if words else NULL, ref(heights, "int32_t") if words else NULL))

    def mesh_lift_nm(self, place_nm):
        """What the mesh adds to z at a place [x, y, z] of the program, in nm."""
        place, lift = array("q", place_nm), array("q", (0,))
        checked(lib.pw_mesh_lift_at(self.core, ref(place, "int64_t"), ref(lift, "int64_t")))
        return lift[0]

    def counts_at(self, place_nm):
        """Counts [3] of the axis motors where the machine stands at [x, y, z], rounded to whole steps; CoreError out of reach."""
        place, counts = array("q", place_nm), array("q", (0, 0, 0))
        checked(lib.pw_counts_at(self.core, ref(place, "int64_t"), ref(counts, "int64_t")))
        return list(counts)

    def place_at(self, counts):
        """[x, y, z] in nm where the machine stands with these counts [3], or None: there is no such place."""
        known, place = array("q", counts), array("q", (0, 0, 0))
        result = lib.pw_place_at(self.core, ref(known, "int64_t"), ref(place, "int64_t"))
        if result == PW_E_REACH:
            return None
        checked(result)
        return list(place)

    def baby_step(self, z_nm):
        """The document's z moves by so much in all, at most 2,000,000 nm either way, from the next move fed on."""
        checked(lib.pw_baby_step(self.core, z_nm))

    def enter(self):
        """Second context: homing, probing, jog, parking.  The port's motion must stand (idle, or held at rate 0)."""
        if self._port is not None:
            self._port.enter()
        result = lib.pw_enter(self.core)
        if result < 0 and self._port is not None:
            self._port.leave()
        checked(result)

    def leave(self):
        """Back to the main context; what the second one had queued is dropped."""
        checked(lib.pw_leave(self.core))
        if self._port is not None:
            self._port.leave()

    def status(self):
        """Reads the core's state into one reusable Status."""
        checked(lib.pw_status(self.core, self._status_at))
        return self._status
