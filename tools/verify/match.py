"""Matches one motor's steps to the path, without knowing anything about time.

The motor's count must stay within half a step (plus slack) of its position along the path.  So a step over the boundary b between
two counts happens where the position lies within `slack` of b.  From turn to turn of the path, forward and backward, the numbers of
steps that may have been made are carried on; each step then has a window [first, last] of the path coordinate s in which it may
happen, and a best place.  A stream that leaves no number at a turn has left the path; the step where that shows is named.
"""

from bisect import bisect_right

import numpy as np

HYSTERESIS = 1 / 256  # steps: after a step the opposite one falls due only this far beyond the boundary


class LostTrack(Exception):
    """The stream does not follow the path: step index, place s, and why."""

    def __init__(self, step, s, why):
        super().__init__(why)
        self.step, self.s, self.why = step, s, why


def reachable(value, run_first, run_count, slack):
    """Which numbers of steps may have been made at each turn of the path.

    value: positions at the turns; run_first, run_count: first step of each run and the count before it, with the end of all.
    Returns a sorted list per turn.  Raises LostTrack; its `s` is the number of a turn.
    """
    band = 0.5 + slack
    total = run_first[-1]
    signs = [1 if b > a else -1 for a, b in zip(run_count, run_count[1:], strict=False)]
    sets = [[0]]
    for t in range(len(value) - 1):
        d = 1 if value[t + 1] > value[t] else -1
        start, end = d * value[t], d * value[t + 1]
        known, out = sets[-1], []
        for number, i in enumerate(known):
            following = known[number + 1] if number + 1 < len(known) else -1
            r = min(bisect_right(run_first, i) - 1, len(signs) - 1) if signs else 0
            count = d * (run_count[r] + (i - run_first[r]) * signs[r]) if signs else d * run_count[0]
            x = start
            while True:
                # a place that is known by itself is left to its own turn, since it starts with more freedom
                if i == following:
                    break
                if abs(end - count) <= band:
                    out.append(i)
                if i == total:
                    break
                if i == run_first[r + 1]:
                    r += 1
                s = signs[r] * d
                if s > 0 and end - band - count > 2:  # many steps that are all due
                    take = min(int(end - band - count), run_first[r + 1] - i)
                    if following > i:
                        take = min(take, following - i)
                    i += take
                    count += take
                    x = max(x, count - band)
                    continue
                boundary = count + 0.5 * s
                x = max(x, boundary - slack)
                if x > boundary + slack or x > end:
                    break
                count += s
                i += 1
        if not out:
            raise LostTrack(known[-1], t + 1, "off the path by more than half a step and the tolerance")
        sets.append(out)
    if sets[-1][-1] != total:
        raise LostTrack(sets[-1][-1], len(value) - 1, "%d steps more than the path has" % (total - sets[-1][-1]))
    return sets


