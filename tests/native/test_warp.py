"""Holds, stalls and quick stops in the middle of a curve: the same stream, later, within the acceleration limit along the path."""

import math

import pytest

from hal import stepcore
from hal.stepcore import StepCore
from tests.hal.helpers_core import drain, play
from tests.native.helpers_machines import base

SPEED_MM_S = 80
MS = 16000
RADIUS_MM = 40


def circle(count, pitch_mm=0.25):
    """Round a circle at constant speed in short chords, several times."""
    text = [b"G1 X%.3f Y117 F%d\n" % (117 + RADIUS_MM, SPEED_MM_S * 60)]
    for i in range(1, count + 1):
        angle = i * pitch_mm / RADIUS_MM
        text.append(b"G1 X%.3f Y%.3f\n" % (117 + RADIUS_MM * math.cos(angle), 117 + RADIUS_MM * math.sin(angle)))
    return b"".join(text)


def rates(core, milliseconds):
    """Plan time played per machine time in each of so many milliseconds; the speed along the path in units of the plan's."""
    found = []
    before = core.port.played()
    for _ in range(milliseconds):
        core.port.advance(MS, True)
        now = core.port.played()
        found.append((now - before) / MS)
        before = now
    return found


def started():
    """A core in the middle of the circle, cruising, with all of the text that fits fed."""
    core = StepCore(base())
    core.begin()
    text, at = circle(8000), 0
    while core.port.played() < 16000 * 4000:
        while at < len(text):
            took = core.feed(text, at, len(text))
            at += took
            if core.event.kind == stepcore.PW_EV_FULL:
                break
        core.port.advance(20 * MS)
    return core, text, at


def steepest(found):
    """Greatest change of speed along the path, mm/s2."""
    return max(abs(b - a) for a, b in zip(found, found[1:], strict=False)) * SPEED_MM_S / 0.001


def test_a_hold_slows_within_the_acceleration_limit():
    core, _, _ = started()
    limit = base()["max_accel_um_s2"] / 1000
    assert all(abs(rate - 1) < 0.01 for rate in rates(core, 5))
    core.port.hold()
    slowing = [1.0, *rates(core, 200)]
    assert slowing[-1] == 0 and steepest(slowing) <= 1.02 * limit
    assert all(b <= a + 1e-3 for a, b in zip(slowing, slowing[1:], strict=False))
    core.port.resume()
    again = [0.0, *rates(core, 200)]
    assert again[-1] > 0.99 and steepest(again) <= 1.02 * limit


@pytest.mark.parametrize("stall_ms", [40, 2000])
def test_a_stall_of_the_text_slows_and_goes_on(stall_ms):
    """No text comes for a while: starved to a standstill on the path, counted, and nothing breaks."""
    core, text, at = started()
    limit = base()["max_accel_um_s2"] / 1000
    slowing = [1.0]
    while slowing[-1] > 0 and len(slowing) < 30000:  # the queue plays out first
        slowing += rates(core, 1)
    assert not any(rates(core, stall_ms))
    assert steepest(slowing) <= 1.02 * limit
    status = core.port.status()
    assert status.starvations == 1 and status.hard_stops == 0 and status.fault == 0
    while at < len(text):
        at += core.feed(text, at, len(text))
        if core.event.kind == stepcore.PW_EV_FULL:
            break
    again = rates(core, 100)
    assert max(again) > 0.5 and steepest([0.0, *again]) <= 1.02 * limit  # the rate follows what is planned ahead


def test_a_quick_stop_slows_within_the_limit():
    core, _, _ = started()
    core.port.quick_stop()
    slowing = [1.0, *rates(core, 200)]
    assert slowing[-1] == 0 and steepest(slowing) <= 1.02 * base()["max_accel_um_s2"] / 1000
    assert core.port.status().fault == 0


@pytest.mark.parametrize("every", [3, 8, 21])
def test_the_stream_stays_the_same(every):
    """Holds at many places of a curve: the digest is that of the undisturbed stream, and machine time is later."""
    text = circle(800)
    want = drain(StepCore(base()), text)

    def each_turn(core, turn):
        if turn % every == 0:
            core.port.set_rate(0 if turn // every % 2 and turn < 60 else 1000)

    core = StepCore(base())
    got = play(core, text, advance_ticks=25 * MS, each_turn=each_turn)
    status = core.port.status()
    assert (got.digest, got.steps) == (want.digest, want.steps)
    assert status.machine_tick > status.played_tick >= max(want.last_tick or [0]) and status.hard_stops == status.fault == 0
