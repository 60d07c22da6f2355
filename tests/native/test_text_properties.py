"""Any text, good or bad, on a machine with two tools: cut anywhere it gives the same events, and scan and feed give the same verdict."""

import functools

import hypothesis.strategies as st
from hypothesis import given, settings

from hal import factory, stepcore
from hal.stepcore import StepCore
from tools import golden

MACHINES = ("sim-cartesian", "two-tools", "sim-delta")

coordinate = st.sampled_from(
    ("0", "1", "20.5", "60", "100.0001", "117", "-3", "234.9", "235.1", "1e3", "", ".", "9007199254", "-0", "+7", "0.0000004")
)
offset = st.sampled_from(("0", "5", "-5", "0.01", "10.5", "3000", "20000"))
amount = st.sampled_from(("0", "0.02", "-0.8", "1.5", "40", "500", "-99"))
feed = st.sampled_from(("60", "1200", "9000", "1e6", "0", "-1", "9007199254"))


def words(letters, values):
    return st.lists(st.tuples(st.sampled_from(letters), values), max_size=4).map(lambda pairs: "".join(" " + a + b for a, b in pairs))


move = st.tuples(st.sampled_from(("G0", "G1", "g1", "G1 ")), words("XYZ", coordinate), words("E", amount), words("F", feed)).map("".join)
arc = st.tuples(st.sampled_from(("G2", "G3")), words("XYZ", coordinate), words("IJKR", offset), words("E", amount)).map("".join)
limit = st.tuples(
    st.sampled_from(("M201", "M203", "M204", "M205", "M900")), words("XYZEPRSTJK", st.sampled_from(("0", "0.03", "3", "800", "99999", "")))
).map("".join)
plain = st.sampled_from(
    "G10|G11|G10 S1|T0|T1|T2|T1 X1|T0.5|G17|G18|G19|G20|G21|G90|G91|M82|M83|G92 E0|G92 X1|G92|G28|G28 X|G29|G4 P5|G4 S9999"
    "|M104 S200|M106 S9|M117 a*b|;LAYER:3|;LAYER_CHANGE|(x) G1 X3|N3 G1 X5*9|N7 T1|nan|G1 Xnan|G1 X1 X2|M400|G38.2 Z1|\ufeff".split("|")
)
line = st.one_of(move, move, move, arc, limit, plain)
text = st.lists(line, min_size=1, max_size=25).flatmap(
    lambda lines: st.sampled_from(("\n", "\r\n", "\r")).map(lambda end: end.join(lines) + end)
)
start = "G28\nG90\nM83\nG1 X30 Y30 Z5 F6000\n"


@functools.cache
def core(machine):
    return StepCore(factory.core_config(factory.describe(golden.machines()[machine])))


def event_of(event):
    """All that a caller may see of an event, without what names the place in the call."""
    return tuple(event.raw)


def scanned(machine, data, cuts=()):
    """Events of a scan, the text cut at these places."""
    it = core(machine)
    it.begin(stepcore.PW_SCAN)
    events = []
    at = 0
    for end in sorted({cut % (len(data) + 1) for cut in cuts} | {len(data)}):
        while at < end:
            at += it.scan(data, at, end)
            if it.event.kind != stepcore.PW_EV_NONE:
                events.append(event_of(it.event))
            if it.event.kind == stepcore.PW_EV_ERROR:
                return events
    return events


def fed(machine, data):
    """The same of a feed, with the queue emptied whenever it is full."""
    it = core(machine)
    it.begin()
    events = []
    at = 0
    drain = [stepcore.lib.pw_steps, stepcore.lib.pw_marks]
    runs = bytearray(64 * 32)
    runs_at, marks_at = stepcore.ref(runs, "struct pw_steprun"), stepcore.ref(runs, "struct pw_markrec")

    def empty():
        it.run(1000)
        for motor in range(it.motors):
            while drain[0](it.core, motor, runs_at, 32) > 0:
                pass
        while drain[1](it.core, marks_at, 32) > 0:
            pass

    while at < len(data):
        at += it.feed(data, at, len(data))
        kind = it.event.kind
        if kind == stepcore.PW_EV_FULL:
            empty()
            continue
        if kind != stepcore.PW_EV_NONE:
            events.append(event_of(it.event))
        if kind == stepcore.PW_EV_ERROR:
            break
    status = it.status()
    place = [status.position_nm(axis) for axis in range(3)]
    return events, place


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(MACHINES), text, st.lists(st.integers(0, 4000), max_size=30))
def test_any_text_gives_the_same_events_however_it_comes(machine, lines, cuts):
    data = bytearray((start + lines).encode())
    whole = scanned(machine, data)
    assert scanned(machine, data, cuts) == whole
    events, place = fed(machine, data)
    assert events == whole
    for event in whole:
        if event[0] == stepcore.PW_EV_ERROR:
            assert event[1] in range(stepcore.PW_E_WORD, stepcore.PW_E_SYNTAX + 1)
            assert event[5] >= 1 and event[6] >= 1
    # whatever was taken, the carriage stays within its travel
    config = factory.core_config(factory.describe(golden.machines()[machine]))
    for axis in range(3):
        assert config["min_um"][axis] * 1000 <= place[axis] <= config["max_um"][axis] * 1000


def test_the_strategies_reach_most_errors():
    """What is generated is neither all good nor all bad."""
    seen = set()
    goods = []

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(text)
    def look(lines):
        events = scanned("two-tools", bytearray((start + lines).encode()))
        if events and events[-1][0] == stepcore.PW_EV_ERROR:
            seen.add(events[-1][1])
        else:
            goods.append(lines)

    look()
    assert len(seen) >= 8 and len(goods) >= 10, (seen, len(goods))
