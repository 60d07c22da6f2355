"""Sliced G-code inside a 3MF package (`Metadata/plate_1.gcode`, as OrcaSlicer and Bambu Studio export it), read where it lies.

A package is a ZIP file (APPNOTE 6.3.10, ISO/IEC 21320-1), which is read from its end: end record, central directory, one entry's data.
Nothing is unpacked and nothing of the package is kept but the place of that entry.  What is not in it: meshes are not sliced here.

Refused with a reason: several plates (each is a print of its own), encryption, ZIP64, other methods than stored and deflated, and what
grows beyond all measure.  Not here: inflating (hal/compat), what the G-code may say (checker.py).
"""

import struct

from firmware.jobs import states
from hal import compat
from hal.compat import const
from hal.errors import DataError

FORMAT = "model/3mf"
SIGNATURE = b"PK\x03\x04"

_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_END_BYTES = const(22)
_ENTRY_BYTES = const(46)
_LOCAL_BYTES = const(30)
_COMMENT_MAX = const(65535)
_BLOCK = const(256)
_ENTRIES_MAX = const(2048)  # a slicer writes some 30
_NAME_MAX = const(255)
_STORED = const(0)
_DEFLATED = const(8)
_ENCRYPTED = const(0x2041)  # bits 0, 6 and 13 of the flags
RATIO_MAX = const(200)  # G-code shrinks to a tenth; deflate could do 1 : 1032
SMALL_BYTES = const(1 << 20)  # below that any ratio will do


class PackageError(DataError):
    """The package cannot be printed.  reason: keyword of job-state-reasons."""

    def __init__(self, message, reason=states.DOCUMENT_FORMAT_ERROR):
        DataError.__init__(self, message)
        self.reason = reason


def _read(stream, at, size):
    """bytes at a place; PackageError when the file ends before."""
    buf = bytearray(size)
    view = memoryview(buf)
    stream.seek(at)
    done = 0
    while done < size:
        n = stream.readinto(view[done:])
        if not n:
            raise PackageError("the package is cut off")
        done += n
    return buf


def _end_record(stream, size):
    """(entries, place of the central directory, its bytes)."""
    least = max(0, size - _END_BYTES - _COMMENT_MAX)
    top = size
    while top > least:
        # blocks overlap, so that a record across their border is seen
        low = max(least, top - _BLOCK)
        block = bytes(_read(stream, low, min(size, top + _END_BYTES) - low))
        at = block.rfind(_END)
        while at >= 0:
            place = low + at
            if place + _END_BYTES <= size:
                record = _read(stream, place, _END_BYTES)
                _, disk, start, here, entries, length, offset, comment = struct.unpack("<4sHHHHIIH", record)
                if place + _END_BYTES + comment == size:
                    if 0xFFFF in (disk, start, here, entries) or 0xFFFFFFFF in (length, offset):
                        raise PackageError("the package is a ZIP64 file, which this printer cannot read")
                    if disk or start or here != entries:
                        raise PackageError("the package is only a part of a divided ZIP file")
                    if offset + length != place:
                        raise PackageError("the package is damaged: its directory is not where it should be")
                    return entries, offset, length
            at = block.rfind(_END, 0, at)
        top = low
    raise PackageError("the document is no 3MF package: it has no ZIP directory")


class Plate:
    """One entry with G-code: where its data are."""

    def __init__(self, name, method, crc, packed, size, local):
        self.name = name
        self.method = method
        self.crc = crc
        self.packed = packed
        self.size = size
        self.local = local


def _is_plate(name):
    name = name.lower()
    return name.startswith(b"metadata/") and name.endswith(b".gcode") and name.find(b"/", 9) < 0


