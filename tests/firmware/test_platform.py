"""Between two jobs: whether the platform is clear, and what is loaded."""

import asyncio
import json

from firmware.jobs import states
from firmware.jobs.queue import TAKEN
from tests.firmware.helpers_printing import Printer, direct_digest, material

SQUARE = b"G28\nG1 X50 Y50 Z1 F6000\nG1 X60 Y50\nG1 X60 Y60\nG1 X50 Y60\nG1 X50 Y50\n"
ROUTINE = "M190 R45\nG1 Z5 F900\nG1 X200 Y200 F6000\nG1 Y10\n"


def run(coroutine):
    asyncio.run(coroutine)


def machine(tmp_path, **more):
    """A machine file: what it says of printer and settings beside sim-cartesian's."""
    path = tmp_path / "machine.json"
    path.write_text(json.dumps({"from": "sim-cartesian", **more}))
    return str(path)


def asking(tmp_path):
    return machine(tmp_path, settings={"platform_clearing": "operator"})


def test_nobody_asks_where_nothing_is_set():
    async def go():
        async with Printer() as printer:
            for _ in range(2):
                assert (await printer.print(SQUARE)).state == states.COMPLETED
            assert printer.status.state_reasons == [] and printer.status.printer_state == 3
            assert not printer.queue.flag(TAKEN)

    run(go())


def test_the_next_job_waits_until_the_platform_is_clear(tmp_path):
    async def go():
        async with Printer(asking(tmp_path)) as printer:
            assert (await printer.print(SQUARE)).state == states.COMPLETED
            await printer.until(lambda: printer.status.state_reasons == ["output-area-full-report"])
            assert printer.status.printer_state == 3
            job = await printer.submit(SQUARE)
            await printer.until(lambda: printer.status.printer_state == 5)
            assert printer.status.state_reasons == ["output-area-full-error"]
            assert printer.status.state_message == "clear the platform, then resume the printer"
            for _ in range(50):
                await asyncio.sleep(0)
            assert job.state == states.PENDING
            assert printer.runner.resume()
            assert (await printer.ended(job)).state == states.COMPLETED
            await printer.until(lambda: printer.status.state_reasons == ["output-area-full-report"])
            # the answer may come before the next job does
            assert printer.runner.resume()
            await printer.until(lambda: printer.status.state_reasons == [])
            assert (await printer.print(SQUARE)).state == states.COMPLETED

    run(go())


def test_to_confirm_when_nothing_waits_changes_nothing(tmp_path):
    async def go():
        async with Printer(asking(tmp_path)) as printer:
            assert printer.runner.resume()
            assert printer.status.state_reasons == []
            job = await printer.submit(SQUARE)
            await printer.until(lambda: job.state == states.PROCESSING)
            await printer.until(lambda: printer.queue.flag(TAKEN))
            assert printer.runner.resume()  # of the print in work nobody can say yet that it is gone
            assert printer.queue.flag(TAKEN)
            await printer.ended(job)
            await printer.until(lambda: printer.status.state_reasons == ["output-area-full-report"])

    run(go())


def test_a_job_that_never_began_leaves_the_platform_clear(tmp_path):
    async def go():
        async with Printer(asking(tmp_path)) as printer:
            job = await printer.submit(SQUARE, ticket=material("petg"))
            await printer.until(lambda: job.state == states.PROCESSING_STOPPED)
            printer.queue.cancel(job)
            assert (await printer.ended(job)).state == states.CANCELED
            assert not printer.queue.flag(TAKEN)
            assert (await printer.print(SQUARE)).state == states.COMPLETED

    run(go())


def test_a_print_that_lost_its_power_is_still_on_the_platform(tmp_path):
    path = asking(tmp_path)
    state = tmp_path / "state"

    async def first():
        printer = Printer(path, state=str(state))
        async with printer:
            job = await printer.submit(SQUARE * 50)
            await printer.until(lambda: printer.queue.flag(TAKEN) and job.state == states.PROCESSING)

    async def second():
        async with Printer(path, state=str(state)) as printer:
            await printer.until(lambda: printer.status.state_reasons == ["output-area-full-report"])

    run(first())
    run(second())


def test_a_pause_and_a_full_platform_are_told_and_resumed_together(tmp_path):
    async def go():
        async with Printer(asking(tmp_path)) as printer:
            await printer.print(SQUARE)
            printer.runner.pause()
            await printer.until(lambda: "output-area-full-report" in printer.status.state_reasons)
            assert "paused" in printer.status.state_reasons and printer.status.printer_state == 5
            assert printer.runner.resume()
            await printer.until(lambda: printer.status.state_reasons == [])

    run(go())


