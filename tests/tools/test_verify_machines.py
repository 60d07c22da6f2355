"""The verifier on every kind of machine: streams of a simulator that shares nothing with the core pass, spoiled ones fail."""

import math

import numpy as np
import pytest

from hal import factory
from tests.tools.helpers_streams import save, simulate
from tools import stepheader
from tools.verify.gcode import VerifyError, plain_text, read
from tools.verify.kinematics import Kinematics
from tools.verify.verifier import verify

RADIUS = 174750
TOWERS = [(round(RADIUS * math.cos(a)), round(RADIUS * math.sin(a))) for a in np.radians((210, 330, 90))]
MACHINES = {
    "cartesian": {},
    "corexy": {"kinematics": 1},
    "corexz": {"kinematics": 2},
    "linear": {"kinematics": 3, "matrix_1e6": [1000000, 300000, 0, -200000, 900000, 100000, 0, 0, 1500000]},
    "delta": {"kinematics": 4, "arm_um": 333000, "tower_x_um": [x for x, _ in TOWERS], "tower_y_um": [y for _, y in TOWERS]},
    "skewed": {"skew_1e6": [10000, -5000, 3000]},
}
SHAPED = {"shaper": [3, 4, 0], "shaper_mhz": [55000, 45000, 0], "shaper_damping_1e4": [1000, 1000, 0]}
PRESSED = {"advance_us": [35000, 0, 0, 0, 0], "advance_smooth_us": 40000}

LEGS = [
    [(0, 0, 0, 0), (30, 17, 3, 2.5)],
    [(30, 17, 3, 2.5), (30, 17, 3, 1.6)],
    [(30, 17, 3, 1.6), (12.3, 40.7, 3, 4.1)],
    [(12.3, 40.7, 3, 4.1), (-2.3, 60, 3, 6.4)],
]
STOPS = (1, 3)
GCODE = "M83\nG1 F3000\nG1 X30 Y17 Z3 E2.5\nM400\nG1 E-0.9\nG1 X12.3 Y40.7 E2.5\nM400\nG1 X-2.3 Y60 E2.3\n"


def config(**changes):
    made = factory.core_config(factory.describe("sim-cartesian"))
    made.update(shaper=[0, 0, 0], advance_us=[0] * 5, min_um=[-100000, -100000, 0], axis_velocity_um_s=[0] * 3, axis_accel_um_s2=[0] * 3)
    made.update(changes)
    return made


def stream(folder, name, legs=LEGS, **changes):
    """Path of a simulated stream on a machine."""
    header = stepheader.describe_machine(config(**changes))
    return save(str(folder / (name + ".steps")), header, simulate(header, legs, 50, 900, 90000, STOPS))


@pytest.fixture
def gcode(tmp_path):
    path = tmp_path / "legs.gcode"
    path.write_text(GCODE)
    return str(path)


def wrong(gcode, path, plain=None):
    report = verify(gcode, path, plain)
    return {name: finding.why for name, finding in report.findings.items() if not finding.ok}


FINE = [80000 * 8] * 3 + [95522 * 8] + [1] * 4


# the simulator follows the carriage, the skew is the machine's: its own test is below
@pytest.mark.parametrize("machine", [name for name in MACHINES if name != "skewed"])
def test_every_kinematics(tmp_path, gcode, machine):
    path = stream(tmp_path, machine, **MACHINES[machine])
    assert not wrong(gcode, path)
    others = [name for name in MACHINES if name not in (machine, "skewed")]
    if machine != "cartesian":  # a stream of another machine does not pass
        header = stepheader.describe_machine(config(**MACHINES[machine]))
        plain = stepheader.describe_machine(config(**MACHINES["cartesian"]))
        bad = save(str(tmp_path / "bad.steps"), header, simulate(plain, LEGS, 50, 900, 90000, STOPS))
        assert {"path", "end"} & set(wrong(gcode, bad)), others


@pytest.mark.parametrize("machine", ["cartesian", "corexy", "delta"])
@pytest.mark.parametrize("shaping", [SHAPED, PRESSED, {**SHAPED, **PRESSED}], ids=["shaper", "advance", "both"])
def test_shaped_streams(tmp_path, gcode, machine, shaping):
    plain = stream(tmp_path, "plain", steps_per_m=FINE, max_step_hz=4000000, **MACHINES[machine])
    path = stream(tmp_path, "shaped", **MACHINES[machine], **shaping)
    assert not wrong(gcode, path, plain)
    # other pulses, no pulses, and a plan that comes a little later
    header = stepheader.describe_machine(config(**MACHINES[machine], **shaping))
    for name, change in (
        ("frequency", {"shaper_mhz": [30000, 45000, 0]}),
        ("plain", {"shaper": [0] * 3}),
        ("advance", {"advance_us": [20000, 0, 0, 0, 0]}),
    ):
        other = {**shaping, **change}
        if other.keys() != shaping.keys():
            continue
        motors = simulate(stepheader.describe_machine(config(**MACHINES[machine], **other)), LEGS, 50, 900, 90000, STOPS)
        assert "shaped" in wrong(gcode, save(str(tmp_path / "bad.steps"), header, motors), plain), name
    motors = simulate(header, LEGS, 50, 900, 90000, STOPS)
    late = [[ticks + 4000, dirs] for ticks, dirs in motors]
    assert "shaped" in wrong(gcode, save(str(tmp_path / "bad.steps"), header, late), plain)
    k = int(np.diff(motors[0][0]).argmin())
    motors[0] = [np.delete(part, [k, k + 1]) for part in motors[0]]
    assert {"shaped", "end"} <= set(wrong(gcode, save(str(tmp_path / "bad.steps"), header, motors), plain))


