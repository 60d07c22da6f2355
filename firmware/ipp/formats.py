"""Document formats and compressions: what is accepted, and what application/octet-stream turns out to be.

G-code text is always text/x-gcode, never Safe G-code: the strict format has to be asked for.  Compressed data without `compression`
is a format that is not supported; anything else that is no G-code is a broken document.  Not here: what the commands may be
(firmware/gcode).
"""

from firmware.ipp import attributes, registry_printer, status, tags
from firmware.ipp.codec import attribute
from firmware.ipp.status import IppError
from hal.compat import const

GCODE = "text/x-gcode"
SAFE_GCODE = "application/vnd.pwg-safe-gcode"
OCTETS = "application/octet-stream"
SNIFF_BYTES = const(256)  # slicers begin with comments; so much tells text from everything else

_GZIP = b"\x1f\x8b"
_COMMANDS = b"GMTNFXYZgmtnfxyz"
_NEWLINE = const(10)
_RETURN = const(13)
_TAB = const(9)
_COMMENT = const(0x3B)  # ;


def check(name, text, failure):
    """Raises IppError(failure) unless `text` is a value of the printer's `name`-supported; None is fine."""
    if text is None:
        return
    row = attributes.find(registry_printer.ROWS, name + "-supported")
    # parameters of a MIME media type change nothing here
    if text.split(";")[0].strip().lower() not in attributes.constants(row):
        tag = tags.MIME if name == "document-format" else tags.KEYWORD
        raise IppError(failure, "'%s' is not supported." % text, [attribute(tag, name, [text])])


def check_both(document_format, compression):
    """Checks a request's document-format and compression (str or None), compression first: it is undone first."""
    check("compression", compression, status.COMPRESSION_NOT_SUPPORTED)
    check("document-format", document_format, status.FORMAT_NOT_SUPPORTED)


def settle(document_format, start):
    """The format that a document is printed as.

    document_format: as supplied (str) or None, checked before; start: its first bytes, SNIFF_BYTES of them unless it is shorter.
    Raises IppError with FORMAT_NOT_SUPPORTED (compressed data) or FORMAT_ERROR (application/octet-stream that is no G-code).
    """
    if start[:2] == _GZIP:
        unsupported = [attribute(tags.MIME, "document-format", ["application/gzip"])]
        raise IppError(status.FORMAT_NOT_SUPPORTED, "The document is compressed, but 'compression' does not say so.", unsupported)
    kind = document_format.split(";")[0].strip().lower() if document_format else GCODE
    if kind != OCTETS:
        return kind
    if not is_gcode(start):
        raise IppError(status.FORMAT_ERROR, "The document is not G-code.")
    return GCODE


def is_gcode(start):
    """True when a document that begins with these bytes is text whose first line is a comment or a G-code command."""
    begins = True  # a line's first character is to come
    known = False
    comment = False
    if start[:3] == b"\xef\xbb\xbf":
        start = start[3:]
    for octet in start:
        if octet < 32 and octet != _TAB and octet != _NEWLINE and octet != _RETURN:
            return False
        if octet == _NEWLINE or octet == _RETURN:
            begins = True
            comment = False
        elif octet == _COMMENT or octet == 0x28:
            known = True
            comment = True
            begins = False
        elif not comment:
            if octet > 126:
                return False  # text beyond ASCII belongs into comments
            if begins and octet != 32 and octet != _TAB:
                if octet not in _COMMANDS:
                    return False
                known = True
                begins = False
    return known
