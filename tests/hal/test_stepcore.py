"""Core and port through their Python face: constants, one stream whatever the timing, contexts, gates, leases."""

import hashlib
import math
import re
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal import stepcore, stepport
from hal.errors import ConfigError
from hal.stepsink import Sink, pack_ticks
from tests.hal.helpers_core import core_config, drain, make_core, play

ROOT = Path(__file__).resolve().parents[2]
MS = 16000
PROGRAM = (ROOT / "tests/vectors/programs/corners.gcode").read_bytes()


# -- constants -----------------------------------------------------------------------------------------------------------------


def header(name):
    return re.sub(r"/\*.*?\*/", "", (ROOT / "native/include" / name).read_text(), flags=re.DOTALL)


def enums(name):
    """All enumerators of a header with their values."""
    found = {}
    for body in re.findall(r"enum(?:\s+\w+)?\s*\{(.*?)\}", header(name), flags=re.DOTALL):
        for entry in filter(None, (part.strip() for part in body.split(","))):
            key, value = entry.split("=")
            found[key.strip()] = int(value)
    return found


def struct_words(name, struct):
    """Number of words of a struct of equal fields."""
    body = re.search(r"struct " + struct + r"\s*\{(.*?)\n\};", header(name), flags=re.DOTALL)
    assert body
    total = 0
    for line in filter(None, (part.strip() for part in body[1].split(";"))):
        total += int(size[1]) if (size := re.search(r"\[(\d+)\]", line)) else 1
    return total


@pytest.mark.parametrize("module, name", [(stepcore, "printwright.h"), (stepport, "printwright_port.h")])
def test_constants_equal_the_header(module, name):
    skipped = {"PW_WORDS"}
    for key, value in enums(name).items():
        if key not in skipped:
            assert getattr(module, key) == value, key


def test_records_have_the_headers_length():
    assert struct_words("printwright.h", "pw_event") == stepcore._EVENT_WORDS
    assert struct_words("printwright.h", "pw_status") == stepcore._STATUS_WORDS
    assert struct_words("printwright_port.h", "pw_host_status") == stepport._STATUS_WORDS


def test_every_error_has_a_name():
    for key, value in enums("printwright.h").items():
        if key == "PW_OK" or key.startswith("PW_E_"):
            assert stepcore.text(stepcore.lib.pw_err_name(value)) == key


def test_config_fields_are_the_headers():
    body = re.search(r"struct pw_config \{(.*?)\n\};", header("printwright.h"), flags=re.DOTALL)
    assert body
    names = re.findall(r"int32_t (\w+)", body[1])
    assert [name for name, _ in stepcore.config_fields(stepcore.lib.pw_config_field)] == names


@pytest.mark.parametrize(
    "changes, path",
    [
        ({"window": 5}, "window"),
        ({"ring_runs": "many"}, "ring_runs"),
        ({"max_um": [1, 2]}, "max_um"),
        ({"speed": 5}, "speed"),
        ({"tick_hz": 1 << 40}, "tick_hz"),
    ],
)
def test_bad_configuration_names_the_field(changes, path):
    with pytest.raises(ConfigError) as caught:
        make_core(**changes)
    assert caught.value.path == path


def test_bad_port_configuration_names_the_field():
    with pytest.raises(ConfigError) as caught:
        _ = make_core(port_config={"queue_runs": 48}).port
    assert caught.value.path == "queue_runs"
    with pytest.raises(ConfigError):
        _ = make_core(port_config={"queues": 1}).port


def test_missing_field_is_named():
    config = core_config()
    del config["window"]
    with pytest.raises(ConfigError) as caught:
        stepcore.StepCore(config)
    assert caught.value.path == "window"


# -- one stream ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def want():
    return drain(make_core(), PROGRAM)


