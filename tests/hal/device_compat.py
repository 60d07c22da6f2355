"""hal/compat, hal/files and hal/errors: the same answers from both Pythons."""

import asyncio
import binascii
import sys
import unittest

from hal import compat, errors, files

FOLDER = "/tmp/printwright-device-test"
# made by: gzip.compress(b"printwright " * 40, mtime=0)
GZIP = binascii.unhexlify("1f8b08000000000002032b28cacc2b292fca4ccf28512818650f3b3600fd7cedbbe0010000")
PLAIN = b"printwright " * 40


class Bytes:
    """A reader over bytes that gives a few at a time."""

    def __init__(self, data, most):
        self.data = data
        self.most = most

    def readinto(self, buf):
        n = min(len(buf), self.most, len(self.data))
        buf[:n] = self.data[:n]
        self.data = self.data[n:]
        return n


def inflate(data, kind, most=5, size=100):
    reader = compat.inflater(Bytes(data, most), kind)
    buf = bytearray(size)
    whole = b""
    while True:
        n = reader.readinto(buf)
        if not n:
            return whole
        whole += bytes(memoryview(buf)[:n])


class TestCompat(unittest.TestCase):
    def test_ticks(self):
        start = compat.ticks_ms()
        self.assertEqual(compat.ticks_diff(compat.ticks_add(start, 250), start), 250)
        self.assertEqual(compat.ticks_diff(start, compat.ticks_add(start, 250)), -250)
        late = compat.ticks_add(start, (1 << 28) - 1)
        self.assertEqual(compat.ticks_diff(compat.ticks_add(late, 500), late), 500)
        self.assertTrue(0 <= compat.ticks_diff(compat.ticks_ms(), start) < 60000)

    def test_hashes(self):
        digest = compat.sha256()
        digest.update(memoryview(b"abc"))
        self.assertEqual(digest.digest().hex()[:16], "ba7816bf8f01cfea")
        self.assertEqual(compat.crc32(b"123456789"), 0xCBF43926)
        self.assertEqual(compat.crc32(b"6789", compat.crc32(b"12345")), 0xCBF43926)

    def test_seldom_used_code_is_not_kept(self):
        steps = compat.seldom("hal.kdf", "steps")
        out = bytearray(32)
        for _ in steps(b"pass", b"salt", 2, out):
            pass
        self.assertTrue(any(out))
        self.assertIs(compat.seldom("hal.errors", "DataError"), errors.DataError)
        self.assertTrue("hal.errors" in sys.modules)
        if compat.mem_free() is not None:
            self.assertFalse("hal.kdf" in sys.modules)

    def test_random_bytes(self):
        one = compat.urandom(16)
        self.assertEqual(len(one), 16)
        self.assertTrue(one != compat.urandom(16))

    def test_clock(self):
        now = compat.unix_s()
        self.assertTrue(now is None or now > 1704067200)

    def test_inflate(self):
        self.assertEqual(inflate(GZIP, compat.GZIP), PLAIN)
        self.assertEqual(inflate(GZIP, compat.GZIP, 1, 1), PLAIN)
        self.assertEqual(inflate(GZIP[10:-8], compat.DEFLATE), PLAIN)

    def test_broken_compressed_data(self):
        for data in (b"no gzip at all, just text", GZIP[:15], b""):
            try:
                inflate(data, compat.GZIP)
                self.fail("accepted")
            except errors.DataError as e:
                self.assertEqual(e.code, errors.E_DATA)

    def test_time_out(self):
        async def slow():
            await compat.sleep_ms(5000)

        async def go():
            try:
                await compat.wait_for_ms(slow(), 20)
            except compat.TimeoutError:
                return "late"

        self.assertEqual(asyncio.run(go()), "late")


class TestFiles(unittest.TestCase):
    def test_life_of_a_file(self):
        files.makedirs(FOLDER + "/a/b")
        files.makedirs(FOLDER + "/a/b")
        name = FOLDER + "/a/b/one"
        with open(name, "wb") as file:
            file.write(b"12345")
            files.sync(file)
        self.assertEqual(files.file_size(name), 5)
        with open(name + "2", "wb") as file:
            file.write(b"1")
        files.replace(name, name + "2")
        self.assertEqual(files.listdir(FOLDER + "/a/b"), ["one2"])
        self.assertEqual(files.file_size(name + "2"), 5)
        self.assertTrue(files.remove(name + "2"))
        self.assertFalse(files.remove(name + "2"))
        self.assertEqual(files.file_size(name + "2"), None)
        self.assertTrue(files.is_dir(FOLDER))
        self.assertFalse(files.exists(FOLDER + "/no/such"))
        self.assertTrue(files.free_bytes(FOLDER) > 0)

    def test_errors_have_numbers_of_this_runtime(self):
        try:
            open(FOLDER + "/no/such/file", "rb")
            self.fail("opened")
        except OSError as e:
            self.assertEqual(e.errno, files.ENOENT)
            self.assertFalse(files.is_full(e))


class TestErrors(unittest.TestCase):
    def test_tree(self):
        error = errors.ConfigError("pcb.x", "missing")
        self.assertEqual((error.path, error.problem, error.code, str(error)), ("pcb.x", "missing", errors.E_CONFIG, "pcb.x: missing"))
        self.assertTrue(isinstance(errors.StorageFull("full"), errors.StorageError))
        self.assertTrue(isinstance(errors.SensorError("bed", "open"), errors.HalError))
        self.assertEqual(errors.HalError("x", 77).code, 77)


if __name__ == "__main__":
    unittest.main()
