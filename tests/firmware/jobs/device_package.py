"""firmware/jobs/package: G-code out of 3MF packages, and what is refused."""

import struct
import unittest

from firmware.jobs import package
from hal import compat
from hal.errors import DataError

TEXT = b"G28\nG1 X10 F600\nG1 X20\nG1 X30\n" * 2
NAME = b"Metadata/plate_1.gcode"


class Stream:
    """A file in memory, that gives at most so many bytes at once."""

    def __init__(self, data, most=7):
        self.data = data
        self.at = 0
        self.most = most
        self.closed = False

    def seek(self, at):
        self.at = at

    def readinto(self, buf):
        n = min(len(buf), self.most, max(0, len(self.data) - self.at))
        buf[:n] = self.data[self.at : self.at + n]
        self.at += n
        return n

    def close(self):
        self.closed = True


def part(name=NAME, data=TEXT, method=0, packed=None, crc=None, size=None, flags=0, local_name=None):
    """What a package has of one entry: (local part, directory's part without place)."""
    packed = data if packed is None else packed
    crc = compat.crc32(data) if crc is None else crc
    size = len(data) if size is None else size
    shown = name if local_name is None else local_name
    head = struct.pack("<HHHHHIII", 20, flags, method, 0, 0, crc, len(packed), size)
    local = b"PK\x03\x04" + head + struct.pack("<HH", len(shown), 0) + shown + packed
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHHHI", len(name), 0, 0, 0, 0, 0)
    return local, entry, name


def packed(*parts, comment=b"", total=None, shift=0):
    out = b""
    directory = b""
    for local, entry, name in parts:
        directory += entry + struct.pack("<I", len(out) + shift) + name
        out += local
    count = len(parts) if total is None else total
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(out), len(comment))
    return out + directory + end + comment


MODEL = part(b"3D/3dmodel.model", b"<model/>")
GOOD = packed(part(b"[Content_Types].xml", b"<Types/>"), MODEL, part(), part(b"Metadata/plate_1.gcode.md5", b"0" * 32))


def text_of(data, most=7):
    reader = package.PlateReader(Stream(data, most), len(data))
    whole = b""
    buf = bytearray(11)
    while True:
        n = reader.readinto(buf)
        if not n:
            return whole
        whole += bytes(buf[:n])


class PackageTest(unittest.TestCase):
    def refused(self, data, reason, words):
        try:
            text_of(data)
        except package.PackageError as e:
            self.assertEqual(e.reason, reason, e.message)
            self.assertTrue(words in e.message, e.message)
        else:
            self.fail("taken")

    def test_stored(self):
        for most in (1, 5, 10000):
            self.assertEqual(text_of(GOOD, most), TEXT)
        self.assertEqual(text_of(packed(part(), comment=b"PK\x05\x06" + b"x" * 700)), TEXT)
        self.assertEqual(text_of(packed(part(b"metadata/PLATE_7.GCODE"))), TEXT)

    def test_deflated(self):
        raw = b"\x01" + struct.pack("<HH", len(TEXT), len(TEXT) ^ 0xFFFF) + TEXT  # RFC 1951 section 3.2.4: a stored block
        self.assertEqual(text_of(packed(MODEL, part(method=8, packed=raw))), TEXT)
        with self.assertRaises(DataError):
            text_of(packed(part(method=8, packed=raw[:-20])))
        with self.assertRaises(DataError):
            text_of(packed(part(method=8, packed=b"\xff" * 50)))

    def test_unprintable(self):
        for data in (packed(MODEL), packed(), packed(MODEL, part(b"Metadata/x/plate_1.gcode"))):
            self.refused(data, "document-unprintable-error", "model only")
        both = packed(part(), part(b"Metadata/plate_2.gcode"), MODEL)
        self.refused(both, "document-unprintable-error", "2 sliced plates")

    def test_what_is_no_package(self):
        self.refused(b"G28\n" * 100, "document-format-error", "no ZIP directory")
        self.refused(b"", "document-format-error", "no ZIP directory")
        for cut in (1, 10, 22, 40, 200):
            self.refused(GOOD[:-cut], "document-format-error", "no ZIP directory")
        self.refused(b"x" + GOOD, "document-format-error", "damaged")

    def test_damaged(self):
        self.refused(packed(part(), total=3), "document-format-error", "damaged")
        self.refused(packed(part(), MODEL, total=1), "document-format-error", "damaged")
        self.refused(packed(part(local_name=b"Metadata/plate_9.gcode")), "document-format-error", "other parts")
        self.refused(packed(part(), shift=4), "document-format-error", "other parts")
        self.refused(packed(part(), shift=1000000), "document-format-error", "cut off")
        self.refused(packed(part(crc=5)), "compression-error", "checksum")
        self.refused(packed(part(method=8, packed=b"\x01\x01\x00\xfe\xffG", data=b"GG")), "compression-error", "length")
        self.refused(packed(part(method=8, packed=b"\x01\x02\x00\xfd\xffGG", data=b"G")), "compression-error", "longer")
        self.refused(packed(part(size=5)), "document-format-error", "damaged")

    def test_not_for_this_printer(self):
        self.refused(packed(part(flags=1)), "document-format-error", "encrypted")
        self.refused(packed(part(method=14)), "document-format-error", "method 14")
        self.refused(packed(part(size=0xFFFFFFFF)), "document-format-error", "ZIP64")
        self.refused(packed(part(), total=0xFFFF), "document-format-error", "ZIP64")
        self.refused(packed(part(), total=4000), "document-format-error", "more than")
        self.refused(packed(part(method=8, packed=b"x" * 1000, size=300000000)), "compression-error", "200 times")

    def test_close(self):
        stream = Stream(GOOD)
        package.PlateReader(stream, len(GOOD)).close()
        self.assertTrue(stream.closed)


if __name__ == "__main__":
    unittest.main()
