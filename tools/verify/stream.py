"""Checks of each motor's steps alone: order, pulse rate, direction set-up.  They hold for hardware, whatever the path."""

import numpy as np

from tools.verify.match import HYSTERESIS

CHUNK = 1 << 20
STEP_TIME_S = 0.25e-6  # a step from its ideal time (design.md section 4); reversals may be later
FIT_S = 0.125e-6  # of that the fit takes so much, the rounding to ticks half a tick: below 4 MHz that is more
RATE_SHARE = 0.01


def step_time_s(clock_hz):
    """How far a step may be off its ideal time."""
    return max(STEP_TIME_S, FIT_S + 0.5 / clock_hz)


def check_motor(report, ticks, dirs, header, line=None):
    """Ticks in order, rate and set-up of one motor; False when the stream is too broken to go on."""
    clock = header["clock_hz"]
    gap = clock / header["limits"]["max_step_rate"]
    # times are rounded to whole ticks at both ends, and a step may be off its ideal time
    least = gap - 1 - min(STEP_TIME_S * clock, RATE_SHARE * gap)
    setup = header["limits"]["dir_setup_s"] * clock - 1
    good = True
    for at in range(0, len(ticks), CHUNK):
        t = np.asarray(ticks[max(at - 1, 0) : at + CHUNK])
        d = np.asarray(dirs[max(at - 1, 0) : at + CHUNK])
        gaps = np.diff(t)
        bad = int((gaps < 0).sum()) + int(((d != 1) & (d != -1)).sum()) + int(t[0] < 0)
        report["ticks"].see(0, 1, line, t[0], bad, len(t), "ticks fall, or a direction is neither +1 nor -1")
        if bad:
            good = False
            continue
        if not len(gaps):
            continue
        k = int(gaps.argmin())
        rate = clock / max(float(gaps[k]), 0.5)
        turned = d[1:] != d[:-1]
        # the first step of a direction falls due 1/256 step late, so the second comes so much sooner behind it
        allowed = np.where(np.append(False, turned[:-1]), least - gap * HYSTERESIS, least)
        report["step_rate"].see(rate, clock / max(least, 1), line, t[k], int((gaps < allowed).sum()), len(gaps))
        turn = np.flatnonzero(turned)
        if len(turn):
            turn_gaps = gaps[turn]
            k = int(turn_gaps.argmin())
            short = int((turn_gaps < setup).sum())
            value = (setup + 1) / max(float(turn_gaps[k]), 0.5)
            report["dir_setup"].see(value, 1.0, line, t[turn[k]], short, len(turn), "reversed after %d ticks" % turn_gaps[k])
    return good
