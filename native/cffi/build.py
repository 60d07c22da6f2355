"""Builds native._printwright: core and host port for CPython, through cffi's API mode.

The declarations are the real headers, with only their preprocessor lines taken away, so no prototype is ever typed twice.
Run by setuptools (`setup.py`: cffi_modules) or by hand: `python native/cffi/build.py` puts the module into the checkout, and does
nothing when no source has changed.
"""

import os
import subprocess
import sys

from cffi import FFI

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_HEADERS = ("printwright.h", "printwright_port.h")
_SOURCE_FOLDERS = ("native/src", "native/port/common", "native/port/host")


def declarations(name: str) -> str:
    """The header as cffi wants it: no preprocessor lines (they carry no declarations by the headers' own rule)."""
    with open(os.path.join(_ROOT, "native", "include", name), encoding="ascii") as header:
        return "".join("\n" if line.startswith("#") else line for line in header)


def sources() -> list[str]:
    """Every C file of core and host port, relative to the checkout as setuptools wants them."""
    found = []
    for folder in _SOURCE_FOLDERS:
        found += sorted(folder + "/" + name for name in os.listdir(os.path.join(_ROOT, folder)) if name.endswith(".c"))
    return found


def headers() -> list[str]:
    """Files other than the sources whose change makes a new build necessary."""
    found = ["native/cffi/build.py"] + ["native/include/" + name for name in _HEADERS]
    for folder in _SOURCE_FOLDERS:
        found += sorted(folder + "/" + name for name in os.listdir(os.path.join(_ROOT, folder)) if name.endswith(".h"))
    return found


ffi = FFI()
for _name in _HEADERS:
    ffi.cdef(declarations(_name))
ffi.set_source(
    "native._printwright",
    "".join('#include "%s"\n' % name for name in _HEADERS),
    sources=sources(),
    depends=headers(),
    include_dirs=["native/include"],
    extra_compile_args=["-O3", "-std=c11", "-ffp-contract=off"],
)

if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"], cwd=_ROOT))
