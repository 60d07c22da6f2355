"""Thermistors: reading of the converter -> degC.

Divider with the thermistor to ground and a pull-up to the converter's reference: R = pull-up * x / (1 - x), x the share of full
scale; the supply cancels.  Between two points of the table the temperature is linear in ln R, which at 10 K between points is
within 0.06 K of the Steinhart-Hart curve (spec: motion 14).
"""

import math
from array import array

from firmware.thermal.errors import SensorFault

_FULL = 65535


class Thermistor:
    """table: pairs (degC, ohm), cold to hot.  pullup_ohm: resistor to the reference."""

    def __init__(self, table, pullup_ohm):
        self._temps_c = array("f", [row[0] for row in table])
        self._logs = array("f", [math.log(row[1]) for row in table])
        self._pullup_log = math.log(pullup_ohm)
        self._raw_coldest = _FULL * table[0][1] / (table[0][1] + pullup_ohm)
        self._raw_hottest = _FULL * table[-1][1] / (table[-1][1] + pullup_ohm)

    def temp_c(self, raw):
        """Temperature for a reading of 0 to 65535.  SensorFault when it is colder ("open") or hotter ("short") than the table goes."""
        if raw > self._raw_coldest:
            raise SensorFault("open")
        if raw < self._raw_hottest:
            raise SensorFault("short")
        log = self._pullup_log + math.log(raw / (_FULL - raw))
        logs = self._logs
        low = 0
        high = len(logs) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if logs[middle] >= log:
                low = middle
            else:
                high = middle
        share = (logs[low] - log) / (logs[low] - logs[high])
        return self._temps_c[low] + share * (self._temps_c[high] - self._temps_c[low])
