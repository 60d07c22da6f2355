"""Faults to order: `KIND[:PART][=VALUE][@SECONDS]`, as given to the simulator's --fault.  Parsing and timing; effects are elsewhere."""

from hal.api import HEATERS
from hal.errors import ConfigError

_HEATERS = HEATERS
_AXES = ("x", "y", "z")
_STALL_MS_MAX = 60000

# kind -> (parts, default part, what VALUE is: None, "open|closed" or (unit, low, high, default), sentence)
KINDS = {
    "sensor-open": (_HEATERS, "nozzle", None, "the thermistor's wire is broken"),
    "sensor-short": (_HEATERS, "nozzle", None, "the thermistor is shorted"),
    "sensor-stuck": (_HEATERS, "nozzle", ("degC", -40, 500, None), "the reading never changes; without a value it stays as it is"),
    "heater-dead": (_HEATERS, "nozzle", None, "the heater stays cold"),
    "heater-stuck-on": (_HEATERS, "nozzle", None, "the heater's switch is shorted: full power, whatever the board says"),
    "fan-dead": (("part", "hotend"), "part", None, "the fan stands still"),
    "endstop-stuck": (_AXES + ("probe",), "x", "open|closed", "the switch stays open or closed"),
    "stall": ((), None, ("ms", 1, _STALL_MS_MAX, None), "machine time passes while the firmware does not run"),
    "flash-fail": ((), None, ("operation", 0, 1000000000, 0), "flash fails, after so many more operations that work"),
    "disk-full": ((), None, None, "no room for documents"),
}


class Fault:
    """kind, part (or None), value (number, text or None), at_ms (machine time from which on it holds), on (bool)."""

    def __init__(self, kind, part, value, at_ms):
        self.kind = kind
        self.part = part
        self.value = value
        self.at_ms = at_ms
        self.on = False

    def use_up(self):
        """One less of a number; returns what is left."""
        self.value -= 1
        return self.value

    def take(self):
        """For what happens once: its number, whole; the fault is over."""
        self.kind += ", done"
        return int(self.value)


def _bad(spec, problem):
    raise ConfigError("--fault " + spec, problem)


def _number(spec, text, what, low, high):
    try:
        value = float(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        _bad(spec, "%s from %s to %s expected, not %r" % (what, low, high, text))
    return value


def parse(spec):
    """A Fault from its text.  Raises ConfigError that says what is allowed."""
    rest = spec
    at_ms = 0
    value = part = None
    if "@" in rest:
        rest, text = rest.split("@", 1)
        at_ms = int(1000 * _number(spec, text, "seconds", 0, 1000000))
    if "=" in rest:
        rest, value = rest.split("=", 1)
    if ":" in rest:
        rest, part = rest.split(":", 1)
    if rest not in KINDS:
        _bad(spec, "no kind %r; there are: %s; form: KIND[:PART][=VALUE][@SECONDS]" % (rest, ", ".join(sorted(KINDS))))
    parts, usual, form, _ = KINDS[rest]
    if part is None:
        part = usual
    elif part not in parts:
        _bad(spec, ("%s has no part" % rest) if not parts else "part %r; there are: %s" % (part, ", ".join(parts)))
    if form is None:
        if value is not None:
            _bad(spec, "%s takes no value" % rest)
    elif form == "open|closed":
        if value not in ("open", "closed"):
            _bad(spec, "%s needs =open or =closed" % rest)
    elif value is not None:
        value = _number(spec, value, form[0], form[1], form[2])
    elif form[3] is not None:
        value = form[3]
    elif rest == "stall":
        _bad(spec, "stall needs a time, as stall=500 (ms)")
    return Fault(rest, part, value, at_ms)


class Faults:
    """The faults ordered for one machine.  poll(now_ms) switches on those that are due."""

    def __init__(self, specs=()):
        self._all = [parse(spec) if isinstance(spec, str) else spec for spec in specs]

    def add(self, spec):
        """One more, while the machine runs (tests)."""
        fault = parse(spec)
        self._all.append(fault)
        return fault

    def poll(self, now_ms):
        """List of faults that have come up since the last call."""
        fresh = []
        for fault in self._all:
            if not fault.on and now_ms >= fault.at_ms:
                fault.on = True
                fresh.append(fault)
        return fresh

    def find(self, kind, part=None):
        """The fault that holds now, or None."""
        for fault in self._all:
            if fault.on and fault.kind == kind and fault.part == part:
                return fault
        return None

    def drop(self, kind, part=None):
        """Ends a fault that holds; its cause is repaired."""
        self._all = [fault for fault in self._all if not (fault.on and fault.kind == kind and fault.part == part)]

    def parts(self):
        """[(kind, part)] of all, for a check against the machine."""
        return [(fault.kind, fault.part) for fault in self._all]
