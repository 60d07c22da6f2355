"""The queue at the desktop's size: cost of a job however many there are, many clients at once, and real files that run full."""

import asyncio

import pytest

from firmware.jobs import journal, states
from firmware.jobs.queue import JobQueue
from firmware.jobs.records import RecordLog
from hal.errors import StorageFull
from hal.sim.desktop import DurableFiles, DurableFlash
from hal.sim.files import FolderFiles
from tests.firmware.jobs.helpers_flash import FakeCaps, FakeClock, FakeFlash
from tests.firmware.jobs.helpers_queue import Box, text_of


def test_a_job_costs_the_same_however_many_there_are():
    async def body():
        box = Box(flash=FakeFlash(2 << 20, 4096, 256), jobs=1500, history=1500)
        costs = []
        for _ in range(1500):
            before = box.flash.ops
            await box.submit()
            costs.append(box.flash.ops - before)
        assert sum(costs[-200:]) <= sum(costs[:200]) + 40, "writes grow with the queue"
        assert max(costs[:20]) <= 8
        costs = []
        for _ in range(1500):
            queue = box.queue
            queue.set_checked(queue.unchecked(), 1, 1, 0)
            job = queue.next_ready()
            before = box.flash.ops
            queue.move(job, states.PROCESSING)
            await queue.commit()
            queue.move(job, states.COMPLETED)
            await queue.commit()
            costs.append(box.flash.ops - before)
        assert sum(costs[-200:]) <= sum(costs[:200]) + 200, "writes grow with the history"
        queue = box.start()
        assert (queue.count_active(), queue.count_ended()) == (0, 1500)
        assert [j.id for j in queue.ended()] == list(range(1500, 0, -1))

    asyncio.run(body())


def test_progress_is_not_recorded():
    async def body():
        box = Box()
        job = await box.ready()
        box.queue.move(job, states.PROCESSING)
        await box.queue.commit()
        ops = box.flash.ops
        for percent in range(100):
            job.progress = percent
            box.queue.move(job, states.PROCESSING, ["job-printing"], "%d %%" % percent)
            await box.queue.commit()
        assert box.flash.ops == ops

    asyncio.run(body())


def test_many_clients_at_once_on_files(tmp_path):
    async def body():
        caps = FakeCaps(jobs=64, history=64)

        def open_queue():
            flash = DurableFlash(str(tmp_path / "flash"), 1 << 18, 4096, 256)
            files = DurableFiles(str(tmp_path / "spool"), 1 << 24)
            log = RecordLog(flash, 0, flash.size, journal.keys_needed(caps))
            queue = JobQueue(log, files, FakeClock(), caps)
            queue.load()
            return queue

        queue = open_queue()
        texts = {}

        async def client(number):
            job = queue.create("job %d" % number, "u", {})
            await queue.commit()
            writer = queue.open_document(job, "text/x-gcode", None, "n")
            text = b"%d\n" % number * 5000
            for at in range(0, len(text), 1000):
                await writer.write(text[at : at + 1000])
                if number % 8 == 7 and at > 3000:
                    writer.abort()
                    return
            await writer.close(True)
            await queue.commit()
            texts[job.id] = text

        await asyncio.gather(*[client(number) for number in range(48)])
        await queue.commit()
        queue.spool.files.close()
        queue = open_queue()
        assert sorted(j.id for j in queue.active()) == sorted(texts)
        assert queue.count_ended() == 6
        for job in queue.active():
            assert text_of(queue.open_reader(job), 4096) == texts[job.id]
        queue.spool.files.close()

    asyncio.run(body())


def test_a_full_medium_ends_the_job_that_needs_it(tmp_path):
    async def body():
        box = Box(files=FolderFiles(str(tmp_path), 10000))
        kept = await box.submit(bytes(6000))
        job = box.queue.create("big", "u", {})
        writer = box.queue.open_document(job, "text/x-gcode", None, "n")
        with pytest.raises(StorageFull):
            for _ in range(10):
                await writer.write(bytes(1000))
        await box.queue.commit()
        assert job.state == states.ABORTED and "could not be stored" in job.message
        assert box.files.names() == ["j1d0"] and box.files.free_bytes() == 4000
        # the next one that fits is taken
        await box.submit(bytes(4000))
        queue = box.start()
        assert [j.id for j in queue.active()] == [kept.id, 3]
        assert queue.get(job.id).state == states.ABORTED

    asyncio.run(body())
