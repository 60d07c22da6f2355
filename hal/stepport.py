"""The host port: the simulator's pulse hardware on a virtual machine clock (native/include/printwright_port.h).

Time passes only in advance().  Plan ticks count the motion, machine ticks count the machine's time; both have the core's
tick_hz.  A board's pulse hardware is another port; firmware sees only what hal/api promises.
"""

from array import array

from hal.errors import ConfigError
from hal.stepcore import (
    PW_E_CONFIG,
    PW_MOTORS,
    block,
    checked,
    config_array,
    config_fields,
    field_at,
    handle,
    lib,
    out,
    ref,
)

# The enums of native/include/printwright_port.h; tests/hal/test_stepcore.py compares them with the header.
PW_HOST_ABI = 2
PW_INPUTS = 8
PW_HEATERS = 8
PW_HOST_DONE = 0
PW_HOST_IDLE = 1
PW_HOST_STARVED = 2
PW_HOST_HELD = 3
PW_HOST_GATE = 4
PW_HOST_TAP = 5
PW_HOST_MARKS = 6
PW_HOST_FAULT = 7
PW_FAULT_NONE = 0
PW_FAULT_ORDER = 1
PW_FAULT_LATE = 2
PW_FAULT_CORE = 3
PW_FAULT_ASKED = 4
PW_LATCH_STOP = 1
PW_LATCH_LEASE = 2
PW_INPUT_OFF = 0
PW_INPUT_LIVE = 1
PW_INPUT_OPEN = 2
PW_INPUT_CLOSED = 3
PW_ADVANCE_WAIT = 1

_STATUS_WORDS = 45
_MARKS = 16  # fetched by one call


def _word(index):
    return property(lambda self: self.raw[index])


class PortStatus:
    """struct pw_host_status, read by HostPort.status().  One object, filled anew by each call."""

    def __init__(self):
        self.raw = array("q", bytes(8 * _STATUS_WORDS))

    machine_tick = _word(0)
    played_tick = _word(1)
    consumed = _word(2)
    rate_q32 = _word(3)
    target_q32 = _word(4)
    side = _word(5)
    fault = _word(6)
    latched = _word(7)
    expired = _word(8)
    starvations = _word(9)
    hard_stops = _word(10)
    marks_fired = _word(11)
    triggered = _word(12)

    def count(self, motor):
        """Machine position of the motor in steps."""
        return self.raw[13 + motor]

    def physical(self, motor):
        """Where the carriage really is, in steps of the motor (the simulator's own knowledge)."""
        return self.raw[21 + motor]

    def trigger_count(self, motor):
        """Count just after the step that triggered the motor's gate, or None while it has not triggered."""
        return self.raw[29 + motor] if (self.raw[12] >> motor) & 1 else None

    def pulses(self, motor):
        """Steps of the motor made so far, in both directions."""
        return self.raw[37 + motor]


