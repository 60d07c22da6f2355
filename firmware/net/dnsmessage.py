"""Messages of the Domain Name System, as far as DNS-SD over multicast needs them (RFC 1035 section 4, RFC 6762 section 18).

A name is its octets on the wire, without compression, in its own case: `name("Printer (2)", "_ipps-3d", "_tcp", "local")`.  Compare names
by `bytes.lower()`: lengths of labels (at most 63) are no letters.  Bytes in, bytes out; no I/O, no clock.

Whatever is in a message, reading it is bounded: pointers go backwards only, and only so many records and labels are looked at.
"""

import struct

from hal.compat import const

A = const(1)
PTR = const(12)
TXT = const(16)
AAAA = const(28)
SRV = const(33)
NSEC = const(47)
ANY = const(255)
IN = const(1)
CACHE_FLUSH = const(0x8000)  # of a record's class; of a question's class it asks for a unicast answer (RFC 6762 sections 5.4, 10.2)

RESPONSE = const(0x8400)  # flags: response, authoritative (RFC 6762 section 18)
TRUNCATED = const(0x0200)
_QR_OPCODE_RCODE = const(0xF80F)
_QR = const(0x8000)

ANSWER = const(0)
AUTHORITY = const(1)
ADDITIONAL = const(2)

NAME_OCTETS_MAX = const(255)
LABEL_OCTETS_MAX = const(63)
MESSAGE_OCTETS_MAX = const(9000)  # RFC 6762 section 17
QUESTIONS_MAX = const(64)  # of one message that are looked at; what is asked beyond is not answered
RECORDS_MAX = const(256)  # the known answers that fit an Ethernet frame are some 60
_LABELS_MAX = const(2048)  # of one message: pointers let a small one name the same labels again and again
_POINTER = const(0xC0)
_OFFSET_MAX = const(0x3FFF)


class DnsError(ValueError):
    """A message that is none, or that asks for too much work."""


def label(text, limit=LABEL_OCTETS_MAX):
    """UTF-8 octets of text, cut between characters to at most `limit`; never empty."""
    octets = text.encode()
    if len(octets) > limit:
        end = limit
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        octets = octets[:end]
    return octets or b"-"


def name(*labels):
    """A name from its labels (str or bytes), each of 1 to 63 octets."""
    out = []
    for part in labels:
        octets = part.encode() if isinstance(part, str) else part
        if not 0 < len(octets) <= LABEL_OCTETS_MAX:
            raise ValueError("a label has 1 to 63 octets")
        out.append(bytes([len(octets)]))
        out.append(octets)
    out.append(b"\0")
    return b"".join(out)


