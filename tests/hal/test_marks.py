"""Marks by the thousand: whatever stands in a file, they come, in order, and the motion gets to its end."""

from tests.hal.helpers_core import make_core

MS = 16000
MARKS = 3000


def test_any_number_of_marks_at_one_place_gets_there():
    core = make_core(port_config={"queue_marks": 32})
    core.begin()
    text = b"G1 X10 F3000\n"
    core.feed(text, 0, len(text))
    sent, got, waits = 0, [], 0
    while len(got) < MARKS:
        while sent < MARKS and core.mark(sent):
            sent += 1
        core.port.advance(MS, True)
        fired = core.port.marks()
        got += [mark for mark, _ in fired]
        waits = 0 if fired else waits + 1
        assert waits < 1000, "none for a second after %d of %d" % (len(got), sent)
    assert got == list(range(MARKS))
    assert core.port.status().count(0) == 800  # 80 steps/mm
