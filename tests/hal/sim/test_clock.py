"""Pace: virtual while a job depends on it, else bound to the wall clock; nothing waits for long and nobody is starved."""

import asyncio
import time

import pytest

from hal import factory
from hal.errors import ConfigError
from hal.sim import SimOptions, build, clock, parse_pace
from hal.stepcore import PW_EV_FULL


class Wall:
    """A wall clock of the test's own, in the place of the real one: sleeping moves it."""

    def __init__(self, monkeypatch):
        self.us = 0
        self.slept = []
        monkeypatch.setattr(clock, "ticks_us", lambda: self.us)
        monkeypatch.setattr(clock, "ticks_diff", lambda a, b: a - b)
        monkeypatch.setattr(clock, "sleep_ms", self._sleep_ms)

    async def _sleep_ms(self, ms):
        self.slept.append(ms)
        self.us += int(1000 * ms)
        await asyncio.sleep(0)


@pytest.fixture
def wall(monkeypatch):
    return Wall(monkeypatch)


def machine(pace=None, **options):
    return build(factory.describe(), SimOptions(pace=pace, **options))


def wait(made, *calls):
    async def run():
        for ms, active in calls:
            await made.clock.wait_ms(ms, active)

    asyncio.run(run())
    return made.clock.ticks_ms()


@pytest.mark.parametrize("text, pace", [("max", None), ("realtime", 1), ("1", 1), ("2.5", 2.5), ("1000", 1000)])
def test_paces(text, pace):
    assert parse_pace(text) == pace


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "1001", "nan", "inf", "1e9"])
def test_wrong_paces(text):
    with pytest.raises(ConfigError, match="max, realtime or a number"):
        parse_pace(text)


def test_at_max_pace_a_job_takes_no_wall_time(wall):
    made = machine()
    assert wait(made, (3600000, True)) == 3600000
    assert sum(wall.slept) == 0


def test_real_hour_in_moments():
    made = machine()
    began = time.monotonic()
    wait(made, *[(100, True)] * 36000)
    assert made.clock.ticks_ms() == 3600000
    # an hour of machine time; generous, since the machine that tests may be busy
    assert time.monotonic() - began < 60


def test_at_max_pace_an_idle_machine_follows_the_wall_clock(wall):
    made = machine()
    assert wait(made, *[(100, False)] * 10) == 1000
    assert sum(wall.slept) == 1000


def test_idle_time_that_passed_elsewhere_counts(wall):
    made = machine()
    wait(made, (100, False))
    wall.us += 300000
    assert wait(made, (0, False)) == 400
    assert wait(made, (100, False)) == 500


def test_active_time_is_not_paid_back_by_idling(wall):
    made = machine()
    wait(made, (60000, True))
    assert wait(made, *[(100, False)] * 10) == 61000
    assert sum(wall.slept) == 1000


@pytest.mark.parametrize("pace", [0.5, 1, 4, 100])
def test_paced_jobs(wall, pace):
    made = machine(pace)
    assert wait(made, *[(20, True)] * 500) == 10000
    assert wall.us / 1000 == pytest.approx(10000 / pace, rel=0.2 if pace == 100 else 0.05)


def test_a_slow_process_catches_up_without_longer_slices(wall):
    made = machine(1)
    wait(made, (20, True))
    wall.us += 500000
    assert wait(made, (20, True)) == 40, "never more than was asked for"
    wait(made, *[(20, True)] * 24)
    assert made.clock.ticks_ms() == 520
    assert wall.us == 520000, "and no sleep until it has caught up"


@pytest.mark.parametrize("active", [True, False])
def test_a_suspended_process_forgets_what_it_missed(wall, active):
    made = machine(1)
    wait(made, (20, active))
    wall.us += 3600 * 1000000
    wait(made, *[(20, active)] * 100)
    assert made.clock.ticks_ms() <= 20 + clock.LAG_MAX_MS + 100 * 20


def test_machine_time_does_not_wrap(wall):
    made = machine()
    last = 0
    for ms in (1, 200000, 900000):  # 2^32 ticks are 268 s
        now = wait(made, (ms, True))
        assert now == last + ms
        last = now


def test_uptime_and_date():
    made = machine()
    assert made.clock.uptime_s() == 1
    assert abs(made.clock.unix_s() - time.time()) < 5


def test_uptime_is_wall_time(wall):
    made = machine()
    wall.us += 2500000
    assert made.clock.uptime_s() == 3
    wait(made, (1000000, True))
    assert made.clock.uptime_s() == 3


def test_others_get_their_turns_while_a_job_runs():
    made = machine()
    turns = []

    async def other():
        while True:
            turns.append(made.clock.ticks_ms())
            await asyncio.sleep(0)

    async def run():
        task = asyncio.ensure_future(other())
        for _ in range(1000):
            await made.clock.wait_ms(10, True)
        task.cancel()

    asyncio.run(run())
    assert len(turns) > 100
    assert max(b - a for a, b in zip(turns, turns[1:])) <= 10 * clock._CALLS


def test_a_long_wait_is_interrupted_for_others():
    made = machine()
    turns = []

    async def other():
        while True:
            turns.append(time.monotonic())
            await asyncio.sleep(0)

    async def run():
        task = asyncio.ensure_future(other())
        await made.clock.wait_ms(3600000, True)
        task.cancel()

    asyncio.run(run())
    assert len(turns) > 20


def test_a_cancelled_wait_leaves_the_clock_usable():
    made = machine(1)

    async def run():
        task = asyncio.ensure_future(made.clock.wait_ms(10000, True))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        before = made.clock.ticks_ms()
        await made.clock.wait_ms(1, True)
        assert made.clock.ticks_ms() == before + 1

    asyncio.run(run())


def test_waiting_comes_back_when_marks_have_to_be_read():
    made = machine()
    text = b"".join(b"G1 X%d F6000\nM117 x\n" % (i % 100) for i in range(300))
    fired = []

    async def run():
        made.core.begin()
        at = 0
        number = 0
        while True:
            if at < len(text):
                at += made.core.feed(text, at, len(text))
                if made.core.event.letter == "M" and made.core.event.kind != PW_EV_FULL:
                    number += 1
                    while not made.core.mark(number):
                        await made.clock.wait_ms(20, True)
                        fired.extend(mark for mark, _ in made.core.port.marks())
            else:
                made.core.end_document()
            await made.clock.wait_ms(20000, True)
            fired.extend(mark for mark, _ in made.core.port.marks())
            if at >= len(text) and made.core.status().idle and len(fired) == number:
                return

    asyncio.run(asyncio.wait_for(run(), 20))
    assert fired == list(range(1, 301))
