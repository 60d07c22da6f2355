"""Motion along the path, judged from samples (t, s, u): at time t the path coordinate was s, known to u.

Divided differences of a function whose n-th derivative is bounded are bounded by it (mean value theorem), whatever the samples'
spacing; what the uncertainty of the samples adds is computed for each difference and allowed for.  So nothing here is a fit, and a
stream that keeps the limits cannot fail.
"""

import math

import numpy as np

SPEED_WINDOWS_S = (0.0005, 0.002, 0.008)
ACCEL_WINDOWS_S = (0.001, 0.004, 0.016)
JERK_WINDOWS_S = (0.002, 0.004, 0.008, 0.016, 0.032)
SHARE = 0.01  # limits may be passed by this share: extrusion ratios of merged lines differ by 1 %
CURVE_SHARE = 0.25  # curvature is measured over another length than the planner's
CURVES_MM = (0.3, 0.6)  # to each side
CURVE_TURN = 1.2  # rad: sharper bends are no circle over that length


class Samples:
    """Sorted by t; arrays t, s, u (s, mm, mm)."""

    def __init__(self, t, s, u):
        order = np.argsort(t, kind="stable")
        self.t, self.s, self.u = t[order], s[order], u[order]

    def after(self, index, gap_s):
        """Index of the first sample at least gap_s after each of the given ones; len(t) where there is none."""
        return np.searchsorted(self.t, self.t[index] + gap_s, "left")


def joined(parts):
    """One Samples of many."""
    return Samples(*(np.concatenate([getattr(part, key) for part in parts]) for key in "tsu"))


def difference(t, s, errors, index):
    """(value, allowance): divided differences over the samples index[0], index[1], ... of each row, times the factorial of their order;
    what the errors of s may add."""
    order = len(index) - 1
    times = [t[part] for part in index]
    value, allowance = np.zeros(len(index[0])), np.zeros(len(index[0]))
    for a in range(order + 1):
        weight = np.full(len(value), float(math.factorial(order)))
        for b in range(order + 1):
            if a != b:
                weight /= times[a] - times[b]
        value += weight * s[index[a]]
        allowance += np.abs(weight) * errors[index[a]]
    return value, allowance


def range_max(values, lo, hi):
    """max(values[lo..hi]) of each pair (inclusive)."""
    if not len(lo):
        return np.zeros(0)
    span = hi - lo
    result = np.maximum(values[lo], values[hi])
    level, width = values, 1
    base = int(lo.min())
    level = values[base : int(hi.max()) + 1]
    longest = int(span.max())
    while width <= longest:
        fits = (span >= width) & (span < 2 * width)
        if fits.any():
            a = lo[fits] - base
            b = hi[fits] - base - width + 1
            result[fits] = np.maximum(level[a], level[b])
        level = np.maximum(level[: len(level) - width], level[width:]) if len(level) > width else level
        width *= 2
    return result


