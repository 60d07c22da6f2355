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
    """A machine's description without shaping, with other limits (keys of printer.motion)."""
    result = steps.plain_machine(factory.describe(name), 1)
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


def _row(header, role):
    """How a motor's place comes from x, y, z and one extruder: a function of arrays."""
    kind = header["kinematics"]["type"]
    if kind == "delta":
        x0, y0 = header["kinematics"]["towers"]["abc".index(role)]
        return lambda x, y, z: z + np.sqrt(header["kinematics"]["arm"] ** 2 - (x - x0) ** 2 - (y - y0) ** 2)
    if kind == "linear":
        k = header["kinematics"]["matrix"]["abc".index(role)]
        return lambda x, y, z: k[0] * x + k[1] * y + k[2] * z
    rows = {"x": lambda x, y, z: x, "y": lambda x, y, z: y, "z": lambda x, y, z: z}
    if kind == "corexz":
        rows.update(a=lambda x, y, z: x + z, b=lambda x, y, z: x - z)
    else:
        rows.update(a=lambda x, y, z: x + y, b=lambda x, y, z: x - y)
    return rows[role]


def _pressed(t, e, printing, advance_s, window_s):
    """E + K dE/dt, smoothed with a triangle: numerically, on an even grid."""
    step = t[1] - t[0]
    pushed = e + advance_s * np.where(printing, np.gradient(e, step), 0.0)
    half = round(window_s / 2 / step)
    weights = np.bartlett(2 * half + 1)
    padded = np.concatenate((np.full(half, pushed[0]), pushed, np.full(half, pushed[-1])))
    return np.convolve(padded, weights / weights.sum(), "valid")


def simulate(header, legs, v, a, j, stops=(), step_s=1e-5):
    """Steps of legs (polylines of (x, y, z, e), each from rest to rest, the first starting at the header's start), as load().

    Any kinematics, shapers and pressure advance of the first extruder, by sampling time.  stops: legs before which the text asks for
    a stop, so that the header's stop_s is waited.
    """
    times, rows, printing = [np.zeros(1)], [np.array(legs[0][:1], float)], [np.zeros(1, bool)]
    for number, leg in enumerate(legs):
        points = np.array(leg, float)
        delta = np.diff(points, axis=0)
        length = np.linalg.norm(delta[:, :3], axis=1)
        moves = length > 0
        length = np.where(moves, length, np.abs(delta[:, 3]))
        along = np.concatenate(([0], np.cumsum(length)))
        t, s = rest_to_rest(along[-1], v, a, j)
        grid = np.arange(0, t[-1] + 0.001, step_s)
        s = np.interp(grid, t, s)
        rows.append(np.stack([np.interp(s, along, points[:, axis]) for axis in range(4)], 1))
        piece = np.clip(np.searchsorted(along, s, "left") - 1, 0, len(length) - 1)
        printing.append((delta[piece, 3] > 0) & (np.abs(delta[piece, :2]).sum(1) > 0))
        times.append(times[-1][-1] + step_s + grid)
        if number + 1 in stops:
            times[-1][-1] += header["stop_s"]
    t, at, printing = np.concatenate(times), np.concatenate(rows), np.concatenate(printing)
    quiet = np.arange(1, round(0.1 / step_s)) * step_s  # what is shaped begins earlier and ends later
    t = np.concatenate((-quiet[::-1], t, t[-1] + quiet))
    at = np.concatenate((np.repeat(at[:1], len(quiet), 0), at, np.repeat(at[-1:], len(quiet), 0)))
    printing = np.concatenate((np.zeros(len(quiet), bool), printing, np.zeros(len(quiet), bool)))
    shaped = {axis: at[:, k] for k, axis in enumerate("xyze")}
    delay = header["delay_s"]
    for axis, pulses in header["shapers"].items():
        shaped[axis] = sum(part * np.interp(t - lag, t, shaped[axis]) for part, lag in pulses)
    if header["extruders"][0]["advance_s"]:
        shaped["e"] = _pressed(t, shaped["e"], printing, header["extruders"][0]["advance_s"], header["advance_smooth_s"])
    motors = []
    for stepper in header["steppers"]:
        role = stepper["role"]
        q = (shaped["e"] if role == "e" else _row(header, role)(shaped["x"], shaped["y"], shaped["z"])) / stepper["step_mm"]
        found, directions, _, _ = _cross(t + delay, q, round(q[0]), 0)
        motors.append([np.rint(found * header["clock_hz"]).astype(np.int64), directions.astype(np.int8)])
    return motors


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
