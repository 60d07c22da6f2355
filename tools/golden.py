"""Golden digests: tests/vectors/golden.json says what stream each program of the corpus gives on each machine.

    python -m tools.golden            compares with what this checkout's core gives (cffi build); exit 1 where they differ
    python -m tools.golden --write    writes the table anew, for a change of the stream that is meant

The corpus is every file of tests/vectors/programs and tests/vectors/sliced, on every machine of boards/; and the start of each sliced
file, named NAME:BYTES, for targets that are too slow for the whole.  Machines of tests/vectors/machines, which have what those do not
(tools, other kinematics, a bed that is not flat: tests/vectors/meshes.json), play programs, some of them only CHOSEN ones.

A command that stops the feed is a mark, a flush or nothing, as firmware/gcode/policy.py says; one that the policy refuses is a flush
here.  A program with an error has the stream up to it.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from firmware.gcode import policy
from hal import factory, stepcore
from hal.stepcore import StepCore
from hal.stepsink import Sink, StreamDigest

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "tests/vectors"
TABLE = VECTORS / "golden.json"
MESHES = VECTORS / "meshes.json"
START_BYTES = 6144
# of machines that differ from others in few things only
CHOSEN = {
    "matrix-shaped": ("mixed", "tools", "planes", "advance", "random"),
    "delta-shaped": ("mixed", "advance", "dense"),
    "corexy-plain": ("mixed", "corners", "random"),
    "corexz-cruise": ("mixed", "corners", "dense", "planes"),
}
BUDGET = 1024


def corpus() -> list[tuple[str, bytes]]:
    """(name, text) of every program, in the table's order."""
    found = []
    for folder in ("programs", "sliced"):
        for path in sorted((VECTORS / folder).glob("*.gcode")):
            text = path.read_bytes()
            found.append(("%s/%s" % (folder, path.name), text))
            if folder == "sliced":
                start = text[: text.rfind(b"\n", 0, START_BYTES) + 1]
                found.append(("%s/%s:%d" % (folder, path.name, START_BYTES), start))
    return found


def machines() -> dict[str, str]:
    """{name: what hal.factory.describe() takes}."""
    found = {name: name for name in factory.machines()}
    found.update({path.stem: str(path) for path in sorted((VECTORS / "machines").glob("*.json"))})
    return found


def meshes() -> dict[str, tuple[list[int], list[int]]]:
    """{machine: (shape, heights_nm) as for StepCore.mesh}, of those that have one."""
    told = json.loads(MESHES.read_text(encoding="ascii"))
    return {machine: (mesh["shape"], mesh["heights_nm"]) for machine, mesh in told.items()}


def programs_of(machine: str, programs: Iterable[str]) -> list[str]:
    """Names of the programs that a machine plays."""
    if machine in CHOSEN:
        return [name for name in programs if name in ["programs/%s.gcode" % one for one in CHOSEN[machine]]]
    return [name for name in programs if machine in factory.machines() or name.startswith("programs/")]


def policy_words() -> list[int]:
    """The policy's table as the driver of emulated targets wants it (tests/emulated/driver.h)."""
    words = []
    for name in policy.commands(policy.GCODE):
        if not name[1:].isdigit():  # EXCLUDE_OBJECT: in no program of the table
            continue
        number = int(name[1:])
        words.append(ord(name[0]) << 24 | policy.classify(policy.GCODE, name[0], number) << 20 | number)
    return words


def stream(config: dict, text: bytes, mesh: tuple[list[int], list[int]] | None = None) -> dict:
    """What the core of this interpreter gives: sha256, steps (a list), moves, error (name and line, or None).

    config: fields of struct pw_config by name, as factory.core_config gives them; mesh: as of meshes().
    """
    core = StepCore(config)
    if mesh:
        core.mesh(*mesh)
    event = core.event
    sink = Sink(core, 65536)
    digest = StreamDigest(core.motors)

    def drain():
        more = True
        while more:
            more = sink.drain_core(BUDGET)
            digest.update(sink)

    def until_queued(call):
        while not call():
            drain()

    core.begin()
    at = 0
    error = None
    while True:
        if at < len(text):
            at += core.feed(text, at, len(text))
        else:
            core.end_document()
        if event.kind == stepcore.PW_EV_COMMAND:
            action = policy.classify(policy.GCODE, event.letter, event.number, event.sub)
            if action == policy.MARK:
                until_queued(lambda: core.mark(0))
            elif action != policy.IGNORE:
                until_queued(core.flush)
        elif event.kind == stepcore.PW_EV_LAYER:
            until_queued(lambda: core.mark(0))
        elif event.kind == stepcore.PW_EV_FULL:
            drain()
        elif event.kind == stepcore.PW_EV_ERROR:
            error = [event.name, event.line]
            until_queued(core.flush)
            break
        elif event.kind == stepcore.PW_EV_END:
            break
    drain()
    steps = [sink.steps(motor) for motor in range(core.motors)]
    return {"sha256": digest.digest().hex(), "steps": steps, "moves": core.status().moves, "error": error}


def table() -> dict:
    """{machine: {program: stream}} by this interpreter's core."""
    programs = dict(corpus())
    beds = meshes()
    made = {}
    for machine, where in machines().items():
        config = factory.core_config(factory.describe(where))
        made[machine] = {name: stream(config, programs[name], beds.get(machine)) for name in programs_of(machine, programs)}
    return made


def load() -> dict:
    """The table in the repository."""
    return json.loads(TABLE.read_text(encoding="ascii"))


def write(made: dict) -> None:
    """One line a program, so that a change shows what it changes."""
    machines = []
    for machine, programs in made.items():
        lines = ",\n".join("  %s: %s" % (json.dumps(name), json.dumps(programs[name])) for name in programs)
        machines.append(" %s: {\n%s\n }" % (json.dumps(machine), lines))
    part = TABLE.with_suffix(".part")
    part.write_text("{\n" + ",\n".join(machines) + "\n}\n", encoding="ascii")
    os.replace(part, TABLE)


def differences(made: dict, kept: dict) -> list[str]:
    """One line for each program whose stream is not the golden one."""
    lines = []
    for machine in sorted(set(made) | set(kept)):
        now, before = made.get(machine, {}), kept.get(machine, {})
        for name in sorted(set(now) | set(before)):
            if now.get(name) != before.get(name):
                why = "is new" if name not in before else "is gone" if name not in now else "gives another stream"
                lines.append("%s on %s %s" % (name, machine, why))
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.golden", description="Compares the core's streams with the golden table.")
    parser.add_argument("--write", action="store_true", help="write the table anew")
    write_it = parser.parse_args().write
    made = table()
    found = differences(made, load() if TABLE.exists() else {})
    for line in found:
        print(line)
    if write_it:
        write(made)
        return 0
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
