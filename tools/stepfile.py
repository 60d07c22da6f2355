"""Step stream files: writer and reader of the `STEPS1` format (design.md section 6, "Step stream file").

Little-endian: the 8 bytes `STEPS1\\n\\0`; a uint32 length and that many bytes of JSON; then, per motor in the order of the JSON,
int64 ticks[count] and int8 direction[count].  The writer holds no stream in memory: each motor has a temporary file beside the
target, in blocks of ticks and directions, and the target appears whole or not at all.

The writer needs nothing but the standard library, since `printwright steps` must stay small; the reader uses numpy.  Not here:
what the header says (tools/stepheader.py), what a stream has to satisfy (tools/verify).
"""

import contextlib
import errno
import hashlib
import json
import os
import struct
import tempfile

MAGIC = b"STEPS1\n\0"
HEADER_MAX = 1 << 20  # bytes of JSON that a reader accepts; real headers have about 1 kB
BLOCK_STEPS = 16384  # steps of a block in a temporary file; 9 bytes each
COPY_BYTES = 1 << 18
LONG_GAP = 0x7FFFFFFF  # digest: from this gap on the long form is used

KEYS = ("clock_hz", "steppers", "kinematics", "start_pos", "start_line", "step_rule", "limits", "tol", "shaper_s")
STEPPER_KEYS = ("name", "role", "step_mm", "start_mm", "count")


class StepFileError(ValueError):
    """A file that is no step file, or a damaged one; the message names the file and what is wrong."""