def test_the_program_moves_everything(want):
    assert want.error is None
    assert all(want.steps)
    assert want.moves > 100


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=20), every=st.integers(1, 9), pack=st.sampled_from([16, 20, 1000]))
def test_any_chunking_gives_one_stream(want, sizes, every, pack):
    got = drain(make_core(), PROGRAM, sizes, pack_bytes=pack, drain_every=every)
    assert (got.digest, got.steps, got.commands) == (want.digest, want.steps, want.commands)


@pytest.mark.parametrize("ring_runs, ring_marks, queue", [(16, 4, 4), (64, 64, 64), (1024, 16, 16)])
def test_buffer_sizes_do_not_change_the_stream(want, ring_runs, ring_marks, queue):
    core = make_core(ring_runs=ring_runs, ring_marks=ring_marks, port_config={"queue_runs": queue})
    assert drain(core, PROGRAM).digest == want.digest
    got = play(core, PROGRAM)
    assert (got.digest, got.steps) == (want.digest, want.steps)


def test_a_core_can_be_used_again(want):
    core = make_core()
    assert drain(core, PROGRAM[:2000]).digest != want.digest
    assert drain(core, PROGRAM).digest == want.digest
    assert play(core, PROGRAM).digest == want.digest
    assert drain(core, PROGRAM).digest == want.digest


