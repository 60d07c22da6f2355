"""Delimiter and value tags of IPP, from RFC 8010 sections 3.5.1 and 3.5.2."""

from hal.compat import const

# Groups
OPERATION_GROUP = const(0x01)
JOB_GROUP = const(0x02)
END = const(0x03)
PRINTER_GROUP = const(0x04)
UNSUPPORTED_GROUP = const(0x05)
SUBSCRIPTION_GROUP = const(0x06)
EVENT_GROUP = const(0x07)
RESOURCE_GROUP = const(0x08)
DOCUMENT_GROUP = const(0x09)
SYSTEM_GROUP = const(0x0A)

# Out-of-band values
UNSUPPORTED = const(0x10)
UNKNOWN = const(0x12)
NO_VALUE = const(0x13)
NOT_SETTABLE = const(0x15)
DELETE = const(0x16)
ADMIN_DEFINE = const(0x17)

# Values
INTEGER = const(0x21)
BOOLEAN = const(0x22)
ENUM = const(0x23)
OCTETS = const(0x30)
DATETIME = const(0x31)
RESOLUTION = const(0x32)
RANGE = const(0x33)
COLLECTION = const(0x34)
TEXT_LANG = const(0x35)
NAME_LANG = const(0x36)
END_COLLECTION = const(0x37)
TEXT = const(0x41)
NAME = const(0x42)
KEYWORD = const(0x44)
URI = const(0x45)
URI_SCHEME = const(0x46)
CHARSET = const(0x47)
LANGUAGE = const(0x48)
MIME = const(0x49)
MEMBER = const(0x4A)
EXTENSION = const(0x7F)
