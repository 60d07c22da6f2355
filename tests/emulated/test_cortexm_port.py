"""The portable Cortex-M port under QEMU: what its interrupts wrote to pins, with the timer's stamps, against the core's stream.

QEMU does not count cycles, so order and stream are checked, and stamps as QEMU's clock has them (8 ns an instruction); how long a
real chip takes to enter an interrupt is not.
"""

import numpy as np
import pytest

from tests.emulated import helpers_ports as ports
from tests.emulated import helpers_targets as targets
from tests.emulated.test_rp2_port import CORNERS, CURVE, LINE, NONE, SMALL, check_marks

LEAST_US, SETUP_US, PULSE_US = 2.2, 1.0, 0.2
LATE, CORE, ASKED = 2, 3, 4


@pytest.fixture
def config():
    return targets.machine_config("sim-cartesian", **SMALL)


def mhz(name):
    return targets.bare.TARGETS[name].systick_hz / 1e6


def check_pulses(run, name):
    for motor in range(ports.MOTORS):
        rises, falls = run.edges.rises(motor) / mhz(name), run.edges.falls(motor) / mhz(name)
        if not len(rises):
            continue
        turns = run.edges.pin(8 + motor)[0] / mhz(name)
        assert (falls - rises).min() >= PULSE_US and (rises[1:] - falls[:-1]).min() >= PULSE_US
        after, before = np.searchsorted(rises, turns), np.searchsorted(rises, turns) - 1
        assert (rises[after[after < len(rises)]] - turns[after < len(rises)]).min(initial=SETUP_US) >= SETUP_US
        assert (turns[before >= 0] - rises[before[before >= 0]]).min(initial=PULSE_US) >= PULSE_US


def warp(stream, run, name, motor):
    cycles = run.edges.rises(motor)
    ticks = stream.ticks[motor][: len(cycles)]
    return (ticks - ticks[0]) / 16e6, (cycles - cycles[0]) / mhz(name) / 1e6


@pytest.mark.parametrize("name", ["m3", "m4f", "m7", "m33"])
def test_steps_are_the_stream(name, tmp_path, config):
    run = ports.run_cm(tmp_path, name, config, CORNERS)
    stream = ports.stream(tmp_path, config, CORNERS)
    late, origin = ports.against(stream, run.edges, config["tick_hz"], mhz(name), ports.CM_STEP_PINS, ports.CM_DIR_PINS)
    assert run.status["fault"] == NONE and run.status["starvations"] == 0
    check_marks(run, origin / mhz(name))
    assert np.abs(late).max() / mhz(name) <= LEAST_US / 2 + 1.5
    assert run.status["count"] == [int(d.sum()) for d in stream.directions]
    check_pulses(run, name)


def test_hold_and_starvation_give_the_same_steps_later(tmp_path, config):
    script = [(2_000, "STALL", 500_000), (600_000, "HOLD"), (800_000, "RESUME")]
    run, stream = ports.run_cm(tmp_path, "m4f", config, CURVE, script), ports.stream(tmp_path, config, CURVE)
    assert run.status["fault"] == NONE and run.status["starvations"] >= 1
    assert run.status["count"] == [int(d.sum()) for d in stream.directions]
    check_pulses(run, "m4f")
    for motor in (0, 1):
        plan, machine = warp(stream, run, "m4f", motor)
        assert len(plan) == len(stream.ticks[motor])
        ports.check_rate(plan, machine)
        assert machine[-1] - plan[-1] > 0.05


def test_quick_stop_and_lease(tmp_path, config):
    script = [(5_000, "STATUS"), (5_000, "HEATER", 0, 1000), (60_000, "QUICK"), (230_000, "STATUS"), (231_000, "RESUME")]
    run, stream = ports.run_cm(tmp_path, "m33", config, LINE, script, lease_ms=100), ports.stream(tmp_path, config, LINE)
    assert "error -4" in run.text
    assert (run.status["stands"], run.status["rate"], run.status["expired"], run.status["fault"]) == (1, 0, 1, NONE)
    x = run.edges.rises(0)
    assert 50 < len(x) < len(stream.ticks[0])
    assert run.status["count"][:2] == [len(x), len(run.edges.rises(1))]
    ports.check_rate(*warp(stream, run, "m33", 0))
    off = run.edges.falls(ports.CM_HEATER_PIN) / mhz("m33")
    assert len(off) == 1 and 0 <= off[0] - (run.statuses[0]["us"] + 100_000) < 1_500  # the pump looks every millisecond


@pytest.mark.parametrize("operation, fault", [("SEIZE", LATE), ("BREAK", CORE), ("FAULT", ASKED)])
def test_faults_put_everything_off(operation, fault, tmp_path, config):
    script = [(5_000, "HEATER", 0, 1000), (150_000, operation)]
    run = ports.run_cm(tmp_path, "m3", config, CURVE, script, lease_ms=1000)
    assert run.status["fault"] == fault
    assert len(run.edges.falls(ports.CM_HEATER_PIN)) == 1
    assert not int(run.edges.levels[-1]) & 0x100FF
    assert len(run.edges.rises(0)) > 50


def test_a_crash_of_the_firmware_puts_everything_off(tmp_path, config):
    """A hard fault in thread mode, which lets no interrupt in any more."""
    script = [(5_000, "HEATER", 0, 1000), (150_000, "CRASH"), (300_000, "STATUS")]
    run = ports.run_cm(tmp_path, "m4f", config, CURVE, script, lease_ms=1000)
    assert run.statuses == []
    assert len(run.edges.falls(ports.CM_HEATER_PIN)) == 1
    assert not int(run.edges.levels[-1]) & 0x100FF
    assert len(run.edges.rises(0)) > 50


def test_a_gate_stops_its_motor_on_the_step(tmp_path, config):
    text = b"G1 X-12 Y6 F1800\n"
    run = ports.run_cm(tmp_path, "m7", config, text, side_gates=[0], switch=313)
    assert run.status["triggered"] == 1 and run.status["trigger_count"][0] == -313
    assert run.status["count"][:2] == [-313, 480]
    assert (len(run.edges.rises(0)), len(run.edges.rises(1))) == (313, 480)
