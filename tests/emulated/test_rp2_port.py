"""The RP2040 port in the emulator, both cores, with PIO and DMA in step: edges on the pins against the core's stream, tick by tick."""

import numpy as np
import pytest

from tests.emulated import helpers_ports as ports
from tests.emulated import helpers_targets as targets

SMALL = {"window": 32, "ring_runs": 32, "ring_marks": 8}
LEAST = 2 * 25 + 6  # cycles of an event with pulses of 200 ns
SETUP = 125  # 1 us
CORNERS = b"M83\nG1 X5 Y3 E0.2 F6000\nG1 X3 Y6 E0.2\nM106\nG1 X4 Y5\n"
CURVE = b"G1 X20 Y14 F6000\n" + b"".join(b"G1 X%.3f Y%.3f F4800\n" % (20 + 6 * np.sin(a / 9), 20 - 6 * np.cos(a / 9)) for a in range(60))
MARKED = CURVE.replace(b" F4800\n", b" F4800\nM106 S100\n")
LINE = b"G1 X16 Y8 F3600\n"
NONE, LATE, CORE, ASKED = 0, 2, 3, 4


@pytest.fixture
def config():
    return targets.machine_config("sim-cartesian", **SMALL)


def play(folder, config, text, script=(), switches=(), side_gates=None, cycles=100_000_000, **changes):
    image = ports.rp2_image(folder, config, text, script, side_gates, **changes)
    run = ports.run_rp2(folder, image, cycles, switches)
    assert run.tail["strays"] == 0, "core 1 has read flash at " + run.tail["stray"]
    return run, ports.stream(folder, config, text, side_gates is not None)


def warp(stream, run, motor):
    """When steps of a motor were planned and made, in seconds from the first on; they may be fewer than the steps."""
    cycles = run.edges.rises(ports.STEP_PINS[motor])
    ticks = stream.ticks[motor][: len(cycles)]
    return (ticks - ticks[0]) / 16e6, (cycles - cycles[0]) / ports.MHZ / 1e6


def check_pulses(run, motors=ports.MOTORS):
    """Widths of pulses and pauses, and directions settled before and held after a step."""
    for motor in range(motors):
        rises, falls = run.edges.rises(ports.STEP_PINS[motor]), run.edges.falls(ports.STEP_PINS[motor])
        if len(rises) == 0:
            continue
        assert len(rises) == len(falls)
        assert (falls - rises).min() == (falls - rises).max() == 25
        assert (rises[1:] - falls[:-1]).min() >= 25
        turns = run.edges.pin(ports.DIR_PINS[motor])[0]
        after, before = np.searchsorted(rises, turns), np.searchsorted(rises, turns) - 1
        assert (rises[after[after < len(rises)]] - turns[after < len(rises)]).min(initial=SETUP) >= SETUP
        assert (turns[before >= 0] - rises[before[before >= 0]]).min(initial=25) >= 25


def check_marks(run, origin_us):
    """The one of CORNERS fired when its place was reached; the driver looks every 2 ms or so."""
    ((number, tick, seen_us),) = run.marks
    assert number == 106
    assert 0 <= seen_us - (origin_us + tick / 16) < 4_000


def test_edges_are_the_stream(tmp_path, config):
    run, stream = play(tmp_path, config, CORNERS)
    late, origin = ports.against(stream, run.edges, config["tick_hz"])
    assert run.status["fault"] == NONE and run.status["starvations"] == 0
    check_marks(run, origin / ports.MHZ)
    # steps of two motors closer than an event go into one, or the later one comes as soon as may be
    assert np.abs(late).max() <= LEAST / 2 + 1
    assert (np.abs(late) <= 1).mean() > 0.9
    check_pulses(run)
    assert [len(ticks) for ticks in stream.ticks[:4]] == [len(run.edges.rises(pin)) for pin in ports.STEP_PINS[:4]]
    assert run.status["count"] == [int(d.sum()) for d in stream.directions]


@pytest.mark.parametrize("lead_us", [1000, 3000])
def test_a_hold_anywhere_gives_the_same_steps_later(lead_us, tmp_path, config):
    """The eight words that the PIO's queue holds are 2 ms of a standstill: more than the lead, and no missed deadline."""
    run, stream = play(tmp_path, config, LINE, [(60_000, "HOLD"), (200_000, "RESUME")], lead_us=lead_us)
    assert run.status["fault"] == NONE and run.status["worst"] > 0
    check_pulses(run)
    for motor in (0, 1):
        plan, machine = warp(stream, run, motor)
        assert len(plan) == len(stream.ticks[motor])
        ports.check_rate(plan, machine)
        assert machine[-1] - plan[-1] > 0.05
    assert run.status["count"] == [int(d.sum()) for d in stream.directions]


