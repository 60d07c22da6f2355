"""Builds of the core that leave features out: the same stream for machines that do without, a clear refusal for the others."""

import ctypes

import pytest

from native.port.bare import build as bare
from tests.emulated import helpers_targets as targets
from tools import golden

PROGRAMS = dict(golden.corpus())
CHOSEN = ["programs/arcs.gcode", "programs/marks.gcode", "programs/advance.gcode", "sliced/cura_boat.gcode:6144"]
UNSHAPED = {"shaper": [0, 0, 0], "advance_us": [0, 0, 0, 0, 0]}
# build: machines of the golden table that it can be, and what is changed in them
ABLE = {
    "plain": [("sim-cartesian", {}), ("sim-corexy", UNSHAPED), ("sim-cartesian", {"kinematics": 2})],
    "mesh": [("sim-cartesian", {"mesh_points": 81})],
    "shaped": [("sim-corexy", {}), ("two-tools", {}), ("sim-cartesian", {})],
}
SKEWED, SHAPED = {"skew_1e6": [0, 0, 700]}, {"shaper": [0, 3, 0]}
LINEAR = {"kinematics": 3, "matrix_1e6": [1000000, 0, 0, 0, 1000000, 0, 0, 0, 1000000]}
# build, machine, changes, the field that is named
REFUSED = [
    ("plain", "sim-delta", {"mesh_points": 0}, "kinematics"),
    ("plain", "sim-cartesian", LINEAR, "kinematics"),
    ("plain", "sim-cartesian", SKEWED, "skew_1e6[2]"),
    ("plain", "sim-cartesian", SHAPED, "shaper[1]"),
    ("plain", "two-tools", {}, "advance_us[0]"),
    ("plain", "sim-cartesian", {"mesh_points": 81}, "mesh_points"),
    ("mesh", "sim-corexy", {}, "shaper[0]"),
    ("shaped", "sim-cartesian", {"mesh_points": 81}, "mesh_points"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return targets.build_host("gcc", ["-O1"], tmp_path_factory.mktemp("whole") / "host")


@pytest.mark.parametrize("features", ABLE)
def test_the_stream_is_the_same(features, whole, tmp_path):
    cases = [
        targets.Case(targets.machine_config(machine, **changes), PROGRAMS[name], piece=300)
        for machine, changes in ABLE[features]
        for name in CHOSEN
    ]
    (tmp_path / "cases").write_bytes(targets.pack(cases))
    program = targets.build_host("gcc", ["-O1", *bare.without(features)], tmp_path / "host")
    streams = [answer.stream() for answer in targets.run_host(program, tmp_path / "cases")]
    assert streams == [answer.stream() for answer in targets.run_host(whole, tmp_path / "cases")]
    assert all(sum(stream["steps"]) > 1000 for stream in streams)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")
    made = {}
    for name in ["plain", "mesh", "shaped", "whole"]:
        flags = [*targets.STRICT, "-O0", "-fPIC", "-shared", *bare.without(name), "-Inative/include"]
        targets._done(["gcc", *flags, *bare.core_sources(), "-o", folder / name])
        made[name] = ctypes.CDLL(str(folder / name))
        made[name].pw_config_field.restype = ctypes.c_char_p
        made[name].pw_core_size.restype = ctypes.c_size_t
    return made


def refusal(library, config):
    """(error, field) of pw_init."""
    words = targets.Case(config, b"").words
    memory, core, bad = (ctypes.c_int64 * 50_000)(), ctypes.c_void_p(), ctypes.c_int32(-1)
    place = (ctypes.c_int32 * len(words))(*words)
    error = library.pw_init(memory, ctypes.c_size_t(ctypes.sizeof(memory)), place, ctypes.byref(core), ctypes.byref(bad))
    assert (library.pw_core_size(place) == 0) == (error != 0)
    return error, library.pw_config_field(bad).decode() if bad.value >= 0 else None


@pytest.mark.parametrize("features, machine, changes, field", REFUSED)
def test_a_machine_that_asks_for_more_is_refused(features, machine, changes, field, libraries):
    config = targets.machine_config(machine, **changes)
    assert refusal(libraries[features], config) == (targets.stepcore.PW_E_FEATURE, field)
    assert refusal(libraries["whole"], config) == (0, None)


def test_what_is_out_of_range_is_told_first(libraries):
    config = targets.machine_config("sim-cartesian", **{**SHAPED, "window": 8})
    assert refusal(libraries["plain"], config) == (targets.stepcore.PW_E_CONFIG, "window")
