"""What dnssd.Responder knows of records: tuples (name, type, unique, ttl in s, rdata) in a list, and sets of them, the bits of an integer
being places in that list."""

from firmware.net import dnsmessage
from firmware.net.dnsmessage import AAAA, NSEC, PTR, SRV, TXT, A


def text(entries):
    """TXT rdata of [(key, value), ...] (str); entries too long are cut, those without a value are left out (RFC 6763 section 6)."""
    out = []
    for key, value in entries:
        if value:
            entry = dnsmessage.label("%s=%s" % (key, value), 255)
            out.append(bytes([len(entry)]) + entry)
    return b"".join(out) or b"\0"


def denial(owner, kinds):
    """RFC 6762 section 6.1: there are records of these types, all below 256, and no others."""
    bitmap = bytearray(32)
    for kind in kinds:
        bitmap[kind >> 3] |= 0x80 >> (kind & 7)
    size = (max(kinds) >> 3) + 1
    return owner + bytes([0, size]) + bytes(bitmap[:size])


def denials(records):
    """The set of all NSEC records."""
    mask = 0
    for i in range(len(records)):
        if records[i][1] == NSEC:
            mask |= 1 << i
    return mask


def has_shared(records, mask):
    """True when others may have a record of the set, too."""
    for i in range(len(records)):
        if mask & 1 << i and not records[i][2]:
            return True
    return False


def equal(kind, mine, other):
    """True when two rdata of a type mean the same."""
    # names are the same in any case; in these, only names have letters that matter here
    return mine == other or (kind in (PTR, SRV, NSEC) and mine.lower() == other.lower())


def going_with(records, mask):
    """Numbers of the records that go with an answer (RFC 6763 section 12), without those of the mask."""
    more = 0
    whole = False
    for i in range(len(records)):
        if not mask & 1 << i:
            continue
        if records[i][1] == PTR:
            for j in range(len(records)):
                # an instance's records
                if records[j][0] == records[i][4] and records[j][1] in (SRV, TXT):
                    more |= 1 << j
                    whole = True
        elif records[i][1] in (SRV, A, AAAA):
            whole = True
    if whole:
        host = records[0][0]
        for j in range(len(records)):
            if records[j][0] == host:
                more |= 1 << j
    return more & ~mask


def near(address, addresses):
    """True when `address` is of one of the networks that the link's addresses are in."""
    if len(address) == 16 and address[0] == 0xFE and address[1] & 0xC0 == 0x80:
        return True  # link-local
    for own, bits in addresses:
        if len(own) == len(address):
            whole = bits >> 3
            rest = bits & 7
            if own[:whole] == address[:whole] and (not rest or own[whole] >> (8 - rest) == address[whole] >> (8 - rest)):
                return True
    return False
