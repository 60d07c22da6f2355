"""NOR flash, simulated: the rules, in RAM or in a file, with power cuts and failures to order.

Rules: programming clears bits only (0xFF leaves a byte alone), aligned to pages; erasing sets a whole sector.  Software that
breaks them works on a file and fails on a chip, so here it fails, too.
"""

from hal.api import Flash, FlashError
from hal.errors import BusyError

_ERASED = b"\xff"


class PowerCut(BaseException):
    """Power failed within a flash operation.  No `except Exception` catches it: nothing of the firmware runs on."""


class NorFlash(Flash):
    """The rules over _get(offset, n) and _put(offset, data), which a subclass has.

    operations: programs and erases so far.
    """

    def __init__(self, size, sector_bytes, page_bytes):
        self.size = size
        self.sector_bytes = sector_bytes
        self.page_bytes = page_bytes
        self._busy = None
        self._on_busy = None
        self._failing = None
        self.operations = 0
        self._cut_at = None
        self._cut_effect = None
        self._random = 1
        self._dark = False

    # -- contract

    def read_into(self, offset, buf):
        self._inside(offset, len(buf))
        self._powered()
        self._get(offset, buf)

    def program(self, offset, data):
        size = len(data)
        self._inside(offset, size)
        if offset % self.page_bytes or size % self.page_bytes:
            raise FlashError("program at %d, %d bytes: not aligned to pages of %d" % (offset, size, self.page_bytes))
        self._allowed()
        result = bytearray(size)
        self._get(offset, result)
        old = bytes(result) if self._cut_at is not None else None
        for i in range(size):
            byte = data[i]
            if byte != 0xFF:
                if byte & ~result[i]:
                    raise FlashError("program at %d: bits would rise from %02x to %02x" % (offset + i, result[i], byte))
                result[i] = byte
        self._change(offset, old, result)

    def erase(self, offset):
        self._inside(offset, self.sector_bytes)
        if offset % self.sector_bytes:
            raise FlashError("erase at %d: not aligned to sectors of %d" % (offset, self.sector_bytes))
        self._allowed()
        old = None
        if self._cut_at is not None:
            old = bytearray(self.sector_bytes)
            self._get(offset, old)
        self._change(offset, old, _ERASED * self.sector_bytes)

    async def sync(self):
        """All is on the medium once it was programmed."""
        self._powered()

    # -- the machine around it

    def attach(self, busy=None, on_busy=None, failing=None):
        """busy: callable, True while steps are due; on_busy: called before BusyError is raised; failing: callable, True when the
        device fails now.  None: never."""
        self._busy = busy
        self._on_busy = on_busy
        self._failing = failing

    # -- orders of the test

    def cut_after(self, operations, effect="part", seed=1):
        """Power fails in the operations-th program or erase from now on (1: the next).

        effect: "none" (that operation did nothing), "part" (a part of it was done, the byte at the edge half), "all" (all of it was).
        """
        if operations < 1 or effect not in ("none", "part", "all"):
            raise ValueError("cut_after")
        self._cut_at = self.operations + operations
        self._cut_effect = effect
        self._random = (seed * 2654435761 + 12345) & 0x7FFFFFFF

    def power_on(self):
        """After a cut: the flash works again, and has what it has."""
        self._dark = False
        self._cut_at = None

    # -- inside

    def _inside(self, offset, size):
        if offset < 0 or offset + size > self.size:
            raise FlashError("%d bytes at %d: outside of the flash (%d bytes)" % (size, offset, self.size))

    def _powered(self):
        if self._dark:
            raise PowerCut()

    def _allowed(self):
        self._powered()
        if self._busy and self._busy():
            if self._on_busy:
                self._on_busy()
            raise BusyError("flash written while steps are due")
        if self._failing and self._failing():
            raise FlashError("flash does not answer")

    def _change(self, offset, old, new):
        self.operations += 1
        if self.operations != self._cut_at:
            self._put(offset, new)
            return
        self._dark = True
        if self._cut_effect == "all":
            self._put(offset, new)
        elif self._cut_effect == "part":
            self._put(offset, self._torn(old, new))
        raise PowerCut()

    def _torn(self, old, new):
        """What an operation leaves that stops at a place of its own choosing."""
        edge = self._draw() % len(new)
        torn = bytearray(old)
        torn[:edge] = new[:edge]
        mask = self._draw() & 0xFF
        torn[edge] = (old[edge] & mask) | (new[edge] & ~mask & 0xFF)
        return torn

    def _draw(self):
        self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF
        return self._random >> 12

    def _get(self, offset, buf):
        raise NotImplementedError

    def _put(self, offset, data):
        raise NotImplementedError

    def close(self):
        """Releases what is open."""


class RamFlash(NorFlash):
    """In memory; erased at first.  A new machine made with the same object is the old one after a power cycle."""

    def __init__(self, size, sector_bytes=4096, page_bytes=256):
        NorFlash.__init__(self, size, sector_bytes, page_bytes)
        self._bytes = bytearray(size)
        for at in range(0, size, sector_bytes):
            self._bytes[at : at + sector_bytes] = _ERASED * min(sector_bytes, size - at)

    def _get(self, offset, buf):
        buf[:] = memoryview(self._bytes)[offset : offset + len(buf)]

    def _put(self, offset, data):
        self._bytes[offset : offset + len(data)] = data


class FileFlash(NorFlash):
    """In a file of the flash's size; made and erased when it is not there.  FlashError when it has another size."""

    def __init__(self, path, size, sector_bytes=4096, page_bytes=256):
        NorFlash.__init__(self, size, sector_bytes, page_bytes)
        try:
            self._file = self._opened(path)
        except OSError as error:
            raise FlashError("%s: cannot be used (errno %s)" % (path, error.errno))

    def _opened(self, path):
        try:
            file = open(path, "r+b", 0)
        except OSError:
            file = open(path, "w+b", 0)
        have = file.seek(0, 2)
        if have % self.sector_bytes or have > self.size:
            file.close()
            raise FlashError("%s: has %d bytes, the machine's flash %d; remove it to begin anew" % (path, have, self.size))
        # also after a first start that was interrupted
        blank = _ERASED * self.sector_bytes
        while have < self.size:
            file.write(blank)
            have += self.sector_bytes
        return file

    def _get(self, offset, buf):
        try:
            self._file.seek(offset)
            done = self._file.readinto(buf)
        except OSError as error:
            raise FlashError("read at %d: errno %s" % (offset, error.errno))
        if done != len(buf):
            raise FlashError("read at %d: the file is too short" % offset)

    def _put(self, offset, data):
        try:
            self._file.seek(offset)
            done = self._file.write(data)
        except OSError as error:
            raise FlashError("write at %d: errno %s" % (offset, error.errno))
        if done != len(data):
            raise FlashError("write at %d: only a part was written" % offset)

    def close(self):
        self._file.close()
