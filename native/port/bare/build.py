"""Builds freestanding images for emulated Cortex-M targets: start.c and bare.ld here, the core, and a program's own sources.

Needs Debian's gcc-arm-none-eabi; no C library is linked.  Objects of the core are kept in build/bare/ and made anew when a source changes.
"""

import concurrent.futures
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path("native/port/bare")
BUILD = ROOT / "build/bare"
WARN = "-Wall -Wextra -Wconversion -Werror".split()
FLAGS = "-std=c11 -ffp-contract=off -ffreestanding -fno-tree-loop-distribute-patterns".split()
FLAGS += "-mthumb -ffunction-sections -fdata-sections -g".split()
INCLUDE = ["-Inative/include", "-Inative/src", "-Inative/port/bare"]
LINK = "-nostdlib -nostartfiles -static -Wl,--gc-sections -Wl,--fatal-warnings -Wl,--build-id=none -T native/port/bare/bare.ld".split()
KIB = 1024
# beside -Os on a Cortex-M0+, whose code is in RAM: what else makes it smaller there, 2 to 3 %
SMALLER = "-fno-inline-functions-called-once -fno-tree-forwprop -fsplit-wide-types-early".split()


class Target:
    """A chip as an emulator knows it.

    machine: QEMU's name, None for the RP2040 emulator; systick_hz: the rate of SysTick there; flash and ram: (address, bytes).
    """

    def __init__(self, name, cpu, flags, machine, systick_hz, flash, ram):
        self.name, self.cpu, self.flags, self.machine, self.systick_hz = name, cpu, flags, machine, systick_hz
        self.flash, self.ram = flash, ram


_RP2040 = ((0x10000000, 2048 * KIB), (0x20000000, 256 * KIB))
_MPS2 = ((0, 4096 * KIB), (0x20000000, 4096 * KIB))
_AN505 = ((0x10000000, 4096 * KIB), (0x38000000, 2048 * KIB))
_FPU = "-mfloat-abi=hard"
TARGETS = {
    target.name: target
    for target in (
        Target("m0plus", "Cortex-M0+", ["-mcpu=cortex-m0plus", "-DBARE_RP2040"], None, 0, *_RP2040),
        Target("m3", "Cortex-M3", ["-mcpu=cortex-m3"], "mps2-an385", 25_000_000, *_MPS2),
        Target("m4f", "Cortex-M4F", ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", _FPU], "mps2-an386", 25_000_000, *_MPS2),
        Target("m7", "Cortex-M7", ["-mcpu=cortex-m7", "-mfpu=fpv5-d16", _FPU], "mps2-an500", 25_000_000, *_MPS2),
        Target("m33", "Cortex-M33", ["-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16", _FPU], "mps2-an505", 20_000_000, *_AN505),
    )
}


# Builds of the core by what they leave out (native/src/pw_features.h): what a board needs in RAM is a matter of kilobytes.
FEATURES = {
    "plain": ("SHAPING", "MESH", "DELTA", "MATRIX"),  # cartesian, CoreXY, CoreXZ
    "mesh": ("SHAPING", "DELTA", "MATRIX"),
    "shaped": ("MESH", "DELTA", "MATRIX"),  # input shapers, pressure advance
    "whole": (),
}


def _level(target: Target, optimise: str) -> list[str]:
    return [optimise, *(SMALLER if optimise == "-Os" and target.name == "m0plus" else [])]


def without(features: str) -> list[str]:
    """Compiler flags of a build of the core."""
    return ["-DPW_WITH_%s=0" % name for name in FEATURES[features]]


def missing() -> list[str]:
    """Debian packages that are needed and not there."""
    return [] if shutil.which("arm-none-eabi-gcc") else ["gcc-arm-none-eabi"]


def _run(command):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError("%s\n%s" % (" ".join(map(str, command)), done.stderr[-4000:]))
    return done.stdout


def core_sources() -> list[Path]:
    """The core's own sources, relative to the checkout."""
    return [path.relative_to(ROOT) for path in sorted((ROOT / "native/src").glob("*.c"))]


def _key(words, files) -> str:
    whole = hashlib.sha256(repr(words).encode())
    headers = [path for folder in ("native/include", "native/src", HERE) for path in sorted((ROOT / folder).glob("*.h"))]
    for path in [ROOT / file for file in files] + headers:
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:24]


