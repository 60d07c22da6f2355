"""The IPP objects on both Pythons: registry rows, materials, formats, dates, and a printer's and a job's attributes whole."""

import asyncio
import unittest

from firmware.ipp import attributes, codec, formats, registry_job, registry_printer, registry_request, requested, status, tags, values
from firmware.ipp.materials import Materials
from firmware.ipp.printer import Printer
from firmware.jobs.job import Document, Job

AXIS = {"steps_per_mm": 80, "min_mm": 0, "max_mm": 235}
DESCRIPTION = {
    "printer": {
        "title": "Test",
        "axes": {"x": AXIS, "y": AXIS, "z": {"steps_per_mm": 400, "min_mm": 0, "max_mm": 250}},
        "extruder": {"nozzle_mm": 0.4, "filament_mm": 1.75},
        "heaters": {"nozzle": {"max_target_c": 260}, "bed": {"max_target_c": 100}, "chamber": None},
    }
}
URI = ("ipp", "[::1]:631", "/ipp/print3d")


class Plain:
    def __init__(self, **fields):
        for name in fields:
            setattr(self, name, fields[name])


def clock():
    return Plain(uptime_s=lambda: 77, unix_s=lambda: None)


def printer():
    machine = Plain(description=DESCRIPTION, caps=Plain(spool_bytes=1 << 20, identify=("display",)), clock=clock())
    fields = dict(printer_state=3, state_reasons=[], state_message="", accepting=True, changed_s=5, position_um=[0, 10, 20])
    runner = Plain(status=Plain(**fields))
    queue = Plain(count_active=lambda: 2, intervening=lambda job: 1, time_out_s=120, flag=lambda name: False)
    heating = Plain(readings=lambda: [("nozzle", 20.4, 0)], current_c=lambda name: None)
    materials = Materials(DESCRIPTION["printer"])
    made = Printer(machine, queue, runner, heating, materials, {"printer_uuid": "urn:uuid:x"}, [2, 11], "1.0.0")
    asyncio.run(made.load())
    return made


def decode(pieces):
    """[(name, values), ...] of encoded attributes."""
    octets = b"".join(pieces)
    decoder = codec.Decoder(codec.Limits(len(octets) + 64, 10000))
    decoder.feed(b"\2\0\0\0\0\0\0\1\4")
    decoder.feed(octets)
    assert decoder.feed(b"\3")
    return dict(decoder.request.groups[0][1])


class TestRegistry(unittest.TestCase):
    def test_every_row_has_a_syntax_that_is_understood(self):
        count = 0
        for table in (registry_printer.ROWS, registry_job.ROWS, registry_request.ROWS):
            for row in attributes.rows(table):
                self.assertEqual(len(row), 6)
                many, alternatives = attributes.syntax(row[attributes.SYNTAX])
                self.assertTrue(len(alternatives) >= 1)
                self.assertEqual(attributes.find(table, row[attributes.NAME]), row)
                count += 1
        self.assertTrue(count > 130)

    def test_bounds(self):
        self.assertEqual(attributes.syntax("integer(-273:MAX)"), (False, [(tags.INTEGER, -273, 0x7FFFFFFF)]))
        self.assertEqual(attributes.syntax("integer(MIN:MAX) | no-value")[1][0], (tags.INTEGER, -0x80000000, 0x7FFFFFFF))
        self.assertEqual(attributes.syntax("1setOf type2 keyword"), (True, [(tags.KEYWORD, 0, 0)]))
        self.assertEqual(attributes.syntax("text(127)"), (False, [(tags.TEXT, 0, 127)]))

    def test_problem(self):
        self.assertEqual(attributes.problem("integer(1:MAX)", [(tags.INTEGER, 0)]), attributes.OUT_OF_RANGE)
        self.assertEqual(attributes.problem("integer(1:MAX)", [(tags.INTEGER, 5)]), None)
        self.assertEqual(attributes.problem("boolean", [(tags.KEYWORD, b"x")]), attributes.WRONG_TAG)

    def test_pairs_refuses_what_does_not_fit(self):
        self.assertRaises(ValueError, attributes.pairs, "integer(0:MAX)", ["x"])
        self.assertEqual(attributes.pairs("dateTime | unknown", [None]), [(tags.UNKNOWN, None)])


