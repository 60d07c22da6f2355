"""A scripted life of a record log, cut anywhere, and the judge of what is there afterwards.

The judge knows what had been acknowledged (flush() returned) and what was on its way: a key must have its acknowledged value or one
that was put after it.  Nothing else may be there, and a mount must always succeed.
"""

import random

from firmware.jobs.records import RecordLog
from tests.firmware.jobs.helpers_flash import CachedFlash, FakeFlash, PowerCut

ABSENT = None


class Geometry:
    def __init__(self, name, sector_bytes, page_bytes, sectors, sectors_per_block, max_keys=12):
        self.name = name
        self.sector_bytes = sector_bytes
        self.page_bytes = page_bytes
        self.sectors = sectors
        self.sectors_per_block = sectors_per_block
        self.max_keys = max_keys

    def flash(self, cached=False):
        # one sector before and behind the log, which must stay as they are
        kind = CachedFlash if cached else FakeFlash
        return kind((self.sectors + 2) * self.sector_bytes, self.sector_bytes, self.page_bytes)

    def log(self, flash, salts=None):
        """salts(n): n bytes; by default a function of what has happened to the flash, so that each run is the same."""
        salts = salts or random.Random(flash.ops).randbytes
        return RecordLog(flash, self.sector_bytes, self.sectors * self.sector_bytes, self.max_keys, self.sectors_per_block, 40, salts)


class Script:
    """Operations that depend on nothing but their number: ("put", key, value), ("delete", key), ("flush",)."""

    def __init__(self, count, value_bytes, seed=7):
        self.ops = []
        x = seed
        for i in range(count):
            x = (x * 1103515245 + 12345) & 0x7FFFFFFF
            r = (x >> 8) % 100
            key = 1 + (x >> 16) % 6
            if r < 12:
                self.ops.append(("delete", key, b""))
            else:
                # values that repeat would hide a wrong one
                self.ops.append(("put", key, b"%d:%d " % (key, i) + bytes([i & 0xFF]) * ((x >> 20) % value_bytes)))
            if r % 3 == 0:
                self.ops.append(("flush", 0, b""))
        self.ops.append(("flush", 0, b""))


class Judge:
    """Follows a script's progress; `may` holds for each key every value that may be found now."""

    def __init__(self):
        self.may = {}

    def sent(self, kind, key, value):
        if kind != "flush":
            self.may.setdefault(key, [ABSENT]).append(ABSENT if kind == "delete" else value)

    def acknowledged(self):
        for key in self.may:
            self.may[key] = self.may[key][-1:]

    def found(self, log):
        """Checks a mounted log and settles on what it holds; returns what is wrong, or None."""
        keys = set(log.keys())
        if len(keys) != log.count:
            return "count %d, keys %r" % (log.count, keys)
        total = 0
        for key in keys | set(self.may):
            value = log.get(key)
            if value is not None:
                total += len(value) + 12
            if value not in self.may.get(key, [ABSENT]):
                return "key %d is %r, not one of %r" % (key, value, self.may.get(key))
            self.may[key] = [value]
        if total != log.live_bytes:
            return "live_bytes %d, found %d" % (log.live_bytes, total)
        return None


def play(log, script, judge, start=0):
    """Plays the script's operations from start on; returns their number when it is through."""
    for i in range(start, len(script.ops)):
        kind, key, value = script.ops[i]
        if kind == "flush":
            log.flush()
            if hasattr(log.flash, "sync_now"):
                number = log.number
                log.flash.sync_now()
                log.synced(number)
            judge.acknowledged()
            continue
        judge.sent(kind, key, value)
        if kind == "put":
            log.put(key, value)
        else:
            log.delete(key)
    return len(script.ops)


def cut_during(flash, action, at, mode):
    """Runs action with a cut in the at-th operation; True when it came to that."""
    flash.cut(at, mode)
    try:
        action()
    except PowerCut:
        flash.power_on()
        return True
    flash.power_on()
    return False
