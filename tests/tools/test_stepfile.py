"""tools/stepfile.py: what is written is read back, half files never appear, and the numpy digest is the documented one."""

import hashlib
import json
import os
import struct

import numpy as np
import pytest

from tools import stepfile
from tools.stepfile import MAGIC, StepFile, StepFileError, StepFileWriter

HEADER = {
    "clock_hz": 16000000,
    "steppers": [{"name": n, "role": n, "step_mm": 0.0125, "start_mm": 0.0} for n in "xyze"],
    "kinematics": {"type": "cartesian"},
    "start_pos": [0, 0, 0, 0],
    "start_line": 0,
    "step_rule": "half",
    "limits": {},
    "tol": {"path_mm": 0.005, "time_s": 1e-6, "e_mm": 0.02},
    "shaper_s": 0.0,
}


def streams(counts, seed=1):
    rng = np.random.default_rng(seed)
    return [(np.cumsum(rng.integers(0, 5000, n)).astype("<i8"), rng.choice([-1, 1], n).astype(np.int8)) for n in counts]


def write(path, motors, pieces=1):
    with StepFileWriter(path, HEADER) as writer:
        for motor, (ticks, dirs) in enumerate(motors):
            for part_ticks, part_dirs in zip(np.array_split(ticks, pieces), np.array_split(dirs, pieces), strict=True):
                writer.append(motor, memoryview(part_ticks.tobytes()), memoryview(part_dirs.tobytes()))
        return writer.commit()


def test_a_device_is_no_place_for_a_step_file(tmp_path):
    place = tmp_path / "device"
    os.mkfifo(place)
    with pytest.raises(OSError, match="Not a file"):
        write(place, streams((1, 1, 1, 1)))
    assert os.listdir(tmp_path) == ["device"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to("target.steps")
    write(tmp_path / "link", streams((1, 1, 1, 1)))
    assert (tmp_path / "link").is_symlink()
    assert stepfile.is_step_file(tmp_path / "target.steps")


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (1, 3, 0, 7), (stepfile.BLOCK_STEPS, 2 * stepfile.BLOCK_STEPS + 1, 5, 99999)])
@pytest.mark.parametrize("pieces", [1, 7])
def test_round_trip(tmp_path, counts, pieces):
    motors = streams(counts)
    path = str(tmp_path / "a.steps")
    assert write(path, motors, pieces) == os.path.getsize(path)
    read = StepFile(path)
    assert [s["count"] for s in read.steppers] == list(counts)
    for motor, (ticks, dirs) in enumerate(motors):
        assert np.array_equal(read.ticks(motor), ticks)
        assert np.array_equal(read.dirs(motor), dirs)
    assert os.listdir(tmp_path) == ["a.steps"]


def test_layout_byte_by_byte(tmp_path):
    path = str(tmp_path / "a.steps")
    write(path, [(np.array([5, 9], "<i8"), np.array([1, -1], np.int8))] + streams((0, 0, 0)))
    raw = open(path, "rb").read()
    assert raw[:8] == b"STEPS1\n\0"
    length = struct.unpack_from("<I", raw, 8)[0]
    assert json.loads(raw[12 : 12 + length])["steppers"][0]["count"] == 2
    assert raw[12 + length :] == struct.pack("<qqbb", 5, 9, 1, -1)


def test_leaving_without_commit_leaves_nothing(tmp_path):
    path = str(tmp_path / "a.steps")
    open(path, "wb").write(b"old")
    with StepFileWriter(path, HEADER) as writer:
        writer.append(0, b"\1" + bytes(7), b"\1")
    assert os.listdir(tmp_path) == ["a.steps"]
    assert open(path, "rb").read() == b"old"


def test_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = str(tmp_path / "a.steps")
    open(path, "wb").write(b"old")
    written = 0

    def full(file, data):
        nonlocal written
        written += len(data)
        if written > 500000:
            raise OSError(28, "No space left on device")
        file.write(data)

    monkeypatch.setattr(stepfile, "_write_all", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, streams((50000, 50000, 5, 5)))
    assert os.listdir(tmp_path) == ["a.steps"]
    assert open(path, "rb").read() == b"old"


def test_missing_folder():
    with pytest.raises(OSError):
        StepFileWriter("/nonexistent/folder/a.steps", HEADER)


def test_damaged_files(tmp_path):
    path = str(tmp_path / "a.steps")
    write(path, streams((10, 20, 3, 4)))
    good = open(path, "rb").read()
    length = struct.unpack_from("<I", good, 8)[0]
    header = json.loads(good[12 : 12 + length])
    del header["clock_hz"]
    text = json.dumps(header).encode()
    for bad, why in (
        (b"", "no step file"),
        (b"G1 X1 F600\n", "no step file"),
        (good[:10], "damaged header"),
        (good[:100], "damaged header"),
        (good[:-1], "promises"),
        (good + b"\0", "promises"),
        (MAGIC + struct.pack("<I", 0xFFFFFFFF), "damaged header"),
        (MAGIC + struct.pack("<I", len(text)) + text, "clock_hz is missing"),
        (MAGIC + struct.pack("<I", 2) + b"[]", "no object"),
    ):
        open(path, "wb").write(bad)
        with pytest.raises(StepFileError, match=why) as caught:
            StepFile(path)
        assert path in str(caught.value)
    with pytest.raises(FileNotFoundError):
        StepFile(str(tmp_path / "none"))


def test_digest_by_the_letter(tmp_path):
    """Against the sentence of design.md, step by step, with gaps on both sides of the long form."""
    long = 0x7FFFFFFF
    gaps = [(3, 1), (0, -1), (long - 1, 1), (long, -1), (long + 5, 1), (1 << 40, -1), (7, 1)]
    motors = [gaps, [], [(long, 1)], [(1, 1)] * 5]
    arrays = [(np.cumsum([g for g, _ in m]).astype("<i8"), np.array([d for _, d in m], np.int8)) for m in motors]
    path = str(tmp_path / "a.steps")
    write(path, arrays)
    whole = hashlib.sha256()
    for motor in motors:
        digest = hashlib.sha256()
        for gap, direction in motor:
            word = gap * 2 + (direction > 0)
            digest.update(struct.pack("<I", word) if gap < long else struct.pack("<IQ", 0xFFFFFFFF, word))
        whole.update(digest.digest())
    assert stepfile.digest(StepFile(path)) == whole.hexdigest()


def test_digest_is_the_same_for_any_chunk():
    ticks, dirs = streams((5000,))[0]
    assert stepfile._motor_digest(ticks, dirs, 37) == stepfile._motor_digest(ticks, dirs)
