"""Judges a shaped stream by the plain one of the same program on the same machine without shapers and pressure advance.

Shaping comes after planning, so the plain stream tells the plan: at each time the place s(t) along the path.  From there on nothing
is measured: the carriage's x, y and z are convolved with the pulses of the header, the extruders with the triangle of pressure
advance (motion sheet, sections 6 and 7), all that is delayed by `delay_s`, and goes through the kinematics.  At every stop that the text
asks for, the shaped plan stands `stop_s` longer, so that tails are over before what follows.  Every motor of the
shaped stream must step where that position crosses the boundary between two counts, and stand within half a step of it always.

The plain stream is judged by itself (verifier.py).  One of many more steps a millimetre leaves the least doubt about s(t):
tools.steps.plain_machine().
"""

import functools

import numpy as np

from tools.verify.gcode import VerifyError
from tools.verify.match import HYSTERESIS

SAME = ("clock_hz", "start_pos", "start_line", "kinematics", "retraction", "skew", "mesh", "bed_radius_mm")
WATCH_S = 0.0005  # between steps the counts are compared so often
SETTLE_S = 0.003  # from the last step to the standstill, about
UNSURE_S = 0.005  # how sure the plain stream is of the place is known by stretches of that length
WINDOW_POINTS = 400  # of the grid in half of the triangle
STEP_TIME_S = 0.3e-6
E_SLACK_MM = 0.005  # what merged lines may leave; the format's bound would hide half of a usual pressure advance


def is_shaped(header):
    """True where the stream is not the plan itself."""
    return bool(header.get("shapers")) or any(extruder.get("advance_s") for extruder in header.get("extruders") or ())


def check_pair(header, plain):
    """VerifyError when the plain header belongs to another machine."""
    if is_shaped(plain):
        raise VerifyError("the plain stream is shaped itself")
    for key in SAME:
        if header.get(key) != plain.get(key):
            raise VerifyError("the plain stream is of another machine: %s differs" % key)
    limits, others = dict(header["limits"]), dict(plain["limits"])
    for either in (limits, others):
        either.pop("max_step_rate")
    if limits != others:
        raise VerifyError("the plain stream is of another machine: limits differ")
    if [s["role"] for s in header["steppers"]] != [s["role"] for s in plain["steppers"]]:
        raise VerifyError("the plain stream is of another machine: motors differ")


class Target:
    """Where the motors have to be.  samples: of the plain stream, sorted (t in s, s in mm); path: of the shaped header."""

    def __init__(self, samples, path, header):
        self.path = path
        self.kinematics = path.kinematics
        self.delay_s = header["delay_s"]
        self._plan(samples, header.get("stop_s", 0.0), header.get("shaper_s", 0.0))
        self.shapers = {"xyz".index(axis): pulses for axis, pulses in header["shapers"].items()}
        self.smooth_s = header.get("advance_smooth_s", 0.0)
        # a machine without pressure advance is not smoothed
        self.smoothed = any(extruder["advance_s"] for extruder in header.get("extruders") or ())
        self._carriage = self.kinematics.carriage(path.moves.points[:, :3]) if self.kinematics.mesh is None else None
        self._grids = {}

    def _plan(self, samples, stop_s, span_s):
        """The plan of the shaped stream: at every stop that the text asks for the path stands so much longer."""
        path = self.path
        stops = path.s[1:-1][path.moves.stop[1:-1] >= 0]
        s = np.clip(np.maximum.accumulate(samples.s), 0.0, path.s[-1])
        k = np.searchsorted(s, stops, "right")  # the first sample behind each stop
        late = np.zeros(len(s) + 1)
        np.add.at(late, k, stop_s)
        t = samples.t + np.cumsum(late[:-1])
        self._note_unsure(t, samples.u, span_s)
        # the last steps before a stop do not show where it stands
        before, after = np.maximum(k - 1, 0), np.minimum(k, max(len(s) - 1, 0))
        here = np.minimum(t[before] + SETTLE_S, (t[before] + t[after]) / 2) if len(s) else np.zeros(0)
        t = np.concatenate(([0.0], t, here, t[-1:] + SETTLE_S))
        s = np.concatenate(([0.0], s, stops, [path.s[-1]] if len(s) else []))
        order = np.argsort(t, kind="stable")
        self.t, self.s = t[order], np.maximum.accumulate(s[order])

    def _note_unsure(self, t, u, span_s):
        """How far (mm along the path) s may be off: the worst of all that a place of the stream is made of."""
        self.unsure = np.zeros(int((t[-1] if len(t) else 0.0) / UNSURE_S) + 2)
        np.maximum.at(self.unsure, (t / UNSURE_S).astype(int), u)
        for _ in range(int(np.ceil(span_s / UNSURE_S)) + 1):
            wider = self.unsure.copy()
            wider[1:] = np.maximum(wider[1:], self.unsure[:-1])
            wider[:-1] = np.maximum(wider[:-1], self.unsure[1:])
            self.unsure = wider

    def unsure_at(self, t):
        """The same for times of the shaped stream."""
        return self.unsure[np.clip(((t - self.delay_s) / UNSURE_S).astype(int), 0, len(self.unsure) - 1)]

    def _along(self, t):
        """Place on the path at plan times (s); it stands at the ends before and behind."""
        return np.interp(t, self.t, self.s)

    def _axes(self, s):
        """(3, n) of the carriage."""
        if self._carriage is not None:
            return [np.interp(s, self.path.s, self._carriage[:, axis]) for axis in range(3)]
        xyz = np.stack([np.interp(s, self.path.s, self.path.moves.points[:, axis]) for axis in range(3)], 1)
        return list(self.kinematics.carriage(xyz).T)

    def places(self, t):
        """(3, n) mm of the axis motors at times of the shaped stream."""
        plan = t - self.delay_s
        still = self._axes(self._along(plan))
        for axis, pulses in self.shapers.items():
            still[axis] = sum(a * self._axes(self._along(plan - lag))[axis] for a, lag in pulses)
        return self.kinematics.motors_of(np.stack(still, 1))

    def axis_place(self, axis, t):
        """(n) mm of one axis motor."""
        return self.places(t)[axis]

    def filament(self, tool, t):
        """(n) mm of an extruder at times of the shaped stream."""
        plan = t - self.delay_s
        fed = self.path.filament[tool]
        if not self.smoothed:
            return np.interp(self._along(plan), self.path.s, fed)
        if tool not in self._grids:
            self._grids[tool] = self._smooth(tool, fed)
        grid, place = self._grids[tool]
        return np.interp(plan, grid, place)

    def _smooth(self, tool, fed):
        """(times, mm): E + K dE/dt under the triangle; the derivative is moved to the triangle, so that nothing is differentiated."""
        path, half = self.path, self.smooth_s / 2
        step = half / WINDOW_POINTS
        grid = np.arange(-2 * self.smooth_s, self.t[-1] + 2 * self.smooth_s, step)
        s = self._along(grid)
        delta = np.diff(path.moves.points, axis=0)
        active = (path.moves.tool == tool) & (delta[:, 3] > 0) & (np.abs(delta[:, :2]).sum(1) > 0)
        pushed = np.concatenate(([0.0], np.cumsum(np.where(active, path.moves.advance * delta[:, 3], 0.0))))
        e, p = np.interp(s, path.s, fed), np.interp(s, path.s, pushed)
        n = WINDOW_POINTS

        def means(values):
            """Mean over [i, i + n] by the trapezoidal rule, for i = 0 .. len - n - 1."""
            base = values[0]
            total = np.concatenate(([0.0], np.cumsum((values[1:] + values[:-1]) / 2 - base)))
            return (total[n:] - total[:-n]) / n + base

        box, p_box = means(e), means(p)
        smooth = means(box)  # at grid[n .. -n]
        ahead = (p_box[n:] - p_box[:-n]) / half
        return grid[n : len(grid) - n], smooth + ahead


