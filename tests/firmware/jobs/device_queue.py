"""The job queue on both Pythons: life of a job, restarts, limits, time-outs, failing storage."""

import asyncio
import unittest

from firmware.jobs import holds, packing, states
from firmware.jobs import job as jobs
from firmware.jobs.errors import Busy, JobClosed, QueueFull, TicketTooLarge, TooManyDocuments
from firmware.jobs.job import DOCUMENTS_MAX
from firmware.jobs.spool import SpoolFull, is_file_name
from hal.compat import sleep_ms
from hal.errors import BusyError, StorageError, StorageFull
from tests.firmware.jobs.helpers_flash import FakeFiles, FakeFlash
from tests.firmware.jobs.helpers_queue import TEXT, Box, text_of


def run(coroutine):
    return asyncio.run(coroutine)


async def fails(error, coroutine):
    try:
        await coroutine
    except error as e:
        return e
    raise AssertionError("no %s" % error.__name__)


class TestLife(unittest.TestCase):
    def test_from_creation_to_completion(self):
        async def body():
            box = Box()
            queue = box.queue
            box.clock.uptime = 5
            job = queue.create("cube", "anna", {"materials-col": b"\x34raw"})
            self.assertEqual((job.id, job.state, job.open), (1, states.PENDING, True))
            self.assertEqual(job.reasons, ["job-incoming", "job-data-insufficient"])
            self.assertEqual((len(job.uuid), job.uuid[:9], job.uuid[23]), (45, "urn:uuid:", "4"))
            await queue.commit()
            self.assertTrue(queue.unchecked() is None and queue.next_ready() is None)
            writer = queue.open_document(job, "text/x-gcode", None, "cube.gcode")
            self.assertEqual(job.reasons, ["job-incoming"])
            await writer.write(TEXT)
            await writer.write(TEXT)
            await writer.close(True)
            await queue.commit()
            self.assertEqual((job.open, job.reasons, job.document_format), (False, [], "text/x-gcode"))
            self.assertEqual((len(job.documents), job.size), (1, 2 * len(TEXT)))
            self.assertTrue(queue.unchecked() is job and queue.next_ready() is None)
            queue.set_checked(job, 4, 2 * len(TEXT), 0)
            self.assertTrue(queue.unchecked() is None and queue.next_ready() is job)
            self.assertEqual(text_of(queue.open_reader(job)), TEXT + TEXT)
            box.clock.uptime = 9
            queue.move(job, states.PROCESSING)
            self.assertEqual((job.reasons, job.processing_s), (["job-printing"], 9))
            self.assertTrue(queue.next_ready() is None)
            queue.move(job, states.PROCESSING_STOPPED, ["printer-stopped"], "paused")
            queue.move(job, states.PROCESSING, None, "")
            box.clock.uptime = 20
            queue.move(job, states.COMPLETED)
            self.assertEqual((job.reasons, job.completed_s, queue.count_active()), (["job-completed-successfully"], 20, 0))
            self.assertEqual(box.files.names(), ["j1d0"])
            await queue.commit()
            # it can be printed again
            self.assertEqual(box.files.names(), ["j1d0"])
            self.assertEqual((queue.spool.used_bytes, queue.is_kept(job)), (2 * len(TEXT), True))
            kept = queue.get(1)
            self.assertTrue(kept is not job)
            self.assertEqual((kept.name, kept.user, kept.state, kept.uuid), ("cube", "anna", 9, job.uuid))
            self.assertEqual((kept.created_s, kept.processing_s, kept.completed_s), (5, 9, 20))
            self.assertEqual(kept.ticket, {"materials-col": b"\x34raw"})
            self.assertEqual((len(kept.documents), kept.size), (1, 2 * len(TEXT)))
            self.assertEqual([j.id for j in queue.ended()], [1])

        run(body())

    def test_illegal_moves_change_nothing(self):
        async def body():
            box = Box()
            job = await box.ready()
            before = jobs.encode(job)
            ops = box.queue.journal.log.sequence
            for state in (states.COMPLETED, states.PROCESSING_STOPPED, 0, 10):
                self.assertRaises(states.IllegalMove, box.queue.move, job, state)
            self.assertEqual(jobs.encode(job), before)
            self.assertEqual(box.queue.journal.log.sequence, ops)
            box.queue.move(job, states.CANCELED)
            for state in range(3, 10):
                self.assertRaises(states.IllegalMove, box.queue.move, job, state)
            self.assertRaises(states.IllegalMove, box.queue.cancel, job)
            self.assertEqual(job.state, states.CANCELED)
            # the same job, read anew, is as dead
            self.assertRaises(states.IllegalMove, box.queue.cancel, box.queue.get(job.id))

        run(body())

    def test_order(self):
        async def body():
            box = Box()
            queue = box.queue
            a = queue.create("a", "u", {})
            b = await box.submit()
            c = await box.submit()
            self.assertEqual([j.id for j in queue.active()], [a.id, b.id, c.id])
            self.assertEqual([queue.intervening(j) for j in (a, b, c)], [0, 1, 2])
            self.assertTrue(queue.unchecked() is b)
            queue.set_checked(b, 1, 1, 0)
            self.assertTrue(queue.unchecked() is c)
            queue.set_checked(c, 1, 1, 0)
            writer = queue.open_document(a)
            await writer.write(TEXT)
            await writer.close(True)
            # none overtakes one that comes before it and is only to be checked
            self.assertTrue(queue.next_ready() is None)
            self.assertTrue(queue.unchecked() is a)
            queue.set_checked(a, 1, 1, 0)
            # the oldest comes first although it was complete last
            self.assertTrue(queue.next_ready() is a)
            queue.move(a, states.PENDING_HELD)
            self.assertTrue(queue.next_ready() is b)
            queue.move(a, states.PENDING)
            self.assertTrue(queue.next_ready() is a)
            queue.move(c, states.CANCELED)
            queue.move(a, states.PROCESSING)
            queue.move(a, states.COMPLETED)
            queue.cancel(b)
            self.assertEqual([j.id for j in queue.ended()], [b.id, a.id, c.id])
            queue = box.start()

        run(body())

    def test_order_after_a_start(self):
        async def body():
            box = Box()
            ids = []
            for _ in range(3):
                job = await box.ready()
                ids.append(job.id)
            queue = box.queue
            holds.promote(queue, queue.get(ids[2]))
            await queue.commit()
            queue = box.start()
            self.assertEqual([j.id for j in queue.active()], [ids[2], ids[0], ids[1]])
            self.assertEqual(queue.unchecked().id, ids[2])
            # whatever is checked first, and another change of the order meanwhile
            queue.set_checked(queue.get(ids[0]), 1, 1, 0)
            self.assertTrue(queue.next_ready() is None)
            holds.promote(queue, queue.get(ids[1]))
            self.assertEqual(queue.unchecked().id, ids[1])
            queue.set_checked(queue.get(ids[1]), 1, 1, 0)
            self.assertEqual(queue.next_ready().id, ids[1])
            queue.cancel(queue.get(ids[1]))
            self.assertTrue(queue.next_ready() is None)
            # one that is held keeps nobody waiting
            holds.hold(queue, queue.get(ids[2]), holds.INDEFINITE)
            self.assertEqual(queue.next_ready().id, ids[0])

        run(body())

    def test_warnings_reach_the_reasons(self):
        async def body():
            box = Box()
            job = await box.submit()
            box.queue.set_checked(job, 1, 1, 3, "ignored 3 commands")
            self.assertEqual((job.message, job.reasons), ("ignored 3 commands", []))
            box.queue.move(job, states.PROCESSING)
            self.assertEqual(job.reasons, ["job-printing", "warnings-detected"])
            box.queue.move(job, states.COMPLETED)
            self.assertEqual(job.reasons, ["job-completed-with-warnings", "warnings-detected"])

        run(body())

    def test_cancel_of_a_printing_job_asks_the_runner(self):
        async def body():
            box = Box()
            job = await box.ready()
            box.queue.move(job, states.PROCESSING)
            self.assertFalse(box.queue.cancel(job))
            self.assertEqual((job.state, job.stop, job.reasons), (5, "job-canceled-by-user", ["processing-to-stop-point"]))
            self.assertRaises(states.IllegalMove, box.queue.cancel, job)
            box.queue.move(job, states.CANCELED, [job.stop])
            self.assertEqual((job.state, job.reasons), (7, ["job-canceled-by-user"]))

        run(body())

    def test_several_documents(self):
        async def body():
            box = Box()
            queue = box.queue
            job = queue.create("two", "u", {})
            for part in (b"first", b"second"):
                writer = queue.open_document(job, "text/x-gcode", None, "n")
                self.assertRaises(Busy, queue.open_document, job)
                self.assertRaises(Busy, queue.close_job, job)
                await writer.write(part)
                await writer.close(False)
                self.assertEqual(job.reasons, ["job-incoming"])
            queue.close_job(job)
            self.assertRaises(JobClosed, queue.close_job, job)
            self.assertRaises(JobClosed, queue.open_document, job)
            await queue.commit()
            job = box.start().get(job.id)
            self.assertEqual([text_of(box.queue.open_reader(job, i)) for i in (0, 1)], [b"first", b"second"])

        run(body())

    def test_too_many_documents(self):
        async def body():
            box = Box()
            job = box.queue.create("many", "u", {})
            for i in range(DOCUMENTS_MAX):
                writer = box.queue.open_document(job)
                await writer.write(b"%d" % i)
                await writer.close(False)
            self.assertRaises(TooManyDocuments, box.queue.open_document, job)

        run(body())

    def test_no_document_at_all(self):
        async def body():
            box = Box()
            job = box.queue.create("none", "u", {})
            writer = box.queue.open_document(job)
            await writer.close(False)
            self.assertEqual((job.open, job.documents, box.files.names()), (True, [], []))
            self.assertEqual(job.reasons, ["job-incoming", "job-data-insufficient"])
            box.queue.close_job(job)
            self.assertEqual((job.state, box.queue.count_active()), (states.ABORTED, 0))
            self.assertTrue("no document data" in job.message)

        run(body())

    def test_changed_is_set_by_every_change(self):
        async def body():
            box = Box()
            queue = box.queue
            state = {}

            def create():
                state["job"] = queue.create("a", "u", {})

            def open_document():
                state["writer"] = queue.open_document(state["job"])

            self.assertTrue(queue.changed.is_set())
            for change in (create, open_document):
                queue.changed.clear()
                change()
                self.assertTrue(queue.changed.is_set())
            job = state["job"]
            await state["writer"].write(TEXT)
            queue.changed.clear()
            await state["writer"].close(True)
            self.assertTrue(queue.changed.is_set())
            for change in (
                lambda: queue.set_checked(job, 1, 1, 0),
                lambda: queue.move(job, 5),
                lambda: queue.cancel(job),
                lambda: queue.move(job, 7),
            ):
                queue.changed.clear()
                change()
                self.assertTrue(queue.changed.is_set())

        run(body())


