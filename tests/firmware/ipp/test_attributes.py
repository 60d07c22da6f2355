"""The registry table against the facts of the IPP registry and against what the standards require."""

import csv
import re
from pathlib import Path

import pytest

from firmware.gcode import policy
from firmware.ipp import (
    attributes,
    formats,
    printer_values,
    registry_document,
    registry_job,
    registry_omitted,
    registry_printer,
    registry_request,
    tags,
)
from firmware.jobs import package

FACTS = Path(__file__).resolve().parents[2] / "vectors" / "registry"
TABLES = {
    "operation": registry_request.ROWS,
    "job": registry_job.ROWS,
    "document": registry_document.ROWS,
    "printer": registry_printer.ROWS,
}
# groups of the registry for each object and group letter of ours
GROUPS = {
    ("operation", "O"): ("Operation", "Subscription Template", "Subscription Status"),
    ("document", "D"): ("Document Description",),
    ("document", "S"): ("Document Status",),
    ("job", "T"): ("Job Template",),
    ("job", "D"): ("Job Description",),
    ("job", "S"): ("Job Status",),
    ("printer", "T"): ("Printer Description",),
    ("printer", "D"): ("Printer Description", "Printer Status", "Subscription Template"),
    ("printer", "S"): ("Printer Status",),
}
# of PWG 5100.21-2019, RFC 3998 and RFC 3995, missing in the registry
REGISTRY_GAPS = ("print-accuracy-default", "predecessor-job-id", "my-subscriptions")


def facts():
    with open(FACTS / "attributes.csv", newline="") as f:
        return list(csv.DictReader(f))


def required():
    with open(FACTS / "required.csv", newline="") as f:
        return list(csv.DictReader(f))


def all_rows():
    return [(obj, row) for obj, table in TABLES.items() for row in attributes.rows(table)]


def normal(syntax):
    """A syntax without its differences in spelling."""
    syntax = syntax.replace("(0: ", "(0:")
    syntax = re.sub(r"^1setOf \(([^()|]+(\([^()]*\))?)\)$", r"1setOf \1", syntax)
    return re.sub(r"\s*\|\s*", " | ", syntax)


@pytest.mark.parametrize("obj", TABLES)
def test_rows_are_whole_and_names_unique(obj):
    names = []
    for row in attributes.rows(TABLES[obj]):
        assert len(row) == 6, row
        assert row[attributes.LEVEL] in ("R", "C", "r", "o", "V"), row
        assert (obj, row[attributes.GROUP]) in GROUPS, row
        assert re.fullmatch("[a-z][a-z0-9-]*", row[attributes.NAME]), row
        names.append(row[attributes.NAME])
    assert len(names) == len(set(names))
    assert len(names) == TABLES[obj].count("\n") - 1


def test_names_syntaxes_and_sources_agree_with_the_registry():
    known = {}
    for fact in facts():
        known.setdefault((fact["group"], fact["attribute"]), []).append(fact)
    for obj, row in all_rows():
        name = row[attributes.NAME]
        if row[attributes.SOURCE] == "printwright":
            assert name.startswith("printwright-") and row[attributes.LEVEL] == "V", row
            continue
        if name in REGISTRY_GAPS:
            continue
        found = [fact for group in GROUPS[obj, row[attributes.GROUP]] for fact in known.get((group, name), [])]
        assert found, f"{name} is not registered for {obj}"
        assert normal(row[attributes.SYNTAX]) in [normal(fact["syntax"]) for fact in found], row
        assert row[attributes.SOURCE] in [fact["reference"] for fact in found], row


def test_everything_required_is_there_or_left_out_with_a_reason():
    left_out = registry_omitted.names(registry_omitted.REQUIRED)
    for need in required():
        name = need["attribute"]
        row = attributes.find(TABLES[need["object"]], name)
        if row is None:
            assert need["level"] != "R", f"{name} is required: {need['where']}"
            assert left_out.get(name), f"{name} is neither there nor left out with a reason"
            continue
        assert name not in left_out, f"{name} is both there and left out"
        assert row[attributes.LEVEL] != "V", row
        if need["level"] == "R":
            assert row[attributes.LEVEL] in ("R", "C"), row


def test_everything_of_the_two_standards_is_there_or_left_out_with_a_reason():
    left_out = registry_omitted.names(registry_omitted.REQUIRED + registry_omitted.OPTIONAL)
    have = {row[attributes.NAME] for _, row in all_rows()}
    for fact in facts():
        if fact["reference"] in ("rfc8011", "PWG5100.21", "PWG5199.7"):
            name = fact["attribute"]
            assert (name in have) != bool(left_out.get(name)), f"{name}: there {name in have}, left out {name in left_out}"


def test_vendor_attributes_are_those_of_the_design():
    vendor = sorted(row[attributes.NAME] for _, row in all_rows() if row[attributes.LEVEL] == "V")
    assert vendor == [
        "printwright-job-baby-step",
        "printwright-job-flow",
        "printwright-job-layer",
        "printwright-job-progress",
        "printwright-job-speed",
        "printwright-job-time-left",
        "printwright-platform-clearing",
        "printwright-platform-clearing-supported",
        "printwright-position",
        "printwright-temperatures",
    ]


