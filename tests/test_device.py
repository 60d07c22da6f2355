"""Runs every tests/**/device_*.py twice: under MicroPython in Node with a bounded heap, and under this Python."""

import re
import subprocess
import sys

import pytest

from tests.wasm.helpers_wasm import ROOT, run

# All of the heap, KiB.  Garbage is collected between tests only (tests/wasm/host.mjs), and a test that steps a loop makes a lot; what is
# live is bounded by the test that prints (tests/wasm/test_print.py).
HEAP_KIB = 2048
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("device_*.py") if path.name != "device_main.py")


def helpers():
    """Device tests and their helpers, as (file, place in MicroPython's file system)."""
    found = [path for path in (ROOT / "tests").rglob("*.py") if re.match("(device|helpers)_", path.name)]
    return [(path, "/lib/" + path.relative_to(ROOT).as_posix()) for path in found]


def module_of(path):
    return ".".join(path.with_suffix("").parts)


def test_there_are_device_tests():
    assert len(FILES) >= 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.as_posix())
def test_on_micropython(path):
    done = run("device_main", module_of(path), heap_kib=HEAP_KIB, trees=helpers(), timeout_s=120)
    assert done.status == 0, done.out + done.err
    assert re.search(r"^[1-9]\d* run, 0 failed", done.out, re.MULTILINE), done.out


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.as_posix())
def test_on_this_python(path):
    done = subprocess.run([sys.executable, "-m", "unittest", "-q", module_of(path)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Ran [1-9]\d* tests?", done.stderr, re.MULTILINE), done.stderr
