"""Updates from envelope to slot: what is installed, what is refused, and that a refusal leaves everything as it was."""

import asyncio
import hashlib

import pytest

from firmware.update.engine import Part, Update, UpdateError
from firmware.update.phases import Phases
from firmware.update.slots import SlotWriter
from hal.errors import StorageError
from tests.firmware.update import helpers_vectors as vectors
from tests.power.test_update_power import NEW, OLD, Board
from tools.firmware import envelope as builder
from tools.firmware import signing

BOARD = "test-board"
PART = Part(builder.vendor_id(), builder.board_id(BOARD), "app", 2)
ABOUT = {"board": BOARD, "sequence": 20, "version": "2.0.0", "floor": 15, "abi_min": 2}


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    name = str(tmp_path_factory.mktemp("keys") / "release")
    signing.generate(name, 5)
    return name


@pytest.fixture
def board():
    return Board(4096, 256, 7)


async def pause():
    await asyncio.sleep(0)


def begun(board, key):
    boot = board.loaded()
    writer = SlotWriter(board.flash, boot, board.offsets, board.slot_bytes)
    keys = [vectors.ENVELOPE_KEY, signing.public_key(key)]
    return Update(writer, boot.state, PART, keys, pause)


def made(key, payload=NEW, **about):
    return builder.build(payload, key, **(ABOUT | about))[0]


async def sent(update, data, piece):
    for at in range(0, len(data), piece):
        await update.feed(data[at : at + piece])
    await update.finish()
    await update.install()


@pytest.mark.parametrize("piece", [1, 997, 8192, 100000])
def test_an_update(board, key, piece):
    update = begun(board, key)
    seen = []

    async def go():
        data = made(key)
        for at in range(0, len(data), piece):
            await update.feed(data[at : at + piece])
        seen.append(list(update.phases.reasons))
        await update.finish()
        seen.append(list(update.phases.reasons))
        await update.install()
        seen.append(list(update.phases.reasons))

    asyncio.run(go())
    progress = ["firmware-update-in-progress"]
    assert seen[0] == progress + ["new-firmware-acquisition-in-progress"]
    assert seen[1] == progress + ["new-firmware-acquisition-success", "new-firmware-validation-in-progress"]
    assert seen[2][-1] == "new-firmware-activation-in-progress" and "new-firmware-installation-success" in seen[2]
    assert board.boot(works=True) == NEW
    state = board.loaded().state
    assert state.floor == 15 and state.slots[1].sequence == 20


def refused(board, key, data, why, piece=1000):
    before = bytes(board.flash.data)
    update = begun(board, key)
    with pytest.raises(UpdateError, match=why):
        asyncio.run(sent(update, data, piece))
    reasons = update.phases.reasons
    assert "firmware-update-failure" in reasons and "firmware-update-in-progress" not in reasons
    assert reasons[-2:] == ["new-firmware-recovery-success", "new-firmware-cleanup-success"]
    assert board.boot(works=True) == OLD
    return bytes(board.flash.data) == before


UNTOUCHED = [
    ({"board": "other-board"}, "another kind of board"),
    ({"domain": "other.example"}, "another kind of board"),
    ({"component": "image"}, "cannot be updated here"),
    ({"abi_min": 3}, "needs core ABI 3; this core has 2"),
    ({"sequence": 8, "floor": 0}, "older than what may be installed"),
    ({"sequence": 9, "floor": 0}, "not newer than"),
    ({"sequence": 10, "floor": 0}, "not newer than"),
    ({"payload": bytes(30000)}, "30000 bytes, a slot 28672"),
    ({"uri": "https://example/app"}, "does not hold the firmware"),
]


@pytest.mark.parametrize("about, why", UNTOUCHED)
def test_what_is_refused_before_anything_is_erased(board, key, about, why):
    uri = about.get("uri")
    if uri:
        data = builder.build(NEW, key, inside=False, **(ABOUT | about))[0]
    else:
        data = made(key, about.get("payload", NEW), **{name: value for name, value in about.items() if name != "payload"})
    assert refused(board, key, data, why), "the flash was touched"


def test_the_same_firmware_again(board, key):
    """Equal in sequence and content: a repair."""
    asyncio.run(sent(begun(board, key), made(key, OLD, sequence=10, floor=0), 1000))
    assert board.boot(works=True) == OLD


def test_signatures(board, key, tmp_path):
    other = str(tmp_path / "other")
    signing.generate(other, 5)
    assert refused(board, key, made(other), "does not trust")
    forged = made(other)
    mine = hashlib.sha256(signing.public_key(key)).digest()[:8]
    theirs = hashlib.sha256(signing.public_key(other)).digest()[:8]
    assert refused(board, key, forged.replace(theirs, mine), "signature is not valid")
    assert refused(board, key, made(key).replace(b"2.0.0", b"2.0.1"), "not the one that was signed")


def test_every_truncation(board, key):
    data = made(key)
    for end in (0, 1, 100, 2000, 2600, 2800, 10000, len(data) - 1):
        refused(board, key, data[:end], "ends before its payload|bytes came of the")


def test_a_changed_payload(board, key):
    data = bytearray(made(key))
    data[-1] ^= 1
    assert not refused(board, key, bytes(data), "another digest")
    assert board.loaded().state.slots[1].bytes == 0


@pytest.mark.parametrize("piece", [1000, 100000])
def test_bytes_behind_the_end(board, key, piece):
    refused(board, key, made(key) + b"x", "More came than", piece)


def test_a_size_that_differs(board, key):
    short = builder.build(NEW, key, **ABOUT)[1]
    message, digest = builder.signed_bytes(short)
    signature = signing.sign(key, message, digest.hex())
    assert refused(board, key, builder.envelope(short, signature, signing.public_key(key), NEW[:-5]), "its manifest says 24576")


def test_a_flash_that_fails(board, key):
    data = made(key)
    board.flash.fail, board.flash.fails_on = StorageError("broken"), True
    update = begun(board, key)
    with pytest.raises(UpdateError, match="cannot be stored: broken"):
        asyncio.run(sent(update, data, 1000))
    board.flash.fail = None
    assert board.boot(works=True) == OLD


def test_names_of_an_older_draft():
    phases = Phases("2026-05-06")
    phases.begin()
    phases.enter("acquisition")
    assert phases.reasons[-1] == "new-firmware-download-in-progress"
    phases.enter("validation")
    phases.ended()
    assert phases.reasons == ["firmware-update-success"]
