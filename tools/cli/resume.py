"""`printwright resume`."""

import click

from tools import ipp
from tools.cli import common


@click.command("resume")
@common.printer_option
@common.user_option
@common.json_option
def command(uri, user, as_json):
    """Let a paused printer go on."""
    with common.connection(uri, user) as printer:
        printer.request(ipp.RESUME_PRINTER)
    if as_json:
        common.emit({"event": "resumed"})
