"""Moves left out anywhere in random programs: afterwards the machine stands where the document does, its filament as far drawn back."""

import random

import pytest

from hal import factory, stepcore
from hal.stepcore import StepCore
from hal.stepsink import Sink
from tools import golden

MACHINES = ("sim-cartesian", "sim-corexy", "sim-delta", "two-tools", "corexz-cruise")
PROGRAMS = 12


def program(chance, tools, delta):
    """(lines, whether each is left out): an object's lines end with a travel that is made."""
    low, high = (-60, 60) if delta else (40, 110)
    # pressure advance would be taken for filament drawn back
    lines = ["M900 K0", "G90", "M83", "G1 X%d Y%d Z2 F6000" % (low, low), "G1 E2 F1200"]
    out = [False] * len(lines)
    for _ in range(chance.randrange(2, 6)):
        skip = chance.random() < 0.6
        for _ in range(chance.randrange(1, 12)):
            what = chance.randrange(10)
            x, y = chance.randrange(low, high), chance.randrange(low, high)
            if what < 4:
                lines.append("G1 X%d Y%d E%.2f F%d" % (x, y, chance.random() * 2, chance.randrange(600, 9000)))
            elif what < 6:
                lines.append("G1 X%d Y%d F9000" % (x, y))
            elif what == 6:
                lines.append("G1 E%.2f F1800" % chance.choice((-1.5, -0.8, 0.8, 1.5)))
            elif what == 7:
                lines.append("G1 Z%.1f F900" % (1 + chance.random() * 8))
            elif what == 8:
                lines.append(chance.choice(("G2 X%d Y%d R200 E1", "G3 X%d Y%d R150")) % (x, y))
            elif tools > 1:
                lines.append("T%d" % chance.randrange(tools))
            else:
                lines.append("G4 P3")
            out.append(skip)
        lines.append("G1 X%d Y%d F9000" % (chance.randrange(low, high), chance.randrange(low, high)))
        out.append(False)
    # each tool makes a move, so that none owes anything
    for tool in range(tools):
        lines += (["T%d" % tool] if tools > 1 else []) + ["G1 X%d Y%d Z12 F9000" % (low, low), "G1 X%d F9000" % (low + 5)]
        out += [False] * (2 + (tools > 1))
    return lines, out


def play(core, lines, out):
    """(counts of all motors, filament drawn back by each extruder in steps)."""
    core.begin()
    sink = Sink(core, 0, 4096)
    count = [0] * core.motors
    peak = [0] * core.motors

    def drain():
        while True:
            more = sink.drain_core()
            for motor in range(3, core.motors):
                for way in bytes(sink.dirs(motor)):
                    count[motor] += 1 if way < 128 else -1
                    peak[motor] = max(peak[motor], count[motor])
            if not more:
                return

    for line, skip in zip(lines, out, strict=True):
        core.skip(skip)
        text = bytearray((line + "\n").encode())
        at = 0
        while True:
            at += core.feed(text, at, len(text))
            kind = core.event.kind
            if kind == stepcore.PW_EV_FULL:
                drain()
                continue
            if kind == stepcore.PW_EV_ERROR:
                raise AssertionError("%s: %s" % (line, core.event.name))
            if kind == stepcore.PW_EV_NONE:
                break
    while not core.flush():
        drain()
    drain()
    status = core.status()
    return [status.count(motor) for motor in range(core.motors)], [peak[m] - count[m] for m in range(3, core.motors)]


def possible(core, lines):
    """The document without the lines that this machine refuses."""
    kept = []
    for index, line in enumerate(lines):
        core.begin(stepcore.PW_SCAN)
        text = bytearray("".join(one + "\n" for one in [*(lines[i] for i in kept), line]).encode())
        at = 0
        while at < len(text):
            at += core.scan(text, at, len(text))
            if core.event.kind == stepcore.PW_EV_ERROR:
                break
        else:
            kept.append(index)
    return kept


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_left_out_changes_no_place(machine):
    core = StepCore(factory.core_config(factory.describe(golden.machines()[machine])))
    tools = core.motors - 3
    left = 0
    for seed in range(PROGRAMS):
        chance = random.Random("%s %d" % (machine, seed))
        lines, out = program(chance, tools, "delta" in machine)
        kept = possible(core, lines)
        lines, out = [lines[i] for i in kept], [out[i] for i in kept]
        left += sum(out)
        whole = play(core, lines, [False] * len(lines))
        part = play(core, lines, out)
        again = play(core, lines, out)
        assert part == again
        assert part[0][:3] == whole[0][:3], (seed, "the axes stand elsewhere")
        # half a step of rounding on either side
        for tool in range(tools):
            assert abs(part[1][tool] - whole[1][tool]) <= 2, (seed, tool, part[1], whole[1])
    assert left > 50
