"""Power cuts in an update: after every flash operation of it, and again after every one of the boots that follow.  Whatever happens, the
printer starts the old firmware or the new one, whole; once the update was acknowledged, the new one."""

import copy
import hashlib

import pytest

from firmware.boot import record, selector
from firmware.update.slots import SlotWriter, holds
from tests.firmware.jobs.helpers_flash import MODES, CachedFlash, FakeFlash, PowerCut

OLD, NEW = bytes(range(256)) * 95, bytes(reversed(range(256))) * 96  # about 24 KiB
TRIES = 3


def run(coroutine):
    """A coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


class Cached(CachedFlash):
    async def sync(self):
        self.sync_now()


class Board:
    """A flash with one sector before and behind all, the record in two, two slots behind it."""

    def __init__(self, sector_bytes, page_bytes, slot_sectors, kind=FakeFlash):
        self.slot_bytes = slot_sectors * sector_bytes
        self.record_at = sector_bytes
        self.offsets = (3 * sector_bytes, 3 * sector_bytes + self.slot_bytes)
        self.flash = kind((4 + 2 * slot_sectors) * sector_bytes, sector_bytes, page_bytes)
        run(self.install(OLD, 10))
        assert self.boot(works=True) == OLD
        self.edges = self.around()

    def around(self):
        sector = self.flash.sector_bytes
        return bytes(self.flash.data[:sector]), bytes(self.flash.data[-sector:])

    def loaded(self):
        boot = record.BootRecord(self.flash, self.record_at)
        boot.load()
        return boot

    async def install(self, image, sequence, piece=1000):
        writer = SlotWriter(self.flash, self.loaded(), self.offsets, self.slot_bytes)
        await writer.begin(len(image), hashlib.sha256(image).digest())
        for at in range(0, len(image), piece):
            await writer.write(image[at : at + piece])
        for _ in writer.finish():
            pass
        await writer.keep(sequence, sequence - 1, TRIES)

    def boot(self, works):
        """One start; works: what starts confirms itself.  The image that ran, or None for rescue."""
        boot = self.loaded()
        state = boot.state
        slot, changed = selector.choose(state, lambda slot: holds(self.flash, self.offsets[slot], state.slots[slot]))
        if changed:
            run(boot.store())
        if slot is None:
            return None
        entry = state.slots[slot]
        image = bytes(self.flash.data[self.offsets[slot] : self.offsets[slot] + entry.bytes])
        if works:
            again = self.loaded()
            if again.state.trying == slot:
                again.state.confirmed()
                run(again.store())
        return image

    def copied(self):
        return copy.deepcopy(self)


GEOMETRIES = {
    "4096/256": (4096, 256, 7),
    "256/1": (256, 1, 100),
    "512/512": (512, 512, 50),
    "128/64": (128, 64, 200),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_an_update(name):
    board = Board(*GEOMETRIES[name])
    run(board.install(NEW, 20))
    state = board.loaded().state
    assert (state.active, state.trying, state.tries) == (0, 1, TRIES)
    assert board.boot(works=True) == NEW
    state = board.loaded().state
    assert (state.active, state.trying, state.outcome, state.floor) == (1, None, record.UPDATED, 19)
    assert board.boot(works=True) == NEW
    # and back into the other slot, again and again
    for turn in range(40):
        image, sequence = (OLD, NEW)[turn % 2], 30 + turn
        run(board.install(image, sequence))
        assert board.boot(works=True) == image
    assert board.around() == board.edges


def test_firmware_that_does_not_confirm_itself():
    board = Board(*GEOMETRIES["4096/256"])
    run(board.install(NEW, 20))
    assert [board.boot(works=False) for _ in range(TRIES)] == [NEW] * TRIES
    for _ in range(3):
        assert board.boot(works=False) == OLD
    state = board.loaded().state
    assert state.outcome == record.RECOVERED and state.floor == 9 and state.slots[1].bytes == 0
    run(board.install(NEW, 20))
    assert board.boot(works=True) == NEW


def cuts(board):
    """Every (board after a cut in the update, acknowledged); the last ones were not cut."""
    number = 0
    while True:
        reached = False
        for mode in MODES:
            cut = board.copied()
            cut.flash.cut(number, mode)
            try:
                run(cut.install(NEW, 20))
                acknowledged = True
            except PowerCut:
                acknowledged = False
                reached = True
            cut.flash.power_on()
            yield cut, acknowledged
        if not reached:
            return
        number += 1


@pytest.mark.parametrize("name", ["4096/256", "512/512"])
def test_a_cut_anywhere_and_another_in_the_recovery(name):
    board = Board(*GEOMETRIES[name])
    single = nested = 0
    for cut, acknowledged in cuts(board):
        single += 1
        number = 0
        while True:
            done = False
            for mode in MODES:
                again = cut.copied()
                again.flash.cut(number, mode)
                try:
                    first = again.boot(works=True)
                    done = True
                except PowerCut:
                    first = None
                again.flash.power_on()
                nested += 1
                image = again.boot(works=True)
                assert image == NEW if acknowledged else image in (OLD, NEW), (single, number, mode)
                assert first in (None, image)
                state = again.loaded().state
                assert state.trying is None and state.floor == (19 if image == NEW else 9)
                assert again.around() == board.edges
            if done:
                break
            number += 1
        # whatever it was, the update can be made again
        if single % 7 == 0:
            if cut.boot(works=True) == OLD:
                run(cut.install(NEW, 20))
            assert cut.boot(works=True) == NEW
    print("%s: %d cuts, %d second ones, all survived" % (name, single, nested))
    assert single > 400 and nested > 1600


@pytest.mark.parametrize("seed", range(3))
def test_a_medium_that_reorders(seed):
    """What was not synced may be lost or kept in any order (a file on a desktop): the power fails after each operation."""
    board = Board(*GEOMETRIES["4096/256"], kind=Cached)
    number = 0
    acknowledged = False
    while not acknowledged:
        cut = board.copied()
        cut.flash.cut(number, 3)
        try:
            run(cut.install(NEW, 20))
            acknowledged = True
        except PowerCut:
            pass
        cut.flash.fail_power(seed * 1000 + number)
        image = cut.boot(works=True)
        assert image == NEW if acknowledged else image in (OLD, NEW), number
        number += 1
    assert number > 90


def test_a_slot_that_went_bad():
    board = Board(*GEOMETRIES["4096/256"])
    run(board.install(NEW, 20))
    assert board.boot(works=True) == NEW
    board.flash.data[board.offsets[1] + 5000] ^= 1
    assert board.boot(works=True) == OLD
    assert board.loaded().state.outcome == record.RECOVERED
    board.flash.data[board.offsets[0] + 5000] ^= 1
    assert board.boot(works=True) is None


def test_a_record_that_is_gone():
    board = Board(*GEOMETRIES["4096/256"])
    sector = board.flash.sector_bytes
    board.flash.data[sector : 3 * sector] = b"\xff" * (2 * sector)
    assert board.boot(works=True) is None
    board.flash.data[sector : 3 * sector] = bytes(range(256)) * (sector // 128)
    assert board.boot(works=True) is None
