"""IPP messages as bytes: an incremental decoder and an encoder (RFC 8010 section 3).

Sans-IO and without knowledge of operations or attributes: firmware/ipp/checks.py judges what is decoded here.  The decoder takes
bytes in any split, checks each length before it slices, holds at most `Limits.attribute_bytes` and knows nothing of the document
that follows the attributes.  SPEC.md lists what it refuses.

A decoded value is (tag, value): int (integer, enum), bool, bytes (every text-like syntax, octetString, dateTime, unknown tags),
(low, high), (cross_feed, feed, units), (language, text) as bytes, None (out-of-band), or for a collection the list
[(member name, [(tag, value), ...]), ...] in the order received.  Attribute names are str.
"""

import struct

from firmware.ipp import status, tags
from firmware.ipp.status import IppError
from hal.compat import const

_MAX_NAME = const(255)
_MAX_VALUE = const(0x7FFF)
_HEADER_BYTES = const(8)

# Largest value of each syntax in octets (RFC 8011 section 5.1); more is client-error-request-value-too-long.  Text and name with
# language: 2 + 63 + 2 on top.
_MAX_LENGTH = {
    tags.OCTETS: 1023,
    tags.TEXT_LANG: 1090,
    tags.NAME_LANG: 322,
    tags.TEXT: 1023,
    tags.NAME: 255,
    tags.KEYWORD: 255,
    tags.URI: 1023,
    tags.URI_SCHEME: 63,
    tags.CHARSET: 63,
    tags.LANGUAGE: 63,
    tags.MIME: 255,
}


class Limits:
    """What one message may hold, by the memory that a machine has for it.

    attribute_bytes: octets before the document; items: values, members and attributes together; depth: nested collections.
    """

    def __init__(self, attribute_bytes=8192, items=256, depth=8):
        self.attribute_bytes = attribute_bytes
        self.items = items
        self.depth = depth


class Request:
    """A message: `version` (major, minor), `operation` (an answer's status-code), `request_id` as sent (0 to 2**32 - 1),
    `groups` [(tag, [(name, [(tag, value), ...]), ...]), ...] and `too_long`, the name of the first attribute with a value longer
    than its syntax allows (such a value is kept as b""), or None."""

    def __init__(self, version, operation, request_id):
        self.version = version
        self.operation = operation
        self.request_id = request_id
        self.groups = []
        self.too_long: str | None = None

    def group(self, tag):
        """Attributes [(name, values), ...] of the first group `tag`, or None."""
        for group_tag, attributes in self.groups:
            if group_tag == tag:
                return attributes
        return None


