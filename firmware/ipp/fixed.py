"""The printer's attributes that change with its configuration only, encoded, one after another: in memory, or in a file on a machine that
has not the memory for them.

Written once by add() and end(), then read.  A change of the configuration makes another one.
"""

from array import array

from hal.compat import const, crc32

_PIECE_BYTES = const(512)


def _mark(octets):
    return crc32(octets) & 0xFFFF


class Fixed:
    """files: hal.api.Files, and name: of the file there; or None, None.  `spans`: {group: (first, end)} in bytes, kept by the owner."""

    def __init__(self, files, name):
        self.spans = {}
        self.size = 0
        self._files = files
        self._name = name
        self._writer = files.create(name) if files else None
        self._parts = []
        self._octets = b""
        self._starts = array("H")  # where each attribute begins, and the end
        self._marks = array("H")  # 16 bits of the checksum of its name

    def add(self, octets):
        """One attribute.  StorageError."""
        # no registered name has 256 octets, so the length's second octet is all of it
        self._marks.append(_mark(octets[3 : 3 + octets[2]]))
        self._starts.append(self.size)
        self.size += len(octets)
        if self._writer is None:
            self._parts.append(octets)
        else:
            self._writer.write(octets)

    def end(self):
        """No more.  StorageError."""
        self._starts.append(self.size)
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._octets = b"".join(self._parts)
        self._parts = []

    def read(self, start, end):
        """Generator of the bytes from start to end, in pieces."""
        if self._files is None:
            yield self._octets[start:end]
            return
        reader = self._files.open(self._name)
        try:
            reader.seek(start)
            while start < end:
                piece = bytearray(min(_PIECE_BYTES, end - start))
                got = reader.readinto(piece)
                if got != len(piece):
                    piece = piece[:got]
                if not got:
                    return
                start += got
                yield piece
        finally:
            reader.close()

    def single(self, names, skip):
        """Generator of the attributes with these names (a set of bytes), but of none within the spans `skip`."""
        wanted = {_mark(name) for name in names}
        marks = self._marks
        for i in range(len(marks)):
            if marks[i] in wanted:
                start = self._starts[i]
                whole = b"".join(list(self.read(start, self._starts[i + 1])))
                if whole[3 : 3 + whole[2]] in names and not [1 for first, end in skip if first <= start < end]:
                    yield whole