def _plates(stream, entries, at, length):
    """(plates, number of entries that look like a model)."""
    if entries > _ENTRIES_MAX:
        raise PackageError("the package has more than %d parts" % _ENTRIES_MAX)
    found = []
    end = at + length
    for _ in range(entries):
        if at + _ENTRY_BYTES > end:
            raise PackageError("the package's directory is damaged")
        entry = _read(stream, at, _ENTRY_BYTES)
        flags, method = struct.unpack_from("<HH", entry, 8)
        crc, packed, size, name, extra, comment = struct.unpack_from("<IIIHHH", entry, 16)
        local = struct.unpack_from("<I", entry, 42)[0]
        following = at + _ENTRY_BYTES + name + extra + comment
        if entry[:4] != _ENTRY or following > end:
            raise PackageError("the package's directory is damaged")
        if name <= _NAME_MAX:
            text = bytes(_read(stream, at + _ENTRY_BYTES, name))
            if _is_plate(text):
                if flags & _ENCRYPTED:
                    raise PackageError("the package is encrypted")
                if 0xFFFFFFFF in (packed, size, local):
                    raise PackageError("the package is a ZIP64 file, which this printer cannot read")
                found.append(Plate(text, method, crc, packed, size, local))
        at = following
    if at != end:
        raise PackageError("the package's directory is damaged")
    return found


def find(stream, size):
    """The Plate of a package.  stream: FileReader; size: of the file.  Raises PackageError, StorageError."""
    entries, at, length = _end_record(stream, size)
    plates = _plates(stream, entries, at, length)
    if not plates:
        text = "the package holds a model only, no sliced G-code: slice it for this printer first"
        raise PackageError(text, states.DOCUMENT_UNPRINTABLE_ERROR)
    if len(plates) > 1:
        text = "the package has %d sliced plates, and each is a print of its own: export one at a time"
        raise PackageError(text % len(plates), states.DOCUMENT_UNPRINTABLE_ERROR)
    plate = plates[0]
    if plate.method != _STORED and plate.method != _DEFLATED:
        raise PackageError("the package is compressed by method %d, which this printer cannot undo" % plate.method)
    if plate.size > SMALL_BYTES and plate.size > RATIO_MAX * plate.packed:
        raise PackageError("the package's G-code grows to more than %d times its size" % RATIO_MAX, states.COMPRESSION_ERROR)
    head = _read(stream, plate.local, _LOCAL_BYTES)
    name, extra = struct.unpack_from("<HH", head, 26)
    if head[:4] != SIGNATURE or name != len(plate.name) or bytes(_read(stream, plate.local + _LOCAL_BYTES, name)) != plate.name:
        raise PackageError("the package is damaged: its directory names other parts than there are")
    plate.local += _LOCAL_BYTES + name + extra
    if plate.local + plate.packed > at:
        raise PackageError("the package is damaged: a part reaches into the directory")
    return plate


class _Part:
    """The bytes of a file from its place on, so many of them."""

    def __init__(self, stream, size):
        self._stream = stream
        self._left = size

    def readinto(self, buf):
        if len(buf) > self._left:
            buf = memoryview(buf)[: self._left]
        n = self._stream.readinto(buf) if len(buf) else 0
        self._left -= n
        return n


class PlateReader:
    """The G-code of a package as text, from its start: readinto(buf) -> bytes, 0 at the end.

    Raises DataError when the data are not what the directory says; StorageError.
    """

    def __init__(self, stream, size):
        plate = find(stream, size)
        stream.seek(plate.local)
        part = _Part(stream, plate.packed)
        if plate.method == _DEFLATED:
            self._source = compat.inflater(part, compat.DEFLATE)
        else:
            if plate.packed != plate.size:
                raise PackageError("the package's directory is damaged")
            self._source = part
        self._stream = stream
        self._plate = plate
        self._size = 0
        self._crc = 0

    def readinto(self, buf):
        n = self._source.readinto(buf)
        if n:
            self._crc = compat.crc32(memoryview(buf)[:n], self._crc)
            self._size += n
            if self._size > self._plate.size:
                raise PackageError("the package's G-code is longer than its directory says", states.COMPRESSION_ERROR)
        elif self._size != self._plate.size or self._crc != self._plate.crc:
            raise PackageError("the package's G-code is damaged: length or checksum differ", states.COMPRESSION_ERROR)
        return n

    def close(self):
        self._stream.close()
