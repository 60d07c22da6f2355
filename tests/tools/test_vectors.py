"""Solids, arc fitter and what lies in tests/vectors/sliced; no slicer is needed."""

import collections
import math
import os
import re
import struct

import numpy as np
import pytest

from hal import factory
from tools import arcs, models, stepheader, vectors
from tools.verify import gcode

SOLIDS = {name: recipe[1] for name, recipe in vectors.SMALL_RECIPES.items()}


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_are_closed(name, tmp_path):
    triangles = SOLIDS[name]()
    edges = collections.Counter()
    for triangle in triangles:
        corners = [tuple(round(value, 6) for value in corner) for corner in triangle]
        assert len(set(corners)) == 3
        for a, b in zip(corners, corners[1:] + corners[:1]):
            edges[a, b] += 1
    assert all(count == edges[b, a] for (a, b), count in edges.items()), "an edge without its neighbour"
    volume = sum(np.dot(a, np.cross(b, c)) for a, b, c in triangles) / 6
    assert volume > 100, "faces look inwards"
    path = tmp_path / "a.stl"
    models.write_stl(path, triangles)
    raw = path.read_bytes()
    assert len(raw) == 84 + 50 * len(triangles) and struct.unpack_from("<I", raw, 80)[0] == len(triangles)


def interpreted(path):
    return gcode.read(str(path), stepheader.describe_machine(factory.core_config(factory.describe())))


def test_fitted_arcs_follow_the_chords(tmp_path):
    chords = ["G1 X10 Y0 F3000\n", "M82\n", "G92 E0\n"]
    for k in range(1, 41):
        angle = k * 0.1
        chords.append("G1 X%.3f Y%.3f E%.5f\n" % (10 * math.cos(angle), 10 * math.sin(angle), 0.04 * k))
    chords += ["G1 X0 Y0 E2\n", "; end\n"]
    fitted = list(arcs.fit(chords))
    assert len(fitted) < 10 and sum(line.startswith("G3") for line in fitted) == 1
    before, after = tmp_path / "a.gcode", tmp_path / "b.gcode"
    before.write_text("".join(chords))
    after.write_text("".join(fitted))
    old, new = interpreted(before), interpreted(after)
    assert np.allclose(old.points[-1], new.points[-1], atol=1e-3)
    for point in old.points[2:-1]:
        assert np.linalg.norm(new.points[:, :2] - point[:2], axis=1).min() < 0.1
        assert abs(np.hypot(*point[:2]) - 10) < 0.02


def test_what_is_no_arc_is_left_alone():
    for lines in (
        ["G1 X%d Y0 E%d\n" % (k, k) for k in range(10)],
        ["G1 X%d Y%d E%d\n" % (k, k % 2, k) for k in range(10)],
        ["G1 X%.3f Y%.3f E%.3f\n" % (9 * math.cos(k / 9), 9 * math.sin(k / 9), k * k / 9) for k in range(10)],
        ["M104 S200\n", "G1 Z2 F600\n", "\n", "G92 E0\n"],
    ):
        assert list(arcs.fit(lines)) == lines


def test_sliced_files_are_documented_and_small():
    names = {name for name in os.listdir(vectors.SMALL) if name.endswith(".gcode")}
    with open(os.path.join(vectors.SMALL, "PROVENANCE.md"), encoding="utf-8") as file:
        named = set(re.findall(r"`(\w+\.gcode)`", file.read()))
    assert names == named == {name + ".gcode" for name in vectors.SMALL_RECIPES} | {"prusa_plate_arcs.gcode"}
    sizes = [os.path.getsize(os.path.join(vectors.SMALL, name)) for name in names]
    assert max(sizes) < 150_000 and sum(sizes) < 1_000_000