class TestRestart(unittest.TestCase):
    def test_everything_acknowledged_is_there(self):
        async def body():
            box = Box(history=8)
            pending = await box.submit(name="pending", ticket={"x": b"1"})
            printing = await box.ready()
            stopped = await box.ready()
            incoming = box.queue.create("incoming", "u", {})
            half = box.queue.create("half", "u", {})
            writer = box.queue.open_document(half)
            await writer.write(b"half a docu")
            done = await box.ready()
            held = await box.ready()
            box.queue.move(held, states.PENDING_HELD, ["job-hold-until-specified"])
            for job in (printing, stopped, done):
                box.queue.move(job, states.PROCESSING)
            box.queue.move(stopped, states.PROCESSING_STOPPED)
            box.queue.move(done, states.COMPLETED)
            await box.queue.commit()
            unsaved = box.queue.create("unsaved", "u", {})
            queue = box.start()
            self.assertEqual([j.id for j in queue.active()], [pending.id, held.id])
            job = queue.get(pending.id)
            self.assertEqual((job.state, job.name, job.ticket, job.uuid), (3, "pending", {"x": b"1"}, pending.uuid))
            self.assertEqual(text_of(queue.open_reader(job)), TEXT)
            self.assertTrue(queue.unchecked() is job and job.checked is None)
            self.assertEqual(queue.get(held.id).state, states.PENDING_HELD)
            for lost in (printing, stopped):
                job = queue.get(lost.id)
                self.assertEqual((job.state, job.reasons), (8, ["aborted-by-system"]))
                self.assertTrue("power was lost" in job.message)
            for lost in (incoming, half):
                job = queue.get(lost.id)
                self.assertEqual((job.state, job.reasons), (8, ["aborted-by-system", "submission-interrupted"]))
                self.assertTrue("power was lost" in job.message)
            self.assertEqual(queue.get(done.id).state, states.COMPLETED)
            self.assertTrue(queue.get(unsaved.id) is None)
            await queue.commit()
            kept = [printing, stopped, done]
            self.assertEqual(box.files.names(), sorted(["j%dd0" % j.id for j in [pending, held] + kept]))
            self.assertEqual([queue.is_kept(j) for j in kept + [half, pending]], [True, True, True, False, False])
            again = [(j.id, j.state) for j in queue.ended()]
            self.assertEqual([(j.id, j.state) for j in box.start().ended()], again)
            self.assertEqual(box.queue.create("next", "u", {}).id, held.id + 1)

        run(body())

    def test_ids_are_never_used_twice(self):
        async def body():
            box = Box(history=2)
            last = 0
            for turn in range(30):
                job = box.queue.create("j", "u", {})
                self.assertTrue(job.id > last, (job.id, last))
                last = job.id
                box.queue.cancel(job)
                await box.queue.commit()
                if turn % 3 == 0:
                    box.start()
            self.assertEqual(last, 30)
            self.assertEqual([j.id for j in box.queue.ended()], [30, 29])

        run(body())

    def test_the_highest_id_is_known_after_its_job_is_forgotten(self):
        async def body():
            box = Box(history=2)
            made = [box.queue.create("j", "u", {}) for _ in range(3)]
            for i in (2, 0, 1):
                box.queue.cancel(made[i])
            await box.queue.commit()
            queue = box.start()
            self.assertEqual([j.id for j in queue.ended()], [2, 1])
            self.assertEqual(queue.create("next", "u", {}).id, 4)

        run(body())

    def test_history_is_limited_and_ordered_by_end(self):
        async def body():
            box = Box(history=3)
            made = []
            for _ in range(6):
                made.append(await box.ready())
            for i in (4, 0, 5, 1, 3):
                box.queue.cancel(made[i])
            self.assertEqual([j.id for j in box.queue.ended()], [4, 2, 6])
            self.assertTrue(box.queue.get(5) is None and box.queue.get(1) is None)
            await box.queue.commit()
            # j3 waits; the last four that ended can be printed again, while their records are there
            self.assertEqual(box.files.names(), ["j2d0", "j3d0", "j4d0", "j6d0"])
            queue = box.start()
            self.assertEqual(box.files.names(), ["j2d0", "j3d0", "j4d0", "j6d0"])
            self.assertEqual([j.id for j in queue.ended()], [4, 2, 6])
            self.assertEqual(queue.count_ended(), 3)

        run(body())

    def test_times_of_an_earlier_start_are_not_above_zero(self):
        async def body():
            box = Box()
            box.clock.uptime = 100
            job = await box.ready()
            box.clock.uptime = 130
            box.queue.move(job, 5)
            box.clock.uptime = 190
            box.queue.move(job, 9)
            await box.queue.commit()
            box.clock.uptime = 1
            job = box.start().get(1)
            self.assertEqual((job.created_s, job.processing_s, job.completed_s), (-90, -60, 0))

        run(body())

    def test_times_are_exact_with_a_clock(self):
        async def body():
            box = Box()
            box.clock.uptime = 100
            box.clock.unix = 1800000000
            job = await box.submit()
            box.clock.uptime = 7
            box.clock.unix = 1800001000
            job = box.start().get(job.id)
            self.assertEqual((job.created_s, job.created_unix), (-993, 1800000000))
            # it goes on in this start, and its record says so after the next
            box.queue.set_checked(job, 1, 1, 0)
            box.queue.move(job, 5)
            box.queue.move(job, 9)
            await box.queue.commit()
            self.assertEqual(box.queue.get(1).processing_s, 7)

        run(body())

    def test_rubbish_files_go_and_missing_ones_are_told(self):
        async def body():
            box = Box()
            await box.submit()
            short = await box.submit()
            gone = await box.submit()
            box.files.data["j99d0"] = bytearray(b"orphan")
            box.files.data["update.bin"] = bytearray(b"not the spool's")
            box.files.remove("j%dd0" % gone.id)
            box.files.data["j%dd0" % short.id] = bytearray(b"?")
            queue = box.start()
            self.assertEqual([j.id for j in queue.active()], [1])
            for id in (short.id, gone.id):
                self.assertEqual(queue.get(id).state, states.ABORTED)
                self.assertTrue("missing" in queue.get(id).message)
            await queue.commit()
            self.assertEqual(box.files.names(), ["j1d0", "update.bin"])
            self.assertEqual(queue.spool.used_bytes, len(TEXT))

        run(body())

    def test_a_damaged_record_stops_nothing(self):
        async def body():
            box = Box()
            await box.submit()
            box.queue.journal.log.put(2, b"\x07not a job")
            box.queue.journal.log.put(3, bytes([1, 3]) + bytes(8) + b"\x63")
            await box.queue.commit()
            queue = box.start()
            self.assertEqual([j.id for j in queue.active()], [1])
            self.assertEqual(queue.journal.damaged, 2)
            self.assertEqual(queue.create("n", "u", {}).id, 4)

        run(body())

    def test_records_of_jobs_cut_short_are_errors(self):
        async def body():
            box = Box()
            record = jobs.encode(await box.submit(ticket={"a": b"b"}))
            self.assertEqual(jobs.encode(jobs.decode(1, record)), record)
            for n in range(len(record)):
                self.assertRaises(packing.PackingError, jobs.decode, 1, bytes(record[:n]))

        run(body())


