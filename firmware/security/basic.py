"""HTTP Basic (RFC 7617): one way to say who one is.  Any other has the same three members, and firmware/security/access asks them all.

    scheme              of the Authorization field, in lower case
    keyword             of uri-authentication-supported
    challenge           value of WWW-Authenticate
    async identify(credentials) -> Account or None        what stands behind the scheme in the Authorization field, as bytes

What was verified is remembered, as a digest with a key that this process made: a password that is expensive to check is checked once.
"""

import asyncio
import binascii

from firmware.security import passwords
from hal.compat import sha256, urandom

_FIELD_OCTETS_MAX = 512


class Basic:
    """accounts: Accounts; remembered: how many verified credentials are kept."""

    scheme = b"basic"
    keyword = "basic"
    challenge = 'Basic realm="Printwright", charset="UTF-8"'

    def __init__(self, accounts, remembered=16):
        self._accounts = accounts
        self._remembered = remembered
        self._known = {}  # digest: Account
        self._key = urandom(16)
        self._changes = accounts.changes
        self._one = asyncio.Lock()  # expensive checks come one after the other

    def recall(self, credentials):
        """The Account of credentials that were verified before, or None."""
        if self._changes != self._accounts.changes:
            self._changes = self._accounts.changes
            self._known = {}
        return self._known.get(self._digest(credentials))

    def _digest(self, credentials):
        return sha256(self._key + credentials).digest()

    async def identify(self, credentials):
        name, password = split(credentials)
        if name is None:
            return None
        account = self._accounts.find(name)
        changes = self._accounts.changes
        async with self._one:
            # a name that nobody has costs as much as one that somebody has
            some = account or self._costly()
            if some is None or not await passwords.matches(password, some.seal) or account is None:
                return None
        if changes != self._accounts.changes:
            return None  # it was changed meanwhile
        if self.recall(credentials) is None:
            while len(self._known) >= self._remembered:
                self._known.pop(next(iter(self._known)))
            self._known[self._digest(credentials)] = account
        return account

    def _costly(self):
        found = None
        for account in self._accounts.all():
            found = account
            if account.seal[0] == passwords.CHOSEN:
                break
        return found


def split(credentials):
    """(name as str, password as bytes) of base64 octets, or (None, None)."""
    if not credentials or len(credentials) > _FIELD_OCTETS_MAX:
        return None, None
    try:
        name, colon, password = binascii.a2b_base64(credentials).partition(b":")
        if not colon:
            return None, None
        return str(name, "utf-8"), password
    except ValueError:  # UnicodeError, too
        return None, None
