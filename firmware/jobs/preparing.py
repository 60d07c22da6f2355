"""What comes before a job's first document: its materials, a clear platform, temperatures, the way to where program motion starts.

Loaded at the start of each job and forgotten behind it.
"""

from firmware.jobs.printing import SAFE_FORMAT
from firmware.jobs.queue import TAKEN
from hal.compat import print_exception, seldom
from hal.errors import StorageError


async def prepare(printing, job):
    """printing: Printing.  JobEnd when the job ends meanwhile."""
    runner = printing.runner
    targets = runner.materials.targets(job.ticket)
    if runner.materials.missing(targets):
        targets = await _load(printing, job, targets)
    printing.materials = targets.materials
    printing.nozzles_c = targets.nozzles_c
    await _take_platform(printing, job)
    safe = job.documents[0].format == SAFE_FORMAT
    first = targets.material
    wishes = [("bed", targets.bed_c, first and first.bed_c), ("chamber", targets.chamber_c, first and first.chamber_c)]
    for tool in range(targets.named):
        material = targets.materials[tool]
        wishes.append((printing.nozzle(tool), targets.nozzles_c[tool], material and material.nozzle_c))
    for heater, wanted, usual in wishes:
        if heater not in printing.machine.heaters or heater in printing.forced:
            continue
        if wanted is None and safe:
            wanted = usual
        if wanted is not None:
            printing.forced[heater] = wanted
            printing.used[heater] = wanted
            printing.set_target(heater, wanted)
    printing.record(job)
    await printing.go_to_start()
    for heater, _, _ in wishes:
        if printing.forced.get(heater):
            await printing.reach(heater)


async def _load(printing, job, targets):
    """Holds the job until its materials are loaded: that is, until somebody says so, or resumes the printer (PWG 5100.21-2019 section
    6.1).  Returns its Targets."""
    runner = printing.runner
    known = runner.materials
    tool, material = known.missing(targets)[0]
    place = " in T%d" % tool if known.tools > 1 else ""
    if material is None:
        message = "no material is loaded%s: load one and tell the printer which" % place
    else:
        message = "load %s%s, then resume the printer" % (material.name, place)
        if known.ready[tool] is not None:
            message += " (%s is loaded)" % known.ready[tool].name

    def loaded():
        missing = known.missing(known.targets(job.ticket))
        return not missing or (printing.confirmed and None not in [material for _, material in missing])

    await printing.ask(job, "material-needed", message, loaded)
    missing = known.missing(known.targets(job.ticket))
    if missing:
        # who resumes the printer says that they are there
        ready = list(known.ready)
        for tool, material in missing:
            ready[tool] = material
        known.ready = ready
        try:
            runner.settings.set("material", known.keys())
            await runner.settings.save()
        except StorageError as error:
            print_exception(error)  # they are loaded all the same, until power is lost
    return known.targets(job.ticket)


async def _take_platform(printing, job):
    """From here on the platform is not clear; before, a routine may have to clear it of an earlier job's print."""
    runner = printing.runner
    asked = runner.settings.get("platform_clearing")
    if asked == "routine" and runner.queue.flag(TAKEN):
        await seldom("firmware.jobs.clearing", "clear")(printing, job)
    if asked != "none":
        runner.queue.set_flag(TAKEN, True)
        await runner.store()
