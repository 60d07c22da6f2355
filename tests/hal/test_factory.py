"""Machine data: what comes with it is whole, and every kind of mistake is answered with file, path, value and what is allowed."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hal import factory
from hal.errors import ConfigError
from hal.stepcore import StepCore, config_fields, lib
from tools import machine_keys

ROOT = Path(__file__).resolve().parent.parent.parent
DATA_FILES = sorted(path for path in (ROOT / "boards").rglob("*.py") if path.name != "schema.py")


@pytest.fixture
def machine_file(tmp_path):
    def write(layer, name="my.json"):
        path = tmp_path / name
        path.write_text(layer if isinstance(layer, str) else json.dumps(layer))
        return str(path)

    return write


def deep(path, value):
    """{"a": {"b": value}} of "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


# -- what comes with it


@pytest.mark.parametrize("path", DATA_FILES, ids=lambda path: path.name)
def test_data_files_hold_one_literal(path):
    body = ast.parse(path.read_text()).body
    assert isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant), "a docstring first"
    assert len(body) == 2 and isinstance(body[1], ast.Assign) and body[1].targets[0].id == "DATA"
    ast.literal_eval(body[1].value)


def test_the_default_is_the_first():
    assert factory.machines()[0] == "sim-cartesian"
    assert factory.describe() == factory.describe("sim-cartesian")


def test_the_machines_of_the_design():
    cartesian = factory.core_config(factory.describe("sim-cartesian"))
    assert cartesian["kinematics"] == 0
    assert cartesian["steps_per_m"] == [80000, 80000, 400000, 95522, 1, 1, 1, 1]
    assert cartesian["max_um"] == [235000, 235000, 250000]
    assert (cartesian["max_velocity_um_s"], cartesian["max_accel_um_s2"], cartesian["max_jerk_mm_s3"]) == (300000, 3000000, 100000)
    corexy = factory.core_config(factory.describe("sim-corexy"))
    assert corexy["kinematics"] == 1
    assert corexy["steps_per_m"] == [320000, 320000, 1600000, 1662338, 1, 1, 1, 1]
    assert (corexy["max_velocity_um_s"], corexy["max_accel_um_s2"], corexy["max_jerk_mm_s3"]) == (400000, 8000000, 1000000)
    for config in (cartesian, corexy):
        assert (config["axis_velocity_um_s"][2], config["axis_accel_um_s2"][2], config["corner_um_s"]) == (15000, 100000, 5000)
        assert (config["max_e_velocity_um_s"], config["max_e_accel_um_s2"], config["e_corner_um_s"]) == (60000, 5000000, 5000)
        assert (config["max_step_hz"], config["dir_setup_ns"], config["tick_hz"], config["window"]) == (500000, 1000, 16000000, 256)


@pytest.mark.parametrize("name", factory.machines())
def test_core_config_has_every_field_as_integers(name):
    config = factory.core_config(factory.describe(name))
    fields = dict(config_fields(lib.pw_config_field))
    assert set(config) == set(fields) - {"abi"}
    for key, value in config.items():
        values = value if isinstance(value, list) else [value]
        assert len(values) == fields[key]
        assert all(type(number) is int for number in values), key
    assert StepCore(config, factory.port_config(factory.describe(name))).port


def test_describing_twice_shares_nothing():
    first = factory.describe("sim-corexy")
    first["printer"]["axes"]["x"]["max_mm"] = 1
    first["pcb"]["heaters"].clear()
    assert factory.describe("sim-corexy")["printer"]["axes"]["x"]["max_mm"] == 235
    assert factory.describe("sim-corexy")["pcb"]["heaters"]


def test_capabilities():
    cartesian = factory.caps(factory.describe("sim-cartesian"))
    assert cartesian.heaters == ("nozzle", "bed") and not cartesian.has_chamber and cartesian.has_bed
    corexy = factory.caps(factory.describe("sim-corexy"))
    assert corexy.heaters == ("nozzle", "bed", "chamber") and corexy.has_chamber
    assert corexy.max_um == (235000, 235000, 250000)
    assert set(corexy.max_target_c) == {"nozzle", "bed", "chamber"}


# -- files of users


def test_a_file_is_merged_deeply(machine_file):
    layer = {"printer": {"axes": {"x": {"max_mm": 300}}}, "settings": {"location": "hall"}}
    desc = factory.describe(machine_file({"from": "sim-cartesian", "name": "mine", **layer}))
    assert desc["name"] == "mine"
    assert desc["printer"]["axes"]["x"]["max_mm"] == 300
    assert desc["printer"]["axes"]["x"]["steps_per_mm"] == 80
    assert desc["printer"]["axes"]["y"]["max_mm"] == 235
    assert desc["settings"]["location"] == "hall" and desc["settings"]["printer_name"] == "Printwright"


