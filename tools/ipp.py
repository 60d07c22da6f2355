"""A small IPP client: requests to one printer over a kept-alive HTTP connection (RFC 8010, RFC 8011), blocking.

Used by the commands in tools/cli; prints nothing.  The codec is the firmware's, everything else is not, so that client and printer
do not share an error in the transport (tools/ipp_http).
"""

import getpass
import time

from firmware.ipp import attributes, codec, registry_job, registry_printer, tags
from tools.ipp_http import MAX_ANSWER_BYTES, BadAnswer, ClientError, Connection, NotAuthenticated, Unreachable
from tools.ipp_names import JOB_STATES, PRINTER_STATES, STATUS_NAMES

DEFAULT_URI = "ipps://localhost:8631/ipp/print3d"
VERSION = (2, 0)

PRINT_JOB, VALIDATE_JOB, CREATE_JOB, SEND_DOCUMENT = 0x02, 0x04, 0x05, 0x06
CANCEL_JOB, GET_JOB_ATTRIBUTES, GET_JOBS, GET_PRINTER_ATTRIBUTES = 0x08, 0x09, 0x0A, 0x0B
PAUSE_PRINTER, RESUME_PRINTER, SET_PRINTER_ATTRIBUTES, SET_JOB_ATTRIBUTES = 0x10, 0x11, 0x13, 0x14
CANCEL_MY_JOBS, CLOSE_JOB, IDENTIFY_PRINTER = 0x39, 0x3B, 0x3C

_ENUMS = {"job-state": JOB_STATES, "printer-state": PRINTER_STATES}


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
        self._connection = Connection(uri, timeout_s)
        self.uri = uri
        self.secure = self._connection.secure
        self.user = user or user_name()
        self._password = password
        self._request_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection; the next request opens one again."""
        self._connection.close()

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
            data = self._connection.exchange(body, document)
        except NotAuthenticated:
            # a document is gone by now; but nobody sends one before the job was created
            if document is not None or not self._authenticate():
                raise
            data = self._connection.exchange(body)
        return self._read_answer(data)

    def _authenticate(self):
        """Asks for the password, once.  False when there is none, or none that may be sent."""
        if self._password is None or not self.secure:
            return False
        password, self._password = self._password(), None
        if password is None:
            return False
        self._connection.authorize(self.user, password)
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
