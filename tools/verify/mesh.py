"""The limit of z's speed on a machine that follows a mesh: the motor of z itself shows it, whatever the path does."""

import numpy as np

from tools.verify import stream
from tools.verify.along import SHARE, difference
from tools.verify.kinematics import Kinematics
from tools.verify.match import HYSTERESIS
from tools.verify.path import MESH_MM

WINDOWS_S = (0.002, 0.008, 0.032)


def check(report, steps, moves, header):
    """The unshaped stream of a machine whose z has a motor of its own (others: nothing is judged)."""
    roles = [stepper["role"] for stepper in steps.steppers]
    if "z" not in roles or any(Kinematics(header).skew[1:]):
        return
    m = roles.index("z")
    step_mm = steps.steppers[m]["step_mm"]
    ticks, dirs = np.array(steps.ticks(m)), np.array(steps.dirs(m), np.int64)
    limit = float(moves.z_speed.max())
    t = ticks / steps.clock_hz
    z = (np.cumsum(dirs) - 0.5 * dirs) * step_mm
    turned = np.concatenate(([True], dirs[1:] != dirs[:-1])) if len(dirs) else np.zeros(0, bool)
    errors = HYSTERESIS * step_mm * turned + MESH_MM + stream.step_time_s(steps.clock_hz) * limit
    for h in WINDOWS_S:
        index = np.searchsorted(t, t + h, "left")
        first = np.flatnonzero(index < len(t))
        if not len(first):
            continue
        value, allowance = difference(t, z, errors, [first, index[first]])
        excess = np.maximum(np.abs(value) - allowance, 0.0)
        k = int(excess.argmax())
        report["mesh_speed"].see(excess[k], limit, None, ticks[first[k]], int((excess > limit * (1 + SHARE)).sum()), len(excess))
