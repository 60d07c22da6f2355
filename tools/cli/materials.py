"""`printwright materials`: what a printer can print, and what is loaded."""

import click

from firmware.ipp import tags
from tools.cli import common

_DATABASE = "materials-col-database"
_READY = "materials-col-ready"


@click.command("materials")
@click.option("--load", metavar="KEY", help="This material is loaded now; a job that waits for it goes on.")
@click.option("--unload", is_flag=True, help="Nothing is loaded now.")
@common.printer_option
@common.user_option
@common.json_option
def command(load, unload, uri, user, as_json):
    """List the printer's materials, and say what is loaded."""
    if load and unload:
        raise click.UsageError("Either --load or --unload.")
    with common.connection(uri, user) as printer:
        if load:
            printer.set_printer([(_READY, [(tags.COLLECTION, [("material-key", [(tags.KEYWORD, load)])])])])
        elif unload:
            printer.set_printer([(_READY, [(tags.NO_VALUE, None)])])
        found = printer.printer_attributes((_DATABASE, _READY))
    loaded = {entry["material-key"] for entry in _entries(found.get(_READY))}
    for entry in _entries(found.get(_DATABASE)):
        if as_json:
            common.emit(entry | {"ready": entry["material-key"] in loaded})
            continue
        low, high = entry["material-temperature"]
        mark = "loaded" if entry["material-key"] in loaded else ""
        click.echo(f"{entry['material-key']:<14} {entry['material-name']:<14} {low} to {high} °C  {mark}".rstrip())


def _entries(values):
    return values if isinstance(values, list) else [values] if values else []