def test_a_routine_clears_the_platform_before_anything_is_heated(tmp_path):
    path = machine(tmp_path, printer={"clearing": ROUTINE}, settings={"platform_clearing": "routine"})

    async def go():
        async with Printer(path) as printer:
            hot = SQUARE.replace(b"G28\n", b"G28\nM190 S60\n")
            first = await printer.print(hot)
            assert first.state == states.COMPLETED, first.message
            digest = printer.digest
            assert printer.status.state_reasons == []
            seen = []
            job = await printer.submit(hot)

            def watch():
                bed_c = printer.app.heating.current_c("bed")
                if job.message == "the platform is being cleared" and printer.status.position_um[0] > 150000:
                    seen.append((bed_c, printer.app.heating.target_c("bed")))
                return states.ended(job.state)

            await printer.until(watch)
            job = await printer.ended(job)
            assert job.state == states.COMPLETED, job.message
            assert seen and seen[0][0] < 50 and seen[0][1] in (0, 45)
            assert printer.digest == digest, "the routine is no part of the document's steps"

    run(go())


def test_a_routine_that_this_machine_cannot_do_ends_the_job(tmp_path):
    path = machine(tmp_path, printer={"clearing": "G1 X9999 F600\n"}, settings={"platform_clearing": "routine"})

    async def go():
        async with Printer(path) as printer:
            await printer.print(SQUARE)
            job = await printer.print(SQUARE)
            assert job.state == states.ABORTED
            assert job.message.startswith("the machine's clearing routine: line 1, column 4: G1: the move leaves the print volume")
            assert printer.queue.flag(TAKEN) and printer.is_safe()

    run(go())


def test_a_routine_can_be_canceled_and_is_not_done_then(tmp_path):
    path = machine(tmp_path, printer={"clearing": "G4 S60\n" * 60}, settings={"platform_clearing": "routine"})

    async def go():
        async with Printer(path) as printer:
            await printer.print(SQUARE)
            job = await printer.submit(SQUARE)
            await printer.until(lambda: job.message == "the platform is being cleared")
            printer.queue.cancel(job)
            assert (await printer.ended(job)).state == states.CANCELED
            assert printer.queue.flag(TAKEN)

    run(go())


def test_a_job_waits_while_no_material_is_loaded(tmp_path):
    path = machine(tmp_path, settings={"material": ""})

    async def go():
        async with Printer(path) as printer:
            job = await printer.submit(SQUARE)
            await printer.until(lambda: printer.runner.waits_for_material())
            assert job.state == states.PROCESSING_STOPPED and job.message.startswith("no material is loaded")
            assert printer.runner.resume()  # that alone does not say what is loaded
            for _ in range(50):
                await asyncio.sleep(0)
            assert job.state == states.PROCESSING_STOPPED
            printer.app.materials.loaded = printer.app.materials.by_key("petg")
            job = await printer.ended(job)
            assert job.state == states.COMPLETED, job.message
            assert b"petg" in job.ticket["materials-col-actual"]

    run(go())


def test_a_job_goes_on_once_its_material_is_loaded():
    async def go():
        async with Printer() as printer:
            job = await printer.submit(SQUARE, ticket=material("petg"))
            await printer.until(lambda: printer.runner.waits_for_material())
            assert job.message == "load PETG, then resume the printer (PLA is loaded)"
            await printer.until(lambda: "material-needed" in printer.status.state_reasons)
            printer.app.materials.loaded = printer.app.materials.by_key("abs")
            for _ in range(50):
                await asyncio.sleep(0)
            assert job.state == states.PROCESSING_STOPPED
            printer.app.materials.loaded = printer.app.materials.by_key("petg")
            assert (await printer.ended(job)).state == states.COMPLETED
            assert "material-needed" not in printer.status.state_reasons

    run(go())


def test_a_change_of_filament_waits_out_of_the_way_and_goes_on_at_its_place():
    data = b"G28\nM109 S210\nM83\nG1 X50 Y50 Z1 F6000\nG1 X60 E1 F1200\nM600\nG1 X70 E1\nG1 Y60 E1\nM104 S0\n"

    async def go():
        async with Printer() as printer:
            job = await printer.submit(data)
            await printer.until(lambda: job.state == states.PROCESSING_STOPPED and "material-needed" in printer.status.state_reasons)
            assert job.message == "change the filament, then resume the printer" and printer.status.printer_state == 5
            assert printer.status.position_um[2] == 11000 and printer.status.position_um[0] != 60000
            assert printer.app.heating.target_c("nozzle") == 210
            assert printer.runner.resume()
            job = await printer.ended(job)
            assert job.state == states.COMPLETED, job.message
            assert printer.digest == direct_digest(data)

    run(go())


def test_a_change_of_filament_can_be_canceled():
    async def go():
        async with Printer() as printer:
            job = await printer.submit(SQUARE + b"M600\nG1 X70 F600\n")
            await printer.until(lambda: job.state == states.PROCESSING_STOPPED)
            printer.queue.cancel(job)
            job = await printer.ended(job)
            assert job.state == states.CANCELED and printer.is_safe()

    run(go())
