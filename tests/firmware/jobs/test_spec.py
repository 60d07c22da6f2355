"""SPEC.md's example is what the code writes."""

import re
from pathlib import Path

from firmware.jobs.records import RecordLog
from tests.firmware.jobs.helpers_flash import FakeFlash

SPEC = Path(__file__).resolve().parents[3] / "firmware/jobs/SPEC.md"


class Salted(RecordLog):
    def salt(self):
        return b"SALT"


def test_the_example():
    lines = re.findall(r"^[0-9a-f]{3}  ((?:[0-9a-f]{2} ?){16})$", SPEC.read_text(), re.MULTILINE)
    wanted = bytes.fromhex("".join(lines))
    assert len(wanted) == 128
    flash = FakeFlash(1024, 512, 64)
    log = Salted(flash, 0, 1024, 4)
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
