"""G-code of a resonance sweep: an axis goes to and fro about the middle of the bed, ever more quickly.

Each stroke is a move from rest to rest that takes half a period with the acceleration of its frequency, so the planner's own
quickest motion is the excitation.  Strokes get short: acceleration and jerk above the printer's limits are then harmless (the speed
stays below 20 mm/s) and needed, hence the limits of the test, a layer over the machine's description that also takes the shapers off.
"""

FROM_HZ, TO_HZ = 5.0, 135.0
HZ_PER_S = 1.0
ACCEL_PER_HZ = 60.0  # mm/s^2
JERK_SHARE = 16  # of a period that the acceleration takes to come up at the highest frequency
MIN_STEPS = 2  # of a stroke; less is no vibration
HEIGHT_MM = 20.0
FEED_MM_S = 100.0  # above any stroke's speed
LINES_MAX = 1_000_000
NO_SHAPERS = {"x": None, "y": None, "z": None}


class SweepError(ValueError):
    """A sweep that the machine cannot run; one line that says what to do."""


class Sweep:
    """axis: "x" or "y"; frequencies from_hz to to_hz, rising by hz_per_s; accel_per_hz: acceleration a hertz, mm/s^2."""

    def __init__(self, axis, from_hz=FROM_HZ, to_hz=TO_HZ, hz_per_s=HZ_PER_S, accel_per_hz=ACCEL_PER_HZ):
        if axis not in ("x", "y"):
            raise SweepError("axis x or y expected, not %s" % axis)
        if not 1 <= from_hz < to_hz <= 500:
            raise SweepError("frequencies from 1 to 500 Hz, rising, expected, not %g to %g" % (from_hz, to_hz))
        if not 0.1 <= hz_per_s <= 10:
            raise SweepError("0.1 to 10 Hz a second expected, not %g" % hz_per_s)
        if not 1 <= accel_per_hz <= 500:
            raise SweepError("1 to 500 mm/s² a hertz expected, not %g" % accel_per_hz)
        self.axis, self.from_hz, self.to_hz, self.hz_per_s, self.accel_per_hz = axis, from_hz, to_hz, hz_per_s, accel_per_hz


def test_layer(sweep):
    """Part of a machine file: the limits of the test for hal.factory.describe(machine, layer)."""
    accel = round(sweep.accel_per_hz * sweep.to_hz)
    axis = {"max_accel_mm_s2": 0}
    return {
        "printer": {
            "motion": {
                "max_accel_mm_s2": accel,
                "max_jerk_mm_s3": round(JERK_SHARE * sweep.to_hz * accel),
                "min_cruise_ratio": 0,
                "shaper": NO_SHAPERS,
            },
            "axes": {sweep.axis: axis},
        }
    }


def stroke_mm(frequency_hz, accel_mm_s2, jerk_mm_s3):
    """(length, highest speed) of the move from rest to rest that takes half a period."""
    ramp_s = 1 / (4 * frequency_hz)
    speed = accel_mm_s2 * (ramp_s - accel_mm_s2 / jerk_mm_s3)
    if speed < accel_mm_s2**2 / jerk_mm_s3:
        speed = jerk_mm_s3 * ramp_s**2 / 4
    return speed * ramp_s, speed


def strokes(sweep, description):
    """Yields (frequency, acceleration, length in mm) until the sweep's end or, earlier, strokes below MIN_STEPS steps."""
    motion, axis = description["printer"]["motion"], description["printer"]["axes"][sweep.axis]
    most = min(limit for limit in (motion["max_accel_mm_s2"], axis["max_accel_mm_s2"]) if limit)
    frequency_hz, now_s = sweep.from_hz, 0.0
    while frequency_hz <= sweep.to_hz:
        accel = min(sweep.accel_per_hz * frequency_hz, most)
        length, _ = stroke_mm(frequency_hz, accel, motion["max_jerk_mm_s3"])
        if length * axis["steps_per_mm"] < MIN_STEPS:
            return
        yield frequency_hz, accel, length
        now_s += 0.5 / frequency_hz
        frequency_hz = sweep.from_hz + sweep.hz_per_s * now_s


def gcode(sweep, description):
    """(lines of G-code, highest frequency reached).  Raises SweepError where the machine cannot shake at all, or has no room to."""
    axes = description["printer"]["axes"]
    middle = {name: (axis["min_mm"] + axis["max_mm"]) / 2 for name, axis in axes.items()}
    height = min(axes["z"]["min_mm"] + HEIGHT_MM, axes["z"]["max_mm"])
    feed = min(FEED_MM_S, description["printer"]["motion"]["max_velocity_mm_s"])
    letter, centre = sweep.axis.upper(), middle[sweep.axis]
    room = axes[sweep.axis]["max_mm"] - centre
    head = "; resonance sweep along %s, %g to %g Hz\n" % (sweep.axis, sweep.from_hz, sweep.to_hz)
    lines = [head, "G28\nG90\nM83\nG21\n", "G1 Z%.3f F600\n" % height]
    lines.append("G1 X%.3f Y%.3f F%.0f\nM400\nG4 P1000\n" % (middle["x"], middle["y"], feed * 60))
    side, reached, last = 1, 0.0, None
    for frequency_hz, accel, length in strokes(sweep, description):
        if length / 2 > room:
            raise SweepError("a stroke of %.1f mm at %.1f Hz leaves the bed; begin at a higher frequency" % (length, frequency_hz))
        if round(accel) != last:
            last = round(accel)
            lines.append("M204 S%d\n" % last)
        lines.append("G1 %s%.6f\n" % (letter, centre + side * length / 2))
        side, reached = -side, frequency_hz
        if len(lines) > LINES_MAX:
            raise SweepError("the sweep would take more than %d lines; let it rise faster" % LINES_MAX)
    if not reached:
        raise SweepError("within these limits the shortest stroke is below %d steps; raise the jerk or the acceleration" % MIN_STEPS)
    lines.append("G1 %s%.6f\nM400\nG4 P500\n" % (letter, centre))
    return lines, reached
