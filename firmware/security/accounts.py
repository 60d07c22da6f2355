"""The accounts of a printer: who exists, with which role and password; stored as records of the settings (firmware/config).

A record: role, kind of password, its seal, the name; SPEC: passwords.py has the seal.  A changed password or role counts at once: what
was verified before is forgotten, since `changes` moves on.
"""

from firmware.config import ACCOUNTS_MAX
from firmware.security import passwords, roles
from hal.compat import const

NAME_OCTETS_MAX = const(64)


class AccountError(Exception):
    """What was asked for cannot be; the text is one sentence for a user."""


class Account:
    """name: str; role: of roles; seal: of passwords."""

    def __init__(self, name, role, seal):
        self.name = name
        self.role = role
        self.seal = seal


class Accounts:
    """config: firmware/config.Config, loaded.  iterations: of PBKDF2 for new chosen passwords.  log(text): told of every change."""

    def __init__(self, config, iterations, log=None):
        self._config = config
        self._iterations = iterations
        self._log = log
        self.changes = 0
        self.damaged = 0  # records that could not be used
        self._places = [self._read(config.account(place)) for place in range(ACCOUNTS_MAX)]

    def _read(self, record):
        if record is None:
            return None
        end = 1 + passwords.SEAL_BYTES
        try:
            if len(record) <= end or not roles.USER <= record[0] <= roles.ADMINISTRATOR:
                raise ValueError
            return Account(str(record[end:], "utf-8"), record[0], record[1:end])
        except ValueError:  # UnicodeError, too
            self.damaged += 1
            return None

    def all(self):
        """List of Account, in the order of their places."""
        return [account for account in self._places if account is not None]

    def find(self, name):
        """The Account of a name, or None."""
        for account in self._places:
            if account is not None and account.name == name:
                return account
        return None

    def has_administrator(self):
        for account in self._places:
            if account is not None and account.role == roles.ADMINISTRATOR:
                return True
        return False

    async def put(self, name, role, password=None, kind=passwords.CHOSEN):
        """A new account, or another role and password for an old one; durable when it returns.  AccountError, StorageError.

        Without a password one is generated.  kind: passwords.GENERATED for one that came from passwords.generate().  Returns the password.
        """
        _check_name(name)
        if not roles.USER <= role <= roles.ADMINISTRATOR:
            raise AccountError("there is no such role")
        self._keep_one(name, role)
        if password is None:
            password = passwords.generate()
            kind = passwords.GENERATED
        elif len(password) < passwords.CHOSEN_MIN or len(password.encode()) > passwords.LENGTH_MAX:
            text = "a password has at least %d characters and at most %d octets"
            raise AccountError(text % (passwords.CHOSEN_MIN, passwords.LENGTH_MAX))
        seal = await passwords.seal(password, kind, self._iterations)
        place = self._place(name)
        self._config.set_account(place, bytes([role]) + seal + name.encode())
        self._places[place] = Account(name, role, seal)
        self.changes += 1
        await self._config.save()
        self._told("account %r has role %s and a new password" % (name, roles.NAMES[role]))
        return password

    async def set_role(self, name, role):
        """Another role, the same password; durable when it returns.  AccountError, StorageError."""
        place = self._place(name)
        account = self._places[place]
        if account is None:
            raise AccountError("there is no account %r" % name)
        if not roles.USER <= role <= roles.ADMINISTRATOR:
            raise AccountError("there is no such role")
        self._keep_one(name, role)
        self._config.set_account(place, bytes([role]) + account.seal + name.encode())
        self._places[place] = Account(name, role, account.seal)
        self.changes += 1
        await self._config.save()
        self._told("account %r has role %s" % (name, roles.NAMES[role]))

    async def remove(self, name):
        """Durable when it returns.  AccountError, StorageError."""
        place = self._place(name)
        if self._places[place] is None:
            raise AccountError("there is no account %r" % name)
        self._keep_one(name, roles.NONE)
        self._config.set_account(place, None)
        self._places[place] = None
        self.changes += 1
        await self._config.save()
        self._told("account %r is removed" % name)

    def _place(self, name):
        free = -1
        for place in range(ACCOUNTS_MAX):
            account = self._places[place]
            if account is None:
                if free < 0:
                    free = place
            elif account.name == name:
                return place
        if free < 0:
            raise AccountError("there is room for %d accounts" % ACCOUNTS_MAX)
        return free

    def _keep_one(self, name, role):
        # without an administrator nobody could make one again
        account = self.find(name)
        if account is None or account.role != roles.ADMINISTRATOR or role == roles.ADMINISTRATOR:
            return
        for other in self.all():
            if other.role == roles.ADMINISTRATOR and other is not account:
                return
        raise AccountError("%r is the only administrator" % name)

    def _told(self, text):
        if self._log is not None:
            self._log(text)


def _check_name(name):
    # RFC 7617 section 2: no colon, no control characters
    octets = name.encode()
    if not octets or len(octets) > NAME_OCTETS_MAX or name.strip() != name:
        raise AccountError("a name has 1 to %d octets, without spaces at its ends" % NAME_OCTETS_MAX)
    for octet in octets:
        if octet < 32 or octet == 127 or octet == 58:
            raise AccountError("a name has no colon and no control characters")
