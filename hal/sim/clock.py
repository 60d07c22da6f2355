"""The simulator's clock: machine time is the port's, virtual, and passes only inside wait_ms().

Pace None ("max"): while a job depends on it, time passes as fast as the machine computes; else it follows the wall clock.
Pace N: N times as fast as the wall clock (1: "realtime").  A process that was suspended does not have to catch up: what lags
more than LAG_MAX_MS behind is forgotten, as if power had been off.
"""

from hal.api import Clock
from hal.compat import mem_free, sleep_ms, ticks_diff, ticks_us, unix_s
from hal.sim.world import SLICE_MS
from hal.stepport import PW_HOST_DONE, PW_HOST_GATE, PW_HOST_MARKS, PW_HOST_TAP

LAG_MAX_MS = 1000
_WORK_US = 1500  # wall time after which other tasks get a turn, so that answers stay quick
_CALLS = 8  # and after so many calls, however short; where the heap is bounded, after each: garbage goes in such turns only


class SimClock(Clock):
    def __init__(self, port, world, tick_hz, pace=None, trace=None):
        self._port = port
        self._world = world
        self._trace = trace
        self._per_ms = tick_hz // 1000
        self._pace = pace
        self._now_ms = port.status().machine_tick // self._per_ms  # nobody else lets time pass
        self._last_us = ticks_us()
        self._wall_us = 0
        self._base_us = 0  # wall time that belongs to machine time _base_ms
        self._base_ms = 0
        self._yielded_us = 0
        self._calls = 0
        self._calls_max = _CALLS if mem_free() is None else 1
        self._reason = None

    @property
    def moving(self):
        """True while steps are due."""
        return self._reason in (PW_HOST_DONE, PW_HOST_GATE, PW_HOST_TAP, PW_HOST_MARKS)

    def ticks_ms(self):
        return self._now_ms

    def uptime_s(self):
        return self._wall() // 1000000 + 1

    def unix_s(self):
        return unix_s()

    def _wall(self):
        """Wall time in us since the start; the counter below it wraps, so this has to be called now and then."""
        now = ticks_us()
        self._wall_us += ticks_diff(now, self._last_us)
        self._last_us = now
        return self._wall_us

    async def wait_ms(self, ms, active):
        stall_ms = self._world.stall_ms(self._now_ms)
        if stall_ms:
            await self._pass(stall_ms, True)
        if self._pace is None and active:
            await self._pass(ms, False)
            self._calls += 1
            if self._calls >= self._calls_max or self._wall() - self._yielded_us >= _WORK_US:
                await self._turn()
            self._rebase(0)
        else:
            await self._follow(ms, self._pace or 1, active)

    async def _follow(self, ms, pace, active):
        lag_ms = self._lag_ms(pace)
        if lag_ms > LAG_MAX_MS * max(pace, 1):
            lag_ms = LAG_MAX_MS
            self._rebase(int(lag_ms * 1000 / pace))
        if lag_ms < ms:
            await sleep_ms(int((ms - lag_ms) / pace))
        else:
            await sleep_ms(0)
        if not active:
            # an idle machine takes all that has passed; a running one never more than it asked for
            ms = max(ms, min(int(self._lag_ms(pace)), LAG_MAX_MS))
        await self._pass(ms, False)

    def _lag_ms(self, pace):
        """How far machine time is behind the wall clock (below 0: ahead)."""
        return (self._wall() - self._base_us) * pace / 1000 - (self._now_ms - self._base_ms)

    def _rebase(self, behind_us):
        self._base_us = self._wall() - behind_us
        self._base_ms = self._now_ms

    async def _turn(self):
        await sleep_ms(0)
        self._calls = 0
        self._yielded_us = self._wall()

    async def _pass(self, ms, whole):
        """Lets ms pass in slices; whole: even when the port wants to be read."""
        ticks = ms * self._per_ms
        while ticks > 0:
            took = self._slice(min(ticks, SLICE_MS * self._per_ms))
            ticks -= took
            if self._reason == PW_HOST_GATE or self._reason == PW_HOST_MARKS:
                if not whole or took == 0:
                    return
            if ticks > 0 and not whole and self._wall() - self._yielded_us >= _WORK_US:
                await self._turn()

    def _slice(self, ticks):
        port = self._port
        self._reason = port.advance(ticks, True)
        status = port.status()
        took = status.consumed
        self._now_ms = status.machine_tick // self._per_ms
        if self._trace:
            self._trace.drain()
        if took:
            self._world.step(took, self._now_ms)
        return took
