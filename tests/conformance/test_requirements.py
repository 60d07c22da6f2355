"""requirements.csv: every requirement of the standards has a case that exists, or a reason why there is none.

A case is `FILE.test: NAME` (ipptool), `test_wire.py: NAME`, `test_requirements.py: FUNCTION` or `tests/PATH::FUNCTION`; several are divided
by ` | `; `no: ` begins a reason.
"""

import csv
import re
from pathlib import Path

import pytest

from firmware.ipp import registry_omitted
from tests.conformance import test_wire

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
with open(HERE / "requirements.csv", newline="") as file:
    ROWS = list(csv.DictReader(file))
SUITE = {path.name: path.read_text() for path in HERE.glob("*.test")}
WIRE = {**test_wire.FAULTS, **test_wire.FINE, **test_wire.HTTP}


def exists(case):
    """True when the case is there."""
    if case.startswith("no: "):
        return len(case) > 20
    if "::" in case:
        path, _, name = case.partition("::")
        return re.search(r"def %s\b" % re.escape(name), (ROOT / path).read_text()) is not None
    file, _, name = case.partition(": ")
    if file == "test_wire.py":
        return name in WIRE or name in vars(test_wire)
    if file == "test_requirements.py":
        return name in globals()
    return 'NAME "%s"' % name in SUITE[file]


@pytest.mark.parametrize("row", ROWS, ids=["%s: %s" % (row["section"], row["requirement"]) for row in ROWS])
def test_the_cases_exist(row):
    cases = row["cases"].split(" | ")
    assert cases[0]
    for case in cases:
        assert exists(case), case


def test_every_case_of_the_wire_is_named():
    """A case that no requirement refers to has lost its reason."""
    named = "\n".join(row["cases"] for row in ROWS)
    assert [name for name in WIRE if "test_wire.py: " + name not in named] == []


def test_every_required_attribute_has_a_case():
    """Those of tests/vectors/registry/required.csv (RFC 8011, PWG 5100.21) are expected, or sent, by a .test file, or left out."""
    text = "\n".join(SUITE.values())
    left_out = " ".join(names for _, names in registry_omitted.REQUIRED + registry_omitted.OPTIONAL).split()
    missing = []
    with open(ROOT / "tests" / "vectors" / "registry" / "required.csv", newline="") as file:
        for row in csv.DictReader(file):
            name = row["attribute"]
            if any(name == other or (other.endswith("*") and name.startswith(other[:-1])) for other in left_out):
                continue
            pattern = r"ATTR \w+ %s\b(?!-)" if row["object"] == "operation" else r"EXPECT %s\b(?!-)"
            if not re.search(pattern % re.escape(name), text):
                missing.append((row["object"], name))
    assert missing == []
