"""mpy-cross takes every module that has to run on a board, for every kind of CPU where that makes a difference."""

import re

import pytest

from tests.wasm.helpers_wasm import DESKTOP_ONLY, ROOT, compile_module, device_modules

MODULES = device_modules()
# one module is at most that long once compiled, bytes: a board reads it in one piece
MPY_MAX = 24 * 1024


def test_there_are_modules():
    rooms = {path.parts[0] for path in MODULES}
    assert rooms == {"firmware", "hal", "boards"}


def test_desktop_only_modules_exist():
    for name in DESKTOP_ONLY:
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.as_posix())
def test_compiles(path, tmp_path):
    out = tmp_path / "module.mpy"
    compile_module(path, out)
    data = out.read_bytes()
    assert data[:2] == b"M\x06", "a .mpy of another version than MicroPython 1.19 and later"
    assert len(data) <= MPY_MAX


def test_what_it_does_not_know_is_refused(tmp_path):
    """Negative control."""
    wrong = tmp_path / "wrong.py"
    wrong.write_text("match 1:\n    case 1: pass\n")
    with pytest.raises(RuntimeError, match=re.escape("SyntaxError")):
        compile_module(wrong, tmp_path / "wrong.mpy")
