"""The printer object: its attributes as encoded pieces, cheap enough to be asked for thousands of times a second.

Everything that only configuration changes is encoded once, per registry group, into one bytes object; what holds the printer's
address is kept for the addresses that clients used last; only status is packed for each answer.  Asked for single names, an
answer is cut out of the same bytes.

Not here: operations (printer_ops.py), the values' origin (printer_values.py), the machine's state (jobs/runner).
"""

from array import array

from firmware.ipp import attributes, codec, printer_values, registry_printer, tags, values
from firmware.ipp.checks import PLAIN
from firmware.ipp.job import JobAttributes
from firmware.jobs.queue import DISABLED
from hal.compat import const, sleep_ms

# Addresses (scheme, host) whose attributes are kept: a client uses one, a household a handful.
MAX_ADDRESSES = const(4)
PATH = "/ipp/print3d"
ICONS = ("/icon-48.png", "/icon.png", "/icon-512.png")

_XRI = (
    ("xri-authentication-supported", tags.KEYWORD, 2),
    ("xri-security-supported", tags.KEYWORD, 1),
    ("xri-uri-scheme-supported", tags.URI_SCHEME, 0),
)
_MESSAGE_OCTETS = const(1023)
_HTTP_OF = {"ipp": "http", "ipps": "https"}
_REASONS_LIMIT = const(16)

_STATE = values.head(tags.ENUM, "printer-state", 4)
_UP_TIME = values.head(tags.INTEGER, "printer-up-time", 4)
_STATE_TIME = values.head(tags.INTEGER, "printer-state-change-time", 4)
_CONFIG_TIME = values.head(tags.INTEGER, "printer-config-change-time", 4)
_MESSAGE_TIME = values.head(tags.INTEGER, "printer-message-time", 4)
_QUEUED = values.head(tags.INTEGER, "queued-job-count", 4)
_CHAMBER = values.head(tags.INTEGER, "chamber-temperature-current", 4)
_ACCEPTING = values.head(tags.BOOLEAN, "printer-is-accepting-jobs", 1)


def _encoded(row, found):
    if found[0] is None and row[attributes.SYNTAX].find(" | ") < 0:
        return codec.attribute(tags.NO_VALUE, row[attributes.NAME], [])
    return attributes.encode(row, found)