def test_files_build_on_one_another(machine_file):
    machine_file({"from": "sim-corexy", "printer": {"extruder": {"nozzle_mm": 0.6}}}, "base.json")
    desc = factory.describe(machine_file({"from": "base.json", "printer": {"axes": {"z": {"max_mm": 400}}}}))
    assert desc["printer"]["extruder"]["nozzle_mm"] == 0.6
    assert desc["printer"]["axes"]["z"]["max_mm"] == 400


def test_null_takes_an_optional_part_away(machine_file):
    desc = factory.describe(machine_file({"from": "sim-corexy", "printer": {"heaters": {"chamber": None}}}))
    assert factory.caps(desc).heaters == ("nozzle", "bed")


def test_own_thermistor_tables(machine_file):
    table = [[0, 30000], [100, 1000], [400, 10]]
    layer = {"from": "sim-cartesian", "thermistors": {"mine": table}, "printer": {"heaters": {"nozzle": {"thermistor": "mine"}}}}
    assert factory.describe(machine_file(layer))["thermistors"]["mine"] == table


# -- mistakes


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("printer.axes.x.max_mm", "wide", "'wide'"),
        ("printer.axes.x.max_mm", True, "True"),
        ("printer.axes.x.max_mm", 1e400, "inf"),
        ("printer.axes.x.max_mm", float("nan"), "nan"),
        ("printer.axes.x.max_mm", None, "None"),
        ("printer.axes.x.steps_per_mm", 0, "from 0.001 to 10000"),
        ("printer.axes.x.steps_per_mm", -80, "-80"),
        ("printer.axes.x.max_mm", -1, "more than min_mm"),
        ("printer.axes.x.home_mm", 300, "from 0 to 235"),
        ("printer.axes.x.endstop_mm", 100, "at most 0 or at least 235"),
        ("printer.axes.x.endstop", "W-STOP", "X-STOP"),
        ("printer.axes.x.endstop", "Y-STOP", "taken by printer.axes"),
        ("printer.axes.x.motor", "Q", "E0, X, Y, Z"),
        ("printer.extruder.motor", "X", "taken by printer.axes.x.motor"),
        ("printer.axes.w", {"motor": "X"}, "known here: x, y, z"),
        ("printer.axes", 7, "7"),
        ("printer.kinematics", "polar", "cartesian, corexy"),
        ("printer.kinematics", 5, "5"),
        ("printer.motion.look_ahead", 3, "from 16 to 1024"),
        ("printer.motion.look_ahead", 100.5, "whole number"),
        ("printer.motion.shapers", "mzv", "unknown key"),
        ("printer.heaters.nozzle", None, "None"),
        ("printer.heaters.nozzle.max_c", 250, "below max_c"),
        ("printer.heaters.nozzle.min_c", 290, "below max_target_c"),
        ("printer.heaters.nozzle.max_c", 900, "-40 to 330"),
        ("printer.heaters.nozzle.thermistor", "pt100", "104gt-2, generic-3950"),
        ("printer.heaters.nozzle.sensor", "TX", "TB, TC, TH0"),
        ("printer.heaters.nozzle.sensor", "TB", "taken by"),
        ("printer.heaters.nozzle.heater", "HB", "taken by"),
        ("printer.heaters.nozzle.fan", "attic", "hotend, part"),
        ("printer.fans.part.fan", "FAN9", "FAN0, FAN1"),
        ("pcb.motors.X.step_pin", "PB12", "taken by pcb.motors"),
        ("pcb.heaters.HE0.pin", "", "a pin's name"),
        ("pcb.compatible", "toaster", "one of sim"),
        ("pcb.stall_ms", 1500, "below pcb.lease_ms"),
        ("pcb.rings.queue_runs", 100, "power of two"),
        ("pcb.flash.page_bytes", 100, "multiple of page_bytes"),
        ("pcb.flash.bytes", 100000, "multiple of sector_bytes"),
        ("pcb.flash.settings_bytes", 8388608, "at most half"),
        ("pcb.write_while_moving", 1, "true or false"),
        ("pcb.identify", ["dance"], "display, flash, sound, speak"),
        ("pcb.identify", ["sound", "sound"], "some of"),
        ("pcb.heaters", {"H%d" % i: {"pin": "P%d" % i} for i in range(9)}, "at most 8"),
        ("settings.printer_name", "x" * 128, "127 UTF-8 bytes"),
        ("settings.printer_name", "\ud800", "127 UTF-8 bytes"),
        ("settings.two words", 1, "settings.'two words'"),
        ("settings.\ud800", 1, "settings.'\\ud800'"),
        ("settings.colour", "blue", "unknown key"),
        ("thermistors.bad", [[0, 1000]], "2 to 64 pairs"),
        ("thermistors.bad", [[0, 1000], [10, 2000]], "falling"),
        ("thermistors.bad", [[0, 1000], ["warm", 20]], "pairs"),
        ("name", 5, "a text"),
    ],
)
def test_a_mistake_is_named(machine_file, key, value, said):
    path = machine_file({"from": "sim-cartesian", **deep(key, value)})
    with pytest.raises(ConfigError) as error:
        factory.describe(path)
    text = str(error.value)
    assert "my.json: " in text
    # where two keys contradict each other either may be named; it is in the same part
    assert key.rsplit(".", 1)[0].split(".")[0] in text
    assert said in text
    assert error.value.path.split(": ", 1)[1].split(".")[0] == key.split(".")[0]
    assert len(text) < 400


