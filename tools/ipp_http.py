"""HTTP under the IPP client: one kept-alive connection to a printer, requests as bytes in, answers as bytes out (RFC 8010 section 4).

`ipps:` trusts a certificate at first use (tools/pins).  Not here: IPP (tools/ipp).
"""

import base64
import ipaddress
import ssl
from urllib.parse import urlsplit

from tools import pins
from tools.link import Link

DEFAULT_PORT = 631
MAX_HEAD_BYTES = 65536
MAX_ANSWER_BYTES = 16 << 20
CONTINUE_WAIT_S = 1.0


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


class Connection:
    """uri: `ipps://host[:port]/path` or `ipp:`; timeout_s: for each step.  Raises ValueError for a bad uri."""

    def __init__(self, uri, timeout_s):
        parts = urlsplit(uri)
        if parts.scheme not in ("ipp", "ipps") or not parts.hostname:
            raise ValueError(f"not the URI of a printer: {uri!r} (for example ipps://localhost:8631/ipp/print3d)")
        self.uri = uri
        self.host = parts.hostname
        self.port = DEFAULT_PORT if parts.port is None else parts.port
        self.netloc = parts.netloc.rpartition("@")[2]
        self.path = parts.path or "/"
        self.timeout_s = timeout_s
        self.secure = parts.scheme == "ipps"
        self._authorization = ""
        self._link: Link | None = None

    def close(self):
        """Ends the connection; the next exchange opens one again."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def authorize(self, user, password):
        """Sends credentials from now on."""
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._authorization = f"Authorization: Basic {credentials}\r\n"

    def exchange(self, body, document=None):
        """The answer's body, bytes.  document: iterable of bytes that follows the body, or None.  Raises Unreachable, Untrusted,
        NotAuthenticated, BadAnswer."""
        reused = self._link is not None
        try:
            return self._exchange(body, document)
        except Unreachable:
            self.close()
            if not reused or document is not None:
                raise
            # a printer may close an idle connection at any moment
            return self._exchange(body, None)

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
