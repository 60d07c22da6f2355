"""Emulated chips: code size, memory, instructions and cycles of the motion core (design.md section 7).

By the emulators' own counters: long moves at 320 steps/mm (cost of a step), short chords at 80 steps/mm (cost of a segment), and the start
of a sliced file at both (share of the print time that the processor is busy).  METHOD says what the figures leave out.
"""

import bisect
import itertools
import math
import re
import struct
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from hal import stepcore
from hal.stepcore import lib, ref
from native.port.bare import build as bare
from tests.emulated import helpers_ports as ports
from tests.emulated import helpers_targets as targets
from tools import golden

OPTIMISE = ("-Os", "-O2")
BOARD = {"ring_runs": 64, "ring_marks": 32}
# of the memory rows of design.md section 7: plain (sim-cartesian) 32 KiB, with shapers and pressure advance (sim-corexy) 48 KiB
BUDGETED = {"window": 256, "queue_segments": 0, "ring_runs": 32, "ring_marks": 16}
CLOCK_HZ = {"m0plus": 133_000_000, "m3": 150_000_000, "m4f": 150_000_000, "m7": 150_000_000, "m33": 150_000_000}
COUNTED = (("m0plus", "-Os"), ("m0plus", "-O2"), ("m4f", "-O2"), ("m33", "-O2"))
BUDGET = 1  # of one pw_run: how long the least amount of work holds the processor is measured too
TOP = 14
# of the driver, which hashes the steps
OWN = "drain hash_run block big_endian sha256_word sha256_begin sha256_end one pw_drive bare_put bare_count semihost".split()
METHOD = {
    "m0plus": "rp2040js counts the cycles of a Cortex-M0+ as its manual gives them, memory without wait states: as with all code in RAM "
    "and no second core on the bus. Divisions are libgcc's, the RP2040's divider is not used.",
    "m3 m4f m7 m33": "QEMU with -icount counts instructions, not cycles: no wait states, branches, load-use or divider stalls, no dual "
    "issue. Per second figures take one cycle an instruction, which a real M4F or M33 does not reach.",
    "pulsed rp2040": "The port plays in real time on both emulated cores at 133 MHz, PIO and DMA in step. Cycles are those that core 1 "
    "works from the first step to the last (plan, queues, events; not what it sleeps); steps_per_s and segments_per_s are what it would "
    "do were it never to sleep, peak_steps_per_s what it did in some 10 ms. Text is read by core 0. No bus contention.",
    "pulsed cortex_m": "Instructions of the step interrupt, the pump and the worker (plan) of the timer port in QEMU, each without those "
    "that interrupt it, to 5 or 6 instructions; the log that stands for pins is in the step interrupt. Text is read in thread mode, not "
    "counted. One cycle an instruction, interrupts entered in no time: a real chip needs 12 to 30 cycles more for each.",
    "counts": "From G-code text to runs of steps, without making the pulses. Cost per step and per segment are whole costs divided by "
    "the steps and by the commanded segments. code: the core's objects, and what they pull in of libgcc; stack: of the whole driver.",
}


def long_moves() -> bytes:
    """Lines of 10 to 60 mm in x and y with extrusion, some z: at 320 steps/mm a step costs what a step costs."""
    lines = ["M83", "G1 Z0.2 F600"]
    for i in range(24):
        angle, length = i * 2.4, 10 + i * 17 % 50
        x, y = 117 + length * math.cos(angle), 117 + length * math.sin(angle)
        lines.append("G1 X%.3f Y%.3f Z%.2f E%.5f F%d" % (x, y, 0.2 + i * 0.01, length * 0.03, 6000 + i % 3 * 3000))
    return "\n".join(lines + [""]).encode()


