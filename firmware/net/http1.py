"""HTTP/1.1, server side, without I/O: bytes in, events out (RFC 9112, RFC 9110).

    connection.feed(data)         bytes from the peer; b"" says that it sends no more
    connection.next_event()       REQUEST (see connection.request) | DATA (connection.data) | END | NEED_DATA | CLOSED
    connection.next_request()     after END (which is said again and again) and the answer: the bytes that follow belong to the next request

next_event raises HttpError with the status to answer; after that nothing more can be read and the connection is to be closed, since
where the next message begins is no longer certain.  Any split of the same bytes gives the same events, DATA pieces joined.

Only the part of a head that is not yet read is kept, and of the headers only those in _KEPT; body bytes are handed through as views
of what was fed.  What is refused, and why, is in SPEC.md.
"""

from firmware.net.httpsyntax import DIGITS, TOKEN, HttpError, Limits, all_in, chunk_size, request_line
from hal.compat import const

NEED_DATA = const(0)
REQUEST = const(1)
DATA = const(2)
END = const(3)
CLOSED = const(4)

# Ceilings, in octets unless the name says otherwise.  Others: Apache 8190 a line and 100 headers, nginx 8 KiB in all, h11 16 KiB in all.
_MAX_LEADING_LINES = const(2)
_MAX_CHUNK_LINE = const(256)
_MAX_TRAILERS = const(1024)
_MAX_LENGTH_DIGITS = const(15)

_S_HEAD = const(0)
_S_BODY = const(1)  # _left octets of a body with Content-Length
_S_CHUNK_SIZE = const(2)
_S_CHUNK_DATA = const(3)
_S_CHUNK_END = const(4)
_S_TRAILERS = const(5)
_S_END = const(6)
_S_DONE = const(7)  # END was given
_S_ERROR = const(8)

# Header names that need no look at their letters; True: the value is kept.
_KNOWN = {
    b"host": True,
    b"content-type": True,
    b"content-length": True,
    b"transfer-encoding": True,
    b"content-encoding": True,
    b"connection": True,
    b"expect": True,
    b"authorization": True,
    b"if-modified-since": True,
    b"origin": True,
    b"upgrade": True,
    b"user-agent": False,
    b"accept": False,
    b"accept-encoding": False,
    b"accept-language": True,
    b"cache-control": False,
    b"cookie": False,
    b"date": False,
    b"pragma": False,
    b"referer": False,
}

# Others may come once more as a list; a second one of these would leave open which is meant.
_ONCE = ("host", "content-type", "transfer-encoding", "authorization", "expect")

# One text: a dictionary would take 2 KB of a small heap
_REASONS = """
200 OK
100 Continue
301 Moved Permanently
304 Not Modified
400 Bad Request
401 Unauthorized
403 Forbidden
404 Not Found
405 Method Not Allowed
408 Request Timeout
411 Length Required
413 Content Too Large
414 URI Too Long
415 Unsupported Media Type
417 Expectation Failed
426 Upgrade Required
429 Too Many Requests
431 Request Header Fields Too Large
500 Internal Server Error
501 Not Implemented
503 Service Unavailable
505 HTTP Version Not Supported
"""


def _reason(status):
    at = _REASONS.find("\n%d " % status)
    return "Status" if at < 0 else _REASONS[at + 5 : _REASONS.find("\n", at + 5)]



