"""Resources (PWG 5100.22): what an administrator gives the printer besides jobs, from its creation to its end.

What can be given is a table of kinds, filled by app.py: {resource-type: Kind}.  A kind takes the data, installs and removes; states, ids,
records and limits are the same for all and are here.  Records lie in the settings' part of the flash; those that were canceled or aborted
are remembered until the printer is switched off or their place is needed.  No I/O but through kinds and config; loaded when first used.
"""

from firmware.config import FIRST_RESOURCE, RESOURCES_MAX, new_uuid
from firmware.jobs import packing
from hal.compat import const, print_exception
from hal.errors import StorageError

# resource-state
PENDING = const(3)
AVAILABLE = const(4)
INSTALLED = const(5)
CANCELED = const(6)
ABORTED = const(7)

INCOMING = "resource-incoming"
INSTALLING = "install-requested"
_VERSION = const(1)
_NAMED = ("name", "info", "language", "string_version", "patches")


class ResourceError(Exception):
    """The data are not what they should be, or cannot be used: the resource is aborted with this message."""


class Kind:
    """What a kind of resource does.  formats: tuple of MIME types; octets_max: of its data."""

    formats = ()
    octets_max = 0

    def receive(self, resource):
        """Something with write(buf), `async close()` (all came, and is durable) and abort().  Raises ResourceError, StorageError, as
        its methods do."""
        raise NotImplementedError

    async def install(self, resource):
        """Puts it to use.  Raises ResourceError."""

    async def remove(self, resource):
        """Its data are not needed any more."""


class Resource:
    """id; uuid: 16 octets; type, format, name, info, language, string_version, patches, message: str; version: bytes; signature: tuple of
    bytes; octets: of its data; state; reasons: list of keywords; created, installed, ended: (up-time, unix time or None) or None; place: in
    flash, or None; text: what the kind likes to remember of it (str)."""

    def __init__(self, id, uuid, type):
        self.id = id
        self.uuid = uuid
        self.type = type
        self.format = ""
        self.name = ""
        self.info = ""
        self.language = "en"
        self.string_version = ""
        self.patches = ""
        self.version = b""
        self.signature = ()
        self.octets = 0
        self.state = PENDING
        self.reasons = []
        self.message = ""
        self.created: tuple | None = None
        self.installed: tuple | None = None
        self.ended: tuple | None = None
        self.place: int | None = None
        self.text = ""

    @property
    def over(self):
        """True when it was canceled or aborted."""
        return self.state >= CANCELED

    @property
    def busy(self):
        """True while its data arrive or it is being installed."""
        return bool(self.reasons)


class Resources:
    """kinds: {resource-type: Kind}; told(resource, created): of each change of state."""

    def __init__(self, config, clock, kinds, told):
        self.kinds = kinds
        self._config = config
        self._clock = clock
        self._told = told
        self._all = []
        self._last_id = 0
        for place in range(RESOURCES_MAX):
            record = config.record(FIRST_RESOURCE + place)
            if record is not None:
                self._load(place, record)

    def _load(self, place, record):
        try:
            fields = packing.unpack(record, 0)[0]
            if fields[0] != _VERSION:
                raise packing.PackingError("version")
            one = Resource(fields[1], fields[2], fields[3])
            one.state, one.octets, one.format, one.version, one.signature, one.created, one.installed, one.text = fields[4]
            for name, value in zip(_NAMED, fields[5]):
                setattr(one, name, value)
        except (packing.PackingError, IndexError, TypeError, ValueError) as error:
            # what cannot be read is no resource; its place is free again
            print_exception(error)
            return
        # times of an earlier start
        one.created = (0, one.created[1]) if one.created else (0, None)
        one.installed = one.installed and (0, one.installed[1])
        one.place = place
        self._last_id = max(self._last_id, one.id)
        self._all.append(one)

    def all(self):
        """List of them, the oldest first."""
        return list(self._all)

    def get(self, id):
        """The Resource, or None."""
        for one in self._all:
            if one.id == id:
                return one
        return None

    def find(self, type, language=None):
        """The Resource of a type (and language) that was installed last, or None."""
        found = None
        for one in self._all:
            if one.state == INSTALLED and one.type == type and (language is None or one.language.split("-")[0] == language):
                found = one
        return found

    def create(self, type):
        """A pending Resource, or None when there is no room; store() keeps it."""
        self._make_room()
        if len(self._all) >= RESOURCES_MAX:
            return None
        self._last_id += 1
        one = Resource(self._last_id, new_uuid(), type)
        one.created = self._now()
        taken = [other.place for other in self._all]
        one.place = [place for place in range(RESOURCES_MAX) if place not in taken][0]
        self._all.append(one)
        return one

    def _make_room(self):
        for one in self._all:
            if one.over and len(self._all) >= RESOURCES_MAX:
                self._all.remove(one)
                return

    def _now(self):
        return self._clock.uptime_s(), self._clock.unix_s()

    async def store(self, one, created=False):
        """Its record is durable on return.  StorageError."""
        if one.over:
            if one.place is not None:
                self._config.set_record(FIRST_RESOURCE + one.place, None)
                one.place = None
        else:
            out = bytearray()
            state = (one.state, one.octets, one.format, one.version, tuple(one.signature), one.created, one.installed, one.text)
            named = tuple([getattr(one, name) for name in _NAMED])
            packing.pack_into(out, (_VERSION, one.id, one.uuid, one.type, state, named))
            self._config.set_record(FIRST_RESOURCE + one.place, bytes(out))  # pyright: ignore[reportOptionalOperand]
        await self._config.save()
        self._told(one, created)

    def receive(self, one, format):
        """A Receiver for its data."""
        one.format = format
        one.reasons = [INCOMING]
        self._told(one, False)
        return Receiver(self, one, self.kinds[one.type])

    async def install(self, one):
        """AVAILABLE to INSTALLED, or ABORTED with a message."""
        one.reasons = [INSTALLING]
        self._told(one, False)
        try:
            await self.kinds[one.type].install(one)
        except (ResourceError, StorageError) as error:
            await self.end(one, ABORTED, str(error))
            return
        one.reasons = []
        one.state = INSTALLED
        one.installed = self._now()
        await self.store(one)

    async def end(self, one, state, message=""):
        """CANCELED or ABORTED; its data are removed."""
        one.state = state
        one.reasons = []
        one.message = message
        one.ended = self._now()
        await self.kinds[one.type].remove(one)
        await self.store(one)


