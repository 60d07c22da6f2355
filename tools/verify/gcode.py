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

STOPS = {"M109", "M190", "M191", "M400", "M600"}  # motion ends before these, T and G28 (design.md section 3)
PLANES = {"G17": (0, 1, 2), "G18": (2, 0, 1), "G19": (1, 2, 0)}  # the plane's axes, right-handed, and the one across

_WORD = re.compile(r"([A-Z])[ \t]*([-+]?(?:\d+\.?\d*|\.\d+))?")
_FAST = re.compile(r"G[01](?: X(-?[\d.]+))?(?: Y(-?[\d.]+))?(?: Z(-?[\d.]+))?(?: E(-?[\d.]+))?(?: F([\d.]+))?$")


class VerifyError(ValueError):
    """G-code that the verifier cannot follow; the message names the line."""


class Moves:
    """Segments of the whole file as numpy arrays of one length (n), and their n + 1 corners.

    points: (n + 1, 4) mm, x y z and the filament fed since the start.  line: line number (from 1).  feed: mm/s as asked for.
    accel, scv, e_jump, {x,y,z,e}_{speed,accel}: limits in force.  arc: radius in mm for pieces of arcs, else 0.  tool: the extruder
    that moves.  advance: pressure advance of that extruder in s.
    stop: (n + 1), time in s that the motion must stand at the corner, -1 where it need not stop.
    """

    AXIS_LIMITS = ("x_speed", "y_speed", "z_speed", "e_speed", "x_accel", "y_accel", "z_accel", "e_accel")
    FIELDS = ("line", "feed", "accel", "scv", "e_jump", *AXIS_LIMITS, "arc", "tool", "advance")

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
        self.tool = self.tool.astype(np.int64)
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
        self.scv = limits["scv"]
        self.e_jump = limits.get("e_scv", math.inf)
        speeds = limits.get("axis_velocity") or [limits["max_velocity"]] * 2 + [limits["max_z_velocity"]]
        accels = limits.get("axis_accel") or [limits["max_accel"]] * 2 + [limits["max_z_accel"]]
        # of the machine, and in force
        self.most_speed = dict(zip("XYZE", [*speeds, limits.get("max_e_velocity", math.inf)], strict=True))
        self.most_accel = dict(zip("XYZE", [*accels, limits["max_e_accel"]], strict=True))
        self.axis_speed, self.axis_accel = dict(self.most_speed), dict(self.most_accel)
        extruders = header.get("extruders") or [{}]
        self.offsets = [extruder.get("offset_mm", [0.0] * 3) for extruder in extruders]
        self.advance = [extruder.get("advance_s", 0.0) for extruder in extruders]
        self.most_advance = list(self.advance)
        self.pressed = []  # lines of M900 that ended the motion
        self.tool = 0
        self.plane = PLANES["G17"]
        self.retraction = header.get("retraction") or {}
        self.lifted = {}  # tool -> height of the lift while it is retracted by G10
        self.place = list(self.home)  # in the text's coordinates, of the nozzle in force; `at` is the carriage's
        self.overrides = {line: tells for line, *tells in header.get("overrides") or ()}
        self.speed, self.flow, self.baby = 1.0, 1.0, 0.0
        self.taken = self._shifts()  # what the carriage has taken of them
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
        raw["feed"].append(min(feed, self.machine["max_velocity"]) if to[:3] != self.at else feed)
        raw["accel"].append(accel)
        raw["scv"].append(self.scv)
        raw["e_jump"].append(self.e_jump)
        for letter in "XYZE":
            raw[letter.lower() + "_speed"].append(self.axis_speed[letter])
            raw[letter.lower() + "_accel"].append(self.axis_accel[letter])
        raw["arc"].append(arc)
        raw["tool"].append(self.tool)
        raw["advance"].append(self.advance[self.tool])
        self.at = list(to)
        self.e_total = e_total
        moves.coordinates.extend((*to, e_total))

    def _stop(self, seconds):
        corner = len(self.moves.raw["line"])
        self.moves.stops[corner] = max(self.moves.stops.get(corner, 0.0), 0.0) + seconds

    def _accel(self, to, de):
        if to == self.at:
            return self.retract_accel
        return self.print_accel if de > 0 else self.travel_accel

    def _shift(self, axis):
        """From a coordinate of the text to the carriage's."""
        return (self.lifted.get(self.tool, 0.0) if axis == 2 else 0.0) - self.offsets[self.tool][axis]

    def _shifts(self):
        return [self._shift(axis) for axis in range(3)]

    def _carriage(self, place):
        """To the nanometre, so that what is at the same place compares equal."""
        at = [round(place[axis] + self._shift(axis), 6) for axis in range(3)]
        at[2] = round(at[2] + self.baby, 6)
        return at

    def move(self, words, kind):
        """G0 to G3; words: letter -> float."""
        unit = 25.4 if self.inch else 1.0
        if "F" in words:
            self.feed = words["F"] * unit / 60
        place, moves_axes = list(self.place), kind >= 2
        for axis, letter in enumerate("XYZ"):
            if letter in words:
                place[axis] = words[letter] * unit + (place[axis] if self.relative else 0.0)
                moves_axes = True
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
        to = self._carriage(place) if moves_axes else list(self.at)
        waits = self._shifts() != self.taken
        if moves_axes:
            self.taken = self._shifts()
        if kind >= 2 or (moves_axes and de > 0 and waits):
            # behind a T a nozzle that is to draw goes to its place first; baby steps come along a line, but before an arc
            self._segment(self._carriage(self.place), self.e_total, self.feed * self.speed, self.travel_accel)
        self.place = place
        if kind < 2:
            self._segment(to, self.e_total + de * self.flow, self.feed * self.speed, self._accel(to, de))
        else:
            self._arc(to, de * self.flow, words, unit, kind == 2)

    def _arc(self, to, de, words, unit, clockwise):
        p, q, across = self.plane
        p0, q0 = self.at[p], self.at[q]
        if "R" in words:
            radius = words["R"] * unit
            dp, dq = to[p] - p0, to[q] - q0
            half = math.hypot(dp, dq) / 2
            rise = math.sqrt(max(radius * radius - half * half, 0.0)) / (2 * half)
            if clockwise != (radius < 0):
                rise = -rise
            cp, cq = (p0 + to[p]) / 2 - dq * rise, (q0 + to[q]) / 2 + dp * rise
        else:
            cp, cq = p0 + words.get("IJK"[p], 0.0) * unit, q0 + words.get("IJK"[q], 0.0) * unit
        radius0, radius1 = math.hypot(p0 - cp, q0 - cq), math.hypot(to[p] - cp, to[q] - cq)
        angle0 = math.atan2(q0 - cq, p0 - cp)
        turn = math.atan2(to[q] - cq, to[p] - cp) - angle0
        if clockwise:
            turn = -(-turn % (2 * math.pi) or 2 * math.pi)
        else:
            turn = turn % (2 * math.pi) or 2 * math.pi
        radius = max(radius0, radius1, 1e-6)
        step = 2 * math.acos(max(1 - ARC_ERROR_MM / radius, -1.0))
        n = max(1, math.ceil(abs(turn) / step))
        accel = self._accel(to if to != self.at else [None], de)
        start, e0 = self.at[across], self.e_total
        # where the two radii differ, the miss of the exact circle is spread along the arc
        miss_p = to[p] - cp - radius0 * math.cos(angle0 + turn)
        miss_q = to[q] - cq - radius0 * math.sin(angle0 + turn)
        point = [0.0] * 3
        for i in range(1, n + 1):
            share = i / n
            angle = angle0 + turn * share
            point[p] = cp + radius0 * math.cos(angle) + miss_p * share
            point[q] = cq + radius0 * math.sin(angle) + miss_q * share
            point[across] = start + (to[across] - start) * share
            self._segment(to if i == n else list(point), e0 + de * share, self.feed * self.speed, accel, radius)

    def home_travel(self, words):
        """G28 after motion: x and y travel to the home position, then z."""
        named = [letter in words for letter in "XYZ"]
        if not any(named):
            named = [True] * 3
        to = [self.home[axis] if named[axis] and axis < 2 else self.at[axis] for axis in range(3)]
        self._segment(to, self.e_total, NO_LIMIT, self.machine["max_accel"])
        if named[2]:
            to = [*to[:2], self.home[2]]
            self._segment(to, self.e_total, NO_LIMIT, self.machine["max_accel"])
        self.place = [round(self.at[axis] - self._shift(axis), 6) if named[axis] else self.place[axis] for axis in range(3)]
        if named[2] and self.tool in self.lifted:
            self.lifted[self.tool] = 0.0
        self.taken = [self._shift(axis) if named[axis] else self.taken[axis] for axis in range(3)]
        self._stop(0.0)

    def choose(self, tool):
        """T: motion ends; the carriage goes to the new nozzle's places with the next move."""
        if not 0 <= tool < len(self.offsets):
            raise VerifyError("line %d: no tool T%d" % (self.line, tool))
        self._stop(0.0)
        self.tool = tool

    def retract(self, back):
        """G10 (back) and G11: filament, and the lift of z."""
        if (self.tool in self.lifted) == back:
            return
        tells = self.retraction
        lift = tells.get("lift_mm", 0.0) if back else self.lifted[self.tool]
        if back:
            self.lifted[self.tool] = lift
        else:
            del self.lifted[self.tool]
        up = list(self.at)
        if lift:  # where the nozzle in force has to be: behind a T its offset comes along
            up[2] = self._carriage(self.place)[2]
            self.taken[2] = self._shift(2)
        if back:
            self._pull(-tells["retract_mm"], tells["retract_mm_s"])
        self._segment(up, self.e_total, NO_LIMIT, self.travel_accel)
        if not back:
            self._pull(tells["retract_mm"] + tells["extra_mm"], tells["unretract_mm_s"])

    def _pull(self, de, speed):
        self._segment(list(self.at), self.e_total + de, speed, self.retract_accel)

    # -- lines ---------------------------------------------------------------------------------------------------------------

    def take(self, text):
        """One line."""
        self.line += 1
        if self.line in self.overrides:
            speed, flow, baby_um = self.overrides[self.line]
            self.speed, self.flow, self.baby = speed / 1000, flow / 1000, baby_um / 1000
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
        elif name in PLANES:
            self.plane = PLANES[name]
        elif name in ("G10", "G11"):
            self.retract(name == "G10")
        elif name == "G28":
            self.home_travel(words)
        elif name[0] == "T":
            self.choose(int(name[1:]))
        elif name in STOPS:
            self._stop(0.0)
        elif name == "M900":
            self._press(words)
        elif name in ("M201", "M203", "M204", "M205"):
            self._limits(name, words)

    def _press(self, words):
        """M900: pressure advance, at most the machine's; where it changes, motion ends first."""
        tool = int(words.get("T", self.tool))
        if "K" not in words or not 0 <= tool < len(self.advance):
            return
        value = min(self.most_advance[tool], words["K"])
        if value != self.advance[tool]:
            self._stop(0.0)
            self.advance[tool] = value
            self.pressed.append(self.line)

    def _limits(self, name, words):
        """Only downwards from the machine's limits."""
        m = self.machine
        if name in ("M201", "M203"):
            now, most = (self.axis_accel, self.most_accel) if name == "M201" else (self.axis_speed, self.most_speed)
            for letter in "XYZE":
                if letter in words:
                    now[letter] = min(most[letter], words[letter])
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
                scv = math.sqrt(words["J"] * self.print_accel / (math.sqrt(2) - 1))
                self.scv = min(m["scv"], max(scv, CORNER_MIN_MM_S))


def _interpret(path, header):
    interpreter = Interpreter(header)
    with open(path, encoding="latin-1", newline=None) as lines:
        start = header.get("start_line", 0)
        for number, line in enumerate(lines):
            if number < start:
                interpreter.line += 1
                continue
            interpreter.take(line.rstrip())
    return interpreter


def read(path, header):
    """Moves of a G-code file, from the start position of a step file's header.  Raises VerifyError, OSError."""
    interpreter = _interpret(path, header)
    interpreter._stop(0.0)
    moves = interpreter.moves.finish()
    moves.lines = interpreter.line
    return moves


def plain_text(path, header):
    """The text (bytes) for the plain stream of a shaped machine: where M900 ends the motion there, M400 does so here."""
    pressed = set(_interpret(path, header).pressed)
    with open(path, "rb") as file:
        return b"".join(b"M400\n" if number in pressed else line for number, line in enumerate(file, 1))
