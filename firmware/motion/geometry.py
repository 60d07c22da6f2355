"""Where motor counts and places in the machine belong together: motors of an axis, homing's places.

Places are the machine's, [x, y, z] in nm, without mesh and skew: those of the core's second context.  The core itself converts, so
there is one truth about kinematics.
"""

from hal.compat import const

AXES = ("x", "y", "z")
_UM_NM = const(1000)


class Geometry:
    """description: the merged machine description (hal.factory.describe); core: hal.stepcore.StepCore."""

    def __init__(self, description, core):
        printer = description["printer"]
        axes = printer["axes"]
        self._core = core
        self.delta = printer["kinematics"] == "delta"
        self.home_nm = [_nm(axes[axis]["home_mm"]) for axis in AXES]
        self.min_nm = [_nm(axes[axis]["min_mm"]) for axis in AXES]
        self.max_nm = [_nm(axes[axis]["max_mm"]) for axis in AXES]
        self.endstop_nm = [_nm(axes[axis]["endstop_mm"]) for axis in AXES]
        self._motors = [_motors(printer, axis) for axis in range(3)]
        if self.delta:
            # the nozzle's height over the middle of the bed when the tower's switch closes
            self.tower_nm = [self.endstop_nm[2] + _nm(printer["delta"][tower]["trim_mm"]) for tower in "abc"]
            self.radius_nm = _nm(printer["delta"]["bed_radius_mm"])
            self.park_nm = self.home_nm
        else:
            self.radius_nm = None
            self.park_nm = [self.min_nm[0], self.max_nm[1], None]  # to the back left: the print can be reached

    def counts_at(self, place_nm):
        """Motor counts [3] of a place, rounded to whole steps; CoreError out of reach."""
        return self._core.counts_at(place_nm)

    def place_at(self, counts):
        """[x, y, z] in nm of motor counts (the first three of them); None where there is no such place."""
        return self._core.place_at(counts)

    def nm(self, mm):
        """Millimetres of the machine's data in nm."""
        return _nm(mm)

    def motors_of(self, axis):
        """Motors that move when the axis (0 to 2) does."""
        return self._motors[axis]

    def switch_counts(self, place_nm):
        """Counts [3] at which the towers' switches of a delta close; place_nm: their heights, over the middle of the bed."""
        return [self.counts_at([0, 0, place_nm[tower]])[tower] for tower in range(3)]

    def on_bed(self, x_nm, y_nm):
        """Is the point within the travel limits and the bed's circle?"""
        if not self.min_nm[0] <= x_nm <= self.max_nm[0] or not self.min_nm[1] <= y_nm <= self.max_nm[1]:
            return False
        return self.radius_nm is None or x_nm * x_nm + y_nm * y_nm <= self.radius_nm * self.radius_nm


def _motors(printer, axis):
    kinematics = printer["kinematics"]
    if kinematics == "delta":
        return (0, 1, 2)
    if kinematics == "linear":
        return tuple([motor for motor in range(3) if printer["matrix"]["abc"[motor]][AXES[axis]]])
    pair = {"corexy": (0, 1), "corexz": (0, 2)}.get(kinematics, ())
    return pair if axis in pair else (axis,)


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
