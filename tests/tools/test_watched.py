"""`printwright view --printer`: what is kept of a printer's answers, when the watching ends, and that the picture shows it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tools import watched, watchview
from tools.view import NothingToDraw


class Printer:
    """Answers one after the other, the last for ever; asked with the time passed by `sleep`."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.now = 0.0
        self.asked = 0

    def printer_attributes(self, names):
        assert tuple(names) == watched.ASKED
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def sleep(self, seconds):
        self.now += seconds


def answer(state, current=20, place=None):
    return {
        "printer-name": "One",
        "printer-state": state,
        "printwright-temperatures": [{"name": "nozzle", "current": current, "target": 215}, {"name": "bed", "current": None, "target": 0}],
        "printwright-position": place,
    }


def watch(printer, seconds=None):
    seen = watched.Watched()
    for _ in watched.watch(printer, seen, seconds, 0.25, lambda: printer.now, printer.sleep):
        pass
    return seen


def test_waits_for_work_and_ends_with_it():
    states = ["idle", "idle", "processing", "stopped", "processing", "idle"]
    printer = Printer([answer(state, 20 + number) for number, state in enumerate(states)])
    seen = watch(printer)
    assert printer.asked == 6 and seen.t == [0, 0.25, 0.5, 0.75, 1.0, 1.25]
    assert seen.states == [(0, "idle"), (0.5, "processing"), (0.75, "stopped"), (1.0, "processing"), (1.25, "idle")]
    assert seen.temperatures["nozzle"][3] == (0.75, 23, 215) and seen.temperatures["bed"][0] == (0, None, 0)
    assert seen.told() == "idle, nozzle 25/215 °C, bed -/0 °C"


def test_ends_after_the_time():
    printer = Printer([answer("idle")])
    assert watch(printer, 2).t[-1] == 2 and printer.asked == 9


def test_places_are_in_mm_and_may_be_unknown():
    places = [None, {"x": 100, "y": -250, "z": 5}, {"x": 1, "y": 2}]
    printer = Printer([answer("processing", place=place) for place in places] + [answer("idle")])
    assert watch(printer).places == [(0.25, 1.0, -2.5, 0.05)]


def test_picture(tmp_path):
    from matplotlib.image import imread

    printer = Printer([answer("processing", 20 + 5 * n, {"x": 100 * n, "y": 9000 - 50 * n, "z": n}) for n in range(40)] + [answer("idle")])
    out = tmp_path / "w.png"
    watchview.picture(watch(printer), str(out))
    pixels = imread(str(out))[:, :, :3]
    for colour in ("#2563eb", "#dc6803", "#059669"):
        rgb = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        assert (np.abs(pixels - rgb).max(2) < 0.02).sum() > 50, colour


def test_nothing_to_draw(tmp_path):
    seen = watched.Watched()
    seen.add(0, answer("idle"))
    with pytest.raises(NothingToDraw):
        watchview.picture(seen, str(tmp_path / "w.png"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give a FILE or --printer URI"),
        (["a.gcode", "--printer", "ipp://localhost/"], "give a FILE or --printer URI"),
        (["a.gcode", "--seconds", "3"], "--seconds goes with --printer"),
        (["--printer", "ipp://localhost:9/ipp/print3d", "--machine", "sim-delta"], "--machine goes with a file"),
        (["--printer", "ipp://localhost:9/ipp/print3d", "-o", "a.jpg"], "pictures are PNG files"),
    ],
)
def test_usage(arguments, told, tmp_path):
    command = [os.path.join(os.path.dirname(sys.executable), "printwright"), "view", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2 and told in done.stderr


def test_nobody_there(tmp_path):
    command = [os.path.join(os.path.dirname(sys.executable), "printwright"), "view", "--printer", "ipp://localhost:9/ipp/print3d"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1 and not os.listdir(tmp_path)
