"""Building the driver of this folder for a target and running it: desktop compilers, WebAssembly, QEMU, the RP2040 emulator."""

import json
import os
import shutil
import struct
import subprocess
from array import array
from pathlib import Path

from hal import factory, stepcore
from native.port.bare import build as bare
from native.wasm import build as wasm
from tools import golden

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("tests/emulated")
DRIVER = [HERE / "driver.c", HERE / "sha256.c"]
STRICT = "-std=c11 -ffp-contract=off -Wall -Wextra -Wconversion -Werror".split()
ICOUNT_SHIFT = 6  # an instruction takes 2**6 ns of QEMU's virtual time
_TEXT = {code: name for name, code in vars(stepcore).items() if name.startswith("PW_E_")}


class Answer:
    """What the driver printed about one case; `counts` maps feed, run, steps, longest to (first, second counter)."""

    def __init__(self, line: str, counts: str):
        words = line.split()
        keys = [words.index(key) for key in ("error", "moves", "sha256", "steps", "runs", "ticks", "memory")]
        error, error_line = int(words[keys[0] + 1]), int(words[keys[0] + 2])
        self.error = [_TEXT[error], error_line] if error else None
        self.moves = int(words[keys[1] + 1])
        self.sha256 = words[keys[2] + 1]
        self.steps = [int(word) for word in words[keys[3] + 1 : keys[4]]]
        self.runs = int(words[keys[4] + 1])
        self.ticks = int(words[keys[5] + 1])
        self.memory = int(words[keys[6] + 1])
        words = counts.split()[1:]
        self.counts = {words[i]: (int(words[i + 1]), int(words[i + 2])) for i in range(0, len(words), 3)}

    def stream(self) -> dict:
        """The part that the golden table has."""
        return {"sha256": self.sha256, "steps": self.steps, "moves": self.moves, "error": self.error}


class Case:
    """A program for a configuration (fields of struct pw_config by name) and maybe a mesh, and how it is cut up."""

    def __init__(self, config: dict, text: bytes, piece: int = 1024, budget: int = 64, mesh: tuple[list[int], list[int]] | None = None):
        self.mesh = [*mesh[0], *mesh[1]] if mesh else []
        self.words = stepcore.config_array(stepcore.lib.pw_config_field, config, {"abi": stepcore.PW_ABI})
        self.text, self.piece, self.budget = text, piece, budget


def machine_config(machine: str, **changes) -> dict:
    """Configuration of a machine of the golden table, some fields changed."""
    config = factory.core_config(factory.describe(golden.machines()[machine]))
    config.update(changes)
    return config


def pack(cases: list[Case]) -> bytes:
    """The driver's input (driver.h)."""
    policy = golden.policy_words()
    out = [struct.pack("<II%dI" % len(policy), len(cases), len(policy), *policy)]
    for case in cases:
        out.append(struct.pack("<IIIII", len(case.words), len(case.text), case.piece, case.budget, len(case.mesh)))
        out.append(array("i", case.words).tobytes())
        out.append(array("i", case.mesh).tobytes())
        out.append(case.text + bytes(-len(case.text) % 4))
    return b"".join(out)


def _done(command, timeout_s=300, env=None) -> str:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, env=env)
    if done.returncode:
        raise RuntimeError("%s: exit %d\n%s\n%s" % (command[0], done.returncode, done.stdout[-2000:], done.stderr[-4000:]))
    return done.stdout


def answers(text: str) -> list[Answer]:
    """What was printed, case by case."""
    lines = [line for line in text.split("\n") if line.startswith(("case", "count"))]
    return [Answer(lines[i], lines[i + 1]) for i in range(0, len(lines), 2)]


# -- desktop ----------------------------------------------------------------------------------------------------------------------


def build_host(compiler: str, flags: list[str], output: Path) -> Path:
    """The driver as a program of this computer."""
    sources = [*DRIVER, HERE / "host.c", *bare.core_sources()]
    _done([compiler, *STRICT, *flags, "-Inative/include", "-Inative/src", *sources, "-o", output])
    return output


