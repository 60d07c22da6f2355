"""M600: the job waits until the operator has changed the filament.  Loaded when a document asks for it."""

from firmware.jobs.printing import PARK_LIFT_NM, PARK_MM_S, PARK_Z_MM_S


async def change(printing, job):
    """Up and out of the way, waits until the printer is resumed, and back to the step.  The motion stands before and after; heaters stay as
    they are.  JobEnd when the job ends meanwhile."""
    runner = printing.runner
    motion = runner.motion
    geometry = motion.geometry
    place = motion.place_nm()
    top = min(place[2] + PARK_LIFT_NM, geometry.max_nm[2])
    await motion.travel([None, None, max(top, place[2])], PARK_Z_MM_S, runner.wait)
    await motion.travel([geometry.park_nm[0], geometry.park_nm[1], None], PARK_MM_S, runner.wait)
    await printing.ask(job, "material-needed", "change the filament, then resume the printer", lambda: printing.confirmed)
    await motion.travel([place[0], place[1], None], PARK_MM_S, runner.wait)
    await motion.travel(place, PARK_Z_MM_S, runner.wait)
