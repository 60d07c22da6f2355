"""Record log, its index and the packing of values, on both Pythons."""

import unittest

from firmware.jobs import packing
from firmware.jobs.keyindex import KeyIndex
from firmware.jobs.records import RecordLog
from hal.errors import BusyError, StorageError, StorageFull
from tests.firmware.jobs.helpers_flash import FakeFlash


def make(flash=None, max_keys=16, **options):
    flash = flash or FakeFlash(8192, 1024, 64)
    log = RecordLog(flash, 0, flash.size, max_keys, **options)
    log.mount()
    return log


def again(log):
    """The same flash after a restart."""
    other = RecordLog(log.flash, 0, log.flash.size, 16)
    other.mount()
    return other


class TestKeyIndex(unittest.TestCase):
    def test_agrees_with_a_dict(self):
        index = KeyIndex(20)
        model = {}
        x = 1
        for _ in range(600):
            x = (x * 1103515245 + 12345) & 0x3FFFFFFF
            key = 0x7FFFFFF0 + (x >> 8) % 32
            if (x >> 16) % 3:
                place = 1 + (x >> 4) % 1000
                done = index.set(key, place)
                self.assertEqual(done, key in model or len(model) < 20)
                if done:
                    model[key] = place
            else:
                index.remove(key)
                model.pop(key, None)
            self.assertEqual(index.count, len(model))
            self.assertEqual(index.get(key), model.get(key, 0))
        self.assertEqual(sorted(index.keys()), sorted(model))
        for key in model:
            self.assertEqual(index.get(key), model[key])


class TestPacking(unittest.TestCase):
    def test_values_come_back(self):
        for value in (
            None,
            True,
            False,
            0,
            1,
            -1,
            63,
            64,
            -64,
            -65,
            2**31 - 1,
            -(2**31),
            2**40,
            "",
            "Gehäuse",
            b"",
            b"\x00\xff" * 100,
            [],
            (),
            {},
            [1, (2, [b"3", {"4": None}])],
            {"materials-col": b"\x34\x00", "list": [True, False]},
        ):
            out = bytearray()
            packing.pack_into(out, value)
            got, end = packing.unpack(out)
            self.assertEqual(end, len(out))
            self.assertEqual(got, value)
            self.assertEqual(type(got), type(value))

    def test_cut_short_anywhere_is_an_error(self):
        out = bytearray()
        packing.pack_into(out, [1, "two", b"three", {"k": (None, 300)}])
        for n in range(len(out)):
            self.assertRaises(packing.PackingError, packing.unpack, bytes(out[:n]))

    def test_nonsense_is_an_error(self):
        for raw in (b"\x63", b"\x03" + b"\xff" * 20, b"\x06\xff\xff\xff\x7f", b"\x05\x02\xff\xfe", b"\x08\x01\x08\x00\x00"):
            self.assertRaises(packing.PackingError, packing.unpack, raw)
        deep = None
        for _ in range(packing.DEPTH_MAX + 1):
            deep = [deep]
        self.assertRaises(packing.PackingError, packing.pack_into, bytearray(), deep)
        self.assertRaises(packing.PackingError, packing.pack_into, bytearray(), object())


