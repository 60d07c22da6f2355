"""The printer object: its attributes as encoded pieces, cheap enough to be asked for thousands of times a second.

Everything that only configuration changes is encoded once, per registry group, in one piece (fixed.py); what holds the printer's
address is kept for the addresses that clients used last; only status is packed for each answer.  Asked for single names, an
answer is cut out of it.

Not here: operations (printer_ops.py), the values' origin (printer_values.py), the machine's state (jobs/runner).
"""

from firmware.ipp import attributes, codec, live, registry_printer, tags
from firmware.ipp.checks import PLAIN
from firmware.ipp.fixed import Fixed
from firmware.ipp.job import JobAttributes
from firmware.jobs.queue import DISABLED
from firmware.strings.languages import nearest
from hal.compat import const, print_exception, seldom, sleep_ms
from hal.errors import StorageError

# Addresses (scheme, host) whose attributes are kept: a client uses one, a household a handful.
MAX_ADDRESSES = const(4)
PATH = "/ipp/print3d"
_VALUES = "firmware.ipp.printer_values"
ICONS = ("/icon-48.png", "/icon.png", "/icon-512.png")

_XRI = (
    ("xri-authentication-supported", tags.KEYWORD, 2),
    ("xri-security-supported", tags.KEYWORD, 1),
    ("xri-uri-scheme-supported", tags.URI_SCHEME, 0),
)
_HTTP_OF = {"ipp": "http", "ipps": "https"}


def _encoded(row, found):
    if found[0] is None and row[attributes.SYNTAX].find(" | ") < 0:
        return codec.attribute(tags.NO_VALUE, row[attributes.NAME], [])
    return attributes.encode(row, found)


