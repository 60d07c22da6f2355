"""The verifier finds what it is there for: streams of the core, told to be of a machine or an operator that differs a little."""

import pytest

from tests.native.helpers_machines import base, run
from tests.tools.helpers_streams import save
from tools import stepfile, stepheader
from tools.verify.verifier import verify

TEXT = (
    b"G28\nG90\nM83\nG1 Z0.4 F600\nG1 X20 Y20 F12000\nG1 E3 F1500\nG1 X60 Y31 E1.6 F9000\nG1 X61 Y90 E2\nM400\nG1 X30 Y40 E2.1 F3000\n"
    b"M400\nG1 X62 Y48 F12000\nM400\nG1 X30 Y40\nG1 X180 Y150\nG18\nG3 X200 I10 E1\nG17\nG1 X100 Y100 E1 F12000\n"
)
HEIGHTS = [(k * 7919 % 401 - 200) * 1000 for k in range(30)]
MESH = ([1, 6, 5, 5000, 5000, 45000, 50000, 1000, 9000], HEIGHTS)
OVERRIDES = [[7, 1000, 900, 0], [9, 600, 1000, 100], [14, 1500, 1100, 40]]


def judged(folder, config, told=None, mesh=None, told_mesh=None, overrides=(), told_overrides=None):
    """Names of the rules that a stream breaks when it is told to be of the machine `told`."""
    gcode, path = folder / "a.gcode", folder / "a.steps"
    gcode.write_bytes(TEXT)
    result = run(config, TEXT, out=path, mesh=mesh, overrides=overrides)
    assert result.error is None
    header = stepheader.describe_machine(told or config, told_mesh or mesh, told_overrides or overrides)
    if told or told_mesh or told_overrides:
        steps = stepfile.StepFile(str(path))
        motors = [(steps.ticks(motor), steps.dirs(motor)) for motor in range(len(steps.steppers))]
        path = save(str(folder / "b.steps"), header, motors)
    return verify(str(gcode), str(path)).failed()


@pytest.mark.parametrize("kinematics", ["cartesian", "corexy"])
def test_a_mesh_is_judged(tmp_path, kinematics):
    config = base(mesh_points=30, kinematics=int(kinematics == "corexy"))
    for kind in (0, 1):
        shape = [kind, *MESH[0][1:]]
        assert not judged(tmp_path, config, mesh=(shape, HEIGHTS))
        # the other interpolation, a point that is 20 um higher, another fade
        higher = [height + 20000 * (k == 8) for k, height in enumerate(HEIGHTS)]
        for other in (([1 - kind, *shape[1:]], HEIGHTS), (shape, higher), ([*shape[:7], 1000, 40000], HEIGHTS)):
            assert "path" in judged(tmp_path, config, mesh=(shape, HEIGHTS), told_mesh=other)


def test_z_keeps_its_limits_on_a_mesh(tmp_path):
    config = base(mesh_points=30)
    slower = dict(config, axis_velocity_um_s=[0, 0, 400])
    assert "mesh_speed" in judged(tmp_path, config, slower, mesh=MESH)


def test_overrides_and_baby_steps_are_judged(tmp_path):
    config = base()
    assert not judged(tmp_path, config, overrides=OVERRIDES)
    for line, column in ((0, 2), (1, 3), (2, 2)):  # a little more flow, height
        other = [list(tells) for tells in OVERRIDES]
        other[line][column] += 20
        assert {"path", "end"} & set(judged(tmp_path, config, overrides=OVERRIDES, told_overrides=other)), (line, column)
    slower = [[7, 1000, 900, 0], [9, 600, 1000, 100], [14, 1400, 1100, 40]]
    assert "speed" in judged(tmp_path, config, overrides=OVERRIDES, told_overrides=slower)


def test_the_minimum_cruise_ratio_is_judged(tmp_path):
    for share, other in ((0, 500), (300, 500), (500, 700), (900, None)):
        config = base(min_cruise_permille=share, window=1024)
        assert not judged(tmp_path, config)
        if other:
            assert judged(tmp_path, config, dict(config, min_cruise_permille=other)) == ["cruise"], share


def test_z_keeps_its_limits_where_a_mesh_fades(tmp_path):
    """Straight up at the limit of z while the lift of a low bed goes: z of the machine is faster than the program's by 8 %."""
    config = base(mesh_points=4)
    for kind in (0, 1):
        mesh = ([kind, 2, 2, 0, 0, 100000, 100000, 1000, 11000], [-800000] * 4)
        gcode = tmp_path / "up.gcode"
        gcode.write_bytes(b"G1 Z15 F60000\nG1 Z3\nG1 X90 Z12\n")
        assert run(config, gcode.read_bytes(), out=tmp_path / "a.steps", mesh=mesh).error is None
        report = verify(str(gcode), str(tmp_path / "a.steps"))
        assert report.ok and report["mesh_speed"].ratio > 0.95, report.failed()
