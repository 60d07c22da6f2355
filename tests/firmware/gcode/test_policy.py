"""The allow-lists: each command of design.md section 3 has the class that the table there gives it."""

import pytest

from firmware.gcode import policy
from firmware.gcode.policy import FLUSH, GCODE, IGNORE, MARK, OBJECT, REFUSE, SAFE_GCODE


@pytest.mark.parametrize(
    "names, want",
    [
        ("M104 M106 M107 M140 M141 M73 M117", MARK),
        ("M109 M190 M191 M400 M600 G28 G29 T0 T1 T4", FLUSH),
        ("M17 M18 M84 M105 M110 M115 M118 M300 M572 M593 M220 M221", IGNORE),
        ("M486 E0", OBJECT),
        ("G10 G11 M900 T5 M0 M1 M2 M30 M112 M302 M303 M500 M501 M502 M851 M906 M92 M999 M997 M98 M28 M211 G38.2 G80 M862.3", REFUSE),
    ],
)
def test_gcode_table(names, want):
    for name in names.split():
        head, _, sub = name[1:].partition(".")
        assert policy.classify(GCODE, name[0], int(head), int(sub or 0)) == want, name


@pytest.mark.parametrize(
    "names, want",
    [
        ("M106 M107", MARK),
        ("G28 T0 T3", FLUSH),
        ("M104 M109 M140 M141 M190 M191 M105 M117 M84", IGNORE),
        ("M73 M400 M17 M18 M110 M115 M118 M300 M486 E0 M572 M593 M220 M221 G29 M900 M600 T5 G38.2 M112", REFUSE),
    ],
)
def test_safe_table(names, want):
    for name in names.split():
        head, _, sub = name[1:].partition(".")
        assert policy.classify(SAFE_GCODE, name[0], int(head), int(sub or 0)) == want, name


def test_anything_else_is_refused():
    allowed = set(policy.commands(GCODE))
    for letter in "GMT":
        for number in range(1100):
            name = policy.name(letter, number)
            if name not in allowed:
                assert policy.classify(GCODE, letter, number) == REFUSE
                assert policy.classify(SAFE_GCODE, letter, number) == REFUSE
    assert policy.classify(GCODE, "M", 104, 1) == REFUSE
    assert len(allowed) == 33


def test_safe_allows_nothing_that_gcode_refuses():
    assert set(policy.commands(SAFE_GCODE)) <= set(policy.commands(GCODE))
