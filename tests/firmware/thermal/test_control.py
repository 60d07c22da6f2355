"""Heating as a whole, on the simulated machine: the plants of every heater, faults to order, leases."""

import asyncio

import pytest

from firmware.thermal.control import PERIOD_MS, Heating
from firmware.thermal.errors import ThermalError
from firmware.thermal.sensors import Thermistor
from hal import factory
from hal.sim import SimOptions, build
from hal.sim.plants import Ntc, divider


class Bench:
    """A machine and its heating, run as the runner does."""

    def __init__(self, name="sim-corexy", **options):
        self.machine = build(factory.describe(name), SimOptions(**options))
        self.heating = Heating(self.machine)
        self.faults = []
        self.log = []

    def run(self, seconds, until=None):
        """Returns the seconds that it took."""

        async def beat():
            for n in range(int(seconds * 1000 / PERIOD_MS)):
                fault = self.heating.tick(self.machine.clock.ticks_ms())
                if fault:
                    self.faults.append(fault)
                self.log.append(self.heating.readings())
                if until and until():
                    return n * PERIOD_MS / 1000
                await self.machine.clock.wait_ms(PERIOD_MS, True)
            return seconds

        return asyncio.run(beat())

    def block_c(self, name):
        return self.machine.world.plant(name).block_c


@pytest.mark.parametrize(
    "name, target_c, within_s",
    [("nozzle", 180, 120), ("nozzle", 215, 150), ("nozzle", 260, 200), ("bed", 60, 150), ("bed", 100, 300), ("chamber", 45, 300)],
)
@pytest.mark.parametrize("noise", [0, 2])
def test_targets_are_reached_soon_and_hardly_overshot(name, target_c, within_s, noise):
    bench = Bench(noise=noise)
    bench.heating.set_target(name, target_c)
    took_s = bench.run(within_s, lambda: bench.heating.reached(name))
    assert bench.heating.reached(name) and took_s > 10
    bench.run(200)
    assert bench.heating.reached(name)
    assert bench.heating.peak_c(name) < target_c + 3
    assert bench.block_c(name) == pytest.approx(target_c, abs=1.5)
    assert not bench.faults


def test_the_part_fan_does_not_end_the_window_for_long():
    bench = Bench()
    bench.heating.set_target("nozzle", 215)
    bench.run(150)
    bench.machine.fans["part"].set(1000)
    bench.run(60)
    assert min(readings[0][1] for readings in bench.log[-600:]) > 205
    assert bench.heating.reached("nozzle")


def test_all_heaters_at_once():
    bench = Bench()
    targets = {"nozzle": 240, "bed": 90, "chamber": 45}
    for name, temp_c in targets.items():
        bench.heating.set_target(name, temp_c)
    bench.run(400, lambda: all(bench.heating.reached(name) for name in targets))
    for name, temp_c in targets.items():
        assert bench.heating.reached(name) and bench.heating.peak_c(name) < temp_c + 3


def test_reached_needs_its_time():
    bench = Bench()
    bench.heating.set_target("bed", 40)
    bench.run(300, lambda: abs(bench.heating.current_c("bed") - 40) <= 1.5)
    assert not bench.heating.reached("bed")
    bench.run(1.9)
    assert not bench.heating.reached("bed")
    bench.run(0.3)
    assert bench.heating.reached("bed")
    bench.heating.set_target("bed", 60)
    assert not bench.heating.reached("bed")


def test_off_is_off():
    bench = Bench()
    bench.heating.set_target("nozzle", 200)
    bench.run(30)
    assert bench.machine.heaters["nozzle"].duty() > 0
    bench.heating.set_target("nozzle", 0)
    bench.run(0.2)
    assert bench.machine.heaters["nozzle"].duty() == 0
    bench.heating.set_target("bed", 50)
    bench.run(0.2)
    bench.heating.off()
    assert bench.machine.heaters["bed"].duty() == 0
    assert bench.heating.target_c("bed") == 0 and bench.heating.reached("bed")


def test_readings():
    bench = Bench()
    assert bench.heating.readings() == [("nozzle", None, 0), ("bed", None, 0), ("chamber", None, 0)]
    bench.heating.set_target("bed", 55)
    bench.run(0.1)
    names = [name for name, _, _ in bench.heating.readings()]
    assert names == ["nozzle", "bed", "chamber"]
    for _, current_c, _ in bench.heating.readings():
        assert current_c == pytest.approx(22, abs=0.5)
    assert [target_c for _, _, target_c in bench.heating.readings()] == [0, 55, 0]


def test_peaks():
    bench = Bench()
    bench.heating.set_target("nozzle", 100)
    bench.run(60)
    bench.heating.set_target("nozzle", 0)
    bench.run(120)
    assert bench.heating.peak_c("nozzle") > 95 > bench.heating.current_c("nozzle")
    bench.heating.reset_peaks()
    assert bench.heating.peak_c("nozzle") == bench.heating.current_c("nozzle")


