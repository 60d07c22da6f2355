"""Plants, sensors, heaters on lease, endstops and faults, seen through a machine as firmware sees it."""

import asyncio

import pytest

from hal import factory
from hal.errors import ConfigError, HalError
from hal.sim import SimOptions, build
from hal.sim.faults import KINDS, Faults, parse
from hal.sim.plants import Ntc, Plant, divider
from hal.sim.world import AMBIENT_C
from hal.stepcore import CoreError
from hal.stepport import PW_FAULT_ASKED, PW_LATCH_LEASE

HOT_END = {"power_w": 40, "capacity_j_k": 16, "loss_w_k": 0.08, "fan_loss_w_k": 0.04, "sensor_s": 4}


def machine(name="sim-cartesian", **options):
    return build(factory.describe(name), SimOptions(**options))


def heat(made, duties, seconds, period_ms=100):
    """Holds the duties (permille by heater) for so long."""

    async def run():
        for _ in range(int(seconds * 1000 / period_ms)):
            for name, duty in duties.items():
                made.heaters[name].set_duty(duty)
            await made.clock.wait_ms(period_ms, True)

    asyncio.run(run())


# -- physics


def test_without_heat_everything_stays_at_ambient():
    plant = Plant(HOT_END, 22)
    for _ in range(1000):
        plant.step(0.05, 0, 22)
    assert plant.block_c == 22 and plant.sensor_c == 22


def test_no_energy_is_lost_or_made():
    plant = Plant(HOT_END, 22)
    put_in = out = 0
    for i in range(20000):
        heat_j = 40 * 0.05 if i < 4000 else 0
        put_in += heat_j
        out += plant.step(0.05, heat_j, 22, 0.5)
    assert put_in == pytest.approx(out + 16 * (plant.block_c - 22), rel=1e-9)


def test_steady_temperature_is_power_over_loss():
    plant = Plant(HOT_END, 22)
    for _ in range(60000):
        plant.step(0.05, 10 * 0.05, 22)
    assert plant.block_c == pytest.approx(22 + 10 / 0.08, rel=1e-3)
    assert plant.sensor_c == pytest.approx(plant.block_c, abs=0.01)


def test_fan_and_filament_cool():
    results = []
    for fan, filament_mm in ((0, 0), (1, 0), (0, 0.25)):
        plant = Plant(HOT_END, 22)
        for _ in range(20000):
            plant.step(0.05, 15 * 0.05, 22, fan, filament_mm)
        results.append(plant.block_c)
    assert results[1] < results[0] - 20 and results[2] < results[0] - 20


def test_the_sensor_lags():
    plant = Plant(HOT_END, 22)
    for _ in range(200):
        plant.step(0.05, 2, 22)
    rate_c_s = 40 / 16
    assert plant.block_c - plant.sensor_c == pytest.approx(4 * rate_c_s, rel=0.2)


def test_thermistor_and_divider():
    ntc = Ntc(factory.describe()["thermistors"]["generic-3950"])
    assert ntc.ohm(150) == pytest.approx(1770)
    assert ntc.ohm(145) == pytest.approx(2003, rel=0.01)
    assert ntc.ohm(-300) > ntc.ohm(-60) > ntc.ohm(-40) > ntc.ohm(25) > ntc.ohm(300) > ntc.ohm(400) > 0
    assert divider(4700, 4700, 12) == pytest.approx(32768, abs=16)
    assert divider(0, 4700, 12) == 0 and divider(1e12, 4700, 12) == 65535
    assert len({divider(ohm, 4700, 8) for ohm in range(1, 100000, 7)}) <= 256


# -- heaters


@pytest.mark.parametrize("name", factory.machines())
def test_only_what_is_heated_gets_hot(name):
    made = machine(name)
    heat(made, {"nozzle": 500}, 60)
    assert made.world.plant("nozzle").block_c > 80
    assert made.world.plant("bed").block_c < 24


