"""The `printwright` command: a table of names and the modules that hold the commands, loaded only when used."""

import contextlib
import importlib
import sys

import click

COMMANDS = {
    "sim": "a simulated printer that speaks IPP",
    "steps": "turn G-code into step pulses, without a network",
    "resonance": "find a frame's resonances and the shapers that suit it",
    "view": "draw a tool path, and the motion over time",
    "discover": "find the printers of the network",
    "print": "send a file to a printer",
    "status": "what a printer is doing",
    "jobs": "the jobs of a printer",
    "cancel": "cancel a job",
    "objects": "the objects of a job; cancel one of them",
    "pause": "pause a printer",
    "resume": "let a paused printer go on",
    "platform": "whether the bed is clear, and who clears it",
    "materials": "what a printer can print with, and what is loaded",
    "adjust": "change speed, flow or nozzle height of a running job",
    "identify": "make a printer show which one it is",
    "account": "who may do what at a printer",
}


class CommandError(click.ClickException):
    """An operation that failed: one line on standard error, exit status 1."""

    def show(self, file=None):
        click.echo("printwright: " + self.message, file=file or sys.stderr)


class _Commands(click.Group):
    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, cmd_name):
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module("tools.cli." + cmd_name).command

    def format_commands(self, ctx, formatter):
        """The overview loads no command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="printwright", prog_name="printwright")
def group():
    """Firmware for 3D printers that speak IPP natively, and its desktop simulator."""


def main():
    """Exit status: 0 done, 1 the operation failed, 2 wrong usage, 130 interrupted (design.md section 6)."""
    try:
        status = group(standalone_mode=False)
        # click's own exits (--help) come back as an integer
        sys.exit(status if isinstance(status, int) else 0)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("printwright: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # the reader of our output has gone: nobody is left to tell
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        # the commands tell of the files that they were given; what is left is where the output goes
        with contextlib.suppress(OSError):
            click.echo("printwright: output: %s" % (error.strerror or error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
