"""The `printwright` command where its output cannot be written: one line, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_output_that_is_full():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "tools.cli.main", "status", "--help"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == b"printwright: output: No space left on device\n"


@pytest.mark.parametrize("arguments", [["steps", "tests/vectors/sliced/prusa_cube.gcode", "-o"], ["sim", "--port", "0", "--record"]])
def test_a_device_is_not_replaced(tmp_path, arguments):
    place = tmp_path / "device"
    os.mkfifo(place)
    done = subprocess.run([sys.executable, "-m", "tools.cli.main", *arguments, str(place)], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode in (1, 2)
    assert b"cannot be written there" in done.stderr
    assert place.is_fifo()