class Connection:
    """The state of one connection, from its first request to its last."""

    def __init__(self, limits=None):
        self.limits = limits or Limits()
        self.request = None
        self.data = b""
        self._buf = b""
        self._pos = 0
        self._eof = False
        self._begin()

    def _begin(self):
        self._state = _S_HEAD
        self._request = None  # while its headers come in
        self._last_name = None
        self._head_bytes = 0
        self._header_count = 0
        self._left = 0

    @property
    def idle(self):
        """No octet of a request is there yet."""
        return self._state == _S_HEAD and self._request is None and self._pos >= len(self._buf)

    @property
    def broken(self):
        """next_event has raised: nothing more can be read."""
        return self._state == _S_ERROR

    @property
    def left(self):
        """Octets of the body still to come, 0 after its end, None when that is unknown (chunked)."""
        if self._state == _S_BODY:
            return self._left
        return 0 if self._state in (_S_END, _S_DONE, _S_HEAD) else None

    def feed(self, data):
        """data: bytes-like of any length, or b"" at the end of the stream.

        To be called when next_event says NEED_DATA; by then nothing refers to what was fed before but DATA events (else what is left
        unread would grow)."""
        if not data:
            self._eof = True
        elif self._pos < len(self._buf):
            self._buf = bytes(self._buf[self._pos :]) + data
            self._pos = 0
        else:
            self._buf = data
            self._pos = 0

    def next_request(self):
        """The next message may begin.  Only after END."""
        if self._state != _S_DONE:
            raise RuntimeError("request is not over")
        self.request = None
        self._begin()

    def next_event(self):
        """The next event; see the module's header.  Raises HttpError, then and ever after."""
        state = self._state
        try:
            if state == _S_HEAD:
                return self._read_head()
            if state == _S_BODY or state == _S_CHUNK_DATA:
                return self._read_data()
            if state == _S_END or state == _S_DONE:
                self._state = _S_DONE
                return END
            if state == _S_ERROR:
                raise HttpError(400, "The connection is broken.")
            return self._read_chunked()
        except HttpError:
            self._state = _S_ERROR
            self._buf = b""
            self._pos = 0
            raise

    def _line(self, limit, status):
        """The next line without CRLF, as bytes, or None while it is incomplete."""
        buf = self._buf
        pos = self._pos
        end = buf.find(b"\n", pos)
        if end < 0:
            if len(buf) - pos > limit:
                raise HttpError(status, "A line is too long.")
            if self._eof:
                raise HttpError(400, "The request ends in its middle.")
            return None
        if end - pos > limit:
            raise HttpError(status, "A line is too long.")
        if end == pos or buf[end - 1] != 13:
            raise HttpError(400, "A line does not end with CR and LF.")
        line = bytes(buf[pos : end - 1])
        if line.find(b"\r") >= 0 or line.find(b"\0") >= 0:
            raise HttpError(400, "A line has a character that is not allowed.")
        self._pos = end + 1
        return line

    # Heads

    def _read_head(self):
        if self._request is None and self._eof and self._pos >= len(self._buf):
            return CLOSED
        if not isinstance(self._buf, bytes):
            self._buf = bytes(self._buf)
        while True:
            start = self._pos
            line = self._line(self.limits.line, 414 if self._request is None else 431)
            if line is None:
                if self._head_bytes + len(self._buf) - start > self.limits.head:
                    raise HttpError(431, "The request's head is too large.")
                return NEED_DATA
            self._head_bytes += self._pos - start
            if self._head_bytes > self.limits.head:
                raise HttpError(431, "The request's head is too large.")
            if self._request is None:
                if line:
                    self._request = request_line(line)
                else:
                    self._header_count += 1
                    if self._header_count > _MAX_LEADING_LINES:
                        raise HttpError(400, "Empty lines stand before the request.")
            elif line:
                self._header(self._request, line)
            else:
                self.request = self._request
                self._finish_head(self.request)
                return REQUEST

    def _header(self, request, line):
        self._header_count += 1
        if self._header_count > self.limits.headers:
            raise HttpError(431, "The request has too many header fields.")
        colon = line.find(b":")
        if colon <= 0:
            raise HttpError(400, "A header field has no name.")
        name = line[:colon].lower()
        kept = _KNOWN.get(name)
        if kept is None:
            # refuses folded lines and a space before the colon, too: neither is a letter of a token
            for c in name:
                if c not in TOKEN:
                    raise HttpError(400, "A header field's name has a character that is not allowed.")
        elif kept:
            name = str(name, "utf-8")
            value = line[colon + 1 :].strip(b" \t")
            headers = request.headers
            if name not in headers:
                headers[name] = value
            elif name in _ONCE:
                raise HttpError(400, "Header field %s occurs twice." % name)
            elif name == "content-length":
                if headers[name] != value:
                    raise HttpError(400, "The request has two lengths.")
            else:
                headers[name] = headers[name] + b", " + value

    def _finish_head(self, request):
        headers = request.headers
        if request.host is None:
            request.host = headers.get("host")
        coding = headers.get("transfer-encoding")
        length = headers.get("content-length")
        self._state = _S_END
        if coding is not None:
            if length is not None or request.version == (1, 0):
                raise HttpError(400, "The request's length is ambiguous.")
            if coding.lower() != b"chunked":
                raise HttpError(501, "Only the transfer coding 'chunked' is known.")
            request.has_body = True
            request.length = None
            self._state = _S_CHUNK_SIZE
        elif length is not None:
            if not length or len(length) > _MAX_LENGTH_DIGITS:
                raise HttpError(413 if length and all_in(length, DIGITS) else 400, "The request's length can not be used.")
            if not all_in(length, DIGITS):
                raise HttpError(400, "The request's length is not a number.")
            request.has_body = True
            request.length = self._left = int(str(length, "utf-8"))
            if self._left:
                self._state = _S_BODY
        options = headers.get("connection")
        if options is not None:
            options = [option.strip(b" \t") for option in options.lower().split(b",")]
            if b"close" in options:
                request.keep_alive = False
            elif b"keep-alive" in options:
                request.keep_alive = True
        expect = headers.get("expect")
        if expect is not None and request.version == (1, 1):
            if expect.lower() != b"100-continue":
                raise HttpError(417, "Only the expectation '100-continue' is known.")
            request.expect_continue = self._state != _S_END

    # Bodies

    def _read_data(self):
        buf = self._buf
        pos = self._pos
        there = len(buf) - pos
        if there <= 0:
            if self._eof:
                raise HttpError(400, "The request ends in its middle.")
            return NEED_DATA
        if there > self._left:
            there = self._left
        self.data = buf if pos == 0 and there == len(buf) else memoryview(buf)[pos : pos + there]
        self._pos = pos + there
        self._left -= there
        if not self._left:
            self._state = _S_END if self._state == _S_BODY else _S_CHUNK_END
        return DATA

    def _read_chunked(self):
        if not isinstance(self._buf, bytes):
            self._buf = bytes(self._buf)
        while True:
            start = self._pos
            line = self._line(_MAX_CHUNK_LINE, 400)
            if line is None:
                return NEED_DATA
            if self._state == _S_CHUNK_END:
                if line:
                    raise HttpError(400, "A chunk is longer than its size.")
                self._state = _S_CHUNK_SIZE
            elif self._state == _S_CHUNK_SIZE:
                self._left = chunk_size(line)
                if self._left:
                    self._state = _S_CHUNK_DATA
                    return self._read_data()
                self._state = _S_TRAILERS
                self._head_bytes = 0
            elif line:
                self._head_bytes += self._pos - start
                if self._head_bytes > _MAX_TRAILERS:
                    raise HttpError(431, "The request's trailer is too large.")
                if line.find(b":") <= 0 or line[0] == 32 or line[0] == 9:
                    raise HttpError(400, "A trailer field has no name.")
            else:
                self._state = _S_DONE
                return END


