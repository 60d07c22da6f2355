"""The machine that Klipper is given is ours: text of the configuration, and what is said when there is no checkout."""

import configparser

import pytest

from bench import klipper
from hal import factory

LINUX = {"enumerations": {"pin": {"analog0": [4096, 8], "gpio0": [0, 64]}}}


def read(machine, layer=None, dictionary=LINUX):
    text = klipper.printer_cfg(factory.describe(machine, layer), dictionary)
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_limits_and_steps():
    found = read("sim-corexy", {"printer": klipper.PLAIN})
    assert found["printer"]["kinematics"] == "corexy"
    limits = {"max_velocity": 400, "max_accel": 8000, "max_z_velocity": 15, "max_z_accel": 100, "square_corner_velocity": 5}
    for key, value in limits.items():
        assert float(found["printer"][key]) == value, key
    for name, steps_per_mm in (("stepper_x", 320), ("stepper_y", 320), ("stepper_z", 1600), ("extruder", 1662.338)):
        part = found[name]
        per_turn = int(part["full_steps_per_rotation"]) * int(part["microsteps"])
        assert per_turn / float(part["rotation_distance"]) == pytest.approx(steps_per_mm, rel=1e-12)
    assert "input_shaper" not in found and "pressure_advance" not in found["extruder"]


def test_shaper_and_pressure_advance():
    found = read("sim-corexy", {"printer": klipper.SHAPED})
    assert found["input_shaper"]["shaper_type_x"] == "mzv" and float(found["input_shaper"]["shaper_freq_x"]) == 55
    assert found["input_shaper"]["shaper_type_y"] == "ei" and float(found["input_shaper"]["damping_ratio_y"]) == 0.1
    assert float(found["extruder"]["pressure_advance"]) == 0.035
    assert float(found["extruder"]["pressure_advance_smooth_time"]) == 0.04


@pytest.mark.parametrize("dictionary", [LINUX, {"enumerations": {"pin": {"PA%d" % k: k for k in range(40)}}}, {"enumerations": {}}])
def test_each_pin_once(dictionary):
    found = read("sim-cartesian", None, dictionary)
    pins = [value for section in found.values() for key, value in section.items() if key.endswith("pin")]
    assert len(pins) == len(set(pins)) >= 16


def test_a_checkout_that_is_none(tmp_path):
    with pytest.raises(klipper.KlipperError, match="there is no klippy/klippy.py in it"):
        klipper.checkout(tmp_path)
    (tmp_path / "klippy").mkdir()
    (tmp_path / "klippy/klippy.py").touch()
    with pytest.raises(klipper.KlipperError, match="there is no out/klipper.dict in it"):
        klipper.checkout(tmp_path)
