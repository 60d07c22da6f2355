"""The path as the steppers see it: one coordinate s along it (mm of x y z, or of filament where only that moves), the position
of every motor along s, the limits on every segment and at every corner.

All formulas are those of the motion sheet: junction rule by square-corner velocity (section 3), projection of per-axis limits
(section 2).
"""

import numpy as np

RATIO_SHARE = 0.01  # merged lines have extrusion ratios within 1 %
CURVE_STEPS = 1 / 1024  # a delta's motors follow cubics that are off by at most so much of a step,
MESH_MM = 5e-5  # and z one that is so near to the mesh
FIT_MM = 2e-5  # how far a motor's place between two corners of the fine path may be off a straight line
HALVINGS = 20


class Path:
    """Corners k = 0..n, segments k from corner k to k + 1.

    s: (n + 1) mm.  motor: (motors, n + 1) positions in steps from each motor's zero.  unit: (n, 4) change of x y z e per mm of s.
    fine_s, fine_motor: the same for the fine path, along which motors are linear from corner to corner within fit_mm; with linear
    kinematics it is the path itself.  slope: (motors, fine pieces) share of each motor in the motion, 1 where it alone moves.
    curve_mm: (motors) how far the stream may be off between the places where it is exact.
    filament: (extruders, n + 1) mm fed by each.  norm: (motors) mm of the motor for a mm of path, at most.  e_only: (n).
    speed, accel: (n) limits along the path.  corner: (n + 1) speed limit at the corner, inf where only the segments bind, 0 where it
    must stop.  cruise: (n) speed that the minimum cruise ratio leaves, inf where it says nothing.  loose: (n) True
    where lines may have been merged, so that a deviation of tol.path_mm is allowed and the exact place of a step is not known.
    """

    def __init__(self, moves, header, kinematics):
        self.moves, self.kinematics = moves, kinematics
        points = moves.points
        delta = np.diff(points, axis=0)
        length = np.sqrt((delta[:, :3] ** 2).sum(1))
        self.e_only = length == 0
        length = np.where(self.e_only, np.abs(delta[:, 3]), length)
        self.length = length
        self.s = np.concatenate(([0.0], np.cumsum(length)))
        self.unit = delta / length[:, None]
        self.step_mm = np.array([stepper["step_mm"] for stepper in header["steppers"]])
        self.filament = np.zeros((1 + max(kinematics.extruder.values(), default=0), len(points)))
        for tool, fed in enumerate(self.filament):
            fed[1:] = np.cumsum(np.where(moves.tool == tool, delta[:, 3], 0.0))
        self._lay_out()
        self._loose(header["tol"]["path_mm"])
        self._limits()
        self._corners()
        # where a look-ahead window ends the way to the next stop is not known, and nothing is lowered
        if header.get("window", 0) > len(self.length):
            self._cruise(header["limits"]["max_jerk"], header.get("min_cruise", 0.0))
        else:
            self.cruise = np.full(len(self.length), np.inf)

    # -- motors ----------------------------------------------------------------------------------------------------------------

    def _motors_at(self, segment, share):
        """(motors, n) places in steps, that far (0 to 1) along each segment."""
        points = self.moves.points
        xyz = points[segment, :3] + share[:, None] * (points[segment + 1, :3] - points[segment, :3])
        found = np.zeros((len(self.step_mm), len(segment)))
        found[self.kinematics.axis] = self.kinematics.places(xyz)
        for m, tool in self.kinematics.extruder.items():
            fed = self.filament[tool]
            found[m] = fed[segment] + share * (fed[segment + 1] - fed[segment])
        return found / self.step_mm[:, None]

    def _lay_out(self):
        n = len(self.length)
        segment, share = np.concatenate((np.arange(n), [n - 1])), np.zeros(n + 1)
        share[-1] = 1.0
        self.motor = self._motors_at(segment, share)
        self.start = np.rint(self.motor[:, 0])
        self.fine_s, self.fine_motor, self.fit_mm = self.s, self.motor, 0.0
        if self.kinematics.linear:
            middle = self.moves.points[:1, :3]
        else:
            segment, low, high = self._halved(np.arange(n))
            self.fine_s = np.append(self.s[segment] + low * self.length[segment], self.s[-1])
            self.fine_motor = np.concatenate((self._motors_at(segment, low), self.motor[:, -1:]), 1)
            self.fit_mm = FIT_MM
            points, share = self.moves.points[:, :3], (low + high)[:, None] / 2
            middle = points[segment] + share * (points[segment + 1] - points[segment])
        norm = np.ones((len(self.step_mm), len(middle)))
        norm[self.kinematics.axis] = self.kinematics.gradients(middle)
        self.norm = norm.max(1)
        self.curve_mm = np.zeros(len(self.step_mm))
        for m in self.kinematics.axis:
            bent = CURVE_STEPS * self.step_mm[m] if self.kinematics.kind == "delta" else 0.0
            self.curve_mm[m] = bent + (MESH_MM * self.norm[m] if self.kinematics.mesh else 0.0)
        slope = np.abs(np.diff(self.fine_motor, axis=1)) * self.step_mm[:, None] / np.diff(self.fine_s) / norm
        for m in self.kinematics.extruder:
            slope[m, ~self.e_only[self.segment_at((self.fine_s[:-1] + self.fine_s[1:]) / 2)]] = 0.0
        self.slope = np.minimum(slope, 1.0).astype(np.float32)

    def _halved(self, segment):
        """Segments cut in halves until each motor is linear along every piece: (segment, from, to) in the order of the path."""
        low, high = np.zeros(len(segment)), np.ones(len(segment))
        done = []
        for level in range(HALVINGS + 1):
            at = [self._motors_at(segment, low + part * (high - low)) for part in (0, 0.25, 0.5, 0.75, 1)]
            miss = np.zeros(len(segment))
            for part in (1, 2, 3):
                straight = at[0] + part / 4 * (at[4] - at[0])
                miss = np.maximum(miss, (np.abs(at[part] - straight) * self.step_mm[:, None]).max(0))
            good = (miss <= FIT_MM) | self.e_only[segment] | (level == HALVINGS)
            done.append((segment[good], low[good], high[good]))
            segment, low, high = segment[~good], low[~good], high[~good]
            if not len(segment):
                break
            middle = (low + high) / 2
            segment, low, high = np.tile(segment, 2), np.concatenate((low, middle)), np.concatenate((middle, high))
        segment, low, high = (np.concatenate(part) for part in zip(*done, strict=True))
        order = np.lexsort((low, segment))
        return segment[order], low[order], high[order]

    def piece_at(self, s):
        """Index of the piece of the fine path that holds each s; at corners the one before."""
        return np.clip(np.searchsorted(self.fine_s, s, "left") - 1, 0, len(self.fine_s) - 2)

    # -- limits ----------------------------------------------------------------------------------------------------------------

    def _limits(self):
        moves = self.moves
        speed, accel = moves.feed, moves.accel
        with np.errstate(divide="ignore", invalid="ignore"):
            for axis, name in enumerate("xyze"):
                share = np.abs(self.unit[:, axis])
                if axis < 3:  # a merged line, or a chord of an arc, may point elsewhere
                    share = np.maximum(share - np.where(self.loose, self.turn_slack, 0.0), 0.0)
                speed = np.minimum(speed, np.where(share > 0, getattr(moves, name + "_speed") / share, np.inf))
                accel = np.minimum(accel, np.where(share > 0, getattr(moves, name + "_accel") / share, np.inf))
        self.speed, self.accel = speed, accel

    def _loose(self, path_mm):
        """A corner may vanish in a merge when it lies near the line through its neighbours; twice the tolerance covers chains."""
        n = len(self.length)
        corner = np.zeros(n + 1, bool)
        if n > 1:
            a, b = self.unit[:-1, :3], self.unit[1:, :3]
            cross = np.linalg.norm(np.cross(a, b), axis=1)
            shorter = np.minimum(self.length[:-1], self.length[1:])
            same = (self.e_only[:-1] == self.e_only[1:]) & (self.moves.stop[1:-1] < 0)
            # distance of the corner from the chord of its neighbours is at most shorter * sin(turn)
            corner[1:-1] = same & (shorter * cross <= 4 * path_mm) & ((a * b).sum(1) > -0.5)
        self.mergeable = corner
        self.loose = (corner[:-1] | corner[1:]) | (self.moves.arc > 0)
        # how far a merge, or the chords of an arc, may turn the direction of a segment
        with np.errstate(divide="ignore"):
            self.turn_slack = np.where(
                self.moves.arc > 0, np.sqrt(2 * path_mm / np.maximum(self.moves.arc, 1e-9)), np.where(self.loose, path_mm / self.length, 0)
            )

    def _corners(self):
        moves, n = self.moves, len(self.length)
        limit = np.full(n + 1, np.inf)
        limit[0] = limit[-1] = 0.0
        if n > 1:
            a, b = self.unit[:-1], self.unit[1:]
            e_a, e_b = self.e_only[:-1], self.e_only[1:]
            moving = ~e_a & ~e_b
            cosine = np.clip((a[:, :3] * b[:, :3]).sum(1), -1, 1)
            turn = np.maximum(np.arccos(cosine) - self.turn_slack[:-1] - self.turn_slack[1:], 0)
            half = np.cos(turn / 2)  # sin of half the angle between the lines; 1 straight on, 0 back
            with np.errstate(divide="ignore", invalid="ignore"):
                # the second line's setting, since that is the one in force when the corner is planned
                junction = moves.scv[1:] * np.sqrt((np.sqrt(2) - 1) * half / (1 - half))
                junction = np.where(half >= 1, np.inf, junction)
                jump = np.abs(a[:, 3] - b[:, 3]) - RATIO_SHARE * (self.loose[:-1] * np.abs(a[:, 3]) + self.loose[1:] * np.abs(b[:, 3]))
                junction = np.minimum(junction, np.where(jump > 0, moves.e_jump[1:] / jump, np.inf))
            inner = np.where(moving, junction, 0.0)
            inner = np.where(e_a & e_b & (np.sign(a[:, 3]) == np.sign(b[:, 3])), np.inf, inner)
            limit[1:-1] = inner
        limit[moves.stop >= 0] = 0.0
        self.corner = limit

    def _cruise(self, jerk, share):
        """From one stop to the next on a straight line, the two ramps take at most 1 - share of the way."""
        self.cruise = np.full(len(self.length), np.inf)
        if not share:
            return
        stops = np.flatnonzero(self.corner == 0)
        first, end = stops[:-1], stops[1:]
        arc = self.moves.arc > 0
        bends = np.concatenate(([0], np.cumsum(~self.mergeable | np.append(arc, False) | np.append(False, arc))))
        straight = bends[end] == bends[first + 1]  # no corner between
        first, end = first[straight], end[straight]
        if not len(first):
            return
        accel = np.minimum.reduceat(np.append(self.accel, np.inf), np.stack([first, end], 1).ravel())[::2]
        way = (self.s[end] - self.s[first]) * (1 - share)
        low, high = np.zeros(len(way)), np.full(len(way), self.speed.max())
        for _ in range(50):
            middle = (low + high) / 2
            ramp_s = np.where(middle * jerk < accel**2, 2 * np.sqrt(middle / jerk), middle / accel + accel / jerk)
            fits = middle * ramp_s <= way
            low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        for a, b, top in zip(first, end, high, strict=True):
            self.cruise[a:b] = top

    def segment_at(self, s):
        """Index of the segment that holds each s; at corners the one before."""
        return np.clip(np.searchsorted(self.s, s, "left") - 1, 0, max(len(self.length) - 1, 0))

    def line_at(self, s):
        """Line number for a place."""
        if not len(self.length):
            return 0
        return int(self.moves.line[self.segment_at(np.array([s]))[0]])
