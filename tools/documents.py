"""A file to print as IPP sees it: its document-format, its compression and its bytes."""

import gzip
import os

BLOCK_BYTES = 65536
OCTET_STREAM = "application/octet-stream"
GCODE = "text/x-gcode"

# by the ending of the name; a .gz behind it says compression
_FORMATS = {
    ".gcode": GCODE,
    ".gco": GCODE,
    ".gc": GCODE,
    ".g": GCODE,
    ".nc": GCODE,
    ".3mf": "model/3mf",
    ".sgcode": "application/vnd.pwg-safe-gcode",
}


def describe(path):
    """(document-format, compression or None) of a file, by its first bytes and its name.  Raises OSError."""
    with open(path, "rb") as file:
        start = file.read(1024)
    name = os.path.basename(path).lower()
    compression = None
    if start[:2] == b"\x1f\x8b":
        compression = "gzip"
        name = name.removesuffix(".gz")
    ending = os.path.splitext(name)[1]
    if start[:4] == b"PK\x03\x04":
        return "model/3mf", None
    if ending in _FORMATS and ending != ".3mf":
        return _FORMATS[ending], compression
    if compression is None and b"\0" not in start and start:
        try:
            start[: start.rfind(b"\n") + 1].decode()
            return GCODE, None
        except UnicodeDecodeError:
            pass
    # the printer looks for itself, or refuses
    return OCTET_STREAM, compression


def blocks(path, progress=None, inflate=False):
    """Generator of a file's bytes, block by block; inflate: of a gzip file, what it holds.  progress(n): called when n bytes more of
    the file have been taken.  Raises OSError (gzip.BadGzipFile is one), EOFError when compressed data are cut off."""
    with open(path, "rb") as file:
        source = gzip.GzipFile(fileobj=file) if inflate else file
        taken = 0
        while data := source.read(BLOCK_BYTES):
            yield data
            if progress is not None:
                progress(file.tell() - taken)
                taken = file.tell()
