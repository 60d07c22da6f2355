"""`printwright identify`: make a printer show which one it is."""

import click

from firmware.ipp import tags
from tools import ipp
from tools.cli import common


@click.command("identify")
@common.printer_option
@click.option("--action", "actions", multiple=True, metavar="KEYWORD", help="display, flash, sound or speak; else what the printer does.")
@click.option("--message", metavar="TEXT", help="To be shown or spoken.")
@common.user_option
@common.json_option
def command(uri, actions, message, user, as_json):
    """Make a printer show which one it is."""
    extra = []
    if actions:
        extra.append(("identify-actions", [(tags.KEYWORD, action) for action in actions]))
    if message:
        extra.append(("message", [(tags.TEXT, message)]))
    with common.connection(uri, user) as printer:
        printer.request(ipp.IDENTIFY_PRINTER, extra)
    if as_json:
        common.emit({"event": "identified"})
