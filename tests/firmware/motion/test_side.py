"""Homing and travel in the second context, against simulated endstops."""

import asyncio

import pytest

from firmware.motion.geometry import Geometry
from firmware.motion.side import MotionError, SideMotion
from hal import factory
from hal.sim import SimOptions, build
from hal.stepcore import PW_EV_COMMAND, PW_EV_FULL, PW_EV_NONE
from tests.firmware.helpers_printing import NoNet
from tests.firmware.motion.helpers_machines import LAYERS

MACHINES = ("sim-cartesian", "sim-corexy")
OTHERS = ("corexz", "linear", "sim-delta", "trimmed")


class Bench:
    def __init__(self, name, faults=(), seed=1, layer=None):
        description = factory.describe(name, layer) if layer else factory.describe(*LAYERS.get(name, (name,)))
        self.machine = build(description, SimOptions(net=NoNet(), faults=faults, seed=seed))
        self.machine.core.begin()
        self.port = self.machine.core.port
        self.side = SideMotion(self.machine, Geometry(description, self.machine.core))

    async def wait(self, ms):
        await self.machine.clock.wait_ms(ms, True)

    def home(self, axes=(0, 1, 2)):
        asyncio.run(self.side.home(axes, self.wait))

    def travel(self, target, speed=100, gates=()):
        return asyncio.run(self.side.travel(target, speed, self.wait, gates))

    def counts(self):
        status = self.port.status()
        return [status.count(m) for m in range(3)], [status.physical(m) for m in range(3)]


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("seed", range(1, 9))
def test_homing_finds_home_from_anywhere(name, seed):
    bench = Bench(name, seed=seed)
    before = bench.counts()[1]
    bench.home()
    counts, physical = bench.counts()
    assert counts == [0, 0, 0]
    # where the switches really are, to a step
    assert all(abs(steps) <= 1 for steps in physical), (before, physical)
    assert bench.port.status().fault == 0 and bench.port.status().pulses(3) == 0


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("seed", range(1, 9))
def test_homing_finds_home_on_any_kinematics(name, seed):
    bench = Bench(name, seed=seed)
    bench.home()
    counts, physical = bench.counts()
    assert counts == bench.side.geometry.counts_at(bench.side.geometry.home_nm)
    # homing knows the places of the switches to a step of each motor
    assert all(abs(a - b) <= 2 for a, b in zip(counts, physical, strict=True)), (counts, physical)
    assert bench.port.status().fault == 0 and bench.port.status().pulses(3) == 0
    bench.home()
    assert bench.counts()[0] == counts
    assert all(abs(a - b) <= 2 for a, b in zip(bench.counts()[1], physical, strict=True))


@pytest.mark.parametrize("name", OTHERS)
def test_homing_ends_where_it_is_told(name):
    bench = Bench(name)
    bench.home()
    bench.travel([50_000_000, 20_000_000, 30_000_000])
    stood = bench.counts()[0]
    asyncio.run(bench.side.home((0, 2), bench.wait, bench.side.place_nm()))
    assert bench.counts()[0] == stood
    assert all(abs(a - b) <= 2 for a, b in zip(bench.counts()[0], bench.counts()[1], strict=True))


def test_carriages_of_a_delta_stop_one_by_one():
    """Homing from a place near the rim: the towers are at different heights, and each goes up to its own switch."""
    bench = Bench("sim-delta")
    physical = bench.side.geometry.counts_at([100_000_000, -80_000_000, 150_000_000])
    for motor in range(3):
        bench.port.place(motor, physical[motor])
    assert max(physical) - min(physical) > 20_000
    bench.home()
    bench.travel([0, 139_000_000, 1_000_000])
    bench.home()
    assert bench.side.place_nm()[2] == pytest.approx(300_000_000, abs=4000)


@pytest.mark.parametrize("fault, text", [("open", "did not reach"), ("closed", "stays closed")])
@pytest.mark.parametrize("tower", "abc")
def test_a_switch_of_a_tower_that_is_stuck_is_told(tower, fault, text):
    bench = Bench("sim-delta", faults=["endstop-stuck:%s=%s" % ("xyz"["abc".index(tower)], fault)])
    bench.machine.world.step(0, 0)
    with pytest.raises(MotionError, match="tower " + tower + ".*" + text):
        bench.home()
    bench.machine.core.begin()


def test_a_place_out_of_reach_is_refused_before_anything_moves():
    bench = Bench("sim-delta")
    bench.home()
    before = bench.counts()
    with pytest.raises(MotionError, match="PW_E_REACH"):
        bench.travel([250_000_000, 0, None])
    assert bench.counts() == before


@pytest.mark.parametrize("name", MACHINES)
def test_homing_again_changes_nothing(name):
    bench = Bench(name)
    bench.home()
    first = bench.counts()
    for _ in range(3):
        bench.home()
    counts, physical = bench.counts()
    assert counts == first[0] and all(abs(a - b) <= 1 for a, b in zip(physical, first[1], strict=True))


@pytest.mark.parametrize("name", MACHINES)
def test_single_axes_leave_the_others_where_they_are(name):
    bench = Bench(name)
    bench.home()
    bench.travel([100_000_000, 50_000_000, 20_000_000])
    bench.home((1,))
    assert bench.side.place_nm() == [100_000_000, 0, 20_000_000]
    bench.home((0,))
    assert bench.side.place_nm() == [0, 0, 20_000_000]
    bench.home((2,))
    assert bench.side.place_nm() == [0, 0, 0]


