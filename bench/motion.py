"""Motion: lines and steps a second and memory of `printwright steps` on a file of a million lines, and print times (design.md section 7).

The large file is that of `make vectors`, sliced when it is missing and slicers are there; else dense G-code is made up.  Each run is a
process of its own.  cpu_s is without hashing; packing the bytes that are hashed is in it.  With KLIPPER in the environment the first
part of that file also goes through Klipper's batch mode (bench/klipper.py).
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import klipper
from hal import factory
from tools import steps

LARGE = Path("build/vectors/prusa_vase_large.gcode")
LARGE_LINES = 1_000_000
SLICED = Path("tests/vectors/sliced")
MACHINES = ("sim-cartesian", "sim-corexy")
JERK_UNLIMITED_MM_S3 = 100_000_000
REPEATS = 2


def printwright_steps(path, machine):
    """The JSON of one run in a process of its own."""
    command = [sys.executable, "-m", "tools.cli.main", "steps", str(path), "--machine", machine, "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def print_time_s(path, description):
    with open(path, "rb", buffering=0) as source:
        return steps.run(source, str(path), description)["print_time_s"]


def made_up(path):
    """Loops of short chords with rising z: a million lines without a slicer."""
    with open(path, "w", encoding="ascii") as out:
        out.write("G28\nM83\nG1 Z0.2 F600\n")
        for number in range(LARGE_LINES):
            angle = number * 0.01
            radius = 50 + 4 * math.cos(9 * angle)
            x, y = 117 + radius * math.cos(angle), 117 + radius * math.sin(angle)
            out.write("G1 X%.3f Y%.3f Z%.3f E%.5f F6000\n" % (x, y, 0.2 + number * 3e-5, 0.02))


def large_file(log, folder):
    """(path, where it comes from)."""
    if not LARGE.exists():
        log("slicing %s" % LARGE.name)
        done = subprocess.run([sys.executable, "-m", "tools.vectors", "--only", LARGE.stem], stdout=subprocess.DEVNULL)
        if done.returncode:
            log("no slicer: G-code is made up instead")
            path = Path(folder) / "made_up.gcode"
            made_up(path)
            return path, "made up, since no slicer is installed"
    return LARGE, "sliced, tools/vectors.py"


def throughput(log, path):
    """Best of a few runs for each machine (others use the processor too)."""
    result = {}
    for machine in MACHINES:
        runs = []
        for _ in range(REPEATS):
            log("steps of %s on %s" % (path.name, machine))
            runs.append(printwright_steps(path, machine))
        best = min(runs, key=lambda run: run["cpu_s"])
        total = sum(best["steps"].values())
        result[machine] = {
            **{key: best[key] for key in ("lines", "moves", "print_time_s", "wall_s", "cpu_s", "digest_cpu_s", "sha256")},
            "steps": total,
            "lines_per_cpu_s": round(best["lines"] / best["cpu_s"]),
            "steps_per_cpu_s": round(total / best["cpu_s"]),
            "peak_rss_bytes": max(run["peak_rss_bytes"] for run in runs),
        }
    return result


def _time(folder, text, description):
    path = Path(folder) / "line.gcode"
    path.write_text("".join(text), encoding="ascii")
    return print_time_s(path, description)


def dense_lines(folder):
    """Print time of short pieces against one piece, for each machine."""
    result = {}
    for machine in MACHINES:
        description = factory.describe(machine)
        accel = description["printer"]["motion"]["max_accel_mm_s2"]
        rows = {}
        for name, feed in (("100 mm at 100 mm/s", 6000), ("100 mm at 300 mm/s", 18000)):
            whole = _time(folder, ["G1 X100 Y40 F%d\n" % feed], description)
            cut = ["G1 X%.4f Y%.4f F%d\n" % (k * 0.05, k * 0.02, feed) for k in range(1, 2001)]
            rows["0.05 mm pieces, " + name] = round(_time(folder, cut, description) / whole, 5)
        for radius in (3, 8, 30):
            # a polygon of 0.1 mm chords is capped by the curve rule, v^2 = a r, or by F: the same cap for one straight segment
            for feed in (40, 300):
                turn = 0.1 / radius
                chords = ["G1 X%.4f Y%.4f F6000\n" % (100 + radius, 100), "M400\nG1 F%d\n" % (feed * 60)]
                for k in range(1, 1001):
                    angle = k * turn
                    chords.append("G1 X%.5f Y%.5f\n" % (100 + radius * math.cos(angle), 100 + radius * math.sin(angle)))
                approach = _time(folder, chords[:1], description)
                cap = min(feed, math.sqrt(accel * radius))
                whole = _time(folder, ["G1 X100 F%.3f\n" % (cap * 60)], description)
                ratio = (_time(folder, chords, description) - approach) / whole
                rows["100 mm of 0.1 mm chords, radius %d mm, F %d mm/s (cap %.0f)" % (radius, feed, cap)] = round(ratio, 5)
        result[machine] = rows
    return result


def unlimited_jerk(log, large=()):
    """Print time of sliced files against that with practically unlimited jerk.

    Small models at low jerk cannot come near 1: a line of 5 mm from corner to corner at 3,000 mm/s^2 takes 1.37 times as long with
    100,000 mm/s^3 as with none, whoever plans it.
    """
    result = {}
    for machine in MACHINES:
        plain, free = factory.describe(machine), factory.describe(machine)
        free["printer"]["motion"]["max_jerk_mm_s3"] = JERK_UNLIMITED_MM_S3
        rows = {}
        for path in [*sorted(SLICED.glob("*.gcode")), *large]:
            log("jerk: %s on %s" % (path.name, machine))
            rows[path.stem] = round(print_time_s(path, plain) / print_time_s(path, free), 4)
        result[machine] = rows
    return result


def run(log):
    """All figures as one dict."""
    with tempfile.TemporaryDirectory() as folder:
        path, origin = large_file(log, folder)
        result = {"large_file": path.name, "large_file_origin": origin, "steps": throughput(log, path)}
        if os.environ.get("KLIPPER"):
            result["klipper"] = klipper.compare(log, os.environ["KLIPPER"], path)
        result["print_time_over_one_piece"] = dense_lines(folder)
        result["print_time_over_unlimited_jerk"] = unlimited_jerk(log, [path])
    return result