def test_a_chamber_warms_what_is_in_it():
    made = machine("sim-corexy")
    heat(made, {"chamber": 1000}, 300)
    assert made.world.plant("chamber").block_c > 50
    assert made.world.plant("bed").block_c > 25
    made = machine("sim-corexy")
    heat(made, {"bed": 500}, 600)
    assert made.world.plant("chamber").block_c > 25


def test_energy_is_what_the_duty_says():
    made = machine()
    heat(made, {"nozzle": 250}, 10)
    assert made.core.port.energy(0) == 250 * 10 * 16000000
    assert made.world.plant("nozzle").block_c - AMBIENT_C == pytest.approx(10 * 10 / 16, rel=0.03)


def test_duty_ends_with_its_lease():
    made = machine()
    made.heaters["bed"].set_duty(1000)
    assert made.heaters["bed"].duty() == 1000

    async def run():
        await made.clock.wait_ms(1400, True)
        assert made.heaters["bed"].duty() == 1000
        await made.clock.wait_ms(200, True)

    asyncio.run(run())
    assert made.heaters["bed"].duty() == 0
    assert made.core.port.energy(1) == 1000 * 1500 * 16000
    assert made.core.port.status().latched & PW_LATCH_LEASE
    with pytest.raises(HalError):
        made.heaters["bed"].set_duty(1000)
    made.core.port.clear()
    made.heaters["bed"].set_duty(1000)


def test_after_a_fault_nothing_heats():
    made = machine()
    made.heaters["bed"].set_duty(1000)
    made.core.port.fault()
    assert made.heaters["bed"].duty() == 0
    with pytest.raises(CoreError):
        made.heaters["bed"].set_duty(1)
    assert made.core.port.status().fault == PW_FAULT_ASKED


@pytest.mark.parametrize("duty", [-1, 1001])
def test_duties_out_of_range(duty):
    made = machine()
    with pytest.raises(HalError):
        made.heaters["bed"].set_duty(duty)
    with pytest.raises(HalError):
        made.fans["part"].set(duty)


def test_a_closed_machine_is_safe():
    made = machine()
    made.heaters["bed"].set_duty(1000)
    made.close()
    made.close()
    assert made.core.port.output(1) == 0


# -- endstops


@pytest.mark.parametrize("name", factory.machines())
@pytest.mark.parametrize("seed", [1, 2, 77])
def test_the_carriage_stands_somewhere_in_the_volume(name, seed):
    made = machine(name, seed=seed)
    places = _place(made)
    lows, highs = made.caps.min_um, made.caps.max_um
    assert all(low / 1000 <= place <= high / 1000 for low, place, high in zip(lows, places, highs))
    assert _place(machine(name, seed=seed)) == places
    assert _place(machine(name, seed=seed + 1)) != places


def _place(made):
    status = made.core.port.status()
    return [nm / 1e6 for nm in made.core.place_at([status.physical(motor) for motor in range(3)])]


@pytest.mark.parametrize("name", ["sim-cartesian", "sim-corexy"])
def test_endstops_close_where_the_data_say(name):
    made = machine(name)
    port = made.core.port
    corexy = name == "sim-corexy"
    for axis in range(3):
        for offset, closed in ((1, 0), (0, 1), (-5, 1)):
            place = [4000, 8000, 12000]
            place[axis] = offset
            motors = [place[0] + place[1], place[0] - place[1], place[2]] if corexy else place
            for motor, steps in enumerate(motors):
                port.place(motor, steps)
            assert port.input_state(made.endstops["xyz"[axis]]) == closed
            others = [made.endstops[other] for other in "xyz" if other != "xyz"[axis]]
            assert [port.input_state(index) for index in others] == [0, 0]


def test_endstops_of_a_delta_close_each_at_its_carriage():
    desc = factory.describe("sim-delta", {"printer": {"delta": {"b": {"trim_mm": 0.5}}}})
    made = build(desc)
    port, core = made.core.port, made.core
    for tower in range(3):
        top = core.counts_at([0, 0, 350_500_000 if tower == 1 else 350_000_000])[tower]
        for steps, closed in ((top - 1, 0), (top, 1), (top + 9, 1)):
            port.place(tower, steps)
            assert port.input_state(made.endstops["xyz"[tower]]) == closed
        port.place(tower, 0)


