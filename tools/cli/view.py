"""`printwright view`: pictures of a tool path and its motion, or of a printer at work."""

import os
import sys

import click

from tools.cli import common
from tools.cli.main import CommandError


@click.command()
@click.argument("file", metavar="[FILE]", required=False)
@click.option("-o", "--output", metavar="OUT", help="the picture, a PNG file (default: FILE's name with .png, in this folder)")
@click.option("--machine", metavar="NAME|FILE", help="the machine that G-code is for (default: sim-cartesian)")
@click.option("--printer", "uri", metavar="URI", help="watch this printer instead, and draw what it reported")
@click.option("--seconds", type=click.FloatRange(min=0.5), metavar="N", help="watch for so long, not until the printer has done its work")
@common.user_option
def command(file, output, machine, uri, seconds, user):
    """Draws FILE, which is G-code or a step file, or a printer at work, into a PNG picture.

    A file: from above and from the front; below that speed, acceleration and jerk along the path and the step rate of each motor
    over time, lowest to highest where the picture has no room for more.

    A printer: its temperatures and its position over time, as it reports them, until it has done its work (or --seconds are over, or
    Ctrl-C).
    """
    if (file is None) == (uri is None):
        raise click.UsageError("give a FILE or --printer URI")
    if uri is None:
        if seconds is not None:
            raise click.UsageError("--seconds goes with --printer")
        _file(file, output, machine)
        return
    if machine is not None:
        raise click.UsageError("--machine goes with a file")
    output = output or "printer.png"
    _check_output(output)
    _printer(uri, seconds, user, output)
    click.echo(output)


def _file(file, output, machine):
    output = output or os.path.splitext(os.path.basename(file))[0] + ".png"
    _check_output(output)
    try:
        with open(file, "rb") as source:
            source.read(1)
    except OSError as error:
        raise CommandError("%s: %s; give a G-code file or a step file" % (file, error.strerror)) from None

    from tools import view
    from tools.stepfile import StepFileError
    from tools.steps import StepsError
    from tools.verify.gcode import VerifyError

    try:
        _draw(view, file, output, machine)
    except (StepsError, StepFileError, view.NothingToDraw) as error:
        raise CommandError(str(error)) from None
    except VerifyError as error:
        raise CommandError("%s: %s" % (file, error)) from None
    except OSError as error:
        raise CommandError("%s: %s" % (error.filename or output, error.strerror or error)) from None
    click.echo(output)


def _draw(view, file, output, machine):
    if not sys.stderr.isatty():
        view.picture(file, output, machine)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(os.path.basename(file), total=os.path.getsize(file))
        view.picture(file, output, machine, progress=lambda done: bar.update(task, completed=done))


def _check_output(output):
    folder = os.path.dirname(os.path.abspath(output))
    if os.path.isdir(output) or not os.path.isdir(folder):
        raise CommandError("%s: cannot be written there; give the name of a file in a folder that exists" % output)
    if os.path.splitext(output)[1].lower() != ".png":
        raise click.UsageError("%s: pictures are PNG files; let the name end in .png" % output)


def _printer(uri, seconds, user, output):
    from rich.console import Console

    from tools import watched, watchview
    from tools.ipp import Unreachable
    from tools.view import NothingToDraw

    seen = watched.Watched()
    console = Console(stderr=True)
    with common.connection(uri, user) as printer:
        try:
            with console.status("watching") as status:
                for _ in watched.watch(printer, seen, seconds):
                    status.update("watching %s: %s" % (seen.name, seen.told()))
        except KeyboardInterrupt:
            # the picture of what there is, is why it was watched
            pass
        except Unreachable:
            if len(seen.t) < 2:
                raise
            click.echo("the printer does not answer any more; the picture ends there", err=True)
    try:
        watchview.picture(seen, output)
    except NothingToDraw as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError("%s: %s" % (output, error.strerror or error)) from None
