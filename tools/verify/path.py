"""The path as the steppers see it: one coordinate s along it (mm of x y z, or of filament where only that moves), the position
of every motor along s, the limits on every segment and at every corner.

All formulas are those of the motion sheet: junction rule by square-corner velocity (section 3), projection of per-axis limits
(section 2).
"""

import numpy as np

from tools.verify.gcode import VerifyError


def motor_matrix(header):
    """(motors, 4): mm of each stepper for a mm of x, y, z, e, by the roles of the header."""
    kind = header["kinematics"]["type"]
    rows = {"x": (1, 0, 0, 0), "y": (0, 1, 0, 0), "z": (0, 0, 1, 0), "e": (0, 0, 0, 1)}
    if kind == "corexy":
        rows["a"], rows["b"] = (1, 1, 0, 0), (1, -1, 0, 0)
    elif kind != "cartesian":
        raise VerifyError("kinematics %s: cannot be verified yet" % kind)
    return np.array([rows[stepper["role"]] for stepper in header["steppers"]], float)


RATIO_SHARE = 0.01  # merged lines have extrusion ratios within 1 %


class Path:
    """Corners k = 0..n, segments k from corner k to k + 1.

    s: (n + 1) mm.  motor: (motors, n + 1) positions in steps from each motor's zero.  unit: (n, 4) change of x y z e per mm of s.
    e_only: (n).  speed, accel: (n) limits along the path.  corner: (n + 1) speed limit at the corner, inf where only the segments
    bind, 0 where it must stop.  loose: (n) True where lines may have been merged, so that a deviation of tol.path_mm is allowed
    and the exact place of a step is not known.
    """

    def __init__(self, moves, header):
        self.moves = moves
        points = moves.points
        delta = np.diff(points, axis=0)
        length = np.sqrt((delta[:, :3] ** 2).sum(1))
        self.e_only = length == 0
        length = np.where(self.e_only, np.abs(delta[:, 3]), length)
        self.length = length
        self.s = np.concatenate(([0.0], np.cumsum(length)))
        self.unit = delta / length[:, None]
        matrix = motor_matrix(header)
        self.step_mm = np.array([stepper["step_mm"] for stepper in header["steppers"]])
        self.start = np.rint(matrix @ points[0] / self.step_mm)
        self.motor = (matrix @ points.T) / self.step_mm[:, None]
        # steps per mm of path: what a mm of s moves each motor, and its share of the motor's greatest
        self.norm = np.sqrt((matrix**2).sum(1))
        self._limits()
        self._loose(header["tol"]["path_mm"])
        self._corners()

    def _limits(self):
        moves = self.moves
        z, e = np.abs(self.unit[:, 2]), np.abs(self.unit[:, 3])
        with np.errstate(divide="ignore", invalid="ignore"):
            speed = np.minimum(moves.feed, np.where(z > 0, moves.z_speed / z, np.inf))
            self.speed = np.minimum(speed, np.where(e > 0, moves.e_speed / e, np.inf))
            accel = np.minimum(moves.accel, np.where(z > 0, moves.z_accel / z, np.inf))
            self.accel = np.minimum(accel, np.where(e > 0, moves.e_accel / e, np.inf))

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

    def segment_at(self, s):
        """Index of the segment that holds each s; at corners the one before."""
        return np.clip(np.searchsorted(self.s, s, "left") - 1, 0, max(len(self.length) - 1, 0))

    def line_at(self, s):
        """Line number for a place."""
        if not len(self.length):
            return 0
        return int(self.moves.line[self.segment_at(np.array([s]))[0]])
