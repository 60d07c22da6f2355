"""Limits of z on a machine that follows a mesh: the motor of z itself shows them, whatever the path does."""

import numpy as np

from tools.verify import stream
from tools.verify.along import SHARE, difference
from tools.verify.kinematics import Kinematics
from tools.verify.match import HYSTERESIS
from tools.verify.path import MESH_MM

WINDOWS_S = (0.002, 0.008, 0.032)
BREAK_MM_S = 1.0  # speed of z may jump by the corner velocity, and by so much at least


def check(report, steps, moves, header):
    """The unshaped stream of a machine whose z has a motor of its own (others: nothing is judged)."""
    roles = [stepper["role"] for stepper in steps.steppers]
    kinematics = Kinematics(header)
    if "z" not in roles or any(kinematics.skew[1:]):
        return
    m = roles.index("z")
    step_mm = steps.steppers[m]["step_mm"]
    ticks, dirs = np.array(steps.ticks(m)), np.array(steps.dirs(m), np.int64)
    t = ticks / steps.clock_hz
    z = (np.cumsum(dirs) - 0.5 * dirs) * step_mm
    turned = np.concatenate(([True], dirs[1:] != dirs[:-1])) if len(dirs) else np.zeros(0, bool)
    errors = HYSTERESIS * step_mm * turned + MESH_MM + stream.step_time_s(steps.clock_hz) * float(moves.z_speed.max())
    judged = [("mesh_speed", 1, float(moves.z_speed.max()))]
    # a bilinear one breaks at every cell: the corner velocity speaks there; upright arcs turn z by the curve rule, which knows no axes
    upright = (moves.arc > 0) & (np.diff(moves.points[:, 2]) != 0)
    if header["mesh"].get("kind") == "bicubic" and not upright.any():
        judged.append(("mesh_accel", 2, float(moves.z_accel.max())))
    for name, order, limit in judged:
        for h in WINDOWS_S:
            index = [np.arange(len(t))]
            for _ in range(order):
                index.append(np.searchsorted(t, t[index[-1]] + h, "left"))
                keep = index[-1] < len(t)
                index = [part[keep] for part in index]
            if not len(index[0]):
                continue
            value, allowance = difference(t, z, errors, index)
            if order == 2:  # at the grid's border and where fading begins and ends the slope breaks
                allowance += max(header["limits"]["scv"], BREAK_MM_S) / h
            excess = np.maximum(np.abs(value) - allowance, 0.0)
            k = int(excess.argmax())
            report[name].see(excess[k], limit, None, ticks[index[0][k]], int((excess > limit * (1 + SHARE)).sum()), len(excess))