class TestValues(unittest.TestCase):
    def test_dates(self):
        self.assertEqual(values.date_time(0), b"\x07\xb2\x01\x01\0\0\0\0+\0\0")
        self.assertEqual(values.date_time(951782399), b"\x07\xd0\x02\x1c\x17\x3b\x3b\0+\0\0")  # 2000-02-28T23:59:59
        self.assertEqual(values.date_time(951782400), b"\x07\xd0\x02\x1d\0\0\0\0+\0\0")  # a leap day
        self.assertEqual(values.date_time(1735689599), b"\x07\xe8\x0c\x1f\x17\x3b\x3b\0+\0\0")  # 2024-12-31T23:59:59

    def test_heads_are_what_the_codec_writes(self):
        head = values.head(tags.INTEGER, "printer-up-time", 4)
        self.assertEqual(values.integer(head, -7), codec.attribute(tags.INTEGER, "printer-up-time", [-7]))

    def test_decoded(self):
        collection = [(tags.COLLECTION, [("a", [(tags.INTEGER, 1)]), ("b", [(tags.NAME, b"x"), (tags.NAME, b"y")])])]
        self.assertEqual(values.decoded(codec.attribute_of("materials-col", collection)), collection)


class TestMaterials(unittest.TestCase):
    def setUp(self):
        self.materials = Materials(DESCRIPTION["printer"])

    def judge(self, *members):
        return self.materials.judge([(tags.COLLECTION, list(members))])

    def test_database_holds_only_what_the_machine_can_do(self):
        keys = [material.key for material in self.materials.database]
        self.assertTrue("pla" in keys and "petg" in keys and "abs" in keys)
        self.assertTrue("polycarbonate" not in keys)  # needs 270 degC and a bed of 110 degC
        for material in self.materials.database:
            self.assertTrue(material.nozzle_max_c <= 260 and material.bed_c <= 100 and material.chamber_c == 0)

    def test_key_name_and_type_name_a_material(self):
        for name, value in (("material-key", b"petg"), ("material-name", b"PETG"), ("material-type", b"pet")):
            tag = tags.NAME if name == "material-name" else tags.KEYWORD
            self.assertEqual(self.materials.match([(name, [(tag, value)])])[0].key, "petg")
        self.assertEqual(self.materials.match([])[0].key, "pla")

    def test_members_that_name_different_materials(self):
        accepted, refused = self.judge(("material-key", [(tags.KEYWORD, b"petg")]), ("material-type", [(tags.KEYWORD, b"abs")]))
        self.assertEqual(refused, [(tags.COLLECTION, [("material-type", [(tags.KEYWORD, b"abs")])])])

    def test_unknown_material(self):
        member = ("material-key", [(tags.KEYWORD, b"unobtainium")])
        self.assertEqual(self.judge(member), ([], [(tags.COLLECTION, [member])]))

    def test_temperatures_stay_within_material_and_machine(self):
        key = ("material-key", [(tags.KEYWORD, b"pla")])
        for value, fine in ((190, True), (235, True), (189, False), (236, False), (1000, False), (-273, False)):
            member = ("material-temperature", [(tags.INTEGER, value)])
            self.assertEqual(self.judge(key, member)[1] == [], fine)
        for value, fine in (((190, 235), True), ((100, 235), False), ((200, 300), False)):
            self.assertEqual(self.judge(key, ("material-temperature", [(tags.RANGE, value)]))[1] == [], fine)

    def test_values_of_other_members(self):
        for name, tag, value, fine in (
            ("material-diameter", tags.INTEGER, 1750000, True),
            ("material-diameter", tags.INTEGER, 2850000, False),
            ("material-nozzle-diameter", tags.INTEGER, 400000, True),
            ("material-nozzle-diameter", tags.INTEGER, 600000, False),
            ("material-fill-density", tags.INTEGER, 100, True),
            ("material-fill-density", tags.INTEGER, 101, False),
            ("material-shell-thickness", tags.INTEGER, 0, True),
            ("material-shell-thickness", tags.INTEGER, -1, False),
            ("material-purpose", tags.KEYWORD, b"support", True),
            ("material-purpose", tags.KEYWORD, b"joy", False),
            ("material-color", tags.KEYWORD, b"red", True),
            ("material-diameter", tags.KEYWORD, b"1750000", False),
            ("material-temperature", tags.KEYWORD, b"hot", False),
            ("material-rate", tags.INTEGER, 5, False),
        ):
            refused = self.judge((name, [(tag, value)]))[1]
            self.assertEqual(refused == [], fine, name)

    def test_one_extruder_takes_one_material(self):
        one = (tags.COLLECTION, [("material-key", [(tags.KEYWORD, b"pla")])])
        two = (tags.COLLECTION, [("material-key", [(tags.KEYWORD, b"petg")])])
        self.assertEqual(self.materials.judge([one, two]), ([one], [two]))

    def test_targets(self):
        members = [("material-key", [(tags.KEYWORD, b"petg")]), ("material-temperature", [(tags.RANGE, (245, 250))])]
        ticket = {
            "materials-col": codec.attribute(tags.COLLECTION, "materials-col", [members]),
            "platform-temperature": codec.attribute(tags.INTEGER, "platform-temperature", [75]),
        }
        targets = self.materials.targets(ticket)
        self.assertEqual((targets.material.key, targets.nozzle_c, targets.bed_c, targets.chamber_c), ("petg", 245, 75, None))
        self.assertEqual(self.materials.missing(targets), [(0, targets.material)])
        targets = self.materials.targets({})
        self.assertEqual((targets.material.key, targets.nozzle_c), ("pla", None))
        self.assertEqual(self.materials.missing(targets), [])


