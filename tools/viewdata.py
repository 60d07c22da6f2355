"""What pictures are drawn from: a tool path and the motion over time, out of steps as they come.  No drawing here.

Steps are taken in any portions, and memory stays the same whatever their number: curves over time are kept as the lowest and highest
value of each of a few thousand columns, which get twice as wide when there are too many; the tool path loses points that lie on it
anyway, and when there are still too many, more of its detail.
"""

import numpy as np

from tools.stepfile import StepFile
from tools.verify.kinematics import Kinematics

COLUMNS = 4096  # of a curve over time; more cannot be told apart
PATH_POINTS = 200_000
PATH_MM = 0.01  # deviation allowed at first
CHUNK = 1 << 13  # samples at a time
NEAR = 6  # samples on either side of a speed and an acceleration
HALF = 10  # and of a jerk: the place is known to half a step only where an axis stops or starts
STILL_S = 0.05  # between steps so far apart an axis stands
STILL_E_S = 0.3  # an extruder's steps are farther apart
EXTRUDING = 2e-3  # mm of filament a mm of way: less is rounding
LEAD = 1 << 20  # plan ticks of a step file that are taken at a time, at least


class ToolPath:
    """points: (n + 1, 3) mm; printing: (n) True where filament goes in along the way; printed_mm, filament_mm: totals."""

    def __init__(self, points, printing, length_mm, printed_mm, filament_mm):
        self.points, self.printing = points, printing
        self.length_mm, self.printed_mm, self.filament_mm = length_mm, printed_mm, filament_mm


class Motion:
    """Curves over time: name -> (low, high) arrays, one value a column; t: begin of each column and the end of the last, s.

    "speed" mm/s, "accel" mm/s^2, "jerk" mm/s^3 along the path; rates: motor -> (low, high) in steps/s.  limits: of the machine.
    """

    def __init__(self, t, curves, rates, limits):
        self.t, self.curves, self.rates, self.limits = t, curves, rates, limits