class TestLimits(unittest.TestCase):
    def test_queue_full(self):
        box = Box(jobs=2)
        box.queue.create("a", "u", {})
        job = box.queue.create("b", "u", {})
        self.assertTrue(box.queue.is_full())
        self.assertRaises(QueueFull, box.queue.create, "c", "u", {})
        box.queue.cancel(job)
        self.assertEqual(box.queue.create("c", "u", {}).id, 3)

    def test_journal_full_drops_history_then_refuses(self):
        async def body():
            box = Box(flash=FakeFlash(8192, 1024, 64), jobs=50, history=60)
            for _ in range(60):
                job = box.queue.create("x" * 60, "u", {})
                box.queue.cancel(job)
            self.assertTrue(0 < box.queue.count_ended() < 60)
            n = 0
            try:
                while True:
                    box.queue.create("y" * 60, "u", {})
                    n += 1
            except QueueFull:
                pass
            self.assertTrue(n > 2)
            self.assertEqual(box.queue.count_ended(), 0)
            self.assertEqual(box.queue.count_active(), n)
            for job in box.queue.active():
                box.queue.cancel(job)
            await box.queue.commit()
            self.assertEqual(box.queue.count_active(), 0)

        run(body())

    def test_ticket_too_large(self):
        box = Box()
        self.assertRaises(TicketTooLarge, box.queue.create, "a", "u", {"big": bytes(5000)})
        self.assertEqual((box.queue.count_active(), box.queue.create("b", "u", {}).id), (0, 1))

    def test_a_ticket_that_grew_too_large_ends_its_job_only(self):
        async def body():
            box = Box(flash=FakeFlash(65536, 4096, 64))
            other = box.queue.create("other", "u", {})
            job = box.queue.create("a", "u", {"fits": bytes(2000)})
            writer = box.queue.open_document(job, "text/x-gcode", None, "n" * 300)
            await writer.write(TEXT)
            job.ticket["grown"] = bytes(5000)
            await writer.close(True)
            await box.queue.commit()
            self.assertEqual((job.state, other.state), (8, 3))
            self.assertTrue("could not be stored" in job.message)
            self.assertEqual(box.files.names(), [])
            kept = box.start().get(job.id)
            self.assertEqual((kept.state, kept.ticket, kept.documents[0].name), (8, {}, "n" * 127))

        run(body())

    def test_a_job_that_is_there_can_always_end(self):
        async def body():
            box = Box(flash=FakeFlash(8192, 1024, 64), jobs=50, history=60)
            try:
                while True:
                    box.queue.create("y" * 60, "u", {})
            except QueueFull:
                pass
            jobs_there = box.queue.active()
            self.assertTrue(len(jobs_there) > 1)
            for job in jobs_there:
                writer = box.queue.open_document(job, "text/x-gcode", None, "name.gcode")
                await writer.write(TEXT)
                await writer.close(True)
            for job in jobs_there:
                box.queue.set_checked(job, 1, 1, 1, "ignored 1 command (M105)")
                box.queue.move(job, states.PROCESSING)
                await box.queue.commit()
                box.queue.move(job, states.ABORTED, None, "m" * 200)
                await box.queue.commit()
            self.assertEqual(box.files.names(), sorted(["j%dd0" % job.id for job in jobs_there[-4:]]))
            self.assertEqual(box.start().count_active(), 0)

        run(body())

    def test_spool_full_ends_the_job_and_frees_the_room(self):
        async def body():
            box = Box(spool_bytes=100)
            first = await box.submit(bytes(60))
            job = box.queue.create("big", "u", {})
            writer = box.queue.open_document(job)
            await writer.write(bytes(30))
            error = await fails(SpoolFull, writer.write(bytes(30)))
            self.assertTrue(error.ever)
            self.assertEqual((job.state, job.reasons), (8, ["aborted-by-system"]))
            self.assertTrue("does not fit" in job.message)
            self.assertEqual(box.files.names(), ["j1d0"])
            self.assertEqual((box.queue.spool.used_bytes, box.queue.spool.free_bytes()), (60, 40))
            await fails(JobClosed, writer.write(b"more"))
            await fails(JobClosed, writer.close(True))
            writer.abort()
            box.queue.cancel(first)
            await box.queue.commit()
            self.assertEqual(box.queue.spool.free_bytes(), 100)
            await box.submit(bytes(100))

        run(body())

    def test_medium_full(self):
        async def body():
            box = Box(files=FakeFiles(capacity=50))
            job = box.queue.create("big", "u", {})
            writer = box.queue.open_document(job)
            await writer.write(bytes(40))
            await fails(StorageFull, writer.write(bytes(40)))
            self.assertEqual((job.state, box.files.names(), box.queue.spool.used_bytes), (8, [], 0))
            self.assertTrue("no room on the medium" in job.message)
            await box.queue.commit()
            self.assertEqual(box.start().get(job.id).state, 8)

        run(body())

    def test_medium_failing(self):
        async def body():
            box = Box()
            job = box.queue.create("bad", "u", {})
            writer = box.queue.open_document(job)
            box.files.fail = StorageError("broken")
            await fails(StorageError, writer.write(b"x"))
            self.assertEqual((job.state, box.files.names()), (8, []))
            self.assertTrue("broken" in job.message)

        run(body())

    def test_time_out_of_a_job_without_documents(self):
        async def body():
            box = Box()
            job = box.queue.create("a", "u", {})
            box.clock.uptime += box.queue.time_out_s - 1
            box.queue.expire()
            self.assertEqual(job.state, states.PENDING)
            box.clock.uptime += 1
            box.queue.expire()
            self.assertEqual((job.state, job.reasons), (8, ["aborted-by-system", "submission-interrupted"]))
            self.assertTrue("120 s" in job.message)

        run(body())

    def test_time_out_of_a_document_that_stops_coming(self):
        async def body():
            box = Box()
            job = box.queue.create("a", "u", {})
            writer = box.queue.open_document(job)
            for _ in range(5):
                box.clock.uptime += 100
                await writer.write(b"slow")
                box.queue.expire()
            self.assertEqual(job.state, states.PENDING)
            box.clock.uptime += 120
            await box.queue.tidy()
            self.assertEqual((job.state, box.files.names()), (8, []))
            await fails(JobClosed, writer.write(b"late"))
            self.assertEqual(box.start().get(job.id).state, 8)

        run(body())

    def test_closed_jobs_do_not_time_out(self):
        async def body():
            box = Box()
            job = await box.submit()
            box.clock.uptime += 100000
            box.queue.expire()
            self.assertEqual(job.state, states.PENDING)

        run(body())

    def test_vanished_client(self):
        async def body():
            box = Box()
            job = box.queue.create("a", "u", {})
            writer = box.queue.open_document(job)
            await writer.write(b"half")
            writer.abort()
            writer.abort()
            self.assertEqual((job.state, job.reasons), (8, ["aborted-by-system", "submission-interrupted"]))
            self.assertEqual((box.files.names(), box.queue.spool.used_bytes), ([], 0))

        run(body())

    def test_cancel_while_a_document_arrives(self):
        async def body():
            box = Box()
            job = box.queue.create("a", "u", {})
            writer = box.queue.open_document(job)
            await writer.write(b"half")
            self.assertTrue(box.queue.cancel(job))
            self.assertEqual(box.files.names(), [])
            await fails(JobClosed, writer.write(b"more"))
            await fails(JobClosed, writer.close(True))
            self.assertEqual(job.state, states.CANCELED)

        run(body())