def short_chords(x: float = 117, y: float = 117, z: float = 0.2) -> bytes:
    """Chords of about 0.3 mm on a wavy loop about x, y: nothing to merge, every one a curve."""
    lines = ["M83", "G1 Z%.1f F600" % z, "G0 X%g Y%g F9000" % (x + 20, y)]
    for i in range(1, 900):
        angle = i * 0.016
        radius = 20 + 1.5 * math.sin(7 * angle)
        lines.append("G1 X%.3f Y%.3f E0.012 F6000" % (x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return "\n".join(lines + [""]).encode()


def sliced() -> bytes:
    """The start of a sliced file."""
    return dict(golden.corpus())["sliced/prusa_gear_relative_e.gcode:%d" % golden.START_BYTES]


def straight_lines() -> bytes:
    """Two long lines at some 660 mm/s in x and y together, with extrusion."""
    return b"M83\nG1 X100 Y100 E2 F39600\nG1 X10 Y10 E2\n"


def slower_lines() -> bytes:
    """The same at some 330 mm/s."""
    return straight_lines().replace(b"F39600", b"F20000")


def delta_lines() -> bytes:
    """Two long lines across the bed of a delta at 240 mm/s, the first with z."""
    return b"M83\nG1 X70 Y20 Z200 E2 F14400\nG1 X-60 Y-40 E2\n"


def fast_chords() -> bytes:
    """The first 400 chords, at 150 mm/s where the curve allows it, without the way there."""
    lines = short_chords().split(b"\n")
    return b"\n".join(lines[:1] + lines[3:403]).replace(b"F6000", b"F9000") + b"\n"


_FINE = {"steps_per_m": [320000, 320000, 1600000, 380000, 1, 1, 1, 1]}
# program, machine of the golden table, changes
PROGRAMS = {
    "long_moves_320": (long_moves, "sim-cartesian", _FINE),
    "short_chords_80": (short_chords, "sim-cartesian", {}),
    "sliced_320": (sliced, "sim-cartesian", _FINE),
    "sliced_80": (sliced, "sim-cartesian", {}),
}
FOLLOWED = {  # with shapers and pressure advance; delta
    "long_moves_320_shaped": (long_moves, "sim-corexy", {}),
    "short_chords_320_shaped": (short_chords, "sim-corexy", {}),
    "short_chords_160_delta": (lambda: short_chords(0, 0, 299.5), "sim-delta", {"mesh_points": 0}),
}


def run_output(command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, cwd=bare.ROOT).stdout


def linked(elf_map: str, pattern: str) -> int:
    """Bytes of code and constants that the linker took from files whose path matches."""
    elf_map = elf_map[elf_map.index("Linker script and memory map") :]  # before it: what was left out
    found = re.findall(r"^ \.(?:text|rodata)\S*\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S+)", elf_map, re.MULTILINE)
    return sum(int(size, 16) for size, path in found if re.search(pattern, path))


def code_size(name: str, optimise: str, folder: Path) -> dict:
    """Bytes: the core's objects, libgcc's helpers in the driver's image, and what pw_run, pw_steps and pw_marks reach of both."""
    target, elf, elf_map = bare.TARGETS[name], folder / "image.elf", folder / "image.map"
    (folder / "cases").write_bytes(targets.pack([]))
    targets.build_bare(name, folder / "cases", elf, optimise, elf_map)
    helpers = linked(elf_map.read_text(), r"libgcc\.a")
    bare.image(target, [targets.HERE / "reach.c"], elf, optimise, link_map=elf_map)
    reached = linked(elf_map.read_text(), r"libgcc\.a|/pw_\w+\.o$")
    objects = [path for path in bare.objects(target, optimise) if path.stem.startswith("pw_")]
    total = run_output(["arm-none-eabi-size", "-t", *objects]).strip().split("\n")[-1].split()
    return {"text": int(total[0]), "data": int(total[1]), "bss": int(total[2]), "libgcc": helpers, "reached_while_moving": reached}


def core_size(config: dict) -> int:
    words = stepcore.config_array(lib.pw_config_field, config, {"abi": stepcore.PW_ABI})
    return lib.pw_core_size(ref(words, "struct pw_config"))


def memory() -> dict:
    """pw_core_size of some configurations, and what one more of each element costs."""
    base = targets.machine_config("sim-cartesian")
    board = targets.machine_config("sim-cartesian", **BOARD)
    least = targets.machine_config("sim-cartesian", window=16, ring_runs=16, ring_marks=4)

    def slope(field, by):
        return (core_size({**board, field: board[field] + by}) - core_size(board)) / by

    each = {field: slope(field, 64) for field in ("window", "ring_runs", "ring_marks")}
    return {
        "budgeted": {name: core_size(targets.machine_config(name, **BUDGETED)) for name in ("sim-cartesian", "sim-corexy", "sim-delta")},
        "sim_cartesian": core_size(base),
        "board": {**BOARD, "window": board["window"], "bytes": core_size(board)},
        "least": core_size(least),
        "bytes_per": each,
        "fixed": core_size(board) - round(sum(each[field] * board[field] for field in each)),  # the second context in it
        "measured_on": "64-bit pointers; on a 32-bit target 100 to 200 bytes less",
    }


def profile(elf: Path, samples: Path) -> dict:
    """Share of the instructions that each function of the image takes, the driver's own left out, the largest first."""
    symbols = []
    for line in run_output(["arm-none-eabi-nm", "-n", elf]).splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in "tT" and not words[2].startswith("$"):
            symbols.append((int(words[0], 16) & ~1, words[2]))
    starts = [address for address, _ in symbols]
    counts = Counter()
    for (place,) in struct.iter_unpack("<I", samples.read_bytes()):
        counts[symbols[max(bisect.bisect_right(starts, place) - 1, 0)][1]] += 1
    for own in OWN:
        counts.pop(own, None)
    total = sum(counts.values())
    return {name: round(count / total, 3) for name, count in counts.most_common(TOP)}


def counted(name: str, optimise: str, folder: Path, log) -> dict:
    """All programs on one chip."""
    figures = {}
    programs = {**PROGRAMS, **FOLLOWED} if (name, optimise) in COUNTED[:1] else PROGRAMS
    for key, (make, machine, changes) in programs.items():
        log("%s %s: %s" % (bare.TARGETS[name].cpu, optimise, key))
        config = targets.machine_config(machine, **{**BOARD, **changes})
        cases, image = folder / "cases", folder / "image.elf"
        cases.write_bytes(targets.pack([targets.Case(config, make(), piece=256, budget=BUDGET)]))
        targets.build_bare(name, cases, image, optimise)
        samples = folder / "profile"
        text = targets.run_bare(name, image, profile=samples)
        (answer,) = targets.answers(text)
        steps, moves = sum(answer.steps), answer.moves
        unit = "cycles" if name == "m0plus" else "instructions"
        whole = {part: targets.counted(name, count) for part, count in answer.counts.items()}
        work = {unit: whole["feed"][0] + whole["run"][0] + whole["steps"][0]}
        if name == "m0plus":
            work["instructions"] = whole["feed"][1] + whole["run"][1] + whole["steps"][1]
        figures[key] = {
            "steps": steps,
            "segments": moves,
            "steps_per_run": round(steps / answer.runs, 1),
            **work,
            unit + "_per_step": round(work[unit] / steps, 1),
            unit + "_per_segment": round(work[unit] / moves, 1),
            "share": {part: round(whole[part][0] / work[unit], 3) for part in ("feed", "run", "steps")},
            "longest_pw_run_" + unit: whole["longest"][0],
            "steps_per_s": round(CLOCK_HZ[name] * steps / work[unit]),
            "segments_per_s": round(CLOCK_HZ[name] * moves / work[unit]),
            "clock_hz": CLOCK_HZ[name],
            "busy_share_of_print_time": round(work[unit] / CLOCK_HZ[name] / (answer.ticks / config["tick_hz"]), 3),
            "stack": targets.stack_bytes(text),
        }
        if name == "m0plus":
            figures[key]["where"] = profile(image, samples)
    return figures


RP2_HZ = 133_000_000
FAST = {"max_velocity_um_s": 700_000, "max_accel_um_s2": 20_000_000, "max_jerk_mm_s3": 2_000_000}
# program, machine, changes, build of the core, as played in real time; look-ahead as long as the queues outlast one call of pw_run
PULSED = {
    "straight_lines_320": (straight_lines, "sim-cartesian", {**_FINE, **FAST, "window": 32}, "plain"),
    "short_chords_80": (fast_chords, "sim-cartesian", {**FAST, "window": 32, "home_um": [137_000, 117_000, 0]}, "plain"),
}
PULSED_RP2 = {
    **PULSED,
    "corexy_lines_320_shaped": (slower_lines, "sim-corexy", {**FAST, "window": 32}, "shaped"),
    "delta_lines_160": (delta_lines, "sim-delta", {**FAST, "window": 32, "mesh_points": 0}, "whole"),
}


def _fits(config: dict, changes: dict) -> dict:
    """The changes, lists made as long as the configuration's."""
    return {key: value + config[key][len(value) :] if isinstance(value, list) else value for key, value in changes.items()}


def pulsed_config(machine: str, changes: dict) -> dict:
    config = targets.machine_config(machine, **BOARD)
    return {**config, **_fits(config, changes)}


RP2_VARIANTS = (("-Os", "-Os"), ("-Os", "-O2"))  # of the core, of what makes pulses


def pulsed_rp2040(log, variants=RP2_VARIANTS) -> dict:
    """Programs as the RP2040 port plays them in real time, by cycles of core 1; core 0 feeds."""
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for (key, (make, machine, changes, features)), (optimise, hot) in itertools.product(PULSED_RP2.items(), variants):
            log("RP2040 with pulses, %s, pump %s: %s" % (optimise, hot, key))
            text, config = make(), pulsed_config(machine, changes)
            port = {"clock_hz": RP2_HZ, "queue_runs": 64, "stack_bytes": 8192}
            image = ports.rp2_image(folder, config, text, optimise=optimise, hot=hot, features=features, **port)
            run = ports.run_rp2(folder, image, 400_000_000, mhz=RP2_HZ // 1_000_000)
            edges = sorted(cycle for pin in ports.STEP_PINS for cycle in run.edges.rises(pin).tolist())
            worked, whole = run.tail["busy"]
            window = RP2_HZ // 100
            peak = max(bisect.bisect_left(edges, cycle + window) - i for i, cycle in enumerate(edges)) * 100
            figures["%s core %s pump %s" % (key, optimise, hot)] = {
                "steps": len(edges),
                "segments": text.count(b"G1"),
                "fault": run.status["fault"],
                "least_lead_us": run.status["worst"],
                "share_of_core_1": round(worked / whole, 3),
                "cycles_per_step": round(worked / len(edges), 1),
                "cycles_per_segment": round(worked / text.count(b"G1")),
                "peak_steps_per_s": peak,
                "steps_per_s": round(RP2_HZ * len(edges) / worked),
                "segments_per_s": round(RP2_HZ * text.count(b"G1") / worked),
                "build": features,
                "ram_code_bytes": ports.ram_code_bytes(folder / "port.elf"),
                "stack": run.status["stack"],
            }
    return figures


def ram_code() -> dict:
    """Bytes of RAM that what core 1 of an RP2040 reaches takes, core and port at -Os, per build of the core."""
    target, found = bare.TARGETS["m0plus"], {}
    for features in bare.FEATURES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            own = bare.compiled(target, [source for source in ports.RP2 if "tests" not in source.parts], folder, "-Os")
            sections = bare.reached(target, [*own, *bare.objects(target, "-Os", features)], ports.RP2_ROOTS, folder)
            found[features] = sum(size for _, _, size in sections)
    return found


def pulsed_cortexm(log) -> dict:
    """Instructions of the Cortex-M port by its three interrupts."""
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("m4f", "m33"):
            for key, (make, machine, changes, _) in PULSED.items():
                log("%s with pulses: %s" % (bare.TARGETS[name].cpu, key))
                text = make()
                run = ports.run_cm(folder, name, pulsed_config(machine, {**changes, "window": 64}), text, queue_runs=64)
                steps = sum(len(run.edges.rises(pin)) for pin in ports.CM_STEP_PINS)
                # ticks to instructions of 2**CM_SHIFT ns
                spent = [round(ticks * 1e9 / bare.TARGETS[name].systick_hz / 2**ports.CM_SHIFT) for ticks in run.spent or ()]
                figures["%s %s" % (name, key)] = {
                    "steps": steps,
                    "fault": run.status["fault"],
                    "instructions_per_step": {
                        part: round(count / steps, 1) for part, count in zip(("step_interrupt", "pump", "plan"), spent)
                    },
                    "steps_per_s": round(CLOCK_HZ[name] * steps / sum(spent)),
                    "segments_per_s": round(CLOCK_HZ[name] * text.count(b"G1") / sum(spent)),
                }
    return figures


def run(log) -> dict:
    code = {}
    counts = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in bare.TARGETS:
            log("%s: size" % bare.TARGETS[name].cpu)
            code[name] = {optimise: code_size(name, optimise, folder) for optimise in OPTIMISE}
        for name, optimise in COUNTED:
            counts["%s %s" % (name, optimise)] = counted(name, optimise, folder, log)
    pulsed = {"rp2040": pulsed_rp2040(log), "cortex_m": pulsed_cortexm(log)}
    code["rp2040_ram"] = ram_code()
    return {"method": METHOD, "pulsed": pulsed, "code_bytes": code, "core_memory_bytes": memory(), "counts": counts}