class TestRecordLog(unittest.TestCase):
    def test_empty(self):
        log = make()
        self.assertEqual(log.count, 0)
        self.assertTrue(log.get(1) is None)
        self.assertEqual(list(log.keys()), [])
        self.assertEqual(log.flash.ops, 0)

    def test_latest_value_counts(self):
        log = make()
        log.put(1, b"one")
        log.put(2, b"two")
        log.put(1, b"uno")
        log.delete(2)
        log.delete(3)
        for one in (log, None):
            if one is None:
                log.flush()
                one = again(log)
            self.assertEqual(one.get(1), b"uno")
            self.assertTrue(one.get(2) is None)
            self.assertTrue(1 in one and 2 not in one)
            self.assertEqual(one.count, 1)
            self.assertEqual(one.live_bytes, 15)

    def test_unflushed_is_readable_but_not_there_after_a_restart(self):
        log = make()
        log.put(1, b"kept")
        log.flush()
        log.put(1, b"lost")
        self.assertEqual(log.get(1), b"lost")
        self.assertEqual(again(log).get(1), b"kept")

    def test_values_longer_than_a_page_and_peek(self):
        log = make()
        value = bytes(range(256)) + b"end"
        log.put(0x80000001, value)
        self.assertEqual(log.get(0x80000001), value)
        log.flush()
        log = again(log)
        self.assertEqual(log.get(0x80000001), value)
        head = bytearray(5)
        self.assertEqual(log.peek(0x80000001, head), 5)
        self.assertEqual(bytes(head), value[:5])
        self.assertEqual(log.peek(7, head), -1)

    def test_goes_round_for_ever(self):
        log = make()
        log.put(9, b"old but live")
        for i in range(400):
            log.put(i % 5, b"value %d " % i + b"x" * (i % 90))
            if i % 7 == 0:
                log.flush()
        log.flush()
        self.assertTrue(log.erased > 16)
        log = again(log)
        self.assertEqual(log.get(9), b"old but live")
        for i in range(395, 400):
            self.assertEqual(log.get(i % 5), b"value %d " % i + b"x" * (i % 90))
        self.assertEqual(log.count, 6)

    def test_full_changes_nothing_and_deleting_makes_room(self):
        log = make(max_keys=100)
        n = 0
        try:
            while True:
                log.put(n, bytes(100))
                n += 1
        except StorageFull:
            pass
        self.assertTrue(n * 112 > log.usable_bytes * 9 // 10)
        self.assertEqual(log.count, n)
        self.assertFalse(log.has_room(n, 100))
        self.assertTrue(log.has_room(0, 100))
        for i in range(300):
            log.put(i % n, b"%d" % i + bytes(97))
        self.assertEqual(log.count, n)
        log.delete(0)
        log.put(n, bytes(100))
        log.flush()
        other = RecordLog(log.flash, 0, log.flash.size, 100)
        other.mount()
        self.assertEqual(other.count, n)
        self.assertEqual(other.get(n), bytes(100))

    def test_limits(self):
        log = make(max_keys=2)
        self.assertRaises(StorageFull, log.put, 1, bytes(log.value_bytes_max + 1))
        log.put(1, bytes(log.value_bytes_max))
        log.put(2, b"")
        self.assertRaises(StorageFull, log.put, 3, b"")
        self.assertEqual(log.get(2), b"")
        self.assertEqual(len(log.get(1)), log.value_bytes_max)
        self.assertRaises(StorageError, RecordLog, FakeFlash(1024, 1024, 64), 0, 1024, 4)
        self.assertRaises(StorageError, RecordLog, FakeFlash(4096, 1024, 64), 100, 2048, 4)
        self.assertRaises(StorageError, RecordLog, FakeFlash(4096, 1024, 64), 1024, 4096, 4)
        self.assertRaises(StorageError, RecordLog, FakeFlash(256, 64, 64), 0, 256, 4)

    def test_a_failing_program_loses_nothing_before_it_and_heals(self):
        for length in (10, 60, 100, 200):
            log = make()
            log.put(1, b"before")
            log.flush()
            log.flash.fail = StorageError("worn")
            failed = False
            try:
                log.put(2, bytes([7]) * length)
                log.flush()
            except StorageError:
                failed = True
            self.assertTrue(failed)
            self.assertEqual(log.get(1), b"before")
            log.put(3, b"after")
            log.flush()
            there = log.get(2)
            self.assertTrue(there is None or there == bytes([7]) * length)
            other = again(log)
            self.assertEqual(other.get(1), b"before")
            self.assertEqual(other.get(3), b"after")
            self.assertEqual(other.get(2), there)

    def test_a_failing_rotation_loses_nothing(self):
        for error in (StorageError, BusyError):
            self.failing_rotation(error)

    def failing_rotation(self, error):
        log = make(FakeFlash(2048, 1024, 64))
        log.put(1, b"live")
        log.flush()
        while log._at + log._fill < 900:
            log.put(2, bytes(100))
            log.flush()
        log.flash.fail = error("worn")
        self.assertRaises(error, log.put, 3, bytes(180))
        self.assertTrue(log.get(3) is None)
        self.assertEqual(log.get(1), b"live")
        self.assertEqual(again(log).get(1), b"live")
        log.put(3, bytes(180))
        log.flush()
        self.assertEqual(again(log).get(3), bytes(180))
        self.assertEqual(again(log).get(1), b"live")

    def test_foreign_bytes_are_no_records(self):
        flash = FakeFlash(4096, 1024, 64)
        x = 5
        for i in range(flash.size):
            x = (x * 1103515245 + 12345) & 0x3FFFFFFF
            flash.data[i] = x >> 16 & 0xFF
        log = make(flash)
        self.assertEqual(log.count, 0)
        log.put(1, b"first")
        log.flush()
        self.assertEqual(again(log).get(1), b"first")

    def test_one_damaged_record_hurts_no_other(self):
        log = make()
        for key in range(6):
            log.put(key, b"value %d" % key)
            log.flush()
        place = log.flash.data.find(b"value 3")
        log.flash.data[place] ^= 0x40
        self.assertRaises(StorageError, log.get, 3)
        other = again(log)
        for key in range(6):
            self.assertEqual(other.get(key), None if key == 3 else b"value %d" % key)

    def test_a_value_that_looks_like_a_record_is_none(self):
        log = make()
        log.put(1, b"victim")
        log.flush()
        image = bytes(log.flash.data[20:64])
        # page after page holds a copy of real records, and then the record around them is cut off
        log.put(2, (image + bytes(64))[:64] * 5)
        log.flush()
        place = log.flash.data.find(image, 64)
        self.assertTrue(place > 0)
        log.flash.data[place - 12] ^= 1
        other = again(log)
        self.assertTrue(other.get(2) is None)
        self.assertEqual(other.count, 1)


if __name__ == "__main__":
    unittest.main()
