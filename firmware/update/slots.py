"""Writes firmware into the slot that is not in use, and checks what is there (firmware/boot/SPEC.md).

The order that keeps a printer alive: the boot record says that the slot is empty, durably, before its first byte is erased; and says what
is in it only after all of it was read back and has the right digest.
"""

from hal.compat import const, sha256

_PIECE = const(512)


class SlotError(Exception):
    """What was written is not what had to be; the message is a sentence."""


def digest_of(flash, offset, size):
    """Generator: yields None while it works, then the SHA-256 of that much flash."""
    hasher = sha256()
    piece = bytearray(_PIECE)
    view = memoryview(piece)
    at = 0
    while at < size:
        n = min(_PIECE, size - at)
        flash.read_into(offset + at, view[:n])
        hasher.update(view[:n])
        at += n
        yield None
    yield hasher.digest()


def holds(flash, offset, slot):
    """True when the flash at an offset has what a record.Slot names."""
    found = None
    for found in digest_of(flash, offset, slot.bytes):
        pass
    return found == slot.digest


class SlotWriter:
    """One update on its way into a slot.  record: boot.record.BootRecord, loaded; offsets: where the two slots begin; slot_bytes: size of
    each.

    begin(), write() as often as needed, finish(); after an error or instead of finish() nothing has to be done: the slot stays empty.
    """

    def __init__(self, flash, record, offsets, slot_bytes):
        self._flash = flash
        self._record = record
        self._offsets = offsets
        self.slot_bytes = slot_bytes
        self._page = bytearray(flash.page_bytes)
        self.written = 0

    async def begin(self, size, digest):
        """size, digest: of what will come.  SlotError when it does not fit, StorageError."""
        if not 0 < size <= self.slot_bytes:
            raise SlotError("The firmware has %d bytes, a slot %d." % (size, self.slot_bytes))
        state = self._record.state
        self.slot = state.inactive()
        self._size = size
        self._digest = digest
        self._filled = 0
        self.written = 0
        state.empty(self.slot)
        await self._record.store()

    async def write(self, data):
        """The next bytes.  SlotError when there are more than announced; StorageError."""
        if self.written + len(data) > self._size:
            raise SlotError("More came than the %d bytes that the manifest tells." % self._size)
        at = 0
        while at < len(data):
            n = min(len(self._page) - self._filled, len(data) - at)
            self._page[self._filled : self._filled + n] = data[at : at + n]
            self._filled += n
            self.written += n
            at += n
            if self._filled == len(self._page):
                self._program()

    def _program(self):
        flash = self._flash
        place = self.written - self._filled
        if place % flash.sector_bytes == 0:
            flash.erase(self._offsets[self.slot] + place)
        flash.program(self._offsets[self.slot] + place, self._page)
        self._filled = 0

    def finish(self):
        """Generator that yields None while it reads back; ends when what is in the flash has the digest.  SlotError, StorageError."""
        if self.written != self._size:
            raise SlotError("%d bytes came of the %d that the manifest tells." % (self.written, self._size))
        if self._filled:
            for i in range(self._filled, len(self._page)):
                self._page[i] = 0xFF
            self._program()
        found = None
        for found in digest_of(self._flash, self._offsets[self.slot], self._size):
            yield None
        if found != self._digest:
            raise SlotError("What was written has another digest than the manifest tells.")

    async def keep(self, sequence, floor, tries):
        """After finish(): this firmware starts next, on trial.  StorageError."""
        await self._flash.sync()
        self._record.state.tried(self.slot, sequence, self._size, floor, self._digest, tries)
        await self._record.store()
