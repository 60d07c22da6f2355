"""What an operator may change while a job prints: speed, flow, and how far the nozzle is from the bed.

Each holds for the job in work, from the next move that is fed on: what is planned already is not planned anew.  The step stream stays a
function of the document and of these, at their places.
"""

from hal.compat import const

SPEED_PERCENT = (10, 300)  # lowest, highest
FLOW_PERCENT = (50, 150)
BABY_UM = (-2000, 2000)
_USUAL = const(100)


class OverrideError(ValueError):
    """A value out of range; the message is a sentence for people."""


class Overrides:
    """core: hal.stepcore.StepCore.  `speed_percent`, `flow_percent`: 100 is what the document says; `baby_um`: added to its z."""

    def __init__(self, core):
        self._core = core
        self.reset()

    def reset(self):
        """A job begins."""
        self.speed_percent = self.flow_percent = _USUAL
        self.baby_um = 0

    def set_speed(self, percent):
        """10 to 300, a whole number; OverrideError.  No limit of the machine is passed."""
        self.speed_percent = _within("speed", "%", percent, SPEED_PERCENT)
        self.apply()

    def set_flow(self, percent):
        """50 to 150, a whole number; OverrideError.  Filament drawn back by G10 is not scaled, by E it is."""
        self.flow_percent = _within("flow", "%", percent, FLOW_PERCENT)
        self.apply()

    def set_baby(self, um):
        """So much in all is added to the document's z, -2000 to 2000; OverrideError.  Never leads out of the travel limits."""
        self.baby_um = _within("baby step", " um", um, BABY_UM)
        self.apply()

    def apply(self):
        """Tells the core, which forgets them with each document."""
        self._core.override(self.speed_percent * 10, self.flow_percent * 10)
        self._core.baby_step(self.baby_um * 1000)


def _within(what, unit, value, limits):
    if not isinstance(value, int) or not limits[0] <= value <= limits[1]:
        raise OverrideError("%s: a whole number from %d to %d%s expected, not %s" % (what, limits[0], limits[1], unit, value))
    return value