def check(report, steps, target, header, path, plain):
    """All motors of the shaped stream against the target.  plain: header of the plain stream."""
    speed = float(path.speed.max()) if len(path.speed) else 0.0
    # between its own steps, near a standstill, the plain stream does not show the place
    unknown_mm = 1.5 * max(stepper["step_mm"] for stepper in plain["steppers"][:3])
    for m in range(len(steps.steppers)):
        ticks, dirs = np.array(steps.ticks(m)), np.array(steps.dirs(m), np.int64)
        tool = path.kinematics.extruder.get(m)
        if tool is None:
            slack_mm = (header["tol"]["path_mm"] + unknown_mm + speed * STEP_TIME_S) * path.norm[m]
            place = functools.partial(target.axis_place, path.kinematics.axis.index(m))
            unsure = target.unsure_at
        else:
            unsure = None
            slack_mm = min(header["tol"]["e_mm"], E_SLACK_MM)
            place = functools.partial(target.filament, tool)
        _check_motor(report, ticks, dirs, place, unsure, slack_mm, steps, m, path)


def _check_motor(report, ticks, dirs, place, unsure, slack_mm, steps, m, path):
    step_mm = path.step_mm[m]

    def slack_at(t):
        along_mm = unsure(t) * path.norm[m] if unsure else np.zeros(len(t))
        return (slack_mm + along_mm) / step_mm + HYSTERESIS
    clock_hz, name = steps.clock_hz, steps.steppers[m]["name"]
    start = float(path.start[m])
    counts = start + np.concatenate(([0], np.cumsum(dirs)))
    if len(ticks):
        # each step on its boundary
        t = ticks / clock_hz
        slack = slack_at(t)
        off = np.abs(place(t) / step_mm - (counts[:-1] + 0.5 * dirs))
        k = int((off / slack).argmax())
        why = "motor %s: step %d is %.4f mm from where the convolved plan crosses its boundary" % (name, k, off[k] * step_mm)
        report["shaped"].see(off[k] * step_mm, slack[k] * step_mm, None, ticks[k], int((off > slack).sum()), len(off), why)
    # and no step is missing
    end_s = (float(ticks[-1]) if len(ticks) else 0.0) / clock_hz
    t = np.arange(0.0, end_s + 0.2, WATCH_S)
    have = counts[np.searchsorted(ticks, t * clock_hz, "right")]
    slack = slack_at(t)
    off = np.maximum(np.abs(place(t) / step_mm - have) - 0.5, 0.0)
    k = int((off / slack).argmax())
    why = "motor %s stands %.2f steps off the convolved plan" % (name, off[k] + 0.5)
    report["shaped"].see(off[k] * step_mm, slack[k] * step_mm, None, t[k] * clock_hz, int((off > slack).sum()), len(off), why)
    final = path.motor[m][-1]
    off = abs(counts[-1] - final)
    most = 0.5 + HYSTERESIS
    tick = int(ticks[-1]) if len(ticks) else 0
    report["end"].see(off, most, path.line_at(path.s[-1]), tick, int(off > most + 1e-6), 1, "motor %s ends %.2f steps off" % (name, off))
