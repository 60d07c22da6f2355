"""`printwright cancel`: end jobs."""

import click

from tools import ipp
from tools.cli import common
from tools.cli.main import CommandError


@click.command("cancel")
@click.argument("job_ids", metavar="[JOB]...", type=click.IntRange(min=1), nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All jobs of this user.")
@common.printer_option
@common.user_option
@common.json_option
def command(job_ids, everything, uri, user, as_json):
    """Cancel the jobs with these numbers."""
    if bool(job_ids) == everything:
        raise click.UsageError("Name one or more jobs, or use --all.")
    failed = 0
    with common.connection(uri, user) as printer:
        if everything:
            printer.cancel_my_jobs()
            if as_json:
                common.emit({"event": "canceled", "all": True})
            return
        for job_id in job_ids:
            try:
                printer.cancel_job(job_id)
            except ipp.Refused as error:
                failed += 1
                if as_json:
                    common.emit({"event": "refused", "job_id": job_id, "message": str(error)})
                click.echo(f"printwright: job {job_id}: {error}", err=True)
                continue
            if as_json:
                common.emit({"event": "canceled", "job_id": job_id})
            else:
                click.echo(f"job {job_id} canceled", err=True)
    if failed:
        raise CommandError(f"{failed} of {len(job_ids)} jobs could not be canceled")
