"""Where the motors of a machine stand for a place of the nozzle, and back, in floating point (motion sheet, sections 10 and 13).

A place of the path goes through mesh and skew to the carriage, and from there to the motors.  Only the header of a step file is
known here.
"""

import numpy as np

from tools.verify.gcode import VerifyError

AXIS_ROLES = {"cartesian": "xyz", "corexy": "abz", "corexz": "ayb", "linear": "abc", "delta": "abc"}
_ROWS = {
    "cartesian": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "corexy": ((1, 1, 0), (1, -1, 0), (0, 0, 1)),
    "corexz": ((1, 0, 1), (0, 1, 0), (1, 0, -1)),
}
_GRADIENT_MM = 1e-4


class Kinematics:
    """header: of a step file.  axis: numbers of the three axis motors among the steppers, in the order of their places;
    extruder: stepper number -> extruder number.  linear: places of motors are linear in x y z."""

    def __init__(self, header):
        self.kind = header["kinematics"]["type"]
        if self.kind not in AXIS_ROLES:
            raise VerifyError("kinematics %s: not known" % self.kind)
        roles = [stepper["role"] for stepper in header["steppers"]]
        try:
            self.axis = [roles.index(role) for role in AXIS_ROLES[self.kind]]
        except ValueError:
            raise VerifyError("kinematics %s: a motor is missing among the roles %s" % (self.kind, " ".join(roles))) from None
        self.extruder = {m: int(role[1:] or 0) for m, role in enumerate(roles) if role.startswith("e")}
        self.skew = header.get("skew") or [0.0] * 3
        self.home = np.array(header["start_pos"][:3], float)
        self.mesh = Mesh(header["mesh"], self.home) if header.get("mesh") else None
        if self.kind == "delta":
            self.arm = float(header["kinematics"]["arm"])
            self.towers = np.array(header["kinematics"]["towers"], float)
        else:
            self.matrix = np.array(header["kinematics"]["matrix"] if self.kind == "linear" else _ROWS[self.kind], float)
        self.linear = self.kind != "delta" and self.mesh is None

    # -- path to carriage ------------------------------------------------------------------------------------------------------

    def carriage(self, xyz):
        """(n, 3) places of the path -> (n, 3) places of the carriage: the mesh lifts z, the skew leans the axes."""
        if self.mesh is None and not any(self.skew):
            return xyz
        at = np.array(xyz, float)
        if self.mesh is not None:
            at[:, 2] += self.mesh.lift(xyz)
        xy, xz, yz = self.skew
        x, y, z = (at - self.home).T
        at[:, 0] -= xy * y + (xz - xy * yz) * z
        at[:, 1] -= yz * z
        return at

    # -- carriage to motors and back -------------------------------------------------------------------------------------------

    def motors_of(self, at):
        """(n, 3) places of the carriage -> (3, n) mm of the axis motors.  VerifyError where the arms do not reach."""
        if self.kind != "delta":
            return self.matrix @ at.T
        away = at[None, :, :2] - self.towers[:, None, :]
        rest = self.arm**2 - (away**2).sum(2)
        if (rest <= 0).any():
            raise VerifyError("the path leaves the reach of the arms")
        return at[:, 2] + np.sqrt(rest)

    def carriage_of(self, motors):
        """(3, n) mm of the axis motors -> (n, 3): the inverse of motors_of."""
        if self.kind != "delta":
            return np.linalg.solve(self.matrix, motors).T
        # three spheres around the tower's carriages: differences are linear in x and y with z as parameter
        (x0, y0), (x1, y1), (x2, y2) = self.towers
        h0, h1, h2 = motors
        k0, k1, k2 = x0**2 + y0**2 + h0**2, x1**2 + y1**2 + h1**2, x2**2 + y2**2 + h2**2
        det = 4 * ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
        # x = ax + bx z, y = ay + by z
        r1, r2, z1, z2 = k1 - k0, k2 - k0, 2 * (h1 - h0), 2 * (h2 - h0)
        ax, bx = 2 * (r1 * (y2 - y0) - r2 * (y1 - y0)) / det, -2 * (z1 * (y2 - y0) - z2 * (y1 - y0)) / det
        ay, by = 2 * (r2 * (x1 - x0) - r1 * (x2 - x0)) / det, -2 * (z2 * (x1 - x0) - z1 * (x2 - x0)) / det
        a = 1 + bx**2 + by**2
        b = 2 * (bx * (ax - x0) + by * (ay - y0) - h0)
        c = (ax - x0) ** 2 + (ay - y0) ** 2 + h0**2 - self.arm**2
        z = (-b - np.sqrt(np.maximum(b * b - 4 * a * c, 0))) / (2 * a)
        return np.stack([ax + bx * z, ay + by * z, z], 1)

    # -- both together ---------------------------------------------------------------------------------------------------------

    def places(self, xyz):
        """(n, 3) places of the path -> (3, n) mm of the axis motors."""
        return self.motors_of(self.carriage(xyz))

    def gradients(self, xyz):
        """(3, n): how far each axis motor moves at most for a mm of path at each place."""
        if self.linear:
            return np.repeat(np.linalg.norm(self.matrix, axis=1)[:, None], len(xyz), 1)
        total = np.zeros((3, len(xyz)))
        for axis in range(3):
            step = np.zeros(3)
            step[axis] = _GRADIENT_MM
            total += ((self.places(xyz + step) - self.places(xyz - step)) / (2 * _GRADIENT_MM)) ** 2
        return np.sqrt(total)


