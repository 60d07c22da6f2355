"""Operations on the printer's accounts: vendor operations of ours, since IPP has none (RFC 8011 section 5.4.15 leaves 0x4000 up).

An administrator's, as all that firmware/security/roles does not list, and over TLS only: passwords travel in them.  What is said
stands in the request's printer attributes:

    printwright-account-name      name(64)
    printwright-account-role      keyword: user, operator, administrator
    printwright-account-password  text(128); without it one is made, and told in the answer by the same name

The answer to GET lists printwright-accounts, 1setOf collection (name, role); never anything of a password.
"""

from firmware.ipp import tags
from firmware.ipp.checks import check_text
from firmware.ipp.codec import Response, attribute
from firmware.ipp.status import BAD_REQUEST, NOT_FOUND, NOT_POSSIBLE, NOT_SUPPORTED, TEMPORARY_ERROR, IppError, Refusal
from firmware.security import roles
from firmware.security.access import UPGRADE
from firmware.security.account_table import GET, PUT, SET_ROLE
from firmware.security.accounts import AccountError
from hal.errors import StorageError

NAME = "printwright-account-name"
ROLE = "printwright-account-role"
PASSWORD = "printwright-account-password"
ACCOUNTS = "printwright-accounts"
_TAGS = {NAME: (tags.NAME,), ROLE: (tags.KEYWORD, tags.NAME), PASSWORD: (tags.TEXT,)}


def _given(ctx, name, needed=True):
    """A value of the request's printer attributes as str, or None."""
    for found, values in ctx.group(tags.PRINTER_GROUP):
        if found == name:
            if len(values) != 1 or values[0][0] not in _TAGS[name]:
                raise IppError(BAD_REQUEST, "'%s' is not one value of its syntax." % name)
            check_text(name, values)
            return str(values[0][1], "utf-8")
    if needed:
        raise IppError(BAD_REQUEST, "'%s' is missing." % name)
    return None


def _role(ctx):
    text = _given(ctx, ROLE)
    if text not in roles.NAMES[1:]:
        raise IppError(NOT_SUPPORTED, "There is no role '%s'." % text, [attribute(tags.KEYWORD, ROLE, [text])])
    return roles.number(text)


async def answer(accounts, ctx):
    """The Response to one of these operations.  accounts: Accounts."""
    operation = ctx.request.operation
    if operation == GET:
        found = []
        for account in accounts.all():
            found.append([("name", [(tags.NAME, account.name)]), ("role", [(tags.KEYWORD, roles.NAMES[account.role])])])
        return Response().add(tags.PRINTER_GROUP, [attribute(tags.COLLECTION, ACCOUNTS, found)] if found else ())
    if operation == PUT:
        _secret(ctx)
        password = _given(ctx, PASSWORD, False)
        made = await _tried(accounts.put(_given(ctx, NAME), _role(ctx), password))
        return Response().add(tags.PRINTER_GROUP, [attribute(tags.TEXT, PASSWORD, [made])] if password is None else ())
    name = _given(ctx, NAME)
    if accounts.find(name) is None:
        raise IppError(NOT_FOUND, "There is no account '%s'." % name)
    await _tried(accounts.set_role(name, _role(ctx)) if operation == SET_ROLE else accounts.remove(name))
    return Response()


def _secret(ctx):
    if not ctx.tls:
        raise Refusal(426, UPGRADE)


async def _tried(change):
    try:
        return await change
    except AccountError as e:
        raise IppError(NOT_POSSIBLE, "Not possible: %s." % e)
    except StorageError as e:
        raise IppError(TEMPORARY_ERROR, "The account cannot be stored: %s." % e.message)