@settings(max_examples=15, deadline=None)
@given(
    slices=st.integers(1, 400000), permilles=st.lists(st.sampled_from([0, 0, 250, 1000]), min_size=1, max_size=8), every=st.integers(1, 7)
)
def test_holds_change_machine_time_only(want, slices, permilles, every):
    slices = max(slices, 4000)

    def each_turn(core, turn):
        if turn % every == 0:
            rate = permilles[turn // every % len(permilles)]
            if turn > 60 or (turn > 30 and turn % 3):
                rate = 1000
            core.port.set_rate(rate)

    core = make_core()
    got = play(core, PROGRAM, advance_ticks=slices, each_turn=each_turn)
    status = core.port.status()
    assert (got.digest, got.steps) == (want.digest, want.steps)
    assert status.fault == 0 and status.hard_stops == 0
    assert status.machine_tick >= status.played_tick >= want.last_tick[0]


def circles(pitch_mm, speed_mm_s, count):
    """A wobbly circle of 50 mm radius in short chords."""
    text = [b"G28\nG1 X167 Y117 Z0.3 F6000\n"]
    for i in range(count):
        angle, radius = i * pitch_mm / 50, 50 + 0.02 * math.sin(i * 1.7)
        x, y = 117 + radius * math.cos(angle), 117 + radius * math.sin(angle)
        text.append(b"G1 X%.3f Y%.3f E%.5f F%d\n" % (x, y, i * 0.03 * pitch_mm, speed_mm_s * 60))
    return b"".join(text)


@pytest.mark.parametrize("rings", [{"window": 256, "ring_runs": 1024}, {"window": 256, "ring_runs": 64}, {"window": 64, "ring_runs": 64}])
@pytest.mark.parametrize("every_ms", [10, 50])
def test_full_queues_never_starve(rings, every_ms):
    """A caller that feeds every 10 to 50 ms, with dense code at full speed; also on a board's short queues."""
    core = make_core(port_config={"queue_runs": rings["ring_runs"]}, **rings)
    got = play(core, circles(0.2, 200, 2500), advance_ticks=every_ms * MS)
    status = core.port.status()
    assert got.error is None
    assert (status.starvations, status.hard_stops, status.fault) == (0, 0, 0)
    assert status.machine_tick - status.played_tick < 200 * MS


def test_tiny_queues_slow_down_and_do_not_stop():
    core = make_core(window=16, queue_segments=0, ring_runs=32, port_config={"queue_runs": 32})
    got = play(core, circles(0.1, 100, 1500), advance_ticks=50 * MS)
    status = core.port.status()
    assert got.error is None
    assert status.starvations > 0
    assert (status.hard_stops, status.fault) == (0, 0)
    assert status.machine_tick < 1.1 * status.played_tick


def test_little_text_starves_without_harm(want):
    core = make_core()
    got = play(core, PROGRAM, sizes=[40], advance_ticks=5 * MS)
    assert got.digest == want.digest
    core = make_core()
    core.begin()
    text = PROGRAM[:1500]
    at = 0
    while at < len(text):
        at += core.feed(text, at, min(at + 30, len(text)))
        core.port.advance(40 * MS, True)
    while not core.flush():
        core.port.advance(40 * MS, True)
    while core.port.advance(100 * MS) != stepport.PW_HOST_IDLE:
        pass
    status = core.port.status()
    assert (status.hard_stops, status.fault) == (0, 0)
    core.status()


# -- records -------------------------------------------------------------------------------------------------------------------


def test_recorded_ticks_pack_to_the_digest(want):
    core = make_core()
    core.begin()
    sink = Sink(core, pack_bytes=4096, record_steps=1000)
    whole = [hashlib.sha256() for _ in range(4)]
    again = [hashlib.sha256() for _ in range(4)]
    last = [array("q", (0,)) for _ in range(4)]
    out = bytearray(12000)
    ticks_of = [array("q") for _ in range(4)]
    at = 0
    while True:
        if at < len(PROGRAM):
            at += core.feed(PROGRAM, at, len(PROGRAM))
        else:
            core.end_document()
        more = core.event.kind in (stepcore.PW_EV_FULL, stepcore.PW_EV_END)
        while more:
            more = sink.drain_core()
            for motor in range(4):
                ticks, dirs = sink.ticks(motor), sink.dirs(motor)
                assert len(ticks) == 8 * len(dirs)
                n = pack_ticks(ticks, dirs, len(dirs), last[motor], out) if len(dirs) else 0
                whole[motor].update(sink.pack(motor))
                again[motor].update(out[:n])
                ticks_of[motor].frombytes(ticks)
        if core.event.kind == stepcore.PW_EV_END:
            break
    assert [h.digest() for h in again] == [h.digest() for h in whole]
    assert hashlib.sha256(b"".join(h.digest() for h in whole)).hexdigest() == want.digest
    for motor in range(4):
        assert len(ticks_of[motor]) == want.steps[motor]
        assert list(ticks_of[motor]) == sorted(ticks_of[motor])
        assert ticks_of[motor][-1] == want.last_tick[motor]


# -- marks, errors --------------------------------------------------------------------------------------------------------------


def test_marks_fire_when_the_motion_gets_there():
    core = make_core()
    core.begin()
    text = b"G1 X10 F600\n"
    core.feed(text, 0, len(text))
    assert core.mark(7)
    text = b"G1 X20\n"
    core.feed(text, 0, len(text))
    assert core.mark(8)
    assert core.flush()
    ids = []
    while True:
        reason = core.port.advance(MS)
        for mark, tick in core.port.marks():
            ids.append(mark)
            assert tick <= core.port.played()
            # 80 steps/mm from the home position
            assert abs(core.port.status().count(0) - (800 if mark == 7 else 1600)) < 20
        if reason == stepport.PW_HOST_IDLE:
            break
    assert ids == [7, 8]


def test_an_error_of_the_text_lets_the_motion_end():
    core = make_core()
    core.begin()
    text = b"G1 X10 F6000\nG1 X900\n"
    core.feed(text, 0, len(text))
    core.port.heater(0, 500)
    while core.event.kind != stepcore.PW_EV_ERROR:
        core.port.advance(MS)
        core.feed(text, len(text), len(text))
    assert (core.event.name, core.event.line) == ("PW_E_VOLUME", 2)
    assert core.flush()
    while core.port.advance(10 * MS) == stepport.PW_HOST_DONE:
        pass
    status = core.port.status()
    assert status.fault == 0
    assert status.count(0) == 800
    assert core.port.output(0) == 500


# -- second context -------------------------------------------------------------------------------------------------------------


def run_side(core, text, limit=8000):
    at = 0
    while at < len(text):
        at += core.feed(text, at, len(text))
        if core.event.kind == stepcore.PW_EV_FULL:
            core.port.advance(MS)
    assert core.flush()
    for _ in range(limit):
        if core.port.advance(MS) == stepport.PW_HOST_IDLE:
            return
    raise AssertionError("no end")


def test_homing_in_the_second_context_and_back(want):
    core = make_core()
    port = core.port
    core.begin()
    port.place(0, 5000)
    port.input(0, stepport.PW_INPUT_LIVE, (-1, 0, 0, 0), 0)  # closes at 0
    core.enter()
    port.gate(0, 0)
    run_side(core, b"G91\nG1 X-200 F3000\n")
    status = port.status()
    assert status.physical(0) == 0
    assert status.trigger_count(0) == -5000
    assert status.trigger_count(1) is None
    assert port.input_state(0) == 1
    core.leave()
    port.set_count(0, 0)
    port.input(0, stepport.PW_INPUT_OFF)
    assert play(core, PROGRAM).digest == want.digest


def test_a_pause_in_the_middle_parks_and_returns(want):
    core = make_core()
    counts = []

    def each_turn(core, turn):
        if turn != 12:
            return
        port = core.port
        port.hold()
        while port.advance(MS) != stepport.PW_HOST_HELD:
            pass
        before = [port.status().count(m) for m in range(4)]
        core.enter()
        run_side(core, b"G91\nG1 Z2 F300\nG1 E-1 F600\n")
        assert port.status().count(2) == before[2] + 800
        run_side(core, b"G1 Z-2 F300\nG1 E1 F600\n")
        core.leave()
        counts.append((before, [port.status().count(m) for m in range(4)]))
        port.resume()

    got = play(core, PROGRAM, each_turn=each_turn)
    assert counts and counts[0][0] == counts[0][1]
    assert (got.digest, got.steps) == (want.digest, want.steps)
    assert core.port.status().hard_stops == 0


def test_the_second_context_needs_a_standstill():
    core = make_core()
    core.begin()
    text = b"G1 X100 F6000\n"
    core.feed(text, 0, len(text))
    assert core.flush()
    core.port.advance(200 * MS)
    with pytest.raises(stepcore.CoreError) as caught:
        core.enter()
    assert caught.value.code == stepcore.PW_E_STATE
    core.port.hold()
    core.port.advance(400 * MS)
    core.enter()
    with pytest.raises(stepcore.CoreError):
        core.enter()
    core.leave()
    with pytest.raises(stepcore.CoreError):
        core.leave()


def test_quick_stop_parks_in_the_second_context():
    core = make_core()
    core.begin()
    text = b"G1 X100 F6000\n"
    core.feed(text, 0, len(text))
    assert core.flush()
    core.port.advance(300 * MS)
    core.port.quick_stop()
    assert core.port.advance(1000 * MS) == stepport.PW_HOST_HELD
    with pytest.raises(stepcore.CoreError):
        core.port.resume()
    z = core.port.status().count(2)
    core.enter()
    run_side(core, b"G91\nG1 Z5 F300\n")
    assert core.port.status().count(2) == z + 2000


# -- leases ----------------------------------------------------------------------------------------------------------------------


def test_a_heater_without_renewal_goes_out_and_holds_the_motion():
    core = make_core(port_config={"lease_ms": 500})
    port = core.port
    core.begin()
    text = b"G1 X200 F600\n"
    core.feed(text, 0, len(text))
    assert core.flush()
    port.heater(1, 700)
    port.advance(400 * MS)
    port.renew(1)
    port.advance(450 * MS)
    assert port.output(1) == 700
    port.advance(200 * MS)
    status = port.status()
    assert port.output(1) == 0
    assert (status.expired, status.latched, status.fault) == (2, stepport.PW_LATCH_LEASE, 0)
    assert port.energy(1) == 700 * 900 * MS
    with pytest.raises(stepcore.CoreError):
        port.heater(1, 10)
    assert port.advance(2000 * MS) == stepport.PW_HOST_HELD
    port.clear()
    port.heater(1, 10)
    port.resume()
    assert port.advance(100 * MS) == stepport.PW_HOST_DONE
