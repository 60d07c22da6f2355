"""NOR rules, power cuts and durability of the simulated flash, in memory and in a file."""

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal import factory
from hal.api import FlashError
from hal.errors import BusyError
from hal.sim import SimOptions, build, desktop
from hal.sim.flash import FileFlash, PowerCut, RamFlash

SIZE, SECTOR, PAGE = 16384, 4096, 256
KINDS = ("ram", "file", "durable")


def make(kind, tmp_path):
    if kind == "ram":
        return RamFlash(SIZE, SECTOR, PAGE)
    name = str(tmp_path / "flash.bin")
    return (FileFlash if kind == "file" else desktop.DurableFlash)(name, SIZE, SECTOR, PAGE)


@pytest.fixture(params=KINDS)
def flash(request, tmp_path):
    made = make(request.param, tmp_path)
    yield made
    made.close()


def content(flash, offset=0, size=SIZE):
    buf = bytearray(size)
    flash.read_into(offset, buf)
    return bytes(buf)


def page(byte):
    return bytes([byte]) * PAGE


def test_new_flash_is_erased(flash):
    assert content(flash) == b"\xff" * SIZE
    assert (flash.size, flash.sector_bytes, flash.page_bytes) == (SIZE, SECTOR, PAGE)


def test_programming_clears_bits_and_erasing_sets_them(flash):
    flash.program(SECTOR, page(0x0F))
    assert content(flash, SECTOR, PAGE) == page(0x0F)
    flash.program(SECTOR, page(0x05))
    assert content(flash, SECTOR, PAGE) == page(0x05)
    flash.erase(SECTOR)
    assert content(flash) == b"\xff" * SIZE


def test_erase_clears_one_sector_only(flash):
    for at in range(0, SIZE, PAGE):
        flash.program(at, page(0))
    flash.erase(SECTOR)
    assert content(flash) == bytes(SECTOR) + b"\xff" * SECTOR + bytes(2 * SECTOR)


def test_ff_leaves_a_byte_alone(flash):
    flash.program(0, b"\x12\x34" + b"\xff" * (PAGE - 2))
    flash.program(0, b"\xff\xff\x56" + b"\xff" * (PAGE - 3))
    assert content(flash, 0, 4) == b"\x12\x34\x56\xff"


def test_a_rising_bit_is_refused_and_changes_nothing(flash):
    flash.program(0, page(0x0F))
    before = content(flash)
    with pytest.raises(FlashError, match="rise from 0f to 10"):
        flash.program(0, page(0x0E)[:-1] + b"\x10")
    assert content(flash) == before


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f.program(1, page(0)),
        lambda f: f.program(0, b"x"),
        lambda f: f.program(SIZE, page(0)),
        lambda f: f.program(-PAGE, page(0)),
        lambda f: f.program(SIZE - PAGE, page(0) * 2),
        lambda f: f.erase(PAGE),
        lambda f: f.erase(SIZE),
        lambda f: f.read_into(SIZE - 1, bytearray(2)),
        lambda f: f.read_into(-1, bytearray(1)),
    ],
)
def test_wrong_places_are_refused(flash, call):
    with pytest.raises(FlashError):
        call(flash)
    assert content(flash) == b"\xff" * SIZE


def test_a_file_keeps_its_content(tmp_path):
    first = make("durable", tmp_path)
    first.program(512, page(7))
    first.close()
    again = make("file", tmp_path)
    assert content(again, 512, PAGE) == page(7)
    again.close()


def test_a_file_that_was_not_finished_is_completed(tmp_path):
    (tmp_path / "flash.bin").write_bytes(bytes(SECTOR))
    flash = make("file", tmp_path)
    assert content(flash) == bytes(SECTOR) + b"\xff" * (SIZE - SECTOR)
    flash.close()


@pytest.mark.parametrize("size", [SIZE + SECTOR, SECTOR + 1])
def test_a_file_of_another_size_is_refused(tmp_path, size):
    (tmp_path / "flash.bin").write_bytes(bytes(size))
    with pytest.raises(FlashError, match="remove it to begin anew"):
        make("file", tmp_path)
    assert (tmp_path / "flash.bin").stat().st_size == size


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FlashError, match="cannot be used"):
        FileFlash(str(tmp_path / "no" / "flash.bin"), SIZE, SECTOR, PAGE)


# -- power cuts


def test_a_cut_ends_everything_until_power_returns(flash):
    flash.cut_after(2)
    flash.program(0, page(1))
    with pytest.raises(PowerCut):
        flash.program(PAGE, page(2))
    for call in (lambda: content(flash), lambda: flash.program(0, page(0)), lambda: flash.erase(0), lambda: asyncio.run(flash.sync())):
        with pytest.raises(PowerCut):
            call()
    flash.power_on()
    assert content(flash, 0, PAGE) == page(1)
    flash.erase(0)
    assert content(flash) == b"\xff" * SIZE


def test_no_handler_of_exceptions_survives_a_cut():
    assert not issubclass(PowerCut, Exception)


@pytest.mark.parametrize("effect, kept", [("none", b"\xff"), ("all", b"\x2a")])
def test_a_cut_before_or_after_the_effect(flash, effect, kept):
    flash.cut_after(1, effect)
    with pytest.raises(PowerCut):
        flash.program(0, page(0x2A))
    flash.power_on()
    assert content(flash, 0, PAGE) == kept * PAGE


