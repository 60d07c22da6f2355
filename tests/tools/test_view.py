"""`printwright view`: the figures behind the pictures, and that pictures come out with something on them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hal import factory
from tests.tools.helpers_streams import SQUARE, description, make
from tools import stepheader, view, viewdata

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PLATE = os.path.join(ROOT, "tests", "vectors", "sliced", "prusa_plate.gcode")


def pixels(path):
    """(height, width, 3) of a PNG as floats."""
    from matplotlib.image import imread

    return imread(path)[:, :, :3]


def most(curve):
    """Largest absolute value of a (low, high) pair."""
    return max(np.abs(curve[0]).max(), np.abs(curve[1]).max())


def test_path_of_gcode(tmp_path):
    path = tmp_path / "a.gcode"
    path.write_text("M83\nG1 X30 Y40 F6000\nG1 X60 Y40 E1.5\nG1 E-1\nG1 Z2 X60\n")
    drawn, _ = view.load(str(path))
    assert drawn.length_mm == pytest.approx(82, abs=0.05) and drawn.printed_mm == pytest.approx(30, abs=0.3)
    assert drawn.filament_mm == pytest.approx(0.5, abs=0.02)
    ends = [np.abs(drawn.points - corner).sum(1).min() for corner in ([30, 40, 0], [60, 40, 0], [60, 40, 2])]
    assert max(ends) < 0.05 and len(drawn.points) < 20
    assert np.allclose(drawn.points[1:][drawn.printing][:, 1], 40, atol=0.02), "only the second line prints"


@pytest.mark.parametrize("machine", ["sim-cartesian", "sim-corexy", "sim-delta"])
def test_motion_of_steps(tmp_path, machine):
    # a tower that turns makes no step for long, and nobody sees where it is meanwhile
    slack = 0.06 if machine == "sim-delta" else 0.01
    if machine == "sim-delta":
        text = "G1 Z100 F6000\nG1 X40 Y30 F6000\nG4 P200\nG1 X40 Y-50 F3000\n"
    else:
        text = "G1 X100 Y50 F6000\nG4 P200\nG1 X100 Y150 F3000\n"
    _, out = make(tmp_path, text, description(machine))
    path, motion = viewdata.load_steps(out)
    end = [40, -50] if machine == "sim-delta" else [100, 150]
    assert np.allclose(path.points[-1][:2], end, atol=0.03)
    way = 200 + 50 + 80 if machine == "sim-delta" else np.hypot(100, 50) + 100
    assert path.length_mm == pytest.approx(way, rel=2e-3)
    assert most(motion.curves["speed"]) == pytest.approx(100, rel=slack)
    last = motion.t[:-1] > motion.t[-1] - 1.0
    assert motion.curves["speed"][1][last].max() == pytest.approx(50, rel=slack)
    limits = factory.describe(machine)["printer"]["motion"]
    assert 0.6 * limits["max_accel_mm_s2"] < most(motion.curves["accel"]) < (1.04 + 4 * slack) * limits["max_accel_mm_s2"]
    assert 0.6 * limits["max_jerk_mm_s3"] < most(motion.curves["jerk"]) < (1.2 + 20 * slack) * limits["max_jerk_mm_s3"]
    assert (motion.curves["speed"][0] >= 0).all()


def test_step_rate(tmp_path):
    _, out = make(tmp_path, "G1 X100 F6000\nG1 Y100 F1200\n", description())
    _, motion = viewdata.load_steps(out)
    assert motion.rates["x"][1].max() == pytest.approx(8000, rel=1e-3)
    assert motion.rates["y"][1].max() == pytest.approx(1600, rel=1e-3)
    assert motion.rates["z"][1].max() == 0
    cruise = (motion.t[:-1] > 0.3) & (motion.t[:-1] < 0.7)
    assert np.allclose(motion.rates["x"][0][cruise], 8000, rtol=1e-3), "an even rate is drawn without ripple"


@pytest.mark.parametrize("portion", [1, 7, 100_000])
def test_portions_do_not_matter(tmp_path, portion):
    _, out = make(tmp_path, SQUARE, description())
    path, motion = viewdata.load_steps(out)
    read = viewdata.StepFile(out)
    recorder = viewdata.Recorder(read.header)
    at = [0] * len(read.steppers)
    ends = [read.steppers[m]["count"] for m in range(len(at))]
    while any(at[m] < ends[m] for m in range(len(at))):
        pending = [m for m in range(len(at)) if at[m] < ends[m]]
        # always the motor that is behind, so that all before its next step has come
        first = min(pending, key=lambda m: int(read.ticks(m)[at[m]]))
        recorder.advance(int(read.ticks(first)[at[first]]))
        stop = min(at[first] + portion, ends[first])
        recorder.append(first, read.ticks(first)[at[first] : stop], read.dirs(first)[at[first] : stop])
        at[first] = stop
    again, other = recorder.finish()
    for name, (low, high) in motion.curves.items():
        assert np.allclose(other.curves[name][0], low, atol=1e-3 * most((low, high))), name
        assert np.allclose(other.curves[name][1], high, atol=1e-3 * most((low, high))), name
    assert again.printed_mm == pytest.approx(path.printed_mm) and again.filament_mm == pytest.approx(path.filament_mm)


def test_columns_keep_extremes():
    columns = viewdata.Columns(1)
    values = np.zeros((1, 40 * viewdata.COLUMNS))
    values[0, 12345], values[0, 100_000] = 5, -7
    for part in np.array_split(values, 23, axis=1):
        columns.add(part)
    low, high = columns.result()
    assert low.min() == -7 and high.max() == 5 and low.shape[1] <= viewdata.COLUMNS
    assert (high == 5).sum() == 1 and np.argmax(high) == 12345 // columns.width and np.argmin(low) == 100_000 // columns.width


def test_memory_does_not_grow(monkeypatch):
    monkeypatch.setattr(viewdata, "PATH_POINTS", 2000)
    header = stepheader.describe_machine(factory.core_config(description()))
    recorder = viewdata.Recorder(header)
    tick = 0
    rng = np.random.default_rng(1)
    for _ in range(100):
        # both axes wander at random: nothing on the path can be left out
        for motor in (0, 1):
            ticks = tick + np.sort(rng.integers(0, 2 * header["clock_hz"], 3000))
            recorder.append(motor, ticks, np.repeat(rng.choice((-1, 1), 30), 100).astype(np.int8))
        tick += 2 * header["clock_hz"]
        recorder.advance(tick)
    path, motion = recorder.finish()
    assert len(path.points) <= 2000 + viewdata.CHUNK and len(motion.t) <= viewdata.COLUMNS + 1
    assert motion.t[-1] == pytest.approx(200, abs=1)


def test_steps_that_nobody_sees_are_not_kept():
    header = stepheader.describe_machine(factory.core_config(description("sim-corexy")))
    recorder = viewdata.Recorder(header)
    ticks = np.arange(0, 1_000_000, 20, dtype=np.int64)
    recorder.append(0, ticks, np.ones(len(ticks), np.int8))
    samples = ticks[-1] / recorder.period
    waiting = sum(len(part[0]) for part in recorder.motors[0].fresh)
    assert len(ticks) == 50_000 and samples < waiting <= 2 * samples + 4
    assert recorder.motors[0].count == 50_000


def test_thinning_stays_near():
    angle = np.linspace(0, 2 * np.pi, 2001)
    circle = np.column_stack((50 * np.cos(angle), 50 * np.sin(angle), np.zeros_like(angle)))
    printing = np.arange(2000) < 1000
    points, flags = viewdata.thinned(circle, printing, 0.05)
    assert len(points) < 400 and len(flags) == len(points) - 1
    middle = (points[:-1] + points[1:]) / 2
    assert (50 - np.linalg.norm(middle[:, :2], axis=1)).max() < 0.1
    assert np.allclose(points[0], circle[0]) and np.allclose(points[-1], circle[-1])
    assert np.abs(points[np.argmin(flags)] - circle[1000]).max() < 1e-9, "where printing ends a point stays"


def test_strokes_join_what_follows():
    points = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0.0]])
    path = viewdata.ToolPath(points, np.ones(4, bool), 0, 0, 0)
    x, y = view._strokes(path, np.array([True, True, False, True]), [0, 1])
    assert np.array_equal(x, [0, 1, 2, np.nan, 2, 0], equal_nan=True) and np.array_equal(y, [0, 0, 0, np.nan, 1, 1], equal_nan=True)
    assert view._strokes(path, np.zeros(4, bool), [0, 1]).shape == (2, 0)


@pytest.mark.parametrize("text", ["G1 X60 E2 F3000\n", "G1 X30 E1 F3000\nG1 Y60 E2\n", "G1 X20 E1 F3000\nG1 Z40 E9\n"])
def test_no_blank_half(tmp_path, text):
    """Flat, square and tall parts: each view has at least a third of its row's room."""
    gcode, target = str(tmp_path / "a.gcode"), str(tmp_path / "a.png")
    with open(gcode, "w", encoding="ascii") as file:
        file.write("M83\n" + text)
    view.toolpath_picture(gcode, target)
    image = pixels(target)
    lines = image.max(2) - image.min(2) > 0.3
    assert lines.mean() > 1e-4
    # the frames' grey bottom spines span what is used of the width
    grey = (np.abs(image - 0.65).max(2) < 0.12).sum(1)
    assert grey.max() > 0.3 * image.shape[1]
    ink = (image.min(2) < 0.97).any(1)
    longest = max((len(run) for run in "".join("x" if row else " " for row in ink).split("x")), default=0)
    assert longest < 0.25 * image.shape[0], "no blank stripe across the picture"