class Mesh:
    """A grid of heights: {"kind": "bilinear" or "bicubic", "min_mm": [x, y], "step_mm": [x, y], "z_mm": [row of y 0, row of y 1, ...],
    "fade_mm": [z, z] or null}.

    Bicubic is Catmull-Rom, beyond the border straight on from the last two points.  Outside the grid the heights of its border hold.  The
    lift fades out linearly between the two heights.  What is added is the lift less that of the home position.
    """

    def __init__(self, tells, home):
        self.low = np.array(tells["min_mm"], float)
        self.step = np.array(tells["step_mm"], float)
        z = np.array(tells["z_mm"], float)
        self.rows, self.columns = z.shape
        z = np.vstack([2 * z[0] - z[1], z, 2 * z[-1] - z[-2]])
        self.points = np.hstack([2 * z[:, :1] - z[:, 1:2], z, 2 * z[:, -1:] - z[:, -2:-1]])  # with a border around
        self.weights = _catmull_rom if tells.get("kind") == "bicubic" else _linear
        self.fade = tells.get("fade_mm")
        self.at_home = 0.0
        self.at_home = float(self.lift(np.array([home], float))[0])

    def lift(self, xyz):
        """(n, 3) -> (n)."""
        at = (xyz[:, :2] - self.low) / self.step
        x, y = np.clip(at[:, 0], 0, self.columns - 1), np.clip(at[:, 1], 0, self.rows - 1)
        i, j = np.minimum(x.astype(int), self.columns - 2), np.minimum(y.astype(int), self.rows - 2)
        along, across = self.weights(x - i), self.weights(y - j)
        z = np.zeros(len(xyz))
        for q in range(4):
            for p in range(4):
                z += across[q] * along[p] * self.points[j + q, i + p]
        if self.fade:
            full, none = self.fade
            z = z * np.clip((none - xyz[:, 2]) / (none - full), 0, 1)
        return z - self.at_home


def _linear(u):
    """Weights of four points in a row for the place u between the middle two."""
    return 0 * u, 1 - u, u, 0 * u


def _catmull_rom(u):
    return (2 * u**2 - u - u**3) / 2, (2 - 5 * u**2 + 3 * u**3) / 2, (u + 4 * u**2 - 3 * u**3) / 2, (u**3 - u**2) / 2
