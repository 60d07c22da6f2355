"""The manifest of an update: one component for one kind of board (SPEC.md section 3).  Only for manifests whose signature was verified.

The command sequences of SUIT are taken in one fixed shape each and not interpreted: what a manifest may make a printer do is what is
written here, and nothing else.
"""

from firmware.update import cbor
from hal.compat import const

URI_CHARS_MAX = const(255)
TEXT_BYTES_MAX = const(255)
URGENCIES = ("bugfix", "feature", "security")  # printer-new-firmware-urgency, by number
COMPONENTS = ("app", "image")  # the Python application; the interpreter with the core
PART_BYTES_MAX = const(0x3FFFFFFF)
# keys of the manifest
_VERSION = const(1)
_SEQUENCE = const(2)
_COMMON = const(3)
_REFERENCE = const(4)
_VALIDATE = const(7)
_INSTALL = const(20)
_TEXT = const(23)
# commands and parameters
_CHECK_VENDOR = const(1)
_CHECK_CLASS = const(2)
_CHECK_IMAGE = const(3)
_OVERRIDE = const(20)
_FETCH = const(21)
_ABI_MIN = const(-257)
_FLOOR = const(-258)
_URGENCY = const(-259)
_REPORT = const(15)


class ManifestError(ValueError):
    """It is not of the shape that this firmware knows; the message is a sentence."""


class Manifest:
    """sequence: rises with each release; vendor, board: 16 bytes (UUIDs); component: of COMPONENTS; digest: SHA-256 of the payload,
    bytes: its size; uri: where it is, "#name" inside the envelope; version: text; abi_min: lowest ABI of the core that it runs on; floor:
    sequence below which nothing may be installed once this is in use; urgency: of URGENCIES; info_uri: page about it, or None;
    description: text, or ""."""

    def __init__(self, reader):
        order = cbor.Order()
        self.info_uri = None
        count = reader.map(7)
        self._key(reader, order, _VERSION)
        reader.exactly(1)
        self._key(reader, order, _SEQUENCE)
        self.sequence = reader.unsigned()
        self._key(reader, order, _COMMON)
        self._common(reader.inside())
        if count == 7:
            self._key(reader, order, _REFERENCE)
            self.info_uri = reader.text(URI_CHARS_MAX)
        self._key(reader, order, _VALIDATE)
        validate = reader.inside()
        validate.array(2)
        _command(validate, _CHECK_IMAGE)
        validate.done()
        self._key(reader, order, _INSTALL)
        self._install(reader.inside())
        self._key(reader, order, _TEXT)
        self._text(reader.inside())
        reader.done()
        if self.floor > self.sequence:
            raise cbor.CborError("a floor above its own sequence number")

    def _key(self, reader, order, key):
        at = reader.at
        reader.exactly(key)
        order.note(reader.data[at : reader.at])

    def _common(self, reader):
        if reader.map(2) != 2:
            raise cbor.CborError("no components or no shared sequence")
        reader.exactly(2)
        reader.array(1)
        self.component = _component(reader)
        reader.exactly(4)
        shared = reader.inside()
        reader.done()
        shared.array(6)
        shared.exactly(_OVERRIDE)
        if shared.map(4) != 4:
            raise cbor.CborError("vendor, class, digest or size is missing")
        shared.exactly(1)
        self.vendor = shared.octets(16)
        shared.exactly(2)
        self.board = shared.octets(16)
        shared.exactly(3)
        digest = shared.inside()
        digest.array(2)
        digest.exactly(-16)
        self.digest = digest.octets(32)
        digest.done()
        shared.exactly(14)
        self.bytes = shared.unsigned(PART_BYTES_MAX)
        _command(shared, _CHECK_VENDOR)
        _command(shared, _CHECK_CLASS)
        shared.done()

    def _install(self, reader):
        reader.array(8)
        reader.exactly(_OVERRIDE)
        if reader.map(4) != 4:
            raise cbor.CborError("uri, ABI, floor or urgency is missing")
        reader.exactly(21)
        self.uri = reader.text(URI_CHARS_MAX)
        reader.exactly(_ABI_MIN)
        self.abi_min = reader.unsigned()
        reader.exactly(_FLOOR)
        self.floor = reader.unsigned()
        reader.exactly(_URGENCY)
        self.urgency = URGENCIES[reader.unsigned(len(URGENCIES) - 1)]
        _command(reader, _ABI_MIN)
        _command(reader, _FETCH)
        _command(reader, _CHECK_IMAGE)
        reader.done()

    def _text(self, reader):
        reader.map(1)
        reader.text(2)
        count = reader.map(2)
        self.description = ""
        if count == 2:
            reader.exactly(2)
            self.description = reader.text(TEXT_BYTES_MAX)
        if _component(reader) != self.component:
            raise cbor.CborError("the text is about another component")
        reader.map(1)
        reader.exactly(6)
        self.version = reader.text(TEXT_BYTES_MAX)
        reader.done()


def _component(reader):
    reader.array(1)
    name = reader.octets()
    for known in COMPONENTS:
        if name == known.encode():
            return known
    raise cbor.CborError("a component that this printer does not have")


def _command(reader, code):
    reader.exactly(code)
    reader.exactly(_REPORT)


def read(data, start, end):
    """The Manifest in data[start:end].  ManifestError."""
    try:
        return Manifest(cbor.Reader(data, start, end))
    except cbor.CborError as e:
        raise ManifestError("The manifest is none that this firmware knows: %s." % e)
