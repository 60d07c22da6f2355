"""Keyed records on raw NOR flash: the latest value of each key survives power loss at any moment.

A log in a ring of blocks.  Records are appended through a buffer of one flash page; each page is programmed exactly once between
two erases, so that what is already on flash can never be hurt by what comes later.  When the newest block is full, the next free one
is erased and, if it was the last free one, takes over the live records of the oldest block.  SPEC.md has every byte, DESIGN.md why.

What was put or deleted is durable when flush() and then the flash's sync() have returned (commit.py shares both among callers);
before that a power cut loses it without trace.  A record is there wholly or not at all.  A medium may store what was not synced in
any order; then it has barrier(), and who syncs it calls synced().

In RAM: 10 bytes a key (keyindex.py) and blocks.py's.  Not here: how a block is read (blocks.py), what the values mean (journal.py).
"""

import struct

from firmware.jobs.blocks import HEAD_BYTES, MAGIC, MARK, RECORD, RECORD_BYTES, VALUE_BYTES_MAX, Blocks
from firmware.jobs.keyindex import KeyIndex
from hal.compat import const, crc32, urandom
from hal.errors import HalError, StorageError, StorageFull

_PUT = const(1)
_DELETE = const(2)
_COPY = const(3)
_READY = const(4)  # the value is the number of copies before it
_PROVED = const(5)  # the medium had stored all copies when this was written