def objects(target: Target, optimise: str, features: str = "whole") -> list[Path]:
    """Object files of the core and of this folder."""
    sources = core_sources() + [HERE / "start.c", HERE / "memory.c", HERE / "divide.c"]
    flags = [*FLAGS, *WARN, *target.flags, *_level(target, optimise), *without(features), *INCLUDE]
    BUILD.mkdir(parents=True, exist_ok=True)
    folder = BUILD / ("%s%s-%s" % (target.name, optimise, features))
    with open(BUILD / (folder.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest-xdist: one process builds, others wait
        key, stamp = _key([_run(["arm-none-eabi-gcc", "--version"]), flags], sources), folder / "key"
        made = [folder / (source.stem + ".o") for source in sources]
        if not stamp.exists() or stamp.read_text() != key:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            commands = [["arm-none-eabi-gcc", *flags, "-c", source, "-o", to] for source, to in zip(sources, made)]
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(_run, commands))
            stamp.write_text(key)
    return made


def compiled(target: Target, sources, folder: Path, optimise: str, flags=()) -> list[Path]:
    """Object files of other sources, in `folder`."""
    made = []
    for source in sources:
        made.append(folder / (source.stem + ".o"))
        _run(["arm-none-eabi-gcc", *FLAGS, *WARN, *target.flags, *_level(target, optimise), *INCLUDE, *flags, "-c", source, "-o", made[-1]])
    return made


def reached(target: Target, parts: list[Path], roots: list[str], folder: Path) -> list[tuple[str, str, int]]:
    """Sections that the linker keeps when only `roots` are asked for: (file or archive:member, section, bytes), code and constants."""
    script, elf_map = folder / "reached.ld", folder / "reached.map"
    script.write_text("ENTRY(%s)\nEXTERN(%s)\nSECTIONS { . = 0x20000000; }\n" % (roots[0], " ".join(roots)))
    link = ["-nostdlib", "-nostartfiles", "-static", "-Wl,--gc-sections", "-Wl,--build-id=none", "-T", script, "-Wl,-Map=%s" % elf_map]
    _run(["arm-none-eabi-gcc", "-mthumb", *target.flags, *link, *parts, "-lgcc", "-o", folder / "reached.elf"])
    text = elf_map.read_text()
    text = text[text.index("Linker script and memory map") :]
    found = re.findall(r"^ (\.(?:text|rodata)\S*)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S+)", text, re.MULTILINE)
    # an archive is written archive.a(member.o)
    return [(Path(path).name.replace("(", ":").rstrip(")"), name, int(size, 16)) for name, size, path in found if int(size, 16)]


def image(
    target: Target,
    program: list[Path],
    output: Path,
    optimise: str = "-O2",
    flags=(),
    link_map: Path | None = None,
    ram_roots=(),
    ram_optimise=None,
    features: str = "whole",
) -> Path:
    """Compiles `program` (relative to the checkout), links it with the core and returns `output`, an ELF file.

    flags: for `program` alone; link_map: a file for the linker's map; ram_roots: functions that are put into RAM with all that they reach
    (their sources are in `program`); ram_optimise: optimisation of files of `program` below native/port/pulse and common, if another;
    features: one of FEATURES.
    """
    parts = objects(target, optimise, features)
    (flash, flash_size), (ram, ram_size) = target.flash, target.ram
    places = {"FLASH": flash, "FLASH_SIZE": flash_size, "RAM": ram, "RAM_SIZE": ram_size}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        hot = [source for source in program if ram_optimise and source.parent.name in ("pulse", "common")]
        own = compiled(target, [source for source in program if source not in hot], folder, optimise, flags)
        own += compiled(target, hot, folder, ram_optimise, flags)
        sections = reached(target, [*own, *parts], list(ram_roots), folder) if ram_roots else []
        (folder / "ram_code.ld").write_text("".join("*%s(%s)\n" % (file, name) for file, name, _ in sections))
        define = ["-Wl,--defsym=%s=%#x" % item for item in places.items()] + ["-L", folder]
        if link_map:
            define.append("-Wl,-Map=%s" % link_map)
        _run(["arm-none-eabi-gcc", "-mthumb", *target.flags, *LINK, *define, *own, *parts, "-lgcc", "-o", output])
    return output


def binary(elf: Path) -> Path:
    """The image as it lies in flash."""
    flat = elf.with_suffix(".bin")
    _run(["arm-none-eabi-objcopy", "-O", "binary", elf, flat])
    return flat


def entry(target: Target) -> int:
    """Where the image starts: address of the vector table."""
    return target.flash[0]
