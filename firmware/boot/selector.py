"""Which firmware starts: the truth table of the boot selector (SPEC.md).  Runs before anything that an update can replace."""

from firmware.boot.record import RECOVERED


def choose(state, valid):
    """The slot to start, or None for rescue.

    state: record.State, changed in place where a trial begins or is given up; the caller stores it before it starts the slot, when this
    returns (slot, True).  valid(slot): the slot's bytes have the digest that the state names; not called for empty slots.
    """
    changed = False
    if state.trying is not None:
        if state.tries and _starts(state, state.trying, valid):
            state.tries -= 1
            return state.trying, True
        state.given_up()
        changed = True
    if state.active is not None and _starts(state, state.active, valid):
        return state.active, changed
    for slot in range(len(state.slots)):
        if slot != state.active and _starts(state, slot, valid):
            # what ran last is damaged, what ran before is not
            state.active = slot
            state.outcome = RECOVERED
            return slot, True
    return None, changed


def _starts(state, slot, valid):
    return state.slots[slot].bytes and valid(slot)
