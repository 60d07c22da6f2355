"""A small IPP client: requests to one printer over a kept-alive HTTP connection (RFC 8010, RFC 8011), blocking.

Used by the commands in tools/cli; prints nothing.  The codec is the firmware's, everything else is not, so that client and printer
do not share an error in the transport.  `ipps:` trusts a certificate at first use (tools/pins).
"""

import base64
import getpass
import ipaddress
import ssl
import time
from urllib.parse import urlsplit

from firmware.ipp import attributes, codec, registry_job, registry_printer, tags
from tools import pins
from tools.ipp_names import JOB_STATES, PRINTER_STATES, STATUS_NAMES
from tools.link import Link

DEFAULT_URI = "ipps://localhost:8631/ipp/print3d"
DEFAULT_PORT = 631
VERSION = (2, 0)
CHUNK_BYTES = 65536
MAX_HEAD_BYTES = 65536
MAX_ANSWER_BYTES = 16 << 20
CONTINUE_WAIT_S = 1.0

PRINT_JOB, VALIDATE_JOB, CREATE_JOB, SEND_DOCUMENT = 0x02, 0x04, 0x05, 0x06
CANCEL_JOB, GET_JOB_ATTRIBUTES, GET_JOBS, GET_PRINTER_ATTRIBUTES = 0x08, 0x09, 0x0A, 0x0B
PAUSE_PRINTER, RESUME_PRINTER, SET_PRINTER_ATTRIBUTES, SET_JOB_ATTRIBUTES = 0x10, 0x11, 0x13, 0x14
CANCEL_MY_JOBS, CLOSE_JOB, IDENTIFY_PRINTER = 0x39, 0x3B, 0x3C

_ENUMS = {"job-state": JOB_STATES, "printer-state": PRINTER_STATES}


class ClientError(Exception):
    """A request that did not succeed; the text is one line for a user."""


class Unreachable(ClientError):
    """No connection, or it broke."""


class Untrusted(ClientError):
    """The printer's certificate is not the one that was seen at first, or cannot be remembered."""


class NotAuthenticated(ClientError):
    """The printer wants credentials, or others: HTTP status 401."""


class BadAnswer(ClientError):
    """What answered is no IPP printer."""


class Refused(ClientError):
    """The printer answered with an error: `status`, `unsupported` {name: values}."""

    def __init__(self, status, message, unsupported):
        name = STATUS_NAMES.get(status, f"status 0x{status:04x}")
        text = f"{message} ({name})" if message else name
        if unsupported:
            text += ": " + ", ".join(unsupported)
        super().__init__(text)
        self.status = status
        self.unsupported = unsupported


class Answer:
    """A successful answer: `status`, `message` (str or ""), `groups` [(tag, {name: plain value}), ...]."""

    def __init__(self, message):
        self.status = message.operation
        self.groups = [(tag, as_dict(members)) for tag, members in message.groups]
        operation = self.group(tags.OPERATION_GROUP)
        self.message = operation.get("status-message", "")

    def group(self, tag):
        """The first group `tag`, or {}."""
        for group_tag, members in self.groups:
            if group_tag == tag:
                return members
        return {}

    def all(self, tag):
        """List of all groups `tag`."""
        return [members for group_tag, members in self.groups if group_tag == tag]


def as_dict(members):
    """{name: plain value} of decoded attributes, in their order.  Attributes of syntax 1setOf are lists, others single values."""
    result = {}
    for name, values in members:
        plain_values = [plain(tag, value) for tag, value in values]
        names = _ENUMS.get(name)
        if names:
            plain_values = [names.get(value, value) if isinstance(value, int) else value for value in plain_values]
        result[name] = plain_values if len(plain_values) != 1 or _is_set(name) else plain_values[0]
        if result[name] == [None]:
            result[name] = None
    return result


def _is_set(name):
    for table in (registry_printer.ROWS, registry_job.ROWS):
        row = attributes.find(table, name)
        if row is not None:
            return row[attributes.SYNTAX].startswith("1setOf")
    return False


