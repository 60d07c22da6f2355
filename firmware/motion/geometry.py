"""Where motor counts and places in the machine belong together: counts <-> nanometres, motors of an axis.

Plain integer arithmetic on the machine's data; the core does the same on its own for the motion that it plans.
"""

AXES = ("x", "y", "z")
_UM_NM = 1000


class Geometry:
    """description: the merged machine description (hal.factory.describe).  Motors are in the core's order: x y z e, CoreXY a b z e."""

    def __init__(self, description):
        printer = description["printer"]
        axes = printer["axes"]
        self.corexy = printer["kinematics"] == "corexy"
        # whole steps a metre: 95.522 steps/mm stay exact
        self.steps_m = [whole(axes[axis]["steps_per_mm"] * 1000) for axis in AXES]
        self.home_nm = [_nm(axes[axis]["home_mm"]) for axis in AXES]
        self.min_nm = [_nm(axes[axis]["min_mm"]) for axis in AXES]
        self.max_nm = [_nm(axes[axis]["max_mm"]) for axis in AXES]
        self.endstop_nm = [_nm(axes[axis]["endstop_mm"]) for axis in AXES]

    def counts_at(self, place_nm):
        """Motor counts [3] of a place (x, y, z), rounded to whole steps."""
        x, y, z = place_nm
        if self.corexy:
            x, y = x + y, x - y
        return [self._steps(x, 0), self._steps(y, 1), self._steps(z, 2)]

    def place_at(self, counts):
        """[x, y, z] in nm of motor counts (the first three of them)."""
        a, b, z = [(counts[m] * 1000000000 + self.steps_m[m] // 2) // self.steps_m[m] for m in range(3)]
        if self.corexy:
            return [(a + b) // 2, (a - b) // 2, z]
        return [a, b, z]

    def nm(self, mm):
        """Millimetres of the machine's data in nm."""
        return _nm(mm)

    def motors_of(self, axis):
        """Motors that move when the axis (0 to 2) does."""
        return (0, 1) if self.corexy and axis < 2 else (axis,)

    def _steps(self, nm, motor):
        return (nm * self.steps_m[motor] + 500000000) // 1000000000


def whole(number):
    """The nearest integer; halves away from 0."""
    return int(number + 0.5) if number >= 0 else -int(0.5 - number)


def _nm(mm):
    # through whole micrometres: floats are single precision on most boards
    return whole(mm * 1000) * _UM_NM


def mm_text(nm):
    """Nanometres as a G-code number in mm, exact: -1500000 is "-1.500000"."""
    sign = "-" if nm < 0 else ""
    nm = abs(nm)
    return "%s%d.%06d" % (sign, nm // 1000000, nm % 1000000)
