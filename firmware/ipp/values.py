"""Values that objects encode for each answer: dates, and attributes whose head never changes.

`head` makes what stands before a value once; an answer then only packs the value behind it.  Everything else goes through codec.
"""

import struct

from firmware.ipp import codec, tags


def head(tag, name, value_octets):
    """Octets before the value of a one-valued attribute: tag, name, and the length of a value of a fixed size."""
    octets = name.encode()
    return b"".join((struct.pack(">BH", tag, len(octets)), octets, struct.pack(">H", value_octets)))


def integer(head_octets, value):
    """An integer or enum attribute behind its `head(tag, name, 4)`; value within 32 bits."""
    return head_octets + struct.pack(">i", value)


def date(name, unix_s):
    """A dateTime attribute in UTC; unix_s: seconds since 1970, or None: out-of-band unknown."""
    if unix_s is None:
        return codec.attribute(tags.UNKNOWN, name, [])
    return codec.attribute(tags.DATETIME, name, [date_time(unix_s)])


def date_time(unix_s):
    """The 11 octets of RFC 2579 DateAndTime in UTC for seconds since 1970 (not negative)."""
    days, second = divmod(unix_s, 86400)
    # days from 0000-03-01, so that a leap day ends its year; eras of 400 years (proleptic Gregorian calendar)
    days += 719468
    era, day_of_era = divmod(days, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * march_month + 2) // 5 + 1
    month = march_month + 3 if march_month < 10 else march_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return struct.pack(
        ">HBBBBBBBBB", year, month, day, second // 3600, second // 60 % 60, second % 60, 0, ord("+"), 0, 0
    )


def unix_time(octets):
    """Seconds since 1970 of 11 octets of RFC 2579 DateAndTime, as date_time() gives them, or in another zone; None when they are none."""
    year, month, day, hour, minute, second, _, sign, zone_h, zone_min = struct.unpack(">HBBBBBBBBB", octets)
    if not (1970 <= year < 9999 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    if chr(sign) not in "+-" or zone_h > 14 or zone_min > 59:
        return None
    march_year = year if month > 2 else year - 1
    march_month = (month + 9) % 12
    days = 365 * march_year + march_year // 4 - march_year // 100 + march_year // 400 + (153 * march_month + 2) // 5 + day - 1 - 719468
    offset_s = (zone_h * 60 + zone_min) * 60
    return days * 86400 + hour * 3600 + minute * 60 + second - (offset_s if sign == ord("+") else -offset_s)


def decoded(octets):
    """[(tag, value), ...] of one attribute that codec.attribute_of made."""
    decoder = codec.Decoder(codec.Limits(len(octets) + 16, 0x7FFF))
    decoder.feed(b"\x02\x00\x00\x00\x00\x00\x00\x01\x02")
    decoder.feed(octets)
    decoder.feed(b"\x03")
    request = decoder.request
    return request.groups[0][1][0][1] if request else []
