"""Where the motors hold the carriage, sampled evenly, out of a step file: bounded memory whatever its length.

A motor rests between its steps.  A sample is the mean over its stretch of time, which is exact for what rests, so steps much closer
than a sample leave no error behind.
"""

from bisect import bisect_left

import numpy as np

from tools.verify.kinematics import Kinematics

CHUNK = 1 << 16  # samples at a time


def seconds(read):
    """Time of the last step of any motor of a StepFile."""
    return max((int(read.ticks(m)[-1]) for m in range(len(read.steppers)) if len(read.ticks(m))), default=0) / read.clock_hz


def places(read, rate_hz, beyond_s=0.0):
    """Yields (n, 3) mm of x, y, z for stretch after stretch of a StepFile, until beyond_s after its last step.

    Raises VerifyError for kinematics that are not known.
    """
    kinematics = Kinematics(read.header)
    total = int(np.ceil((seconds(read) + beyond_s) * rate_hz)) + 1
    period = read.clock_hz / rate_hz
    counts = [round(read.steppers[m]["start_mm"] / read.steppers[m]["step_mm"]) for m in kinematics.axis]
    for first in range(0, total, CHUNK):
        n = min(CHUNK, total - first)
        motors = np.empty((3, n))
        for row, m in enumerate(kinematics.axis):
            ticks = read.ticks(m)
            # not numpy's search: it would copy a stream that lies unaligned in its file
            low = bisect_left(ticks, first * period)
            high = bisect_left(ticks, (first + n) * period, low)
            at = ticks[low:high] / period - first
            directions = read.dirs(m)[low:high].astype(float)
            sample = np.minimum(at.astype(np.int64), n - 1)
            # a step within a sample counts for the rest of it, and wholly for all that follow
            part = np.bincount(sample, directions * (1 - (at - sample)), n)
            whole = np.bincount(sample, directions, n)
            motors[row] = counts[row] + part + np.cumsum(whole) - whole
            counts[row] += int(directions.sum())
            motors[row] *= read.steppers[m]["step_mm"]
        yield kinematics.carriage_of(motors)
