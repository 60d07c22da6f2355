"""`printwright platform`: what happens between two jobs, and whether the platform is clear."""

import click

from firmware.config import CLEARING
from firmware.ipp import tags
from tools import ipp
from tools.cli import common

_CLEARING = "printwright-platform-clearing"
_FULL = "output-area-full"


@click.command("platform")
@click.option("--clear", is_flag=True, help="The platform is clear: the next job may begin.")
@click.option(
    "--clearing",
    type=click.Choice(CLEARING),
    help="Between two jobs: go on (none), wait for --clear (operator), or clear the platform by the machine's own routine (routine).",
)
@common.printer_option
@common.user_option
@common.json_option
def command(clear, clearing, uri, user, as_json):
    """Tell the printer that its platform is clear, or whether it has to ask.

    Without an option: show both.  --clear also lets a paused printer go on.
    """
    with common.connection(uri, user) as printer:
        if clearing:
            printer.set_printer([(_CLEARING, [(tags.KEYWORD, clearing)])])
        if clear:
            printer.request(ipp.RESUME_PRINTER)
        found = printer.printer_attributes((_CLEARING, "printer-state-reasons"))
    mode = found.get(_CLEARING)
    reasons = found.get("printer-state-reasons") or []
    taken = any(reason.startswith(_FULL) for reason in ([reasons] if isinstance(reasons, str) else reasons))
    if as_json:
        common.emit({_CLEARING: mode, "clear": not taken})
    else:
        what = {"none": "the next job begins at once", "operator": "the next job waits for you", "routine": "the machine clears it itself"}
        click.echo(f"the platform is {'not clear yet' if taken else 'clear'}; between two jobs {what.get(str(mode), mode)}")
