"""Attributes that are encoded once: the same from memory and from a file."""

import unittest

from firmware.ipp import codec, tags
from firmware.ipp.fixed import Fixed
from hal.errors import StorageError
from hal.sim.files import RamFiles

NAMES = ["printer-name", "printer-info", "color-supported", "x" * 255]


def filled(files):
    fixed = Fixed(files, "attributes0" if files else None)
    for group in ("T", "D"):
        first = fixed.size
        for name in NAMES:
            fixed.add(codec.attribute(tags.KEYWORD, name, [group * 9, "second"]))
        fixed.spans[group] = (first, fixed.size)
    fixed.end()
    return fixed


def joined(pieces):
    return b"".join([bytes(piece) for piece in pieces])


class TestFixed(unittest.TestCase):
    def test_from_a_file_as_from_memory(self):
        files = RamFiles(100000)
        memory = filled(None)
        kept = filled(files)
        self.assertEqual(files.names(), ["attributes0"])
        self.assertEqual(joined(kept.read(0, kept.size)), joined(memory.read(0, memory.size)))
        self.assertTrue(kept.size > 512)
        start, end = kept.spans["D"]
        self.assertEqual(joined(kept.read(start, end)), joined(memory.read(start, end)))
        for names in ((), ("printer-info",), ("nothing", "x" * 255), NAMES):
            names = {name.encode() for name in names}
            for skip in ([], [memory.spans["T"]], [memory.spans["T"], memory.spans["D"]]):
                found = list(memory.single(names, skip))
                self.assertEqual(list(kept.single(names, skip)), found)
                self.assertEqual(len(found), (2 - len(skip)) * len([name for name in names if name != b"nothing"]))

    def test_no_room(self):
        fixed = Fixed(RamFiles(8), "attributes0")
        try:
            fixed.add(codec.attribute(tags.KEYWORD, "printer-name", ["value"]))
        except StorageError:
            return
        self.fail("StorageError expected")


if __name__ == "__main__":
    unittest.main()
