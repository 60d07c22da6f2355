"""Power is cut in every single flash operation of a scripted scenario, in four ways, and again in every operation of the recovery."""

import pytest

from tests.firmware.jobs.helpers_flash import ALL, MIXED, MODES, NOTHING, PREFIX
from tests.power.helpers_scenario import Geometry, Judge, Script, cut_during, play

GEOMETRIES = [
    Geometry("two sectors", 512, 32, 2, 1),
    Geometry("two blocks of two sectors", 256, 32, 4, 2),
    Geometry("three sectors, small pages", 256, 8, 3, 1),
    Geometry("five sectors, large pages", 512, 128, 5, 1),
    Geometry("eight sectors", 256, 32, 8, 1),
]
VALUE_BYTES = 24


def copy(flash, geometry):
    other = geometry.flash()
    other.data[:] = flash.data
    other.programmed = set(flash.programmed)
    other.ops = flash.ops
    return other


def life(geometry, script):
    """Plays all of it without a cut: (operations, rotations)."""
    flash = geometry.flash()
    log = geometry.log(flash)
    log.mount()
    judge = Judge()
    play(log, script, judge)
    assert judge.found(log) is None
    return flash.ops, log.erased


def cut_once(geometry, script, at, mode):
    """(flash, judge) after a life cut at an operation."""
    flash = geometry.flash()
    log = geometry.log(flash)
    judge = Judge()

    def action():
        log.mount()
        play(log, script, judge)

    assert cut_during(flash, action, at, mode)
    return flash, judge


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: g.name)
def test_a_cut_anywhere_loses_nothing_acknowledged(geometry, record_property):
    script = Script(80, VALUE_BYTES)
    operations, rotations = life(geometry, script)
    assert rotations > geometry.sectors // geometry.sectors_per_block, "the scenario must go round the ring"
    tried = survived = 0
    problems = []
    for at in range(operations):
        for mode in MODES:
            flash, judge = cut_once(geometry, script, at, mode)
            log = geometry.log(flash)
            log.mount()
            tried += 1
            wrong = judge.found(log)
            if wrong is None:
                # it works on, and what it writes now is there after another start
                log.put(3, b"after the cut")
                log.delete(4)
                log.flush()
                judge.may[3] = [b"after the cut"]
                judge.may[4] = [None]
                log = geometry.log(flash)
                log.mount()
                wrong = judge.found(log)
            if wrong is None:
                survived += 1
            else:
                problems.append("cut %d mode %d: %s" % (at, mode, wrong))
    record_property("cuts", tried)
    print("%s: %d operations, %d block erases, %d cuts tried, %d survived" % (geometry.name, operations, rotations, tried, survived))
    assert survived == tried, "%d of %d cuts survived; %s" % (survived, tried, problems[:3])


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: g.name)
def test_a_second_cut_anywhere_in_the_recovery_loses_nothing(geometry, record_property):
    script = Script(36, VALUE_BYTES, seed=11)
    after = Script(8, VALUE_BYTES, seed=23)
    operations, _ = life(geometry, script)
    tried = survived = 0
    problems = []
    for at in range(operations):
        for mode in (NOTHING, PREFIX, MIXED, ALL):
            cut, first = cut_once(geometry, script, at, mode)
            second = 0
            while True:
                flash = copy(cut, geometry)
                judge = Judge()
                judge.may = {key: list(values) for key, values in first.may.items()}
                log = geometry.log(flash)
                state = []

                def recover(log=log, judge=judge, state=state):
                    log.mount()
                    state.append(judge.found(log))
                    play(log, after, judge)

                mode2 = MODES[(second + at) % 4]
                if not cut_during(flash, recover, second, mode2):
                    break
                second += 1
                tried += 1
                log = geometry.log(flash)
                log.mount()
                wrong = (state[0] if state else None) or judge.found(log)
                if wrong is None:
                    survived += 1
                else:
                    problems.append("cuts %d mode %d, then %d mode %d: %s" % (at, mode, second - 1, mode2, wrong))
    record_property("cuts", tried)
    print("%s: %d double cuts tried, %d survived" % (geometry.name, tried, survived))
    assert tried > operations
    assert survived == tried, "%d of %d double cuts survived; %s" % (survived, tried, problems[:3])


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: g.name)
@pytest.mark.parametrize("flush_every", [1, 40])
def test_a_medium_that_stores_in_any_order_loses_nothing_synced(geometry, flush_every, record_property):
    script = Script(80, VALUE_BYTES, seed=5)
    # with few flushes the log goes round without any sync
    flushes = [i for i, op in enumerate(script.ops) if op[0] == "flush"]
    dropped = {i for n, i in enumerate(flushes) if n % flush_every}
    script.ops = [op for i, op in enumerate(script.ops) if i not in dropped]
    flash = geometry.flash(cached=True)
    log = geometry.log(flash)
    log.mount()
    play(log, script, Judge())
    operations = flash.ops
    assert log.erased > geometry.sectors // geometry.sectors_per_block
    if flush_every > 1:
        assert flash.barriers
    tried = survived = 0
    problems = []
    for at in range(operations):
        for seed in range(3):
            flash = geometry.flash(cached=True)
            log = geometry.log(flash)
            judge = Judge()

            def action(log=log, judge=judge):
                log.mount()
                play(log, script, judge)

            assert cut_during(flash, action, at, ALL)
            flash.fail_power(at * 3 + seed)
            log = geometry.log(flash)
            log.mount()
            tried += 1
            wrong = judge.found(log)
            if wrong is None:
                # once more, while it takes up its work
                assert cut_during(flash, lambda log=log, judge=judge: play(log, script, judge), 9 + seed, ALL)
                flash.fail_power(at)
                log = geometry.log(flash)
                log.mount()
                wrong = judge.found(log)
            if wrong is None:
                survived += 1
            else:
                problems.append("cut %d seed %d: %s" % (at, seed, wrong))
    record_property("cuts", tried)
    print("%s: %d cuts of a cached medium tried, %d survived" % (geometry.name, tried, survived))
    assert survived == tried, "%d of %d cuts survived; %s" % (survived, tried, problems[:3])


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: g.name)
def test_nothing_outside_of_its_area_changes(geometry):
    flash = geometry.flash()
    flash.data[:] = b"\x00" * flash.size
    flash.programmed = set(range(flash.size // flash.page_bytes))
    log = geometry.log(flash)
    log.mount()
    assert log.count == 0
    play(log, Script(60, VALUE_BYTES), Judge())
    assert flash.data[: flash.sector_bytes] == b"\x00" * flash.sector_bytes
    assert flash.data[-flash.sector_bytes :] == b"\x00" * flash.sector_bytes


def test_a_record_that_ends_blank_is_not_written_over():
    """Its last page holds only blank bytes: it is whole although the cut came before that page."""
    geometry = Geometry("pages of a byte", 384, 1, 3, 1)
    flash = geometry.flash()
    log = geometry.log(flash)
    log.mount()
    before = flash.ops
    log.put(1, b"ends blank\xff\xff\xff")
    log.flush()
    operations = flash.ops - before
    assert operations > 20
    flash = geometry.flash()
    log = geometry.log(flash)
    log.mount()
    assert cut_during(flash, lambda: (log.put(1, b"ends blank\xff\xff\xff"), log.flush()), operations - 3, NOTHING)
    log = geometry.log(flash)
    log.mount()
    assert log.get(1) == b"ends blank\xff\xff\xff"
    log.put(2, b"\x00\x00")
    log.flush()
    log = geometry.log(flash)
    log.mount()
    assert log.get(1) == b"ends blank\xff\xff\xff"
    assert log.get(2) == b"\x00\x00"


def test_nothing_follows_a_record_torn_in_the_page_of_a_whole_one():
    """Its last byte was to come with the next page, and the next record begins with just that byte."""
    geometry = GEOMETRIES[0]
    tried = 0
    for number in range(1500):
        salt = number.to_bytes(4, "little")
        flash = geometry.flash()
        log = geometry.log(flash, lambda n, salt=salt: salt)
        log.mount()
        log.put(1, b"acknowledged")
        log.flush()

        def action(log=log):
            log.put(2, b"123456789")
            log.delete(1)  # all of its record but the last byte is in the page that is programmed now
            log.flush()

        assert cut_during(flash, action, 1, NOTHING)
        log = geometry.log(flash, lambda n, salt=salt: salt)
        log.mount()
        if log.get(1) is None:
            continue  # the missing byte is a blank one: the record was whole before the cut
        assert log.get(2) == b"123456789"
        log.put(3, b"12345")
        log.flush()
        log = geometry.log(flash)
        log.mount()
        assert log.get(1) == b"acknowledged", "salt %d" % number
        assert log.get(3) == b"12345"
        tried += 1
    assert tried > 1480


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: g.name)
def test_the_next_record_never_completes_a_torn_one(geometry):
    """Values end with the very bytes that the next record begins with, and the cut takes just these, at every place in a page."""
    following = b"12345"
    begins = b"\x05\x00\x01\x5a\x03\x00\x00\x00"
    torn = 0
    for pad in range(1, geometry.page_bytes):
        for known in range(1, len(begins) + 1):
            flash = geometry.flash()
            log = geometry.log(flash)
            log.mount()
            log.put(1, b"acknowledged")
            log.flush()

            def action(log=log, pad=pad, known=known):
                log.put(2, bytes(pad % 40))
                log.put(1, bytes(3) + begins[:known])
                log.flush()

            for at in range(8):
                cut = copy(flash, geometry)
                log = geometry.log(cut)
                log.mount()
                if not cut_during(cut, lambda log=log: action(log), at, NOTHING):
                    break
                log = geometry.log(cut)
                log.mount()
                found = log.get(1)
                torn += found == b"acknowledged"
                log.put(3, following)
                log.flush()
                log = geometry.log(cut)
                log.mount()
                assert log.get(1) == found, "pad %d, %d bytes missing, cut %d" % (pad, known, at)
                assert log.get(3) == following
    assert torn > 100


def test_blocks_wear_alike():
    geometry = GEOMETRIES[4]
    flash = geometry.flash()
    log = geometry.log(flash)
    log.mount()
    log.put(99, b"never changes")
    judge = Judge()
    for _ in range(6):
        play(log, Script(160, VALUE_BYTES), judge)
    erases = flash.erases[1:-1]
    assert max(erases) - min(erases) <= 1
    assert log.get(99) == b"never changes"