def test_starvation_in_the_middle(tmp_path, config):
    run, stream = play(tmp_path, config, CURVE, [(8_000, "STALL", 500_000)], cycles=300_000_000)
    assert run.status["fault"] == NONE and run.status["starvations"] >= 1
    assert run.status["count"] == [int(d.sum()) for d in stream.directions]
    for motor in (0, 1):
        plan, machine = warp(stream, run, motor)
        assert len(plan) == len(stream.ticks[motor])
        ports.check_rate(plan, machine)
        assert machine[-1] - plan[-1] > 0.005


@pytest.mark.parametrize("operation", ["DEAF", "STALL"])
def test_marks_that_nobody_reads_starve_the_motion(operation, tmp_path, config):
    """Four wait in the port, 40 in the core; then no more is fed.  Whoever reads them at last gets all, in order."""
    script = [(30_000, operation, 900_000)]
    run, stream = play(tmp_path, config, MARKED, script, cycles=400_000_000, queue_marks=4)
    assert run.status["fault"] == NONE and run.status["starvations"] == 1
    assert run.status["count"] == [int(d.sum()) for d in stream.directions]
    for motor in (0, 1):
        plan, machine = warp(stream, run, motor)
        assert len(plan) == len(stream.ticks[motor])
        ports.check_rate(plan, machine)
    ticks = [tick for _, tick, _ in run.marks]
    assert len(ticks) == MARKED.count(b"M106") and ticks == sorted(ticks)


def test_quick_stop_ends_on_the_path(tmp_path, config):
    run, stream = play(tmp_path, config, LINE, [(60_000, "QUICK"), (230_000, "STATUS"), (231_000, "RESUME")])
    assert "error -4" in run.text  # it can not be resumed
    x = run.edges.rises(ports.STEP_PINS[0])
    assert 50 < len(x) < len(stream.ticks[0])
    assert run.status["stands"] == 1 and run.status["rate"] == 0
    assert run.status["count"][:2] == [len(x), len(run.edges.rises(ports.STEP_PINS[1]))]
    ports.check_rate(*warp(stream, run, 0))


def test_a_dead_core_0_costs_the_heaters(tmp_path, config):
    """Its lease ends by itself, to 10 us; motion comes to a controlled stop."""
    script = [(5_000, "STATUS"), (5_000, "HEATER", 0, 1000), (50_000, "DIE")]
    run, stream = play(tmp_path, config, LINE, script, cycles=36_000_000, lease_ms=100)
    on, off = run.edges.rises(ports.HEATER_PIN), run.edges.falls(ports.HEATER_PIN)
    start = run.edges.rises(ports.STEP_PINS[0])[0]
    assert len(on) == 1 and len(off) == 1
    assert off[0] > start
    assert 0 <= off[0] / ports.MHZ - (run.statuses[0]["us"] + 100_000) < 500  # most of it is printing the status
    assert len(run.edges.rises(ports.STEP_PINS[0])) < len(stream.ticks[0])
    ports.check_rate(*warp(stream, run, 0))


def test_a_lease_that_ends_is_a_hold(tmp_path, config):
    run, _ = play(tmp_path, config, LINE, [(5_000, "HEATER", 0, 500), (280_000, "STATUS"), (280_000, "RESUME")], lease_ms=100)
    status = run.statuses[0]
    assert (status["expired"], status["latched"], status["fault"]) == (1, 2, NONE)
    assert status["rate"] == 0 and status["stands"] == 1
    assert "error -4" in run.text


def test_without_words_everything_is_off(tmp_path, config):
    """Core 0 holds the core for ever: planning ends, the ring runs dry, which is a missed deadline."""
    run, _ = play(tmp_path, config, CURVE, [(5_000, "HEATER", 0, 1000), (150_000, "SEIZE")], lease_ms=1000)
    assert run.status["fault"] == LATE
    last = run.edges.rises(ports.STEP_PINS[0])[-1]
    off = run.edges.falls(ports.HEATER_PIN)
    assert len(off) == 1 and abs(off[0] - last) < 0.01 * ports.MHZ * 1e6
    assert not int(run.edges.levels[-1]) & sum(1 << pin for pin in [*ports.STEP_PINS, ports.HEATER_PIN])


def heater_off_s(run):
    """When the heater, which was on once, went off for good."""
    (off,) = run.edges.falls(ports.HEATER_PIN)
    assert len(run.edges.rises(ports.HEATER_PIN)) == 1
    assert not int(run.edges.levels[-1]) & sum(1 << pin for pin in [*ports.STEP_PINS, ports.HEATER_PIN])
    return off / ports.MHZ / 1e6