@pytest.mark.parametrize("name", factory.machines())
def test_the_bed_closes_the_probe(name):
    surface = {"height_mm": 0.1, "tilt_x": 0.002, "tilt_y": -0.003, "wave_mm": 0.2, "wave_length_mm": 150}
    probe = {"input": "PROBE", "x_mm": 10, "y_mm": -5, "z_mm": 1.5, "surface": surface}
    made = build(factory.describe(name, {"printer": {"probe": probe}}))
    port, core, bed = made.core.port, made.core, made.world.bed
    for x, y in ((20, 30), (70, 50), (45.5, 71.25)):
        want = bed.height_mm(x + 10, y - 5) + 1.5
        assert want != pytest.approx(1.6, abs=0.01)
        for z, closed in ((want + 30, 0), (want + 0.02, 0), (want - 0.02, 1), (want - 2, 1)):
            counts = core.counts_at([int(x * 1e6), int(y * 1e6), int(z * 1e6)])
            for motor in range(3):
                port.place(motor, counts[motor])
            bed.follow(counts)
            assert port.input_state(made.probe) == closed


def test_an_endstop_at_the_far_end():
    desc = factory.describe()
    desc["printer"]["axes"]["x"]["endstop_mm"] = 236
    made = build(desc)
    port = made.core.port
    for place, closed in ((235 * 80, 0), (236 * 80 - 1, 0), (236 * 80, 1)):
        port.place(0, place)
        assert port.input_state(made.endstops["x"]) == closed


# -- faults


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_ordered(kind):
    needs = {"endstop-stuck": "=open", "stall": "=100"}
    fault = parse(kind + needs.get(kind, "") + "@1.5")
    assert fault.kind == kind and fault.at_ms == 1500


@pytest.mark.parametrize(
    "spec, said",
    [
        ("", "sensor-open"),
        ("meteor", "endstop-stuck"),
        ("sensor-open:roof", "nozzle, bed, chamber"),
        ("sensor-open=5", "no value"),
        ("sensor-open@soon", "seconds"),
        ("sensor-open@-1", "seconds"),
        ("sensor-open@nan", "seconds"),
        ("sensor-stuck=hot", "degC"),
        ("stall", "stall=500"),
        ("stall=1e9", "ms"),
        ("stall:x=5", "no part"),
        ("endstop-stuck:x", "=open or =closed"),
        ("endstop-stuck:x=ajar", "=open or =closed"),
        ("flash-fail=-1", "operation"),
    ],
)
def test_wrong_orders_name_the_choices(spec, said):
    with pytest.raises(ConfigError) as error:
        parse(spec)
    assert said in str(error.value) and str(error.value).startswith("--fault ")


def test_a_part_that_the_machine_lacks():
    with pytest.raises(ConfigError, match="this machine has no chamber"):
        machine(faults=["heater-dead:chamber"])


def test_faults_hold_from_their_time_on():
    faults = Faults(["sensor-open:bed@2", "heater-dead:nozzle"])
    assert [fault.kind for fault in faults.poll(0)] == ["heater-dead"]
    assert faults.find("heater-dead", "nozzle") and not faults.find("sensor-open", "bed")
    assert [fault.kind for fault in faults.poll(2000)] == ["sensor-open"]
    assert faults.poll(3000) == []


@pytest.mark.parametrize("spec, raw", [("sensor-open:bed@1", 65535), ("sensor-short:bed@1", 0)])
def test_broken_wires(spec, raw):
    made = machine(faults=[spec])
    normal = made.sensors["bed"].read()
    heat(made, {}, 1.2)
    assert made.sensors["bed"].read() == raw != normal
    assert 0 < made.sensors["nozzle"].read() < 65535


