"""`printwright adjust`: change speed, flow or nozzle height of a running job."""

import click

from firmware.ipp import tags
from firmware.motion import overrides
from tools.cli import common
from tools.cli.main import CommandError

_ATTRIBUTES = {"speed": "printwright-job-speed", "flow": "printwright-job-flow", "baby_step": "printwright-job-baby-step"}
_USUAL = {"speed": 100, "flow": 100, "baby_step": 0}


@click.command("adjust")
@click.argument("job_id", metavar="[JOB]", type=click.IntRange(min=1), required=False)
@click.option("--speed", type=click.IntRange(*overrides.SPEED_PERCENT), metavar="PERCENT", help="of the document's speeds, 10 to 300")
@click.option("--flow", type=click.IntRange(*overrides.FLOW_PERCENT), metavar="PERCENT", help="of the document's extrusion, 50 to 150")
@click.option(
    "--baby-step",
    type=click.IntRange(*overrides.BABY_UM),
    metavar="UM",
    help="micrometres added to the document's z in all, -2000 to 2000: less is nearer to the bed",
)
@common.printer_option
@common.user_option
@common.json_option
def command(job_id, uri, user, as_json, **values):
    """Change how JOB, or the job in work, is printed from here on.

    Without an option: show what is set.  100 % and 0 are what the document says.
    """
    with common.connection(uri, user) as printer:
        if job_id is None:
            working = printer.jobs("processing", ("job-id",))
            if not working:
                raise CommandError("no job prints now")
            job_id = working[0]["job-id"]
        asked = [(_ATTRIBUTES[name], [(tags.INTEGER, value)]) for name, value in values.items() if value is not None]
        if asked:
            printer.set_job(job_id, asked)
        told = printer.job_attributes(job_id, tuple(_ATTRIBUTES.values()))
    found = {name: told.get(attribute, _USUAL[name]) for name, attribute in _ATTRIBUTES.items()}
    if as_json:
        common.emit({"job_id": job_id} | {_ATTRIBUTES[name]: value for name, value in found.items()})
    else:
        click.echo(f"job {job_id}: speed {found['speed']} %, flow {found['flow']} %, baby step {found['baby_step']} µm")
