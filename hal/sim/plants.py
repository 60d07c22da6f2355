"""Heat: lumped models of hot end, bed and chamber, and thermistors.  Floating point, no clock, no Python of the firmware's.

Block: C dT/dt = P - loss (T - around) - fan loss (T - around) - filament; sensor: lag of the first order (spec: motion 15).
"""

import math

_FILAMENT_J_MM_K = 0.005  # heat that 1 mm of 1.75 mm filament takes along, a kelvin
_KELVIN = 273.15


class Plant:
    """One heated part.  data: `plant` of boards/schema.py.  Temperatures in degC, times in s, energies in J."""

    def __init__(self, data, start_c):
        self.power_w = data["power_w"]
        self._capacity_j_k = data["capacity_j_k"]
        self._loss_w_k = data["loss_w_k"]
        self._fan_loss_w_k = data["fan_loss_w_k"]
        self._sensor_s = data["sensor_s"]
        self.block_c = float(start_c)
        self.sensor_c = float(start_c)

    def step(self, dt_s, heat_j, around_c, fan=0.0, filament_mm=0.0):
        """Lets dt_s pass (well below the time constants); heat_j came in.  Returns the energy that went to what is around, in J."""
        excess = self.block_c - around_c
        lost_j = (self._loss_w_k + fan * self._fan_loss_w_k) * excess * dt_s
        carried_j = _FILAMENT_J_MM_K * filament_mm * excess if excess > 0 else 0.0
        self.block_c += (heat_j - lost_j - carried_j) / self._capacity_j_k
        share = dt_s / self._sensor_s
        self.sensor_c += (self.block_c - self.sensor_c) * (share if share < 1 else 1.0)
        return lost_j


class Ntc:
    """A thermistor: degC -> ohm, from a table; between two points ln R is linear in 1/T (beta)."""

    def __init__(self, table):
        self._points = [(1 / (c + _KELVIN), math.log(ohm)) for c, ohm in table]

    def ohm(self, temp_c):
        """Resistance; beyond the table the end's beta goes on."""
        inverse = 1 / (max(temp_c, -200.0) + _KELVIN)
        points = self._points
        i = 1
        while i < len(points) - 1 and inverse < points[i][0]:
            i += 1
        (t0, r0), (t1, r1) = points[i - 1], points[i]
        return math.exp(min(r0 + (r1 - r0) * (inverse - t0) / (t1 - t0), 60.0))


def divider(ohm, pullup_ohm, bits):
    """Reading 0 to 65535 of a converter with so many bits, thermistor to ground, pull-up to its reference."""
    top = (1 << bits) - 1
    code = int(top * ohm / (ohm + pullup_ohm) + 0.5)
    return code * 65535 // top
