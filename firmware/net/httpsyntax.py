"""The pieces of HTTP/1.1's syntax that have no state: request lines and targets, chunk sizes, ceilings (RFC 9112, RFC 9110)."""

from hal.compat import const

_MAX_METHOD = const(24)
_MAX_CHUNK_DIGITS = const(8)

_METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT")

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"


class HttpError(Exception):
    """The message can not be used: `status` to answer, `message` one sentence."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


class Limits:
    """line: octets of one line of the head; head: octets of all its lines; headers: their number."""

    def __init__(self, line=2048, head=4096, headers=48):
        self.line = line
        self.head = head
        self.headers = headers


class Request:
    """A request's head.

    method: str; target: str as sent; path: str without query and, of an absolute URI, without its scheme and host; query: str;
    version: (1, 0) or (1, 1); headers: dict of lower-case str -> bytes (only those that this printer looks at); host: bytes of the
    Host field or of the absolute URI, or None; length: octets of the body, or None when it is chunked (0 without a body);
    has_body: a Content-Length or Transfer-Encoding was sent; keep_alive; expect_continue: the client waits for 100 before its body.
    """

    def __init__(self, method, target, version):
        self.method = method
        self.target = target
        self.path = target
        self.query = ""
        self.version = version
        self.headers = {}
        self.host = None
        self.length = 0
        self.has_body = False
        self.keep_alive = version == (1, 1)
        self.expect_continue = False


def all_in(data, letters):
    for c in data:
        if c not in letters:
            return False
    return True


def request_line(line):
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[0] or not parts[1]:
        raise HttpError(400, "The request line is malformed.")
    method, target, version = parts
    if len(method) > _MAX_METHOD or not all_in(method.lower(), TOKEN):
        raise HttpError(400, "The method is malformed.")
    for c in target:
        if c <= 32 or c >= 127:
            raise HttpError(400, "The request's target has a character that is not allowed.")
    if len(version) != 8 or version[:5] != b"HTTP/" or version[6] != 46 or version[5] not in DIGITS or version[7] not in DIGITS:
        raise HttpError(400, "The request line does not end with an HTTP version.")
    if version[5] != 49:
        raise HttpError(505, "Only HTTP/1.1 and HTTP/1.0 are known.")
    method = str(method, "utf-8")
    if method not in _METHODS:
        raise HttpError(501, "The method is not known.")
    target = str(target, "utf-8")
    request = Request(method, target, (1, 0) if version[7] == 48 else (1, 1))
    if target[0] != "/":
        _odd_target(request, method, target)
    if "?" in request.path:
        request.path, request.query = request.path.split("?", 1)
    return request


def _odd_target(request, method, target):
    """The forms of RFC 9112 sections 3.2.2 (absolute) and 3.2.4 (asterisk)."""
    if target == "*" and method == "OPTIONS":
        return
    for scheme in ("http://", "https://", "ipp://", "ipps://"):
        if target[: len(scheme)].lower() == scheme:
            host, slash, path = target[len(scheme) :].partition("/")
            if host and "?" not in host:
                request.host = host.encode()
                request.path = slash + path if slash else "/"
                return
    raise HttpError(400, "The request's target is not a path.")


def chunk_size(line):
    digits = line
    semicolon = line.find(b";")
    if semicolon >= 0:
        digits = line[:semicolon].rstrip(b" \t")
    if not digits or not all_in(digits, _HEX):
        raise HttpError(400, "A chunk's size is not a number.")
    if len(digits) > _MAX_CHUNK_DIGITS:
        raise HttpError(413, "A chunk is too large.")
    return int(str(digits, "utf-8"), 16)