class TestMaterialsByTool(unittest.TestCase):
    """materials-col, one value a tool (PWG 5100.21-2019)."""

    def setUp(self):
        printer = dict(DESCRIPTION["printer"])
        printer["extruder1"] = printer["extruder"]
        self.materials = Materials(printer, "pla,petg")

    def value(self, key, *more):
        return (tags.COLLECTION, [("material-key", [(tags.KEYWORD, key)])] + list(more))

    def test_what_is_loaded(self):
        self.assertEqual([material.key for material in self.materials.ready], ["pla", "petg"])
        self.assertEqual(self.materials.keys(), "pla,petg")
        self.materials.loaded = None
        self.assertEqual(self.materials.keys(), ",petg")
        printer = dict(DESCRIPTION["printer"], extruder1=True)
        self.assertEqual(Materials(printer, "abs").keys(), "abs,abs")
        self.assertEqual(Materials(printer, "abs,").keys(), "abs,")

    def test_each_value_is_judged_for_its_tool(self):
        hot = ("material-temperature", [(tags.INTEGER, 250)])
        values = [self.value(b"pla"), self.value(b"petg", hot)]
        self.assertEqual(self.materials.judge(values), (values, []))
        # 250 degC is too hot for PLA, and a third tool there is not
        accepted, refused = self.materials.judge([self.value(b"pla", hot), self.value(b"petg"), self.value(b"abs")])
        self.assertEqual(accepted, [self.value(b"pla"), self.value(b"petg")])
        self.assertEqual(refused, [(tags.COLLECTION, [hot]), self.value(b"abs")])
        # what is wrong of the first tool does not move the second one's to its place
        accepted, refused = self.materials.judge([self.value(b"chocolate"), self.value(b"petg")])
        self.assertEqual(accepted, [(tags.COLLECTION, []), self.value(b"petg")])

    def test_targets_and_what_is_missing(self):
        hot = ("material-temperature", [(tags.INTEGER, 250)])
        ticket = {"materials-col": codec.attribute_of("materials-col", [self.value(b"pla"), self.value(b"abs", hot)])}
        targets = self.materials.targets(ticket)
        self.assertEqual([material.key for material in targets.materials], ["pla", "abs"])
        self.assertEqual((targets.nozzles_c, targets.named), ([None, 250], 2))
        self.assertEqual([(tool, material.key) for tool, material in self.materials.missing(targets)], [(1, "abs")])
        # a ticket that says nothing of the second tool does not wait for it
        self.materials.ready = [self.materials.ready[0], None]
        self.assertEqual(self.materials.missing(self.materials.targets({})), [])
        self.materials.ready = [None, None]
        self.assertEqual(self.materials.missing(self.materials.targets({})), [(0, None)])

    def test_the_receipt(self):
        ticket = {}
        self.materials.record(ticket, self.materials.ready, [210, None])
        first, second = [dict(members) for _, members in values.decoded(ticket["materials-col-actual"])]
        self.assertEqual(first["material-temperature"], [(tags.INTEGER, 210)])
        self.assertEqual(second["material-key"], [(tags.KEYWORD, b"petg")])
        self.assertTrue("material-temperature" not in second)


