"""The user's settings: what the machine data propose, overridden by what was saved on flash, checked before it is kept.

Saved settings are records (firmware/jobs/records.RecordLog) in a part of the flash of their own, so that neither a full journal nor
a power cut can hurt them: the last saved value of each setting stays.  The machine's description itself is never changed here;
what it is and how it is checked: hal/factory.
"""

from firmware.jobs.records import RecordLog
from hal.compat import const, print_exception, urandom
from hal.errors import ConfigError, StorageError

_TEXT_BYTES = const(127)  # RFC 8011: text attributes of a printer that are text(127)
_KEYS_MAX = const(48)
ACCOUNTS_MAX = const(16)
SUBSCRIPTIONS_MAX = const(8)  # that are kept over a restart
RESOURCES_MAX = const(8)

# Record keys: never used again for anything else.  (number, name)
_UUID = const(1)
_TEXTS = (
    (2, "printer_name"),
    (3, "info"),
    (4, "location"),
    (5, "organization"),
    (6, "organizational_unit"),
    (7, "geo_location"),
    (8, "material"),
    (9, "message_from_operator"),
    (10, "contact_name"),
    (11, "contact_uri"),
    (12, "platform_clearing"),
)
NETWORK_NAMES = const(62)  # firmware/net/discovery
_MESH = const(63)
_FIRST_ACCOUNT = const(64)  # and the ACCOUNTS_MAX - 1 keys after it
FIRST_SUBSCRIPTION = const(96)  # and the SUBSCRIPTIONS_MAX - 1 keys after it: firmware/ipp/subscription_store
FIRST_RESOURCE = const(104)  # and the RESOURCES_MAX - 1 keys after it: firmware/ipp/resources
_NOT_EMPTY = ("printer_name",)
CLEARING = ("none", "operator", "routine")  # what platform_clearing may be


class Config:
    """machine: hal.api.Machine.  Call load() before anything else."""

    def __init__(self, machine):
        part = machine.caps.flash_settings_bytes
        self._flash = machine.flash
        self._log = RecordLog(machine.flash, machine.flash.size - part, part, _KEYS_MAX)
        self._proposed = machine.description["settings"]
        self._clearing = machine.description["printer"]["clearing"]
        self._saved = {}
        self.uuid = None
        self.dns_sd_name = None  # the printer's name on the network while it has one (firmware/net/discovery)
        self.damaged = 0  # records that could not be used; the proposals hold for them

    def load(self):
        """Reads what was saved; makes the printer's UUID when there is none (save() keeps it).  Raises StorageError."""
        self._log.mount()
        self._saved = {}
        self.damaged = 0
        for number, name in _TEXTS:
            raw = self._read(number)
            if raw is None:
                continue
            try:
                value = str(raw, "utf-8")
                self.check(name, value)
            except (UnicodeError, ConfigError):
                self.damaged += 1
                continue
            self._saved[name] = value
        raw = self._read(_UUID)
        if raw is None or len(raw) != 16:
            raw = new_uuid()
            self._log.put(_UUID, raw)
        self.uuid = urn(raw)

    def _read(self, number):
        try:
            return self._log.get(number)
        except StorageError as error:
            self.damaged += 1
            print_exception(error)
            return None

    def get(self, name, default=None):
        """A setting: what was saved, else what the machine data say; `default` when there is no such setting.

        "printer_uuid" is the printer's identity as a URN; it cannot be set, nor can "clearing", the machine's routine.  "dns_sd_name" is
        dns_sd_name.
        """
        if name == "printer_uuid":
            return self.uuid
        if name == "clearing":
            return self._clearing
        if name == "dns_sd_name":
            return self.dns_sd_name
        if name in self._saved:
            return self._saved[name]
        return self._proposed.get(name, default)

    def names(self):
        """The settings that set() takes."""
        return [name for _, name in _TEXTS]

    def check(self, name, value):
        """Raises ConfigError, path "settings.<name>", when the setting may not have this value."""
        path = "settings.%s" % name
        if name not in self.names():
            raise ConfigError(path, "no such setting; there are: " + ", ".join(sorted(self.names())))
        if not isinstance(value, str) or len(value.encode()) > _TEXT_BYTES:
            raise ConfigError(path, "a text of at most %d bytes expected" % _TEXT_BYTES)
        for char in value:
            if ord(char) < 32 or ord(char) == 127:
                raise ConfigError(path, "a text without control characters expected")
        if not value and name in _NOT_EMPTY:
            raise ConfigError(path, "a text that is not empty expected")
        if name == "platform_clearing" and value not in (CLEARING if self._clearing else CLEARING[:2]):
            raise ConfigError(path, "none or operator expected, or routine where the machine has one")
        if name == "geo_location" and value and not value.startswith("geo:"):
            raise ConfigError(path, "a geo: URI (RFC 5870) or nothing expected")

    def set(self, name, value):
        """Changes a setting at once; durable after save().  ConfigError; StorageError, then nothing has changed."""
        self.check(name, value)
        if self.get(name) == value:
            return
        for number, known in _TEXTS:
            if known == name:
                self._log.put(number, value.encode())
        self._saved[name] = value

    def record(self, key):
        """What a part of the firmware keeps under one of the keys for others (bytes), or None."""
        return self._read(key)

    def set_record(self, key, record):
        """Changes it, or removes it (None), at once; durable after save().  Raises StorageError, then nothing has changed."""
        if record is None:
            self._log.delete(key)
        else:
            self._log.put(key, record)

    def has_records(self, first, count):
        """True when there is one under any of these keys."""
        for key in range(first, first + count):
            if self._read(key) is not None:
                return True
        return False

    def mesh(self):
        """The record of the bed's mesh (bytes, firmware/motion/mesh), or None."""
        return self._read(_MESH)

    def set_mesh(self, record):
        """Changes it at once; durable after save().  Raises StorageError, then nothing has changed."""
        self._log.put(_MESH, record)

    def account(self, place):
        """The record of an account (bytes, firmware/security/accounts), place 0 to ACCOUNTS_MAX - 1; None without one."""
        return self._read(_FIRST_ACCOUNT + place)

    def set_account(self, place, record):
        """Changes one, or removes it (None), at once; durable after save().  Raises StorageError, then nothing has changed."""
        if record is None:
            self._log.delete(_FIRST_ACCOUNT + place)
        else:
            self._log.put(_FIRST_ACCOUNT + place, record)

    async def save(self):
        """Returns when every change so far is durable.  Raises StorageError."""
        self._log.flush()
        await self._flash.sync()


def new_uuid():
    """16 octets of a UUID made of random numbers (RFC 9562: version 4)."""
    raw = bytearray(urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    return bytes(raw)


def urn(raw):
    """A UUID's URN from its 16 octets."""
    digits = "".join(["%02x" % byte for byte in raw])
    return "urn:uuid:%s-%s-%s-%s-%s" % (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
