"""The operations on accounts, as the dispatcher's table wants them; their code is loaded when one is asked for (account_ops.py)."""

from firmware.ipp.checks import PRINTER
from hal.compat import const, seldom

GET = const(0x4F01)
PUT = const(0x4F02)  # a new account, or another password and role of an old one
SET_ROLE = const(0x4F03)
REMOVE = const(0x4F04)


def table(accounts):
    """{operation-id: (handler, target)}.  accounts: Accounts."""

    async def later(ctx):
        return await seldom("firmware.security.account_ops", "answer")(accounts, ctx)

    return {operation: (later, PRINTER) for operation in (GET, PUT, SET_ROLE, REMOVE)}
