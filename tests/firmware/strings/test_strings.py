"""The texts of all languages: the same keys, as the format of strings files wants them, and one for every keyword that the printer says."""

import re

import pytest

from firmware.ipp import attributes, materials, registry_job, registry_printer
from firmware.jobs import holds, states
from firmware.strings import catalog
from firmware.strings.languages import LANGUAGES, nearest

LINE = re.compile(r'"([a-z0-9.-]+)" = "((?:[^"\\]|\\.)*)";')


def texts(language):
    found = {}
    for line in catalog.load(language).splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        assert match[1] not in found, line
        found[match[1]] = match[2]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_keys_in_every_language(language):
    found = texts(language)
    assert found.keys() == texts("en").keys()
    for key, text in found.items():
        assert text.strip() == text and text, key
        assert text.count("%") == texts("en")[key].count("%"), key
        assert not any(ord(char) < 32 for char in text), key


def test_they_are_translated():
    english = texts("en")
    for language in LANGUAGES[1:]:
        other = texts(language)
        same = [key for key in other if other[key] == english[key] and not key.startswith("material-")]
        assert len(same) < 12, (language, same)


def said():
    """attribute.keyword of what the firmware may say."""
    for name in dir(states):
        value = getattr(states, name)
        if isinstance(value, str) and not name.startswith("_") and "-" in value and value not in states.NAMES.values():
            yield "job-state-reasons." + value
    for number in (3, 4, 5, 6, 7, 8, 9):
        yield "job-state.%d" % number
    for number in (3, 4, 5):
        yield "printer-state.%d" % number
    for period in ("no-hold", "indefinite", *holds.PERIODS):
        yield "job-hold-until." + period
    for entry in materials._DATABASE:
        yield "material-key." + entry[0]
        if entry[2]:
            yield "material-type." + entry[2]
    for attribute in ("material-purpose-supported", "print-base-supported", "print-supports-supported", "print-quality-supported"):
        row = attributes.find(registry_printer.ROWS, attribute)
        for value in attributes.constants(row):
            yield "%s.%s" % (attribute.removesuffix("-supported"), value)
    for row in attributes.rows_of(registry_job.ROWS, "T"):
        if row[attributes.NAME] not in ("job-hold-until-time", "multiple-document-handling"):
            yield row[attributes.NAME]


@pytest.mark.parametrize("key", sorted(set(said())))
def test_every_keyword_has_a_text(key):
    assert key in texts("en")


def test_every_printer_state_reason_has_a_text():
    """Keywords in the firmware's source that PWG 5100.21 section 10 or RFC 8011 register as reasons."""
    from pathlib import Path

    root = Path(catalog.__file__).parents[1]
    found = set()
    for folder in ("jobs", "thermal", "safety"):
        for path in (root / folder).glob("*.py"):
            found |= set(
                re.findall(
                    r'"((?:chamber|extruder|platform|motor|fan|material|output-area)-[a-z-]+-(?:error|report|warning))"', path.read_text()
                )
            )
    assert found
    for reason in found:
        word = catalog.word(catalog.load("en"), "printer-state-reasons." + reason)
        assert word != reason.replace("-", " "), reason


def test_words():
    german = catalog.load("de")
    assert catalog.word(german, "printer-state-reasons.extruder-heating-report") == "D\xfcse heizt auf"
    assert catalog.word(german, "printer-state-reasons.no-such-thing") == "no such thing"
    assert catalog.word(german, "printer-state-reasons.no-such-error") == "no such"
    assert [nearest(text) for text in ("de-AT", "JA", "pt-br", "", "x")] == ["de", "ja", "en", "en", "en"]
