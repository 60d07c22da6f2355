"""The recorder: its digest and steps are those of the core's own stream, however the print was played."""

import asyncio

import pytest

from hal import factory
from hal.sim import SimOptions, build
from hal.stepcore import PW_EV_END, PW_EV_FULL, StepCore
from hal.stepsink import Sink, StreamDigest, pack_ticks

TEXT = b"".join(b"G1 X%d Y%d E%.3f F%d\n" % (i * 7 % 100, i * 13 % 90, i * 0.05, 3000 + i % 7 * 900) for i in range(1, 400))


class Writer:
    """A writer in memory."""

    def __init__(self, config):
        self.config = config
        self.ticks = [bytearray() for _ in range(config["motors"])]
        self.dirs = [bytearray() for _ in range(config["motors"])]
        self.state = "open"
        self.room = None

    def append(self, motor, ticks, dirs):
        if self.room is not None and len(self.ticks[motor]) > self.room:
            raise OSError(28, "No space left on device")
        self.ticks[motor] += ticks
        self.dirs[motor] += dirs

    def commit(self):
        self.state = "committed"

    def abort(self):
        self.state = "aborted"


def reference(name):
    desc = factory.describe(name)
    core = StepCore(factory.core_config(desc))
    sink, digest = Sink(core), StreamDigest(core.motors)
    core.begin()
    at = 0
    while core.event.kind != PW_EV_END:
        if at < len(TEXT):
            at += core.feed(TEXT, at, len(TEXT))
        else:
            core.end_document()
        while sink.drain_core():
            digest.update(sink)
        digest.update(sink)
    while sink.drain_core():
        digest.update(sink)
    digest.update(sink)
    return digest.digest(), [sink.steps(motor) for motor in range(core.motors)]


def play(machine, wait_ms=17):
    core = machine.core

    async def run():
        core.begin()
        machine.trace.begin()
        at = 0
        while True:
            if at < len(TEXT):
                at += core.feed(TEXT, at, len(TEXT))
                assert core.event.kind in (0, PW_EV_FULL)
            else:
                core.end_document()
            await machine.clock.wait_ms(wait_ms, True)
            status = core.status()
            if at >= len(TEXT) and status.idle and core.port.played() >= status.final_tick:
                break
        machine.trace.end()

    asyncio.run(run())


@pytest.mark.parametrize("name", factory.machines())
@pytest.mark.parametrize("wait_ms", [3, 50, 400])
def test_the_record_is_the_stream(name, wait_ms):
    made = []
    machine = build(factory.describe(name), SimOptions(record=lambda config: made.append(Writer(config)) or made[-1]))
    play(machine, wait_ms)
    digest, steps = reference(name)
    assert machine.trace.digest == digest
    assert machine.trace.steps == steps
    (writer,) = made
    assert writer.state == "committed"
    assert writer.config == factory.core_config(machine.description)
    assert [len(dirs) for dirs in writer.dirs] == steps and [len(ticks) for ticks in writer.ticks] == [8 * n for n in steps]
    again = _digest(writer)
    assert again == digest


def _digest(writer):
    from array import array

    from hal.compat import sha256

    whole = sha256()
    for ticks, dirs in zip(writer.ticks, writer.dirs):
        packed = bytearray(12 * len(dirs) + 16)
        n = pack_ticks(bytearray(ticks), bytearray(dirs), len(dirs), array("q", [0]), packed) if dirs else 0
        whole.update(sha256(packed[:n]).digest())
    return whole.digest()


def test_the_digest_needs_no_writer():
    machine = build(factory.describe(), SimOptions(digest=True))
    play(machine)
    assert machine.trace.digest == reference("sim-cartesian")[0]


def test_the_second_job_has_a_record_of_its_own():
    made = []
    machine = build(factory.describe(), SimOptions(record=lambda config: made.append(Writer(config)) or made[-1]))
    play(machine)
    first = machine.trace.digest
    play(machine)
    assert machine.trace.digest == first
    assert len(made) == 2 and bytes(made[0].ticks[0]) == bytes(made[1].ticks[0])


def test_without_order_there_is_no_trace():
    assert build(factory.describe()).trace is None


def test_end_without_begin_is_harmless():
    machine = build(factory.describe(), SimOptions(digest=True))
    machine.trace.end()
    assert machine.trace.digest is None


def test_a_full_disk_loses_the_record_not_the_print(capsys):
    made = []

    def writer_of(config):
        made.append(Writer(config))
        made[-1].room = 1000
        return made[-1]

    machine = build(factory.describe(), SimOptions(record=writer_of))
    play(machine)
    assert made[0].state == "aborted"
    assert machine.trace.digest == reference("sim-cartesian")[0]
    assert machine.trace.error.errno == 28
    told = capsys.readouterr().err
    assert "not recorded" in told and "No space left" in told and told.count("\n") == 1


def test_a_record_that_cannot_begin_is_told(capsys):
    def writer_of(config):
        raise OSError(13, "Permission denied")

    machine = build(factory.describe(), SimOptions(record=writer_of))
    play(machine)
    assert machine.trace.error.errno == 13 and machine.trace.digest
    assert "Permission denied" in capsys.readouterr().err