def test_constants_encode_and_stay_within_their_syntax():
    for _, row in all_rows():
        if row[attributes.VALUE].startswith("="):
            values = attributes.pairs(row[attributes.SYNTAX], attributes.constants(row))
            values = [(tag, value.encode() if isinstance(value, str) else value) for tag, value in values]
            assert attributes.problem(row[attributes.SYNTAX], values) is None, row


def test_defaults_are_supported():
    for row in attributes.rows(registry_printer.ROWS):
        name = row[attributes.NAME]
        if name.endswith("-default") and row[attributes.VALUE].startswith("="):
            row_of_supported = attributes.find(registry_printer.ROWS, name[:-8] + "-supported")
            if name == "job-priority-default" or row_of_supported[attributes.VALUE] == "*":
                continue  # a number of levels; told by the machine
            supported = attributes.constants(row_of_supported)
            for value in attributes.constants(row):
                assert value in supported or any(isinstance(s, tuple) and s[0] <= value <= s[1] for s in supported), name


def test_every_ticket_attribute_has_its_printer_attributes():
    for row in attributes.rows(registry_job.ROWS):
        if row[attributes.GROUP] == "T":
            # a time has no default, nor have the objects of a document
            lonely = row[attributes.NAME] in ("job-hold-until-time", "print-objects")
            for suffix in ("-supported",) if lonely else ("-default", "-supported"):
                assert attributes.has(registry_printer.ROWS, row[attributes.NAME] + suffix), row


def test_safe_gcode_commands_are_those_that_the_policy_does():
    listed = {text.split(" ")[0] for text in printer_values.SAFE_COMMANDS}
    done = {name for name in policy.commands(policy.SAFE_GCODE) if _class(name) != policy.IGNORE}
    in_core = {"G0", "G1", "G2", "G3", "G4", "G17", "G21", "G90", "G91", "G92", "M82", "M83"}
    assert listed == (done | in_core) - {"T0", "T1", "T2", "T3", "T4"}  # as many as the machine has


def _class(name):
    return policy.classify(policy.SAFE_GCODE, name[0], int(name[1:]))


def test_formats_have_names():
    supported = attributes.constants(attributes.find(registry_printer.ROWS, "document-format-supported"))
    assert supported == [formats.GCODE, formats.SAFE_GCODE, package.FORMAT, formats.OCTETS]


@pytest.mark.parametrize(
    "syntax, values, problem",
    [
        ("integer(1:MAX)", [(tags.INTEGER, 1)], None),
        ("integer(1:MAX)", [(tags.INTEGER, 0)], attributes.OUT_OF_RANGE),
        ("integer(1:MAX)", [(tags.ENUM, 1)], attributes.WRONG_TAG),
        ("integer(1:MAX)", [(tags.INTEGER, 1), (tags.INTEGER, 2)], attributes.WRONG_COUNT),
        ("1setOf integer(1:MAX)", [(tags.INTEGER, 1), (tags.INTEGER, 2)], None),
        ("integer(MIN:MAX) | no-value", [(tags.NO_VALUE, None)], None),
        ("integer(MIN:MAX)", [(tags.NO_VALUE, None)], attributes.WRONG_TAG),
        ("integer(-273:MAX)", [(tags.INTEGER, -274)], attributes.OUT_OF_RANGE),
        ("1setOf (integer(0:MAX) | rangeOfInteger(0:MAX))", [(tags.RANGE, (0, 5)), (tags.INTEGER, 7)], None),
        ("1setOf (integer(0:MAX) | rangeOfInteger(0:MAX))", [(tags.RANGE, (-1, 5))], attributes.OUT_OF_RANGE),
        ("type2 keyword | name(MAX)", [(tags.NAME, b"x")], None),
        ("type2 keyword | name(MAX)", [(tags.NAME_LANG, (b"en", b"x"))], None),
        ("type2 keyword", [(tags.NAME, b"x")], attributes.WRONG_TAG),
        ("text(127)", [(tags.TEXT, b"x" * 127)], None),
        ("text(127)", [(tags.TEXT, b"x" * 128)], attributes.TOO_LONG),
        ("text(127)", [(tags.TEXT_LANG, (b"en", b"x" * 128))], attributes.TOO_LONG),
        ("name(MAX)", [(tags.NAME, b"x" * 255)], None),
        ("boolean", [(tags.BOOLEAN, True)], None),
        ("boolean", [(tags.INTEGER, 1)], attributes.WRONG_TAG),
    ],
)
def test_problem(syntax, values, problem):
    assert attributes.problem(syntax, values) == problem


def test_find_takes_whole_names_only():
    assert attributes.find(registry_printer.ROWS, "printer") is None
    assert attributes.find(registry_printer.ROWS, "printer-state")[attributes.NAME] == "printer-state"
    assert not attributes.has(registry_printer.ROWS, "no-such-attribute")
