"""Documents on their way into files and out again: room, names, the order in which things become durable.

A document's file is complete and durable before any record speaks of it; a file that no record speaks of is rubbish and goes at the
next start.  Files go only when the record that no longer needs them is durable (queue.py calls sweep()).

Compressed documents and packages (package.py) are stored as they came and inflated when read.  Not here: jobs (queue.py), documents
while they arrive (incoming.py), what is in a document (checker.py).
"""

from firmware.jobs import package
from hal import compat
from hal.errors import DataError, StorageFull

_KINDS = {"gzip": compat.GZIP, "deflate": compat.DEFLATE}


class SpoolFull(StorageFull):
    """No room for the document.  `ever`: False when it could not fit even into an empty spool."""

    def __init__(self, message, ever):
        super().__init__(message)
        self.ever = ever


def file_name(job_id, number):
    """Name of a document's file; never used twice, since job ids are not."""
    return "j%dd%d" % (job_id, number)


def is_file_name(name):
    """Whether the spool gave that name (other files are left alone)."""
    if not name.startswith("j"):
        return False
    parts = name[1:].split("d")
    return len(parts) == 2 and parts[0].isdigit() and parts[1].isdigit()


class Reader:
    """A document's text, from the start.  size: bytes of the file.  Raises DataError, StorageError; close() is the caller's even then."""

    def __init__(self, stream, compression, size):
        self._stream = stream
        self.size = size
        self._source = compat.inflater(stream, _KINDS[compression])
        self._left = max(package.SMALL_BYTES, package.RATIO_MAX * size)

    def readinto(self, buf):
        """Fills at most buf; returns the bytes, 0 at the end.  Raises StorageError, DataError (broken compression)."""
        n = self._source.readinto(buf)
        self._left -= n
        if self._left < 0:
            raise DataError("it grows to more than %d times its size" % package.RATIO_MAX)
        return n

    def close(self):
        self._stream.close()


class Spool:
    """files: hal Files; limit_bytes: all documents together."""

    def __init__(self, files, limit_bytes):
        self.files = files
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self.give_way = None  # frees some room and returns True, or False when nothing can go
        self._doomed = []  # (log sequence, name, bytes): to be removed once that much of the log is durable

    def free_bytes(self):
        """Room for documents: what the limit leaves, or the medium when that is less."""
        free = self.limit_bytes - self.used_bytes
        medium = self.files.free_bytes()
        if medium is not None and medium < free:
            free = medium
        return max(0, free)

    def take(self, count):
        """Claims room; raises SpoolFull, StorageError."""
        while self.used_bytes + count > self.limit_bytes and self.give_way is not None and self.give_way():
            pass
        if self.used_bytes + count > self.limit_bytes:
            left = self.limit_bytes - self.used_bytes
            raise SpoolFull("the document does not fit: %d bytes left of %d" % (left, self.limit_bytes), left < self.limit_bytes)
        self.used_bytes += count

    def give_back(self, count):
        self.used_bytes -= count

    def remove(self, name, size):
        """Removes a file that no record speaks of, now."""
        self.files.remove(name)
        self.used_bytes -= size

    def remove_after(self, sequence, name, size):
        """Removes it once the log is durable up to sequence."""
        self._doomed.append((sequence, name, size))

    def doomed(self):
        return len(self._doomed)

    def sweep(self, durable):
        """Removes what may go.  Raises what remove() raises; that file then stays for the next start."""
        doomed = self._doomed
        at = 0
        while at < len(doomed):
            if doomed[at][0] > durable:
                at += 1
                continue
            _, name, size = doomed.pop(at)
            self.remove(name, size)

    def load(self, known):
        """known: {file name: size} of the documents that count.  Removes the others' files; returns the names of those that are missing
        or had another size, whose files are gone now, too."""
        wrong = []
        for name in list(self.files.names()):
            if name not in known and is_file_name(name):
                self.files.remove(name)
        self.used_bytes = 0
        self._doomed = []
        there = set(self.files.names())
        for name in known:
            if name in there and self.files.size(name) == known[name]:
                self.used_bytes += known[name]
            else:
                self.files.remove(name)
                wrong.append(name)
        return wrong

    def open(self, document):
        """Something with readinto(buf) -> bytes, 0 at the end, and close(): a Document's text.  Raises StorageError, DataError."""
        compression = document.compression
        if compression and compression != "none":
            if compression not in _KINDS:
                raise DataError("compression %s is not known" % compression)
            return Reader(self.files.open(document.file), compression, document.size)
        stream = self.files.open(document.file)
        if document.format != package.FORMAT:
            return stream
        try:
            return package.PlateReader(stream, document.size)
        except DataError:
            stream.close()
            raise
