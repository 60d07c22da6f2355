"""`printwright print`: send a file as a job, by Create-Job and Send-Document, and watch it."""

import os
import zlib

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn

from tools import documents, ipp, watching
from tools.cli import common
from tools.cli.main import CommandError


@click.command("print")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True))
@common.printer_option
@click.option("--material", metavar="KEY", help="Print with this material of the printer's list (see `printwright status`).")
@click.option("--format", "document_format", metavar="TYPE", help="Document format, for example text/x-gcode; else by the file's content.")
@click.option("--name", metavar="TEXT", help="The job's name; else the file's.")
@click.option("--watch", is_flag=True, help="Stay until the job has ended, and show its progress.")
@common.user_option
@common.json_option
def command(file, uri, material, document_format, name, watch, user, as_json):
    """Print FILE.

    Exit status 0 when the job was accepted, with --watch when it was completed; 1 when it was refused or did not complete.  Ctrl-C
    ends the watching, not the job.
    """
    try:
        if not os.path.getsize(file):
            raise CommandError(f"{file}: the file is empty")
        found_format, compression = documents.describe(file)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    document_format = document_format or found_format
    ticket = [ipp.materials_col(material)] if material else []
    job_name = name or os.path.basename(file)
    with common.connection(uri, user) as printer:
        inflate = False
        if compression and compression not in _compressions(printer):
            # what the printer can not do is done here
            compression, inflate = None, True
        printer.validate_job(job_name, document_format, compression, ticket)
        job_id = printer.create_job(job_name, ticket)
        job = _upload(printer, job_id, file, document_format, compression, inflate)
        if not watch:
            _emit(as_json, "end", job_id, job)
            if not as_json:
                click.echo(f"job {job_id} is {job.get('job-state', 'accepted')}", err=True)
                click.echo(job_id)
            return
        job = _watch(printer, job_id, as_json)
    state = job.get("job-state")
    told = f"job {job_id} {state}{common.reasons(job.get('job-state-reasons'))}"
    if job.get("job-state-message"):
        told += f": {job['job-state-message']}"
    if state != "completed":
        raise CommandError(told)
    if not as_json:
        click.echo(told, err=True)


def _progress(*columns):
    console = Console(stderr=True)
    shown = (TextColumn("{task.description}"), BarColumn()) + columns
    return Progress(*shown, console=console, disable=not console.is_terminal, transient=True)


def _compressions(printer):
    return printer.printer_attributes(("compression-supported",)).get("compression-supported") or ()


def _upload(printer, job_id, file, document_format, compression, inflate):
    """Sends the document; what can not be sent leaves no job behind."""
    try:
        with _progress(DownloadColumn()) as bar:
            task = bar.add_task("sending", total=os.path.getsize(file))
            document = documents.blocks(file, lambda n: bar.advance(task, n), inflate)
            return printer.send_document(job_id, document, os.path.basename(file), document_format, compression)
    except (ipp.ClientError, OSError, EOFError, zlib.error, KeyboardInterrupt) as error:
        # the connection is of no use any more: half a document is on it
        printer.close()
        try:
            printer.cancel_job(job_id)
        except ipp.ClientError:
            # the printer has ended the job itself, or is gone
            pass
        if isinstance(error, (OSError, EOFError, zlib.error)):
            raise CommandError(f"{file}: {getattr(error, 'strerror', None) or error}") from None
        raise


def _watch(printer, job_id, as_json):
    job = {}
    try:
        with _progress(TaskProgressColumn(), TextColumn("{task.fields[detail]}")) as bar, watching.News(printer, job_id) as news:
            task = bar.add_task(f"job {job_id}", total=100, detail="")
            for job in printer.watch(job_id, sleep=news.wait):
                _emit(as_json, "job", job_id, job)
                bar.update(task, completed=job.get("printwright-job-progress") or 0, detail=_detail(job))
    except KeyboardInterrupt:
        _emit(as_json, "end", job_id, job)
        click.echo(f"\njob {job_id} goes on; `printwright cancel {job_id}` stops it", err=True)
        raise
    _emit(as_json, "end", job_id, job)
    return job


def _detail(job):
    parts = [job.get("job-state", "")]
    if job.get("printwright-job-layer"):
        parts.append(f"layer {job['printwright-job-layer']}")
    if job.get("printwright-job-time-left"):
        parts.append(f"{common.duration(job['printwright-job-time-left'])} left")
    return ", ".join(parts)


def _emit(as_json, event, job_id, job):
    if as_json:
        common.emit(
            {
                "event": event,
                "job_id": job_id,
                "state": job.get("job-state"),
                "reasons": job.get("job-state-reasons"),
                "message": job.get("job-state-message"),
                "progress": job.get("printwright-job-progress"),
                "layer": job.get("printwright-job-layer"),
            }
        )
