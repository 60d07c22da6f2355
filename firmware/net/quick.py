"""Answers to Get-Printer-Attributes that are asked for again and again, octet by octet but for the request-id: kept whole, found by
the request as it came, and given while nothing has changed that the answer tells of.

For machines with memory to spare; firmware/net/server loads it when its settings ask for it.  Kept are only answers that succeeded, to
requests that came in one piece, without credentials and expectations.  What an answer tells is compared each time, value by value
(firmware/ipp/live), so nobody is told what was true a moment ago.
"""

from firmware.ipp import tags
from firmware.ipp.requested import PRINTER_GROUPS, Requested
from hal import compat
from hal.compat import const

_REQUEST_BYTES_MAX = const(4096)
_ANSWER_BYTES_MAX = const(32768)
_GET_PRINTER_ATTRIBUTES = const(0x0B)
_ID_AT = const(4)  # the request-id in a message (RFC 8010 section 3.4.3)
_ID_END = const(8)


class Answers:
    """Answers for clients that are offered the same ways to the printer.  printer: ipp Printer; most: how many are kept."""

    def __init__(self, printer, most):
        self._printer = printer
        self._most = most
        self._kept = {}  # (octets before the request-id, octets behind it): _Answer
        self._configured = None

    def find(self, data):
        """The answer to a request, as bytes, or None: it has to be read as any other.  data: bytes."""
        body = data.find(b"\r\n\r\n") + 4
        if body < 4:
            return None
        kept = self._kept.get((data[: body + _ID_AT], data[body + _ID_END :]))
        if kept is None or kept.second != compat.unix_s() or self._printer.configured is not self._configured:
            return None
        values = kept.values
        i = 0
        for value in kept.live:
            if value() != values[i]:
                return None
            i += 1
        request_id = data[body + _ID_AT : body + _ID_END]
        if kept.request_id == request_id:
            return kept.whole
        if request_id[0] >= 0x80 or request_id == b"\0\0\0\0":
            return None  # not between 1 and 2**31 - 1: refused
        return b"".join((kept.before, request_id, kept.behind))

    def learn(self, data, request, message):
        """A function that keeps the answer to a request, to be called with its bytes and the response once they are made; None: it is
        not to be kept.  Called before anything of the answer is made.

        data: what was read of the request; request: http1's; message: codec.Request."""
        if message.operation != _GET_PRINTER_ATTRIBUTES or len(data) > _REQUEST_BYTES_MAX or request.version != (1, 1):
            return None
        if "authorization" in request.headers or "expect" in request.headers or not request.keep_alive:
            return None
        body = data.find(b"\r\n\r\n") + 4
        if body < 4 or request.length is None or body + request.length != len(data) or request.length < _ID_END:
            return None
        printer = self._printer
        configured = printer.configured
        asked = None
        for name, values in message.group(tags.OPERATION_GROUP) or ():
            if name == "requested-attributes":
                asked = values
                for tag, _ in values:
                    if tag != tags.KEYWORD:
                        return None  # to be refused
        requested = Requested(asked, PRINTER_GROUPS)
        live = [row[2] for row in printer.live.rows if requested.has(row[0], row[1])]
        values = [value() for value in live]
        second = compat.unix_s()

        def keep(answer, response):
            at = answer.find(b"\r\n\r\n") + 4
            if response.status or at < 4 or len(answer) > _ANSWER_BYTES_MAX or printer.configured is not configured:
                return
            if configured is not self._configured or len(self._kept) >= self._most:
                self._kept = {}
                self._configured = configured
            key = (data[: body + _ID_AT], data[body + _ID_END :])
            self._kept[key] = _Answer(answer, at, live, values, second)

        return keep


class _Answer:
    def __init__(self, answer, body, live, values, second):
        self.whole = answer
        self.before = answer[: body + _ID_AT]
        self.request_id = answer[body + _ID_AT : body + _ID_END]
        self.behind = answer[body + _ID_END :]
        self.live = live
        self.values = values
        self.second = second  # of the Date field
