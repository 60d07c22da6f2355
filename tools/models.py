"""Small solids for the slicing recipes (tools/vectors.py), written as binary STL.

Each solid is a list of closed shells of triangles; shells may overlap (slicers unite them).  Lengths in mm.  No slicer is needed here.
"""

import math
import struct


def write_stl(path, triangles):
    """Writes triangles ((x, y, z) x 3, counter-clockwise seen from outside) as a binary STL file."""
    with open(path, "wb") as out:
        out.write(b"printwright test model".ljust(80, b"\0") + struct.pack("<I", len(triangles)))
        for triangle in triangles:
            out.write(struct.pack("<12fH", 0, 0, 0, *[value for corner in triangle for value in corner], 0))


def _strip(lower, upper):
    """Wall between two closed rings of as many points, outside on the right of their direction."""
    wall = []
    for i in range(len(lower)):
        j = (i + 1) % len(lower)
        wall.append((lower[i], lower[j], upper[j]))
        wall.append((lower[i], upper[j], upper[i]))
    return wall


def _fan(ring, up):
    """Flat lid over a star-shaped ring."""
    n = len(ring)
    middle = tuple(sum(p[k] for p in ring) / n for k in range(3))
    lid = []
    for i in range(n):
        a, b = ring[i], ring[(i + 1) % n]
        lid.append((middle, a, b) if up else (middle, b, a))
    return lid


def loft(rings):
    """A solid through rings (counter-clockwise from above, bottom to top), each star-shaped."""
    solid = _fan(rings[0], False) + _fan(rings[-1], True)
    for lower, upper in zip(rings, rings[1:], strict=False):
        solid += _strip(lower, upper)
    return solid


def tube(outer, inner, z0, z1):
    """A plate between two heights whose outline `outer` and hole `inner` are lists of as many (x, y), both counter-clockwise."""
    ring = [[(x, y, z) for x, y in outline] for outline in (outer, inner) for z in (z0, z1)]
    outer0, outer1, inner0, inner1 = ring
    return _strip(outer0, outer1) + _strip(inner1, inner0) + _strip(outer1, inner1) + _strip(inner0, outer0)


def circle(radius, n, x=0.0, y=0.0, phase=0.0):
    """n points of a circle, counter-clockwise."""
    return [(x + radius * math.cos(phase + 2 * math.pi * i / n), y + radius * math.sin(phase + 2 * math.pi * i / n)) for i in range(n)]


def cube(width, height):
    """A box with a square base."""
    h = width / 2
    base = [(-h, -h), (h, -h), (h, h), (-h, h)]
    return loft([[(x, y, z) for x, y in base] for z in (0.0, height)])


def vase(radius, height, n, rings, lobes=5, depth=0.08, twist=1.0):
    """A twisted, waisted solid with a lobed outline of n points: smooth curves in short chords."""
    shells = []
    for k in range(rings + 1):
        t = k / rings
        size = radius * (0.8 + 0.25 * math.sin(2.6 * t + 0.4))
        ring = []
        for i in range(n):
            a = 2 * math.pi * i / n
            r = size * (1 + depth * math.cos(lobes * a + 2 * math.pi * twist * t))
            ring.append((r * math.cos(a), r * math.sin(a), height * t))
        shells.append(ring)
    return loft(shells)


def gear(teeth, module, bore, height):
    """A spur gear with trapezoidal teeth, rounded flanks left to the slicer, and a round bore."""
    pitch = teeth * module / 2
    outline = []
    for tooth in range(teeth):
        for share, r in ((0.0, -1.25), (0.20, -1.25), (0.30, -0.2), (0.38, 1.0), (0.62, 1.0), (0.70, -0.2), (0.80, -1.25), (0.9, -1.25)):
            a = 2 * math.pi * (tooth + share) / teeth
            outline.append(((pitch + r * module) * math.cos(a), (pitch + r * module) * math.sin(a)))
    inner = [(bore / 2 * x / math.hypot(x, y), bore / 2 * y / math.hypot(x, y)) for x, y in outline]
    return tube(outline, inner, 0.0, height)


def plate(width, hole, height):
    """Four square tiles side by side, each with a round hole of another size: corners, circles, travel."""
    solid = []
    n = 64
    for tile, (cx, cy) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        ox, oy = cx * width / 4, cy * width / 4
        outer = []
        for i in range(n):
            a = 2 * math.pi * (i + 0.5) / n
            reach = width / 4 / max(abs(math.cos(a)), abs(math.sin(a)))
            outer.append((ox + reach * math.cos(a), oy + reach * math.sin(a)))
        corners = [(ox + sx * width / 4, oy + sy * width / 4) for sx, sy in ((1, 1), (-1, 1), (-1, -1), (1, -1))]
        for k, corner in enumerate(corners):  # the sample nearest to each corner is moved onto it
            outer[(n // 8 + k * n // 4) % n] = corner
        solid += tube(outer, circle(hole / 2 * (0.55 + 0.15 * tile), n, ox, oy, math.pi / n), 0.0, height)
    return solid


def boat(length, height, n=48):
    """A hull with a flared bow, a cabin with a round window hole above it, and a chimney tube."""
    rings = []
    for k in range(9):
        t = k / 8
        beam = length * (0.17 + 0.08 * t)
        bow = 0.42 + 0.16 * t
        ring = []
        for i in range(n):
            a = 2 * math.pi * i / n
            c, s = math.cos(a), math.sin(a)
            x = length * (bow if c > 0 else 0.40 + 0.02 * t) * (abs(c) ** 0.9) * (1 if c > 0 else -1)
            ring.append((x, beam * s * (1 - 0.35 * max(c, 0.0)), height * 0.45 * t))
        rings.append(ring)
    hull = loft(rings)
    q = length * 0.14
    n2 = 32
    square = []
    for i in range(n2):
        a = 2 * math.pi * (i + 0.5) / n2
        reach = q / max(abs(math.cos(a)), abs(math.sin(a)))
        square.append((reach * math.cos(a), reach * math.sin(a)))
    cabin = tube(square, circle(q * 0.55, n2, 0, 0, math.pi / n2), height * 0.44, height * 0.8)
    chimney = tube(circle(q * 0.5, n2, -length * 0.25), circle(q * 0.28, n2, -length * 0.25), height * 0.44, height)
    return hull + cabin + chimney
