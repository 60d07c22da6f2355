"""SPEC.md's example is what the code writes."""

import re
import struct
import zlib
from pathlib import Path

import pytest

from firmware.jobs.records import RecordLog
from hal.errors import StorageError
from tests.firmware.jobs.helpers_flash import FakeFlash

SPEC = Path(__file__).resolve().parents[3] / "firmware/jobs/SPEC.md"


def test_the_example():
    lines = re.findall(r"^[0-9a-f]{3}  ((?:[0-9a-f]{2} ?){16})$", SPEC.read_text(), re.MULTILINE)
    wanted = bytes.fromhex("".join(lines))
    assert len(wanted) == 128
    flash = FakeFlash(1024, 512, 64)
    log = RecordLog(flash, 0, 1024, 4, random=lambda n: b"SALT"[:n])
    log.mount()
    log.put(1, b"hello")
    log.put(0x80000000, b"\x01\x02")
    log.delete(1)
    log.flush()
    assert bytes(flash.data[:128]) == wanted
    assert flash.data[128:] == b"\xff" * 896
    # and it is read as the text says
    other = FakeFlash(1024, 512, 64)
    other.data[:128] = wanted
    log = RecordLog(other, 0, 1024, 4)
    log.mount()
    assert {key: log.get(key) for key in log.keys()} == {0x80000000: b"\x01\x02"}


def head(magic, salted=True):
    data = struct.pack("<4sIII", magic, 7, 0, 512) + b"salt" * salted
    return data + struct.pack("<I", zlib.crc32(data))


@pytest.mark.parametrize("data, layout", [(head(b"PWL2"), 2), (head(b"PWL9"), 9), (head(b"PWL1", False), 0)])
def test_records_of_another_layout_are_told_and_left_alone(data, layout):
    flash = FakeFlash(2048, 512, 64)
    log = RecordLog(flash, 0, 2048, 4)
    log.mount()
    log.put(1, b"hello")
    log.flush()
    flash.data[1024 : 1024 + len(data)] = data
    before = bytes(flash.data)
    log = RecordLog(flash, 0, 2048, 4)
    with pytest.raises(StorageError, match="layout %d cannot be read" % layout):
        log.mount()
    assert flash.data == before


@pytest.mark.parametrize("data", [head(b"PWL2")[:23] + b"\xff", head(b"PWK1"), b"PWL2" + bytes(20), head(b"PWL1", False)[:19]])
def test_what_is_no_head_of_any_layout_is_free(data):
    flash = FakeFlash(2048, 512, 64)
    flash.data[: len(data)] = data
    log = RecordLog(flash, 0, 2048, 4)
    log.mount()
    assert log.count == 0
