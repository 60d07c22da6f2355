"""`printwright jobs`: a printer's queue and its history."""

import click

from tools.cli import common

_SHOWN = (
    "job-id",
    "job-name",
    "job-originating-user-name",
    "job-state",
    "job-state-reasons",
    "job-state-message",
    "printwright-job-progress",
    "printwright-job-layer",
    "printwright-job-time-left",
)


@click.command("jobs")
@common.printer_option
@click.option("--completed", "which", flag_value="completed", help="Jobs that have ended, the last one first.")
@click.option("--all", "which", flag_value="all", help="Both.")
@click.option("--mine", is_flag=True, help="Only those of this user.")
@common.user_option
@common.json_option
def command(uri, which, mine, user, as_json):
    """List the jobs of a printer."""
    with common.connection(uri, user) as printer:
        found = printer.jobs(which or "not-completed", _SHOWN, mine)
    if as_json:
        for job in found:
            common.emit(job)
        return
    if not found:
        click.echo("no jobs", err=True)
        return
    for job in found:
        progress = job.get("printwright-job-progress")
        done = f" {progress} %" if progress is not None and job.get("job-state", "").startswith("processing") else ""
        line = f"{job.get('job-id', '?'):>6}  {job.get('job-state', '?')}{done}{common.reasons(job.get('job-state-reasons'))}"
        click.echo(f"{line}  {job.get('job-name', '')}  {job.get('job-originating-user-name', '')}")
        if job.get("job-state-message"):
            click.echo(f"        {job['job-state-message']}")