class HostPort:
    """Made by StepCore.port.  Calls raise CoreError on a number out of range or at the wrong time."""

    def __init__(self, core, config):
        defaults = {name: 0 for name, _ in config_fields(lib.pw_host_config_field)}
        defaults["abi"] = PW_HOST_ABI
        defaults["motors"] = core.motors
        words = config_array(lib.pw_host_config_field, config, defaults)
        words_at = ref(words, "struct pw_host_config")
        size = lib.pw_host_size(words_at)
        self._core = core  # the C object points into its memory
        self._memory = block(size if size else 8)
        where = array("q", (0,))
        bad = array("i", (-1,))
        result = lib.pw_host_init(
            ref(self._memory, "void"),
            len(self._memory),
            ref(core.config_words, "struct pw_config"),
            words_at,
            core.core,
            out(where, "struct pw_host"),
            ref(bad, "int32_t"),
        )
        if result == PW_E_CONFIG:
            raise ConfigError(field_at(lib.pw_host_config_field, bad[0]), "out of range")
        checked(result)
        self.host = handle(where, "struct pw_host")
        self._status = PortStatus()
        self._status_at = ref(self._status.raw, "struct pw_host_status")
        self._marks = array("Q", bytes(16 * _MARKS))
        self._marks_at = ref(self._marks, "struct pw_markrec")
        self._wide = array("q", (0,))
        self._wide_at = ref(self._wide, "int64_t")
        self._open = False
        self._main_open = False

    @property
    def memory_bytes(self):
        """Bytes of the port's block."""
        return len(self._memory)

    # -- contexts; called by StepCore, which keeps core and port in step

    def begin(self):
        checked(lib.pw_host_begin(self.host))
        self._open = self._main_open = False

    def enter(self):
        checked(lib.pw_host_enter(self.host))
        self._main_open = self._open
        self._open = False

    def leave(self):
        checked(lib.pw_host_leave(self.host))
        self._open = self._main_open

    def open(self, more):
        """more: text is still to come, so the motion queued may not end in a stop."""
        if more != self._open:
            checked(lib.pw_host_open(self.host, 1 if more else 0))
            self._open = more

    # -- time

    def advance(self, ticks, wait=False):
        """Plays at most `ticks` of machine time; returns the PW_HOST_* reason that held at the end.

        wait: let all of the time pass although motion is idle, held or starved.  status().consumed says how much did.
        """
        return checked(lib.pw_host_advance(self.host, ticks, PW_ADVANCE_WAIT if wait else 0))

    def status(self):
        """Reads the port's state into one reusable PortStatus."""
        checked(lib.pw_host_status(self.host, self._status_at))
        return self._status

    def played(self):
        """Plan tick played in the context in force."""
        return self.status().played_tick

    def marks(self):
        """Marks that were played since the last call: list of (id, plan tick), oldest first."""
        fired = []
        while True:
            got = checked(lib.pw_host_marks(self.host, self._marks_at, _MARKS))
            for i in range(got):
                fired.append((self._marks[2 * i + 1] & 0xFFFFFFFF, self._marks[2 * i]))
            if got < _MARKS:
                return fired

    def set_rate(self, permille):
        """Target of the warp: machine time runs plan time at permille/1000, reached with a limited slope."""
        checked(lib.pw_host_set_rate(self.host, permille))

    def hold(self):
        """Slows to a standstill on the path."""
        self.set_rate(0)

    def resume(self):
        """Back to full rate; CoreError PW_E_STATE after a quick stop, a fault or an expired lease."""
        self.set_rate(1000)

    def quick_stop(self):
        """As hold, for good: this context moves no more."""
        checked(lib.pw_host_quick_stop(self.host))

    def fault(self):
        """Stops at once, heaters off, until the machine is made anew."""
        checked(lib.pw_host_fault(self.host))

    def clear(self):
        """Forgets expired leases; motion goes on with resume()."""
        checked(lib.pw_host_clear(self.host))

    # -- position, switches, gates

    def set_count(self, motor, count):
        """The motor stands at `count` steps, by definition (homing)."""
        checked(lib.pw_host_set_count(self.host, motor, count))

    def place(self, motor, physical):
        """The simulator puts the carriage somewhere."""
        checked(lib.pw_host_place(self.host, motor, physical))

    def input(self, index, mode, k=(), threshold=0):
        """A simulated switch: closed where sum(k[m] * physical[m]) >= threshold, the factors left out being 0; mode PW_INPUT_*."""
        factors = array("i", tuple(k) + (0,) * (PW_MOTORS - len(k)))
        if len(factors) != PW_MOTORS:
            raise ValueError("at most %d factors" % PW_MOTORS)
        checked(lib.pw_host_input(self.host, index, mode, ref(factors, "int32_t"), threshold))

    def input_state(self, index):
        """1 while the switch is closed."""
        return checked(lib.pw_host_input_state(self.host, index))

    def gate(self, motor, index):
        """In the second context: from the step that closes switch `index` on, the motor's steps are discarded; None: no gate."""
        checked(lib.pw_host_gate(self.host, motor, -1 if index is None else index))

    # -- heaters

    def heater(self, index, duty_permille):
        """Sets a heater's duty and renews its lease; CoreError PW_E_STATE after a fault or while its lease counts as expired."""
        checked(lib.pw_host_heater(self.host, index, duty_permille))

    def renew(self, index):
        """Renews the lease of a heater."""
        checked(lib.pw_host_renew(self.host, index))

    def output(self, index):
        """Duty on the heater's pin now, permille."""
        return checked(lib.pw_host_output(self.host, index))

    def energy(self, index):
        """Sum of duty * machine ticks since the start, in permille ticks: what heated the plant."""
        checked(lib.pw_host_energy(self.host, index, self._wide_at))
        return self._wide[0]

    # -- tap

    def tap(self, on):
        """Keeps played runs of the main context for stepsink.Sink.drain_port(); switched only while nothing is queued."""
        checked(lib.pw_host_tap(self.host, 1 if on else 0))