class Reader:
    """One received message; DnsError when it has no header, or is longer than one may be.

    `flags`, `id`; is_query, is_response (anything else is to be ignored).  Then questions(), then records(), in that order.
    """

    def __init__(self, data):
        if not 12 <= len(data) <= MESSAGE_OCTETS_MAX:
            raise DnsError("length")
        self._data = data
        self.id, self.flags, self._questions, answers, authorities, additionals = struct.unpack_from(">6H", data, 0)
        self._counts = (answers, authorities, additionals)
        self.is_query = self.flags & _QR_OPCODE_RCODE == 0
        self.is_response = self.flags & _QR_OPCODE_RCODE == _QR
        self.truncated = self.flags & TRUNCATED != 0
        self._at = 12
        self._labels = _LABELS_MAX

    @property
    def asks(self):
        """Number of questions, as the header says."""
        return self._questions

    def questions(self):
        """[(name, type, class with QU bit), ...], at most QUESTIONS_MAX, which DnsError tells of a message with more."""
        found = []
        if self._questions > QUESTIONS_MAX:
            raise DnsError("too many questions")
        for _ in range(self._questions):
            asked = self._name()
            kind, cls = self._unpack(">HH", 4)
            found.append((asked, kind, cls))
        return found

    def records(self):
        """Generator of (section, name, type, class with cache-flush bit, ttl in s, rdata without compression)."""
        left = RECORDS_MAX
        for section in (ANSWER, AUTHORITY, ADDITIONAL):
            for _ in range(self._counts[section]):
                left -= 1
                if left < 0:
                    raise DnsError("too many records")
                owner = self._name()
                kind, cls, ttl, size = self._unpack(">HHIH", 10)
                end = self._at + size
                if end > len(self._data):
                    raise DnsError("truncated")
                yield section, owner, kind, cls, ttl, self._rdata(kind, end)
                self._at = end

    def _rdata(self, kind, end):
        # RFC 6762 section 18.14: names in these may be compressed
        if kind == PTR or kind == SRV or kind == NSEC:
            start = self._at
            head = b""
            if kind == SRV:
                self._at += 6
                head = bytes(self._data[start : self._at])
            target = self._name()
            if self._at > end:
                raise DnsError("a name longer than its record")
            return head + target + bytes(self._data[self._at : end])
        return bytes(self._data[self._at : end])

    def _unpack(self, form, size):
        if self._at + size > len(self._data):
            raise DnsError("truncated")
        found = struct.unpack_from(form, self._data, self._at)
        self._at += size
        return found

    def _name(self):
        data = self._data
        at = limit = self._at
        after = None
        parts = []
        octets = 1
        while True:
            if at >= len(data):
                raise DnsError("truncated")
            size = data[at]
            if size >= _POINTER:
                if at + 1 >= len(data):
                    raise DnsError("truncated")
                if after is None:
                    after = at + 2
                at = (size & 0x3F) << 8 | data[at + 1]
                if at >= limit or at < 12:
                    raise DnsError("a pointer that does not go back")
                limit = at
                continue
            if size > LABEL_OCTETS_MAX:
                raise DnsError("an unknown kind of label")
            self._labels -= 1
            octets += size + 1
            if octets > NAME_OCTETS_MAX + 1 or self._labels < 0:
                raise DnsError("too long names")
            if at + 1 + size > len(data):
                raise DnsError("truncated")
            parts.append(bytes(data[at : at + 1 + size]))
            at += 1 + size
            if not size:
                break
        self._at = at if after is None else after
        return b"".join(parts)


class Writer:
    """One message of at most `limit` octets, names compressed."""

    def __init__(self, limit, flags=0, id=0):
        self._limit = limit
        self._flags = flags
        self._id = id
        self._counts = [0, 0, 0, 0]
        self._out = bytearray(12)
        self._places = {}  # a name's tail, in lower case: where it stands

    def question(self, asked, kind, cls):
        """False when there is no room."""
        mark = len(self._out)
        self._name(asked)
        self._out.extend(struct.pack(">HH", kind, cls))
        return self._fits(mark, 0)

    def record(self, section, owner, kind, cls, ttl, rdata):
        """False when there is no room; rdata as Reader.records() gives it."""
        out = self._out
        mark = len(out)
        self._name(owner)
        out.extend(struct.pack(">HHIH", kind, cls, ttl, 0))
        start = len(out)
        if kind == PTR:
            self._name(rdata)
        elif kind == SRV:
            out.extend(rdata[:6])
            self._name(rdata[6:])
        else:
            out.extend(rdata)
        struct.pack_into(">H", out, start - 2, len(out) - start)
        return self._fits(mark, section + 1)

    @property
    def empty(self):
        """True while nothing was put into it."""
        return len(self._out) == 12

    def _fits(self, mark, section):
        # the first record goes anyway: a message that is too long is better than none (RFC 6762 section 17)
        if len(self._out) > self._limit and mark > 12:
            self._out = self._out[:mark]
            for tail in [tail for tail, at in self._places.items() if at >= mark]:
                del self._places[tail]
            return False
        self._counts[section] += 1
        return True

    def _name(self, whole):
        out = self._out
        at = 0
        while whole[at]:
            tail = whole[at:].lower()
            place = self._places.get(tail)
            if place is not None:
                out.extend(struct.pack(">H", _POINTER << 8 | place))
                return
            if len(out) <= _OFFSET_MAX:
                self._places[tail] = len(out)
            end = at + 1 + whole[at]
            out.extend(whole[at:end])
            at = end
        out.append(0)

    def bytes(self):
        """The message."""
        struct.pack_into(">6H", self._out, 0, self._id, self._flags, *self._counts)
        return bytes(self._out)
