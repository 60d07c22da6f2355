"""`printwright account`: who may do what at a printer.  By IPP (firmware/security/account_ops), so while it runs, and any printer."""

import sys

import click

from firmware.ipp import tags
from firmware.security import account_ops, account_table
from tools.cli import common
from tools.cli.main import CommandError

ROLES = ("user", "operator", "administrator")


@click.group("account")
def command():
    """Manage the accounts of a printer.

    An administrator's --user and password are needed, but on the computer of a simulated printer that was not started with
    --auth required.
    """


def _shared(function):
    return common.printer_option(common.user_option(common.json_option(function)))


def _change(uri, user, operation, name, role=None, password=None):
    """The answer's printer attributes."""
    group = [(account_ops.NAME, [(tags.NAME, name)])]
    if role is not None:
        group.append((account_ops.ROLE, [(tags.KEYWORD, role)]))
    if password is not None:
        group.append((account_ops.PASSWORD, [(tags.TEXT, password)]))
    with common.connection(uri, user) as printer:
        if operation == account_table.PUT and not printer.secure:
            raise CommandError("a password is sent over TLS only: give the printer's ipps: URI")
        return printer.request(operation, groups=[(tags.PRINTER_GROUP, group)]).group(tags.PRINTER_GROUP)


def _accounts(uri, user):
    with common.connection(uri, user) as printer:
        found = printer.request(account_table.GET).group(tags.PRINTER_GROUP).get(account_ops.ACCOUNTS) or []
    return [found] if isinstance(found, dict) else found


def _chosen(ask):
    """A password that somebody types twice, or the first line of standard input; None: the printer makes one."""
    if not ask:
        return None
    if sys.stdin.isatty():
        return click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    return sys.stdin.readline().rstrip("\n")


def _told(name, role, found, as_json):
    made = found.get(account_ops.PASSWORD)
    if as_json:
        common.emit({"name": name, "role": role, **({"password": made} if made else {})})
    elif made:
        click.echo(f"the password of {name} is", err=True)
        click.echo(made)


_ask = click.option("--ask", is_flag=True, help="Ask for the password (or read it from standard input) instead of having one made.")


@command.command("list")
@_shared
def list_(uri, user, as_json):
    """List names and roles."""
    found = _accounts(uri, user)
    if not found and not as_json:
        click.echo("no accounts", err=True)
    for account in found:
        if as_json:
            common.emit({"name": account["name"], "role": account["role"]})
        else:
            click.echo(f"{account['name']}  {account['role']}")


@command.command()
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@_ask
@_shared
def add(name, role, ask, uri, user, as_json):
    """Add an account.  The printer makes its password and tells it once, on standard output."""
    if any(account["name"] == name for account in _accounts(uri, user)):
        raise CommandError(f"there is an account {name} already: see `printwright account password` and `role`")
    _told(name, role, _change(uri, user, account_table.PUT, name, role, _chosen(ask)), as_json)


@command.command()
@click.argument("name")
@_ask
@_shared
def password(name, ask, uri, user, as_json):
    """Give an account a new password."""
    role = next((account["role"] for account in _accounts(uri, user) if account["name"] == name), None)
    if role is None:
        raise CommandError(f"there is no account {name}")
    _told(name, role, _change(uri, user, account_table.PUT, name, role, _chosen(ask)), as_json)


@command.command()
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@_shared
def role(name, role, uri, user, as_json):
    """Give an account another role; its password stays."""
    _told(name, role, _change(uri, user, account_table.SET_ROLE, name, role), as_json)


@command.command()
@click.argument("name")
@_shared
def remove(name, uri, user, as_json):
    """Remove an account.  The last administrator stays."""
    _change(uri, user, account_table.REMOVE, name)
    if as_json:
        common.emit({"name": name, "removed": True})
