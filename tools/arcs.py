"""Fits arcs (G2, G3) to chains of short G1 lines, for test vectors: the slicer at hand cannot write arcs itself.

Works on absolute coordinates with absolute E (G90, M82) in millimetres, as PrusaSlicer writes them; everything else is passed on
unchanged.  A chain becomes one arc when every point and every chord's middle lies within `tolerance_mm` of one circle, it turns
one way, and the filament goes with the length.
"""

import math
import re

_LINE = re.compile(r"G1 X(-?[\d.]+) Y(-?[\d.]+) E(-?[\d.]+)\s*$")
_WORD = re.compile(r"([XYEF])(-?[\d.]+)")


def circle_through(a, b, c):
    """(x, y, radius) of the circle through three points, None when they lie on a line."""
    ax, ay = a[0] - c[0], a[1] - c[1]
    bx, by = b[0] - c[0], b[1] - c[1]
    det = 2 * (ax * by - ay * bx)
    if abs(det) < 1e-6:
        return None
    ux = (by * (ax * ax + ay * ay) - ay * (bx * bx + by * by)) / det
    uy = (ax * (bx * bx + by * by) - bx * (ax * ax + ay * ay)) / det
    return c[0] + ux, c[1] + uy, math.hypot(ux, uy)


def _fits(points, tolerance_mm):
    """The circle of a chain of (x, y, e), or None."""
    circle = circle_through(points[0], points[len(points) // 2], points[-1])
    if circle is None or not 0.5 < circle[2] < 200:
        return None
    x, y, radius = circle
    turn = 0.0
    for p, q in zip(points, points[1:], strict=False):
        middle = ((p[0] + q[0]) / 2, (p[1] + q[1]) / 2)
        for place in (q, middle):
            if abs(math.hypot(place[0] - x, place[1] - y) - radius) > tolerance_mm:
                return None
        step = math.atan2(
            (p[0] - x) * (q[1] - y) - (p[1] - y) * (q[0] - x), (p[0] - x) * (q[0] - x) + (p[1] - y) * (q[1] - y)
        )
        if turn * step < 0:
            return None
        turn += step
    lengths = [math.hypot(q[0] - p[0], q[1] - p[1]) for p, q in zip(points, points[1:], strict=False)]
    ratio = (points[-1][2] - points[0][2]) / sum(lengths)
    for (p, q), length in zip(zip(points, points[1:], strict=False), lengths, strict=True):
        if abs((q[2] - p[2]) - ratio * length) > 2e-4 + 0.02 * abs(ratio) * length:
            return None
    return (x, y, radius, turn) if abs(turn) < 6.0 else None


def _write(points, circle):
    x, y, _, turn = circle
    start, end = points[0], points[-1]
    return "%s X%.3f Y%.3f I%.4f J%.4f E%.5f\n" % ("G3" if turn > 0 else "G2", end[0], end[1], x - start[0], y - start[1], end[2])


def fit(lines, tolerance_mm=0.02, least=4):
    """Yields the lines of a file with arcs in place of chains of at least `least` lines."""
    place = [0.0, 0.0, 0.0]
    chain, texts, circle = [], [], None

    def flush():
        if len(texts) >= least and circle:
            yield _write(chain, circle)
        else:
            yield from texts

    for line in lines:
        match = _LINE.match(line)
        if match:
            point = tuple(float(value) for value in match.groups())
            longer = (chain or [tuple(place)]) + [point]
            found = _fits(longer, tolerance_mm) if len(longer) > 2 else None
            if len(longer) > 2 and found is None:
                yield from flush()
                chain, texts, circle = [tuple(place), point], [line], None
            else:
                chain, circle = longer, found
                texts.append(line)
            place[:] = point
            continue
        yield from flush()
        chain, texts, circle = [], [], None
        if line[:2] in ("G1", "G0", "G9"):
            for letter, value in _WORD.findall(line.split(";")[0]):
                if letter in "XYE":
                    place["XYE".index(letter)] = float(value)
        yield line
    yield from flush()
