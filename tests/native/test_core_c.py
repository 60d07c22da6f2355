"""Compiles the motion core with its C tests under AddressSanitizer and UBSan, with every C compiler at hand, and runs them."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "native" / "src"
TESTS = ROOT / "native" / "tests"
VECTORS = ROOT / "tests" / "vectors"
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
STRICT = "-std=c11 -ffp-contract=off -Wall -Wextra -Wconversion -Werror".split()
SANITIZE = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
INCLUDE = ["-I%s" % (ROOT / "native" / "include"), "-I%s" % SRC]
FRONT = "text command move skip arc merge front trig limits config math div kin kin_linear kin_delta".split()


def run(command, timeout=120):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, "%s\n%s\n%s" % (" ".join(map(str, command)), done.stdout[-2000:], done.stderr[-4000:])
    return done.stdout


@pytest.fixture(scope="module", params=COMPILERS)
def objects(request, tmp_path_factory):
    """(compiler, {name: object file}) of the sources, strict and under sanitizers."""
    folder = tmp_path_factory.mktemp(request.param)
    made = {}
    for source in sorted(SRC.glob("*.c")):
        made[source.stem] = folder / (source.stem + ".o")
        run([request.param, *STRICT, *SANITIZE, *INCLUDE, "-c", source, "-o", made[source.stem]])
    return request.param, made


def build(objects, name, parts=None):
    """A test program of native/tests over the parts named (all of the core without)."""
    compiler, made = objects
    chosen = list(made.values()) if parts is None else [made["pw_" + part] for part in parts]
    program = chosen[0].parent / name
    run([compiler, "-std=gnu11", "-Wall", "-Wextra", *SANITIZE, *INCLUDE, TESTS / (name + ".c"), *chosen, "-lm", "-o", program])
    return program


def test_a_compiler_is_there():
    assert COMPILERS


def test_math(objects):
    assert run([build(objects, "test_math", ["math", "div", "ramp"])]) == "math: ok\n"


def test_kinematics(objects):
    assert run([build(objects, "test_kin", ["kin", "kin_linear", "kin_delta", "config", "math", "div"])]) == "kin: ok\n"


def test_mesh(objects):
    assert run([build(objects, "test_mesh", ["mesh", "kin", "kin_linear", "kin_delta", "config", "math", "div"])]) == "mesh: ok\n"


def test_front(objects):
    assert run([build(objects, "test_front", FRONT)]) == "front: ok\n"


def test_core_and_sliced_files(objects):
    files = sorted((VECTORS / "sliced").glob("*.gcode"))
    assert files
    assert run([build(objects, "test_core"), *files]) == "core: ok\n"


def test_planner_keeps_its_limits(objects):
    out = run([build(objects, "test_planner"), "1", "14"])
    assert out.startswith("planner: 14 programs") and out.endswith("0 broken\n"), out


def test_shaped_motion_follows_the_formulas(objects):
    out = run([build(objects, "test_shaped"), "1", "12"])
    assert out.startswith("shaped: 12 programs"), out


def test_ends_of_the_configuration(objects):
    """`test_extremes FIRST COUNT` goes on with other mixtures of ends."""
    out = run([build(objects, "test_extremes")])
    assert out.startswith("extremes: ") and out.endswith(": ok\n"), out


@pytest.mark.parametrize("target", ["text", "core"])
def test_fuzz_inputs_kept(objects, target):
    """Seeds of the fuzzers, and everything that they once found (native/fuzz)."""
    compiler, made = objects
    fuzz = ROOT / "native" / "fuzz"
    inputs = sorted(fuzz.glob("seeds/%s_*" % target)) + sorted(fuzz.glob("crashes/%s_*" % target))
    program = made["pw_core"].parent / ("replay_" + target)
    sources = [fuzz / ("fuzz_%s.c" % target), fuzz / "replay.c"]
    run([compiler, "-std=gnu11", *SANITIZE, *INCLUDE, "-I%s" % TESTS, *sources, *made.values(), "-o", program])
    assert run([program, *inputs]) == "%d inputs: ok\n" % len(inputs)


def test_stream_is_the_same_from_every_build(tmp_path):
    """Compiler, optimisation and the way to multiply do not change one run of the stream."""
    builds = [(name, flags) for name in COMPILERS for flags in (["-O0"], ["-O3", "-U__SIZEOF_INT128__"])]
    files = [VECTORS / "sliced" / name for name in ("prusa_plate_arcs.gcode", "cura_boat.gcode")]
    seen = {}
    for number, (compiler, flags) in enumerate(builds):
        program = tmp_path / ("bench%d" % number)
        sources = sorted(SRC.glob("*.c"))
        run([compiler, "-std=gnu11", *flags, *INCLUDE, TESTS / "bench_core.c", *sources, "-o", program])
        for file in files:
            for machine in ("corexy", "window=64"):
                out = run([program, file, machine])
                hashes = [line for line in out.split("\n") if line.startswith("hash ")]
                assert len(hashes) == 1, out
                seen.setdefault((file.name, machine), set()).add(hashes[0])
    assert len(seen) == 4
    assert all(len(hashes) == 1 for hashes in seen.values()), seen


@pytest.mark.parametrize("compiler", COMPILERS)
def test_core_is_freestanding(compiler, tmp_path):
    """Nothing but memcpy and memset, which a compiler may call by itself, is needed from outside; no writable data is in it."""
    made = []
    for source in sorted(SRC.glob("*.c")):
        made.append(tmp_path / (source.stem + ".o"))
        run([compiler, *STRICT, "-O2", "-ffreestanding", *INCLUDE, "-c", source, "-o", made[-1]])
    listed = run(["nm", *made]).split("\n")
    wanted = {line.split()[-1] for line in listed if " U " in line}
    defined = {line.split()[-1] for line in listed if " T " in line}
    assert wanted - defined <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}
    assert all(name.startswith("pw_") for name in defined)
    assert not [line for line in listed if line[17:18] in ("B", "b", "C") or line[17:18] == "D"], "globals"
