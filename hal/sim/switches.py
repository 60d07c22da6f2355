"""Where the simulated switches close: endstops of any kinematics, and a probe over a bed that need not be flat.

A switch of the port closes where k . physical >= threshold, in steps of the motors; everything here becomes such a pair.
"""

import math

from hal.api import AXES
from hal.stepport import PW_MOTORS

_NM = 1000000
_K_MAX = 1000  # of the port's factors


def endstop_direction(axis):
    """+1 or -1: which way the axis' endstop lies."""
    return 1 if axis["endstop_mm"] >= axis["max_mm"] else -1


def matrix(printer):
    """Rows a b c over x y z of linear kinematics, mm of motor a mm of axis."""
    kinematics = printer["kinematics"]
    if kinematics == "linear":
        return [[printer["matrix"][row][axis] for axis in AXES] for row in "abc"]
    rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    other = {"corexy": 1, "corexz": 2}.get(kinematics)
    if other:
        rows[0][other] = rows[other][0] = 1.0
        rows[other][other] = -1.0
    return rows


def _inverse_row(m, axis):
    """That row of the inverse: the axis in mm a mm of motor a b c."""
    j, k = (axis + 1) % 3, (axis + 2) % 3
    row = []
    for motor in range(3):
        a, b = (motor + 1) % 3, (motor + 2) % 3
        row.append(m[a][j] * m[b][k] - m[a][k] * m[b][j])
    whole = sum([m[motor][axis] * row[motor] for motor in range(3)])
    return [part / whole for part in row]


def along(printer, axis):
    """(k, counts a mm): k . counts of the motors tells the place on the axis; whole numbers, exact where some fit."""
    mm = [part / printer["axes"][AXES[m]]["steps_per_mm"] for m, part in enumerate(_inverse_row(matrix(printer), axis))]
    least = min([abs(part) for part in mm if part])
    most = max([abs(part) for part in mm])
    for times in range(1, _K_MAX):
        scale = times / least
        if most * scale > _K_MAX:
            break
        if all(abs(part * scale - round(part * scale)) < 1e-6 for part in mm):
            return [int(round(part * scale)) for part in mm], scale
    scale = _K_MAX / most
    return [int(round(part * scale)) for part in mm], scale


def endstop(printer, core, index):
    """(k, threshold) of the switch of axis, or of tower, `index`."""
    k = [0] * PW_MOTORS
    if printer["kinematics"] == "delta":
        height_mm = printer["axes"]["z"]["endstop_mm"] + printer["delta"]["abc"[index]]["trim_mm"]
        k[index] = 1
        return k, core.counts_at([0, 0, int(round(height_mm * _NM))])[index]
    data = printer["axes"][AXES[index]]
    direction = endstop_direction(data)
    row, scale = along(printer, index)
    for motor in range(3):
        k[motor] = direction * row[motor]
    return k, direction * int(round(data["endstop_mm"] * scale))


class Bed:
    """The bed under a probe: follow() keeps the probe's switch where the bed is below (or above) the probe's tip."""

    def __init__(self, printer, core, put):
        """put(k, threshold): sets the switch."""
        self._core = core
        self._put = put
        self._probe = printer["probe"]
        self._surface = self._probe["surface"] or {"height_mm": 0, "tilt_x": 0, "tilt_y": 0, "wave_mm": 0, "wave_length_mm": 200}
        self._k = [0] * PW_MOTORS
        self._scale = None
        if printer["kinematics"] == "delta":
            self._k[0] = -1
        else:
            row, self._scale = along(printer, 2)
            for motor in range(3):
                self._k[motor] = -row[motor]
        self.follow((0, 0, 0))

    def height_mm(self, x_mm, y_mm):
        """The bed's height in the machine's own coordinates, as they are when the endstops are where the machine data say."""
        surface = self._surface
        turn = 2 * math.pi / surface["wave_length_mm"]
        wave = surface["wave_mm"] * math.sin(turn * x_mm) * math.sin(turn * y_mm)
        return surface["height_mm"] + surface["tilt_x"] * x_mm + surface["tilt_y"] * y_mm + wave

    def follow(self, physical):
        """physical: steps [3] of the axis motors.  The switch then is right for any way straight up or down from there."""
        place = self._core.place_at(physical)
        if place is None:
            return
        probe = self._probe
        z_mm = self.height_mm(place[0] / _NM + probe["x_mm"], place[1] / _NM + probe["y_mm"]) + probe["z_mm"]
        if self._scale is None:
            threshold = self._core.counts_at([place[0], place[1], int(round(z_mm * _NM))])[0]
        else:
            threshold = int(math.floor(z_mm * self._scale))
        self._put(self._k, -threshold)
