"""Which objects a document names, and the text of lines that a buffer cuts anywhere."""

import random

import pytest

from firmware.gcode.lines import LINE_BYTES_MAX, Lines
from firmware.gcode.objects import OBJECTS_MAX, Objects

SQUARE = "[[10,20],[30.5,20],[30.5,40.254],[10,40],[10,20]]"


def taken(*lines):
    objects = Objects()
    for line in lines:
        assert objects.take(line) is None, line
    return objects


def test_klippers_commands():
    objects = taken(
        "EXCLUDE_OBJECT_DEFINE NAME=cube_id_0 CENTER=20,30 POLYGON=" + SQUARE,
        "EXCLUDE_OBJECT_DEFINE NAME='a ball' CENTER=100.5,20",
        " exclude_object_define name=third ; comment",
    )
    assert objects.found == [("cube_id_0", (1000, 2000, 3050, 4025)), ("a ball", (10050, 2000, 10050, 2000)), ("third", None)]
    assert objects.current == -1
    for line, current in (
        ("EXCLUDE_OBJECT_START NAME=CUBE_ID_0", 0),
        ("EXCLUDE_OBJECT_END NAME=cube_id_0", -1),
        ('EXCLUDE_OBJECT_START NAME="A ball"', 1),
        ("EXCLUDE_OBJECT_START NAME=third", 2),
        ("EXCLUDE_OBJECT_END", -1),
        ("EXCLUDE_OBJECT_START NAME=new", 3),
    ):
        assert objects.take(line) is None
        assert objects.current == current
    assert objects.found[3] == ("new", None)


def test_marlins_command():
    objects = taken("M486 T2", "M486 S0", "M486 ABox", "M486 S1 A\"A ball\"", "M486 S-1", "m486 s2")
    assert [name for name, _ in objects.found] == ["Box", "A ball", "object 3"]
    assert objects.current == 2
    assert taken("M486 S0", "M486 S-1").current == -1


@pytest.mark.parametrize(
    "line, told",
    [
        ("EXCLUDE_OBJECT NAME=x", "only EXCLUDE_OBJECT_DEFINE"),
        ("EXCLUDE_OBJECT", "only"),
        ("EXCLUDE_OBJECT_RESET", "only"),
        ("EXCLUDE_OBJECT_START", "needs a NAME"),
        ("EXCLUDE_OBJECT_START NAME=", "needs a NAME"),
        ("EXCLUDE_OBJECT_DEFINE CENTER=1,2", "needs a NAME"),
        ("M486 Sx", "needs whole numbers"),
    ],
)
def test_what_is_wrong(line, told):
    assert told in Objects().take(line)


@pytest.mark.parametrize("shape", ["POLYGON=[[1,2],[3]]", "POLYGON=[[1e9,2]]", "POLYGON=", "CENTER=x,y", "CENTER=nan,nan", ""])
def test_a_shape_that_is_none_is_left_out(shape):
    assert taken("EXCLUDE_OBJECT_DEFINE NAME=a " + shape).found == [("a", None)]


def test_there_is_a_limit():
    objects = taken(*["EXCLUDE_OBJECT_START NAME=o%d" % i for i in range(OBJECTS_MAX + 5)])
    assert len(objects.found) == OBJECTS_MAX and objects.more == 5 and objects.current == -1
    assert len(taken("M486 T1000000").found) == OBJECTS_MAX
    assert len(taken("EXCLUDE_OBJECT_START NAME=" + "x" * 5000).found[0][0]) < 70


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_come_whole_wherever_the_buffer_is_cut(end):
    chance = random.Random(3)
    wanted = []
    text = b""
    for i in range(200):
        line = chance.choice([b"G1 X%d Y2", b"EXCLUDE_OBJECT_START NAME=o%d", b"  exclude_object_end ;%d", b"M486 S%d", b"%d", b""])
        line = line % i if b"%d" in line else line
        text += line + end
        if line.strip()[:1] in (b"E", b"e", b"M"):
            wanted.append(((len(text) - len(end) + 1), line.strip().decode()))
    for size in (1, 2, 3, 7, 16, 64, 1000, len(text)):
        lines = Lines()
        got = []
        ends = dict(wanted)
        for start in range(0, len(text), size):
            buf = bytearray(text[start : start + size])
            for at in range(1, len(buf) + 1):
                if start + at in ends:
                    got.append((start + at, lines.line(buf, at)))
            lines.keep(buf, len(buf))
            # a full queue: the event comes when the buffer has been filled anew
            if start + len(buf) in ends:
                assert lines.line(buf, 0) == ends[start + len(buf)]
        assert got == wanted, size


def test_a_line_has_a_limit():
    lines = Lines()
    for _ in range(100):
        lines.keep(bytearray(b"E" * 1000), 1000)
    assert len(lines.line(bytearray(b"\n"), 1)) == LINE_BYTES_MAX
    assert lines.line(bytearray(b"\n"), 1).startswith("EEE")
    lines.keep(bytearray(b"x\nE\xff\xfe"), 5)
    assert lines.line(bytearray(b" y\n"), 3) == "E?? y"
