"""Several extruders on one machine, firmware retraction, and what operators change while it prints."""

import asyncio
from pathlib import Path

import pytest

from firmware.ipp import codec, tags, values
from firmware.jobs import states
from firmware.motion.overrides import OverrideError
from tests.firmware.helpers_printing import SAFE, Printer, direct_digest, material

TWO = str(Path(__file__).resolve().parent.parent / "vectors" / "machines" / "two-tools.json")

# both nozzles, each with its own temperature; retractions by G10 around the changes
CHANGES = b"""M140 S60
M104 T0 S215
M104 T1 S230
G28
M109 S215
G90
M82
G92 E0
G1 X60 Y60 Z0.3 F6000
G1 X90 E1.2 F1800
G10
M109 T1 S230
T1
G92 E0
G1 X100 Y80 F9000
G11
G1 X130 E1.2 F1800
G10
M104 S0
T0
G1 X90 Y100 F9000
G11
G2 X70 Y120 I-20 E2.5 F1200
M104 S0
M140 S0
"""


def run(coroutine):
    return asyncio.run(coroutine)


def test_two_tools_print_as_the_core_plans_it():
    async def go():
        async with Printer(TWO) as printer:
            told = []
            heating = printer.app.heating
            set_target = heating.set_target

            def see_target(name, target_c):
                told.append((name, target_c))
                set_target(name, target_c)

            heating.set_target = see_target
            job = await printer.print(CHANGES)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(CHANGES, TWO)
            assert printer.is_safe()
            wanted = [("nozzle", 215), ("nozzle1", 230), ("nozzle", 215), ("nozzle1", 230), ("nozzle1", 0), ("nozzle", 0)]
            assert [pair for pair in told if pair[0] != "bed"] == wanted
            assert heating.peak_c("nozzle1") > 225
            assert heating.readings()[2][0] == "nozzle1"

    run(go())


def test_the_other_nozzle_is_as_cold_as_the_first():
    """A document that pushes with a tool that it has switched off is refused, with the place."""
    text = CHANGES.replace(b"M109 T1 S230\n", b"M104 T1 S0\n")

    async def go():
        async with Printer(TWO) as printer:
            job = await printer.print(text)
            assert job.state == states.ABORTED
            assert job.message.startswith("line 17, column 9: G1: the nozzle is too cold"), job.message
            assert printer.is_safe()

    run(go())


def two_materials(*values):
    """A ticket with a material for each tool: (key, degC)."""
    members = [
        (tags.COLLECTION, [("material-key", [(tags.KEYWORD, key)]), ("material-temperature", [(tags.INTEGER, nozzle_c)])])
        for key, nozzle_c in values
    ]
    return {"materials-col": codec.attribute_of("materials-col", members)}


def test_each_tool_has_its_own_material():
    """materials-col, the second value for T1 (PWG 5100.21-2019 section 6.1): asked for, limited and told by tool."""
    text = b"G28\nG1 X60 Y60 Z0.3 F6000\nG1 X90 E1.2 F1800\nT1\nG1 X60 E2.4\n"

    async def go():
        async with Printer(TWO) as printer:
            known = printer.app.materials
            known.ready = [known.by_key("pla"), known.by_key("petg")]
            job = await printer.print(text, SAFE, two_materials(("pla", 205), ("petg", 230)))
            assert job.state == states.COMPLETED, job.message
            heating = printer.app.heating
            assert heating.peak_c("nozzle") < 220 < heating.peak_c("nozzle1")
            told = [dict(members) for _, members in values.decoded(job.ticket["materials-col-actual"])]
            assert [one["material-key"][0][1] for one in told] == [b"pla", b"petg"]
            assert [one["material-temperature"][0][1] for one in told] == [205, 230]
            # 240 degC suits PETG, not PLA
            job = await printer.print(b"G28\nM104 T1 S240\n", ticket=two_materials(("pla", 205), ("petg", 230)))
            assert job.state == states.COMPLETED, job.message
            job = await printer.print(b"G28\nM104 T0 S240\n", ticket=two_materials(("pla", 205), ("petg", 230)))
            assert job.state == states.ABORTED and "above the limit of 235 degC" in job.message

    run(go())