class Receiver:
    """Data that arrive: write() piece by piece, then close() or abort()."""

    def __init__(self, resources, one, kind):
        self._resources = resources
        self._one = one
        self._kind = kind
        self._sink = kind.receive(one)

    def write(self, buf):
        """False when there is too much.  ResourceError, StorageError."""
        self._one.octets += len(buf)
        if self._one.octets > self._kind.octets_max:
            return False
        self._sink.write(buf)
        return True

    async def close(self):
        """All is there: AVAILABLE."""
        await self._sink.close()
        self._one.reasons = []
        self._one.state = AVAILABLE
        await self._resources.store(self._one)

    async def abort(self, message):
        """ABORTED."""
        self._sink.abort()
        await self._resources.end(self._one, ABORTED, message)


class StaticKind(Kind):
    """Data that lie in a file and are served as they are.  check(head): raises ResourceError when they do not begin as the format does."""

    def __init__(self, files, formats, octets_max, check):
        self.formats = formats
        self.octets_max = octets_max
        self._files = files
        self._check = check

    def receive(self, resource):
        return _Static(self._files, resource, self._check)

    async def remove(self, resource):
        try:
            self._files.remove(file_name(resource.id))
        except StorageError as error:
            print_exception(error)


class _Static:
    def __init__(self, files, resource, check):
        self._files = files
        self._name = file_name(resource.id)
        self._resource = resource
        self._check = check
        self._writer = files.create(self._name)
        self._head = b""

    def write(self, buf):
        if len(self._head) < 64:
            self._head += bytes(buf[: 64 - len(self._head)])
        self._writer.write(buf)

    async def close(self):
        self._writer.close()
        self._check(self._resource.format, self._head)
        await self._files.sync()

    def abort(self):
        self._writer.close()


def file_name(id):
    """Of a static resource's data."""
    return "r%d" % id


def read(files, resource):
    """A static resource's data, or None.  For a web page: whole."""
    try:
        reader = files.open(file_name(resource.id))
    except StorageError:
        return None
    out = bytearray(resource.octets)
    view = memoryview(out)
    at = 0
    try:
        while at < len(out):
            n = reader.readinto(view[at:])
            if not n:
                return None
            at += n
    finally:
        reader.close()
    return bytes(out)


def check_image(format, head):
    """PNG or JPEG by their first octets."""
    starts = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
    if not head.startswith(starts[format]):
        raise ResourceError("the data are not %s" % format)


def check_strings(format, head):
    """Text of lines `"key" = "text";`, with comments; UTF-8."""
    text = head[3:] if head.startswith(b"\xef\xbb\xbf") else head
    text = text.strip()
    if not text or text[:1] not in (b'"', b"/") or b"\0" in text:
        raise ResourceError("the data are no strings file")
