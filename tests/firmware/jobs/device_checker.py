"""The checker on both Pythons: which documents pass, what is said of the others, and that it stops when the job ends."""

import asyncio
import unittest

from firmware.ipp.materials import Materials
from firmware.jobs import checker as checking
from firmware.jobs import states
from firmware.jobs.checker import Checker
from hal import factory
from hal.compat import sleep_ms
from tests.firmware.jobs.helpers_queue import Box, text_of
from tests.hal.helpers_core import make_core

GCODE = "text/x-gcode"
SAFE = "application/vnd.pwg-safe-gcode"
GOOD = b"G28\nG1 X10 Y10 F3000\nG1 X20 E1\n"

# GOOD twice, as CPython's gzip and zlib made it
PACKED = (
    ("gzip", bytes.fromhex("1f8b08000000000002037337b2e0723754883034508804623763030303b080918182ab21973b7e69005057ace43e000000")),
    ("deflate", bytes.fromhex("7337b2e0723754883034508804623763030303b080918182ab21973b7e6900")),
)

# text, format, reason, what the message says
BAD = (
    (b"G28\nM997\n", GCODE, "document-unprintable-error", "line 2, column 1: M997: not allowed"),
    (b"G1 X1 F100\n\n  M502", GCODE, "document-unprintable-error", "line 3, column 3: M502"),
    (b"G1 X1 F100\nM104 S900\n", GCODE, "document-unprintable-error", "line 2, column 1: M104: 900 degC is above the limit"),
    (b"G1 X10 F3000\nG1 X9999\n", GCODE, "document-unprintable-error", "line 2, column 4"),
    (b"G1 X10\n", GCODE, "document-unprintable-error", "line 1"),
    (b"G92 X0\n", GCODE, "document-unprintable-error", "line 1"),
    (b"hello world\n", GCODE, "document-format-error", "line 1, column 1"),
    (b"\x00\x01\x02\xff\xfe" * 50, GCODE, "document-format-error", "line 1, column 1"),
    (b"G1 X" + b"9" * 300 + b" F100\n", GCODE, "document-format-error", "line 1"),
    (b"G1 XNaN F100\n", GCODE, "document-format-error", "line 1"),
    (b"G1 X1 F100 " + b"Y1" * 5000 + b"\n", GCODE, "document-format-error", "line 1"),
    (b"\n\n; only a comment\n", GCODE, "document-unprintable-error", "moves nothing"),
    (b"M104 S0\nM84\n", GCODE, "document-unprintable-error", "moves nothing"),
    (b"M83\nM104 S0\nG1 X50 Y50 F6000\nG1 X60 E1\n", GCODE, "document-unprintable-error", "line 4, column 8: G1: the nozzle is too cold"),
    (b"M83\nG1 X9 E.1 F600\nM109 S150\nG1 E-2\n G1 E1\n", GCODE, "document-unprintable-error", "line 5, column 5: G1: the nozzle"),
    (b"M83\nM109 S210\nG1 X9 Y9 E.1 F600\nM104 S169\nG2 I5 J5 E.1\n", GCODE, "document-unprintable-error", "line 5, column 10: G2"),
    (b"G1 X1 F100\nM204 S500\n", SAFE, "document-unprintable-error", "line 2, column 1: M204"),
    (b"G1 X1 F100\nM300\n", SAFE, "document-unprintable-error", "line 2, column 1: M300: not allowed"),
)


class Bench:
    def __init__(self):
        self.box = Box(spool_bytes=1 << 16, jobs=40, history=40)
        self.queue = self.box.queue
        self.core = make_core()
        self.box.caps.max_target_c = {"nozzle": 300, "bed": 120}
        materials = Materials(factory.describe("sim-cartesian")["printer"])
        self.checker = Checker(self.core, self.queue, materials, self.box.caps)

    async def submit(self, parts, format=GCODE):
        job = self.queue.create("j", "u", {})
        for part in parts:
            writer = self.queue.open_document(job, format, None, "n")
            await writer.write(part)
            await writer.close(False)
        self.queue.close_job(job)
        return job

    async def check(self, text, format=GCODE):
        job = await self.submit((text,), format)
        await self.checker.check(job)
        return job