class TestMoving(unittest.TestCase):
    """A machine that cannot write to flash while it moves."""

    def test_creation_answers_busy(self):
        box = Box(write_while_moving=False)
        job = box.queue.create("a", "u", {})
        box.moving = True
        self.assertRaises(Busy, box.queue.create, "b", "u", {})
        self.assertRaises(Busy, box.queue.open_document, job)
        box.moving = False
        self.assertEqual(box.queue.create("b", "u", {}).id, 2)

    def test_other_machines_do_not_care(self):
        box = Box()
        box.moving = True
        self.assertEqual(box.queue.create("a", "u", {}).id, 1)

    def test_changes_are_stored_when_it_stands(self):
        async def body():
            box = Box(write_while_moving=False)
            job = await box.ready()
            other = await box.ready()
            box.queue.move(job, states.PROCESSING)
            await box.queue.commit()
            ops = box.flash.ops
            box.moving = True
            box.queue.cancel(other)
            await box.queue.commit()
            await box.queue.tidy()
            self.assertEqual((box.flash.ops, len(box.files.names())), (ops, 2))
            self.assertEqual([j.id for j in box.queue.ended()], [other.id])
            self.assertEqual(box.queue.get(other.id).state, states.CANCELED)
            box.moving = False
            await box.queue.tidy()
            self.assertTrue(box.flash.ops > ops)
            self.assertTrue(box.queue.is_kept(other))
            self.assertEqual(box.start().get(other.id).state, states.CANCELED)

        run(body())

    def test_an_upload_waits(self):
        async def body():
            box = Box(write_while_moving=False)
            job = box.queue.create("a", "u", {})
            writer = box.queue.open_document(job)
            await writer.write(b"one")
            box.moving = True
            task = asyncio.create_task(writer.write(b"two"))
            for _ in range(3):
                await sleep_ms(0)
            self.assertEqual(bytes(box.files.data["j1d0"]), b"one")
            box.moving = False
            await task
            self.assertEqual(bytes(box.files.data["j1d0"]), b"onetwo")

        run(body())