def plain(tag, value):
    """A decoded value as JSON has it: numbers, strings, [low, high], a dict for a collection, None for out-of-band values."""
    if tag == tags.COLLECTION:
        return as_dict(value)
    if tag in (tags.TEXT_LANG, tags.NAME_LANG):
        return value[1].decode("utf-8", "replace")
    if tag == tags.DATETIME:
        return date_time(value)
    if tag == tags.RESOLUTION:
        return f"{value[0]}x{value[1]}{'dpcm' if value[2] == 4 else 'dpi'}"
    if tag == tags.OCTETS or (isinstance(value, bytes) and not 0x40 <= tag < 0x60):
        return value.hex()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, tuple):
        return list(value)
    return value


def date_time(value):
    """DateAndTime of RFC 2579 (11 octets) in the form of ISO 8601."""
    year = value[0] << 8 | value[1]
    month, day, hour, minute, second, tenth = value[2:8]
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{tenth}{chr(value[8])}{value[9]:02}:{value[10]:02}"


def user_name():
    """The name to send as requesting-user-name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "anonymous"


class Printer:
    """One printer.  uri: `ipps://host[:port]/path` or `ipp:`; timeout_s: for each step of the transport; password: None, or a function
    that returns the user's password or None: called once, when the printer asks.  Raises ValueError for a bad uri."""

    def __init__(self, uri=DEFAULT_URI, user=None, timeout_s=30.0, password=None):
        parts = urlsplit(uri)
        if parts.scheme not in ("ipp", "ipps") or not parts.hostname:
            raise ValueError(f"not the URI of a printer: {uri!r} (for example {DEFAULT_URI})")
        self.uri = uri
        self.host = parts.hostname
        self.port = DEFAULT_PORT if parts.port is None else parts.port
        self.netloc = parts.netloc.rpartition("@")[2]
        self.path = parts.path or "/"
        self.user = user or user_name()
        self.timeout_s = timeout_s
        self.secure = parts.scheme == "ipps"
        self._password = password
        self._authorization = ""
        self._link: Link | None = None
        self._request_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection; the next request opens one again."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def request(self, operation, extra=(), groups=(), job_id=None, document=None):
        """Sends an operation and returns its Answer.

        extra: operation attributes (name, [(tag, value), ...]) after the usual ones; groups: further groups as for codec.message;
        document: iterable of bytes.  Raises Unreachable, Untrusted, NotAuthenticated, BadAnswer, Refused.
        """
        self._request_id += 1
        members: list = [
            ("attributes-charset", [(tags.CHARSET, "utf-8")]),
            ("attributes-natural-language", [(tags.LANGUAGE, "en")]),
            ("printer-uri", [(tags.URI, self.uri)]),
        ]
        if job_id is not None:
            members.append(("job-id", [(tags.INTEGER, job_id)]))
        members.append(("requesting-user-name", [(tags.NAME, codec.clip(self.user, 255))]))
        members.extend(extra)
        body = codec.message(VERSION, operation, self._request_id, [(tags.OPERATION_GROUP, members)] + list(groups))
        try:
            data = self._exchange_again(body, document)
        except NotAuthenticated:
            # a document is gone by now; but nobody sends one before the job was created
            if document is not None or not self._authenticate():
                raise
            data = self._exchange_again(body, None)
        return self._read_answer(data)

    def _exchange_again(self, body, document):
        reused = self._link is not None
        try:
            return self._exchange(body, document)
        except Unreachable:
            self.close()
            if not reused or document is not None:
                raise
            # a printer may close an idle connection at any moment
            return self._exchange(body, None)

    def _authenticate(self):
        """Asks for the password, once.  False when there is none, or none that may be sent."""
        if self._password is None or not self.secure:
            return False
        password, self._password = self._password(), None
        if password is None:
            return False
        credentials = base64.b64encode(f"{self.user}:{password}".encode()).decode()
        self._authorization = f"Authorization: Basic {credentials}\r\n"
        return True

    def _read_answer(self, data):
        decoder = codec.Decoder(codec.Limits(MAX_ANSWER_BYTES, 1 << 20, 32))
        try:
            if not decoder.feed(data):
                decoder.end()
        except codec.IppError as e:
            raise BadAnswer(f"{self.uri}: the answer is not IPP: {e.message}") from None
        message = decoder.request
        if message is None or message.request_id != self._request_id:
            raise BadAnswer(f"{self.uri}: the answer belongs to another request")
        answer = Answer(message)
        if answer.status >= 0x0100:
            raise Refused(answer.status, answer.message, answer.group(tags.UNSUPPORTED_GROUP))
        return answer

    # HTTP

    def _connect(self) -> Link:
        try:
            link = Link(self.host, self.port, self.timeout_s, self.secure)
        except ssl.SSLError as e:
            raise Unreachable(f"no printer answers at {self.uri} with TLS: {e.reason or e}") from None
        except OSError as e:
            raise Unreachable(f"no printer answers at {self.uri}: {_reason(e)}") from None
        if self.secure:
            try:
                pins.check(self.host, self.port, link.certificate())
            except pins.Changed as e:
                link.close()
                raise Untrusted(str(e)) from None
            except OSError as e:
                if not _is_loopback(self.host):
                    link.close()
                    raise Untrusted(f"{e.filename or pins.path()}: the printer's certificate cannot be remembered: {_reason(e)}") from None
        self._link = link
        return link

    def _exchange(self, body, document):
        link = self._link or self._connect()
        head = f"POST {self.path} HTTP/1.1\r\nHost: {self.netloc}\r\nContent-Type: application/ipp\r\n{self._authorization}"
        try:
            if document is None:
                link.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                return self._receive()
            link.sendall(f"{head}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n".encode())
            return self._upload(link, body, document)
        except (OSError, ValueError) as e:
            self.close()
            raise Unreachable(f"{self.uri}: the connection broke: {_reason(e)}") from None

    def _upload(self, link, body, document):
        """Sends the chunks until they are over or the printer has answered."""
        if link.answered(CONTINUE_WAIT_S):
            status, headers = self._head()
            if status != 100:
                return self._early(status, headers)
        try:
            link.sendall(_chunk(body))
            for data in document:
                if link.answered(0):
                    status, headers = self._head()
                    if status != 100:
                        return self._early(status, headers)
                if data:
                    link.sendall(_chunk(data))
            link.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            # it may have said why
            data = self._receive()
            self.close()
            return data
        return self._receive()

    def _early(self, status, headers):
        data = self._body(status, headers)
        self.close()
        return data

    def _receive(self):
        status, headers = self._head()
        while status == 100:
            status, headers = self._head()
        return self._body(status, headers)

    def _read(self, size):
        if self._link is None:
            raise OSError("closed")
        return self._link.read(size)

    def _line(self):
        line = self._link.readline(MAX_HEAD_BYTES) if self._link is not None else b""
        if not line:
            raise OSError("closed by the printer")
        return line.rstrip(b"\r\n").decode("latin-1")

    def _head(self):
        version, _, rest = self._line().partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            self.close()
            raise BadAnswer(f"{self.uri}: the answer is not HTTP")
        headers = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
            if len(headers) > 200:
                raise OSError("the answer has no end")
        return int(rest[:3]), headers

    def _body(self, status, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            data = b""
            while size := int(self._line().split(";")[0], 16):
                data += self._exactly(size, len(data))
                self._line()
            while self._line():
                pass
        elif "content-length" in headers:
            data = self._exactly(int(headers["content-length"]), 0)
        else:
            data = self._read(MAX_ANSWER_BYTES)
            self.close()
        if headers.get("connection", "").lower() == "close":
            self.close()
        if status == 401:
            wrong = "does not know this user with this password" if self._authorization else "wants a user name and a password"
            raise NotAuthenticated(f"{self.uri}: the printer {wrong}")
        if status == 429:
            seconds = headers.get("retry-after", "60")
            raise NotAuthenticated(f"{self.uri}: too many attempts with a wrong password; try again in {seconds} s")
        if status == 426:
            raise BadAnswer(f"{self.uri}: the printer answers encrypted requests only; give its URI with ipps:")
        if status != 200:
            reason = data.decode("utf-8", "replace").strip().split("\n")[0][:200]
            raise BadAnswer(f"{self.uri}: the printer answers with HTTP status {status}{': ' + reason if reason else ''}")
        return data

    def _exactly(self, size, before):
        if size + before > MAX_ANSWER_BYTES:
            raise OSError("the answer is too large")
        data = self._read(size)
        if len(data) != size:
            raise OSError("closed by the printer")
        return data

    # Operations

    def printer_attributes(self, names=("all",)):
        """{name: plain value} of the printer."""
        return self.request(GET_PRINTER_ATTRIBUTES, [_requested(names)]).group(tags.PRINTER_GROUP)

    def job_attributes(self, job_id, names=("all",)):
        """{name: plain value} of a job."""
        return self.request(GET_JOB_ATTRIBUTES, [_requested(names)], job_id=job_id).group(tags.JOB_GROUP)

    def jobs(self, which="not-completed", names=("all",), mine=False):
        """List of {name: plain value}, in the printer's order."""
        extra = [_requested(names), ("which-jobs", [(tags.KEYWORD, which)])]
        if mine:
            extra.append(("my-jobs", [(tags.BOOLEAN, True)]))
        return self.request(GET_JOBS, extra).all(tags.JOB_GROUP)

    def create_job(self, name, ticket=()):
        """Creates a job without documents and returns its job-id.  ticket: job template attributes, all of which must be honoured."""
        extra = [
            ("job-name", [(tags.NAME, codec.clip(name, 255))]),
            ("ipp-attribute-fidelity", [(tags.BOOLEAN, True)]),
        ]
        groups = [(tags.JOB_GROUP, list(ticket))] if ticket else []
        job = self.request(CREATE_JOB, extra, groups).group(tags.JOB_GROUP)
        if not isinstance(job.get("job-id"), int):
            raise BadAnswer(f"{self.uri}: the printer gave the job no number")
        return job["job-id"]

    def validate_job(self, name, document_format, compression, ticket=()):
        """Asks whether such a job would be taken.  Raises Refused."""
        extra = [
            ("job-name", [(tags.NAME, codec.clip(name, 255))]),
            ("ipp-attribute-fidelity", [(tags.BOOLEAN, True)]),
        ] + _document(None, document_format, compression)
        self.request(VALIDATE_JOB, extra, [(tags.JOB_GROUP, list(ticket))] if ticket else [])

    def send_document(self, job_id, document, name=None, document_format=None, compression=None):
        """Sends the one document of a job; document: iterable of bytes.  Returns the job's attributes."""
        extra = _document(name, document_format, compression) + [("last-document", [(tags.BOOLEAN, True)])]
        return self.request(SEND_DOCUMENT, extra, job_id=job_id, document=document).group(tags.JOB_GROUP)

    def cancel_job(self, job_id):
        """Raises Refused when the job has ended or is not known."""
        self.request(CANCEL_JOB, job_id=job_id)

    def set_job(self, job_id, members):
        """Set-Job-Attributes; members: attributes.  Raises Refused."""
        self.request(SET_JOB_ATTRIBUTES, groups=[(tags.JOB_GROUP, members)], job_id=job_id)

    def set_printer(self, members):
        """Set-Printer-Attributes; members: attributes.  Raises Refused."""
        self.request(SET_PRINTER_ATTRIBUTES, groups=[(tags.PRINTER_GROUP, members)])

    def cancel_my_jobs(self):
        """Cancels all jobs of this user."""
        self.request(CANCEL_MY_JOBS)

    def watch(self, job_id, interval_s=0.25, patience_s=20.0, sleep=time.sleep):
        """Generator of the job's attributes (WATCHED) at each change, ending after the one whose job-state is an end.

        A connection that breaks is opened again for patience_s before Unreachable is raised.
        """
        last = None
        lost_at = None
        while True:
            try:
                job = self.job_attributes(job_id, WATCHED)
                lost_at = None
            except Unreachable:
                now = time.monotonic()
                lost_at = now if lost_at is None else lost_at
                if now - lost_at > patience_s:
                    raise
                sleep(interval_s)
                continue
            if job != last:
                last = job
                yield job
            if job.get("job-state") in ("canceled", "aborted", "completed"):
                return
            sleep(interval_s)


WATCHED = (
    "job-id",
    "job-state",
    "job-state-reasons",
    "job-state-message",
    "printwright-job-progress",
    "printwright-job-layer",
    "printwright-job-time-left",
)


def _requested(names):
    return ("requested-attributes", [(tags.KEYWORD, name) for name in names])


def _document(name, document_format, compression):
    extra = []
    if name:
        extra.append(("document-name", [(tags.NAME, codec.clip(name, 255))]))
    if compression:
        extra.append(("compression", [(tags.KEYWORD, compression)]))
    if document_format:
        extra.append(("document-format", [(tags.MIME, document_format)]))
    return extra


def materials_col(key):
    """The ticket's attribute that asks for one material by its key (PWG 5100.21 section 8.2.4)."""
    return ("materials-col", [(tags.COLLECTION, [("material-key", [(tags.KEYWORD, key)])])])


def _chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _reason(error):
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