class Printer:
    """load() comes before the first answer, or that answer is slow.

    machine: hal.api Machine; queue: jobs.queue.JobQueue; runner: jobs.runner.Runner; heating: thermal.control.Heating; materials:
    Materials; settings: object with get(key, default); operations: operation-ids that work; version: the firmware's.
    """

    def __init__(self, machine, queue, runner, heating, materials, settings, operations, version):
        self.machine = machine
        self.queue = queue
        self.runner = runner
        self.heating = heating
        self.materials = materials
        self.settings = settings
        self.accuracy_um = printer_values.accuracy_um(machine.description["printer"])
        self.ticket_names = printer_values.ticket_attributes(materials)
        self.identify_actions = list(machine.caps.identify)
        self.holds = printer_values.holds_supported(machine.clock.unix_s() is not None)
        self.job_attributes = JobAttributes(self)
        self._document_attributes = None
        self._operations = operations
        self._version = version
        self._clock = machine.clock
        self._addresses = []  # (key, [(group, name, bytes), ...]), the latest first
        self._live = self._live_table()
        self._config_changed = (1, None)  # (uptime, unix time or None)
        self._message_changed = (1, machine.clock.unix_s())  # of printer-message-from-operator
        self._last = {}  # what _kept() keeps
        self._loaded_part = []  # (group, name, bytes)
        self._loaded = None
        self._fixed = b""  # all attributes that do not change, by groups
        self._starts = array("H")  # where each begins, and the end
        self._spans = {}  # group: (start, end)

    @property
    def document_attributes(self):
        """DocumentAttributes, loaded when the first document is told of."""
        if self._document_attributes is None:
            from firmware.ipp.document import DocumentAttributes

            self._document_attributes = DocumentAttributes(self)
        return self._document_attributes

    async def load(self):
        """Encodes what depends on the configuration, in steps; to be awaited before the first answer and after a change of settings."""
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
            self._message_changed = (self._clock.uptime_s(), self._clock.unix_s())
        await self.load()

    def refresh(self):
        """As load(), at once: some hundred kilobytes of garbage, too much for a small heap."""
        for _ in self._encode():
            pass

    def _encode(self):
        # a generator, stepped: each row leaves some garbage behind
        computed = printer_values.compute(
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
        parts = []
        starts = array("H")
        spans = {}
        end = 0
        for group in ("T", "D", "S"):
            first = end
            for row in attributes.rows_of(registry_printer.ROWS, group):
                yield
                octets = self._fixed_row(row, computed)
                if octets is None:
                    continue
                parts.append(octets)
                starts.append(end)
                end += len(octets)
            spans[group] = (first, end)
        starts.append(end)
        computed = None
        yield
        self._fixed = b"".join(parts)
        self._starts = starts
        self._spans = spans
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
        return _encoded(row, found)

    def _encode_loaded(self):
        self._loaded = self.materials.loaded
        computed = printer_values.of_loaded(self.materials)
        part = []
        for name in sorted(computed):
            row = attributes.find(registry_printer.ROWS, name)
            if row is None:
                raise ValueError(name)
            part.append((row[attributes.GROUP], name, _encoded(row, computed[name])))
        self._loaded_part = part
        self._config_changed = (self._clock.uptime_s(), self._clock.unix_s())

    def attributes(self, requested, uri, offers=PLAIN):
        """Generator of encoded attributes.  requested: requested.Requested; uri: (scheme, host, path), offers: as in Context."""
        if not self._starts:
            self.refresh()
        elif self.materials.loaded is not self._loaded:
            self._encode_loaded()
        if requested.everything():
            yield self._fixed
            for part in (self._loaded_part, self._addressed(uri, offers)):
                for _, _, octets in part:
                    yield octets
            yield b"".join([encode() for _, _, encode in self._live])
            return
        fixed = self._fixed
        for group in requested.groups:
            start, end = self._spans[group]
            yield fixed[start:end]
        if requested.octets:
            for octets in self._single(requested):
                yield octets
        for part in (self._loaded_part, self._addressed(uri, offers)):
            for group, name, octets in part:
                if requested.has(group, name):
                    yield octets
        for group, name, encode in self._live:
            if requested.has(group, name):
                yield encode()

    def _single(self, requested):
        # what was asked for by name out of the bytes that never change
        fixed = self._fixed
        starts = self._starts
        names = requested.octets
        skip = [self._spans[group] for group in requested.groups]
        for i in range(len(starts) - 1):
            start = starts[i]
            # no registered name has 256 octets, so the length's second octet is all of it
            if fixed[start + 3 : start + 3 + fixed[start + 2]] in names:
                for first, end in skip:
                    if first <= start < end:
                        break
                else:
                    yield fixed[start : starts[i + 1]]

    def uri(self, uri):
        """The printer's URI (str) in the words of the client's (scheme, host, path)."""
        return uri[0] + "://" + uri[1] + PATH

    def up_time(self):
        """printer-up-time in seconds, at least 1."""
        return self._clock.uptime_s()

    def _addressed(self, uri, offers):
        key = (uri[0], uri[1], offers)
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

    def _live_table(self):
        table = [
            ("D", "printer-current-time", self._current_time),
            ("S", "printer-alert", self._alert),
            ("S", "printer-alert-description", self._alert_description),
            ("S", "printer-config-change-date-time", self._config_date),
            ("S", "printer-config-change-time", self._config_time),
            ("S", "printer-is-accepting-jobs", self._accepting),
            ("S", "printer-message-date-time", self._message_date),
            ("S", "printer-message-time", self._message_time),
            ("S", "printer-state", self._state),
            ("S", "printer-state-change-date-time", self._state_date),
            ("S", "printer-state-change-time", self._state_time),
            ("S", "printer-state-message", self._state_message),
            ("S", "printer-state-reasons", self._state_reasons),
            ("S", "printer-up-time", self._up_time),
            ("S", "queued-job-count", self._queued),
            ("S", "printwright-position", self._position),
            ("S", "printwright-temperatures", self._temperatures),
        ]
        if self.materials.chamber_limit_c:
            table.append(("S", "chamber-temperature-current", self._chamber))
        return table

    def _kept(self, name, key, encode):
        """encode(name, key), or what it gave last time when the key is the same: most of it changes seldom."""
        kept = self._last.get(name)
        if kept is not None and kept[0] == key:
            return kept[1]
        octets = encode(name, key)
        self._last[name] = (key, octets)
        return octets

    def _current_time(self):
        return self._kept("printer-current-time", self._clock.unix_s(), values.date)

    def _config_date(self):
        return self._kept("printer-config-change-date-time", self._config_changed[1], values.date)

    def _config_time(self):
        return values.integer(_CONFIG_TIME, self._config_changed[0])

    def _accepting(self):
        return _ACCEPTING + (b"\x01" if self.accepting() else b"\x00")

    def accepting(self):
        """printer-is-accepting-jobs."""
        return not self.queue.flag(DISABLED)

    def _alert(self):
        return self._kept("printer-alert", tuple(self.runner.status.state_reasons), _alerts)

    def _alert_description(self):
        status = self.runner.status
        return self._kept("printer-alert-description", (status.state_message or "", tuple(status.state_reasons)), _alert_texts)

    def _message_date(self):
        return self._kept("printer-message-date-time", self._message_changed[1], values.date)

    def _message_time(self):
        return values.integer(_MESSAGE_TIME, self._message_changed[0])

    def _state(self):
        return values.integer(_STATE, self.runner.status.printer_state)

    def _state_date(self):
        now_s = self._clock.unix_s()
        changed_s = None if now_s is None else now_s - (self._clock.uptime_s() - self.runner.status.changed_s)
        return self._kept("printer-state-change-date-time", changed_s, values.date)

    def _state_time(self):
        return values.integer(_STATE_TIME, self.runner.status.changed_s)

    def _state_message(self):
        return self._kept("printer-state-message", self.runner.status.state_message or "", _text)

    def _state_reasons(self):
        reasons = self.runner.status.state_reasons
        return self._kept("printer-state-reasons", tuple(reasons[:_REASONS_LIMIT]) or ("none",), _keywords)

    def _up_time(self):
        return values.integer(_UP_TIME, self._clock.uptime_s())

    def _queued(self):
        return values.integer(_QUEUED, self.queue.count_active())

    def _position(self):
        position_um = self.runner.status.position_um
        # hundredths of a millimetre, as all lengths of IPP 3D that are not nanometres
        key = None if position_um is None else (position_um[0] // 10, position_um[1] // 10, position_um[2] // 10)
        return self._kept("printwright-position", key, _place)

    def _temperatures(self):
        key = []
        for name, current_c, target_c in self.heating.readings():
            key.append((name, None if current_c is None else int(current_c + 0.5), int(target_c + 0.5)))
        return self._kept("printwright-temperatures", key, _temperatures)

    def _chamber(self):
        current_c = self.heating.current_c("chamber")
        if current_c is None:
            return codec.attribute(tags.UNKNOWN, "chamber-temperature-current", [])
        return values.integer(_CHAMBER, int(current_c + 0.5))


def _once(values):
    found = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _alerts(name, reasons):
    """printer-alert (PWG 5100.9): one value for each reason, its code first; with none, one that says no more than a code."""
    found = []
    for reason in reasons[:_REASONS_LIMIT]:
        severity = "critical" if reason.endswith("-error") else "warning"
        group = "marker" if reason.startswith("extruder") else "markerSupplies" if reason.startswith("material") else "generalPrinter"
        found.append("code=other;index=%d;severity=%s;group=%s" % (len(found) + 1, severity, group))
    return codec.attribute(tags.OCTETS, name, found or ["code=unknown"])


def _alert_texts(name, key):
    message, reasons = key
    found = [message or reason.replace("-", " ") for reason in reasons[:_REASONS_LIMIT]]
    return codec.attribute(tags.TEXT, name, found or [""])


def _text(name, text):
    return codec.attribute(tags.TEXT, name, [codec.clip(text, _MESSAGE_OCTETS)])


def _keywords(name, keywords):
    return codec.attribute(tags.KEYWORD, name, keywords)


def _place(name, place):
    if place is None:
        return codec.attribute(tags.UNKNOWN, name, [])
    members = [(axis, [(tags.INTEGER, place[i])]) for i, axis in enumerate(("x", "y", "z"))]
    return codec.attribute(tags.COLLECTION, name, [members])


def _temperatures(name, readings):
    collections = []
    for heater, current_c, target_c in readings:
        current = (tags.UNKNOWN, None) if current_c is None else (tags.INTEGER, current_c)
        collections.append([("name", [(tags.KEYWORD, heater)]), ("current", [current]), ("target", [(tags.INTEGER, target_c)])])
    return codec.attribute(tags.COLLECTION, name, collections)
