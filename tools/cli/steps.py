"""`printwright steps FILE`: G-code to steps, with figures."""

import os
import signal
import sys

import click

from tools import steps
from tools.cli.main import CommandError


def _terminate(signum, frame):
    """SIGTERM as an exception, so that temporary files go."""
    sys.exit(128 + signum)


def _reason(error):
    return error.strerror or str(error)


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--machine", metavar="NAME|FILE", help="a machine that comes with it, or a JSON file (default: sim-cartesian)")
@click.option("-o", "--output", metavar="OUT", help="write the steps to this file")
@click.option("--json", "as_json", is_flag=True, help="figures as JSON on standard output")
def command(file, machine, output, as_json):
    """Turns G-code into step pulses, without a network.

    FILE is G-code as a slicer writes it; - reads standard input.  Motion starts at the home position.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        description = steps.load_machine(machine)
    except steps.StepsError as error:
        raise CommandError(str(error)) from None
    if output:
        folder = os.path.dirname(os.path.abspath(output))
        if (os.path.exists(output) and not os.path.isfile(output)) or not os.path.isdir(folder):
            raise CommandError("%s: cannot be written there; give the name of a file in a folder that exists" % output)
    name, source = file, None
    try:
        if file == "-":
            name, source, size = "standard input", sys.stdin.buffer, None
        else:
            source = open(file, "rb", buffering=0)
            size = os.fstat(source.fileno()).st_size
    except OSError as error:
        raise CommandError("%s: %s; give a G-code file, or - for standard input" % (file, _reason(error))) from None
    try:
        with source:
            result = _run(source, name, size, description, output)
    except steps.StepsError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError("%s: %s" % (error.filename or output or name, _reason(error))) from None
    if as_json:
        import json

        click.echo(json.dumps(result))
    else:
        _print(result, name, output)


def _run(source, name, size, description, output):
    if not sys.stderr.isatty():
        return steps.run(source, name, description, output)
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(os.path.basename(name), total=size)
        return steps.run(source, name, description, output, lambda done: bar.update(task, completed=done))


def _print(result, name, output):
    total = sum(result["steps"].values())
    hours, rest = divmod(round(result["print_time_s"]), 3600)
    click.echo("%s: %d lines, %d moves" % (name, result["lines"], result["moves"]))
    click.echo("print time  %d:%02d:%02d" % (hours, rest // 60, rest % 60))
    click.echo("steps       %d (%s)" % (total, ", ".join("%s %d" % pair for pair in result["steps"].items())))
    cpu_s = max(result["cpu_s"], 1e-3)
    click.echo("computed in %.2f s, %.0f lines/s, %.1f M steps/s" % (result["wall_s"], result["lines"] / cpu_s, total / cpu_s / 1e6))
    if result["peak_rss_bytes"]:
        click.echo("memory      %.0f MB" % (result["peak_rss_bytes"] / 1e6))
    click.echo("digest      %s" % result["sha256"])
    if output:
        click.echo("written to  %s" % output)
