"""Input shapers: their pulses, the vibration they leave, how much they round the path.  Formulas of the published shaper literature
(Singer and Seering 1990; Singhose, Seering and Singer 1994 and 1996), as the firmware has them.

A shaper is (amplitudes, times): arrays with sum(amplitudes) = 1 and times in s from the first pulse.  Not here: data, searching.
"""

import numpy as np

NAMES = ("zv", "mzv", "zvd", "ei", "2hump_ei", "3hump_ei")  # from the shortest to the longest
DAMPING = 0.1
TOLERATED = 0.05  # residual vibration that the EI family allows


def pulses(name, frequency_hz, damping=DAMPING):
    """(amplitudes, times in s) of a shaper; ValueError for a name that is none of NAMES."""
    root = np.sqrt(1 - damping**2)
    k = np.exp(-damping * np.pi / root)
    v = TOLERATED
    if name == "zv":
        rows = [(1, 0), (k, 0.5)]
    elif name == "zvd":
        rows = [(1, 0), (2 * k, 0.5), (k**2, 1)]
    elif name == "mzv":
        # three pulses 3/8 of a period apart
        k = k**0.75
        rows = [(1 - np.sqrt(0.5), 0), ((np.sqrt(2) - 1) * k, 0.375), ((1 - np.sqrt(0.5)) * k**2, 0.75)]
    elif name == "ei":
        rows = [((1 + v) / 4, 0), ((1 - v) * k / 2, 0.5), ((1 + v) * k**2 / 4, 1)]
    elif name == "2hump_ei":
        x = np.cbrt(v**2 * (np.sqrt(1 - v**2) + 1))
        a = (3 * x**2 + 2 * x + 3 * v**2) / (16 * x)
        rows = [(a, 0), ((0.5 - a) * k, 0.5), ((0.5 - a) * k**2, 1), (a * k**3, 1.5)]
    elif name == "3hump_ei":
        a = (1 + 3 * v + 2 * np.sqrt(2 * (v**2 + v))) / 16
        b = (1 - v) / 4
        rows = [(a, 0), (b * k, 0.5), (((1 + v) / 2 - 2 * a) * k**2, 1), (b * k**3, 1.5), (a * k**4, 2)]
    else:
        raise ValueError("no shaper is called %s; there are: %s" % (name, ", ".join(NAMES)))
    amplitudes, times = np.array(rows, float).T
    return amplitudes / amplitudes.sum(), times / (frequency_hz * root)


def residual(shaper, frequencies_hz, damping):
    """Vibration that is left at each frequency of a mode with that damping; 1: as much as without a shaper.  (n) -> (n)."""
    amplitudes, times = shaper
    omega = 2 * np.pi * np.asarray(frequencies_hz, float)
    phase = np.outer(omega * np.sqrt(1 - damping**2), times)
    growth = amplitudes * np.exp(damping * np.outer(omega, times - times[-1]))
    return np.hypot((growth * np.cos(phase)).sum(1), (growth * np.sin(phase)).sum(1))


def duration_s(shaper):
    """From the first pulse to the last."""
    return float(shaper[1][-1])


def rounding_mm(shaper, accel_mm_s2, corner_mm_s=5.0):
    """How far the shaped path misses what was asked for: the larger of the cut at a right corner that is taken at corner_mm_s, braking
    before and speeding up behind it with accel_mm_s2, and the overshoot that is lost where the motion turns back."""
    amplitudes, times = shaper
    # about the pulses' centre: then motion at constant speed is not delayed
    late = times - (amplitudes * times).sum()
    before, behind = late > 0, late < 0

    def way(which, speed):
        t = np.abs(late[which])
        return float((amplitudes[which] * (speed * t + accel_mm_s2 * t**2 / 2)).sum())

    corner = np.hypot(way(before, corner_mm_s), way(behind, corner_mm_s))
    turn = accel_mm_s2 / 2 * float((amplitudes * late**2).sum())
    return max(float(corner), turn)


def accel_for_rounding(shaper, rounding, corner_mm_s=5.0):
    """Highest acceleration (mm/s^2) with rounding_mm at most `rounding`; 0 when the corner's speed alone exceeds it."""
    low, high = 0.0, 1e6
    if rounding_mm(shaper, low, corner_mm_s) > rounding:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        if rounding_mm(shaper, middle, corner_mm_s) <= rounding:
            low = middle
        else:
            high = middle
    return low