class Along:
    """The checks, fed chunk by chunk.  path: tools.verify.path.Path; clock_hz; time_s: tolerance of a step's time."""

    def __init__(self, report, path, header):
        self.report, self.path = report, path
        self.clock_hz = header["clock_hz"]
        self.time_s = header["tol"]["time_s"]
        self.jerk = header["limits"]["max_jerk"]
        self.corners = np.flatnonzero(
            (path.corner[1:-1] < 0.9 * np.minimum(path.speed[:-1], path.speed[1:])) & (~path.mergeable[1:-1])
        ) + 1 if len(path.length) > 1 else np.zeros(0, int)  # fmt: skip
        self.curves = [(reach, *self._curved(reach)) for reach in CURVES_MM]

    def _curved(self, reach):
        """(corners, radius) where the path bends by many small turns: circle over chords of `reach` mm to both sides."""
        path, n = self.path, len(self.path.length)
        if n < 3:
            return np.zeros(0, int), np.zeros(0)
        s, xyz = path.s, path.moves.points[:, :3]
        k = np.flatnonzero((path.length[:-1] < reach) & (path.length[1:] < reach) & (path.corner[1:-1] > 0)) + 1
        k = k[(s[k] - reach > 0) & (s[k] + reach < s[-1])]
        stops = np.concatenate(([0], np.cumsum(path.corner == 0)))
        lo, hi = np.searchsorted(s, s[k] - reach, "left"), np.searchsorted(s, s[k] + reach, "right")
        whole = stops[hi] == stops[lo]
        k, lo, hi = k[whole], lo[whole], hi[whole]
        if not len(k):
            return np.zeros(0, int), np.zeros(0)
        before = np.stack([np.interp(s[k] - reach, s, xyz[:, axis]) for axis in range(3)], 1) - xyz[k]
        after = np.stack([np.interp(s[k] + reach, s, xyz[:, axis]) for axis in range(3)], 1) - xyz[k]
        chord = np.minimum(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1))
        cosine = -(before * after).sum(1) / np.maximum(np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1), 1e-12)
        turn = np.arccos(np.clip(cosine, -1, 1))
        single = np.arccos(np.clip((path.unit[:-1, :3] * path.unit[1:, :3]).sum(1), -1, 1))
        largest = range_max(single, np.maximum(lo - 1, 0), np.minimum(hi - 1, len(single) - 1))
        # two corners close together are no curve: the junction rule speaks for them
        bend = (turn > 0.02) & (turn < CURVE_TURN) & (largest < 0.4 * turn)
        return k[bend], chord[bend] / 2 / np.tan(turn[bend] / 2)

    def _curves(self, samples, s_from, s_to):
        """v^2 / r at most the acceleration, with the mean speed over half the length to both sides."""
        for reach, corners, radius in self.curves:
            self._curve(samples, s_from, s_to, reach, corners, radius)

    def _curve(self, samples, s_from, s_to, reach, corners, radius):
        path = self.path
        lo, hi = np.searchsorted(path.s[corners], [s_from, s_to], "left")
        place, radius = path.s[corners[lo:hi]], radius[lo:hi]
        order = np.maximum.accumulate(samples.s)
        a, b = np.searchsorted(order, place - reach / 2), np.searchsorted(order, place + reach / 2)
        keep = (a < b) & (b < len(order))
        a, b, place, radius = a[keep], b[keep], place[keep], radius[keep]
        if not len(a):
            return
        far = np.maximum(samples.s[b] - samples.s[a] - samples.u[a] - samples.u[b], 0)
        speed = far / np.maximum(samples.t[b] - samples.t[a], 1e-9)
        value, limit = speed * speed / radius, self._limit(path.accel, samples, a, b)
        ratio = value / limit
        k = int(ratio.argmax())
        self.report["curve"].see(
            value[k], limit[k], path.line_at(place[k]), round(samples.t[a[k]] * self.clock_hz),
            int((ratio > 1 + CURVE_SHARE).sum()), len(ratio), "too fast in a curve of radius %.2f mm" % radius[k],
        )  # fmt: skip
    def check(self, samples, s_from, s_to):
        """All rules on a chunk; corners between s_from and s_to are judged (each once over all chunks)."""
        if len(samples.t) < 4:
            return
        self._differences(samples)
        self._corners(samples, s_from, s_to)
        self._curves(samples, s_from, s_to)

    def _errors(self, samples):
        """Uncertainty of each sample, its time's included."""
        n = len(samples.t)
        before, after = np.maximum(np.arange(n) - 8, 0), np.minimum(np.arange(n) + 8, n - 1)
        gap_s = np.maximum(samples.t[after] - samples.t[before], 1e-6)
        local = np.abs(samples.s[after] - samples.s[before]) / gap_s
        top = float(self.path.speed.max())
        return samples.u + np.minimum(local * 1.2 + 1.0, top) * self.time_s + 1e-9

    def _starts(self, samples, h):
        """About eight windows for each length h."""
        n = len(samples.t)
        bins = np.floor(samples.t / (h / 8)).astype(np.int64)
        return np.flatnonzero(np.concatenate(([True], bins[1:] != bins[:-1]))) if n else np.zeros(0, int)

    def _limit(self, values, samples, first, last):
        """Greatest limit of the segments that a window touches, with the uncertainty at its ends."""
        path = self.path
        a = path.segment_at(samples.s[first] - samples.u[first] - 1e-6)
        b = path.segment_at(samples.s[last] + samples.u[last] + 1e-6)
        return range_max(values, np.minimum(a, b), np.maximum(a, b))

    def _report(self, name, value, limit, samples, index, allowance):
        excess = np.maximum(np.abs(value) - allowance, 0.0)
        ratio = excess / limit
        if not len(ratio):
            return
        k = int(ratio.argmax())
        i = index[k]
        line, tick = self.path.line_at(samples.s[i]), round(samples.t[i] * self.clock_hz)
        self.report[name].see(excess[k], limit[k], line, tick, int((ratio > 1 + SHARE).sum()), len(ratio))

    def _differences(self, samples):
        errors = self._errors(samples)
        t, s = samples.t, samples.s
        for order, windows in ((1, SPEED_WINDOWS_S), (2, ACCEL_WINDOWS_S), (3, JERK_WINDOWS_S)):
            for h in windows:
                index = [self._starts(samples, h)]
                for _ in range(order):
                    index.append(samples.after(index[-1], h))
                    keep = index[-1] < len(t)
                    index = [part[keep] for part in index]
                if not len(index[0]):
                    continue
                value, allowance = difference(t, s, errors, index)
                if order == 3:
                    limit = np.full(len(value), float(self.jerk))
                else:
                    limit = self._limit(self.path.speed if order == 1 else self.path.accel, samples, index[0], index[-1])
                if order == 1 and np.isfinite(self.path.cruise).any():
                    most = self._limit(self.path.cruise, samples, index[0], index[-1])
                    known = np.isfinite(most) & (allowance < 4 * most)
                    self._report("cruise", value[known], most[known], samples, index[0][known], allowance[known])
                # a window that says nothing is not counted
                telling = allowance < 4 * limit
                self._report(
                    ("speed", "accel", "jerk")[order - 1], value[telling], limit[telling], samples, index[0][telling], allowance[telling]
                )

    def _corners(self, samples, s_from, s_to):
        """A corner of limit v is passed in no less than the time that v and the acceleration around it make necessary."""
        path = self.path
        lo, hi = np.searchsorted(path.s[self.corners], [s_from, s_to], "left")
        corners = self.corners[lo:hi]
        if not len(corners):
            return
        low = np.maximum.accumulate(samples.s - samples.u)
        high = np.minimum.accumulate((samples.s + samples.u)[::-1])[::-1]
        place, limit = path.s[corners], path.corner[corners]
        for delta in (0.02, 0.05, 0.15):
            after = np.searchsorted(low, place + delta, "left")
            before = np.searchsorted(high, place - delta, "right") - 1
            keep = (before >= 0) & (after < len(samples.s))
            b, a, s0, v = before[keep], after[keep], place[keep], limit[keep]
            if not len(b):
                continue
            accel = self._limit(path.accel, samples, b, a)
            d0 = np.maximum(s0 - samples.s[b] - samples.u[b], 0)
            d1 = np.maximum(samples.s[a] - samples.u[a] - s0, 0)
            took = samples.t[a] - samples.t[b] + 2 * self.time_s
            seconds = np.maximum(path.moves.stop[corners[keep]], 0)
            took_moving = took - seconds
            # speed at the corner that the time taken proves, at least: solve T = sum (sqrt(v^2 + 2 a d) - v) / a for v
            proven = _proven_speed(d0, d1, accel, np.maximum(took_moving, 1e-9))
            bad = proven > v * (1 + SHARE) + 0.05
            ratio = proven / np.maximum(v, 1.0)
            k = int(np.where(bad, ratio + 1e6, ratio).argmax())
            tick = round(samples.t[b[k]] * self.clock_hz)
            line = path.line_at(s0[k] + 1e-6)
            why = "passed at %.3g mm/s or more where %.3g mm/s is allowed" % (proven[k], v[k])
            self.report["corner"].see(proven[k], max(v[k], 0.05), line, tick, int(bad.sum()), len(b), why)
            stood = seconds > 0
            if stood.any():
                ratio = seconds[stood] / np.maximum(took[stood], 1e-9)
                k = int(ratio.argmax())
                i = b[stood][k]
                self.report["dwell"].see(
                    seconds[stood][k], took[stood][k], path.line_at(s0[stood][k]), round(samples.t[i] * self.clock_hz),
                    int((ratio > 1 + 1e-6).sum()), int(stood.sum()), "the motion goes on too soon",
                )  # fmt: skip


def _proven_speed(d0, d1, accel, took_s):
    """Least speed at a corner such that d0 before and d1 behind it fit into the time: bisection, 0 where even a stop fits."""

    def needed(v):
        return (np.sqrt(v * v + 2 * accel * d0) + np.sqrt(v * v + 2 * accel * d1) - 2 * v) / accel

    low = np.zeros(len(d0))
    high = (d0 + d1) / took_s
    for _ in range(40):
        middle = (low + high) / 2
        slow = needed(middle) > took_s
        low = np.where(slow, middle, low)
        high = np.where(slow, high, middle)
    return np.where(needed(np.zeros(len(d0))) > took_s, low, 0.0)
