"""`printwright discover`: the printers of the local network."""

import click

from tools.cli import common
from tools.cli.main import CommandError


@click.command("discover")
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=3, show_default=True, metavar="SECONDS", help="How long to listen.")
@common.json_option
def command(timeout, as_json):
    """Find printers by multicast DNS: those that speak IPP 3D (_ipps-3d._tcp).

    The URI is what the other commands take as --printer. Exit status 1: none was found.
    """
    from tools import discover  # takes its time to load

    found = []
    try:
        with common.terminated_like_interrupted():
            for printer in discover.printers(timeout):
                found.append(printer)
                if as_json:
                    common.emit(printer)
    except OSError as error:
        raise CommandError(f"cannot listen on the network: {error.strerror or error}") from None
    if not found:
        raise CommandError("no printer has answered; a simulated one tells the network of itself with --host 0.0.0.0 or --advertise")
    if not as_json:
        _show(sorted(found, key=lambda printer: printer["name"]))


def _show(printers):
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("Name", "Model", "Location", "URI", box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[3].no_wrap = True  # it is there to be copied
    for column in table.columns[:3]:
        column.overflow = "fold"
    for printer in printers:
        # whatever others send is text, and no markup
        table.add_row(*[_plain(printer[key]) for key in ("name", "make_and_model", "location", "uri")])
    console = Console()
    console.print(table, markup=False, soft_wrap=not console.is_terminal)


def _plain(text):
    from rich.text import Text

    return Text("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text))