def test_a_stuck_sensor():
    made = machine(faults=["sensor-stuck:nozzle@5"])
    heat(made, {"nozzle": 1000}, 6)
    stuck = made.sensors["nozzle"].read()
    heat(made, {"nozzle": 1000}, 20)
    assert made.sensors["nozzle"].read() == stuck
    assert made.world.plant("nozzle").sensor_c > 60


def test_a_dead_heater_and_one_that_is_stuck_on():
    made = machine(faults=["heater-dead:bed", "heater-stuck-on:nozzle@10"])
    heat(made, {"bed": 1000, "nozzle": 0}, 9)
    assert made.world.plant("nozzle").block_c < 23
    heat(made, {"bed": 1000, "nozzle": 0}, 21)
    assert made.world.plant("bed").block_c < 23
    assert made.world.plant("nozzle").block_c == pytest.approx(22 + 20 * 40 / 16, rel=0.1)


def test_a_dead_fan_does_not_cool():
    results = []
    for faults in ([], ["fan-dead"]):
        made = machine(faults=faults)
        made.fans["part"].set(1000)
        heat(made, {"nozzle": 400}, 120)
        results.append(made.world.plant("nozzle").block_c)
    assert results[1] > results[0] + 5


@pytest.mark.parametrize("state, level", [("open", 0), ("closed", 1)])
def test_stuck_endstops(state, level):
    made = machine(faults=["endstop-stuck:y=%s" % state])
    heat(made, {}, 0.1)
    port = made.core.port
    for place in (-10, 0, 10000):
        port.place(1, place)
        assert port.input_state(made.endstops["y"]) == level


def test_a_stall_lets_time_pass_without_the_firmware():
    made = machine(faults=["stall=1400@1"])
    made.heaters["bed"].set_duty(500)
    calls = []

    async def run():
        for _ in range(15):
            calls.append(made.clock.ticks_ms())
            made.heaters["bed"].set_duty(500)
            await made.clock.wait_ms(100, True)

    asyncio.run(run())
    gaps = [b - a for a, b in zip(calls, calls[1:])]
    assert sorted(gaps) == [100] * 13 + [1500]
    assert made.core.port.status().latched == 0, "shorter than the lease"


def test_a_stall_beyond_the_lease_switches_heaters_off():
    made = machine(faults=["stall=2000@0.5"])

    async def run():
        for _ in range(6):
            made.heaters["bed"].set_duty(500)
            await made.clock.wait_ms(100, True)

    asyncio.run(run())
    assert made.heaters["bed"].duty() == 0
    assert made.core.port.status().latched & PW_LATCH_LEASE


def test_noise_is_seeded_and_bounded():
    def readings(noise, seed):
        made = machine(noise=noise, seed=seed)
        return [made.sensors["bed"].read() for _ in range(200)]

    assert len(set(readings(0, 1))) == 1
    assert readings(3, 1) == readings(3, 1) != readings(3, 2)
    clean = readings(0, 1)[0]
    noisy = readings(3, 1)
    assert 3 < len(set(noisy)) <= 7
    assert all(abs(value - clean) <= 3 * 16 for value in noisy)


# -- the rest of a machine


def test_identify_does_what_the_machine_can():
    seen = []
    made = machine(identify=seen.append)
    assert made.identify(["flash", "sound"]) == ["sound"]
    assert seen == [["sound"]]
    assert machine().identify(["display"]) == ["display"]


def test_a_heater_without_a_plant_cannot_be_simulated():
    desc = factory.describe()
    desc["printer"]["heaters"]["bed"]["plant"] = None
    with pytest.raises(ConfigError, match=r"printer\.heaters\.bed\.plant"):
        build(desc)


def test_a_doubly_used_pin_is_refused_at_building_too():
    desc = factory.describe()
    desc["pcb"]["fans"]["FAN0"]["pin"] = desc["pcb"]["heaters"]["HB"]["pin"]
    with pytest.raises(ConfigError, match="taken by pcb.heaters.HB.pin"):
        build(desc)
