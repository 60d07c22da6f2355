"""What the boot selector knows: which firmware is in which slot, which one is to start, and which is being tried (SPEC.md).

Kept as numbered entries in two sectors of the flash; an entry is written by one program operation and counts only when it is whole, so at
any loss of power it is the state before or the state after.
"""

import struct

from hal.compat import const, crc32
from hal.errors import StorageError

SLOTS = const(2)
# State.outcome: what became of the last trial
NOTHING = const(0)
UPDATED = const(1)
RECOVERED = const(2)
_NO_SLOT = const(0xFF)
_MAGIC = b"PB"
_LAYOUT = const(1)
_HEAD = "<2sBBIBBBBI"  # magic, layout, active, count, trying, tries, outcome, 0, floor
_SLOT = "<III32s"  # sequence, bytes, floor, digest
_SLOT_AT = const(16)
_SLOT_BYTES = const(44)
_CRC_AT = const(104)
_ENTRY_BYTES = const(108)


class Slot:
    """One slot's content: sequence and floor of its manifest, size and SHA-256 of what was written; bytes 0: nothing to start."""

    def __init__(self, sequence=0, bytes=0, floor=0, digest=b"\0" * 32):
        self.sequence, self.bytes, self.floor, self.digest = sequence, bytes, floor, digest


class State:
    """active: the slot that proved itself last, or None; trying: one that has to prove itself, or None, with `tries` starts left; floor:
    lowest sequence that may be installed; outcome: NOTHING, UPDATED or RECOVERED; slots: two Slots; count: of changes."""

    def __init__(self):
        self.count = 0
        self.active = None
        self.trying = None
        self.tries = 0
        self.floor = 0
        self.outcome = NOTHING
        self.slots = [Slot(), Slot()]

    def inactive(self):
        """The slot that an update may be written to."""
        return 1 - self.active if self.active is not None else 0

    def empty(self, slot):
        """Nothing in that slot may start any more; true before its first byte is erased."""
        if slot == self.active:
            raise ValueError("the active slot")
        self.slots[slot].bytes = 0
        if self.trying == slot:
            self.trying = None
            self.tries = 0

    def tried(self, slot, sequence, bytes, floor, digest, tries):
        """That slot holds verified firmware, which starts next, so many times at most unless it confirms itself."""
        entry = self.slots[slot]
        entry.sequence, entry.bytes, entry.floor, entry.digest = sequence, bytes, floor, digest
        self.trying = slot
        self.tries = tries

    def confirmed(self):
        """The firmware that is tried works: it is the active one from now on."""
        if self.trying is None:
            return
        self.active = self.trying
        self.floor = max(self.floor, self.slots[self.active].floor)
        self.trying = None
        self.tries = 0
        self.outcome = UPDATED

    def given_up(self):
        """The firmware that was tried did not confirm itself."""
        slot = self.trying
        if slot is None:
            return
        self.trying = None
        self.tries = 0
        if slot != self.active:
            self.slots[slot].bytes = 0
        self.outcome = RECOVERED


def encode(state):
    """The entry's bytes."""
    entry = bytearray(_ENTRY_BYTES)
    active, trying = _number(state.active), _number(state.trying)
    struct.pack_into(_HEAD, entry, 0, _MAGIC, _LAYOUT, active, state.count, trying, state.tries, state.outcome, 0, state.floor)
    for i in range(SLOTS):
        slot = state.slots[i]
        struct.pack_into(_SLOT, entry, _SLOT_AT + i * _SLOT_BYTES, slot.sequence, slot.bytes, slot.floor, slot.digest)
    struct.pack_into("<I", entry, _CRC_AT, crc32(memoryview(entry)[:_CRC_AT]))
    return entry


def decode(entry):
    """The State of an entry, or None when it is not whole."""
    if (
        bytes(entry[:2]) != _MAGIC
        or entry[2] != _LAYOUT
        or struct.unpack_from("<I", entry, _CRC_AT)[0] != crc32(memoryview(entry)[:_CRC_AT])
    ):
        return None
    state = State()
    _, _, active, state.count, trying, state.tries, state.outcome, _, state.floor = struct.unpack_from(_HEAD, entry, 0)
    state.active = _slot(active)
    state.trying = _slot(trying)
    for i in range(SLOTS):
        slot = state.slots[i]
        slot.sequence, slot.bytes, slot.floor, slot.digest = struct.unpack_from(_SLOT, entry, _SLOT_AT + i * _SLOT_BYTES)
    return state


def _number(slot):
    return _NO_SLOT if slot is None else slot


def _slot(number):
    return number if number < SLOTS else None


class BootRecord:
    """The two sectors at an offset of the flash.  `state`: as it was loaded or stored last."""

    def __init__(self, flash, offset):
        self._flash = flash
        self._offset = offset
        page = flash.page_bytes
        self._entry_bytes = (_ENTRY_BYTES + page - 1) // page * page
        self._places = flash.sector_bytes // self._entry_bytes
        if not self._places:
            raise StorageError("boot record: an entry of %d bytes does not fit a sector" % self._entry_bytes)
        self._io = bytearray(self._entry_bytes)
        self._sector = 0
        self.state = State()

    def load(self):
        """The State that was stored last; a new one where there is none."""
        self.state = State()
        self._sector = 0
        for sector in range(2):
            for place in range(self._places):
                self._read(sector, place)
                found = decode(self._io)
                if found is not None and found.count > self.state.count:
                    self.state = found
                    self._sector = sector
        return self.state

    async def store(self):
        """Makes `state` as it is now durable.  StorageError; then the state before may hold as well."""
        self.state.count += 1
        sector, place = self._sector, self._free(self._sector)
        if place is None or self.state.count == 1:
            sector, place = 1 - sector, 0
            self._flash.erase(self._offset + sector * self._flash.sector_bytes)
            # an entry that overtakes the erase would be lost with it
            await self._flash.sync()
        self._io[:] = b"\xff" * self._entry_bytes
        self._io[:_ENTRY_BYTES] = encode(self.state)
        self._flash.program(self._at(sector, place), self._io)
        self._sector = sector
        await self._flash.sync()

    def _at(self, sector, place):
        return self._offset + sector * self._flash.sector_bytes + place * self._entry_bytes

    def _read(self, sector, place):
        self._flash.read_into(self._at(sector, place), self._io)

    def _free(self, sector):
        """First place behind all that was ever programmed in a sector, or None."""
        free = None
        for place in range(self._places - 1, -1, -1):
            self._read(sector, place)
            for octet in self._io:
                if octet != 0xFF:
                    return free
            free = place
        return free
