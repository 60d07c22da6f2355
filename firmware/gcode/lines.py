"""The text of a line, for the few commands that are more than letters and numbers.  The core keeps no text."""

from hal.compat import const

LINE_BYTES_MAX = const(2048)  # a POLYGON may be long, and its first part does
_BEGINNINGS = (b"E", b"e", b"M", b"m")  # of EXCLUDE_OBJECT and M486


class Lines:
    """Text of the lines that the core takes from a buffer which is filled again and again."""

    def __init__(self):
        self._rest = b""  # of the buffer before: its last line, as far as it came

    def keep(self, buf, n):
        """Before the buffer is filled anew: of its first n bytes the last line, if it may be wanted."""
        begin = _begin(buf, _end(buf, n))
        part = bytes(memoryview(buf)[begin:n])
        if begin == 0 and not _is_whole(self._rest):
            part = self._rest + part
        self._rest = part[:LINE_BYTES_MAX] if part.lstrip()[:1] in _BEGINNINGS else b""

    def line(self, buf, end):
        """The line that ends at buf[end - 1], as str; 0: the last one of the buffer before."""
        begin = _begin(buf, _end(buf, end))
        part = bytes(memoryview(buf)[begin:end])
        if begin == 0 and (end == 0 or not _is_whole(self._rest)):
            part = self._rest + part
        part = part.strip()
        try:
            return str(part, "utf-8")
        except UnicodeError:
            return str(bytes([byte if byte < 128 else 63 for byte in part]), "ascii")


def _is_whole(line):
    return line[-1:] in (b"\n", b"\r")


def _end(buf, end):
    """Where the last line of buf[:end] ends, its line end left out."""
    while end > 0 and (buf[end - 1] == 10 or buf[end - 1] == 13):
        end -= 1
    return end


def _begin(buf, end):
    """Where the last line of buf[:end] begins."""
    while end > 0 and buf[end - 1] != 10 and buf[end - 1] != 13:
        end -= 1
    return end
