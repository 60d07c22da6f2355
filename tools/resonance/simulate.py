"""A sweep on a simulated frame: G-code through the core, its steps through frame and accelerometer, samples as a sensor gives them;
and the vibration that is left behind corners, with the shapers that a machine has.
"""

import io
import os
import tempfile

import numpy as np

from hal import factory
from tools import stepfile, steps
from tools.resonance import carriage
from tools.resonance.frame import OVERSAMPLE, SENSOR_HZ, Accelerometer, Frame
from tools.resonance.sweep import NO_SHAPERS

BEYOND_S = 0.5
RING_RATE_HZ = 12800.0
COARSE = 16  # of those samples one is looked at to find where an axis rests
SETTLE_S = 0.02  # behind the last whole step or two of a motion: the rest of its braking, which is no vibration
REST_S = 0.1  # behind that the vibration is measured
CORNERS = """\
G28
G90
M83
G1 Z5 F600
G1 X{x0:.3f} Y{y0:.3f} F9000
M400
G4 P500
"""
FEEDS_MM_S = (60, 90, 120, 150, 180)  # a ramp that takes just a period of the frame would not shake it: so several


def _streams(lines, description, use):
    """use(StepFile) of the steps that the core makes of G-code."""
    with tempfile.TemporaryDirectory(prefix="printwright-resonance-") as folder:
        out = os.path.join(folder, "steps")
        steps.run(io.BytesIO("".join(lines).encode()), "sweep", description, out)
        return use(stepfile.StepFile(out))


def record(read, modes, seed=0):
    """Samples (n, 3) in mm/s^2, at SENSOR_HZ, of a StepFile played on a frame {"x": [Mode, ...], "y": ...}."""
    rate_hz = SENSOR_HZ * OVERSAMPLE
    frame, sensor, samples = Frame(modes, rate_hz), Accelerometer(seed), []
    for places in carriage.places(read, rate_hz, BEYOND_S):
        if not samples:
            frame.rest_at(places[0])
        samples.append(sensor.run(frame.run(places)[1]))
    return np.concatenate(samples)


def record_gcode(lines, description, modes, seed=0):
    """The same of G-code lines on a machine."""
    return _streams(lines, description, lambda read: record(read, modes, seed))


def corners(description, side_mm=40.0):
    """G-code of squares about the middle of the bed: each side leaves the other axis at rest long enough to see it ring."""
    axes = description["printer"]["axes"]
    x0, y0 = ((axes[name]["min_mm"] + axes[name]["max_mm"] - side_mm) / 2 for name in "xy")
    lines = [CORNERS.format(x0=x0, y0=y0)]
    for feed_mm_s in FEEDS_MM_S:
        for x, y in ((side_mm, 0), (side_mm, side_mm), (0, side_mm), (0, 0)):
            lines.append("G1 X%.3f Y%.3f F%.0f\n" % (x0 + x, y0 + y, feed_mm_s * 60))
    lines.append("M400\nG4 P500\n")
    return lines


class Ringing:
    """How far an axis of the frame swings about its place once its motors have come to rest.

    rms_um, peak_um: over REST_S behind each of `stops` motions.  t, deflection_um: of the whole program.
    """

    def __init__(self, rms_um, peak_um, stops, t, deflection_um):
        self.rms_um, self.peak_um, self.stops, self.t, self.deflection_um = rms_um, peak_um, stops, t, deflection_um


def ringing(read, modes):
    """{axis: Ringing} of the axes x and y that have modes."""
    rate_hz = RING_RATE_HZ
    frame = Frame(modes, rate_hz)
    asked, followed = [], []
    for places in carriage.places(read, rate_hz, BEYOND_S):
        if not asked:
            frame.rest_at(places[0])
        asked.append(places)
        followed.append(frame.run(places)[0])
    u, x = np.concatenate(asked), np.concatenate(followed)
    slack = 1.5 * max(stepper["step_mm"] for stepper in read.steppers)
    return {name: _ringing(u[:, k], x[:, k], slack, rate_hz) for k, name in enumerate("xy") if modes.get(name)}


def _ringing(u, x, slack_mm, rate_hz):
    window, settle = int(REST_S * rate_hz), int(SETTLE_S * rate_hz)
    deflection = (x - u) * 1000
    squares, peak, stops = 0.0, 0.0, 0
    # places of rest: nothing leaves the slack until the window's end; each begins where the axis last moved by a whole slack
    ahead = np.lib.stride_tricks.sliding_window_view(u[::COARSE], (window + settle) // COARSE)
    rests = (ahead.max(1) - ahead.min(1)) <= slack_mm
    starts = (np.flatnonzero(rests[1:] & ~rests[:-1]) + 1) * COARSE
    for start in starts:
        part = deflection[start + settle : start + settle + window]
        part = part - part.mean()
        squares += float((part**2).mean())
        peak = max(peak, float(np.abs(part).max()))
        stops += 1
    rms = (squares / stops) ** 0.5 if stops else 0.0
    return Ringing(rms, peak, stops, np.arange(len(u)) / rate_hz, deflection)


def without_shaper(description):
    """The same machine with its shapers taken off."""
    plain = {**description, "printer": dict(description["printer"])}
    plain["printer"]["motion"] = {**description["printer"]["motion"], "shaper": NO_SHAPERS}
    return plain


def compare(machine, modes, layer=None):
    """({axis: Ringing} without, with the shapers of a machine) on the square-corner program.  machine: name or path."""
    shaped = factory.describe(machine, layer)
    lines = corners(shaped)
    return [_streams(lines, one, lambda read: ringing(read, modes)) for one in (without_shaper(shaped), shaped)]
