"""The verifier: right streams pass, and each way to spoil one is found for the right reason."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from hal import factory
from tests.tools.helpers_programs import program
from tests.tools.helpers_streams import SQUARE, description, load, make, save, simulate
from tools import stepheader, steps
from tools.verify.gcode import VerifyError, plain_text, read
from tools.verify.verifier import verify

SLICED = os.path.join(os.path.dirname(__file__), "..", "vectors", "sliced")
MACHINES = ("sim-cartesian", "sim-corexy")


@pytest.fixture(scope="module", params=MACHINES)
def good(request, tmp_path_factory):
    """(machine name, G-code path, step path) of the test square, made by the core."""
    return (request.param, *make(tmp_path_factory.mktemp("good"), SQUARE, description(request.param)))


def judged(gcode, path):
    report = verify(gcode, path)
    return report, {name: finding.why for name, finding in report.findings.items() if not finding.ok}


# -- right streams -----------------------------------------------------------------------------------------------------------------


def test_the_cores_stream_passes(good):
    report, wrong = judged(*good[1:])
    assert not wrong
    assert report["dwell"].checked and report["stops"].checked and report["corner"].checked > 10
    # not only kept: the limits are also reached, so the figures mean something
    for name in ("speed", "accel", "jerk"):
        assert report[name].ratio > 0.97, name


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["prusa_plate_arcs", "prusa_vase_spiral", "cura_boat", "cura_plate_relative_e"])
def test_sliced_files_pass(tmp_path, name, machine):
    with open(os.path.join(SLICED, name + ".gcode"), encoding="ascii") as file:
        gcode, path = make(tmp_path, file.read(), description(machine))
    report, wrong = judged(gcode, path)
    assert not wrong
    assert report.totals["steps"] > 100000


LEGS = [
    [(0, 0, 0, 0), (30, 17, 0, 0.5)],
    [(30, 17, 0, 0.5), (30, 17, 0, -0.4)],
    [(30, 17, 0, -0.4), (12.3, 40.7, 0, 0.1)],
    [(12.3, 40.7, 0, 0.1), (12.3, 60, 0, 0.4)],
]
LEGS_GCODE = "M83\nG1 F3000\nG1 X30 Y17 E0.5\nM400\nG1 E-0.9\nG1 X12.3 Y40.7 E0.5\nM400\nG1 Y60 E0.3\n"


def simulated(tmp_path, machine, legs, gcode, v, a, j):
    text = tmp_path / "leg.gcode"
    text.write_text(gcode)
    header = stepheader.describe_machine(factory.core_config(description(machine)))
    return judged(str(text), save(str(tmp_path / "leg.steps"), header, simulate(header, legs, v, a, j)))


@pytest.mark.parametrize("machine", MACHINES)
def test_an_independent_simulators_stream_passes(tmp_path, machine):
    _, wrong = simulated(tmp_path, machine, LEGS, LEGS_GCODE, 50, 900, 90000)
    assert not wrong


def test_constant_acceleration_breaks_the_jerk_limit(tmp_path):
    _, wrong = simulated(tmp_path, "sim-cartesian", LEGS, LEGS_GCODE, 50, 900, None)
    assert "jerk" in wrong and "path" not in wrong and "accel" not in wrong


def test_a_circle_at_full_speed_breaks_the_curve_rule(tmp_path):
    points = [(20 * math.sin(a), 20 - 20 * math.cos(a), 0, 0) for a in np.linspace(0, 2, 400)]
    gcode = "G1 F9000\n" + "".join("G1 X%.5f Y%.5f\n" % point[:2] for point in points[1:])
    header_accel = 3000
    slow = 0.9 * math.sqrt(header_accel * 20)
    _, wrong = simulated(tmp_path, "sim-cartesian", [points], gcode, min(slow, 140), 2000, 90000)
    assert not wrong
    points = [(2 * math.sin(a), 2 - 2 * math.cos(a), 0, 0) for a in np.linspace(0, 6, 200)]
    gcode = "G1 F9000\n" + "".join("G1 X%.5f Y%.5f\n" % point[:2] for point in points[1:])
    _, wrong = simulated(tmp_path, "sim-cartesian", [points], gcode, 125, 2900, 90000)
    assert list(wrong) == ["curve"]


# -- spoiled streams ---------------------------------------------------------------------------------------------------------------


def fast_step(motors, motor):
    """Index of a step in the middle of the fastest stretch of a motor."""
    gaps = np.convolve(np.diff(motors[motor][0]), np.ones(41), "valid")
    return int(gaps.argmin()) + 20


def shift_a_step(motors, header):
    k = fast_step(motors, 0)
    motors[0][0][k] += round(4e-6 * header["clock_hz"])


def drop_a_step(motors, header):
    k = fast_step(motors, 0)
    motors[0] = [np.delete(part, k) for part in motors[0]]


def drop_a_pair(motors, header):
    """One step up and one step down are lost, so that the end is right."""
    ticks, dirs = motors[0]
    up, down = np.flatnonzero(dirs > 0), np.flatnonzero(dirs < 0)
    motors[0] = [np.delete(part, [up[len(up) // 3], down[len(down) // 2]]) for part in motors[0]]


def add_a_pair(motors, header):
    k = fast_step(motors, 1)
    ticks, dirs = motors[1]
    gap = (ticks[k + 1] - ticks[k]) // 3
    motors[1] = [np.insert(ticks, k + 1, [ticks[k] + gap, ticks[k] + 2 * gap]), np.insert(dirs, k + 1, [dirs[k], -dirs[k]])]


def turn_a_step(motors, header):
    motors[0][1][fast_step(motors, 0)] *= -1


def swap_motors(motors, header):
    motors[0], motors[1] = motors[1], motors[0]


def faster(motors, header):
    for motor in motors:
        motor[0] = (motor[0] / 1.2).astype(np.int64)


def late_extruder(motors, header):
    motors[3][0] = motors[3][0] + round(0.02 * header["clock_hz"])


def lost_filament(motors, header):
    ticks, dirs = motors[3]
    lost = round(0.2 / header["steppers"][3]["step_mm"])
    forward = np.flatnonzero(dirs > 0)[lost : 2 * lost]
    motors[3] = [np.delete(part, forward) for part in motors[3]]


def ticks_fall(motors, header):
    k = fast_step(motors, 1)
    motors[1][0][k] = motors[1][0][k + 1] + 3


def no_direction(motors, header):
    motors[2][1][3] = 0


def too_close(motors, header):
    k = fast_step(motors, 0)
    motors[0][0][k] = motors[0][0][k + 1] - round(1e-6 * header["clock_hz"])


def quick_reversal(motors, header):
    ticks, dirs = motors[0]
    k = int(np.flatnonzero(np.diff(dirs))[0])
    ticks[k + 1] = ticks[k] + round(0.5e-6 * header["clock_hz"])


def early_motion(motors, header):
    """The pause is cut out."""
    last = np.concatenate([motor[0] for motor in motors])
    last.sort()
    k = int(np.diff(last).argmax())
    cut = last[k + 1] - last[k] - round(0.05 * header["clock_hz"])
    for motor in motors:
        motor[0] = np.where(motor[0] > last[k], motor[0] - cut, motor[0])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (shift_a_step, "timing"),
        (drop_a_step, "end"),
        (drop_a_pair, "stops|path"),
        (add_a_pair, "timing|path"),
        (turn_a_step, "path|end"),
        (swap_motors, "path"),
        (faster, "speed"),
        (faster, "accel"),
        (faster, "jerk"),
        (late_extruder, "path"),
        (lost_filament, "end"),
        (lost_filament, "path"),
        (ticks_fall, "ticks"),
        (no_direction, "ticks"),
        (too_close, "step_rate"),
        (quick_reversal, "dir_setup"),
        (early_motion, "dwell"),
    ],
)
def test_spoiled_streams_fail(good, tmp_path, spoil, reason):
    _, gcode, path = good
    header, motors = load(path)
    spoil(motors, header)
    _, wrong = judged(gcode, save(str(tmp_path / "bad.steps"), header, motors))
    assert set(reason.split("|")) & set(wrong), wrong


@pytest.mark.parametrize(
    ("motion", "reason"),
    [
        ({"max_accel_mm_s2": 2}, "accel"),
        ({"max_jerk_mm_s3": 2}, "jerk"),
        ({"corner_mm_s": 3}, "corner"),
        ({"z.max_velocity_mm_s": 2}, "speed"),
        ({"z.max_accel_mm_s2": 3}, "accel"),
    ],
)
@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_that_takes_more_fails(tmp_path, machine, motion, reason):
    """A core with higher limits than the header says."""
    text = SQUARE.replace("M204 S2000\n", "").replace("M204 S1000\n", "").replace("G1 Z0.8 F600", "G1 Z10.8 F3000")
    key, factor = next(iter(motion.items()))
    plain, more = description(machine), description(machine)
    axis, _, name = key.rpartition(".")
    part = more["printer"]["axes"][axis] if axis else more["printer"]["motion"]
    part[name] *= factor
    gcode, path = make(tmp_path, text, plain)
    assert not judged(gcode, path)[1]
    header, _ = load(path)
    _, path = make(tmp_path, text, more, "more")
    _, motors = load(path)
    _, wrong = judged(gcode, save(str(tmp_path / "bad.steps"), header, motors))
    assert reason in wrong and "path" not in wrong, wrong


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("M204 S1000", "M204 S1500", "accel"),
        ("G1 X100 Y80 E1.8 F12000", "G1 X100 Y80 E1.8 F12600", "speed"),
        ("G1 X60 Y60 E1.4", "G1 X60.03 Y60 E1.4", "path"),
        ("G2 X40 Y50 I10 J0", "G3 X40 Y50 I10 J0", "path"),
        ("G1 X50.2 Y31.5 E0.02", "G1 X50.2 Y31.5 E0.09", "path"),
        ("G4 P300", "G4 P200", "dwell"),
    ],
)
def test_steps_of_other_gcode_fail(good, tmp_path, old, new, reason):
    machine, gcode, _ = good
    assert old in SQUARE
    _, path = make(tmp_path, SQUARE.replace(old, new), description(machine))
    _, wrong = judged(gcode, path)
    assert reason in wrong, wrong


def test_missing_motion_and_missing_steps(good, tmp_path):
    _, gcode, path = good
    header, motors = load(path)
    half = [[part[: len(part) // 2] for part in motor] for motor in motors]
    _, wrong = judged(gcode, save(str(tmp_path / "half.steps"), header, half))
    assert "end" in wrong
    none = [[part[:0] for part in motor] for motor in motors]
    _, wrong = judged(gcode, save(str(tmp_path / "none.steps"), header, none))
    assert "end" in wrong
    empty = tmp_path / "empty.gcode"
    empty.write_text("; nothing\n")
    _, wrong = judged(str(empty), path)
    assert "end" in wrong
    _, wrong = judged(str(empty), str(tmp_path / "none.steps"))
    assert not wrong


# -- the interpreter ---------------------------------------------------------------------------------------------------------------


def interpreted(tmp_path, text):
    path = tmp_path / "a.gcode"
    path.write_text(text)
    header = stepheader.describe_machine(factory.core_config(factory.describe("sim-cartesian")))
    return read(str(path), header)


def test_modal_state(tmp_path):
    moves = interpreted(tmp_path, "G20\nG1 X1 F60 ; inch\nG21\nG91\nM83\nG1 X-.4Y2E.5\nG90\nM82\nG92 E0\nG1 X10 E1.5 (note) F1200\ng1 z1\n")
    assert np.allclose(moves.points[:, 0], [0, 25.4, 25, 10, 10])
    assert np.allclose(moves.points[:, 3], [0, 0, 0.5, 2.0, 2.0])
    assert np.allclose(moves.feed, [25.4, 25.4, 20, 20])
    assert moves.line.tolist() == [2, 6, 10, 11]


def test_limits_go_down_only(tmp_path):
    moves = interpreted(tmp_path, "M204 P9000 T800\nM205 X2 E1\nM203 X50 Z4\nM201 Z20\nG1 X10 E1 F9000\nG1 X20\n")
    assert moves.accel.tolist() == [3000, 800]
    assert moves.scv.tolist() == [2, 2] and moves.e_jump.tolist() == [1, 1]
    assert moves.feed.tolist() == [150, 150] and moves.x_speed.tolist() == [50, 50] and moves.y_speed.tolist() == [300, 300]
    assert moves.z_speed.tolist() == [4, 4] and moves.z_accel.tolist() == [20, 20]


def test_arcs(tmp_path):
    moves = interpreted(tmp_path, "G1 X20 Y10 F3000\nG3 X10 Y20 I-10 J0\nG2 X20 Y10 R10\nG2 I-5 J0\n")
    first = moves.points[moves.line.tolist().index(2) + 1 :]
    assert np.allclose(np.hypot(first[:50, 0] - 10, first[:50, 1] - 10), 10, atol=1e-6)
    assert (first[:50, 0] > 10).all()
    third = moves.points[1:][moves.line == 3]
    assert np.allclose(np.hypot(third[:, 0] - 10, third[:, 1] - 10), 10, atol=1e-6)
    circle = moves.points[1:][moves.line == 4]
    assert np.allclose(circle[-1, :2], [20, 10]) and np.isclose(circle[:, 0].min(), 10, atol=1e-3)


def test_motion_before_f_is_named(tmp_path):
    with pytest.raises(VerifyError, match="line 2"):
        interpreted(tmp_path, "\nG1 X1\n")


# -- the command -------------------------------------------------------------------------------------------------------------------


def run_command(*arguments):
    return subprocess.run([sys.executable, "-m", "tools.verify", *arguments], capture_output=True, text=True)


def test_command(good, tmp_path):
    _, gcode, path = good
    done = run_command(gcode, path, "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0 and result["ok"] and result["rules"]["jerk"]["checked"] > 100
    header, motors = load(path)
    drop_a_step(motors, header)
    bad = save(str(tmp_path / "bad.steps"), header, motors)
    done = run_command(gcode, bad)
    assert done.returncode == 1 and "FAIL end" in done.stdout and "motor" in done.stdout
    done = run_command(gcode, gcode)
    assert done.returncode == 1 and "no step file" in done.stderr
    assert run_command(gcode).returncode == 2


# -- random programs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("seed", range(1000, 1008))
def test_random_programs_pass(tmp_path, machine, seed):
    gcode, path = make(tmp_path, program(seed), description(machine))
    assert not judged(gcode, path)[1], "seed %d" % seed


# -- shaped, as the machine comes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SQUARE, program(1001), program(1002)], ids=["square", "1001", "1002"])
def test_the_shaped_machine_follows_its_plan(tmp_path, text):
    machine = factory.describe("sim-corexy")
    assert machine["printer"]["motion"]["shaper"]["x"]
    gcode, path = make(tmp_path, text, machine)
    _, plain = make(tmp_path, plain_text(gcode, load(path)[0]).decode(), steps.plain_machine(machine), "plain")
    report = verify(gcode, path, plain)
    assert report.ok, {name: finding.why for name, finding in report.findings.items() if not finding.ok}
    assert report["shaped"].checked > 10000
    done = run_command(gcode, path)
    assert done.returncode == 1 and "--plain" in done.stderr
    assert run_command(gcode, path, "--plain", plain).returncode == 0
