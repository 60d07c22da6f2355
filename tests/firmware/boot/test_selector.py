"""The truth table of the boot selector, whole; boot record entries."""

import itertools

import pytest

from firmware.boot import record, selector

SLOT = (0, 1, None)


def state_of(active, trying, tries, full):
    state = record.State()
    state.active, state.trying, state.tries = active, trying, tries
    for i in range(2):
        state.slots[i].bytes = 100 if full[i] else 0
    return state


@pytest.mark.parametrize("active, trying, tries", list(itertools.product(SLOT, SLOT, (0, 1, 3))))
def test_every_row(active, trying, tries):
    for full in itertools.product((False, True), repeat=2):
        for good in itertools.product((False, True), repeat=2):
            state = state_of(active, trying, tries, full)
            starts = [full[i] and good[i] for i in range(2)]
            slot, changed = selector.choose(state, good.__getitem__)
            row = (active, trying, tries, full, good, slot)
            assert slot is None or starts[slot], row
            if trying is not None and tries and starts[trying]:
                assert slot == trying and changed and state.tries == tries - 1 and state.trying == trying, row
                continue
            assert state.trying is None, row
            assert changed or trying is None, row
            lost = trying is not None and trying != active  # what was tried does not start again
            if active is not None and starts[active]:
                assert slot == active, row
            else:
                left = [i for i in range(2) if starts[i] and i != active and not (lost and i == trying)]
                assert slot == (left[0] if left else None), row
                assert not left or (state.active == slot and state.outcome == record.RECOVERED and changed), row


def test_an_entry_is_whole_or_nothing():
    state = state_of(1, 0, 2, (True, True))
    state.count, state.floor, state.outcome = 1000, 0xFFFFFFFF, record.UPDATED
    state.slots[0] = record.Slot(1790000000, 5000, 3, bytes(range(32)))
    entry = record.encode(state)
    found = record.decode(entry)
    assert found is not None and record.encode(found) == entry
    assert (found.active, found.trying, found.tries, found.count, found.floor) == (1, 0, 2, 1000, 0xFFFFFFFF)
    for bit in range(len(entry) * 8):
        wrong = bytearray(entry)
        wrong[bit // 8] ^= 1 << bit % 8
        assert record.decode(wrong) is None
    assert record.decode(b"\xff" * len(entry)) is None


def test_the_active_slot_is_never_emptied():
    state = state_of(0, None, 0, (True, True))
    with pytest.raises(ValueError):
        state.empty(0)
    assert state.inactive() == 1