class MotorMatch:
    """Layout of one motor's steps.

    q: (n + 1) position in steps at the path's corners; s: (n + 1); dirs: int8 array; start: count before the first step; slack:
    steps.  After init, `windows(lo, hi)` gives the windows of steps lo to hi.  Raises LostTrack.
    """

    def __init__(self, q, s, dirs, start, slack):
        self.q, self.s, self.dirs, self.start, self.slack = q, s, dirs, start, slack
        self._stretches()
        self._runs()
        self.firsts = np.array(self.run_first)
        self.counts = np.array(self.run_count)
        self.signs = np.sign(np.diff(self.counts)) if len(self.counts) > 1 else np.zeros(1, np.int64)
        self._lay_out()

    def _stretches(self):
        """Rising and falling stretches of the path, flat pieces joined to what comes before."""
        move = np.sign(np.diff(self.q))
        where = np.flatnonzero(move)
        if len(where):
            turn = np.flatnonzero(np.diff(move[where]) != 0) + 1
            ends = np.concatenate((where[turn], [len(self.q) - 1]))
            corners = np.concatenate(([0], ends))
        else:
            corners = np.array([0, len(self.q) - 1])
        self.corners = corners  # of the path where stretches begin; the last is its end
        self.value = self.q[corners]
        # distance travelled by the motor: rises along every stretch
        self.travel = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(self.q)))))
        self.travel_at = self.travel[corners]

    def _runs(self):
        """Runs of steps of one direction: first step of each, count before each, count at the end."""
        dirs = self.dirs
        n = len(dirs)
        if n == 0:
            self.run_first = [0]
            self.run_count = [self.start]
            return
        parts = [0]
        for at in range(0, n, 1 << 22):
            piece = dirs[max(at - 1, 0) : at + (1 << 22)]
            change = np.flatnonzero(piece[1:] != piece[:-1]) + 1 + max(at - 1, 0)
            parts.extend(change.tolist())
        parts.append(n)
        firsts = np.array(parts)
        sign = np.asarray(dirs[firsts[:-1]], np.int64)
        counts = self.start + np.concatenate(([0], np.cumsum(np.diff(firsts) * sign)))
        self.run_first = parts
        self.run_count = counts.tolist()

    def _lay_out(self):
        """Fewest and most steps that may have been made at each turn, such that all before and behind it can be laid out."""
        value, slack, n = self.value.tolist(), self.slack, len(self.dirs)
        try:
            ahead = reachable(value, self.run_first, self.run_count, slack)
            back = reachable(value[::-1], [n - f for f in reversed(self.run_first)], self.run_count[::-1], slack)
        except LostTrack as lost:
            raise LostTrack(min(lost.step, n), float(self.s[self.corners[lost.s]]), lost.why) from None
        fewest, most = [], []
        for turn, (known, reverse) in enumerate(zip(ahead, reversed(back), strict=True)):
            both = [k for k in known if n - k in reverse]
            if not both:
                raise LostTrack(min(known[0], n), float(self.s[self.corners[turn]]), "no way along the path fits all steps")
            fewest.append(both[0])
            most.append(both[-1])
        self.fewest, self.most = np.array(fewest, np.int64), np.array(most, np.int64)

    def counts_before(self, steps):
        """Count before each of the given step numbers."""
        run = np.clip(np.searchsorted(self.firsts, steps, "right") - 1, 0, max(len(self.firsts) - 2, 0))
        return self.counts[run] + (steps - self.firsts[run]) * self.signs[run]

    # -- windows ----------------------------------------------------------------------------------------------------------------

    def _place(self, travel, side):
        """s where the motor has travelled so far; "left": the first such place, "right": the last."""
        k = np.searchsorted(self.travel, travel, side)
        if side == "left":
            k = np.clip(k, 1, len(self.travel) - 1)
        else:
            k = np.clip(k, 1, len(self.travel) - 1)
        before, after = self.travel[k - 1], self.travel[k]
        span = after - before
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(span > 0, (travel - before) / span, 0.0 if side == "right" else 1.0)
        return self.s[k - 1] + np.clip(share, 0, 1) * (self.s[k] - self.s[k - 1])

    def _extend(self, travel, which, stretch, boundary, way):
        """Moves the ends of windows on over the stretches behind (way 1) or before (-1) the given ones."""
        value, at, last = self.value, self.travel_at, len(self.value) - 2
        stretch = stretch[which] + way
        while len(which):
            gone = (stretch < 0) | (stretch > last)
            travel[which[gone]] = at[-1] if way > 0 else 0.0
            which, stretch = which[~gone], stretch[~gone]
            near, far = (stretch, stretch + 1) if way > 0 else (stretch + 1, stretch)
            b = boundary[which]
            sign = np.sign(value[far] - value[near])
            leaves = sign * (value[far] - b) > self.slack
            k = which[leaves]
            travel[k] = (at[near] + way * np.abs(b + sign * self.slack - value[near]))[leaves]
            which, stretch = which[~leaves], stretch[~leaves] + way

    def _along(self, stretch, boundary):
        """How far from the start of its stretch each boundary lies, and how long the stretch is; both in steps."""
        base, top = self.value[stretch], self.value[stretch + 1]
        sign = np.where(top >= base, 1.0, -1.0)
        return sign * (boundary - base), sign * (top - base)

    def windows(self, lo, hi):
        """(first, best, last, sharp, turned, sure) of steps lo to hi: s arrays; whether the step lies well inside a stretch, is the
        first of its direction, and can belong to one stretch only."""
        steps = np.arange(lo, hi)
        stretches = len(self.value) - 2
        j = np.clip(np.searchsorted(self.most, steps, "right") - 1, 0, stretches)
        late = np.clip(np.searchsorted(self.fewest, steps, "right") - 1, 0, stretches)
        boundary = self.counts_before(steps) + 0.5 * np.asarray(self.dirs[lo:hi], np.int64)
        slack = self.slack
        # along the stretch, in its own direction; beyond its ends a window goes on over turns, as far as the position stays
        # within slack of b
        at, size = self._along(late, boundary)
        last = self.travel_at[late] + np.clip(at + slack, 0, size)
        self._extend(last, np.flatnonzero(at + slack > size), late, boundary, 1)
        at, size = self._along(j, boundary)
        first = self.travel_at[j] + np.clip(at - slack, 0, size)
        self._extend(first, np.flatnonzero(at - slack < 0), j, boundary, -1)
        sharp = (at - slack >= 0) & (at + slack <= size) & (late == j)
        reversal = np.zeros(len(steps), bool)
        turns = self.firsts[np.searchsorted(self.firsts, lo, "left") : np.searchsorted(self.firsts, hi, "left")]
        reversal[turns[turns > 0] - lo] = True
        # near a turn a step belongs to the stretch of its own direction
        sign = np.sign(np.diff(self.value))
        own = np.where((late == j + 1) & (sign[j] != self.dirs[lo:hi]) & (sign[late] == self.dirs[lo:hi]), late, j)
        at, size = self._along(own, boundary)
        best = self.travel_at[own] + np.clip(at + np.where(reversal, HYSTERESIS, 0.0), 0, size)
        return self._place(first, "left"), self._place(best, "right"), self._place(last, "right"), sharp, reversal, late <= j + 1
