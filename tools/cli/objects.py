"""`printwright objects`: the objects of a job, and canceling some of them."""

import click

from firmware.ipp import tags
from tools.cli import common
from tools.cli.main import CommandError

_OBJECTS = "print-objects"
_NAME = "printwright-object-name"
_UUID = "object-uuid"


@click.command("objects")
@click.argument("job_id", metavar="JOB", type=click.IntRange(min=1))
@click.option("--cancel", "canceled", metavar="OBJECT", multiple=True, help="Leave this object out: its name or UUID.  May be given again.")
@click.option("--restore", is_flag=True, help="Print all objects again, from here on.")
@common.printer_option
@common.user_option
@common.json_option
def command(job_id, canceled, restore, uri, user, as_json):
    """Show the objects that JOB prints, or cancel some of them, also while it prints."""
    if canceled and restore:
        raise click.UsageError("Either --cancel or --restore.")
    with common.connection(uri, user) as printer:
        if restore:
            printer.set_job(job_id, [(_OBJECTS, [(tags.DELETE, None)])])
        objects = _objects(printer, job_id)
        if canceled:
            objects = _without(objects, canceled, job_id)
            printer.set_job(job_id, [(_OBJECTS, [(tags.COLLECTION, [(_UUID, [(tags.URI, entry[_UUID])])]) for entry in objects])])
    for entry in objects:
        if as_json:
            common.emit(entry)
        else:
            offset, size = entry["object-offset"], entry["object-size"]
            place = "at %g, %g mm, %g x %g mm" % tuple(
                value / 100 for value in (offset["x-offset"], offset["y-offset"], size["x-dimension"], size["y-dimension"])
            )
            click.echo(f"{entry[_NAME]:<32} {place}  {entry[_UUID]}")
    if not objects and not as_json:
        click.echo("the document names no objects", err=True)


def _objects(printer, job_id):
    found = printer.job_attributes(job_id, (_OBJECTS,)).get(_OBJECTS)
    return found if isinstance(found, list) else [found] if found else []


def _without(objects, canceled, job_id):
    for wanted in canceled:
        fits = [entry for entry in objects if wanted in (entry[_NAME], entry[_UUID])]
        if len(fits) != 1:
            how_many = f"{len(fits)} objects" if fits else "no object"
            raise CommandError(f"job {job_id} has {how_many} {wanted}")
        objects = [entry for entry in objects if entry is not fits[0]]
    if not objects:
        raise CommandError(f"that would be all objects: `printwright cancel {job_id}` ends the job")
    return objects