def head(status, headers, length, keep_alive, version=(1, 1)):
    """An answer's head as bytes.

    headers: [(name, value), ...] of str; length: octets of the body, None for chunked (or, to an HTTP/1.0 client, until the
    connection closes), -1 for an answer without a length field (100, 304).
    """
    out = ["HTTP/1.1 %d %s\r\n" % (status, _reason(status))]
    for name, value in headers:
        out.append("%s: %s\r\n" % (name, value))
    if length is None:
        if version == (1, 1):
            out.append("Transfer-Encoding: chunked\r\n")
    elif length >= 0:
        out.append("Content-Length: %d\r\n" % length)
    if not keep_alive:
        out.append("Connection: close\r\n")
    elif version == (1, 0):
        out.append("Connection: keep-alive\r\n")
    out.append("\r\n")
    return "".join(out).encode()


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data):
    """data (not empty) as one chunk of a chunked body."""
    return b"".join((b"%x\r\n" % len(data), data, b"\r\n"))


def date(unix_s):
    """The Date field of a moment (RFC 9110 section 5.6.7)."""
    days, second = divmod(unix_s, 86400)
    # civil date of a day number, as in H. Hinnant's "chrono-compatible low-level date algorithms": years begin in March
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    names = "JanFebMarAprMayJunJulAugSepOctNovDec"
    weekdays = "ThuFriSatSunMonTueWed"
    at = days % 7 * 3
    return "%s, %02d %s %d %02d:%02d:%02d GMT" % (
        weekdays[at : at + 3], day, names[month * 3 - 3 : month * 3], year, second // 3600, second // 60 % 60, second % 60,
    )  # fmt: skip