class TestFormats(unittest.TestCase):
    def test_gcode(self):
        for start in (
            b"; comment",
            b"G28\n",
            b"\r\n\r\nM104 S200",
            b"  g1 x1",
            b"\xef\xbb\xbf; x",
            b"; \xc3\xa4\nG1",
            b"(x)\nT0",
            b"N10 G1",
        ):
            self.assertTrue(formats.is_gcode(start), start)

    def test_everything_else(self):
        for start in (
            b"",
            b"\n \n",
            b"%PDF-1.7",
            b"%!PS",
            b"PK\x03\x04",
            b"\x89PNG\r\n",
            b'{"a":1}',
            b"<html>",
            b"G28\x00",
            b"solid x",
            b"\xff\xd8",
        ):
            self.assertTrue(not formats.is_gcode(start), start)

    def test_settle(self):
        self.assertEqual(formats.settle("application/octet-stream", b"PK\x03\x04"), "model/3mf")
        self.assertEqual(formats.settle(None, b"G28"), "text/x-gcode")
        self.assertEqual(formats.settle("application/octet-stream", b"G28"), "text/x-gcode")
        self.assertEqual(formats.settle("application/vnd.pwg-safe-gcode", b"G28"), "application/vnd.pwg-safe-gcode")
        for kind, start, code in (
            ("application/octet-stream", b"\x1f\x8b\x08", status.FORMAT_NOT_SUPPORTED),
            ("application/octet-stream", b"%PDF-1.7", status.FORMAT_ERROR),
        ):
            try:
                formats.settle(kind, start)
                self.fail(kind)
            except status.IppError as e:
                self.assertEqual(e.status, code)


class TestObjects(unittest.TestCase):
    def test_printer(self):
        p = printer()
        everything = decode(p.attributes(requested.Requested(None, requested.PRINTER_GROUPS), URI))
        self.assertTrue(len(everything) > 85)
        self.assertEqual(everything["printer-uri-supported"], [(tags.URI, b"ipp://[::1]:631/ipp/print3d")])
        self.assertEqual(everything["queued-job-count"], [(tags.INTEGER, 2)])
        self.assertEqual(everything["printer-current-time"], [(tags.UNKNOWN, None)])
        for name in ("copies-default", "materials-col-ready", "printer-icons", "printer-state", "printwright-temperatures"):
            one = requested.Requested([(tags.KEYWORD, name.encode())], requested.PRINTER_GROUPS)
            self.assertEqual(decode(p.attributes(one, URI)), {name: everything[name]})

    def test_job(self):
        p = printer()
        job = Job(5, bytes(16), "part", "alice", {"copies": codec.attribute(tags.INTEGER, "copies", [1])})
        job.created_s = 70
        job.documents.append(Document("d", "text/x-gcode", None, 1025, "f"))
        everything = decode(p.job_attributes.all(job, requested.Requested(None, requested.JOB_GROUPS), URI))
        self.assertEqual(everything["job-uri"], [(tags.URI, b"ipp://[::1]:631/ipp/print3d/5")])
        self.assertEqual(everything["job-k-octets"], [(tags.INTEGER, 2)])
        self.assertEqual(everything["copies"], [(tags.INTEGER, 1)])
        self.assertEqual(everything["time-at-processing"], [(tags.NO_VALUE, None)])
        self.assertEqual(everything["job-state-reasons"], [(tags.KEYWORD, b"none")])


if __name__ == "__main__":
    unittest.main()
