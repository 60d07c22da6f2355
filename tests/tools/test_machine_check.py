"""What the motion core refuses of a machine file is told by file and key."""

import json

import pytest

from hal import factory
from hal.errors import ConfigError
from hal.stepcore import config_fields, lib
from tools import machine_check

FAST = {"pcb": {"tick_hz": 1000000}, "printer": {"motion": {"max_velocity_mm_s": 1000}}}
FLAT = {"printer": {"kinematics": "linear", "matrix": {"a": {"x": 1}, "b": {"x": 1}, "c": {"z": 1}}}}


@pytest.mark.parametrize(
    "name, layer, told",
    [
        ("sim-delta", {"printer": {"delta": {"arm_mm": 100}}}, "printer.delta.arm_mm: 100 is out of range"),
        ("sim-delta", {"printer": {"delta": {"b": {"x_mm": -151.338}}}}, "printer.delta."),
        ("sim-cartesian", FAST, "printer.motion.max_velocity_mm_s: 1000 is"),
        ("sim-cartesian", FLAT, "printer.matrix."),
    ],
)
def test_geometry_is_told_by_its_key(tmp_path, name, layer, told):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"from": name, **layer}))
    with pytest.raises(ConfigError) as error:
        machine_check.describe(str(path))
    assert str(error.value).startswith("%s: %s" % (path, told)), error.value


def test_every_field_has_a_key():
    """And the key is one that a machine file has."""
    description = factory.describe(
        "sim-delta", {"printer": {"motion": {"shaper": {axis: {"type": "zv", "frequency_hz": 50} for axis in "xyz"}}}}
    )
    description["printer"]["matrix"] = {row: dict.fromkeys("xyz", 0) for row in "abc"}
    for number in range(1, 5):
        description["printer"]["extruder%d" % number] = description["printer"]["extruder1"] or {
            key: 0 for key in ("steps_per_mm", "x_mm", "y_mm", "z_mm", "pressure_advance_s")
        }
    for name, length in config_fields(lib.pw_config_field):
        if name == "abi":
            continue
        for index in range(length):
            if name.startswith("tool_") and index == 0:  # always 0
                continue
            node = description
            for key in machine_check.key_of("%s[%d]" % (name, index) if length > 1 else name).split("."):
                assert key in node, (name, index, key)
                node = node[key]


def test_what_comes_with_it_is_taken():
    for name in factory.machines():
        assert machine_check.describe(name) == factory.describe(name)
