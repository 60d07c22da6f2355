"""One connection to a printer, plain or with TLS, blocking: a buffered reader that can also ask whether an answer has begun."""

import select
import socket
import ssl
import time

BLOCK_BYTES = 65536


class Link:
    """host, port: where to; timeout_s: for each step; secure: with TLS, whose certificate is for the caller to judge.  Raises OSError."""

    def __init__(self, host: str, port: int, timeout_s: float, secure: bool):
        self._timeout_s = timeout_s
        self._data = b""
        link = socket.create_connection((host, port), timeout_s)
        try:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = _context().wrap_socket(link, server_hostname=host) if secure else link
        except BaseException:
            link.close()
            raise

    def certificate(self) -> bytes:
        """The printer's certificate (DER), b"" without TLS."""
        return self._socket.getpeercert(True) or b"" if isinstance(self._socket, ssl.SSLSocket) else b""

    def close(self) -> None:
        self._socket.close()

    def sendall(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answered(self, wait_s: float) -> bool:
        """True when the printer has said something, or ended the connection, within this time."""
        end = time.monotonic() + wait_s
        link = self._socket
        while not self._data:
            pending = isinstance(link, ssl.SSLSocket) and link.pending()
            if not pending and not select.select([link], [], [], max(0, end - time.monotonic()))[0]:
                return False
            if not isinstance(link, ssl.SSLSocket):
                return True
            # with TLS, what has come may be no data yet
            link.settimeout(0)
            try:
                self._data = link.recv(BLOCK_BYTES)
                return True
            except ssl.SSLWantReadError:
                pass
            finally:
                link.settimeout(self._timeout_s)
        return True

    def readline(self, limit: int) -> bytes:
        """A line with its end; what there is at the end of the connection or at the limit."""
        while (end := self._data.find(b"\n")) < 0 and len(self._data) < limit:
            data = self._socket.recv(BLOCK_BYTES)
            if not data:
                break
            self._data += data
        size = end + 1 if end >= 0 else len(self._data)
        line, self._data = self._data[:size], self._data[size:]
        return line

    def read(self, size: int) -> bytes:
        """This many bytes, fewer at the end of the connection."""
        parts = [self._data]
        there = len(self._data)
        while there < size:
            data = self._socket.recv(BLOCK_BYTES)
            if not data:
                break
            parts.append(data)
            there += len(data)
        data = b"".join(parts)
        self._data = data[size:]
        return data[:size]


def _context():
    # printers sign their certificates themselves: who they are is what tools/pins remembers
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
