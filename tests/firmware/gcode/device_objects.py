"""Objects of a document and the text of its lines, on both Pythons."""

import unittest

from firmware.gcode.lines import Lines
from firmware.gcode.objects import Objects


class TestObjects(unittest.TestCase):
    def test_commands(self):
        objects = Objects()
        for line, current in (
            ("EXCLUDE_OBJECT_DEFINE NAME='a box' POLYGON=[[1,2.5],[30.25,4],[1,2]] CENTER=1,1", -1),
            ("exclude_object_start name=\"A BOX\" ; here", 0),
            ("EXCLUDE_OBJECT_END", -1),
            ("EXCLUDE_OBJECT_START NAME=b", 1),
            ("M486 S-1", -1),
            ("M486 S5 A'five'", 2),
        ):
            self.assertTrue(objects.take(line) is None, line)
            self.assertEqual(objects.current, current)
        self.assertEqual(objects.found, [("a box", (100, 200, 3025, 400)), ("b", None), ("five", None)])
        self.assertTrue("only" in (objects.take("EXCLUDE_OBJECT NAME=b") or ""))

    def test_lines_over_buffers(self):
        text = b"G1 X5\r\n EXCLUDE_OBJECT_START NAME=W\xc3\xbcrfel\r\nM486 S3\nG1 X1 \n"
        for size in range(1, len(text) + 1):
            lines = Lines()
            got = []
            for start in range(0, len(text), size):
                buf = bytearray(text[start : start + size])
                for i in range(len(buf)):
                    line = lines.line(buf, i + 1)
                    if buf[i] in b"\r\n" and line[:1] in ("E", "M"):
                        if not got or got[-1] != line:
                            got.append(line)
                lines.keep(buf, len(buf))
            self.assertEqual(got, ["EXCLUDE_OBJECT_START NAME=W\u00fcrfel", "M486 S3"], size)


if __name__ == "__main__":
    unittest.main()
