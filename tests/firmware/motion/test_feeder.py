"""Documents into the core: any reader, any size of read, the same stream; marks in their order."""

import io

import pytest

from firmware.gcode import policy
from firmware.motion import feeder as feeding
from firmware.motion.feeder import Feeder
from firmware.motion.marks import Marks
from hal import factory, stepcore
from hal.stepsink import Sink, StreamDigest
from tests.firmware.helpers_printing import SLICED, SQUARE, direct_digest


class Scanty:
    """Gives a few bytes at a time."""

    def __init__(self, data, most):
        self.file = io.BytesIO(data)
        self.most = most

    def readinto(self, buf):
        part = self.file.read(min(self.most, len(buf)))
        buf[: len(part)] = part
        return len(part)


def stream(data, buffer_bytes, most, one_line=lambda n: False):
    """(digest, list of what stood in the way) without a port."""
    description = factory.describe("sim-cartesian")
    core = stepcore.StepCore(factory.core_config(description))
    core.begin()
    feeder = Feeder(core, buffer_bytes)
    feeder.begin(Scanty(data, most))
    sink = Sink(core)
    digest = StreamDigest(core.motors)

    def drain():
        while True:
            more = sink.drain_core()
            digest.update(sink)
            if not more:
                return

    seen = []
    turn = 0
    while True:
        turn += 1
        got = feeder.step(one_line(turn))
        if got == feeding.FULL:
            drain()
        elif got == feeding.COMMAND:
            event = feeder.event
            seen.append((event.line, policy.name(event.letter, event.number, event.sub)))
            if policy.classify(policy.GCODE, event.letter, event.number, event.sub) == policy.FLUSH:
                while not core.flush():
                    drain()
        elif got == feeding.LAYER:
            seen.append((feeder.event.line, "layer"))
        elif got == feeding.ERROR:
            seen.append((feeder.event.line, feeder.event.name))
            break
        elif got == feeding.END:
            break
    while not core.flush():
        drain()
    drain()
    assert feeder.taken_bytes <= len(data) + 1
    return digest.digest().hex(), seen


@pytest.mark.parametrize("buffer_bytes, most", [(4096, 4096), (4096, 7), (64, 64), (1, 1)])
def test_any_split_gives_the_same_stream(buffer_bytes, most):
    digest, seen = stream(SQUARE, buffer_bytes, most)
    assert digest == direct_digest(SQUARE)
    assert [name for _, name in seen] == ("M104 M140 G28 M190 M109 layer M106 layer M107 M104 M140 M84".split())


def test_line_by_line_is_the_same():
    data = (SLICED / "prusa_plate_arcs.gcode").read_bytes()[:40000]
    data = data[: data.rfind(b"\n") + 1]
    assert stream(data, 4096, 4096, lambda turn: True) == stream(data, 4096, 4096)
    assert stream(data, 4096, 4096, lambda turn: turn % 3 == 0) == stream(data, 4096, 4096)


@pytest.mark.parametrize("end", [b"", b"\n", b" ; comment", b"\r\n"])
def test_the_last_line_needs_no_end(end):
    assert stream(SQUARE + b"G1 X30 F6000" + end, 256, 256)[0] == direct_digest(SQUARE + b"G1 X30 F6000\n")
    assert stream(SQUARE + b"M105" + end, 256, 256)[1][-1][1] == "M105"


def test_an_error_is_the_last_thing():
    _, seen = stream(b"G28\nG1 X5 F600\nG1 X5000\nG1 X10\n", 64, 64)
    assert seen == [(1, "G28"), (3, "PW_E_VOLUME")]


def test_an_empty_document_ends():
    assert stream(b"", 64, 64)[1] == []


def test_marks_fire_in_order_and_old_ones_are_forgotten():
    description = factory.describe("sim-cartesian")
    core = stepcore.StepCore(factory.core_config(description), factory.port_config(description))
    marks = Marks(core)
    core.begin()
    text = bytearray(b"G1 X1 F600\n")
    added = 0
    while marks.add(added):
        added += 1
    assert added >= 64 and len(marks) == added  # a queue that is full says so
    core.feed(text, 0, len(text))
    core.flush()
    fired = []
    for _ in range(100):
        core.port.advance(160000, True)
        fired += marks.due()
    assert fired == list(range(added)) and len(marks) == 0
    core.begin()
    assert marks.add("old")
    marks.clear()
    core.begin()
    assert marks.add("new")
    core.flush()
    core.port.advance(160000, True)
    assert list(marks.due()) == ["new"]
