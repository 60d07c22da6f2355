"""Jobs on the simulated machine, from queue to steps: every end, pause, cancel, and what the step stream is whatever happens."""

import asyncio

import pytest

from firmware.jobs import states
from tests.firmware.helpers_printing import SAFE, SLICED, SQUARE, Printer, direct_digest, integer, material


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.mark.parametrize("machine", ["sim-cartesian", "sim-corexy"])
@pytest.mark.parametrize("name", ["prusa_cube", "prusa_plate_arcs", "cura_cube", "prusa_vase_spiral"])
def test_sliced_file_prints_as_the_core_plans_it(machine, name):
    data = (SLICED / (name + ".gcode")).read_bytes()

    async def go():
        async with Printer(machine) as printer:
            job = await printer.print(data)
            assert job.state == states.COMPLETED, job.message
            assert job.progress == 100 and job.layer > 0
            assert printer.digest == direct_digest(data, machine)
            port = printer.port.status()
            assert (port.starvations, port.hard_stops, port.fault) == (0, 0, 0)
            assert printer.is_safe()
            assert printer.status.printer_state == 3 and printer.status.state_reasons == []

    run(go())


def test_marks_heat_and_fan_act_in_their_places():
    async def go():
        async with Printer() as printer:
            told = []
            fan, heating = printer.machine.fans["part"], printer.app.heating
            set_fan, set_target = fan.set, heating.set_target

            def place():
                return printer.status.layer, printer.app.motion.place_nm()[2] // 1000

            def see_fan(permille):
                told.append(("fan", permille, *place()))
                set_fan(permille)

            def see_target(name, target_c):
                told.append((name, target_c, *place()))
                set_target(name, target_c)

            fan.set, heating.set_target = see_fan, see_target
            job = await printer.print(SQUARE)
            assert job.state == states.COMPLETED, job.message
            during = [entry for entry in told if entry[2] is not None]
            assert during[0] == ("fan", 502, 1, 0)
            assert during[1] == ("fan", 0, 2, 400)
            assert during[2] == ("nozzle", 0, 2, 400)
            assert during[3] == ("bed", 0, 2, 400)
            before = [entry[:2] for entry in told if entry[2] is None]
            assert before[:2] == [("nozzle", 210), ("bed", 60)]
            assert 205 < heating.peak_c("nozzle") < 225

    run(go())


def test_a_second_job_starts_from_home_again():
    async def go():
        async with Printer() as printer:
            digests = []
            for _ in range(2):
                job = await printer.print(SQUARE)
                assert job.state == states.COMPLETED, job.message
                digests.append(printer.digest)
                # parked: back left, above the print
                assert printer.status.position_um[:2] == [0, 235000]
            assert digests[0] == digests[1] == direct_digest(SQUARE)
            status = printer.port.status()
            assert [status.count(m) for m in range(3)] == [status.physical(m) for m in range(3)]

    run(go())


def test_pause_and_resume_leave_the_stream_as_it_is():
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        async with Printer() as printer:
            job = await printer.submit(data)
            for layer in (2, 5):
                await printer.until(lambda layer=layer: (printer.status.layer or 0) >= layer)
                printer.runner.pause()
                await printer.until(lambda: printer.status.printer_state == 5)
                assert printer.status.state_reasons == ["paused"]
                assert job.state == states.PROCESSING_STOPPED and states.PRINTER_STOPPED in job.reasons
                assert printer.port.status().rate_q32 == 0
                assert printer.app.heating.target_c("nozzle") == 215
                before = printer.port.status().played_tick
                await asyncio.sleep(0.25)
                assert printer.port.status().played_tick == before
                assert printer.runner.resume()
                await printer.until(lambda: job.state == states.PROCESSING)
            job = await printer.ended(job)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(data)

    run(go())


def test_a_suspended_job_stands_until_it_is_resumed_and_leaves_the_stream_as_it_is():
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        async with Printer() as printer:
            job = await printer.submit(data)
            await printer.until(lambda: (printer.status.layer or 0) >= 2)
            assert printer.runner.suspend(job) and not printer.runner.suspend(job)
            await printer.until(lambda: job.state == states.PROCESSING_STOPPED)
            assert job.reasons[0] == "job-suspended" and printer.status.printer_state == 5
            # neither pausing nor resuming the printer moves it
            printer.runner.pause()
            await printer.until(lambda: states.PRINTER_STOPPED in job.reasons)
            assert printer.runner.resume()
            await printer.until(lambda: states.PRINTER_STOPPED not in job.reasons)
            assert job.state == states.PROCESSING_STOPPED
            assert printer.runner.resume_job(job) and not printer.runner.resume_job(job)
            job = await printer.ended(job)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(data)

    run(go())