@pytest.mark.parametrize("name, target_c", [("nozzle", 286), ("nozzle", -1), ("nozzle", float("nan")), ("bed", 116), ("oven", 50)])
def test_targets_beyond_the_machine(name, target_c):
    bench = Bench()
    with pytest.raises(ThermalError):
        bench.heating.set_target(name, target_c)
    assert all(target == 0 for _, _, target in bench.heating.readings())


def test_a_machine_without_chamber_has_none():
    with pytest.raises(ThermalError, match="no heater chamber"):
        Bench("sim-cartesian").heating.set_target("chamber", 40)


# -- faults


@pytest.mark.parametrize("kind", ["open", "short"])
@pytest.mark.parametrize("name", ["nozzle", "bed", "chamber"])
def test_a_broken_sensor_stops_all_heaters(kind, name):
    bench = Bench(faults=["sensor-%s:%s@20" % (kind, name)])
    for heater in ("nozzle", "bed"):
        bench.heating.set_target(heater, 100)
    bench.run(20)
    assert not bench.faults
    bench.run(1)
    assert (bench.faults[0].name, bench.faults[0].kind) == (name, kind)
    assert bench.heating.current_c(name) is None
    for heater in ("nozzle", "bed", "chamber"):
        assert bench.machine.heaters[heater].duty() == 0
        assert bench.heating.target_c(heater) == 0
    with pytest.raises(ThermalError, match="stopped by a fault"):
        bench.heating.set_target("bed", 50)


def test_no_heat_from_the_first_bad_reading_on():
    bench = Bench(faults=["sensor-open:nozzle@20"])
    bench.heating.set_target("nozzle", 200)
    bench.run(20)
    assert bench.machine.heaters["nozzle"].duty() > 0
    bench.run(0.2)
    assert bench.machine.heaters["nozzle"].duty() == 0 and not bench.faults


def test_too_hot_stops():
    bench = Bench(faults=["heater-stuck-on:nozzle"])
    bench.run(400, lambda: bench.faults)
    fault = bench.faults[0]
    assert (fault.name, fault.kind, fault.limit_c) == ("nozzle", "max", 310)
    assert fault.value_c > 310 and "nozzle is hotter than allowed" in fault.text()


def test_too_cold_stops():
    bench = Bench(faults=["sensor-stuck:bed=-10"])
    bench.run(1)
    assert (bench.faults[0].name, bench.faults[0].kind) == ("bed", "min")


def test_after_clearing_it_heats_again():
    bench = Bench(faults=["sensor-stuck:bed=-10@1"])
    bench.run(2)
    assert bench.faults
    bench.machine.world.faults.drop("sensor-stuck", "bed")
    bench.heating.clear()
    bench.heating.set_target("bed", 40)
    bench.run(5)
    assert bench.machine.heaters["bed"].duty() > 0


def test_an_expired_lease_is_told_and_does_not_throw():
    bench = Bench(faults=["stall=2000@5"])
    bench.heating.set_target("bed", 60)
    bench.run(4.9)
    assert bench.heating.refused == ()
    bench.run(0.5)
    assert "bed" in bench.heating.refused
    assert bench.machine.heaters["bed"].duty() == 0
    bench.machine.core.port.clear()
    bench.run(0.2)
    assert bench.heating.refused == () and bench.machine.heaters["bed"].duty() > 0


# -- fan of the hot end


def test_the_hot_ends_fan_follows_its_temperature():
    bench = Bench()
    fan = bench.machine.fans["hotend"]
    bench.run(0.5)
    assert fan.get() == 0
    bench.heating.set_target("nozzle", 200)
    bench.run(0.1)
    assert fan.get() == 1000
    bench.run(60)
    bench.heating.set_target("nozzle", 0)
    bench.run(5)
    assert fan.get() == 1000, "still hot"
    bench.run(900)
    assert bench.heating.current_c("nozzle") < 47 and fan.get() == 0


def test_the_hot_ends_fan_runs_on_when_the_sensor_breaks():
    bench = Bench(faults=["sensor-open:nozzle@1"])
    bench.run(3)
    assert bench.faults and bench.machine.fans["hotend"].get() == 1000


# -- sensors against the simulator's own physics


@pytest.mark.parametrize("name", ["generic-3950", "104gt-2"])
@pytest.mark.parametrize("bits, range_c, error_c", [(16, (0, 280), 0.15), (12, (20, 240), 0.9)])
def test_what_is_read_is_what_is_there(name, bits, range_c, error_c):
    from boards.thermistors import DATA

    sensor, ntc = Thermistor(DATA[name], 4700), Ntc(DATA[name])
    worst = max(abs(sensor.temp_c(divider(ntc.ohm(t / 4), 4700, bits)) - t / 4) for t in range(4 * range_c[0], 4 * range_c[1]))
    assert worst < error_c
