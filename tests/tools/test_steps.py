"""`printwright steps`: figures, step file, bad input, and one truth whatever way the bytes come."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tools import stepfile, steps
from tools.stepfile import StepFile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SLICED = os.path.join(ROOT, "tests", "vectors", "sliced")
CUBE = os.path.join(SLICED, "prusa_cube.gcode")
KEYS = "lines moves steps print_time_s wall_s cpu_s digest_cpu_s peak_rss_bytes sha256".split()


def printwright(*arguments, **kwargs):
    kwargs.setdefault("cwd", ROOT)
    return subprocess.run([sys.executable, "-m", "tools.cli.main", *arguments], capture_output=True, **kwargs)


def of(text, **kwargs):
    return steps.run(io.BytesIO(text.encode() if isinstance(text, str) else text), "text", **kwargs)


def test_json_and_step_file_agree(tmp_path):
    out = str(tmp_path / "cube.steps")
    done = printwright("steps", CUBE, "-o", out, "--json")
    assert done.returncode == 0 and done.stderr == b""
    result = json.loads(done.stdout)
    assert list(result) == KEYS
    with open(CUBE, "rb") as file:
        assert result["lines"] == file.read().count(b"\n")
    read = StepFile(out)
    assert {s["name"]: s["count"] for s in read.steppers} == result["steps"]
    # the digest that C computed on the way, and numpy's of what was stored
    assert stepfile.digest(read) == result["sha256"]
    last = max(int(read.ticks(m)[-1]) for m in range(4)) / read.clock_hz
    assert 0 <= result["print_time_s"] - last < 0.1
    assert result["peak_rss_bytes"] < 48e6
    assert os.listdir(tmp_path) == ["cube.steps"]


@pytest.mark.parametrize("machine", ["sim-cartesian", "sim-corexy"])
def test_header_says_what_the_machine_is(tmp_path, machine):
    out = str(tmp_path / "a.steps")
    of("G1 X10 Y5 F6000\n", machine=machine, out=out)
    read = StepFile(out)
    header = read.header
    assert header["kinematics"]["type"] == machine[4:]
    assert [s["role"] for s in read.steppers] == list("abze" if machine == "sim-corexy" else "xyze")
    assert header["start_pos"] == [0, 0, 0, 0] and header["start_line"] == 0 and header["step_rule"] == "half"
    assert header["tol"]["path_mm"] <= 0.005 and header["tol"]["time_s"] <= 1e-6 and header["tol"]["e_mm"] <= 0.02
    counts = [int(np.asarray(read.dirs(m), int).sum()) for m in range(2)]
    assert counts == ([800, 400] if machine == "sim-cartesian" else [4800, 1600])


class Trickle(io.RawIOBase):
    """Gives a few bytes at a time."""

    def __init__(self, text, sizes):
        self.text, self.at, self.sizes = text, 0, sizes

    def readinto(self, buf):
        size = next(self.sizes)
        piece = self.text[self.at : self.at + min(size, len(buf))]
        buf[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)


def test_any_split_gives_the_same_digest():
    with open(CUBE, "rb") as file:
        text = file.read()[:20000]
    whole = of(text)
    for seed in (1, 2):
        sizes = np.random.default_rng(seed).integers(1, 400, 100000)
        split = steps.run(Trickle(text, iter(sizes.tolist())), "split")
        assert split["sha256"] == whole["sha256"] and split["lines"] == whole["lines"]


def test_standard_input():
    with open(CUBE, "rb") as file:
        done = printwright("steps", "-", "--json", stdin=file)
    assert json.loads(done.stdout)["sha256"] == json.loads(printwright("steps", CUBE, "--json").stdout)["sha256"]


def test_marks_do_not_end_look_ahead_and_flushes_do():
    line = "G1 X%d F6000\n"
    plain = of(line % 50 + line % 100)
    mark = of(line % 50 + "M106 S255\n;LAYER_CHANGE\nM117 hello\n" + line % 100)
    flush = of(line % 50 + "M400\n" + line % 100)
    assert mark["sha256"] == plain["sha256"]
    assert flush["print_time_s"] > plain["print_time_s"] + 0.02
    # heating takes no time
    assert of(line % 50 + "M109 S200\n" + line % 100)["print_time_s"] == flush["print_time_s"]


def test_dwell_and_home_travel():
    assert of("G28\nG1 X10 F600\nG4 S2\n")["print_time_s"] == pytest.approx(of("G1 X10 F600\n")["print_time_s"] + 2, abs=1e-4)
    assert of("G1 X10 F600\nG28\n")["steps"]["x"] == 1600


BAD = [
    ("G1 X1 Y1\n", "line 1, column 1", "before the first F"),
    ("G1 X10 F600\nG1 X900\n", "line 2, column 4", "leaves the print volume"),
    ("G1 X10 F600\nM500\n", "line 2", "M500: not allowed"),
    ("G1 X10 F600\nG1 X1e9\n", "line 2", ""),
    ("G1 X10 F600\nG1 XNaN\n", "line 2", ""),
    ("G1 X10 F600\nG1 X" + "9" * 300 + "\n", "line 2", "number"),
    ("G1 X10 F600\nG1 X20 E90\n", "line 2", "too much filament"),
    ("M104 S900\n", "line 1", "above the limit"),
    ("G1 X10 F600\nG92 X0\n", "line 2", "G92"),
    ("G1 X10 F600" + " " * 10_000_000 + "\n", "line 1", "too long"),
    (bytes(range(256)) * 40, "line", ""),
]


@pytest.mark.parametrize(("text", "place", "why"), BAD, ids=range(len(BAD)))
def test_bad_text_is_refused_with_its_place(tmp_path, text, place, why):
    out = str(tmp_path / "a.steps")
    with pytest.raises(steps.StepsError) as caught:
        of(text, out=out)
    message = str(caught.value)
    assert message.startswith("text: ") and place in message and why in message
    assert "\n" not in message and len(message) < 250
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", [b"", b"\n\n", b"; only comments\nM104 S200\nG28\n"])
def test_no_motion(text):
    with pytest.raises(steps.StepsError, match="no motion"):
        of(text)


def one_line(done, *texts):
    message = done.stderr.decode()
    assert done.stdout == b"" and message.count("\n") == 1 and message.startswith("printwright: ")
    for text in texts:
        assert text in message


def test_command_line_errors(tmp_path):
    empty = tmp_path / "empty.gcode"
    empty.write_bytes(b"")
    zipped = tmp_path / "a.gcode.gz"
    zipped.write_bytes(b"\x1f\x8b" + bytes(20))
    bad = tmp_path / "bad.gcode"
    bad.write_text("G28\nG1 X999 F100\n")
    machine = tmp_path / "m.json"
    machine.write_text('{"from": "sim-cartesian", "printer": {"speed": 3}}')
    for arguments, texts in (
        (["steps", "/nonexistent.gcode"], ["/nonexistent.gcode", "No such file"]),
        (["steps", str(tmp_path)], [str(tmp_path), "directory"]),
        (["steps", str(empty)], ["no motion"]),
        (["steps", str(zipped)], ["gzip"]),
        (["steps", str(bad)], [str(bad), "line 2, column 4", "G1"]),
        (["steps", CUBE, "--machine", "nonesuch"], ["nonesuch", "sim-cartesian"]),
        (["steps", CUBE, "--machine", str(machine)], ["printer.speed"]),
        (["steps", CUBE, "-o", "/nonexistent/a.steps"], ["/nonexistent/a.steps"]),
        (["steps", CUBE, "-o", str(tmp_path)], [str(tmp_path)]),
        (["steps", "-"], ["standard input", "no motion"]),
    ):
        done = printwright(*arguments, stdin=subprocess.DEVNULL)
        assert done.returncode == 1, arguments
        one_line(done, *texts)
    for arguments in (["steps"], ["steps", CUBE, "--nonsense"], ["steps", CUBE, CUBE]):
        assert printwright(*arguments).returncode == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_disk(tmp_path, monkeypatch):
    out = str(tmp_path / "a.steps")
    real = stepfile._write_all
    full = open("/dev/full", "wb", buffering=0)
    written = 0

    def write(file, data):
        nonlocal written
        written += len(data)
        real(full if written > 300_000 else file, data)

    monkeypatch.setattr(stepfile, "_write_all", write)
    with open(CUBE, "rb", buffering=0) as source, pytest.raises(OSError, match="No space"):
        steps.run(source, "cube", out=out)
    assert os.listdir(tmp_path) == []
    full.close()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_leaves_nothing(tmp_path, number, status):
    out = str(tmp_path / "a.steps")
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.cli.main", "steps", "-", "-o", out], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    with open(CUBE, "rb") as file:
        process.stdin.write(file.read())
    process.stdin.flush()
    deadline = time.monotonic() + 30
    while not os.listdir(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert os.listdir(tmp_path)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == status
    assert b"Traceback" not in stderr and os.listdir(tmp_path) == []


def test_memory_does_not_grow_with_the_file(tmp_path):
    with open(CUBE, "rb") as file:
        text = file.read()
    peaks = []
    for times in (1, 30):
        path = tmp_path / "long.gcode"
        path.write_bytes(text * times)
        peaks.append(json.loads(printwright("steps", str(path), "--json").stdout)["peak_rss_bytes"])
    assert peaks[1] < peaks[0] + 2e6 and peaks[1] < 48e6


# -- print time (design.md section 7, "Print time of dense curves") ----------------------------------------------------------------


def motion_time_s(lines, approach=""):
    text = approach + "M400\n" + "".join(lines)
    return of(text)["print_time_s"] - (of(approach)["print_time_s"] if approach else 0)


@pytest.mark.parametrize("feed", [6000, 18000])
def test_a_line_in_pieces_takes_as_long_as_in_one(feed):
    whole = motion_time_s(["G1 X100 Y40 F%d\n" % feed])
    pieces = ["G1 X%.4f Y%.4f F%d\n" % (k * 0.05, k * 0.02, feed) for k in range(1, 2001)]
    assert motion_time_s(pieces) < 1.01 * whole


@pytest.mark.parametrize(("radius", "feed"), [(3, 40), (8, 40), (8, 300), (30, 40), (30, 300)])
def test_dense_curves_are_not_slowed(radius, feed):
    """100 mm of 0.1 mm chords, longer than the look-ahead window, under the constant cap of curve rule or F."""
    places = [(100 + radius * np.cos(k * 0.1 / radius), 100 + radius * np.sin(k * 0.1 / radius)) for k in range(1001)]
    chords = ["G1 X%.5f Y%.5f F%d\n" % (*place, feed * 60) for place in places[1:]]
    cap = min(feed, np.sqrt(3000 * radius))
    whole = motion_time_s(["G1 X100 F%.3f\n" % (cap * 60)])
    assert motion_time_s(chords, "G1 X%.4f Y%.4f F6000\n" % places[0]) < 1.05 * whole
