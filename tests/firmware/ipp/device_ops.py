"""Operations on both Pythons: a job from Create-Job to its end through dispatch, on the real queue."""

import asyncio
import unittest

from firmware.ipp import attributes, codec, registry_request, status, tags
from firmware.ipp.dispatch import Context, Dispatcher
from firmware.jobs import states
from tests.firmware.ipp.helpers_objects import make_printer

PRINTER_URI = b"ipp://printer.local/ipp/print3d"
GCODE = b"; a part\nG28\nG1 X10 Y10 F3000\n"


class Body:
    def __init__(self, pieces):
        self.pieces = list(pieces)

    async def read(self):
        await asyncio.sleep(0)
        return memoryview(self.pieces.pop(0)) if self.pieces else b""


def decode(octets):
    decoder = codec.Decoder(codec.Limits(65536, 4096))
    assert decoder.feed(octets)
    return decoder.request


class TestOperations(unittest.TestCase):
    def setUp(self):
        self.printer = make_printer("sim-cartesian", flash_bytes=65536)
        syntaxes = attributes.syntaxes(registry_request.ROWS)
        self.dispatcher = Dispatcher(self.printer.table, self.printer, self.printer.queue.get, syntaxes)

    def ask(self, operation, extra=(), job=(), body=(), user=b"alice"):
        """(status, attributes of the first job, unsupported attributes, number of jobs)."""
        group = [
            ("attributes-charset", [(tags.CHARSET, b"utf-8")]),
            ("attributes-natural-language", [(tags.LANGUAGE, b"en")]),
            ("printer-uri", [(tags.URI, PRINTER_URI)]),
            ("requesting-user-name", [(tags.NAME, user)]),
        ]
        octets = codec.message((2, 0), operation, 9, [(tags.OPERATION_GROUP, group + list(extra)), (tags.JOB_GROUP, list(job))])
        return asyncio.run(self._ask(octets, body))

    async def _ask(self, octets, body):
        ctx = Context("::1", False, "printer.local", Body(body))
        response = await self.dispatcher.answer(ctx, decode(octets))
        answer = decode(b"".join(response.pieces((2, 0), 9)))
        jobs = [members for tag, members in answer.groups if tag == tags.JOB_GROUP]
        first = dict(jobs[0]) if jobs else {}
        return answer.operation, first, dict(answer.group(tags.UNSUPPORTED_GROUP) or []), len(jobs)

    def submit(self, *pieces):
        code, job, _, _ = self.ask(0x05, [("job-name", [(tags.NAME, b"part")])])
        self.assertEqual(code, status.OK)
        number = job["job-id"][0][1]
        extra = [("job-id", [(tags.INTEGER, number)]), ("last-document", [(tags.BOOLEAN, True)])]
        return number, self.ask(0x06, extra, body=pieces)[0]

    def test_a_job_comes_in_and_is_told_of(self):
        number, code = self.submit(GCODE[:7], GCODE[7:])
        self.assertEqual(code, status.OK)
        queued = self.printer.queue.unchecked()
        self.assertEqual(queued.id, number)
        self.assertEqual(queued.documents[0].size, len(GCODE))
        code, job, _, _ = self.ask(0x09, [("job-id", [(tags.INTEGER, number)])])
        self.assertEqual(code, status.OK)
        self.assertEqual(job["job-name"], [(tags.NAME, b"part")])
        self.assertEqual(job["job-state"], [(tags.ENUM, states.PENDING)])
        self.assertEqual(self.ask(0x0A)[3], 1)

    def test_a_ticket_survives_a_restart(self):
        members = [("material-key", [(tags.KEYWORD, b"petg")]), ("material-temperature", [(tags.INTEGER, 240)])]
        ticket = [("materials-col", [(tags.COLLECTION, members)]), ("platform-temperature", [(tags.INTEGER, 80)])]
        code, job, _, _ = self.ask(0x05, [("ipp-attribute-fidelity", [(tags.BOOLEAN, True)])], ticket)
        self.assertEqual(code, status.OK)
        self.printer.queue.load()
        targets = self.printer.materials.targets(self.printer.queue.get(job["job-id"][0][1]).ticket)
        self.assertEqual((targets.material.key, targets.nozzle_c, targets.bed_c), ("petg", 240, 80))

    def test_what_is_not_supported_comes_back(self):
        job = [("copies", [(tags.INTEGER, 3)]), ("media", [(tags.KEYWORD, b"a4")])]
        code, _, refused, _ = self.ask(0x04, (), job)
        self.assertEqual(code, status.OK_IGNORED)
        self.assertEqual(refused, {"copies": [(tags.INTEGER, 3)], "media": [(tags.UNSUPPORTED, None)]})
        code = self.ask(0x04, [("ipp-attribute-fidelity", [(tags.BOOLEAN, True)])], job)[0]
        self.assertEqual(code, status.NOT_SUPPORTED)

    def test_gzip_without_compression(self):
        self.assertEqual(self.submit(b"\x1f\x8b\x08", bytes(40))[1], status.FORMAT_NOT_SUPPORTED)

    def test_cancel(self):
        number, _ = self.submit(GCODE)
        extra = [("job-id", [(tags.INTEGER, number)])]
        self.assertEqual(self.ask(0x08, extra)[0], status.OK)
        self.assertEqual(self.ask(0x08, extra)[0], status.NOT_POSSIBLE)
        self.assertEqual(self.ask(0x0A, [("which-jobs", [(tags.KEYWORD, b"completed")])])[3], 1)

    def test_cancel_my_jobs(self):
        self.submit(GCODE)
        self.assertEqual(self.ask(0x39, user=b"bob")[0], status.OK)
        self.assertEqual(self.ask(0x0A)[3], 1)
        self.assertEqual(self.ask(0x39)[0], status.OK)
        self.assertEqual(self.ask(0x0A)[3], 0)


if __name__ == "__main__":
    unittest.main()