def test_a_tool_without_its_material_is_waited_for():
    async def go():
        async with Printer(TWO) as printer:
            known = printer.app.materials
            known.ready = [known.by_key("pla"), known.by_key("pla")]
            job = await printer.submit(b"G28\nG1 X60 F6000\n", ticket=two_materials(("pla", 205), ("petg", 230)))
            await printer.until(lambda: job.state == states.PROCESSING_STOPPED)
            assert job.message == "load PETG in T1, then resume the printer (PLA is loaded)"
            assert printer.runner.resume()
            await printer.until(lambda: job.state == states.COMPLETED)
            assert known.keys() == "pla,petg" and printer.app.config.get("material") == "pla,petg"

    run(go())


def test_safe_gcode_heats_each_tool_that_it_uses():
    text = b"G28\nG1 X60 Y60 Z0.3 F6000\nG1 X90 E1.2 F1800\nT1\nG1 X60 E2.4\n"

    async def go():
        async with Printer(TWO) as printer:
            job = await printer.print(text, SAFE, material("pla", 225))
            assert job.state == states.COMPLETED, job.message
            assert printer.app.heating.peak_c("nozzle1") > 220

    run(go())


@pytest.mark.parametrize(
    "text, message",
    [
        (b"G28\nT2\n", "line 2, column 1: T2: this machine has no such tool"),
        (b"G28\nM104 T1 S251\n", "251 degC is above the limit of 235 degC for the nozzle1"),
        (b"G28\nM104 T2 S200\n", "names a tool that this machine does not have"),
        (b"G28\nT1\nG1 X17 Y10 F600\n", "line 3, column 4: G1: the move leaves the print volume"),
        (b"G28\nG10 S1\n", "line 2, column 5: G10: not allowed in this document format"),
    ],
)
def test_bad_tools_are_refused_before_anything_moves(text, message):
    async def go():
        async with Printer(TWO) as printer:
            job = await printer.print(text)
            assert job.state == states.ABORTED
            assert message in job.message
            assert not printer.runner.homed

    run(go())


def test_without_firmware_retraction_its_commands_are_refused():
    async def go():
        async with Printer() as printer:
            job = await printer.print(b"G28\nG10\n")
            assert "line 2, column 1: G10: this machine has no firmware retraction" in job.message

    run(go())


def test_operators_change_speed_flow_and_height():
    lines = b"".join(b"G1 X%d Y%d E0.1\n" % (50 + i % 2 * 50, 50 + i // 2 % 100) for i in range(3000))
    text = b"M104 S210\nM140 S60\nG28\nM109 S210\nM83\nG1 X50 Y50 Z1 F12000\n" + lines

    async def go():
        async with Printer() as printer:
            overrides = printer.runner.overrides
            job = await printer.submit(text)
            await printer.until(lambda: printer.status.progress > 10)
            overrides.set_speed(50)
            overrides.set_flow(120)
            overrides.set_baby(-150)
            status = printer.machine.core.status()
            before_nm, moves = status.position_nm(3), status.moves
            await printer.until(lambda: printer.machine.core.status().moves > moves + 500)
            status = printer.machine.core.status()
            assert status.position_nm(2) == 850000
            assert status.position_nm(3) - before_nm == (status.moves - moves) * 120000
            ended = await printer.ended(job)
            assert ended.state == states.COMPLETED, ended.message
            again = await printer.print(text[: text.find(b"G1")] + b"G1 X50 Y50 Z1 F12000\nG1 X60 E.1\n")
            assert again.state == states.COMPLETED
            assert (overrides.speed_percent, overrides.flow_percent, overrides.baby_um) == (100, 100, 0)

    run(go())


@pytest.mark.parametrize("name, bad", [("speed", (9, 301, 99.5)), ("flow", (49, 151, None)), ("baby", (-2001, 2001, "1"))])
def test_overrides_have_limits(name, bad):
    async def go():
        async with Printer() as printer:
            for value in bad:
                with pytest.raises(OverrideError, match="whole number from"):
                    getattr(printer.runner.overrides, "set_" + name)(value)

    run(go())
