"""The promise of one truth: MicroPython (32 bits, the core as WebAssembly) gives the desktop's step stream, tick for tick, for the whole
corpus of small G-code files."""

import json

import pytest

from tests.hal.helpers_core import drain, make_core
from tests.wasm.helpers_wasm import ROOT, run

CORPUS = sorted(path for path in (ROOT / "tests/vectors").rglob("*.gcode") if path.stat().st_size < 200_000)
MACHINES = ("sim-cartesian", "sim-corexy", "sim-delta")


def test_there_is_a_corpus():
    assert len([path for path in CORPUS if path.parent.name == "sliced"]) >= 5
    assert len([path for path in CORPUS if path.parent.name == "programs"]) >= 5


@pytest.mark.parametrize("machine", MACHINES)
def test_the_stream_is_bit_identical(machine):
    names = [f"/gcode/{path.parent.name}/{path.name}" for path in CORPUS]
    done = run("digest", machine, *names, heap_kib=512, trees=list(zip(CORPUS, names)), report=False, timeout_s=200)
    assert done.status == 0, done.err
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert len(answers) == len(CORPUS) + 1
    core = make_core(machine)
    for path, name, there in zip(CORPUS, names, answers):
        here = drain(core, path.read_bytes(), pack_bytes=1 << 16)
        assert there["file"] == name
        assert there["steps"] == here.steps, name
        assert there["sha256"] == here.digest, name
        assert there["moves"] == here.moves, name
        assert (there["error"] and tuple(there["error"])) == here.error, name
        assert sum(here.steps) > 100 or here.error, name


def test_a_digest_can_differ():
    """Negative control: one micrometre more is another stream."""
    core = make_core()
    assert drain(core, b"G1 X10 F6000\n").digest != drain(core, b"G1 X10.001 Y0.02 F6000\n").digest
    assert drain(core, b"G1 X10 F6000\n").digest != drain(core, b"G1 X10 F5999\n").digest
