"""Steps out of core or port: digests (design.md section 6, Digest) and the arrays of a step file.

C fills plain buffers, Python only hashes or writes them: nothing here is done once a step.
"""

from array import array

from hal.compat import sha256
from hal.stepcore import checked, handle, lib, out, ref

_STATUS_WORDS = 33


class Sink:
    """Takes every step of the main motion, in order, from one of two sources: drain_core() or drain_port().

    core: StepCore.  pack_bytes: size of each motor's buffer of digest bytes, a multiple of 4 and at least 16 (0: none).
    record_steps: entries of each motor's `ticks` and `dirs` (0: none).  With neither, steps are only counted.
    A sink belongs to one document; make a new one for the next.
    """

    def __init__(self, core, pack_bytes=65536, record_steps=0):
        self._core = core
        self._memory = bytearray(lib.pw_sink_size())
        where = array("q", (0,))
        checked(lib.pw_sink_init(ref(self._memory, "void"), len(self._memory), out(where, "struct pw_sink")))
        self._sink = handle(where, "struct pw_sink")
        self._raw = array("q", bytes(8 * _STATUS_WORDS))
        self._raw_at = ref(self._raw, "struct pw_sink_status")
        self._pack = [memoryview(bytearray(pack_bytes)) for _ in range(core.motors)]
        self._ticks = [memoryview(bytearray(8 * record_steps)) for _ in range(core.motors)]
        self._dirs = [memoryview(bytearray(record_steps)) for _ in range(core.motors)]
        nothing = handle(array("q", (0,)), "int64_t")
        no_bytes = handle(array("q", (0,)), "uint8_t")
        no_dirs = handle(array("q", (0,)), "int8_t")
        for motor in range(core.motors):
            pack_at = ref(self._pack[motor], "uint8_t") if pack_bytes else no_bytes
            ticks_at = ref(self._ticks[motor], "int64_t") if record_steps else nothing
            dirs_at = ref(self._dirs[motor], "int8_t") if record_steps else no_dirs
            checked(lib.pw_sink_buffers(self._sink, motor, pack_at, pack_bytes, ticks_at, dirs_at, record_steps))

    def drain_core(self, budget=64):
        """Runs the core dry, without any port; budget 0: takes what its rings hold.

        True: a buffer is full, use the buffers and call again.
        """
        return checked(lib.pw_sink_core(self._sink, self._core.core, budget, self._raw_at)) == 1

    def drain_port(self):
        """Takes what the port has played since the last call (its tap must be on).  True as for drain_core."""
        return checked(lib.pw_sink_host(self._sink, self._core.port.host, self._raw_at)) == 1

    def pack(self, motor):
        """Digest bytes of the last drain; valid until the next."""
        return self._pack[motor][: self._raw[motor]]

    def ticks(self, motor):
        """Plan ticks of the last drain, little-endian int64 (step file); valid until the next."""
        return self._ticks[motor][: 8 * self._raw[8 + motor]]

    def dirs(self, motor):
        """Directions that belong to ticks(), int8."""
        return self._dirs[motor][: self._raw[8 + motor]]

    def steps(self, motor):
        """Steps taken since the sink was made."""
        return self._raw[16 + motor]

    def last_tick(self, motor):
        """Plan tick of the last step taken."""
        return self._raw[24 + motor]

    @property
    def marks(self):
        """Marks that drain_core() passed by."""
        return self._raw[32]


class StreamDigest:
    """SHA-256 over the motors' SHA-256s.  Call update(sink) after every drain."""

    def __init__(self, motors):
        self._motors = [sha256() for _ in range(motors)]

    def update(self, sink):
        """Hashes what the last drain packed."""
        for motor in range(len(self._motors)):
            packed = sink.pack(motor)
            if len(packed):
                self._motors[motor].update(packed)

    def digest(self):
        """32 bytes; once only."""
        whole = sha256()
        for motor in self._motors:
            whole.update(motor.digest())
        return whole.digest()


def pack_ticks(ticks, dirs, count, last, packed):
    """Digest bytes of stored steps: `count` of little-endian int64 `ticks` and int8 `dirs` into bytearray `packed` (12 bytes a step).

    last: array("q", (0,)) that carries the last tick from call to call.  Returns the bytes written.
    """
    return checked(
        lib.pw_pack_ticks(ref(ticks, "int64_t"), ref(dirs, "int8_t"), count, ref(last, "int64_t"), ref(packed, "uint8_t"), len(packed))
    )
