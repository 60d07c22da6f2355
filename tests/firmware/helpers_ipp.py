"""What the tests of IPP over HTTP share: requests as bytes, answers decoded, a client on plain sockets and a stream without any."""

import asyncio
import socket

from firmware.ipp import codec, tags

VERSION = (2, 0)
PRINTER_URI = "ipp://localhost/ipp/print3d"


def operation_group(*extra, uri=PRINTER_URI, charset="utf-8", language="en", user="alice"):
    """Operation attributes as for codec.message; extra: (name, [(tag, value), ...])."""
    members = [
        ("attributes-charset", [(tags.CHARSET, charset)]),
        ("attributes-natural-language", [(tags.LANGUAGE, language)]),
    ]
    if uri:
        members.append(("printer-uri", [(tags.URI, uri)]))
    if user:
        members.append(("requesting-user-name", [(tags.NAME, user)]))
    return (tags.OPERATION_GROUP, members + list(extra))


def ipp_request(operation, *extra, request_id=1, version=VERSION, groups=(), **options):
    """A request as bytes: the operation group of `operation_group`, then `groups`."""
    return codec.message(version, operation, request_id, [operation_group(*extra, **options)] + list(groups))


def decode(data):
    """A message as codec.Request; AssertionError unless the bytes are one whole message."""
    decoder = codec.Decoder(codec.Limits(1 << 20, 100000, 16))
    assert decoder.feed(data), "message is not complete"
    assert not len(decoder.rest), "bytes behind the message"
    return decoder.request


def attributes(message, tag):
    """{name: [value, ...]} of the first group `tag` of a decoded message, or {}."""
    return {name: [value for _, value in values] for name, values in message.group(tag) or []}


def http_post(body, path="/ipp/print3d", host="localhost", extra="", content_type="application/ipp"):
    """A POST as bytes, with Content-Length."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def http_chunked(pieces, path="/ipp/print3d", host="localhost", extra=""):
    """A chunked POST as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/ipp\r\nTransfer-Encoding: chunked\r\n{extra}\r\n"
    return head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"


class HttpAnswer:
    """status, headers (dict, lower case), body, rest (bytes behind it)."""

    def __init__(self, data):
        while True:
            head, blank, rest = data.partition(b"\r\n\r\n")
            assert blank, f"no complete head in {data!r}"
            lines = head.decode().split("\r\n")
            self.status = int(lines[0].split(" ")[1])
            if self.status != 100:
                break
            data = rest
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        if self.headers.get("transfer-encoding") == "chunked":
            self.body = b""
            while True:
                size, _, rest = rest.partition(b"\r\n")
                size = int(size, 16)
                assert len(rest) >= size + 2, "chunk is not complete"
                self.body += rest[:size]
                rest = rest[size + 2 :]
                if not size:
                    break
        else:
            size = int(self.headers.get("content-length", len(rest)))
            assert len(rest) >= size, "body is not complete"
            self.body, rest = rest[:size], rest[size:]
        self.rest = rest

    @property
    def ipp(self):
        assert self.status == 200, (self.status, self.body)
        return decode(self.body)


def answers(data):
    """All answers in what a server sent."""
    result = []
    while data:
        result.append(HttpAnswer(data))
        data = result[-1].rest
    return result


class FakeStream:
    """The server's side of a connection, without a socket.  The test is the client: `say`, `hang_up`, `sent`."""

    at_once = None  # as hal.api.Stream

    def __init__(self, *pieces, eof=True):
        self._pieces = list(pieces)
        self._eof = eof
        self._more = asyncio.Event()
        self.sent = bytearray()
        self.closed = False
        self.aborted = False
        self.takes = asyncio.Event()  # cleared: the client does not read, drain() waits
        self.takes.set()

    def say(self, data):
        self._pieces.append(data)
        self._more.set()

    def hang_up(self):
        self._eof = True
        self._more.set()

    async def read(self, n):
        while not self._pieces:
            if self._eof or self.closed:
                return b""
            self._more.clear()
            await self._more.wait()
        piece = self._pieces.pop(0)
        if len(piece) > n:
            self._pieces.insert(0, piece[n:])
        return piece[:n]

    def write(self, data):
        assert not self.closed
        self.sent += data

    async def drain(self):
        await self.takes.wait()

    def close(self):
        self.closed = True
        self._more.set()

    def abort(self):
        self.aborted = True
        self.close()


class Client:
    """A blocking HTTP client on a socket, for tests against a running printer."""

    def __init__(self, port, host="127.0.0.1", timeout_s=10):
        self.socket = socket.create_connection((host, port), timeout_s)
        self._data = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """The next answer; AssertionError when the connection closes before it is complete."""
        while True:
            try:
                answer = HttpAnswer(self._data)
                if "content-length" in answer.headers or "transfer-encoding" in answer.headers:
                    self._data = answer.rest
                    return answer
            except (AssertionError, ValueError):
                pass
            data = self.socket.recv(65536)
            if not data:
                answer = HttpAnswer(self._data)
                self._data = answer.rest
                return answer
            self._data += data

    def ipp(self, body, **options):
        """Sends an IPP request (bytes), returns the decoded answer."""
        self.send(http_post(body, **options))
        return self.answer().ipp
