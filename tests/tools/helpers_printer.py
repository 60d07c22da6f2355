"""A scripted printer on a real socket, in a thread: what a client gets is told byte by byte."""

import contextlib
import socket
import threading

from firmware.ipp import codec, tags


class ScriptedPrinter:
    """Answers each connection with the next script: a function (Peer) that reads and writes.  `requests`: what came, as Peer.request
    decoded it."""

    def __init__(self, scripts):
        self.requests = []
        self.errors = []
        self._scripts = list(scripts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.uri = f"ipp://127.0.0.1:{self.port}/ipp/print3d"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        for script in self._scripts:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            with connection, contextlib.suppress(OSError, EOFError):
                try:
                    script(Peer(connection, self))
                except AssertionError as error:
                    self.errors.append(error)
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.close()
        self._thread.join(10)
        assert not self.errors, self.errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Peer:
    """One connection, as its script sees it."""

    def __init__(self, connection, printer):
        self.connection = connection
        self.printer = printer
        self.data = b""

    def until(self, end):
        while end not in self.data:
            data = self.connection.recv(65536)
            if not data:
                raise EOFError
            self.data += data
        found, _, self.data = self.data.partition(end)
        return found

    def exactly(self, size):
        while len(self.data) < size:
            data = self.connection.recv(65536)
            if not data:
                raise EOFError
            self.data += data
        found, self.data = self.data[:size], self.data[size:]
        return found

    def head(self):
        """The next request's head: (request line, {name: value})."""
        first, *lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        return first, {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}

    def body(self, headers):
        if "content-length" in headers:
            return self.exactly(int(headers["content-length"]))
        body = b""
        while size := int(self.until(b"\r\n"), 16):
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        assert self.exactly(2) == b"\r\n"
        return body

    def request(self):
        """The next request, told 100 when it asks: (codec.Request, document); also noted in printer.requests."""
        line, headers = self.head()
        assert line == "POST /ipp/print3d HTTP/1.1"
        assert headers["content-type"] == "application/ipp"
        if headers.get("expect") == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        decoder = codec.Decoder(codec.Limits(1 << 20, 10000))
        assert decoder.feed(self.body(headers))
        found = decoder.request, bytes(decoder.rest)
        self.printer.requests.append(found)
        return found

    def send(self, data):
        self.connection.sendall(data)

    def answer(self, request, status=0, message=None, groups=(), unsupported=(), chunked=False):
        """Sends an IPP answer; groups: (tag, [encoded attribute, ...])."""
        response = codec.Response(status, message)
        response.unsupported.extend(unsupported)
        for tag, attributes in groups:
            response.add(tag, attributes)
        body = b"".join(response.pieces((2, 0), request.request_id))
        if chunked:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.send(head + b"5\r\n" + body[:5] + b"\r\n%x;x=y\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\nT: u\r\n\r\n")
        else:
            self.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def job(number, state, progress=0, reasons=("none",), message=""):
    """The attributes of a job, encoded, as a group."""
    return (
        tags.JOB_GROUP,
        [
            codec.attribute(tags.INTEGER, "job-id", [number]),
            codec.attribute(tags.ENUM, "job-state", [state]),
            codec.attribute(tags.KEYWORD, "job-state-reasons", list(reasons)),
            codec.attribute(tags.TEXT, "job-state-message", [message]),
            codec.attribute(tags.INTEGER, "printwright-job-progress", [progress]),
            codec.attribute(tags.INTEGER, "printwright-job-layer", [progress // 10]),
        ],
    )
