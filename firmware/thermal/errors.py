"""Errors and faults of the heating."""


class ThermalError(Exception):
    """A target that the machine does not allow, or a heater that it does not have."""


class SensorFault(Exception):
    """A reading that no working sensor gives; kind is "open" or "short"."""

    def __init__(self, kind):
        super().__init__(kind)
        self.kind = kind


# How a fault is told to people.
_TEXTS = {
    "open": "temperature sensor is open (broken wire)",
    "short": "temperature sensor is shorted",
    "max": "is hotter than allowed",
    "min": "is colder than allowed",
}


class Fault:
    """Why the machine has to stop: heater `name`, `kind` ("open", "short", "max", "min"), `value_c` and `limit_c` or None."""

    def __init__(self, name, kind, value_c, limit_c=None):
        self.name = name
        self.kind = kind
        self.value_c = value_c
        self.limit_c = limit_c

    def text(self):
        """One line for job and printer state messages."""
        line = "%s %s" % (self.name, _TEXTS[self.kind])
        if self.limit_c is not None:
            line += ": %.1f degC, limit %.1f degC" % (self.value_c, self.limit_c)
        return line
