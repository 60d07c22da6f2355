"""What the commands that talk to a printer share: their options, one-line errors, JSON lines, SIGTERM like Ctrl-C."""

import contextlib
import json
import os
import signal
import sys

import click

from tools import ipp
from tools.cli.main import CommandError


def printer_option(function):
    """--printer URI"""
    return click.option(
        "--printer",
        "uri",
        metavar="URI",
        default=ipp.DEFAULT_URI,
        envvar="PRINTWRIGHT_PRINTER",
        show_default=True,
        show_envvar=True,
        help="The printer.",
    )(function)


def json_option(function):
    """--json"""
    return click.option("--json", "as_json", is_flag=True, help="Results as JSON, one object per line.")(function)


def user_option(function):
    """--user NAME"""
    text = "Your name for the printer, instead of the login name. Its password is asked for, or taken from PRINTWRIGHT_PASSWORD."
    return click.option("--user", metavar="NAME", help=text)(function)


def password():
    """PRINTWRIGHT_PASSWORD, or what a user types; None where nobody can be asked."""
    known = os.environ.get("PRINTWRIGHT_PASSWORD")
    if known is not None:
        return known
    if not sys.stdin.isatty():
        return None
    return click.prompt("Password", hide_input=True, err=True)


def emit(value):
    """One JSON line on standard output, at once."""
    click.echo(json.dumps(value, ensure_ascii=False))


@contextlib.contextmanager
def connection(uri, user=None):
    """A tools.ipp.Printer whose errors become one line for the user: exit status 1, or 2 for a bad URI."""
    try:
        printer = ipp.Printer(uri, user, password=password)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--printer") from None
    try:
        with printer, terminated_like_interrupted():
            yield printer
    except ipp.Unreachable as error:
        hint = "; `printwright sim` starts a simulated one" if uri == ipp.DEFAULT_URI else ""
        raise CommandError(f"{error}{hint}") from None
    except ipp.NotAuthenticated as error:
        raise CommandError(f"{error}; give --user and, in PRINTWRIGHT_PASSWORD or when asked, the password") from None
    except ipp.ClientError as error:
        raise CommandError(str(error)) from None


@contextlib.contextmanager
def terminated_like_interrupted():
    """SIGTERM raises KeyboardInterrupt, so that a progress bar leaves the terminal in order."""

    def stop(*_):
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def duration(seconds):
    """"1 h 02 min", "3 min 20 s", "45 s"."""
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds // 60 % 60:02} min"
    if seconds >= 60:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds} s"


def reasons(keywords):
    """State reasons in parentheses, or nothing."""
    told = [keyword for keyword in keywords or [] if keyword != "none"]
    return f" ({', '.join(told)})" if told else ""
