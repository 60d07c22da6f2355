"""Status codes of IPP (RFC 8011 section B.1, PWG 5100.7, 5100.11, 5100.13) and the error that carries one."""

from hal.compat import const

OK = const(0x0000)
OK_IGNORED = const(0x0001)  # something is listed in the unsupported group
OK_CONFLICTING = const(0x0002)
OK_IGNORED_SUBSCRIPTIONS = const(0x0003)  # some were made, some not
OK_TOO_MANY_EVENTS = const(0x0005)
OK_EVENTS_COMPLETE = const(0x0007)

BAD_REQUEST = const(0x0400)
FORBIDDEN = const(0x0401)
NOT_AUTHENTICATED = const(0x0402)
NOT_AUTHORIZED = const(0x0403)
NOT_POSSIBLE = const(0x0404)
TIMEOUT = const(0x0405)
NOT_FOUND = const(0x0406)
GONE = const(0x0407)
TOO_LARGE = const(0x0408)
VALUE_TOO_LONG = const(0x0409)
FORMAT_NOT_SUPPORTED = const(0x040A)
NOT_SUPPORTED = const(0x040B)  # attributes or values
URI_SCHEME_NOT_SUPPORTED = const(0x040C)
CHARSET_NOT_SUPPORTED = const(0x040D)
CONFLICTING = const(0x040E)
COMPRESSION_NOT_SUPPORTED = const(0x040F)
COMPRESSION_ERROR = const(0x0410)
FORMAT_ERROR = const(0x0411)
ACCESS_ERROR = const(0x0412)
NOT_SETTABLE = const(0x0413)
IGNORED_ALL_SUBSCRIPTIONS = const(0x0414)
TOO_MANY_SUBSCRIPTIONS = const(0x0415)
UNPRINTABLE = const(0x041B)

INTERNAL_ERROR = const(0x0500)
OPERATION_NOT_SUPPORTED = const(0x0501)
SERVICE_UNAVAILABLE = const(0x0502)
VERSION_NOT_SUPPORTED = const(0x0503)
DEVICE_ERROR = const(0x0504)
TEMPORARY_ERROR = const(0x0505)
NOT_ACCEPTING = const(0x0506)
BUSY = const(0x0507)
JOB_CANCELED = const(0x0508)
MULTIPLE_DOCUMENTS = const(0x0509)
DEACTIVATED = const(0x050A)
TOO_MANY_JOBS = const(0x050B)
TOO_MANY_DOCUMENTS = const(0x050C)


class IppError(Exception):
    """A request is refused: `status` of this module, `message` for status-message (one sentence, or None), `unsupported` attributes
    for the unsupported group, already encoded by codec.attribute."""

    def __init__(self, status, message=None, unsupported=()):
        super().__init__(message)
        self.status = status
        self.message = message
        self.unsupported = unsupported


class Refusal(Exception):
    """The answer is an HTTP status without IPP (RFC 8010 section 3.4.3): `status`, `headers` [(name, value), ...]."""

    def __init__(self, status, headers=()):
        super().__init__("HTTP status %d" % status)
        self.status = status
        self.headers = headers


class BodyError(Exception):
    """The rest of a request's body can not be had: the client vanished, is too slow or breaks its framing.

    Raised by `ctx.body`; a handler undoes what it began and lets it pass.  `status` is HTTP's, `message` one sentence.
    """

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message
