"""`printwright view`: the figures behind the pictures, and that pictures come out with something on them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hal import factory
from tests.tools.helpers_streams import SQUARE, description, make
from tools import view, viewdata

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PLATE = os.path.join(ROOT, "tests", "vectors", "sliced", "prusa_plate.gcode")


def pixels(path):
    """(height, width, 3) of a PNG as floats."""
    from matplotlib.image import imread

    return imread(path)[:, :, :3]


def test_path_of_gcode(tmp_path):
    path = tmp_path / "a.gcode"
    path.write_text("M83\nG1 X30 Y40 F6000\nG1 X60 Y40 E1.5\nG1 E-1\nG1 Z2 X60\n")
    drawn = viewdata.path_of_gcode(str(path), factory.describe("sim-cartesian"))
    assert drawn.length_mm == pytest.approx(82) and drawn.printed_mm == pytest.approx(30)
    assert drawn.filament_mm == pytest.approx(0.5) and drawn.printing.tolist() == [False, True, False, False]


@pytest.mark.parametrize("machine", ["sim-cartesian", "sim-corexy"])
def test_motion_of_steps(tmp_path, machine):
    text = "G1 X100 Y50 F6000\nG4 P200\nG1 X100 Y150 F3000\n"
    _, out = make(tmp_path, text, description(machine))
    path, motion = viewdata.load_steps(out)
    assert path.length_mm == pytest.approx(np.hypot(100, 50) + 100, abs=0.1)
    assert np.allclose(path.points[-1], [100, 150, 0], atol=0.02)
    half = len(motion.t) // 2
    assert motion.speed[:half].max() == pytest.approx(100, rel=0.02)
    assert motion.speed[half + half // 2 :].max() == pytest.approx(50, rel=0.02)
    limit = {"sim-cartesian": 3000, "sim-corexy": 8000}[machine]
    assert 0.6 * limit < motion.accel.max() < 1.1 * limit
    name = "x" if machine == "sim-cartesian" else "a"
    assert motion.rates[name][1].max() > 7000


def test_pictures(tmp_path):
    gcode, out = make(tmp_path, SQUARE, description("sim-corexy"))
    for source, name in ((gcode, "a.png"), (out, "b.png")):
        target = str(tmp_path / name)
        view.picture(source, target, description("sim-corexy"))
        image = pixels(target)
        colourful = (image.max(2) - image.min(2) > 0.3).mean()
        assert image.shape[0] > 1000 and 0.005 < colourful < 0.6
    target = str(tmp_path / "c.png")
    view.toolpath_picture(gcode, target, "A title")
    assert pixels(target).shape[1] > 1000


def test_the_part_fills_the_picture():
    drawn = viewdata.path_of_gcode(PLATE, factory.describe("sim-cartesian"))
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