def test_pause_after_the_current_job():
    async def go():
        async with Printer() as printer:
            job = await printer.submit(SQUARE)
            await printer.until(lambda: job.state == states.PROCESSING)
            printer.runner.pause_after()
            other = await printer.submit(SQUARE)
            assert "moving-to-paused" in printer.status.state_reasons
            assert (await printer.ended(job)).state == states.COMPLETED
            await printer.until(lambda: printer.status.printer_state == 5)
            assert printer.status.state_reasons == ["paused"] and other.state == states.PENDING
            printer.runner.resume()
            assert (await printer.ended(other)).state == states.COMPLETED

    run(go())


def test_restart_aborts_the_job_and_begins_anew():
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        async with Printer() as printer:
            job = await printer.submit(data)
            await printer.until(lambda: (printer.status.layer or 0) >= 2)
            printer.runner.pause()
            printer.runner.restart()
            job = await printer.ended(job)
            assert job.state == states.ABORTED and "restarted" in job.message
            assert printer.is_safe()
            await printer.until(lambda: printer.status.printer_state == 3)
            assert (await printer.print(SQUARE)).state == states.COMPLETED

    run(go())


def test_identify_is_told_for_a_while():
    async def go():
        async with Printer() as printer:
            printer.runner.identify([], "over here")
            assert printer.status.state_reasons == ["identify-printer-requested"]
            assert printer.status.state_message == "over here"

    run(go())


def test_paused_printer_starts_nothing():
    async def go():
        async with Printer() as printer:
            printer.runner.pause()
            job = await printer.submit(SQUARE)
            await printer.until(lambda: job.checked)
            await asyncio.sleep(0.25)
            assert job.state == states.PENDING and printer.status.printer_state == 5
            printer.runner.resume()
            assert (await printer.ended(job)).state == states.COMPLETED

    run(go())


def test_cancel_ends_the_job_and_the_next_one_prints():
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        async with Printer() as printer:
            job = await printer.submit(data)
            await printer.until(lambda: (printer.status.layer or 0) >= 3)
            assert not printer.queue.cancel(job)
            printer.runner.cancel(job)
            job = await printer.ended(job)
            assert job.state == states.CANCELED and states.CANCELED_BY_USER in job.reasons
            assert printer.is_safe()
            assert sum(printer.machine.trace.steps) > 1000
            assert printer.port.status().hard_stops == 0
            job = await printer.print(SQUARE)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(SQUARE)

    run(go())


@pytest.mark.parametrize("when", ["heating", "paused", "homing"])
def test_cancel_at_any_time(when):
    async def go():
        async with Printer() as printer:
            job = await printer.submit(SQUARE)
            if when == "homing":
                await printer.until(lambda: job.state == states.PROCESSING and not printer.runner.homed)
            else:
                await printer.until(lambda: any("heating" in reason for reason in printer.status.state_reasons))
            if when == "paused":
                printer.runner.pause()
                await printer.until(lambda: job.state == states.PROCESSING_STOPPED)
            printer.queue.cancel(job)
            job = await printer.ended(job)
            assert job.state == states.CANCELED and printer.is_safe()
            printer.runner.resume()
            assert (await printer.print(SQUARE)).state == states.COMPLETED

    run(go())


def test_cancel_while_the_document_homes():
    data = SQUARE.replace(b";LAYER_CHANGE\nG1 Z0.4", b"G28 X\nG28\nG1 Z0.4 F600")

    async def go():
        async with Printer(pace=50) as printer:
            job = await printer.submit(data)
            await printer.until(lambda: (printer.status.layer or 0) >= 1)
            await printer.until(lambda: not printer.runner.homed)
            printer.queue.cancel(job)
            job = await printer.ended(job)
            assert job.state == states.CANCELED and printer.is_safe()
        async with Printer() as printer:
            assert (await printer.print(data)).state == states.COMPLETED
            assert printer.digest == direct_digest(data)
            status = printer.port.status()
            assert all(abs(status.count(m) - status.physical(m)) <= 1 for m in range(3))

    run(go())


@pytest.mark.parametrize(
    "fault, reason, text",
    [
        ("sensor-open:nozzle@60", "extruder-failure-error", "nozzle"),
        ("sensor-short:bed@60", "platform-failure-error", "bed"),
        ("heater-stuck-on:nozzle@60", "extruder-temperature-high-error", "nozzle"),
    ],
)
def test_thermal_fault_stops_the_machine(fault, reason, text):
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        async with Printer(faults=[fault]) as printer:
            job = await printer.submit(data)
            waiting = await printer.submit(SQUARE)
            job = await printer.ended(job)
            assert job.state == states.ABORTED and states.ABORTED_BY_SYSTEM in job.reasons
            assert text in job.message
            assert printer.is_safe()
            assert printer.status.printer_state == 5 and printer.status.state_reasons == [reason]
            assert text in printer.status.state_message
            await asyncio.sleep(0.25)
            assert waiting.state == states.PENDING
            # the cause is still there: resuming does not help
            printer.runner.resume()
            await printer.until(lambda: printer.app.supervisor.latched)
            assert printer.is_safe() and not states.ended(waiting.state) or waiting.state == states.ABORTED

    run(go())


