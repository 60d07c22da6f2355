"""Step streams for tests: from the core, from a small simulator of its own, and spoiled ones."""

import numpy as np

from hal import factory
from tools import stepfile, steps

SQUARE = """\
G28
G90
M83
M204 S2000
G1 Z0.4 F600
G1 X20 Y20 F9000
G1 E2 F1500
G1 X60 Y20 E1.4 F6000
G1 X60 Y60 E1.4
G1 X20 Y60 E1.4
G1 X20 Y20.3 E1.4
G1 E-1 F2100
G4 P300
G1 X30 Y25 F15000
G1 Z0.8 F600
G1 E1 F2100
G1 X50 Y31 E0.8 F12000
G1 X50.2 Y31.5 E0.02
G1 X30 Y40 E0.8
M204 S1000
G2 X40 Y50 I10 J0 E0.5 F4800
G1 X100 Y80 E1.8 F12000
G1 E-1 F2100
G1 X10 Y10 F15000
M400
"""


def description(name="sim-cartesian", **motion):
    """A machine's description with other limits (keys of printer.motion)."""
    result = factory.describe(name)
    result["printer"]["motion"].update(motion)
    return result


def make(folder, text, machine, name="stream"):
    """Writes G-code and lets the core make its steps; returns both paths."""
    gcode, out = str(folder / (name + ".gcode")), str(folder / (name + ".steps"))
    with open(gcode, "w", encoding="ascii") as file:
        file.write(text)
    with open(gcode, "rb", buffering=0) as source:
        steps.run(source, name, machine, out)
    return gcode, out


def load(path):
    """(header, list of [ticks, dirs]) as arrays that may be changed."""
    read = stepfile.StepFile(path)
    return read.header, [[np.array(read.ticks(m)), np.array(read.dirs(m))] for m in range(len(read.steppers))]


def save(path, header, motors):
    """Writes a step file from arrays."""
    with stepfile.StepFileWriter(path, header) as writer:
        for motor, (ticks, dirs) in enumerate(motors):
            writer.append(motor, ticks.astype("<i8").tobytes(), dirs.astype(np.int8).tobytes())
        writer.commit()
    return path


# -- a simulator that shares nothing with the core ---------------------------------------------------------------------------------


def rest_to_rest(length, v, a, j):
    """Jerk-limited profile over a length: (times, s) of a fine grid; j None: constant acceleration."""
    if j is None:
        v = min(v, np.sqrt(a * length))
        phases = [(v / a, a, 0.0), (length / v - v / a, 0.0, 0.0), (v / a, -a, 0.0)]
    else:
        low, high = 0.0, v

        def ramp(speed):
            if speed >= a * a / j:
                return a / j, speed / a - a / j
            return np.sqrt(speed / j), 0.0

        def distance(speed):
            tj, ta = ramp(speed)
            return (2 * tj + ta) * speed

        if distance(v) > length:
            for _ in range(80):
                middle = (low + high) / 2
                low, high = (middle, high) if distance(middle) < length else (low, middle)
            v = low
        tj, ta = ramp(v)
        cruise = max(length - distance(v), 0.0) / v
        phases = [(tj, 0.0, j), (ta, None, 0.0), (tj, None, -j), (cruise, 0.0, 0.0), (tj, 0.0, -j), (ta, None, 0.0), (tj, None, j)]
    times, places = [np.zeros(1)], [np.zeros(1)]
    t0 = s0 = v0 = a0 = 0.0
    for seconds, acceleration, jerk in phases:
        if seconds <= 0:
            continue
        a0 = a0 if acceleration is None else acceleration
        t = np.linspace(0, seconds, max(int(seconds / 2e-5), 8))[1:]
        times.append(t0 + t)
        places.append(s0 + v0 * t + a0 * t * t / 2 + jerk * t**3 / 6)
        t0 += seconds
        s0 += v0 * seconds + a0 * seconds**2 / 2 + jerk * seconds**3 / 6
        v0 += a0 * seconds + jerk * seconds**2 / 2
        a0 += jerk * seconds
    return np.concatenate(times), np.minimum(np.concatenate(places), length)


def simulate(header, legs, v, a, j):
    """Steps of legs (polylines of (x, y, z, e), each from rest to rest, the first starting at the header's start), as load()."""
    clock = header["clock_hz"]
    roles = [stepper["role"] for stepper in header["steppers"]]
    rows = {"x": (1, 0, 0, 0), "y": (0, 1, 0, 0), "z": (0, 0, 1, 0), "e": (0, 0, 0, 1), "a": (1, 1, 0, 0), "b": (1, -1, 0, 0)}
    motors = [[[], []] for _ in roles]
    counts = [0] * len(roles)
    last = [0] * len(roles)
    start_s = 0.0
    for leg in legs:
        points = np.array(leg, float)
        delta = np.diff(points, axis=0)
        length = np.linalg.norm(delta[:, :3], axis=1)
        length = np.where(length > 0, length, np.abs(delta[:, 3]))
        along = np.concatenate(([0], np.cumsum(length)))
        t, s = rest_to_rest(along[-1], v, a, j)
        fine = np.interp(np.linspace(0, len(t) - 1, 4 * len(t)), np.arange(len(t)), t)
        s = np.interp(fine, t, s)
        for m, role in enumerate(roles):
            q = points @ np.array(rows[role], float) / header["steppers"][m]["step_mm"]
            at = np.interp(s, along, q)
            times, directions, counts[m], last[m] = _cross(fine, at, counts[m], last[m])
            motors[m][0].append(np.rint((start_s + times) * clock).astype(np.int64))
            motors[m][1].append(directions)
        start_s += t[-1] + 0.001
    return [[np.concatenate(ticks), np.concatenate(dirs).astype(np.int8)] for ticks, dirs in motors]


def _cross(t, at, count, last):
    """Half-step rule with the hysteresis of 1/256 step, boundary by boundary."""
    times, directions = [], []
    turns = np.concatenate(([0], np.flatnonzero(np.diff(np.sign(np.diff(at))) != 0) + 1, [len(at) - 1]))
    for lo, hi in zip(turns, turns[1:], strict=False):
        if at[hi] == at[lo]:
            continue
        d = 1 if at[hi] > at[lo] else -1
        while d * at[hi] >= d * count + 0.5 + (1 / 256 if last == -d else 0):
            level = count + d * (0.5 + (1 / 256 if last == -d else 0))
            times.append(float(np.interp(d * level, d * at[lo : hi + 1], t[lo : hi + 1])))
            directions.append(d)
            count += d
            last = d
    return np.array(times), np.array(directions), count, last
