"""Matches one motor's steps to the path, without knowing anything about time.

The motor's count must stay within half a step (plus slack) of its position along the path.  So a step over the boundary b between
two counts happens where the position lies within `slack` of b.  The stream's runs of one direction are laid along the path's rising
and falling stretches, in order; each step then has a window [first, last] of the path coordinate s in which it may happen, and a
best place.  A stream that cannot be laid out has left the path, and the step where that shows is named.
"""

import math

import numpy as np

HYSTERESIS = 1 / 256  # steps: after a step the opposite one falls due only this far beyond the boundary


class LostTrack(Exception):
    """The stream does not follow the path: step index, place s, and why."""

    def __init__(self, step, s, why):
        super().__init__(why)
        self.step, self.s, self.why = step, s, why


def lay_out(value, run_first, run_count, slack):
    """Lays runs of steps along the stretches of a path, each step as early as may be.

    value: positions at the turns; run_first, run_count: first step of each run and the count before it, with the end of all.
    Returns (first steps of blocks, their stretches).  Raises LostTrack; its `s` is the number of a turn.
    """
    last = len(value) - 2  # last stretch
    first, stretch = [], []
    j = 0
    band = 0.5 + slack
    count = run_count[0]
    for r in range(len(run_first) - 1):
        step, end = run_first[r], run_first[r + 1]
        goal = run_count[r + 1]
        d = 1 if goal > count else -1
        while True:
            if j > last:
                raise LostTrack(step, last + 1, "%d steps more than the path has" % (run_first[-1] - step))
            if d * (value[j + 1] - value[j]) > 0:
                # boundaries d*count + 0.5 ... that this stretch reaches
                reach = math.floor(d * value[j + 1] + slack - 0.5 - d * count) + 1
                take = min(end - step, reach)
                if take > 0:
                    first.append(step)
                    stretch.append(j)
                    step += take
                    count += d * take
                if step == end:
                    break
                j += 1
                continue
            # the path turns back: does the count still fit at its far end?
            while d * value[j + 1] < d * count - band:
                # steps of this run that were only possible, not due, at the turn are put off
                top = d * value[j]
                if first and first[-1] >= run_first[r] and step > first[-1] and d * count - 0.5 >= top - slack:
                    step -= 1
                    count -= d
                    if step == first[-1]:
                        first.pop()
                        stretch.pop()
                    continue
                raise LostTrack(step, j + 1, "the path turns back, the steps do not")
            j += 1
    while j <= last:
        # no further steps: the rest of the path must stay near the last count
        if abs(value[j + 1] - count) > band:
            raise LostTrack(run_first[-1], j + 1, "steps are missing: the path goes on")
        j += 1
    return first, stretch


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
        """Each step as early along the path as may be, and as late: where a step could belong to two turns, both count."""
        value, slack, n = self.value.tolist(), self.slack, len(self.dirs)
        try:
            first, stretch = lay_out(value, self.run_first, self.run_count, slack)
        except LostTrack as lost:
            raise LostTrack(min(lost.step, n), float(self.s[self.corners[lost.s]]), lost.why) from None
        self.block_first = np.array(first + [n], np.int64)
        self.block_stretch = np.array(stretch, np.int64)
        self._check_turns()
        self.late_first, self.late_stretch = self.block_first, self.block_stretch
        if n:
            try:
                first, stretch = lay_out(value[::-1], [n - f for f in reversed(self.run_first)], self.run_count[::-1], slack)
            except LostTrack:
                return
            # blocks of the reversed stream, turned round: block k begins where the reversed block k + 1 begins
            ends = np.array(first[1:] + [n], np.int64)
            self.late_first = np.concatenate(((n - ends)[::-1], [n]))
            self.late_stretch = (len(value) - 2 - np.array(stretch, np.int64))[::-1]

    def _check_turns(self):
        """At the end of every stretch the count that holds there must be within the band (steps that were due are made)."""
        ends = np.searchsorted(self.block_stretch, np.arange(len(self.value) - 1), "right")
        steps_done = self.block_first[ends]
        counts = self.counts_before(steps_done)
        off = np.abs(self.value[1:] - counts)
        bad = np.flatnonzero(off > 0.5 + self.slack + 1e-9)
        if len(bad):
            k = int(bad[0])
            raise LostTrack(
                int(min(steps_done[k], max(len(self.dirs) - 1, 0))),
                float(self.s[self.corners[k + 1]]),
                "off the path by %.2f steps more than half a step at a turn" % (off[k] - 0.5),
            )

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
        """(first, best, last, sharp) of steps lo to hi: s arrays, and whether the step lies well inside a stretch."""
        steps = np.arange(lo, hi)
        j = self.block_stretch[np.searchsorted(self.block_first, steps, "right") - 1]
        late = self.late_stretch[np.searchsorted(self.late_first, steps, "right") - 1]
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
        best = self.travel_at[j] + np.clip(at + np.where(reversal, HYSTERESIS, 0.0), 0, size)
        return self._place(first, "left"), self._place(best, "right"), self._place(last, "right"), sharp, reversal