class TestFailingFlash(unittest.TestCase):
    def test_busy_flash_is_a_busy_printer(self):
        async def body():
            box = Box(flash=FakeFlash(8192, 1024, 64))
            job = box.queue.create("a", "u", {})
            await box.queue.commit()
            box.flash.fail = BusyError("steps are due")
            box.flash.fails_on = True
            self.assertRaises(Busy, box.queue.create, "b" * 100, "u", {})
            box.queue.cancel(job)
            await box.queue.commit()
            self.assertEqual(box.queue.storage_error, "steps are due")
            box.flash.fail = None
            await box.queue.commit()
            self.assertEqual(box.start().get(job.id).state, states.CANCELED)
            self.assertEqual(box.queue.create("b", "u", {}).id, 2)

        run(body())

    def test_a_move_takes_place_and_is_stored_later(self):
        async def body():
            box = Box()
            job = await box.ready()
            box.queue.move(job, states.PROCESSING)
            await box.queue.commit()
            box.flash.fail = StorageError("worn")
            box.flash.fails_on = True
            box.queue.move(job, states.COMPLETED)
            error = await fails(StorageError, box.queue.commit())
            self.assertEqual(error.message, "worn")
            self.assertEqual(box.queue.get(job.id).state, states.COMPLETED)
            self.assertEqual(box.files.names(), ["j1d0"])
            await box.queue.tidy()
            self.assertEqual(box.queue.storage_error, "worn")
            box.flash.fail = None
            await box.queue.tidy()
            self.assertEqual(box.queue.storage_error, None)
            self.assertTrue(box.queue.is_kept(job))
            self.assertEqual(box.start().get(job.id).state, states.COMPLETED)

        run(body())


class TestNames(unittest.TestCase):
    def test_file_names(self):
        for name in ("j1d0", "j123456789d15"):
            self.assertTrue(is_file_name(name))
        for name in ("", "j", "jd", "j1", "j1d", "jd1", "k1d0", "j1d0d0", "jxd0", "j1dx", "update.bin"):
            self.assertFalse(is_file_name(name))


if __name__ == "__main__":
    unittest.main()
