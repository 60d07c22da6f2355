"""The place that stops the machine: what it says, what it switches off, what forgets a stop."""

import pytest

from firmware.safety.supervisor import Supervisor
from firmware.thermal.control import Heating
from firmware.thermal.errors import Fault
from hal import factory
from hal.sim import SimOptions, build
from tests.firmware.helpers_printing import NoNet

TEN_MS = 160000


@pytest.fixture
def parts():
    machine = build(factory.describe("sim-corexy"), SimOptions(net=NoNet()))
    heating = Heating(machine)
    yield machine, heating, Supervisor(machine, heating)
    machine.close()


@pytest.mark.parametrize("heater, unit", [("nozzle", "extruder"), ("bed", "platform"), ("chamber", "chamber")])
@pytest.mark.parametrize(
    "kind, reason", [("open", "failure"), ("short", "failure"), ("max", "temperature-high"), ("min", "temperature-low")]
)
def test_reasons_are_registered_keywords(parts, heater, unit, kind, reason):
    _, _, supervisor = parts
    supervisor.thermal_fault(Fault(heater, kind, 300.0, 285.0))
    assert supervisor.reasons == ["%s-%s-error" % (unit, reason)]
    assert heater in supervisor.message


def test_a_stop_switches_off_and_holds_the_motion(parts):
    machine, heating, supervisor = parts
    core, port = machine.core, machine.core.port
    heating.set_target("nozzle", 200)
    heating.tick(0)
    assert machine.heaters["nozzle"].duty() > 0
    core.begin()
    text = bytearray(b"G1 X200 F6000\n")
    core.feed(text, 0, len(text))
    core.flush()
    port.advance(10 * TEN_MS)
    assert port.status().rate_q32 and port.status().pulses(0)
    supervisor.stop(["other-error"], "a test")
    supervisor.stop(["another-error"], "what came after it")
    assert supervisor.latched and supervisor.reasons == ["other-error"] and supervisor.message == "a test"
    assert machine.heaters["nozzle"].duty() == 0 and heating.target_c("nozzle") == 0
    port.advance(100 * TEN_MS)
    status = port.status()
    assert status.rate_q32 == 0 and status.fault == 0 and status.hard_stops == 0
    before = status.pulses(0)
    port.advance(100 * TEN_MS, True)
    assert port.status().pulses(0) == before
    assert supervisor.clear() and not supervisor.latched and supervisor.message == ""


def test_a_fault_of_the_port_stays(parts):
    machine, _, supervisor = parts
    assert supervisor.check_port() is False and not supervisor.latched
    machine.core.port.fault()
    assert supervisor.check_port() is False
    assert supervisor.fatal and supervisor.latched and "switch the printer off" in supervisor.message
    assert not supervisor.clear() and supervisor.latched


def test_an_expired_lease_is_a_pause_not_a_stop(parts):
    machine, heating, supervisor = parts
    heating.set_target("nozzle", 200)
    heating.tick(0)
    machine.core.port.advance(160 * TEN_MS, True)
    assert supervisor.check_port() is True and not supervisor.latched
    assert machine.heaters["nozzle"].duty() == 0
    assert supervisor.clear() and supervisor.check_port() is False
    heating.tick(100)
    assert machine.heaters["nozzle"].duty() > 0
