"""Sensors, guard and controller, on both Pythons: no machine, no clock."""

import unittest

from boards.thermistors import DATA as TABLES
from firmware.thermal.errors import Fault, SensorFault
from firmware.thermal.guard import BAD_READINGS, Guard
from firmware.thermal.pid import Pid
from firmware.thermal.sensors import Thermistor

PULLUP_OHM = 4700


def raw_of(ohm):
    return int(65535 * ohm / (ohm + PULLUP_OHM) + 0.5)


class TestThermistor(unittest.TestCase):
    def test_points_of_the_tables(self):
        for name in TABLES:
            sensor = Thermistor(TABLES[name], PULLUP_OHM)
            for temp_c, ohm in TABLES[name][1:-1]:
                # a 16-bit reading is the only error; it grows at both ends of the range
                self.assertTrue(abs(sensor.temp_c(raw_of(ohm)) - temp_c) < 0.6, "%s at %d" % (name, temp_c))

    def test_between_the_points(self):
        sensor = Thermistor(TABLES["104gt-2"], PULLUP_OHM)
        # 215 degC by the Steinhart-Hart equation of the table's header: 326.75 ohm
        self.assertTrue(abs(sensor.temp_c(raw_of(326.75)) - 215) < 0.3)

    def test_readings_fall_with_temperature(self):
        sensor = Thermistor(TABLES["generic-3950"], PULLUP_OHM)
        last = 1000
        for raw in range(2000, 65000, 500):
            temp_c = sensor.temp_c(raw)
            self.assertTrue(temp_c < last)
            last = temp_c

    def test_open_and_short(self):
        for name in TABLES:
            sensor = Thermistor(TABLES[name], PULLUP_OHM)
            for raw, kind in ((65535, "open"), (65534, "open"), (0, "short"), (1, "short"), (20, "short")):
                try:
                    sensor.temp_c(raw)
                    self.fail("%d is no reading" % raw)
                except SensorFault as error:
                    self.assertEqual(error.kind, kind)


class TestGuard(unittest.TestCase):
    def setUp(self):
        self.guard = Guard("bed", {"min_c": 0, "max_c": 130})

    def test_good_readings(self):
        for temp_c in (0, 20.5, 130):
            self.assertEqual(self.guard.check(temp_c, None), (True, None))

    def test_a_spike_is_not_believed_but_stops_nothing(self):
        for _ in range(10):
            for _ in range(BAD_READINGS - 1):
                self.assertEqual(self.guard.check(None, "open"), (False, None))
            self.assertEqual(self.guard.check(20, None), (True, None))

    def test_each_kind_stops(self):
        cases = ((None, "open", "open", None), (None, "short", "short", None), (130.1, None, "max", 130), (-1, None, "min", 0))
        for current_c, problem, kind, limit_c in cases:
            guard = Guard("bed", {"min_c": 0, "max_c": 130})
            for _ in range(BAD_READINGS - 1):
                guard.check(current_c, problem)
            believable, fault = guard.check(current_c, problem)
            self.assertFalse(believable)
            self.assertEqual((fault.name, fault.kind, fault.value_c, fault.limit_c), ("bed", kind, current_c, limit_c))

    def test_text(self):
        self.assertEqual(Fault("bed", "max", 131.3, 130).text(), "bed is hotter than allowed: 131.3 degC, limit 130.0 degC")
        self.assertTrue("open" in Fault("nozzle", "open", None).text())


class TestPid(unittest.TestCase):
    def test_full_power_far_below_and_none_above(self):
        pid = Pid({"kp": 0.1, "ki": 0.01, "kd": 0}, 0.8)
        self.assertEqual(pid.duty(200, 20, 0.1), 0.8)
        self.assertEqual(pid.duty(200, 230, 0.1), 0.0)

    def test_no_wind_up(self):
        pid = Pid({"kp": 0.1, "ki": 0.01, "kd": 0}, 1)
        for _ in range(200):
            pid.duty(200, 20, 1)
        self.assertTrue(pid.duty(200, 199, 0.1) < 0.15)

    def test_the_integral_finds_the_steady_duty(self):
        pid = Pid({"kp": 0.05, "ki": 0.01, "kd": 0}, 1)
        temp_c = 20.0
        duty = 0
        for _ in range(300):
            duty = pid.duty(100, temp_c, 1)
            temp_c += duty * 4.0 - (temp_c - 20) * 0.02
        self.assertTrue(abs(temp_c - 100) < 0.1)
        self.assertTrue(abs(duty - 0.4) < 0.01)

    def test_rising_temperature_brakes(self):
        pid = Pid({"kp": 0.01, "ki": 0, "kd": 0.2}, 1)
        steady = 0
        rising = 0
        for i in range(50):
            steady = pid.duty(100, 50, 0.1)
        for i in range(50):
            rising = pid.duty(100, 50 + i * 0.1, 0.1)
        self.assertTrue(rising < steady - 0.1)

    def test_a_long_pause_does_no_harm(self):
        pid = Pid({"kp": 0.001, "ki": 0.001, "kd": 0}, 1)
        pid.duty(100, 50, 3600)
        self.assertTrue(pid.duty(100, 50, 0) < 0.11)


if __name__ == "__main__":
    unittest.main()
