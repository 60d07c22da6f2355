"""Document formats and compressions: what is accepted, and what application/octet-stream turns out to be.

G-code text is always text/x-gcode, never Safe G-code: the strict format has to be asked for.  A ZIP file is model/3mf.  Compressed data
without `compression` is a format that is not supported; anything else that is no G-code is a broken document.  Not here: what the
commands may be (firmware/gcode), what is in a package (firmware/jobs/package).
"""

from firmware.ipp import attributes, registry_printer, status, tags
from firmware.ipp.codec import attribute
from firmware.ipp.status import IppError
from firmware.jobs import package
from hal import compat
from hal.compat import const
from hal.errors import DataError

GCODE = "text/x-gcode"
SAFE_GCODE = "application/vnd.pwg-safe-gcode"
OCTETS = "application/octet-stream"
SNIFF_BYTES = const(256)  # slicers begin with comments; so much tells text from everything else

_GZIP = b"\x1f\x8b"
_KINDS = {"gzip": compat.GZIP, "deflate": compat.DEFLATE}
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


def settle(document_format, start, compression=None):
    """The format that a document is printed as.

    document_format: as supplied (str) or None, checked before; start: its first bytes as they came, SNIFF_BYTES of them unless it is
    shorter; compression: as supplied, checked before.  Raises IppError with FORMAT_NOT_SUPPORTED (compressed data that nobody
    announced), FORMAT_ERROR (application/octet-stream that is no G-code), COMPRESSION_ERROR, COMPRESSION_NOT_SUPPORTED (a package is
    read from its end, so it can not be compressed once more).
    """
    packed = compression in _KINDS
    if packed:
        start = inflated(compression, start)
    if start[:2] == _GZIP:
        unsupported = [attribute(tags.MIME, "document-format", ["application/gzip"])]
        raise IppError(status.FORMAT_NOT_SUPPORTED, "The document is compressed, but 'compression' does not say so.", unsupported)
    kind = document_format.split(";")[0].strip().lower() if document_format else GCODE
    if not document_format and start[:4] == package.SIGNATURE:
        kind = package.FORMAT  # nobody said that it is text
    if kind == OCTETS:
        if start[:4] == package.SIGNATURE:
            kind = package.FORMAT
        elif is_gcode(start) or (packed and not start):
            kind = GCODE
        else:
            raise IppError(status.FORMAT_ERROR, "The document is not G-code.")
    if kind == package.FORMAT:
        if packed:
            unsupported = [attribute(tags.KEYWORD, "compression", [compression])]
            raise IppError(status.COMPRESSION_NOT_SUPPORTED, "A 3MF package is compressed already; send it as it is.", unsupported)
        if start[:4] != package.SIGNATURE:
            raise IppError(status.FORMAT_ERROR, "The document is not a 3MF package.")
    return kind


class _Start:
    """The first bytes of a document as a stream that gives one at a time, so that `at` tells how far the inflater got."""

    def __init__(self, data):
        self._data = memoryview(data)
        self.at = 0

    def readinto(self, buf):
        if self.at == len(self._data):
            return 0
        buf[0] = self._data[self.at]
        self.at += 1
        return 1


def inflated(compression, start):
    """What is known of a compressed document's text: bytes, none when its first bytes tell too little.  IppError: COMPRESSION_ERROR."""
    text = bytearray(SNIFF_BYTES)
    view = memoryview(text)
    done = 0
    whole = len(start) < SNIFF_BYTES
    stream = _Start(start)
    if compression == "gzip" and start[:3] != b"\x1f\x8b\x08"[: len(start)]:
        raise IppError(status.COMPRESSION_ERROR, "The document is not compressed with gzip.")
    try:
        source = compat.inflater(stream, _KINDS[compression])
        while done < SNIFF_BYTES:
            # small pieces: what comes out before the end of the bytes that are here counts
            n = source.readinto(view[done : done + 16])
            if not n:
                break
            done += n
    except DataError:
        # it may only be that the rest has not come yet
        if whole or stream.at < len(start):
            raise IppError(status.COMPRESSION_ERROR, "The document does not decompress.")
    return bytes(view[:done])


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
