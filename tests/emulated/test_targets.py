"""One truth: every target gives the golden stream of every program (tests/vectors/golden.json).

CPython, -O3 and WebAssembly builds play the whole corpus, the others and emulated chips the programs and the start of each sliced file.
Each target cuts text and work into other pieces and has other ring sizes than the table was made with, which must not matter either.
"""

import io
import platform

import pytest

from tests.emulated import helpers_targets as targets
from tools import golden, steps

PROGRAMS = dict(golden.corpus())
SHORT = [name for name in PROGRAMS if not name.startswith("sliced/") or ":" in name]
# The RP2040 emulator takes some 10 million instructions a second.
SLOW = {
    "sim-cartesian": ["programs/arcs.gcode", "programs/slow.gcode", "sliced/cura_boat.gcode:6144"],
    "sim-corexy": ["programs/dense.gcode", "programs/error_volume.gcode"],
    "two-tools": ["programs/tools.gcode"],
    "matrix-shaped": ["programs/mixed.gcode"],
    "delta-shaped": ["programs/mixed.gcode"],
    "corexz-cruise": ["programs/mixed.gcode"],
}
# As on a board: with the table's own rings the core would hardly fit an RP2040.
SMALL = {"ring_runs": 64, "ring_marks": 32}


@pytest.fixture(scope="module")
def table():
    return targets.load_golden()


def keys(names=None):
    """(machine, program) of the whole table, or of some programs."""
    return [(machine, name) for machine in golden.machines() for name in golden.programs_of(machine, names or PROGRAMS)]


def write_cases(path, chosen, **changes):
    """The driver's input, every case cut up in another way."""
    cases = []
    beds = golden.meshes()
    for i, (machine, name) in enumerate(chosen):
        config = targets.machine_config(machine, **changes)
        cases.append(targets.Case(config, PROGRAMS[name], piece=1 + i * 131 % 700, budget=1 + i * 29 % 64, mesh=beds.get(machine)))
    path.write_bytes(targets.pack(cases))
    return path


def check(chosen, answers, table):
    assert len(answers) == len(chosen)
    wrong = [key for key, answer in zip(chosen, answers) if answer.stream() != table[key[0]][key[1]]]
    assert not wrong, "another stream than the golden one: %s" % wrong


def test_the_table_is_complete(table):
    """Every program on every machine; a new machine or program needs `python -m tools.golden --write`."""
    assert {machine: set(programs) for machine, programs in table.items()} == {
        machine: set(golden.programs_of(machine, PROGRAMS)) for machine in golden.machines()
    }
    assert len(PROGRAMS) >= 20
    # a program may leave the volume of some machine at once, not of all
    for name in PROGRAMS:
        assert max(sum(programs[name]["steps"]) for programs in table.values() if name in programs) > 1000


def test_cpython(table):
    assert not golden.differences(golden.table(), table), "if this change of the stream is meant: python -m tools.golden --write"


@pytest.mark.parametrize("name", ["prusa_plate_arcs", "cura_boat"])
def test_the_command_line_gives_the_same(name, table):
    for machine in golden.factory.machines():
        key = "sliced/%s.gcode" % name
        kept = table[machine][key]
        if kept["error"]:  # a model that lies outside the machine
            continue
        result = steps.run(io.BytesIO(PROGRAMS[key]), name, machine)
        assert (result["sha256"], list(result["steps"].values()), result["moves"]) == (kept["sha256"], kept["steps"], kept["moves"])


@pytest.mark.parametrize("optimise", ["-O0", "-O1", "-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_desktop_compilers(compiler, optimise, table, tmp_path):
    program = targets.build_host(compiler, [optimise], tmp_path / "host")
    chosen = keys(None if optimise == "-O3" else SHORT)  # the cffi build is gcc -O2 and has played the whole
    check(chosen, targets.run_host(program, write_cases(tmp_path / "cases", chosen)), table)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="32-bit x86 is made on 64-bit x86")
@pytest.mark.parametrize("optimise", ["-O1", "-O3"])
def test_desktop_of_32_bits(optimise, table, tmp_path):
    program = targets.build_host("gcc", ["-m32", optimise], tmp_path / "host")  # package gcc-multilib
    chosen = keys(SHORT)
    check(chosen, targets.run_host(program, write_cases(tmp_path / "cases", chosen)), table)


def test_wasm32(table, tmp_path):
    module = targets.build_wasm(tmp_path / "driver.wasm")
    chosen = keys()
    check(chosen, targets.run_wasm(module, write_cases(tmp_path / "cases", chosen)), table)


@pytest.mark.parametrize("name, optimise", [("m3", "-Os"), ("m4f", "-O2"), ("m7", "-O3"), ("m33", "-Os")])
def test_cortex_m_in_qemu(name, optimise, table, tmp_path):
    chosen = keys(SHORT)
    image = targets.build_bare(name, write_cases(tmp_path / "cases", chosen, **SMALL), tmp_path / "image.elf", optimise)
    check(chosen, targets.answers(targets.run_bare(name, image)), table)


def test_cortex_m0plus_in_rp2040js(table, tmp_path):
    chosen = [(machine, name) for machine in SLOW for name in SLOW[machine]]
    image = targets.build_bare("m0plus", write_cases(tmp_path / "cases", chosen, **SMALL), tmp_path / "image.elf")
    check(chosen, targets.answers(targets.run_bare("m0plus", image)), table)


def test_a_stream_can_differ(table, tmp_path):
    """Negative control: a micrometre, and corners a little faster."""
    name, config = "programs/corners.gcode", targets.machine_config("sim-cartesian")
    text = PROGRAMS[name]
    assert text.count(b"X40") > 0
    changed = dict(config, corner_um_s=config["corner_um_s"] + 100)
    cases = [targets.Case(config, text), targets.Case(config, text.replace(b"X40", b"X40.001", 1)), targets.Case(changed, text)]
    path = tmp_path / "cases"
    path.write_bytes(targets.pack(cases))
    answers = targets.run_host(targets.build_host("gcc", ["-O1"], tmp_path / "host"), path)
    assert answers[0].stream() == table["sim-cartesian"][name]
    assert len({answer.sha256 for answer in answers}) == 3


def test_a_fault_is_seen(tmp_path):
    """A configuration that the core refuses is reported, by exit status and by text."""
    path = tmp_path / "cases"
    path.write_bytes(targets.pack([targets.Case(targets.machine_config("sim-cartesian", window=0), b"G1 X1 F60\n")]))
    image = targets.build_bare("m3", path, tmp_path / "image.elf", "-Os")
    with pytest.raises(RuntimeError, match="exit 1\n.*refused"):
        targets.run_bare("m3", image)
