"""Compiles the host port with its C tests under AddressSanitizer and UBSan, with every C compiler at hand, and runs them."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
SOURCES = sorted((ROOT / "native/port/common").glob("*.c")) + sorted((ROOT / "native/port/host").glob("*.c"))
FLAGS = "-std=c11 -ffp-contract=off -O1 -g -Wall -Wextra -Wconversion -Wshadow -Werror".split()


def test_a_compiler_is_there():
    assert COMPILERS


@pytest.mark.parametrize("compiler", COMPILERS)
def test_port(compiler, tmp_path):
    sources = SOURCES + sorted((ROOT / "native/port/tests").glob("*.c"))
    program = tmp_path / "test_port"
    command = [compiler, *FLAGS, "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command += [f"-I{ROOT}/native/include", f"-I{ROOT}/native/port/host", *map(str, sources), "-o", str(program)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (0, "ok\n"), run.stderr


@pytest.mark.parametrize("compiler", COMPILERS)
def test_port_is_freestanding(compiler, tmp_path):
    """Nothing but memcpy and memset, which a compiler may call by itself, is needed from outside."""
    objects = []
    for source in SOURCES:
        out = tmp_path / (source.stem + ".o")
        subprocess.run(
            [compiler, *FLAGS, "-O2", "-ffreestanding", f"-I{ROOT}/native/include", "-c", str(source), "-o", str(out)],
            check=True,
            capture_output=True,
            timeout=120,
        )
        objects.append(str(out))
    listed = subprocess.run(["nm", *objects], check=True, capture_output=True, text=True, timeout=60).stdout.split("\n")
    wanted = {line.split()[-1] for line in listed if " U " in line}
    made = {line.split()[-1] for line in listed if " T " in line}
    core = {"pw_run", "pw_steps", "pw_marks", "pw_status"}
    assert wanted - made - core <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}
