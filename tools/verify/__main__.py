"""`python -m tools.verify FILE.gcode STEPFILE [--plain STEPFILE] [--json]`: judges a step file.  Exit 0 right, 1 wrong, 2 bad usage."""

import json
import sys

import click

from tools.stepfile import StepFileError
from tools.verify.gcode import VerifyError
from tools.verify.verifier import verify


@click.command()
@click.argument("gcode", type=click.Path(exists=True, dir_okay=False))
@click.argument("stepfile", type=click.Path(exists=True, dir_okay=False))
@click.option("--plain", type=click.Path(exists=True, dir_okay=False), help="for a shaped stream: the same without shaping")
@click.option("--json", "as_json", is_flag=True, help="the whole report as JSON")
def main(gcode, stepfile, plain, as_json):
    """Checks that STEPFILE is what GCODE asks for, within the limits of its header."""
    try:
        report = verify(gcode, stepfile, plain)
    except (VerifyError, StepFileError, OSError) as error:
        click.echo("verify: %s" % error, err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        for line in report.lines():
            click.echo(line)
        totals = report.totals
        verdict = "ok" if report.ok else "WRONG"
        click.echo("%d lines, %d moves, %d steps: %s" % (totals["lines"], totals["moves"], totals["steps"], verdict))
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
