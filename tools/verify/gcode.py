"""G-code to a path: an interpreter of its own for the verifier, in floating point, for what sliced files contain.

It shares no code with the core.  Arcs become chords of at most `ARC_ERROR_MM`.  Commands without motion matter only where they end
look-ahead (a stop) or change limits.  It trusts the text: refusing bad G-code is the core's work, tested elsewhere.
"""

import math
import re
from array import array

import numpy as np

ARC_ERROR_MM = 0.0002
CORNER_MIN_MM_S = 0.1  # M205 with 0 means "nearly stop"
NO_LIMIT = 1e9  # mm/s: the feed of a travel that only the machine's limits bound

STOPS = {"M109", "M190", "M191", "M400", "G28", "T0", "M600"}  # motion ends before these (design.md section 3)

_WORD = re.compile(r"([A-Z])[ \t]*([-+]?(?:\d+\.?\d*|\.\d+))?")
_FAST = re.compile(r"G[01](?: X(-?[\d.]+))?(?: Y(-?[\d.]+))?(?: Z(-?[\d.]+))?(?: E(-?[\d.]+))?(?: F([\d.]+))?$")


class VerifyError(ValueError):
    """G-code that the verifier cannot follow; the message names the line."""


class Moves:
    """Segments of the whole file as numpy arrays of one length (n), and their n + 1 corners.

    points: (n + 1, 4) mm, x y z and the filament fed since the start.  line: line number (from 1).  feed: mm/s as asked for.
    accel, retract_accel, scv, e_jump, z_speed, z_accel, e_speed, e_accel: limits in force.  arc: radius in mm for pieces of arcs, else 0.
    stop: (n + 1), time in s that the motion must stand at the corner, -1 where it need not stop.
    """

    FIELDS = ("line", "feed", "accel", "scv", "e_jump", "z_speed", "z_accel", "e_speed", "e_accel", "arc")

    def __init__(self):
        self.raw = {name: array("d") for name in self.FIELDS}
        self.coordinates = array("d")
        self.stops = {}
        self.lines = 0
        self.moves = 0

    def finish(self):
        """Turns what was collected into numpy arrays."""
        for name in self.FIELDS:
            setattr(self, name, np.frombuffer(self.raw[name], float) if self.raw[name] else np.zeros(0))
        self.points = np.frombuffer(self.coordinates, float).reshape(-1, 4)
        self.line = self.line.astype(np.int64)
        self.stop = np.full(len(self.points), -1.0)
        for corner, seconds in self.stops.items():
            self.stop[corner] = seconds
        return self


