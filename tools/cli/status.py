"""`printwright status`: what a printer is and does."""

import click

from tools.cli import common

_SHOWN = (
    "printer-name",
    "printer-make-and-model",
    "printer-state",
    "printer-state-reasons",
    "printer-state-message",
    "printer-is-accepting-jobs",
    "queued-job-count",
    "printer-up-time",
    "printer-firmware-string-version",
    "materials-col-ready",
    "printwright-temperatures",
    "printwright-position",
)


@click.command("status")
@common.printer_option
@click.option("--all", "everything", is_flag=True, help="Every attribute of the printer (with --json).")
@common.user_option
@common.json_option
def command(uri, everything, user, as_json):
    """Show what a printer is doing."""
    with common.connection(uri, user) as printer:
        found = printer.printer_attributes(("all",) if everything and as_json else _SHOWN)
    if as_json:
        common.emit(found)
        return
    state = found.get("printer-state", "unknown")
    click.echo(f"{found.get('printer-name', uri)}: {state}{common.reasons(found.get('printer-state-reasons'))}")
    if found.get("printer-state-message"):
        click.echo(f"  {found['printer-state-message']}")
    firmware = _first(found.get("printer-firmware-string-version"))
    click.echo(f"  model      {found.get('printer-make-and-model') or '-'}, firmware {firmware}")
    accepting = "" if found.get("printer-is-accepting-jobs", True) else ", accepts no jobs"
    click.echo(f"  jobs       {found.get('queued-job-count', '-')} in the queue{accepting}")
    if isinstance(found.get("printer-up-time"), int):
        click.echo(f"  up for     {common.duration(found['printer-up-time'])}")
    for reading in _list(found.get("printwright-temperatures")):
        click.echo(f"  {_text(reading, 'name'):<10} {_text(reading, 'current')} \N{DEGREE SIGN}C, target {_text(reading, 'target')}")
    for material in _list(found.get("materials-col-ready")):
        click.echo(f"  material   {_text(material, 'material-key')} {_text(material, 'material-name', '')}".rstrip())


def _list(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first(value):
    return (_list(value) or ["-"])[0]


def _text(collection, member, missing="-"):
    """A member by its name, with or without the collection's prefix."""
    for name, value in collection.items():
        if name == member or name.endswith("-" + member):
            return missing if value is None else value
    return missing
