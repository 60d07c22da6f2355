"""The printer's attributes that change while it works, each encoded anew only when its value has changed.

Not here: attributes that only configuration, the loaded material or the client's address changes (printer.py).
"""

from firmware.ipp import codec, tags, values
from hal.compat import const

_MESSAGE_OCTETS = const(1023)
_REASONS_LIMIT = const(16)
_NAME = const(1)
_VALUE = const(2)
_ENCODE = const(3)
_KEY = const(4)
_OCTETS = const(5)


class Live:
    """printer: ipp Printer.  `rows`: [group, name, value(), encode(name, value), last value, its octets]; value() is cheap and what it
    returns can be compared."""

    def __init__(self, printer):
        self._printer = printer
        self._status = printer.runner.status
        self._clock = printer.machine.clock
        self.rows = [
            ["D", "printer-current-time", self._clock.unix_s, values.date, 0, None],
            ["S", "printer-alert", self._reasons, _alerts, 0, None],
            ["S", "printer-alert-description", self._alert_texts, _alert_texts, 0, None],
            ["S", "printer-config-change-date-time", self._config_date, values.date, 0, None],
            ["S", "printer-config-change-time", self._config_time, _integer, 0, None],
            ["S", "printer-is-accepting-jobs", printer.accepting, _boolean, 0, None],
            ["S", "printer-message-date-time", self._message_date, values.date, 0, None],
            ["S", "printer-message-time", self._message_time, _integer, 0, None],
            ["S", "printer-state", self._state, _enum, 0, None],
            ["S", "printer-state-change-date-time", self._state_date, values.date, 0, None],
            ["S", "printer-state-change-time", self._state_time, _integer, 0, None],
            ["S", "printer-state-message", self._state_message, _text, 0, None],
            ["S", "printer-state-reasons", self._reasons, _reasons, 0, None],
            ["S", "printer-up-time", self._clock.uptime_s, _integer, 0, None],
            ["S", "queued-job-count", printer.queue.count_active, _integer, 0, None],
            ["S", "printwright-position", self._position, _place, 0, None],
            ["S", "printwright-temperatures", self._temperatures, _temperatures, 0, None],
        ]
        if printer.materials.chamber_limit_c:
            self.rows.append(["S", "chamber-temperature-current", self._chamber, _integer, 0, None])

    def all(self):
        """All of them, as bytes."""
        return b"".join([octets(row) for row in self.rows])

    def _config_date(self):
        return self._printer.config_changed[1]

    def _config_time(self):
        return self._printer.config_changed[0]

    def _alert_texts(self):
        return self._status.state_message or "", tuple(self._status.state_reasons)

    def _message_date(self):
        return self._printer.message_changed[1]

    def _message_time(self):
        return self._printer.message_changed[0]

    def _state(self):
        return self._status.printer_state

    def _state_date(self):
        now_s = self._clock.unix_s()
        return None if now_s is None else now_s - (self._clock.uptime_s() - self._status.changed_s)

    def _state_time(self):
        return self._status.changed_s

    def _state_message(self):
        return self._status.state_message or ""

    def _reasons(self):
        return tuple(self._status.state_reasons)

    def _position(self):
        position_um = self._status.position_um
        # hundredths of a millimetre, as all lengths of IPP 3D that are not nanometres
        return None if position_um is None else (position_um[0] // 10, position_um[1] // 10, position_um[2] // 10)

    def _temperatures(self):
        found = []
        for name, current_c, target_c in self._printer.heating.readings():
            found.append((name, None if current_c is None else int(current_c + 0.5), int(target_c + 0.5)))
        return found

    def _chamber(self):
        current_c = self._printer.heating.current_c("chamber")
        return None if current_c is None else int(current_c + 0.5)


def octets(row):
    """The attribute of one of Live.rows, as bytes."""
    value = row[_VALUE]()
    if row[_OCTETS] is None or row[_KEY] != value:
        row[_OCTETS] = row[_ENCODE](row[_NAME], value)
        row[_KEY] = value
    return row[_OCTETS]


def _integer(name, value):
    return codec.attribute(tags.UNKNOWN if value is None else tags.INTEGER, name, [value])


def _enum(name, value):
    return codec.attribute(tags.ENUM, name, [value])


def _boolean(name, value):
    return codec.attribute(tags.BOOLEAN, name, [value])


def _alerts(name, reasons):
    """printer-alert (PWG 5100.9): one value for each reason, its code first; with none, one that says no more than a code."""
    found = []
    for reason in reasons[:_REASONS_LIMIT]:
        severity = "critical" if reason.endswith("-error") else "warning"
        group = "marker" if reason.startswith("extruder") else "markerSupplies" if reason.startswith("material") else "generalPrinter"
        found.append("code=other;index=%d;severity=%s;group=%s" % (len(found) + 1, severity, group))
    return codec.attribute(tags.OCTETS, name, found or ["code=unknown"])


def _alert_texts(name, value):
    message, reasons = value
    found = [message or reason.replace("-", " ") for reason in reasons[:_REASONS_LIMIT]]
    return codec.attribute(tags.TEXT, name, found or [""])


def _text(name, text):
    return codec.attribute(tags.TEXT, name, [codec.clip(text, _MESSAGE_OCTETS)])


def _reasons(name, reasons):
    return codec.attribute(tags.KEYWORD, name, reasons[:_REASONS_LIMIT] or ("none",))


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