class Interpreter:
    """Follows lines of G-code from the start position of a step file's header."""

    def __init__(self, header):
        limits = header["limits"]
        self.machine = limits
        self.home = list(header["start_pos"][:3])
        self.at = list(self.home)
        self.e_total = 0.0
        self.e_word = 0.0
        self.relative = self.relative_e = self.inch = False
        self.feed = 0.0
        self.print_accel = self.travel_accel = self.retract_accel = limits["max_accel"]
        self.path_accel, self.path_speed = limits["max_accel"], limits["max_velocity"]
        self.scv = limits["scv"]
        self.e_jump = limits.get("e_scv", math.inf)
        self.z_speed, self.z_accel = limits["max_z_velocity"], limits["max_z_accel"]
        self.e_speed, self.e_accel = limits.get("max_e_velocity", math.inf), limits["max_e_accel"]
        self.moves = Moves()
        self.moves.coordinates.extend((*self.at, 0.0))
        self.line = 0

    # -- motion --------------------------------------------------------------------------------------------------------------

    def _segment(self, to, e_total, feed, accel, arc=0.0):
        moves = self.moves
        if to == self.at and e_total == self.e_total:
            return
        raw = moves.raw
        raw["line"].append(self.line)
        raw["feed"].append(min(feed, self.path_speed) if to != self.at else feed)
        raw["accel"].append(accel)
        raw["scv"].append(self.scv)
        raw["e_jump"].append(self.e_jump)
        raw["z_speed"].append(self.z_speed)
        raw["z_accel"].append(self.z_accel)
        raw["e_speed"].append(self.e_speed)
        raw["e_accel"].append(self.e_accel)
        raw["arc"].append(arc)
        self.at = list(to)
        self.e_total = e_total
        moves.coordinates.extend((*to, e_total))

    def _stop(self, seconds):
        corner = len(self.moves.raw["line"])
        self.moves.stops[corner] = max(self.moves.stops.get(corner, 0.0), 0.0) + seconds

    def _accel(self, to, de):
        if to == self.at:
            return self.retract_accel
        return min(self.print_accel if de > 0 else self.travel_accel, self.path_accel)

    def move(self, words, kind):
        """G0 to G3; words: letter -> float."""
        unit = 25.4 if self.inch else 1.0
        if "F" in words:
            self.feed = words["F"] * unit / 60
        to = list(self.at)
        for axis, letter in enumerate("XYZ"):
            if letter in words:
                to[axis] = words[letter] * unit + (self.at[axis] if self.relative else 0.0)
        de = 0.0
        if "E" in words:
            value = words["E"] * unit
            if self.relative or self.relative_e:
                de = value
            else:
                de = value - self.e_word
            self.e_word += de
        self.moves.moves += 1
        if not self.feed:
            raise VerifyError("line %d: motion before the first F" % self.line)
        if kind < 2:
            self._segment(to, self.e_total + de, self.feed, self._accel(to, de))
        else:
            self._arc(to, de, words, unit, kind == 2)

    def _arc(self, to, de, words, unit, clockwise):
        x0, y0, z0 = self.at
        if "R" in words:
            radius = words["R"] * unit
            dx, dy = to[0] - x0, to[1] - y0
            half = math.hypot(dx, dy) / 2
            rise = math.sqrt(max(radius * radius - half * half, 0.0)) / (2 * half)
            if clockwise != (radius < 0):
                rise = -rise
            cx, cy = (x0 + to[0]) / 2 - dy * rise, (y0 + to[1]) / 2 + dx * rise
        else:
            cx, cy = x0 + words.get("I", 0.0) * unit, y0 + words.get("J", 0.0) * unit
        radius0, radius1 = math.hypot(x0 - cx, y0 - cy), math.hypot(to[0] - cx, to[1] - cy)
        angle0 = math.atan2(y0 - cy, x0 - cx)
        turn = math.atan2(to[1] - cy, to[0] - cx) - angle0
        if clockwise:
            turn = -(-turn % (2 * math.pi) or 2 * math.pi)
        else:
            turn = turn % (2 * math.pi) or 2 * math.pi
        radius = max(radius0, radius1, 1e-6)
        step = 2 * math.acos(max(1 - ARC_ERROR_MM / radius, -1.0))
        n = max(1, math.ceil(abs(turn) / step))
        accel = self._accel(to if to != self.at else [None], de)
        e0 = self.e_total
        # where the two radii differ, the miss of the exact circle is spread along the arc
        miss_x = to[0] - cx - radius0 * math.cos(angle0 + turn)
        miss_y = to[1] - cy - radius0 * math.sin(angle0 + turn)
        for i in range(1, n + 1):
            share = i / n
            angle = angle0 + turn * share
            point = [
                cx + radius0 * math.cos(angle) + miss_x * share,
                cy + radius0 * math.sin(angle) + miss_y * share,
                z0 + (to[2] - z0) * share,
            ]
            self._segment(to if i == n else point, e0 + de * share, self.feed, accel, radius)

    def home_travel(self, words):
        """G28 after motion: x and y travel to the home position, then z."""
        named = [letter in words for letter in "XYZ"]
        if not any(named):
            named = [True] * 3
        to = [self.home[axis] if named[axis] and axis < 2 else self.at[axis] for axis in range(3)]
        self._segment(to, self.e_total, NO_LIMIT, self.travel_accel_now())
        if named[2]:
            to = [*to[:2], self.home[2]]
            self._segment(to, self.e_total, NO_LIMIT, self.travel_accel_now())
        self._stop(0.0)

    def travel_accel_now(self):
        return min(self.travel_accel, self.path_accel)

    # -- lines ---------------------------------------------------------------------------------------------------------------

    def take(self, text):
        """One line."""
        self.line += 1
        fast = _FAST.match(text)
        if fast:
            words = {letter: float(value) for letter, value in zip("XYZEF", fast.groups(), strict=True) if value is not None}
            if words:
                self.move(words, 0)
            return
        text = text.split(";", 1)[0]
        if "(" in text:
            text = re.sub(r"\([^)]*\)", " ", text)
        text = text.split("*", 1)[0].strip().upper()
        if not text:
            return
        found = _WORD.findall(text)
        if found and found[0][0] == "N":
            found = found[1:]
        if not found or found[0][0] not in "GMT":
            return
        letter, number = found[0]
        name = letter + str(int(float(number or 0))) if "." not in (number or "") else letter + number
        words = {key: float(value) if value else 0.0 for key, value in found[1:]}
        self._command(name, words)

    def _command(self, name, words):
        if name in ("G0", "G1", "G2", "G3"):
            self.move(words, int(name[1]))
        elif name == "G4":
            seconds = words["S"] if "S" in words else words.get("P", 0.0) / 1000
            self._stop(seconds)
        elif name in ("G20", "G21"):
            self.inch = name == "G20"
        elif name in ("G90", "G91"):
            self.relative = name == "G91"
        elif name in ("M82", "M83"):
            self.relative_e = name == "M83"
        elif name == "G92":
            if "E" in words:
                self.e_word = words["E"] * (25.4 if self.inch else 1.0)
        elif name == "G28":
            self.home_travel(words)
        elif name in STOPS:
            self._stop(0.0)
        elif name in ("M201", "M203", "M204", "M205"):
            self._limits(name, words)

    def _limits(self, name, words):
        """Only downwards from the machine's limits."""
        m = self.machine
        if name == "M201":
            if "X" in words or "Y" in words:
                self.path_accel = min(m["max_accel"], *[words[a] for a in "XY" if a in words])
            if "Z" in words:
                self.z_accel = min(m["max_z_accel"], words["Z"])
            if "E" in words:
                self.e_accel = min(m["max_e_accel"], words["E"])
        elif name == "M203":
            if "X" in words or "Y" in words:
                self.path_speed = min(m["max_velocity"], *[words[a] for a in "XY" if a in words])
            if "Z" in words:
                self.z_speed = min(m["max_z_velocity"], words["Z"])
            if "E" in words:
                self.e_speed = min(m.get("max_e_velocity", math.inf), words["E"])
        elif name == "M204":
            if "S" in words:
                self.print_accel = self.travel_accel = min(m["max_accel"], words["S"])
            if "P" in words:
                self.print_accel = min(m["max_accel"], words["P"])
            if "T" in words:
                self.travel_accel = min(m["max_accel"], words["T"])
            if "R" in words:
                self.retract_accel = min(m["max_accel"], words["R"])
        elif name == "M205":
            if "X" in words or "Y" in words:
                self.scv = min(m["scv"], max(min(words[a] for a in "XY" if a in words), CORNER_MIN_MM_S))
            if "E" in words:
                self.e_jump = min(m.get("e_scv", math.inf), max(words["E"], CORNER_MIN_MM_S))
            if "J" in words:  # junction deviation in mm
                accel = min(self.path_accel, self.print_accel)
                self.scv = min(m["scv"], max(math.sqrt(words["J"] * accel / (math.sqrt(2) - 1)), CORNER_MIN_MM_S))


def read(path, header):
    """Moves of a G-code file, from the start position of a step file's header.  Raises VerifyError, OSError."""
    interpreter = Interpreter(header)
    with open(path, encoding="latin-1", newline=None) as lines:
        start = header.get("start_line", 0)
        for number, line in enumerate(lines):
            if number < start:
                interpreter.line += 1
                continue
            interpreter.take(line.rstrip())
    interpreter._stop(0.0)
    moves = interpreter.moves.finish()
    moves.lines = interpreter.line
    return moves
