"""One object of a running job is canceled: its moves are left out, all else stays where it is."""

import asyncio

import pytest

from firmware.jobs import states
from hal import factory, stepcore
from hal.stepsink import Sink, StreamDigest
from tests.firmware.helpers_printing import Printer, direct_digest


def run(coroutine):
    return asyncio.run(coroutine)


HEAD = "G28\nM109 S210\nG90\nM83\nG1 Z0.2 F900\nG1 E-1 F1800\n"
KLIPPER = "EXCLUDE_OBJECT_DEFINE NAME=a POLYGON=[[20,20],[40,20],[40,40],[20,40]]\nEXCLUDE_OBJECT_DEFINE NAME=b CENTER=100,30\n"


def tower(x, z):
    """A square at x with its travel, retraction and lift."""
    text = "G1 Z%g F900\nG1 X%d Y20 F9000\nG1 Z%g F900\nG1 E1 F1800\n" % (z + 0.4, x, z)
    for dx, dy in ((20, 20), (20, 40), (0, 40), (0, 20)):
        text += "G1 X%d Y%d E1 F1500\n" % (x + dx, dy)
    return text + "G1 E-1 F1800\n"


def document(layers=4, marks="klipper"):
    text = HEAD + (KLIPPER if marks == "klipper" else "M486 T2\n")
    for layer in range(layers):
        z = 0.2 + 0.2 * layer
        text += ";LAYER:%d\n" % layer
        for number, (name, x) in enumerate((("a", 20), ("b", 90))):
            if marks == "klipper":
                text += "EXCLUDE_OBJECT_START NAME=%s\n%sEXCLUDE_OBJECT_END NAME=%s\n" % (name, tower(x, z), name)
            else:
                text += "M486 S%d\n%sM486 S-1\n" % (number, tower(x, z))
    return (text + "G1 Z20 F900\nM104 S0\nG1 X5 Y200 F9000\n").encode()


@pytest.mark.parametrize("marks", ["klipper", "marlin"])
def test_a_document_with_objects_prints_them_all(marks):
    data = document(marks=marks)

    async def go():
        async with Printer() as printer:
            job = await printer.print(data)
            assert job.state == states.COMPLETED and job.message == "", job.message
            assert printer.digest == direct_digest(data)

    run(go())


@pytest.mark.parametrize("marks", ["klipper", "marlin"])
def test_an_object_canceled_before_it_begins_is_not_printed(marks):
    data = document(marks=marks)

    async def go():
        async with Printer() as printer:
            printer.runner.pause()
            job = await printer.submit(data)
            await printer.until(lambda: job.checked)
            assert [name for _, name, _ in job.objects] == (["a", "b"] if marks == "klipper" else ["object 1", "object 2"])
            printer.queue.exclude(job, [1])
            seen = [0]

            def watch():
                if job.layer:
                    seen[0] = max(seen[0], printer.status.position_um[0])
                return states.ended(job.state)

            printer.runner.resume()
            await printer.until(watch)
            ended = await printer.ended(job)
            assert ended.state == states.COMPLETED, ended.message
            assert ended.message == "1 of 2 objects left out"
            assert seen[0] < 60000, "the carriage never went to the other object"
            return printer.digest

    assert run(go()) != direct_digest(data)


def test_the_stream_is_that_of_the_core_and_the_place():
    """What the runner makes of a canceled object is what the core makes of the same text with skip at the same lines."""
    data = document()

    async def go():
        async with Printer() as printer:
            printer.runner.pause()
            job = await printer.submit(data)
            await printer.until(lambda: job.checked)
            printer.queue.exclude(job, [0])
            printer.runner.resume()
            await printer.ended(job)
            return printer.digest

    assert run(go()) == run(go()) == skipped_digest(data, "a")


def skipped_digest(data, name):
    description = factory.describe("sim-cartesian")
    core = stepcore.StepCore(factory.core_config(description), factory.port_config(description))
    core.begin()
    sink = Sink(core)
    stream = StreamDigest(core.motors)

    def drain():
        while sink.drain_core():
            stream.update(sink)
        stream.update(sink)

    for line in data.splitlines(keepends=True):
        buf = bytearray(line)
        if line.startswith(b"EXCLUDE_OBJECT_START"):
            core.skip(line.endswith(b"=%s\n" % name.encode()))
        elif line.startswith(b"EXCLUDE_OBJECT_END"):
            core.skip(False)
        at = 0
        while True:
            at += core.feed(buf, at, len(buf))
            if core.event.kind == stepcore.PW_EV_FULL:
                drain()
            elif core.event.kind == stepcore.PW_EV_NONE:
                break
            elif core.event.letter == "G" or core.event.number == 109:
                while not core.flush():
                    drain()
    while not core.flush():
        drain()
    drain()
    return stream.digest().hex()


def test_an_object_canceled_while_it_prints_ends_there_and_the_next_begins():
    data = document(layers=120)  # some 40 layers are planned ahead

    async def go():
        async with Printer() as printer:
            job = await printer.submit(data)
            await printer.until(lambda: job.state == states.PROCESSING and job.layer >= 3)
            printer.queue.exclude(job, [1])
            await printer.until(lambda: job.layer >= 80 or states.ended(job.state))
            assert job.state == states.PROCESSING
            seen = [0]

            def watch():
                if job.layer:
                    seen[0] = max(seen[0], printer.status.position_um[0])
                return states.ended(job.state)

            await printer.until(watch)
            ended = await printer.ended(job)
            assert ended.state == states.COMPLETED, ended.message
            assert seen[0] < 60000
            assert printer.is_safe()

    run(go())


def test_what_was_canceled_outlives_a_loss_of_power(tmp_path):
    data = document()

    async def first():
        async with Printer(state=str(tmp_path / "state")) as printer:
            printer.runner.pause()
            job = await printer.submit(data)
            await printer.until(lambda: job.checked)
            printer.queue.exclude(job, [0, 1])
            await printer.queue.commit()

    async def second():
        async with Printer(state=str(tmp_path / "state")) as printer:
            job = printer.queue.active()[0]
            await printer.until(lambda: job.checked)
            assert job.excluded == [0, 1]
            ended = await printer.ended(job)
            assert ended.state == states.COMPLETED and ended.message == "2 of 2 objects left out"

    run(first())
    run(second())


def test_a_wrong_object_command_is_refused_with_its_place():
    async def go():
        async with Printer() as printer:
            job = await printer.print(b"G28\nG1 X5 F600\n EXCLUDE_OBJECT NAME=a\n")
            assert job.state == states.ABORTED
            assert job.message == (
                "line 3, column 2: EXCLUDE_OBJECT: only EXCLUDE_OBJECT_DEFINE, _START and _END may stand in a document"
            )

    run(go())