class _Spool:
    """One motor's temporary file: full blocks of ticks and directions, the last one shorter."""

    def __init__(self, folder, number):
        self.file = open(os.path.join(folder, "motor%d" % number), "w+b", buffering=0)
        self.count = 0
        self._ticks = bytearray()
        self._dirs = bytearray()

    def append(self, ticks, dirs):
        self._ticks += ticks
        self._dirs += dirs
        self.count += len(dirs)
        if len(self._dirs) >= BLOCK_STEPS:
            self._write(len(self._dirs) // BLOCK_STEPS * BLOCK_STEPS)

    def _write(self, steps):
        for at in range(0, steps, BLOCK_STEPS):
            _write_all(self.file, memoryview(self._ticks)[8 * at : 8 * min(at + BLOCK_STEPS, steps)])
            _write_all(self.file, memoryview(self._dirs)[at : min(at + BLOCK_STEPS, steps)])
        self._ticks = self._ticks[8 * steps :]
        self._dirs = self._dirs[steps:]

    def copy_to(self, out):
        """Appends all ticks, then all directions."""
        self._write(len(self._dirs))
        block = 9 * BLOCK_STEPS
        full, rest = divmod(self.count, BLOCK_STEPS)
        sizes = [BLOCK_STEPS] * full + ([rest] if rest else [])
        for width, offset_of in ((8, lambda steps: 0), (1, lambda steps: 8 * steps)):
            for number, steps in enumerate(sizes):
                self.file.seek(number * block + offset_of(steps))
                left = width * steps
                while left:
                    piece = self.file.read(min(left, COPY_BYTES))
                    if not piece:
                        raise OSError("temporary step file is shorter than what was written to it")
                    _write_all(out, piece)
                    left -= len(piece)


def _write_all(file, data):
    view = memoryview(data)
    while len(view):
        view = view[file.write(view) :]


class StepFileWriter:
    """Collects the steps of each motor and makes the file at commit().

    path: the target, a file or nothing yet; its folder must exist.  header: the JSON without counts (tools/stepheader.py).  OSError when
    the disk is full or the folder cannot be written; whatever happens, nothing but a complete file appears at `path`.  Use it as a
    context manager: leaving the block without commit() drops everything.
    """

    def __init__(self, path, header):
        self.path = os.path.realpath(path)
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise OSError(errno.EINVAL, "Not a file", path)  # commit() would put a file in the place of a device
        self._header = header
        self._folder = tempfile.mkdtemp(prefix=".steps-", dir=os.path.dirname(self.path))
        self._open = True
        self._spools = []
        try:
            for number in range(len(header["steppers"])):
                self._spools.append(_Spool(self._folder, number))
        except OSError:
            self.abort()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.abort()

    def append(self, motor, ticks, dirs):
        """Adds steps of one motor: `ticks` little-endian int64, `dirs` int8 (+1, -1), both as bytes-like."""
        if len(dirs):
            self._spools[motor].append(ticks, dirs)

    def advance(self, tick):
        """Nothing to do: steps are stored as they come."""

    def commit(self):
        """Writes the file; returns its size in bytes."""
        header = dict(self._header)
        header["steppers"] = [{**s, "count": spool.count} for s, spool in zip(header["steppers"], self._spools, strict=True)]
        text = json.dumps(header, separators=(",", ":")).encode()
        part = os.path.join(self._folder, "whole")
        with open(part, "wb", buffering=0) as out:
            _write_all(out, MAGIC + struct.pack("<I", len(text)) + text)
            for spool in self._spools:
                spool.copy_to(out)
            os.fsync(out.fileno())
            size = out.tell()
        os.replace(part, self.path)
        self.abort()
        return size

    def abort(self):
        """Removes what is temporary; harmless after commit()."""
        for spool in self._spools:
            spool.file.close()
        self._spools = []
        if self._open:
            self._open = False
            for name in os.listdir(self._folder):
                os.unlink(os.path.join(self._folder, name))
            with contextlib.suppress(OSError):
                os.rmdir(self._folder)


def is_step_file(path):
    """True when the file begins like a step file."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


class StepFile:
    """A step file, its streams mapped, not read.  Raises StepFileError, OSError.

    header: the JSON.  steppers: its list.  ticks(i), dirs(i): numpy arrays of motor i (int64, int8), read-only.
    """

    def __init__(self, path):
        import numpy as np

        self.path = path
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            if file.read(8) != MAGIC:
                raise StepFileError("%s: no step file (it does not begin with STEPS1)" % path)
            length_raw = file.read(4)
            length = struct.unpack("<I", length_raw)[0] if len(length_raw) == 4 else 0
            if not 0 < length <= min(HEADER_MAX, size):
                raise StepFileError("%s: damaged header" % path)
            try:
                self.header = json.loads(file.read(length))
                self._check_header()
            except (ValueError, KeyError, TypeError) as error:
                raise StepFileError("%s: damaged header: %s" % (path, error)) from None
        self.steppers = self.header["steppers"]
        self.clock_hz = self.header["clock_hz"]
        at = 12 + length
        if size != at + sum(9 * s["count"] for s in self.steppers):
            raise StepFileError("%s: %d bytes, but the header promises %d" % (path, size, at + sum(9 * s["count"] for s in self.steppers)))
        whole = np.memmap(path, np.uint8, "r")
        self._streams = []
        for stepper in self.steppers:
            count = stepper["count"]
            ticks = whole[at : at + 8 * count]
            # motors after an odd count are unaligned, which numpy reads all the same
            dirs = whole[at + 8 * count : at + 9 * count]
            self._streams.append((np.ndarray((count,), "<i8", ticks), np.ndarray((count,), np.int8, dirs)))
            at += 9 * count

    def _check_header(self):
        if not isinstance(self.header, dict):
            raise ValueError("no object")
        for key in KEYS:
            if key not in self.header:
                raise ValueError("%s is missing" % key)
        if not self.header["steppers"]:
            raise ValueError("no steppers")
        for stepper in self.header["steppers"]:
            for key in STEPPER_KEYS:
                if key not in stepper:
                    raise ValueError("steppers: %s is missing" % key)
            if not isinstance(stepper["count"], int) or stepper["count"] < 0:
                raise ValueError("steppers: count is no number of steps")
            if not stepper["step_mm"] > 0:
                raise ValueError("steppers: step_mm is not positive")
        if not self.header["clock_hz"] > 0:
            raise ValueError("clock_hz is not positive")

    def ticks(self, motor):
        """int64 plan ticks of each step of a motor."""
        return self._streams[motor][0]

    def dirs(self, motor):
        """int8 directions, +1 or -1."""
        return self._streams[motor][1]


def _motor_digest(ticks, dirs, chunk=1 << 18):
    import numpy as np

    digest = hashlib.sha256()
    last = 0
    for at in range(0, len(ticks), chunk):
        t = np.asarray(ticks[at : at + chunk], np.int64)
        forward = np.asarray(dirs[at : at + chunk]) > 0
        gaps = np.diff(t, prepend=last)
        last = int(t[-1])
        words = gaps.astype(np.uint64) * 2 + forward
        begin = 0
        for place in [*np.flatnonzero(gaps >= LONG_GAP), len(t)]:
            digest.update(words[begin:place].astype("<u4").tobytes())
            if place < len(t):
                digest.update(struct.pack("<IQ", 0xFFFFFFFF, int(words[place])))
            begin = place + 1
    return digest.digest()


def digest(step_file):
    """Hexadecimal stream digest of a StepFile (design.md section 6, "Digest"), computed without the C core."""
    whole = hashlib.sha256()
    for motor in range(len(step_file.steppers)):
        whole.update(_motor_digest(step_file.ticks(motor), step_file.dirs(motor)))
    return whole.hexdigest()