@pytest.mark.parametrize("fault", ["endstop-stuck:x=open", "endstop-stuck:y=closed", "endstop-stuck:z=open"])
def test_homing_that_fails_stops_the_machine(fault):
    async def go():
        async with Printer(faults=[fault]) as printer:
            job = await printer.print(SQUARE)
            assert job.state == states.ABORTED and "axis " + fault[14] in job.message
            assert printer.status.state_reasons == ["motor-failure-error"]
            assert printer.is_safe()

    run(go())


def test_extrusion_with_the_nozzle_off_is_refused_before_anything_moves():
    data = b"G28\nM109 S200\nM104 S0\nM109 S0\nG4 S600\nG1 X50 Y50 F6000\nM83\nG1 X60 E2 F1200\nG1 X70 E2\n"

    async def go():
        async with Printer() as printer:
            job = await printer.print(data)
            assert job.state == states.ABORTED and states.DOCUMENT_UNPRINTABLE_ERROR in job.reasons
            assert job.message.startswith("line 8, column 8: G1: the nozzle is too cold")
            assert job.processing_s is None and printer.app.heating.target_c("nozzle") == 0
            assert printer.is_safe()

    run(go())


def test_document_without_temperatures_gets_those_of_the_material():
    data = b"G28\nG21\nG90\nM83\nG1 X50 Y50 Z0.3 F6000\nG1 X60 E0.4 F1200\nG1 Y60 E0.4\n"

    async def go():
        async with Printer() as printer:
            job = await printer.print(data)
            assert job.state == states.COMPLETED, job.message
            assert printer.app.heating.peak_c("nozzle") > 205
            assert printer.digest == direct_digest(data)

    run(go())


def test_the_ticket_wins_over_the_document():
    ticket = dict(material("pla", 225), **integer("platform-temperature", 70))

    async def go():
        async with Printer() as printer:
            job = await printer.submit(SQUARE, ticket=ticket)
            seen = set()

            def look():
                seen.add((printer.app.heating.target_c("nozzle"), printer.app.heating.target_c("bed")))
                return states.ended(job.state)

            await printer.until(look)
            assert seen - {(0, 0)} == {(225, 70), (0, 70)} or seen - {(0, 0)} == {(225, 70)}
            assert printer.digest == direct_digest(SQUARE)
            assert "materials-col-actual" in printer.queue.get(job.id).ticket

    run(go())


def test_safe_gcode_is_heated_by_the_ticket_alone():
    data = b"G21\nG90\nM83\nM104 S100\nG28\nG1 X50 Y50 Z0.3 F6000\nG1 X60 E0.4 F1200\n"

    async def go():
        async with Printer() as printer:
            job = await printer.print(data, SAFE)
            assert job.state == states.COMPLETED, job.message
            assert printer.app.heating.peak_c("nozzle") > 205 and printer.app.heating.peak_c("bed") > 55
            assert printer.digest == direct_digest(data, dialect=1)
            assert states.WARNINGS_DETECTED in job.reasons

    run(go())


def test_a_material_that_is_not_loaded_waits_for_the_operator():
    async def go():
        async with Printer() as printer:
            job = await printer.submit(SQUARE.replace(b"210", b"240"), ticket=material("petg"))
            await printer.until(lambda: job.state == states.PROCESSING_STOPPED)
            await printer.until(lambda: printer.status.printer_state == 5)
            assert "material-needed" in printer.status.state_reasons
            assert "PETG" in job.message
            assert printer.runner.resume()
            job = await printer.ended(job)
            assert job.state == states.COMPLETED, job.message

    run(go())


def test_a_short_absence_of_control_does_no_harm():
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        async with Printer(faults=["stall=900@150"]) as printer:
            job = await printer.print(data)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(data)
            assert printer.port.status().hard_stops == 0
            starved = printer.port.status().starvations
            assert ("wait for data" in job.message) == (starved > 0)

    run(go())


