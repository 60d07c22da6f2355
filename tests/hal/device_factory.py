"""Machine data on both Pythons: found, merged, checked, and the same integers out of them."""

import unittest

from hal import factory
from hal.errors import ConfigError


class TestFactory(unittest.TestCase):
    def test_cartesian(self):
        desc = factory.describe("sim-cartesian", {"pcb": {"rings": {"runs": 16}}, "name": "small"})
        config = factory.core_config(desc)
        self.assertEqual(desc["name"], "small")
        self.assertEqual((config["tick_hz"], config["ring_runs"], config["kinematics"]), (16000000, 16, 0))
        self.assertEqual(config["steps_per_m"], [80000, 80000, 400000, 95522, 1, 1, 1, 1])
        for key in config:
            values = config[key] if isinstance(config[key], list) else [config[key]]
            for value in values:
                self.assertTrue(isinstance(value, int), key)

    def test_corexy(self):
        desc = factory.describe("sim-corexy")
        self.assertEqual(factory.core_config(desc)["steps_per_m"], [320000, 320000, 1600000, 1662338, 1, 1, 1, 1])
        caps = factory.caps(desc)
        self.assertEqual(caps.heaters, ("nozzle", "bed", "chamber"))
        self.assertEqual(caps.max_um, (235000, 235000, 250000))

    def mistake(self, layer, path):
        try:
            factory.describe(None, layer)
            self.fail(path)
        except ConfigError as error:
            self.assertEqual(error.path, path)

    def test_unknown_key(self):
        self.mistake({"pcb": {"volts": 24}}, "pcb.volts")

    def test_wrong_type(self):
        self.mistake({"printer": {"axes": {"x": {"max_mm": "far"}}}}, "printer.axes.x.max_mm")

    def test_wrong_reference(self):
        self.mistake({"printer": {"axes": {"x": {"endstop": "NONE"}}}}, "printer.axes.x.endstop")

    def test_pin_used_twice(self):
        self.mistake({"pcb": {"fans": {"FAN1": {"pin": "PC9"}}}}, "pcb.fans.FAN1.pin")

    def test_no_such_machine(self):
        with self.assertRaises(ConfigError):
            factory.describe("/no/such/machine.json")


if __name__ == "__main__":
    unittest.main()