def test_pictures(tmp_path):
    gcode, out = make(tmp_path, SQUARE, description("sim-corexy"))
    for source, name in ((gcode, "a.png"), (out, "b.png")):
        target = str(tmp_path / name)
        view.picture(source, target, description("sim-corexy"))
        image = pixels(target)
        colourful = (image.max(2) - image.min(2) > 0.3).mean()
        assert image.shape[0] > 1000 and 0.002 < colourful < 0.6
    target = str(tmp_path / "c.png")
    view.toolpath_picture(gcode, target, "A title")
    assert pixels(target).shape[1] > 1000


def test_the_part_fills_the_picture():
    drawn, _ = view.load(PLATE)
    low, high = view._window(drawn, drawn.printing)
    assert low[0] > 80 and high[0] < 160, "the purge line at x = 5 is left out"
    assert low[0] < 101.5 and high[0] > 133.5, "the part is not"


def printwright(*arguments, **kwargs):
    return subprocess.run([sys.executable, "-m", "tools.cli.main", *arguments], capture_output=True, text=True, **kwargs)


def test_command(tmp_path):
    gcode, _ = make(tmp_path, SQUARE, description())
    environment = {**os.environ, "PYTHONPATH": ROOT}
    done = printwright("view", gcode, cwd=tmp_path, env=environment)
    assert done.returncode == 0 and done.stdout == "stream.png\n" and (tmp_path / "stream.png").stat().st_size > 20000
    empty = tmp_path / "empty.gcode"
    empty.write_text("")
    broken = tmp_path / "broken.steps"
    broken.write_bytes(b"STEPS1\n\0junk")
    for arguments, text in (
        (["/nonexistent"], "No such file"),
        ([str(tmp_path)], "directory"),
        ([str(empty)], "no motion"),
        ([str(broken)], "damaged header"),
        ([gcode, "-o", "/nonexistent/a.png"], "cannot be written"),
    ):
        done = printwright("view", *arguments, cwd=tmp_path, env=environment)
        assert done.returncode == 1 and text in done.stderr and done.stderr.count("\n") == 1, arguments
    assert printwright("view", gcode, "-o", "a.jpg", cwd=tmp_path, env=environment).returncode == 2