class TestChecker(unittest.TestCase):
    def test_good_documents(self):
        async def body():
            bench = Bench()
            for text, lines in ((GOOD, 3), (GOOD[:-1], 3), (b"G1 X1 F100", 1), (b"G28", 1), (b"\r\nG1 X1 F100\r\n", 2)):
                job = await bench.check(text)
                self.assertEqual((job.state, job.message, job.checked), (states.PENDING, "", True))
                self.assertEqual((job.lines, job.text_bytes, job.ignored), (lines, len(text), 0))
            self.assertEqual(bench.queue.next_ready().id, 1)

        asyncio.run(body())

    def test_bad_documents(self):
        async def body():
            bench = Bench()
            for text, format, reason, message in BAD:
                job = await bench.check(text, format)
                self.assertEqual((job.state, job.reasons), (states.ABORTED, ["aborted-by-system", reason]), (text[:30], job.message))
                self.assertTrue(message in job.message, job.message)
                self.assertTrue(bench.queue.unchecked() is None and bench.queue.next_ready() is None)
            await bench.queue.commit()
            self.assertEqual(bench.box.files.names(), [])

        asyncio.run(body())

    def test_ignored_commands_are_counted(self):
        async def body():
            bench = Bench()
            job = await bench.check(GOOD + b"M84\nM105\nM105\nM900 K0.1\n")
            self.assertEqual((job.state, job.ignored), (states.PENDING, 4))
            self.assertEqual(job.message, "ignored 4 commands (M84, M105)")

        asyncio.run(body())

    def test_the_verdict_does_not_depend_on_where_slices_end(self):
        async def body():
            bench = Bench()
            filler = b"; " + b"x" * 61 + b"\n"
            for shift in range(0, 8):
                text = GOOD + filler * ((checking.SMALL_SLICE_BYTES - len(GOOD)) // 64) + b";" * shift + b"\nM997\n"
                job = await bench.check(text)
                self.assertEqual(job.message, "line %d, column 1: M997: not allowed in this document format" % text.count(b"\n"))

        asyncio.run(body())

    def test_every_document_is_checked(self):
        async def body():
            bench = Bench()
            job = await bench.submit((GOOD, b"G1 X5 F100\n"))
            await bench.checker.check(job)
            self.assertEqual((job.checked, job.lines, job.text_bytes), (True, 4, len(GOOD) + 11))
            job = await bench.submit((GOOD, b"M997\n"))
            await bench.checker.check(job)
            self.assertEqual(job.state, states.ABORTED)

        asyncio.run(body())

    def test_a_print_in_work_is_left_alone(self):
        """What is fed before and after a check gives what it gives without one."""

        async def body():
            bench = Bench()
            core = bench.core
            results = []
            for check in (False, True):
                core.begin()
                text = b"G1 X10 F3000\nG1 X20"
                core.feed(text, 0, len(text))
                if check:
                    await bench.check(b"G1 X1 F100\nM84\n; end")
                core.end_document()
                status = core.status()
                results.append((core.event.kind, status.moves, status.position_nm(0), status.line))
            self.assertEqual(results[0], results[1])
            self.assertEqual(results[0][1:3], (2, 20000000))

        asyncio.run(body())

    def test_cancelled_meanwhile(self):
        async def body():
            bench = Bench()
            job = await bench.submit((GOOD * 600,))
            task = asyncio.create_task(bench.checker.check(job))
            await sleep_ms(0)
            await sleep_ms(0)
            self.assertTrue(job.checked is None)
            bench.queue.cancel(job)
            await task
            self.assertEqual((job.state, job.checked, job.reasons), (states.CANCELED, None, ["job-canceled-by-user"]))
            self.assertTrue(bench.queue.next_ready() is None)

        asyncio.run(body())

    def test_a_document_that_cannot_be_read(self):
        async def body():
            bench = Bench()
            job = await bench.submit((GOOD,))
            bench.box.files.remove("j1d0")
            await bench.checker.check(job)
            self.assertEqual((job.state, job.reasons), (8, ["aborted-by-system"]))
            self.assertTrue("cannot be read" in job.message)

        asyncio.run(body())

    def test_a_fault_of_ours_costs_one_job_only(self):
        async def body():
            bench = Bench()
            first = await bench.submit((GOOD,))
            second = await bench.submit((GOOD,))
            first.ticket["materials-col"] = b"no attribute at all"
            task = asyncio.create_task(bench.checker.run())
            for _ in range(50):
                await sleep_ms(1)
                if second.checked:
                    break
            task.cancel()
            self.assertEqual((first.state, second.checked), (8, True))
            self.assertTrue("internal error" in first.message)

        asyncio.run(body())

    def test_compressed_documents(self):
        async def body():
            bench = Bench()
            for compression, packed in PACKED:
                job = bench.queue.create("j", "u", {})
                writer = bench.queue.open_document(job, GCODE, compression, "n")
                await writer.write(packed)
                await writer.close(True)
                await bench.checker.check(job)
                self.assertEqual((job.state, job.message, job.lines, job.text_bytes), (3, "", 6, 2 * len(GOOD)))
                self.assertEqual(text_of(bench.queue.open_reader(job)), GOOD * 2)

        asyncio.run(body())

    def test_broken_compression(self):
        async def body():
            bench = Bench()
            for compression, reason in (("gzip", "compression-error"), ("lzma", "compression-error")):
                job = bench.queue.create("j", "u", {})
                writer = bench.queue.open_document(job, GCODE, compression, "n")
                await writer.write(GOOD)
                await writer.close(True)
                await bench.checker.check(job)
                self.assertEqual((job.state, job.reasons), (8, ["aborted-by-system", reason]), job.message)

        asyncio.run(body())

    def test_the_task_checks_and_times_out(self):
        async def body():
            bench = Bench()
            good = await bench.submit((GOOD,))
            bad = await bench.submit((b"M997\n",))
            late = bench.queue.create("late", "u", {})
            bench.box.clock.uptime += 200
            task = asyncio.create_task(bench.checker.run())
            for _ in range(50):
                await sleep_ms(1)
                if bench.queue.next_ready() and states.ended(bad.state) and states.ended(late.state):
                    break
            self.assertEqual((good.checked, bad.state, late.state), (True, 8, 8))
            # what comes later is seen, too
            more = await bench.submit((GOOD,))
            for _ in range(50):
                await sleep_ms(1)
                if more.checked:
                    break
            self.assertTrue(more.checked)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        asyncio.run(body())


if __name__ == "__main__":
    unittest.main()
