"""Builds build/pwcore.wasm: motion core and host port for MicroPython as WebAssembly, made to live in the interpreter's own memory.

A position-independent module without a C library: its data and its stack are blocks that the host script takes from the
interpreter's allocator.  Exported is what the public headers declare.  Needs clang and lld, both of one version.

    python native/wasm/build.py            prints the path; builds only when a source has changed
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_HEADERS = ("native/include/printwright.h", "native/include/printwright_port.h")
_FOLDERS = ("native/src", "native/port/common", "native/port/host", "native/wasm")
OUTPUT = os.path.join(_ROOT, "build", "pwcore.wasm")
# Without the 128-bit type the core takes the path that 32-bit boards take.
FLAGS = "--target=wasm32-unknown-emscripten -std=c11 -ffp-contract=off -O2 -U__SIZEOF_INT128__".split()
FLAGS += "-fPIC -ffreestanding -fno-builtin -nostdlib".split()
LINK = "-Wl,--no-entry -Wl,--experimental-pic -Wl,-shared".split()


def _files(ending: str) -> list[str]:
    found = []
    for folder in _FOLDERS:
        found += sorted(folder + "/" + name for name in os.listdir(os.path.join(_ROOT, folder)) if name.endswith(ending))
    return found


def functions(header: str) -> list[str]:
    """Names of the functions that a public header declares."""
    with open(os.path.join(_ROOT, header), encoding="ascii") as text:
        bare = re.sub(r"/\*.*?\*/", "", text.read(), flags=re.DOTALL)
    return re.findall(r"\b(pw_\w+)\([^;{}]*\);", bare)


def exports() -> list[str]:
    """Names of all functions that the module exports."""
    return [name for header in _HEADERS for name in functions(header)]


def _key(compiler: str, sources: list[str]) -> str:
    whole = hashlib.sha256()
    version = subprocess.run([compiler, "--version"], capture_output=True, check=True, timeout=60).stdout
    whole.update(version + repr((FLAGS, LINK, exports())).encode())
    for name in sources + list(_HEADERS) + _files(".h"):
        with open(os.path.join(_ROOT, name), "rb") as file:
            whole.update(name.encode() + b"\0" + file.read())
    return whole.hexdigest()


def compiler() -> str | None:
    """The clang to use, or None when it or its linker is not installed."""
    for name in ("clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14"):
        linker = name.replace("clang", "wasm-ld")
        if shutil.which(name) and (shutil.which(linker) or shutil.which("wasm-ld")):
            return name
    return None


def build(output: str = OUTPUT) -> str:
    """Compiles and links unless nothing has changed since; returns the path.  Raises RuntimeError with the compiler's words."""
    clang = compiler()
    if clang is None:
        raise RuntimeError("clang and lld are needed for the WebAssembly build: apt install clang lld")
    sources = _files(".c")
    key = _key(clang, sources)
    stamp = output + ".key"
    if os.path.exists(output) and os.path.exists(stamp):
        with open(stamp, encoding="ascii") as file:
            if file.read() == key:
                return output
    os.makedirs(os.path.dirname(output), exist_ok=True)
    command = [clang, *FLAGS, "-Inative/include", *sources, *LINK]
    command += ["-Wl,--export-if-defined=" + name for name in exports()]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(output)) as folder:
        made = os.path.join(folder, "pwcore.wasm")
        run = subprocess.run([*command, "-o", made], cwd=_ROOT, capture_output=True, text=True, timeout=300)
        if run.returncode:
            raise RuntimeError("the WebAssembly build failed:\n" + run.stderr)
        os.replace(made, output)
    with open(stamp, "w", encoding="ascii") as file:
        file.write(key)
    return output


if __name__ == "__main__":
    try:
        print(build())
    except RuntimeError as e:
        sys.exit(str(e))
