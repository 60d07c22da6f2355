"""Random lives of the queue with restarts and power cuts: what was acknowledged is there, ids are never used twice, no file is lost or
left behind, and states move as the table says."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.jobs import states
from firmware.jobs.errors import JobError
from tests.firmware.jobs.helpers_flash import FakeFlash, PowerCut
from tests.firmware.jobs.helpers_queue import TEXT, Box, text_of

pick = st.integers(0, 30)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create")),
        st.tuples(st.just("create")),
        st.tuples(st.just("write"), pick),
        st.tuples(st.just("close"), pick, st.booleans()),
        st.tuples(st.just("close"), pick, st.just(True)),
        st.tuples(st.just("abort"), pick),
        st.tuples(st.just("close_job"), pick),
        st.tuples(st.just("check"), pick),
        st.tuples(st.just("move"), pick, st.integers(3, 9)),
        st.tuples(st.just("print")),
        st.tuples(st.just("cancel"), pick),
        st.tuples(st.just("commit")),
        st.tuples(st.just("wait"), st.integers(1, 150)),
        st.tuples(st.just("restart")),
        st.tuples(st.just("cut"), st.integers(0, 20), st.integers(0, 3)),
    ),
    min_size=40,
    max_size=120,
)


class Life:
    def __init__(self):
        # large enough that only the history's limit takes a job
        self.box = Box(flash=FakeFlash(16384, 1024, 64), jobs=6, history=5)
        self.acknowledged = {}  # id: (state, open, sizes) at the last commit
        self.last_id = 0
        self.seen = set()  # ids that were acknowledged ever
        self.jobs = []
        self.writers = []

    def sizes(self, job):
        return tuple(d.size for d in job.documents)

    def remember(self):
        self.acknowledged = {j.id: (j.state, j.open, self.sizes(j)) for j in self.box.queue.active()}
        for j in self.box.queue.ended():
            self.acknowledged[j.id] = (j.state, j.open, self.sizes(j))
        self.seen |= set(self.acknowledged)
        self.last_id = max(self.seen, default=self.last_id)

    async def step(self, step):
        queue = self.box.queue
        what = step[0]
        job = self.jobs[step[1] % len(self.jobs)] if len(step) > 1 and self.jobs else None
        writer = self.writers[step[1] % len(self.writers)] if len(step) > 1 and self.writers else None
        if what == "create":
            job = queue.create("name", "user", {"a": b"b" * 20})
            assert job.id > self.last_id and job.id not in self.seen
            self.jobs.append(job)
            self.writers.append(queue.open_document(job, "text/x-gcode", None, "n"))
        elif what == "write" and writer:
            await writer.write(TEXT)
        elif what == "close" and writer:
            await writer.close(step[2])
            if not step[2]:
                self.writers.append(queue.open_document(writer.job, "text/x-gcode", None, "n"))
        elif what == "abort" and writer:
            writer.abort()
        elif what == "close_job" and job:
            queue.close_job(job)
        elif what == "check":
            job = queue.unchecked()
            if job:
                queue.set_checked(job, 1, 2, 0)
        elif what == "print":
            job = queue.next_ready()
            if job:
                queue.move(job, states.PROCESSING)
        elif what == "move" and job:
            before = (job.state, list(job.reasons), job.message)
            try:
                queue.move(job, step[2])
            except states.IllegalMove:
                assert before == (job.state, job.reasons, job.message)
                raise
        elif what == "cancel" and job:
            queue.cancel(job)
        elif what == "commit":
            await queue.commit()
            self.remember()
        elif what == "wait":
            self.box.clock.uptime += step[1]
            await queue.tidy()
        elif what == "restart":
            await self.restart()
        elif what == "cut":
            self.box.flash.cut(step[1], step[2])

    async def restart(self):
        box = self.box
        box.flash.power_on()
        queue = box.start()
        active = queue.active()
        ended = list(queue.ended())
        assert [j.id for j in active] == sorted(j.id for j in active)
        assert len({j.id for j in active + ended}) == len(active) + len(ended)
        assert len(ended) <= box.caps.history
        now = {j.id: j for j in active + ended}
        for id, (state, was_open, sizes) in self.acknowledged.items():
            job = now.get(id)
            if job is None:
                # only the history's limit may have taken it, and only an ended job
                assert len(ended) == box.caps.history
                continue
            if states.ended(state):
                assert (job.state, self.sizes(job)) == (state, sizes)
            elif job in active:
                assert not was_open or self.sizes(job)[: len(sizes)] == sizes
            else:
                assert states.ended(job.state) and job.reasons
        assert not [j.message for j in ended if "missing" in j.message]
        for job in active:
            assert job.state in (states.PENDING, states.PENDING_HELD) and not job.open and job.documents
            for i, document in enumerate(job.documents):
                assert text_of(queue.open_reader(job, i), 64) == TEXT * (document.size // len(TEXT))
        named = {d.file for j in active for d in j.documents}
        kept = {d.file for j in ended if queue.is_kept(j) for d in j.documents}
        assert not named & kept
        assert set(box.files.names()) == named | kept
        assert queue.spool.used_bytes == box.files.total()
        self.jobs = active
        self.writers = []
        await queue.commit()
        self.remember()


@settings(max_examples=150, deadline=None)
@given(steps)
def test_a_queue_keeps_its_promises(steps):
    async def body():
        life = Life()
        for step in steps:
            try:
                await life.step(step)
            except (JobError, states.IllegalMove):
                pass
            except PowerCut:
                await life.restart()
            queue = life.box.queue
            assert queue.count_active() == len(queue.active()) <= life.box.caps.jobs
        await life.restart()

    asyncio.run(body())