@given(seed=st.integers(0, 2**31), old=st.integers(0, 255), erase=st.booleans())
def test_a_torn_operation_leaves_bits_between_old_and_new(seed, old, erase):
    flash = RamFlash(SIZE, SECTOR, PAGE)
    for at in range(0, SECTOR, PAGE):
        flash.program(at, page(old))
    flash.cut_after(1, "part", seed)
    size = SECTOR if erase else PAGE
    new = 0xFF if erase else old & 0x55
    with pytest.raises(PowerCut):
        flash.erase(0) if erase else flash.program(0, page(new) if new != 0xFF else page(0))
    flash.power_on()
    new = 0 if not erase and new == 0xFF else new
    got = content(flash, 0, size)
    edges = [i for i in range(size) if got[i] not in (old, new)]
    assert len(edges) <= 1
    edge = edges[0] if edges else next((i for i in range(size) if got[i] != new), size)
    assert got[:edge] == bytes([new]) * edge
    assert got[edge + 1 :] == bytes([old]) * len(got[edge + 1 :])
    if edges:
        assert got[edge] & (old ^ 0xFF) & (new ^ 0xFF) == 0, "no bit that neither had"
    assert content(flash, size, SIZE - size) == page(old) * ((SECTOR - size) // PAGE) + b"\xff" * (SIZE - SECTOR)


@pytest.mark.parametrize("bad", [(0, "part"), (1, "half")])
def test_orders_are_checked(bad):
    with pytest.raises(ValueError):
        RamFlash(SIZE).cut_after(*bad)


# -- one flush for all


def test_waiters_share_flushes_and_none_leaves_early(tmp_path, monkeypatch):
    flash = make("durable", tmp_path)
    state = {"written": 0, "durable": 0}
    real = os.fdatasync

    def fdatasync(handle):
        upto = state["written"]
        real(handle)
        state["durable"] = max(state["durable"], upto)

    monkeypatch.setattr(os, "fdatasync", fdatasync)

    async def client(number):
        for turn in range(5):
            flash.program(((number * 5 + turn) % (SIZE // PAGE)) * PAGE, page(0))
            state["written"] += 1
            mine = state["written"]
            await flash.sync()
            assert state["durable"] >= mine

    async def late():
        # wrote nothing itself, yet relies on what others wrote
        mine = state["written"]
        await flash.sync()
        assert state["durable"] >= mine

    async def run():
        await asyncio.gather(*(client(n) for n in range(12)), late(), late())

    asyncio.run(run())
    assert 5 <= flash._sync.rounds <= 30, "60 waits shared far fewer flushes"
    flash.close()


def test_nothing_new_needs_no_flush(tmp_path):
    flash = make("durable", tmp_path)

    async def run():
        await flash.sync()
        rounds = flash._sync.rounds
        await flash.sync()
        assert flash._sync.rounds == rounds

    asyncio.run(run())
    flash.close()


def test_a_failing_flush_reaches_all_and_may_be_tried_again(tmp_path, monkeypatch):
    flash = make("durable", tmp_path)
    real = os.fdatasync

    def fails(handle):
        raise OSError(5, "Input/output error")

    async def run():
        flash.program(0, page(0))
        monkeypatch.setattr(os, "fdatasync", fails)
        results = await asyncio.gather(flash.sync(), flash.sync(), return_exceptions=True)
        assert [type(r) for r in results] == [FlashError, FlashError]
        monkeypatch.setattr(os, "fdatasync", real)
        await flash.sync()

    asyncio.run(run())
    flash.close()


def test_a_cancelled_waiter_does_not_take_the_others_along(tmp_path):
    flash = make("durable", tmp_path)

    async def run():
        flash.program(0, page(0))
        one = asyncio.ensure_future(flash.sync())
        two = asyncio.ensure_future(flash.sync())
        await asyncio.sleep(0)
        one.cancel()
        await two
        assert one.cancelled() and flash._sync._done == flash._sync._wanted

    asyncio.run(run())
    flash.close()


# -- within a machine


def test_writing_while_moving_is_a_fault_where_the_board_cannot(tmp_path):
    desc = factory.describe()
    desc["pcb"]["write_while_moving"] = False
    machine = build(desc)
    text = b"G1 X100 F6000\n"

    async def run():
        machine.flash.program(0, page(0))
        machine.core.begin()
        machine.core.feed(text, 0, len(text))
        machine.core.end_document()
        await machine.clock.wait_ms(100, True)
        with pytest.raises(BusyError):
            machine.flash.program(PAGE, page(0))

    asyncio.run(run())
    assert machine.core.port.status().fault
    assert content(machine.flash, PAGE, PAGE) == page(0xFF)


def test_failure_to_order():
    machine = build(factory.describe(), SimOptions(faults=["flash-fail=2@0.1"]))
    machine.flash.program(0, page(0))
    asyncio.run(machine.clock.wait_ms(150, True))
    machine.flash.program(PAGE, page(0))
    machine.flash.erase(SECTOR)
    with pytest.raises(FlashError, match="does not answer"):
        machine.flash.erase(0)
    with pytest.raises(FlashError):
        machine.flash.program(0, page(0))
    assert content(machine.flash, PAGE, PAGE) == page(0)