def test_an_endstop_at_the_far_end_and_a_home_elsewhere():
    axes = {"x": {"endstop_mm": 235, "home_mm": 235}, "z": {"endstop_mm": -1, "home_mm": 2}}
    bench = Bench("sim-cartesian", layer={"printer": {"axes": axes}})
    bench.home()
    assert bench.side.place_nm() == [235_000_000, 0, 2_000_000]
    counts, physical = bench.counts()
    assert all(abs(a - b) <= 1 for a, b in zip(counts, physical, strict=True))


@pytest.mark.parametrize("name", MACHINES)
def test_travel_makes_exactly_the_steps_between(name):
    bench = Bench(name)
    bench.home()
    places = [[3_333_333, 7_777_777, 1_234_567], [234_999_999, 1, 249_000_001], [117_500_000, None, None], [0, 0, 0]]
    for _ in range(2):
        for place in places:
            assert bench.travel(place) is False
            want = [now if axis is None else axis for axis, now in zip(place, bench.side.place_nm(), strict=True)]
            assert bench.counts()[0] == bench.side.geometry.counts_at(want)
    counts, physical = bench.counts()
    assert counts == [0, 0, 0] and all(abs(steps) <= 1 for steps in physical)


def test_a_gate_ends_the_travel():
    bench = Bench("sim-cartesian")
    bench.home()
    bench.travel([50_000_000, None, None])
    assert bench.travel([-5_000_000, None, None], gates=[(0, 0)]) is True
    assert bench.counts()[1][0] == 0


@pytest.mark.parametrize("fault, text", [("open", "did not reach"), ("closed", "stays closed")])
@pytest.mark.parametrize("axis", "xyz")
def test_a_switch_that_is_stuck_is_told(axis, fault, text):
    bench = Bench("sim-cartesian", faults=["endstop-stuck:%s=%s" % (axis, fault)])
    bench.machine.world.step(0, 0)
    with pytest.raises(MotionError, match="axis " + axis + ".*" + text) as error:
        bench.home()
    assert error.value.axis == "xyz".index(axis)
    # the context was left: the core takes a document
    bench.machine.core.begin()


@pytest.mark.parametrize("name", MACHINES)
def test_a_travel_that_is_given_up_loses_no_step(name):
    bench = Bench(name)
    bench.home()

    class Enough(Exception):
        pass

    for most in (3, 9, 17, 40):
        turns = []

        async def wait(ms, most=most, turns=turns):
            turns.append(ms)
            if len(turns) > most:
                raise Enough
            await bench.machine.clock.wait_ms(ms, True)

        bench.travel([0, 0, 0])
        with pytest.raises(Enough):
            asyncio.run(bench.side.travel([200_000_000, 100_000_000, None], 200, wait))
        status = bench.port.status()
        assert status.side == 0 and status.hard_stops == 0 and status.fault == 0
        assert 0 < bench.side.place_nm()[0] < 200_000_000
        counts, physical = bench.counts()
        assert all(abs(a - b) <= 1 for a, b in zip(counts, physical, strict=True))
        bench.machine.core.begin()


def test_what_ends_the_wait_leaves_the_context():
    bench = Bench("sim-cartesian")

    class Enough(Exception):
        pass

    turns = []

    async def wait(ms):
        turns.append(ms)
        if len(turns) > 20:
            raise Enough
        await bench.machine.clock.wait_ms(ms, True)

    with pytest.raises(Enough):
        asyncio.run(bench.side.home((0, 1, 2), wait))
    bench.machine.core.begin()
    assert bench.port.status().side == 0


SKEW = {"motion": {"skew": {"xy": 0.004, "xz": -0.003, "yz": 0.002}}}


@pytest.mark.parametrize("base", ["sim-cartesian", "sim-corexy", "sim-delta"])
def test_a_skewed_machine_is_handed_over_and_back(base):
    """Program places lean, the second context's do not: what moves in between changes no count."""
    layer = {"printer": dict(SKEW, delta={"bed_radius_mm": 130}) if base == "sim-delta" else SKEW}
    bench = Bench(base, layer=layer)
    bench.home()
    core = bench.machine.core

    def play(text):
        at = 0
        while at < len(text):
            at += core.feed(text, at, len(text))
            assert core.event.kind in (PW_EV_NONE, PW_EV_FULL, PW_EV_COMMAND), core.event.name
        while not core.flush():
            asyncio.run(bench.wait(5))
        while not bench.side.idle():
            asyncio.run(bench.wait(5))

    core.begin()
    play(b"G1 X60 Y80 Z30 F6000\n")
    stood, where = bench.counts()[0], bench.side.place_nm()
    dz = 30 - bench.side.geometry.home_nm[2] / 1e6
    want = [60 - 0.004 * 80 + (0.003 + 0.004 * 0.002) * dz, 80 - 0.002 * dz, 30]
    assert where == pytest.approx([mm * 1e6 for mm in want], abs=13_000)
    # away and back, as in a pause
    bench.travel([20_000_000, 30_000_000, 60_000_000])
    bench.travel(where)
    assert bench.counts()[0] == stood
    # a G28 of one axis: the core has gone there, homing comes back to it
    play(b"G28 X\n")
    stood = bench.counts()[0]
    asyncio.run(bench.side.home((0,), bench.wait, bench.side.place_nm()))
    assert bench.counts()[0] == stood
    play(b"G1 X60 Y80 Z30\n")
    counts, physical = bench.counts()
    assert all(abs(a - b) <= 2 for a, b in zip(counts, physical, strict=True))
    assert bench.side.place_nm() == where
