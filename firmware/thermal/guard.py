"""Thermal guard: what makes the machine stop.  Cannot be switched off, and knows nothing of targets or jobs.

Now: open and shorted sensors, temperatures outside of min_c and max_c.  The checks that need a model of the part (heats too
slowly, falls below its target, rises without power, reading frozen) have their place in check(), with the duty that they need.
"""

from firmware.thermal.errors import Fault

# Bad readings in a row (100 ms each) before the machine stops: one spike on a wire is no fire.  The heater is off from the first.
BAD_READINGS = 5


class Guard:
    """Watches one heater.  data: its entry in the machine description."""

    def __init__(self, name, data):
        self._name = name
        self._min_c = data["min_c"]
        self._max_c = data["max_c"]
        self._bad = 0

    def check(self, current_c, problem):
        """One reading: current_c, or None and the problem ("open", "short").

        Returns (believable, fault): heat only when believable; fault is None or why the machine has to stop.
        """
        limit_c = None
        kind = problem
        if kind is None and current_c > self._max_c:
            kind = "max"
            limit_c = self._max_c
        elif kind is None and current_c < self._min_c:
            kind = "min"
            limit_c = self._min_c
        if kind is None:
            self._bad = 0
            return True, None
        self._bad += 1
        if self._bad < BAD_READINGS:
            return False, None
        return False, Fault(self._name, kind, current_c, limit_c)