def test_a_plain_stream_of_its_own_is_needed(tmp_path, gcode):
    path = stream(tmp_path, "shaped", **SHAPED)
    with pytest.raises(VerifyError, match="--plain"):
        verify(gcode, path)
    with pytest.raises(VerifyError, match="shaped itself"):
        verify(gcode, path, path)
    with pytest.raises(VerifyError, match="limits differ"):
        verify(gcode, path, stream(tmp_path, "other", max_accel_um_s2=1000000))


@pytest.mark.parametrize("machine", list(MACHINES))
def test_there_and_back(machine):
    kinematics = Kinematics(stepheader.describe_machine(config(**MACHINES[machine])))
    at = np.random.default_rng(1).uniform((-80, -80, 0), (80, 80, 200), (500, 3))
    assert np.allclose(kinematics.carriage_of(kinematics.motors_of(at)), at, atol=1e-9)
    slope = (kinematics.places(at + [1e-4, 0, 0]) - kinematics.places(at)) / 1e-4
    assert (np.abs(slope) <= kinematics.gradients(at) + 1e-4).all()


def test_skew_and_mesh():
    tells = stepheader.describe_machine(config(**MACHINES["skewed"], home_um=[10000, 20000, 0]))
    tells["mesh"] = {"min_mm": [0, 0], "step_mm": [10, 20], "z_mm": [[0.1, 0.2], [0.3, -0.4]], "fade_mm": [1, 11]}
    kinematics = Kinematics(tells)
    at = np.array([[10.0, 20.0, 0.0], [0, 0, 0], [5, 10, 0.5], [5, 10, 6], [5, 10, 50], [-9, 99, 0]])
    lift = np.array([-0.4, 0.1, 0.05, 0.025, 0, 0.3]) + 0.4  # less what it is at the home position
    assert np.allclose(kinematics.mesh.lift(at), lift)
    found = kinematics.carriage(at)
    x, y, z = found.T
    # the machine's own lean brings the nozzle back: x gains xy a mm of y, xz of z; y gains yz of z
    xy, xz, yz = 0.01, -0.005, 0.003
    up = z - lift
    assert np.allclose(z, at[:, 2] + lift) and np.allclose(y - 20 + yz * z, at[:, 1] - 20)
    assert np.allclose(x - 10 + xy * (y - 20) + xz * z, at[:, 0] - 10, atol=1e-3), up


# -- the interpreter ---------------------------------------------------------------------------------------------------------------


def interpreted(tmp_path, text, **changes):
    path = tmp_path / "a.gcode"
    path.write_text(text)
    return read(str(path), stepheader.describe_machine(config(**changes)))


def test_planes(tmp_path):
    moves = interpreted(tmp_path, "G1 X20 Y30 Z10 F3000\nG18\nG2 X30 Z20 I10 K0\nG19\nG3 Y20 Z30 K10 X40\nG17\nG3 X50 Y10 J-10\n")
    at, line = moves.points[1:, :3], moves.line
    first = at[line == 3]  # z to x is right-handed about y: clockwise from (20, 10) to (30, 20) goes the long way, below
    assert np.allclose(np.hypot(first[:, 0] - 30, first[:, 2] - 10), 10, atol=1e-6) and np.allclose(first[:, 1], 30)
    assert np.allclose(first[-1], [30, 30, 20]) and first[:, 2].min() < 0.001
    second = at[line == 5]
    assert np.allclose(np.hypot(second[:, 1] - 30, second[:, 2] - 30), 10, atol=1e-6)
    assert np.allclose(second[-1], [40, 20, 30]) and (np.diff(second[:, 0]) > 0).all()


def test_tools(tmp_path):
    two = {"motors": 5, "steps_per_m": [80000] * 3 + [95522] * 2 + [1] * 3, "tool_x_um": [0, 20000, 0, 0, 0]}
    moves = interpreted(tmp_path, "M83\nG1 X50 Y10 F3000\nG1 X60 E1\nT1\nG1 Y20\nG1 X70 E2\nT0\nG1 X60 E1\n", **two)
    assert moves.points[:, 0].tolist() == [0, 50, 60, 40, 50, 70, 60]
    assert moves.tool.tolist() == [0, 0, 1, 1, 0, 0]
    assert moves.stop[2] == 0 and moves.stop[4] == 0


def test_firmware_retraction(tmp_path):
    tells = {"retract_um": 800, "retract_lift_um": 400, "unretract_extra_um": 100, "retract_um_s": 35000, "unretract_um_s": 20000}
    moves = interpreted(tmp_path, "G1 X50 Z1 F3000\nG10\nG10\nG1 X60\nG11\nG1 X70\nG11\n", **tells)
    assert np.allclose(moves.points[:, 2], [0, 1, 1, 1.4, 1.4, 1, 1, 1])
    assert np.allclose(moves.points[:, 3], [0, 0, -0.8, -0.8, -0.8, -0.8, 0.1, 0.1])
    assert moves.feed[1] == 35 and moves.feed[5] == 20


def test_pressure_advance_goes_down_only(tmp_path):
    moves = interpreted(tmp_path, "M83\nG1 X50 E1 F3000\nM900 K0.02\nG1 X60 E1\nM900 K0.9\nG1 X70 E1\n", **PRESSED)
    assert moves.advance.tolist() == [0.035, 0.02, 0.035] and moves.stop[1] == moves.stop[2] == 0
    text = plain_text(str(tmp_path / "a.gcode"), stepheader.describe_machine(config(**PRESSED)))
    assert text == b"M83\nG1 X50 E1 F3000\nM400\nG1 X60 E1\nM400\nG1 X70 E1\n"