class RecordLog(Blocks):
    """Records in flash[offset:offset + size], at least two erase sectors.

    max_keys: most keys at a time.  sectors_per_block: 0 chooses; it must stay the same for the life of the data.  value_bytes_max:
    longest value (a block that is too small for it lowers it; the shorter, the more of a block can be used).  usable_bytes is what all
    live records together may take, each with RECORD_BYTES more than its value.  random(n): n bytes for the salt, others each time.
    Call mount() before anything else.  Raises what flash raises (FlashError, BusyError) and StorageFull when there is no room; then
    nothing has changed.
    """

    def __init__(self, flash, offset, size, max_keys, sectors_per_block=0, value_bytes_max=VALUE_BYTES_MAX, random=urandom):
        Blocks.__init__(self, flash, offset, size, sectors_per_block)
        page = len(self._page)
        room = self._block - HEAD_BYTES
        self.value_bytes_max = min(value_bytes_max, VALUE_BYTES_MAX, room // 2 - 2 * RECORD_BYTES)
        # A record ends with its block, so each block may lose the longest one's length.  A quarter is kept free, or nearly every
        # append would have to copy a block first.
        self.usable_bytes = (self._blocks - 1) * (room - self.value_bytes_max - 2 * RECORD_BYTES - page) * 3 // 4
        if self.value_bytes_max < 16 or self.usable_bytes < 16:
            raise StorageError("flash blocks of %d bytes are too small for pages of %d" % (self._block, page))
        self._index = KeyIndex(max_keys)
        self._random = random
        self._reset()

    def _reset(self):
        self._index.clear()
        for i in range(self._blocks):
            self._numbers[i] = 0
        self._newest = -1  # physical block that is being filled
        self._number = 0  # its number
        self._retired = 0  # blocks numbered up to here hold nothing that counts
        self._at = 0  # place of the page buffer within that block
        self._fill = 0  # bytes in it
        self._proved = False  # a sync has ended since the newest block took over records
        self._prove = False  # the block is to say so
        self._torn = False  # a write failed within a record: nothing may follow it in this block
        self.live_bytes = 0
        self.sequence = 0  # records appended since mount
        self.flushed = 0  # of these, on flash
        self.erased = 0  # blocks erased since mount
        self.highest_key = 0  # below 0x80000000 that mount() met, of deleted values too

    # -- reading -------------------------------------------------------------------------------------------------------------

    @property
    def count(self):
        """Keys that have a value."""
        return self._index.count

    def __contains__(self, key):
        return self._index.get(key) != 0

    def keys(self):
        """Generator of the keys, in no order; nothing may be put or deleted meanwhile."""
        return self._index.keys()

    def get(self, key):
        """The latest value as bytes, or None."""
        place = self._index.get(key)
        if not place:
            return None
        block = place // self._block
        at = place % self._block
        n, _, _, crc = self._record_head(block, at)
        if n >= 0:
            value = bytearray(n)
            self._read(block, at + RECORD_BYTES, value)
            if crc32(value, self._crc(block, at)) == crc:
                return bytes(value)
        raise StorageError("record %d is damaged" % key)

    def peek(self, key, buf):
        """The first len(buf) bytes of the latest value into buf, unchecked; returns how many, -1 without a value."""
        place = self._index.get(key)
        if not place:
            return -1
        block = place // self._block
        at = place % self._block
        self._read(block, at, self._head)
        n = min(len(buf), struct.unpack_from(RECORD, self._head)[0])
        if n:
            self._read(block, at + RECORD_BYTES, memoryview(buf)[:n])
        return n

    # -- mounting ------------------------------------------------------------------------------------------------------------

    def mount(self):
        """Finds the latest values again.  Erases at most one block (the one whose filling a power cut interrupted).  StorageError when
        the area holds records of another layout; then nothing has changed."""
        self._reset()
        for block in range(self._blocks):
            number, retired = self._block_head(block)
            self._numbers[block] = number
            if number > self._number:
                self._number = number
                self._newest = block
                self._retired = retired
        if self._newest >= 0 and not self._is_ready(self._newest):
            # The cut came while it took over records: all of them are still where they were.  It goes now, not later: a torn mark
            # may read as whole the next time, when newer records are elsewhere.
            self._numbers[self._newest] = 0
            self._erase(self._newest)
            self._newest = -1
            self._number = 0
            self._retired = 0
            for block in range(self._blocks):
                if self._numbers[block] > self._number:
                    self._number = self._numbers[block]
                    self._newest = block
                    self._retired = self._block_head(block)[1]
            if self._newest >= 0:
                self._is_ready(self._newest)  # it was, or no other had been begun
        for block in range(self._blocks):
            if self._numbers[block] <= self._retired:
                self._numbers[block] = 0
        block = self._oldest()
        end = 0
        while block >= 0:
            end = self._replay(block)
            block = self._next(self._numbers[block])
        if self._newest >= 0:
            # Behind a record that was cut off nothing may follow: its first bytes could be just those that were missing.  The one
            # cut off may begin in the page that the last whole one ends in.
            page = len(self._page)
            torn = self._blank_from(self._newest) > end
            # a record that ends in blank bytes may be whole before its last page was programmed
            self._at = self._block if torn else (end + page - 1) // page * page

    def _is_ready(self, block):
        """True when a block has all that it was to take over: as many copies as its mark says, or a later record that proves it.  (A
        medium may have stored the mark before the copies.)"""
        copies = 0
        wanted = -1
        self._proved = False
        for at, n, kind, _ in self._records(block):
            if kind == _COPY:
                copies += 1
            elif kind == _READY and n == 4:
                self._read(block, at + RECORD_BYTES, self._view[:4])
                wanted = struct.unpack_from("<I", self._io)[0]
            elif kind == _PROVED:
                self._proved = True
        return self._proved or copies == wanted

    def _replay(self, block):
        """Takes a block's records over into the index; returns the place behind the last one."""
        end = 0
        for at, n, kind, key in self._records(block):
            if kind == _PUT or kind == _COPY:
                self._remember(key, block * self._block + at, n)
            elif kind == _DELETE:
                self._forget(key)
            if self.highest_key < key < 0x80000000 and kind <= _COPY:
                self.highest_key = key
            end = at + RECORD_BYTES + n
        return end

    def _remember(self, key, place, n):
        old = self._live(key)
        if not self._index.set(key, place):
            raise StorageFull("more than %d records" % self._index.capacity)
        self.live_bytes += RECORD_BYTES + n - old

    def _forget(self, key):
        self.live_bytes -= self._live(key)
        self._index.remove(key)

    def _live(self, key):
        """Bytes that the key's latest record takes."""
        place = self._index.get(key)
        if not place:
            return 0
        self._read(place // self._block, place % self._block, self._head)
        return RECORD_BYTES + struct.unpack_from(RECORD, self._head)[0]

    def has_room(self, key, value_bytes):
        """Whether so many bytes would find room as the key's value (also more than one record may have)."""
        old = self._live(key)
        if self.live_bytes - old + RECORD_BYTES + value_bytes > self.usable_bytes:
            return False
        return old > 0 or self._index.count < self._index.capacity

    # -- writing -------------------------------------------------------------------------------------------------------------

    def put(self, key, value):
        """Makes value (bytes-like) the key's latest; durable after flush() and the flash's sync()."""
        n = len(value)
        if n > self.value_bytes_max:
            raise StorageFull("a record of %d bytes is above the limit of %d" % (n, self.value_bytes_max))
        old = self._live(key)
        if self.live_bytes - old + RECORD_BYTES + n > self.usable_bytes:
            raise StorageFull("the record area of %d bytes is full" % self.usable_bytes)
        if not old and self._index.count == self._index.capacity:
            raise StorageFull("more than %d records" % self._index.capacity)
        self._remember(key, self._append(_PUT, key, value), n)

    def delete(self, key):
        """Forgets the key; durable as put() is."""
        if key in self:
            self._append(_DELETE, key, b"")
            self._forget(key)

    @property
    def number(self):
        """Of the block that is being filled; for synced()."""
        return self._number

    def synced(self, number):
        """A sync has ended that began when the newest block had this number."""
        if number == self._number and not self._proved:
            self._proved = self._prove = True

    def flush(self):
        """Hands everything appended so far to the flash; returns `sequence` as it was.  The rest of the page stays unused."""
        if self._fill:
            self._program()
        self.flushed = self.sequence
        return self.sequence

    def _append(self, kind, key, value):
        """Writes a record and returns its place; makes room first."""
        need = RECORD_BYTES + len(value)
        rounds = self._blocks + 1
        while self._newest < 0 or self._torn or self._at + self._fill + need > self._block:
            if not rounds:
                raise StorageFull("no block has room for %d bytes" % need)
            rounds -= 1
            self._rotate()
        if self._prove and self._at + self._fill + RECORD_BYTES + need <= self._block:
            self._prove = False
            self._write(_PROVED, self._retired, b"")
        return self._write(kind, key, value)

    def _write(self, kind, key, value):
        at = self._begin_record(kind, key, len(value))
        struct.pack_into("<I", self._head, 8, crc32(value, self._crc(self._newest, at)))
        try:
            self._buffer(self._head)
            self._buffer(value)
        except HalError:
            self._torn = True
            raise
        self.sequence += 1
        return self._newest * self._block + at

    def _begin_record(self, kind, key, n):
        """Makes a record's head in _head, all but its CRC; returns its place in the newest block."""
        if self._fill == len(self._page):
            self._program()  # left over from a write that failed
        struct.pack_into("<HBBI", self._head, 0, n, kind, MARK, key)
        return self._at + self._fill

    def _copy(self, block, from_at, n, key):
        """Writes a record's value again, as a copy; returns its place."""
        at = self._begin_record(_COPY, key, n)
        crc = self._value_crc(block, from_at, n, self._crc(self._newest, at))
        struct.pack_into("<I", self._head, 8, crc)
        self._buffer(self._head)
        for piece in self._pieces(block, from_at + RECORD_BYTES, n):
            self._buffer(piece)
        self.sequence += 1
        return self._newest * self._block + at

    def _buffer(self, data):
        page = len(self._page)
        view = memoryview(data)
        start = 0
        while start < len(data):
            if self._fill == page:
                self._program()
            n = min(page - self._fill, len(data) - start)
            self._page_view[self._fill : self._fill + n] = view[start : start + n]
            self._fill += n
            start += n

    def _program(self):
        """Programs the page buffer.  When that fails the buffer stays: programming the same bytes again does no harm."""
        for i in range(self._fill, len(self._page)):
            self._page[i] = 0xFF
        self._fill = len(self._page)
        self.flash.program(self._offset + self._newest * self._block + self._at, self._page)
        self._at += len(self._page)
        self._fill = 0

    def _free(self):
        """(a block not in use, how many there are besides): the one after the newest, so that all wear alike."""
        first = -1
        count = 0
        for i in range(1, self._blocks + 1):
            block = (self._newest + i) % self._blocks
            if not self._numbers[block]:
                count += 1
                if first < 0:
                    first = block
        return first, count - 1

    def _rotate(self):
        """Opens a free block as the newest; if it is the last free one, it takes over what is live in the oldest."""
        if self._newest >= 0:
            self.flush()
            if not self._proved and hasattr(self.flash, "barrier"):
                # the block to be erased may hold the only durable copy of what the newest took over
                self.flash.barrier()
        before = (self._newest, self._number, self._at, self._torn, self._proved, self._prove)
        block, others = self._free()
        oldest = -1 if others else self._oldest()
        retired = self._retired if oldest < 0 else self._numbers[oldest]
        self._erase(block)
        number = self._number + 1
        try:
            self._newest = block
            self._number = number
            self._numbers[block] = number
            self._at = 0
            self._fill = 0
            self._torn = False
            self._proved = self._prove = False
            # the salt tells this use of the block from one with the same number that a cut undid, but for some pages
            head = struct.pack("<4sIII", MAGIC, number, retired, self._block) + self._random(4)
            self._seeds[block] = crc32(head)
            self._buffer(head + struct.pack("<I", self._seeds[block]))
            moved = []
            if oldest >= 0:
                for at, n, _, key in self._records(oldest):
                    place = oldest * self._block + at
                    if self._index.get(key) == place:
                        moved.append(key)
                        moved.append(self._copy(oldest, at, n, key))
            self._write(_READY, retired, struct.pack("<I", len(moved) // 2))
            self._program()
        except HalError:
            # as a power cut would leave it: the block is not ready, nothing was taken from the oldest
            self._numbers[block] = 0
            self._newest, self._number, self._at, self._torn, self._proved, self._prove = before
            self._fill = 0
            raise
        for i in range(0, len(moved), 2):
            self._index.set(moved[i], moved[i + 1])
        if oldest >= 0:
            self._numbers[oldest] = 0
            self._retired = retired
