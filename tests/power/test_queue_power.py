"""The whole queue on the simulator's flash: power is cut in every flash operation of a day's work, and the day is looked at after it."""

import asyncio

import pytest

from firmware.jobs import journal, states
from firmware.jobs.queue import JobQueue
from firmware.jobs.records import RecordLog
from hal.sim.files import RamFiles
from hal.sim.flash import PowerCut, RamFlash
from tests.firmware.jobs.helpers_flash import FakeCaps, FakeClock
from tests.firmware.jobs.helpers_queue import text_of

CAPS = FakeCaps(jobs=6, history=4)
JOBS = 24


def text(id):
    return b"G1 X%d F600\n" % id * 20


class Day:
    """acknowledged: id -> state at least reached, as told to clients."""

    def __init__(self):
        self.flash = RamFlash(16384, 2048, 128)
        self.files = RamFiles()
        self.acknowledged = {}
        self.queue = self.start()

    def start(self):
        log = RecordLog(self.flash, 0, self.flash.size, journal.keys_needed(CAPS))
        self.queue = JobQueue(log, self.files, FakeClock(), CAPS)
        self.queue.load()
        return self.queue

    async def told(self, job):
        await self.queue.commit()
        self.acknowledged[job.id] = (job.state, job.open)

    async def work(self):
        queue = self.queue
        for number in range(1, JOBS + 1):
            job = queue.create("job", "user", {"ticket": b"t" * (number * 7)})
            assert job.id == number
            await self.told(job)
            writer = queue.open_document(job, "text/x-gcode", None, "name")
            await writer.write(text(number))
            if number % 5 == 4:
                writer.abort()
                await self.told(job)
                continue
            await writer.close(True)
            await self.told(job)
            queue.set_checked(job, 20, 20, 0)
            if number % 3 == 0:
                queue.cancel(job)
                await self.told(job)
            while queue.count_active() > 3:
                job = queue.next_ready()
                queue.move(job, states.PROCESSING)
                await self.told(job)
                queue.move(job, states.COMPLETED)
                await self.told(job)
        await queue.commit()


def problem(day):
    """What is wrong after a restart, or None."""
    queue = day.start()
    ended = list(queue.ended())
    active = queue.active()
    for id, (state, was_open) in day.acknowledged.items():
        job = queue.get(id)
        if job is None:
            if len(ended) < CAPS.history or id > max(j.id for j in ended):
                return "job %d is lost" % id
            continue
        if states.ended(state) and job.state != state:
            return "job %d was %s, is %s" % (id, states.NAMES[state], states.NAMES[job.state])
        if states.ended(job.state) and not states.ended(state):
            # it may have gone on before the cut, or be lost with a reason; never without
            if not job.reasons or (job.state == states.ABORTED and not job.message):
                return "job %d ended without a word" % id
            if job.state == states.ABORTED and state == states.PENDING and not was_open and "printing" not in job.message:
                return "job %d was complete, but: %s" % (id, job.message)
    for job in active:
        if text_of(queue.open_reader(job), 64) != text(job.id):
            return "job %d has another document" % job.id
    kept = [j for j in queue.ended() if queue.is_kept(j)]
    if day.files.names() != sorted(d.file for j in active + kept for d in j.documents):
        return "files: %r" % day.files.names()
    if max([j.id for j in active + ended], default=0) >= queue.journal.new_id():
        return "the next id is an old one"
    return None


@pytest.mark.parametrize("effect", ["none", "part", "all"])
def test_a_cut_anywhere_in_a_days_work(effect, record_property):
    day = Day()
    before = day.flash.operations
    asyncio.run(day.work())
    operations = day.flash.operations - before
    assert day.queue.journal.log.erased > 8, "the log must have gone round"
    assert problem(day) is None
    tried = survived = 0
    problems = []
    for at in range(1, operations + 1):
        day = Day()
        day.flash.cut_after(at, effect, seed=at)
        with pytest.raises(PowerCut):
            asyncio.run(day.work())
        day.flash.power_on()
        tried += 1
        wrong = problem(day)
        if wrong is None:
            # the printer goes on
            asyncio.run(day.queue.commit())
            wrong = problem(day)
        if wrong is None:
            survived += 1
        else:
            problems.append("cut %d: %s" % (at, wrong))
    record_property("cuts", tried)
    print("%s: %d cuts tried, %d survived" % (effect, tried, survived))
    assert survived == tried, "%d of %d cuts survived; %s" % (survived, tried, problems[:3])