def test_motion_that_waited_for_data_is_told(tmp_path):
    data = (SLICED / "prusa_vase_spiral.gcode").read_bytes()
    machine = tmp_path / "little.json"
    rings = '{"segments": 0, "runs": 16, "queue_runs": 16}'
    machine.write_text('{"from": "sim-cartesian", "printer": {"motion": {"look_ahead": 16}}, "pcb": {"rings": %s}}' % rings)

    async def go():
        async with Printer(str(machine), faults=["stall=1300@%d" % at for at in range(140, 320, 10)]) as printer:
            job = await printer.print(data)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(data, str(machine))
            assert printer.port.status().starvations > 0 and "wait for data" in job.message
            assert states.COMPLETED_WITH_WARNINGS in job.reasons

    run(go())


def test_an_expired_lease_pauses_and_the_print_can_go_on():
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        async with Printer(faults=["stall=2500@150"]) as printer:
            job = await printer.submit(data)
            await printer.until(lambda: printer.status.printer_state == 5)
            assert job.state == states.PROCESSING_STOPPED and "absent" in job.message
            assert printer.machine.heaters["nozzle"].duty() == 0
            assert printer.runner.resume()
            job = await printer.ended(job)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(data)
            assert printer.is_safe()

    run(go())


def test_shutting_down_aborts_the_job_and_leaves_the_machine_safe():
    data = (SLICED / "prusa_cube.gcode").read_bytes()

    async def go():
        printer = Printer()
        await printer.app.start()
        job = await printer.submit(data)
        await printer.until(lambda: (printer.status.layer or 0) >= 2)
        await printer.app.stop()
        assert printer.is_safe()
        job = printer.queue.get(job.id)
        assert job.state == states.ABORTED and "switched off" in job.message
        printer.machine.close()

    run(go())


def test_progress_and_time_left_of_the_document_win():
    data = b"G28\nM73 P10 R50\nG1 X50 F600\nM73 P40 R20\nG1 X100\n"

    async def go():
        # slow enough for every beat to be seen
        async with Printer(pace=50) as printer:
            job = await printer.submit(data)
            seen = []

            def look():
                if printer.status.time_left_s is not None:
                    now = (printer.status.progress, printer.status.time_left_s)
                    if not seen or seen[-1] != now:
                        seen.append(now)
                return states.ended(job.state)

            await printer.until(look)
            # between what the document says, the clock counts down
            for percent, told_s in ((10, 3000), (40, 1200)):
                lefts = [left for progress, left in seen if progress == percent]
                assert told_s - 5 < lefts[0] <= told_s
                assert lefts == sorted(lefts, reverse=True) and lefts[-1] < lefts[0]

    run(go())


def test_a_failure_inside_the_firmware_stops_the_machine(capsys):
    async def go():
        async with Printer() as printer:

            class Broken:
                """A reader that fails as nothing should."""

                def readinto(self, buf):
                    raise RuntimeError("broken on purpose")

                def close(self):
                    pass

            job = await printer.submit(SQUARE)
            await printer.until(lambda: job.checked)
            printer.queue.open_reader = lambda job, index: Broken()
            job = await printer.ended(job)
            assert job.state == states.ABORTED and "internal failure" in job.message
            assert printer.is_safe() and printer.status.printer_state == 5

    run(go())
    assert "broken on purpose" in capsys.readouterr().err


def test_text_that_went_bad_after_the_check_ends_at_the_last_good_move():
    good = b"G28\nG21\nG90\nG1 X50 Y50 F6000\nG1 X100 F3000\nG1 Y100\n"

    async def go():
        async with Printer() as printer:

            class Damaged:
                """What the checker read was another text."""

                def __init__(self):
                    self.left = [good + b"G1 X900\nG1 X10\n"]

                def readinto(self, buf):
                    if not self.left:
                        return 0
                    text = self.left.pop()
                    buf[: len(text)] = text
                    return len(text)

                def close(self):
                    pass

            job = await printer.submit(good)
            await printer.until(lambda: job.checked)
            whole = printer.queue.open_reader
            printer.queue.open_reader = lambda job, index: Damaged()
            job = await printer.ended(job)
            assert job.state == states.ABORTED and job.message.startswith("line 7, column 4"), job.message
            assert printer.digest == direct_digest(good)
            assert printer.is_safe()
            printer.queue.open_reader = whole
            job = await printer.print(SQUARE)
            assert job.state == states.COMPLETED, (job.message, printer.status.state_message)

    run(go())


def test_marks_come_before_what_waits_for_the_motion():
    data = b"M104 S210\nM104 S0\nM109 S205\nG28\nM83\nG1 X50 Y50 Z0.3 F6000\nG1 X60 E0.4 F1200\nM104 S0\nM109 S200\nG1 X70 E0.4\n"

    async def go():
        async with Printer() as printer:
            job = await printer.print(data)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(data)

    run(go())
