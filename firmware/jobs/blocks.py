"""The blocks of a record log on raw NOR flash, and how they are read: heads, records, what is blank.  SPEC.md section 1 has every byte.

Nothing here knows which records count (records.py).  In RAM: 8 bytes a block, one page, 512 bytes.
"""

import struct
from array import array

from hal.compat import const, crc32
from hal.errors import StorageError

BLOCK_BYTES_MAX = const(65536)  # a copy of one block's live records is the longest single piece of work
VALUE_BYTES_MAX = const(4096)

MAGIC = b"PWL1"  # the last byte is the layout: the first three, and the CRC and its place, are those of every layout
_HEAD = "<4sIIIII"  # magic, number, retired, block bytes, salt, CRC
_OLD_HEAD_BYTES = const(16)  # before the CRC in a head without salt, which was never in a release
HEAD_BYTES = const(24)
_CHUNK_BYTES = const(512)  # values are checked and copied in pieces of this size
RECORD = "<HBBII"  # value bytes, kind, mark, key, CRC
RECORD_BYTES = const(12)
_SEED = "<II"
MARK = const(0x5A)


def _sectors_per_block(size, sector_bytes):
    """Largest power of two that leaves eight blocks of at most BLOCK_BYTES_MAX."""
    sectors = 1
    while sectors * 2 * sector_bytes <= BLOCK_BYTES_MAX and size // (sectors * 2 * sector_bytes) >= 8:
        sectors *= 2
    return sectors


class Blocks:
    """flash[offset:offset + size] as blocks of sectors_per_block erase sectors (0 chooses), at least two, none in use yet.

    The page that is being filled (`_page`: the first `_fill` bytes, at place `_at` of block `_newest`) reads as if it were programmed.
    """

    def __init__(self, flash, offset, size, sectors_per_block):
        self.flash = flash
        self._offset = offset
        sectors = sectors_per_block or _sectors_per_block(size, flash.sector_bytes)
        self._sectors = sectors
        self._block = sectors * flash.sector_bytes
        self._blocks = size // self._block
        page = flash.page_bytes
        if self._blocks < 2 or offset % flash.sector_bytes or flash.sector_bytes % page or offset + size > flash.size:
            raise StorageError("flash area of %d bytes at %d does not hold two blocks of %d" % (size, offset, self._block))
        self.value_bytes_max = VALUE_BYTES_MAX
        self._numbers = array("I", bytes(4 * self._blocks))  # block number of each physical block, 0 = not in use
        self._seeds = array("I", bytes(4 * self._blocks))  # CRC of its head, which is part of the CRC of its records
        self._io = bytearray(_CHUNK_BYTES)
        self._view = memoryview(self._io)
        self._head = bytearray(RECORD_BYTES)
        self._page = bytearray(page)
        self._page_view = memoryview(self._page)
        self._newest = -1  # physical block that is being filled
        self._at = 0  # place of the page buffer within that block
        self._fill = 0  # bytes in it

    def _read(self, block, at, buf):
        """Bytes of a block; what still waits in the page buffer counts as written."""
        n = len(buf)
        self.flash.read_into(self._offset + block * self._block + at, buf)
        if block == self._newest and at + n > self._at and at < self._at + self._fill:
            first = max(at, self._at)
            last = min(at + n, self._at + self._fill)
            buf[first - at : last - at] = self._page_view[first - self._at : last - self._at]

    def _record_head(self, block, at):
        """(value bytes, kind, key, CRC) of the record at a place, whose head stays in _head; -1 bytes when there is none.  The CRC is
        not checked."""
        if at + RECORD_BYTES > self._block:
            return -1, 0, 0, 0
        self._read(block, at, self._head)
        n, kind, mark, key, crc = struct.unpack_from(RECORD, self._head)
        if n > self.value_bytes_max or mark != MARK or at + RECORD_BYTES + n > self._block:
            return -1, 0, 0, 0
        return n, kind, key, crc

    def _crc(self, block, at):
        """CRC of what comes before the value, with the record's head in _head: its place and the CRC of its block's head are part of it.
        A record counts only where and when it was written, so neither bytes of an earlier use of the block nor a value that looks
        like a record can pass for one."""
        return crc32(memoryview(self._head)[:8], crc32(struct.pack(_SEED, self._seeds[block], at)))

    def _pieces(self, block, at, n):
        """Generator of the n bytes at a place, as views that are good until the next one."""
        while n:
            piece = self._view[: min(n, _CHUNK_BYTES)]
            self._read(block, at, piece)
            yield piece
            at += len(piece)
            n -= len(piece)

    def _value_crc(self, block, at, n, crc):
        """CRC continued over a record's value."""
        for piece in self._pieces(block, at + RECORD_BYTES, n):
            crc = crc32(piece, crc)
        return crc

    def _block_head(self, block):
        """(number, retired) of a block, (0, 0) when its head is not whole.  StorageError when it is one of another layout."""
        view = self._view[:HEAD_BYTES]
        self._read(block, 0, view)
        magic, number, retired, size, salt, crc = struct.unpack_from(_HEAD, self._io)
        whole = crc32(view[: HEAD_BYTES - 4]) == crc
        if magic[:3] == MAGIC[:3] and (magic != MAGIC and whole or crc32(view[:_OLD_HEAD_BYTES]) == salt):
            raise StorageError("records of layout %d cannot be read; this firmware has layout 1" % (magic[3] - 48 if whole else 0))
        if magic != MAGIC or size != self._block or not whole or not retired < number:
            return 0, 0
        self._seeds[block] = crc
        return number, retired

    def _records(self, block):
        """Generator of (place in block, value bytes, kind, key) of the whole records."""
        at = HEAD_BYTES
        page = len(self._page)
        while at < self._block:
            n, kind, key, crc = self._record_head(block, at)
            if n < 0 or self._value_crc(block, at, n, self._crc(block, at)) != crc:
                at = (at // page + 1) * page
                continue
            yield at, n, kind, key
            at += RECORD_BYTES + n

    def _blank_from(self, block):
        """Place behind the last byte of a block that is not blank."""
        page = len(self._page)
        at = self._block
        while at:
            at -= page
            self.flash.read_into(self._offset + block * self._block + at, self._page_view)
            n = len(bytes(self._page).rstrip(b"\xff"))
            if n:
                return at + n
        return 0

    def _next(self, number):
        """The block with the lowest number above one, -1 without."""
        best = -1
        numbers = self._numbers
        for block in range(self._blocks):
            if numbers[block] > number and (best < 0 or numbers[block] < numbers[best]):
                best = block
        return best

    def _oldest(self):
        return self._next(0)

    def _erase(self, block):
        base = self._offset + block * self._block
        for sector in range(self._sectors):
            self.flash.erase(base + sector * self.flash.sector_bytes)
        self.erased += 1
