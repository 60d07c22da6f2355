"""A strict reader of deterministically encoded CBOR (RFC 8949 section 4.2), for what a SUIT envelope needs.

Nothing is built that was not asked for: the caller says what must come next, so nesting is as deep as the caller's own code.  Indefinite
lengths, heads that are longer than need be, floats, and lengths beyond what holds them are refused.
"""

from hal.compat import const

UNSIGNED = const(0)
NEGATIVE = const(1)
OCTETS = const(2)
TEXT = const(3)
ARRAY = const(4)
MAP = const(5)
TAG = const(6)
SIMPLE = const(7)

TRUE = const(21)
NULL = const(22)

_VALUE_MAX = const(0xFFFFFFFF)


class CborError(ValueError):
    """What came is not what had to come; the message says what."""


class EndsTooSoon(CborError):
    """Right so far: of something that is still coming, more is needed."""

    def __init__(self):
        super().__init__("ends too soon")


def head(data, at, end):
    """(major type, value, offset behind) of the head at an offset.  CborError when it is no shortest form or does not end before `end`."""
    if at >= end:
        raise EndsTooSoon
    first = data[at]
    at += 1
    value = first & 31
    if value >= 24:
        if value > 27:
            raise CborError("indefinite length or reserved head")
        size = 1 << value - 24
        if end - at < size:
            raise EndsTooSoon
        if size == 8:
            raise CborError("number too large")
        value = 0
        for _ in range(size):
            value = value << 8 | data[at]
            at += 1
        if value < (24 if size == 1 else 1 << size * 4):
            raise CborError("number not in its shortest form")
    return first >> 5, value, at


class Reader:
    """Reads data[at:end] item after item.  data: anything that indexes to integers; `at` moves on."""

    def __init__(self, data, at=0, end=None):
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    def peek(self):
        """Major type of the next item."""
        if self.at >= self.end:
            raise EndsTooSoon
        return self.data[self.at] >> 5

    def take(self, major):
        """Value of the next head, which must be of that type."""
        found, value, at = head(self.data, self.at, self.end)
        if found != major:
            raise CborError("type %d where %d was expected" % (found, major))
        self.at = at
        return value

    def unsigned(self, most=_VALUE_MAX):
        value = self.take(UNSIGNED)
        if value > most:
            raise CborError("number too large")
        return value

    def integer(self):
        """An integer of either sign."""
        if self.peek() == NEGATIVE:
            return -1 - self.take(NEGATIVE)
        return self.take(UNSIGNED)

    def exactly(self, value):
        """An integer that must have this value."""
        if self.integer() != value:
            raise CborError("another number than %d" % value)

    def _span(self, major):
        size = self.take(major)
        if size > self.end - self.at:
            raise EndsTooSoon
        start = self.at
        self.at += size
        return start

    def octets(self, size=None):
        """A byte string, copied; size: what it must have."""
        start = self._span(OCTETS)
        if size is not None and self.at - start != size:
            raise CborError("%d bytes where %d were expected" % (self.at - start, size))
        return bytes(self.data[start : self.at])

    def inside(self):
        """A Reader of the inside of a byte string, without a copy.  What ends too soon in there is an error for good."""
        start = self._span(OCTETS)
        return Reader(self.data, start, self.at)

    def text(self, most):
        """A text string of at most so many bytes, as str."""
        start = self._span(TEXT)
        if self.at - start > most:
            raise CborError("text too long")
        try:
            return str(bytes(self.data[start : self.at]), "utf-8")
        except UnicodeError:
            raise CborError("text that is not UTF-8")

    def array(self, count):
        """The head of an array that must have so many items."""
        if self.take(ARRAY) != count:
            raise CborError("another number of items than %d" % count)

    def tag(self, number):
        if self.take(TAG) != number:
            raise CborError("another tag than %d" % number)

    def map(self, most):
        """Count of pairs of a map, at most so many.  For its keys: Keys."""
        count = self.take(MAP)
        if count > most:
            raise CborError("too many keys")
        return count

    def simple(self, value):
        if self.take(SIMPLE) != value:
            raise CborError("another value than simple(%d)" % value)

    def done(self):
        """Nothing may be left."""
        if self.at != self.end:
            raise CborError("bytes behind the end")


class Order:
    """The keys of one map: each must come behind the one before, by its encoded bytes (RFC 8949 section 4.2.1).  So none comes twice."""

    def __init__(self):
        self._last = b""

    def note(self, encoded):
        encoded = bytes(encoded)
        if encoded <= self._last:
            raise CborError("keys out of order")
        self._last = encoded