class Decoder:
    """feed() bytes until it returns True; then `request` is complete and `rest` holds what came behind end-of-attributes.

    Any split of the same bytes gives the same outcome.  Raises IppError(BAD_REQUEST or TOO_LARGE), after which the message is lost;
    `request` is not None as soon as the 8 octets of the header were there, so that an error can be answered with its request-id.
    """

    def __init__(self, limits=None):
        self.limits = limits or Limits()
        self.request = None
        self.rest = b""
        self._part = b""  # an item that is not complete
        self._bytes = 0  # before _part
        self._items = 0
        self._attributes = None  # of the group in progress
        self._values = None  # of the attribute or member in progress
        self._name = None
        self._top_name = None  # of the attribute, when _name is a member's
        self._too_long: str | None = None
        self._stack = []  # of open collections: (members, values of the level above, name there)
        self._members = []

    def feed(self, data):
        """data: bytes-like.  True when the attributes are complete."""
        buf = self._part + bytes(data) if self._part else bytes(data)
        size = len(buf)
        pos = 0
        request = self.request
        if request is None:
            if size < _HEADER_BYTES:
                self._part = buf
                return False
            major, minor, operation, request_id = struct.unpack_from(">BBHI", buf, 0)
            request = self.request = Request((major, minor), operation, request_id)
            pos = _HEADER_BYTES
        limit = self.limits.attribute_bytes - self._bytes
        while pos < size:
            tag = buf[pos]
            if tag < 0x10:
                pos += 1
                if pos > limit:
                    break
                if self._stack:
                    raise IppError(status.BAD_REQUEST, "A collection has no end.")
                if tag == tags.END:
                    self._part = b""
                    self._bytes += pos
                    request.too_long = self._too_long
                    self.rest = memoryview(buf)[pos:] if pos < size else b""
                    return True
                if tag == 0:
                    raise IppError(status.BAD_REQUEST, "Group tag 0 is reserved.")
                self._count(1)
                self._attributes = []
                self._values = None
                request.groups.append((tag, self._attributes))
                continue
            if size - pos < 3 or pos + 3 > limit:
                break
            name_length = buf[pos + 1] << 8 | buf[pos + 2]
            if name_length > _MAX_NAME:
                raise IppError(status.BAD_REQUEST, "An attribute's name is longer than 255 octets.")
            value_at = pos + 5 + name_length
            if value_at > size or value_at > limit:
                break
            value_length = buf[value_at - 2] << 8 | buf[value_at - 1]
            if value_length > _MAX_VALUE:
                raise IppError(status.BAD_REQUEST, "A value's length is negative.")
            end = value_at + value_length
            if end > limit:
                raise IppError(status.TOO_LARGE, "The attributes are larger than this printer can hold.")
            if end > size:
                break
            self._item(tag, buf, pos + 3, value_at, end, name_length, value_length)
            pos = end
        if size > limit:
            raise IppError(status.TOO_LARGE, "The attributes are larger than this printer can hold.")
        self._part = buf[pos:]
        self._bytes += pos
        return False

    def end(self):
        """The bytes are over.  Raises IppError unless the message is complete."""
        if self.request is None:
            raise IppError(status.BAD_REQUEST, "The message is shorter than its header.")
        raise IppError(status.BAD_REQUEST, "The message ends before its end-of-attributes tag.")

    def _count(self, n):
        self._items += n
        if self._items > self.limits.items:
            raise IppError(status.TOO_LARGE, "The request has more attributes and values than this printer can hold.")

    def _item(self, tag, buf, name_at, value_at, end, name_length, value_length):
        self._count(1)
        if self._attributes is None:
            raise IppError(status.BAD_REQUEST, "An attribute stands before the first group.")
        if name_length:
            if self._stack:
                raise IppError(status.BAD_REQUEST, "A collection's member has a name of its own.")
            try:
                self._name = str(buf[name_at : name_at + name_length], "utf-8")
            except UnicodeError:
                raise IppError(status.BAD_REQUEST, "An attribute's name is not text.")
            self._top_name = self._name
            self._values = []
            self._attributes.append((self._name, self._values))
        elif self._values is None and tag != tags.MEMBER and tag != tags.END_COLLECTION:
            raise IppError(status.BAD_REQUEST, "A further value has no attribute.")
        if tag == tags.COLLECTION:
            self._open(value_length)
        elif tag == tags.MEMBER:
            self._member(buf[value_at:end], name_length)
        elif tag == tags.END_COLLECTION:
            self._close(value_length, name_length)
        else:
            self._append(tag, self._value(tag, buf, value_at, end, value_length))

    def _append(self, tag, value):
        values = self._values
        if values is None:
            raise IppError(status.BAD_REQUEST, "A value belongs to no member.")
        if values and (tag < 0x20 or values[0][0] < 0x20):
            raise IppError(status.BAD_REQUEST, "'%s': an out-of-band value stands alone." % self._name)
        values.append((tag, value))

    def _value(self, tag, buf, start, end, length):
        if tag == tags.INTEGER or tag == tags.ENUM:
            if length == 4:
                return struct.unpack_from(">i", buf, start)[0]
        elif tag == tags.BOOLEAN:
            if length == 1 and buf[start] <= 1:
                return buf[start] == 1
        elif tag in _MAX_LENGTH:
            if length > _MAX_LENGTH[tag]:
                if self._too_long is None:
                    self._too_long = self._top_name
                return (b"", b"") if tag == tags.TEXT_LANG or tag == tags.NAME_LANG else b""
            if tag != tags.TEXT_LANG and tag != tags.NAME_LANG:
                return buf[start:end]
            if length >= 4:
                text_at = start + 4 + (buf[start] << 8 | buf[start + 1])
                if text_at <= end and text_at + (buf[text_at - 2] << 8 | buf[text_at - 1]) == end:
                    return buf[start + 2 : text_at - 2], buf[text_at:end]
        elif tag < 0x20:
            return None
        elif tag == tags.RANGE:
            if length == 8:
                low, high = struct.unpack_from(">ii", buf, start)
                if low <= high:
                    return low, high
        elif tag == tags.RESOLUTION:
            if length == 9:
                return struct.unpack_from(">iiB", buf, start)
        elif tag == tags.DATETIME:
            if length == 11:
                return buf[start:end]
        elif tag != tags.EXTENSION or length >= 4:
            return buf[start:end]
        raise IppError(status.BAD_REQUEST, "'%s': a value is not of its syntax." % self._name)

    def _open(self, value_length):
        if value_length:
            raise IppError(status.BAD_REQUEST, "'%s': a collection's begin has a value." % self._name)
        if len(self._stack) >= self.limits.depth:
            raise IppError(status.BAD_REQUEST, "'%s': collections are nested too deeply." % self._name)
        members = []
        self._append(tags.COLLECTION, members)
        self._stack.append((self._members, self._values, self._name))
        self._members = members
        self._values = None

    def _member(self, name, name_length):
        if name_length or not self._stack:
            raise IppError(status.BAD_REQUEST, "A member stands outside a collection.")
        self._ended_member()
        if not name or len(name) > _MAX_NAME:
            raise IppError(status.BAD_REQUEST, "'%s': a member's name is empty or too long." % self._name)
        try:
            name = str(name, "utf-8")
        except UnicodeError:
            raise IppError(status.BAD_REQUEST, "A member's name is not text.")
        for other, _ in self._members:
            if other == name:
                raise IppError(status.BAD_REQUEST, "'%s': a member occurs twice." % name)
        self._name = name
        self._values = []
        self._members.append((name, self._values))

    def _ended_member(self):
        if self._members and not self._values:
            raise IppError(status.BAD_REQUEST, "'%s': a member has no value." % self._name)

    def _close(self, value_length, name_length):
        if value_length or name_length or not self._stack:
            raise IppError(status.BAD_REQUEST, "A collection's end is misplaced.")
        self._ended_member()
        self._members, self._values, self._name = self._stack.pop()


