"""`printwright view FILE`: pictures of a tool path and its motion."""

import os
import sys

import click

from tools.cli.main import CommandError


@click.command()
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", metavar="OUT", help="the picture, a PNG file (default: FILE's name with .png, in this folder)")
@click.option("--machine", metavar="NAME|FILE", help="the machine that G-code is for (default: sim-cartesian)")
def command(file, output, machine):
    """Draws FILE, which is G-code or a step file, into a PNG picture.

    From above and from the front; below that speed, acceleration and jerk along the path and the step rate of each motor over time,
    lowest to highest where the picture has no room for more.
    """
    output = output or os.path.splitext(os.path.basename(file))[0] + ".png"
    folder = os.path.dirname(os.path.abspath(output))
    if os.path.isdir(output) or not os.path.isdir(folder):
        raise CommandError("%s: cannot be written there; give the name of a file in a folder that exists" % output)
    if os.path.splitext(output)[1].lower() != ".png":
        raise click.UsageError("%s: pictures are PNG files; let the name end in .png" % output)
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