def run_host(program: Path, cases: Path) -> list[Answer]:
    return answers(_done([program, cases]))


# -- WebAssembly ------------------------------------------------------------------------------------------------------------------


def build_wasm(output: Path) -> Path:
    """The driver as a WebAssembly module with its own memory."""
    clang = wasm.compiler()
    if clang is None:
        raise RuntimeError("clang and lld are needed for the WebAssembly build: apt install clang lld")
    sources = [*DRIVER, HERE / "wasm.c", *bare.core_sources()]
    flags = "--target=wasm32 -O2 -U__SIZEOF_INT128__ -ffreestanding -fno-builtin -nostdlib -Wl,--no-entry -Wl,--export=__heap_base".split()
    _done([clang, *STRICT, *flags, "-Inative/include", "-Inative/src", *sources, "-o", output])
    return output


def node(script: str, *arguments, timeout_s=300) -> str:
    """Standard output of a program of this folder under Node."""
    env = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    path = shutil.which("node", path="%s:%s" % (ROOT / ".venv/bin", env["PATH"]))
    if path is None:
        raise RuntimeError("node is not there: tools/setup.sh test installs it")
    return _done([path, HERE / script, *arguments], timeout_s, env)


def run_wasm(module: Path, cases: Path) -> list[Answer]:
    return answers(node("wasm.mjs", module, cases))


# -- Cortex-M ---------------------------------------------------------------------------------------------------------------------


def build_bare(name: str, cases: Path, output: Path, optimise: str = "-O2", link_map: Path | None = None) -> Path:
    """The driver with its cases as an image of a target of native/port/bare/build.py; the linker's map goes to link_map."""
    if bare.missing():
        raise RuntimeError("not installed: " + " ".join(bare.missing()))
    program = [*DRIVER, HERE / "bare.c"]
    return bare.image(bare.TARGETS[name], program, output, optimise, ["-I%s" % HERE, '-DCASES="%s"' % cases], link_map)


def run_bare(name: str, image: Path, timeout_s=300, profile: Path | None = None) -> str:
    """What the image prints in the target's emulator.  profile: for the RP2040, a file for samples of the program counter."""
    target = bare.TARGETS[name]
    if target.machine is None:
        return node("rp2040.mjs", bare.binary(image), bare.entry(target), *([profile] if profile else []), timeout_s=timeout_s)
    return run_qemu(target, image, ICOUNT_SHIFT, timeout_s)


def run_qemu(target: bare.Target, image: Path, shift: int, timeout_s=300) -> str:
    """What the image prints in QEMU, where an instruction takes 2**shift ns."""
    command = ["qemu-system-arm", "-M", target.machine, "-nographic", "-monitor", "none", "-serial", "none"]
    command += ["-semihosting-config", "enable=on,target=native", "-icount", "shift=%d,sleep=off" % shift, "-kernel", image]
    if shutil.which(command[0]) is None:
        raise RuntimeError("not installed: qemu-system-arm")
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)
    text = done.stdout + done.stderr  # QEMU's semihosting console is standard error
    if done.returncode:
        raise RuntimeError("%s: exit %d\n%s" % (target.machine, done.returncode, text[-4000:]))
    return text


def counted(name: str, count: tuple[int, int]) -> tuple[int, int]:
    """A target's count as (cycles, instructions); QEMU only knows (instructions, 0)."""
    target = bare.TARGETS[name]
    if target.machine is None:
        return count
    return round(count[0] * 1e9 / target.systick_hz / 2**ICOUNT_SHIFT), 0


def stack_bytes(text: str) -> int:
    """The most stack that a bare image has used."""
    return int(text[text.rindex("stack ") + 6 :].split()[0])


def load_golden() -> dict:
    return json.loads(golden.TABLE.read_text(encoding="ascii"))