class Columns:
    """Lowest and highest of many rows of samples in at most COLUMNS columns."""

    def __init__(self, rows):
        self.width = 1  # samples a column
        self.samples = 0
        self.low = np.full((rows, COLUMNS), np.inf)
        self.high = np.full((rows, COLUMNS), -np.inf)

    def add(self, values):
        """values: (rows, n)."""
        n = values.shape[1]
        while self.samples + n > COLUMNS * self.width:
            for kept, better, empty in ((self.low, np.minimum, np.inf), (self.high, np.maximum, -np.inf)):
                kept[:, : COLUMNS // 2] = better(kept[:, ::2], kept[:, 1::2])
                kept[:, COLUMNS // 2 :] = empty
            self.width *= 2
        column = (self.samples + np.arange(n)) // self.width
        first = np.flatnonzero(np.diff(column, prepend=-1))
        at = column[first]
        self.low[:, at] = np.minimum(self.low[:, at], np.minimum.reduceat(values, first, axis=1))
        self.high[:, at] = np.maximum(self.high[:, at], np.maximum.reduceat(values, first, axis=1))
        self.samples += n

    def result(self):
        """(low, high), (rows, columns in use)."""
        used = -(-self.samples // self.width)
        return self.low[:, :used], self.high[:, :used]


class _Motor:
    """Place of one motor at any time up to what is known: straight between steps, resting where they are far apart."""

    def __init__(self, stepper, clock_hz, still_s, period):
        self.period = period  # plan ticks between samples, which lie at its multiples
        self.step_mm, self.clock_hz, self.still = stepper["step_mm"], clock_hz, still_s * clock_hz
        self.ramp = min(0.005, still_s / 4) * clock_hz
        self.count = round(stepper["start_mm"] / stepper["step_mm"])
        # a beginning that is far from any step
        self.ticks, self.edges, self.behind = np.array([-1e18]), np.array([float(self.count)]), np.array([float(self.count)])
        self.fresh = []

    def append(self, ticks, dirs):
        """Keeps the steps on either side of a sample: between others there is nobody to see them, and they may be a million a second."""
        if not len(ticks):
            return
        counts = self.count + np.cumsum(dirs, dtype=np.int64)
        self.count = int(counts[-1])
        sample = np.floor_divide(ticks, self.period)
        follows = np.flatnonzero(np.diff(sample))
        kept = np.unique(np.concatenate(([0, len(ticks) - 1], follows, follows + 1)))
        places = counts[kept].astype(float)
        # a step happens half a step before the place it leads to
        self.fresh.append((ticks[kept].astype(float), places - 0.5 * dirs[kept], places))

    def at(self, ticks):
        """mm at rising plan ticks; steps before the first of them are forgotten next time."""
        if self.fresh:
            known = (self.ticks, self.edges, self.behind)
            self.ticks, self.edges, self.behind = map(np.concatenate, zip(known, *self.fresh, strict=True))
            self.fresh = []
        gaps = np.diff(self.ticks)
        still = np.flatnonzero(gaps > self.still)
        where = np.repeat(still + 1, 2)
        rest_t = np.column_stack((self.ticks[still] + self.ramp, self.ticks[still + 1] - self.ramp)).ravel()
        x = np.append(np.insert(self.ticks, where, rest_t), self.ticks[-1] + self.ramp)
        y = np.append(np.insert(self.edges, where, np.repeat(self.behind[still], 2)), self.behind[-1])
        place = np.interp(ticks, x, y) * self.step_mm
        kept = max(int(np.searchsorted(self.ticks, ticks[-1], "right")) - 1, 0)
        self.ticks, self.edges, self.behind = self.ticks[kept:], self.edges[kept:], self.behind[kept:]
        return place


def _derivatives(dt):
    """(3, 2 HALF + 1): what turns samples into the first three derivatives, by the best cubic through them."""
    rows = np.zeros((3, 2 * HALF + 1))
    for order, half, factor in ((1, NEAR, 1), (2, NEAR, 2), (3, HALF, 6)):
        fit = np.linalg.pinv(np.vander(np.arange(-half, half + 1) * dt, 4, increasing=True))
        rows[order - 1, HALF - half : HALF + half + 1] = factor * fit[order]
    return rows


def sample_s(header):
    """Time between samples: from rest at full jerk a motor's first step must come within the reach of a derivative."""
    step_mm = max(stepper["step_mm"] for stepper in header["steppers"] if not stepper["role"].startswith("e"))
    first_step_s = (6 * step_mm / max(header["limits"]["max_jerk"], 1.0)) ** (1 / 3)
    return min(max(1.2 * first_step_s, 0.002), 0.05) / NEAR


class Recorder:
    """Takes steps, gives ToolPath and Motion.  header: of a step file, counts may be missing.

    append(motor, ticks, dirs) with arrays or little-endian bytes; advance(tick): all steps before that plan tick have come.
    """

    def __init__(self, header):
        self.kinematics = Kinematics(header)
        self.clock_hz, self.limits = header["clock_hz"], header["limits"]
        self.names = [stepper["name"] for stepper in header["steppers"]]
        self.step_mm = np.array([stepper["step_mm"] for stepper in header["steppers"]])
        self.dt = sample_s(header)
        self.period = self.dt * self.clock_hz
        extruders = self.kinematics.extruder
        still_s = [STILL_E_S if m in extruders else STILL_S for m in range(len(self.names))]
        self.motors = [_Motor(one, self.clock_hz, still_s[m], self.period) for m, one in enumerate(header["steppers"])]
        self.sampled = 0  # samples taken
        self.last_tick = 0
        self.columns = Columns(3 + len(self.motors))
        self._weights = _derivatives(self.dt)
        self._tail = None  # the last samples of way and motors, for derivatives that reach beyond a chunk
        self._path = _Path()
        self._way, self._last = 0.0, np.zeros(3)

    def append(self, motor, ticks, dirs):
        if isinstance(ticks, (bytes, bytearray, memoryview)):
            ticks, dirs = np.frombuffer(ticks, "<i8"), np.frombuffer(dirs, np.int8)
        if len(ticks):
            self.last_tick = max(self.last_tick, int(ticks[-1]))
            self.motors[motor].append(ticks, dirs)

    def advance(self, tick, whole=False):
        """whole: take what there is, even if it is little."""
        known = int((tick - STILL_E_S * self.clock_hz) / self.period)
        while known - self.sampled >= (1 if whole else CHUNK):
            self._take(min(known - self.sampled, CHUNK))

    def _take(self, n):
        ticks = (self.sampled + np.arange(n)) * self.period
        self.sampled += n
        motors = np.array([motor.at(ticks) for motor in self.motors])
        xyz = self.kinematics.carriage_of(motors[self.kinematics.axis])
        e = motors[list(self.kinematics.extruder)].sum(0)
        self._path.add(xyz, e)
        if self._tail is None:
            self._last, ahead = xyz[0], np.repeat(motors[:, :1], 2 * HALF, 1)
            self._tail = np.concatenate([np.zeros((1, 2 * HALF)), ahead])
        # speed is that of the way along the path, so corners are no jumps of it
        stepped = np.linalg.norm(np.diff(xyz, axis=0, prepend=self._last[None]), axis=1)
        self._last = xyz[-1]
        way = self._way + np.cumsum(stepped)
        rows = np.concatenate([self._tail, np.concatenate([way[None], motors])], 1)
        self._way = float(way[-1])
        self._tail = rows[:, -2 * HALF :].copy()
        speed, accel, jerk = (np.convolve(rows[0] - rows[0, 0], weights[::-1], "valid") for weights in self._weights)
        rate = np.abs(rows[1:, HALF + 1 : -HALF + 1] - rows[1:, HALF:-HALF]) / (self.step_mm[:, None] * self.dt)
        self.columns.add(np.concatenate([np.array([np.maximum(speed, 0), accel, jerk]), rate]))

    def finish(self):
        """(ToolPath, Motion)."""
        self.advance(self.last_tick + (STILL_E_S + HALF * self.dt + 0.02) * self.clock_hz, True)
        low, high = self.columns.result()
        columns = low.shape[1]
        # the derivatives' window lags by half of it
        t = (np.arange(columns + 1) * self.columns.width - HALF) * self.dt
        t[-1] = (self.columns.samples - HALF) * self.dt
        curves = {name: (low[k], high[k]) for k, name in enumerate(("speed", "accel", "jerk"))}
        rates = {name: (low[3 + m], high[3 + m]) for m, name in enumerate(self.names)}
        return self._path.result(), Motion(np.maximum(t, 0), curves, rates, self.limits)


class _Path:
    """A tool path that is thinned as it grows."""

    def __init__(self):
        self.parts, self.flags = [], []
        self.total, self.allowed_mm = 0, PATH_MM
        self.length_mm = self.printed_mm = self.filament_mm = 0.0
        self.last = np.zeros(3), 0.0

    def add(self, xyz, e):
        if not self.parts:
            self.last = xyz[0], float(e[0])
            self.parts, self.total = [xyz[:1]], 1
        points = np.concatenate([self.last[0][None], xyz])
        fed = np.diff(np.concatenate([[self.last[1]], e]))
        self.last = xyz[-1], float(e[-1])
        way = np.linalg.norm(np.diff(points, axis=0), axis=1)
        printing = fed > EXTRUDING * way
        self.length_mm += float(way.sum())
        self.printed_mm += float(way[printing].sum())
        self.filament_mm += float(fed.sum())
        points, printing = thinned(points, printing, self.allowed_mm)
        self.parts.append(points[1:])
        self.flags.append(printing)
        self.total += len(printing)
        while self.total > PATH_POINTS:
            self._join()
            if self.total > PATH_POINTS // 2:
                self.allowed_mm *= 2

    def _join(self):
        points, printing = thinned(np.concatenate(self.parts), np.concatenate(self.flags), self.allowed_mm)
        self.parts, self.flags, self.total = [points], [printing], len(points)

    def result(self):
        if not self.flags:
            return ToolPath(np.zeros((1, 3)), np.zeros(0, bool), 0.0, 0.0, 0.0)
        points, printing = np.concatenate(self.parts), np.concatenate(self.flags)
        moves = (np.diff(points, axis=0) != 0).any(1)
        points, printing = points[np.concatenate([[True], moves])], printing[moves]
        return ToolPath(points, printing, self.length_mm, self.printed_mm, self.filament_mm)


def thinned(points, printing, allowed_mm):
    """(points, printing) without points that lie on the straight line between their neighbours to within allowed_mm, again and again,
    as long as that helps; where printing begins or ends a point stays."""
    for first in (1, 2) * 8:
        n = len(points)
        middle = np.arange(first, n - 1, 2)
        if not len(middle):
            break
        a, b, p = points[middle - 1], points[middle + 1], points[middle]
        line = b - a
        along = np.clip(((p - a) * line).sum(1) / np.maximum((line**2).sum(1), 1e-18), 0, 1)
        off = np.linalg.norm(p - a - along[:, None] * line, axis=1)
        drop = middle[(off < allowed_mm / 4) & (printing[middle - 1] == printing[middle])]
        if not len(drop):
            continue
        keep = np.ones(n, bool)
        keep[drop] = False
        points, printing = points[keep], printing[keep[1:]]
        if len(drop) < n // 50:
            break
    return points, printing


def load_steps(path):
    """(ToolPath, Motion) of a step file.  Raises StepFileError, OSError, VerifyError for kinematics that are not known."""
    read = StepFile(path)
    recorder = Recorder(read.header)
    motors = range(len(read.steppers))
    at = [0] * len(read.steppers)
    lead = max(LEAD, int(CHUNK * recorder.period))
    now = 0
    while any(at[m] < read.steppers[m]["count"] for m in motors):
        now += lead
        for m in motors:
            at[m] = _append_until(recorder, read, m, at[m], now)
        recorder.advance(now)
    return recorder.finish()


def _append_until(recorder, read, motor, at, tick):
    """Steps of a motor from number `at` on that come before a tick; returns the number of the next."""
    ticks, dirs = read.ticks(motor), read.dirs(motor)
    size = CHUNK
    while at < len(ticks):
        part = np.array(ticks[at : at + size])
        n = int(np.searchsorted(part, tick))
        recorder.append(motor, part[:n], dirs[at : at + n])
        at += n
        if n < len(part):
            break
    return at