class Response:
    """What a handler answers.

    status: of firmware/ipp/status; message: one sentence or None; `operation`: further operation attributes, encoded, behind charset,
    language and message; `unsupported`: list of encoded attributes; `groups`: list of
    (group tag, iterable of encoded attributes), each group in the order of the answer (RFC 8010 section 3.3).  Iterables are walked
    once, while the answer is sent.
    """

    def __init__(self, status=0, message=None):
        self.status = status
        self.message = message
        self.operation = ()
        self.unsupported = []
        self.groups = []

    def add(self, tag, attributes):
        """Adds a group: its tag, an iterable of bytes."""
        self.groups.append((tag, attributes))
        return self

    def pieces(self, version, request_id):
        """Generator of the encoded message, piece by piece."""
        yield struct.pack(">BBHI", version[0], version[1], self.status, request_id) + _ANSWER_OPERATION_GROUP
        if self.message:
            yield attribute(tags.TEXT, "status-message", [clip(self.message, 255)])
        for piece in self.operation:
            yield piece
        if self.unsupported:
            yield b"\x05"
            for piece in self.unsupported:
                yield piece
        for tag, attributes in self.groups:
            yield bytes((tag,))
            for piece in attributes:
                yield piece
        yield b"\x03"


def clip(text, octets):
    """text (str or bytes) as UTF-8 of at most `octets`, cut between characters."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) <= octets:
        return data
    while octets and data[octets] & 0xC0 == 0x80:
        octets -= 1
    return data[:octets]


def attribute(tag, name, values):
    """One attribute as bytes.  tag: of all values; values: an iterable of values as the decoder gives them (str is taken, too), in
    a list even when there is one; an out-of-band tag needs none.

    Raises ValueError when something does not fit its field.
    """
    if tag < 0x20:
        return _item_bytes(tag, name.encode(), b"")
    return attribute_of(name, [(tag, value) for value in values])


def attribute_of(name, values):
    """One attribute as bytes from [(tag, value), ...], as the decoder gives it; tags may differ."""
    out = bytearray()
    encoded_name = name.encode()
    if not encoded_name or len(encoded_name) > _MAX_NAME:
        raise ValueError("attribute name")
    for tag, value in values:
        _put(out, tag, encoded_name, value, 0)
        encoded_name = b""
    if not out:
        raise ValueError("attribute '%s' without a value" % name)
    return bytes(out)


def message(version, operation, request_id, groups):
    """A whole message without document, as bytes; groups as in Request.groups.  For clients and tests."""
    out = bytearray(struct.pack(">BBHI", version[0], version[1], operation, request_id))
    for tag, attributes in groups:
        out.append(tag)
        for name, values in attributes:
            out += attribute_of(name, values)
    out.append(tags.END)
    return bytes(out)


def _item_bytes(tag, name, value):
    if len(value) > _MAX_VALUE:
        raise ValueError("value too long")
    return b"".join((struct.pack(">BH", tag, len(name)), name, struct.pack(">H", len(value)), value))


def _item(out, tag, name, value):
    # byte by byte: a long attribute packed in pieces leaves ten times its length behind as garbage
    n = len(value)
    if n > _MAX_VALUE:
        raise ValueError("value too long")
    out.append(tag)
    out.append(len(name) >> 8)
    out.append(len(name) & 255)
    out += name
    out.append(n >> 8)
    out.append(n & 255)
    out += value


def _put(out, tag, name, value, depth):
    if tag == tags.COLLECTION:
        if depth >= 32:
            raise ValueError("collections nested too deeply")
        _item(out, tag, name, b"")
        for member, values in value:
            _item(out, tags.MEMBER, b"", member.encode())
            if not values:
                raise ValueError("member '%s' without a value" % member)
            for member_tag, member_value in values:
                _put(out, member_tag, b"", member_value, depth + 1)
        out += b"\x37\0\0\0\0"
        return
    if tag == tags.INTEGER or tag == tags.ENUM:
        _check_int32(value)
        value = struct.pack(">i", value)
    elif tag == tags.BOOLEAN:
        value = b"\x01" if value else b"\0"
    elif tag < 0x20:
        value = b""
    elif tag == tags.RANGE:
        _check_int32(value[0])
        _check_int32(value[1])
        value = struct.pack(">ii", value[0], value[1])
    elif tag == tags.RESOLUTION:
        _check_int32(value[0])
        _check_int32(value[1])
        value = struct.pack(">iiB", value[0], value[1], value[2])
    elif tag == tags.TEXT_LANG or tag == tags.NAME_LANG:
        language, text = [_octets(part) for part in value]
        value = b"".join((struct.pack(">H", len(language)), language, struct.pack(">H", len(text)), text))
    else:
        value = _octets(value)
    _item(out, tag, name, value)


def _check_int32(value):
    # struct does not check on MicroPython
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise ValueError("integer %d" % value)


def _octets(value):
    return value.encode() if isinstance(value, str) else value


_ANSWER_OPERATION_GROUP = (
    b"\x01"
    + attribute(tags.CHARSET, "attributes-charset", ["utf-8"])
    + attribute(tags.LANGUAGE, "attributes-natural-language", ["en"])
)