@pytest.mark.parametrize("key", ["printer.axes.x.max_mm", "pcb.heaters.HE0.pin", "printer.heaters.bed.pid.kp"])
def test_a_wrong_value_is_named_by_its_whole_path(machine_file, key):
    with pytest.raises(ConfigError) as error:
        factory.describe(machine_file({"from": "sim-cartesian", **deep(key, [])}))
    assert error.value.path.endswith("my.json: " + key)
    assert "not []" in error.value.problem


def test_a_file_from_nothing_misses_what_is_required(machine_file):
    with pytest.raises(ConfigError) as error:
        factory.describe(machine_file({"name": "empty"}))
    assert "missing" in str(error.value) and "pcb." in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '"sim"', "{'a': 1}", "\xff\xfe", '{"a": 1}}', "[" * 100000])
def test_what_is_no_machine_file(tmp_path, text):
    path = tmp_path / "my.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as error:
        factory.describe(str(path))
    assert "my.json" in str(error.value)


def test_unknown_machine_names_the_known_ones():
    with pytest.raises(ConfigError, match="sim-cartesian, sim-corexy"):
        factory.describe("sim-toaster")


def test_a_folder_is_no_machine(tmp_path):
    with pytest.raises(ConfigError, match="folder"):
        factory.describe(str(tmp_path))


def test_a_huge_file_is_not_read(machine_file):
    with pytest.raises(ConfigError, match="more than"):
        factory.describe(machine_file({"name": "x" * 70000}))


def test_files_in_a_circle_end(machine_file):
    path = machine_file({"from": "my.json"})
    with pytest.raises(ConfigError, match="build on one another"):
        factory.describe(path)


@pytest.mark.parametrize("base", [5, "", [], "nowhere.json"])
def test_a_wrong_base_is_named(machine_file, base):
    with pytest.raises(ConfigError):
        factory.describe(machine_file({"from": base}))


# -- the schema itself


def walk(node, path=""):
    if node[0] in ("group", "option"):
        yield path, node
        for key in node[1]:
            yield from walk(node[1][key], path + "." + key if path else key)
    elif node[0] == "parts":
        yield path, node
        yield from walk(node[1], path + ".NAME")
    else:
        yield path, node


def test_every_key_has_a_sentence_and_a_fitting_default():
    from boards.schema import DATA
    from hal import schema

    for path, node in walk(DATA):
        assert node[-1].endswith(".") and node[-1][0].isupper(), path
        if node[0] not in ("group", "option", "parts", "table") and node[-2] is not None:
            schema.check(node, node[-2], "default", [path])
    assert machine_keys.table() in (ROOT / "boards/SPEC.md").read_text(), "python -m tools.machine_keys --write"


# -- anything at all in any place


def paths(value, at=()):
    for key in sorted(value):
        yield (*at, key)
        if isinstance(value[key], dict):
            yield from paths(value[key], (*at, key))


WHOLE = factory.describe("sim-corexy")
PLACES = list(paths(WHOLE))
SOME = ["X", "TB", "PC9", "hotend", 1, 64, 0.5, "\ud800"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(SOME),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_in_any_place_makes_a_machine_or_a_clear_error(place, value):
    layer = deep(".".join(place), value) if all("." not in key for key in place) else {}
    try:
        desc = factory.describe("sim-corexy", layer)
        StepCore(factory.core_config(desc), factory.port_config(desc)).port.status()
    except ConfigError as error:
        assert len(str(error)) < 600


@given(text=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_machine_or_a_clear_error(tmp_path, text):
    path = tmp_path / "any.json"
    path.write_bytes(text)
    with pytest.raises(ConfigError):
        factory.describe(str(path))
