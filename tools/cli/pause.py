"""`printwright pause`."""

import click

from tools import ipp
from tools.cli import common


@click.command("pause")
@common.printer_option
@common.user_option
@common.json_option
def command(uri, user, as_json):
    """Pause a printer; a job in progress stops where that is safe."""
    with common.connection(uri, user) as printer:
        printer.request(ipp.PAUSE_PRINTER)
    if as_json:
        common.emit({"event": "paused"})