class Printer:
    """load() comes before the first answer, or that answer is slow.

    machine: hal.api Machine; queue: jobs.queue.JobQueue; runner: jobs.runner.Runner; heating: thermal.control.Heating; materials:
    Materials; settings: object with get(key, default); operations: operation-ids that work; version: the firmware's; files: where a
    machine that is short of memory keeps encoded attributes (hal.api.Files).
    """

    def __init__(self, machine, queue, runner, heating, materials, settings, operations, version, files=None):
        self.machine = machine
        self.queue = queue
        self.runner = runner
        self.heating = heating
        self.materials = materials
        self.settings = settings
        self.notifier = None  # firmware/ipp/notifier.Notifier; set by app.py, which makes both
        basics = seldom(_VALUES, "basics")(machine.description["printer"], materials, machine.clock.unix_s() is not None)
        self.accuracy_um, self.ticket_names, self.holds = basics
        self.identify_actions = list(machine.caps.identify)
        self.job_attributes = JobAttributes(self)
        self._operations = operations
        self._version = version
        self._clock = machine.clock
        self._addresses = []  # (key, [(group, name, bytes), ...]), the latest first
        self.config_changes = 0
        self._resources = None
        self.config_changed = (1, None)  # (uptime, unix time or None)
        self.message_changed = (1, machine.clock.unix_s())  # of printer-message-from-operator
        self.live = live.Live(self)
        self._loaded_part = []  # (group, name, bytes)
        self._loaded = None
        self._files = files
        self._serial = 0
        self._fixed = Fixed(None, None)  # complete after load()

    @property
    def configured(self):
        """An object that is another one as soon as anything but Live's attributes has changed."""
        return self._loaded_part if self.materials.ready is self._loaded else None

    @property
    def document_attributes(self):
        """DocumentAttributes, loaded when a document is told of."""
        return seldom("firmware.ipp.document", "DocumentAttributes")(self)

    async def load(self):
        """Encodes what depends on the configuration, in steps; to be awaited before the first answer and after a change of settings."""
        try:
            for _ in self._encode():
                await sleep_ms(0)
        except StorageError as error:
            print_exception(error)
            self._files = None
            for _ in self._encode():
                await sleep_ms(0)

    async def set_message(self, text):
        """Sets printer-message-from-operator, for good."""
        await self.change({"message_from_operator": text})

    async def change(self, changes):
        """Changes settings {name: text}; durable on return.  Raises ConfigError, StorageError."""
        for name in changes:
            self.settings.set(name, changes[name])
        await self.settings.save()
        if "message_from_operator" in changes:
            self.message_changed = (self._clock.uptime_s(), self._clock.unix_s())
        await self.load()

    def refresh(self):
        """As load(), at once: some hundred kilobytes of garbage, too much for a small heap."""
        for _ in self._encode():
            pass

    def _encode(self):
        # a generator, stepped: each row leaves some garbage behind
        computed = seldom(_VALUES, "compute")(
            self.machine.description,
            self.machine.caps,
            self.settings,
            self.materials,
            self._operations,
            self._version,
            self.queue.time_out_s,
            self._clock.unix_s() is not None,
        )
        yield
        self._serial ^= 1  # answers that are on their way have the other one
        fixed = Fixed(self._files, "attributes%d" % self._serial if self._files else None)
        for group in ("T", "D", "S"):
            first = fixed.size
            for row in attributes.rows_of(registry_printer.ROWS, group):
                yield
                octets = self._fixed_row(row, computed)
                if octets is not None:
                    fixed.add(octets)
            fixed.spans[group] = (first, fixed.size)
        computed = None
        yield
        fixed.end()
        self._fixed = fixed
        self._addresses = []
        self._encode_loaded()

    def _fixed_row(self, row, computed):
        name = row[attributes.NAME]
        source = row[attributes.VALUE]
        if source[0] == "=":
            return attributes.encode(row, attributes.constants(row))
        if source != "*":
            return None
        found = computed.get(name)
        if found is None:
            if row[attributes.LEVEL] == "C":
                return None  # the machine has no such part
            raise ValueError("no value of " + name)
        return _encoded(row, found())

    def _encode_loaded(self):
        self._loaded = self.materials.ready
        computed = seldom(_VALUES, "of_loaded")(self.materials)
        part = []
        for name in sorted(computed):
            row = attributes.find(registry_printer.ROWS, name)
            if row is None:
                raise ValueError(name)
            part.append((row[attributes.GROUP], name, _encoded(row, computed[name])))
        self._loaded_part = part
        self.config_changes += 1
        self.config_changed = (self._clock.uptime_s(), self._clock.unix_s())

    def attributes(self, requested, uri, offers=PLAIN, language="en"):
        """Generator of encoded attributes.  requested: requested.Requested; uri: (scheme, host, path), offers: as in Context; language:
        attributes-natural-language of the request."""
        if not self._fixed.size:
            self.refresh()
        elif self.materials.ready is not self._loaded:
            self._encode_loaded()
        fixed = self._fixed
        if requested.everything():
            for octets in fixed.read(0, fixed.size):
                yield octets
            for part in (self._loaded_part, self._addressed(uri, offers, language)):
                for _, _, octets in part:
                    yield octets
            yield self.live.all()
            return
        skip = [fixed.spans[group] for group in requested.groups]
        for first, end in skip:
            for octets in fixed.read(first, end):
                yield octets
        if requested.octets:
            for octets in fixed.single(requested.octets, skip):
                yield octets
        for part in (self._loaded_part, self._addressed(uri, offers, language)):
            for group, name, octets in part:
                if requested.has(group, name):
                    yield octets
        for row in self.live.rows:
            if requested.has(row[0], row[1]):
                yield live.octets(row)

    def uri(self, uri):
        """The printer's URI (str) in the words of the client's (scheme, host, path)."""
        return uri[0] + "://" + uri[1] + PATH

    @property
    def resources(self):
        """firmware/ipp/resources.Resources, loaded when it is asked for first."""
        if self._resources is None:
            from firmware.ipp.resource_kinds import make

            self._resources = make(self)
        return self._resources

    def up_time(self):
        """printer-up-time in seconds, at least 1."""
        return self._clock.uptime_s()

    def _addressed(self, uri, offers, language):
        language = nearest(language)
        key = (uri[0], uri[1], offers, language)
        for i in range(len(self._addresses)):
            if self._addresses[i][0] == key:
                return self._addresses[i][1]
        pages = _HTTP_OF[uri[0]] + "://" + uri[1]
        uris = []
        collections = []
        for scheme, security, authentication in offers:
            # the address that the client used is the one it can reach
            own = scheme + "://" + uri[1] + PATH
            uris.append(own)
            collections.append(
                [
                    ("xri-uri", [(tags.URI, own)]),
                    ("xri-authentication", [(tags.KEYWORD, authentication)]),
                    ("xri-security", [(tags.KEYWORD, security)]),
                ]
            )
        found = [
            ("D", "printer-icons", codec.attribute(tags.URI, "printer-icons", [pages + icon for icon in ICONS])),
            ("D", "printer-xri-supported", codec.attribute(tags.COLLECTION, "printer-xri-supported", collections)),
            ("D", "printer-strings-uri", codec.attribute(tags.URI, "printer-strings-uri", [pages + "/strings/" + language + ".strings"])),
            ("S", "printer-more-info", codec.attribute(tags.URI, "printer-more-info", [pages + "/"])),
            ("S", "printer-supply-info-uri", codec.attribute(tags.URI, "printer-supply-info-uri", [pages + "/"])),
            ("S", "printer-uri-supported", codec.attribute(tags.URI, "printer-uri-supported", uris)),
        ]
        # parallel to printer-uri-supported (RFC 8011 sections 5.4.2 and 5.4.3)
        for name, i in (("uri-authentication-supported", 2), ("uri-security-supported", 1)):
            found.append(("D", name, codec.attribute(tags.KEYWORD, name, [offer[i] for offer in offers])))
        # RFC 3380 section 6: as members of printer-xri-supported
        for name, tag, i in _XRI:
            found.append(("S", name, codec.attribute(tag, name, _once([offer[i] for offer in offers]))))
        self._addresses = [(key, found)] + self._addresses[: MAX_ADDRESSES - 1]
        return found

    def accepting(self):
        """printer-is-accepting-jobs."""
        return not self.queue.flag(DISABLED)


def _once(values):
    found = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
