"""Words of the commands: letters, ranges, temperature limits."""

import pytest

from firmware.gcode import policy, values
from firmware.gcode.review import Review
from tests.firmware.gcode.helpers_events import FakeEvent

LIMITS = {"nozzle": 285, "bed": 110}

GOOD = """M104 S200|M104 S0|M104 S285 T0|M109 S210.4|M109 R170|M140 S60|M190 S60|M190 R40|M140 S0|M141 S0|M106|M106 S0|M106 S255
M106 S84.15|M106 S255 P0|M107|M107 P0|M73 P0 R12|M73 P100 R0|M73 Q5 S10|M117|M220 S100|M221 S100|G28|G28 X Y|G28 X0 Y0|G28 W|T0|M400|M105
M84|M84 X Y E|M300 S440 P200|M486 S0|M593 F55|M572 D0.04|M17|M18|M115 U3|M118 A1|M110 N0|G29|G29 P1"""

BAD = """M104|M104 S286|M104 S-1|M104 S200 T1|M104 S200 X4|M104 S1000000000|M109 S200 R200|M109|M109 R20|M140 S111|M190 S-5|M140 S60 T0
M141 S40|M191 S40|M106 S256|M106 S-1|M106 S100 P2|M107 P1
M73 P101|M73 P-1|M73 R-3|M220 S101|M220|M221 S95|M221 S100 T1|G28 E|G28 O|M400 P5|T0 X1"""


@pytest.mark.parametrize("text", GOOD.replace("\n", "|").split("|"))
def test_good(text):
    review = Review(policy.GCODE, LIMITS)
    assert review.command(FakeEvent(text)) is None


@pytest.mark.parametrize("text", BAD.replace("\n", "|").split("|"))
def test_bad_names_place_and_command(text):
    review = Review(policy.GCODE, LIMITS)
    message = review.command(FakeEvent(text, 12, 3))
    assert message.startswith("line 12, column 3: %s: " % text.split()[0])
    assert review.action == policy.REFUSE


def test_limits_are_those_of_the_machine():
    assert values.check("M141", FakeEvent("M141 S60"), {"chamber": 60}) is None
    assert "61" in values.check("M141", FakeEvent("M141 S61"), {"chamber": 60})
    assert "no chamber" in values.check("M141", FakeEvent("M141 S60"), LIMITS)


@pytest.mark.parametrize("text, permille", [("M106", 1000), ("M106 S0", 0), ("M106 S255", 1000), ("M106 S127.5", 500), ("M106 S1", 4)])
def test_fan(text, permille):
    assert values.fan_permille(FakeEvent(text)) == permille


@pytest.mark.parametrize("text, celsius", [("M104 S210.4", 210), ("M104 S210.5", 211), ("M109 R0", 0), ("M104", None)])
def test_target(text, celsius):
    assert values.target_c(FakeEvent(text)) == celsius


def test_review_counts_and_names_what_it_ignored():
    review = Review(policy.GCODE, LIMITS)
    for text in ("M105", "M105", "M84", "M104 S200", "M300 S1 P1", "M17", "M18", "M140 S0"):
        assert review.command(FakeEvent(text)) is None
    assert review.ignored == 6
    assert review.warning(2) == "ignored 8 commands (M105, M84, M300, M17)"
    assert review.heats == ["nozzle"]
    assert Review(policy.GCODE, LIMITS).warning() is None


def test_safe_gcode_ignores_temperatures_whatever_they_say():
    review = Review(policy.SAFE_GCODE, LIMITS)
    assert review.command(FakeEvent("M104 S9999")) is None
    assert review.action == policy.IGNORE and review.ignored == 1 and review.heats == []
    assert review.command(FakeEvent("M106 S300")) is not None
    assert "not allowed" in review.command(FakeEvent("M73 P5"))


def cold(review, *lines):
    for line in lines:
        assert review.command(FakeEvent(line)) is None
    return review.cold


def test_a_nozzle_is_cold_until_the_document_or_the_material_says_otherwise():
    assert cold(Review(policy.GCODE, LIMITS)) == 1
    assert cold(Review(policy.GCODE, LIMITS, 1, [215])) == 0
    review = Review(policy.GCODE, LIMITS)
    assert cold(review, "M104 S169") == 1
    assert cold(review, "M104 S170") == 0
    assert cold(review, "M140 S60", "M109 R180", "M84") == 0
    assert cold(review, "M104 S0") == 1


def test_each_nozzle_counts_and_tools_may_share_one():
    review = Review(policy.GCODE, {"nozzle": 285, "nozzle2": 285}, 3, [215] * 3)
    assert review.cold == 0
    assert cold(review, "M104 S0") == 0b011
    assert cold(review, "M104 T2 S100") == 0b111
    assert cold(review, "M104 T1 S200") == 0b100
    assert cold(review, "T2", "M109 S210") == 0


def test_a_ticket_wins_over_the_document_but_off_is_off():
    review = Review(policy.GCODE, LIMITS, 1, [220], [220])
    assert cold(review, "M104 S100") == 0
    assert cold(review, "M104 S0") == 1


def test_safe_gcode_is_as_hot_as_its_ticket():
    assert cold(Review(policy.SAFE_GCODE, LIMITS, 1, [215]), "M104 S0") == 0
    assert cold(Review(policy.SAFE_GCODE, LIMITS, 1, [150]), "M104 S250") == 1