def test_core_0_dies_in_a_call_of_the_port(tmp_path, config):
    """It holds the port's lock for ever, so no words are made: the ring runs dry, long before the lease ends."""
    run, _ = play(tmp_path, config, CURVE, [(5_000, "HEATER", 0, 1000), (120_000, "GRAB")], cycles=60_000_000, lease_ms=1000)
    assert heater_off_s(run) < 0.25


def test_planning_that_fails_puts_everything_off(tmp_path, config):
    run, _ = play(tmp_path, config, CURVE, [(5_000, "HEATER", 0, 1000), (120_000, "BREAK")], lease_ms=1000)
    assert run.status["fault"] == CORE
    assert heater_off_s(run) < 0.25


def test_a_crash_of_core_1_puts_everything_off(tmp_path, config):
    run, _ = play(tmp_path, config, CURVE, [(5_000, "HEATER", 0, 1000), (120_000, "CRASH")], lease_ms=1000)
    assert run.status["fault"] == CORE
    assert heater_off_s(run) < 0.25


def test_the_watchdog_resets_a_chip_whose_planning_hangs(tmp_path, config):
    """Interrupts go on, so motion ends in a stop and the lease would still end the heater; the reset is earlier, and releases all pins."""
    script = [(5_000, "HEATER", 0, 1000), (100_000, "HANG"), (900_000, "STATUS")]
    run, _ = play(tmp_path, config, CURVE, script, cycles=200_000_000, lease_ms=1000, watchdog_ms=200)
    assert run.tail["reset"] is not None
    assert 0.25 < run.tail["reset"] / ports.MHZ / 1e6 < 0.35
    assert len(run.edges.falls(ports.HEATER_PIN)) == 0


def test_a_fault_that_is_asked_for(tmp_path, config):
    run, _ = play(tmp_path, config, LINE, [(5_000, "HEATER", 0, 1000), (120_000, "FAULT")], lease_ms=1000)
    assert run.status["fault"] == ASKED
    assert len(run.edges.falls(ports.HEATER_PIN)) == 1
    assert not int(run.edges.levels[-1]) & sum(1 << pin for pin in [*ports.STEP_PINS, ports.HEATER_PIN])


@pytest.mark.parametrize("features, machine", [("plain", "sim-cartesian"), ("shaped", "sim-corexy"), ("whole", "sim-delta")])
def test_flash_may_fail_while_it_moves(features, machine, tmp_path):
    config = targets.machine_config(machine, **SMALL)
    script = [(60_000, "FLASH", 400_000)]
    run, stream = play(tmp_path, config, b"G1 X26 Y10 E1 F3600\n", script, cycles=200_000_000, features=features, ring_words=4096)
    assert run.status["us"] > 460_000 and run.edges.rises(ports.STEP_PINS[0])[-1] > 0.46 * ports.MHZ * 1e6
    late, _ = ports.against(stream, run.edges, config["tick_hz"])
    assert run.status["fault"] == NONE
    assert np.abs(late).max() <= LEAST / 2 + 1


def test_a_gate_stops_its_motor_on_the_step(tmp_path, config):
    """x stops with the step that closes its switch, y goes on; the count is that of the edge."""
    text = b"G1 X-12 Y6 F1800\n"
    switch = {"pin": ports.SWITCH_PIN, "level": 1, "step_pin": ports.STEP_PINS[0], "after": 313}
    run, stream = play(tmp_path, config, text, switches=[switch], side_gates=[0])
    assert run.status["triggered"] == 1
    assert len(run.edges.rises(ports.STEP_PINS[0])) == 313
    assert run.status["count"][:2] == [-313, 480] and run.status["trigger_count"][0] == -313
    assert len(run.edges.rises(ports.STEP_PINS[1])) == len(stream.ticks[1]) == 480
    check_pulses(run)


def test_the_chip_divides_by_the_core(tmp_path):
    """The compiler's quotients and rests of 64 bits, signed and not."""
    image = targets.bare.image(targets.bare.TARGETS["m0plus"], [targets.HERE / "divide.c"], tmp_path / "image.elf", "-Os")
    assert "divided" in targets.run_bare("m0plus", image)


@pytest.mark.parametrize("features, most", [("plain", 31_744), ("whole", 49_152)])
def test_what_moves_is_in_ram(features, most, tmp_path, config):
    """All that core 1 reaches.  The most is what was reached, not the budget of 24 KiB."""
    ports.rp2_image(tmp_path, config, CORNERS, features=features)
    assert 8_000 < ports.ram_code_bytes(tmp_path / "port.elf") <= most
