"""Random G-code that a printer must accept: every kind of move that the verifier follows, in odd mixtures."""

import math
import random

KINDS = ("long", "zigzag", "curve", "tiny", "jitter", "arc", "vase", "retract", "limits", "dwell", "z", "flush")
LINES = ("long", "zigzag", "curve", "tiny", "jitter", "vase")  # kinds of many moves
FEATURES = ("planes", "tools", "retraction", "advance")


class _Writer:
    """One program being written; box: (least, most) of x and y."""

    def __init__(self, seed, box, features, tools):
        self.rng = random.Random(seed)
        self.low, self.high = box
        self.middle = (self.low + self.high) / 2
        self.features, self.tools = features, tools
        self.out = []
        self.feed, self.flow = 3000, 0.04

    def put(self, text, *values):
        self.out.append((text % values if values else text) + "\n")

    def inside(self, *places):
        return all(self.low + 5 < place < self.high - 5 for place in places)

    def start(self):
        rng = self.rng
        half = (self.high - self.low) / 2
        self.put("G28\nG90\nM83\nG1 Z%.2f F600", rng.uniform(0.2, 2))
        self.x, self.y = self.middle + half * rng.uniform(-0.5, 0.3), self.middle + half * rng.uniform(-0.5, 0.3)
        self.z, self.heading = 2.0, rng.uniform(0, 6)
        self.put("G1 X%.3f Y%.3f F9000\nG1 E3 F1500", self.x, self.y)

    # -- single things ---------------------------------------------------------------------------------------------------------

    def retract(self):
        rng = self.rng
        pull, half = rng.uniform(0.1, 2), (self.high - self.low) / 2 - 40
        firmware = "retraction" in self.features and rng.random() < 0.7
        self.put("G10" if firmware else "G1 E-%.4f F2100" % pull)
        if rng.random() < 0.5:
            self.put("G1 Z%.3f F900", self.z + 0.4)
        self.x, self.y = self.middle + half * rng.uniform(-1, 1), self.middle + half * rng.uniform(-1, 1)
        self.put("G%d X%.3f Y%.3f F%d", rng.randrange(2), self.x, self.y, self.feed)
        self.x, self.y = round(self.x, 3), round(self.y, 3)
        self.put("G1 Z%.3f", self.z)
        self.put("G11" if firmware else "G1 E%.4f F2100" % pull)

    def limits(self):
        rng = self.rng
        self.put(
            rng.choice(
                (
                    "M204 S%d" % rng.randrange(200, 6000),
                    "M204 P%d T%d" % (rng.randrange(300, 3000), rng.randrange(300, 9000)),
                    "M205 X%.1f Y8" % rng.uniform(1, 9),
                    "M205 E%.1f" % rng.uniform(1, 9),
                    "M203 X%d Z8" % rng.randrange(30, 400),
                    "M201 X%d Y2000 Z50" % rng.randrange(300, 5000),
                )
            )
        )

    def arc(self):
        rng = self.rng
        radius, angle, sweep = rng.uniform(0.5, 15), rng.uniform(0, 6.28), rng.uniform(0.2, 6.2)
        clockwise = rng.random() < 0.5
        cx, cy = self.x - radius * math.cos(angle), self.y - radius * math.sin(angle)
        end = angle + (-sweep if clockwise else sweep)
        to_x, to_y = cx + radius * math.cos(end), cy + radius * math.sin(end)
        if not self.inside(cx - radius, cx + radius, cy - radius, cy + radius):
            return
        fed = self.flow * radius * sweep
        self.put("G%d X%.4f Y%.4f I%.4f J%.4f E%.5f F%d", 3 - clockwise, to_x, to_y, cx - self.x, cy - self.y, fed, self.feed)
        self.x, self.y = round(to_x, 4), round(to_y, 4)

    def upright_arc(self):
        """In the plane of z and x, or y and z, above where it stands; back to the height that it came from."""
        rng = self.rng
        radius, over_x = rng.uniform(0.5, 8), rng.random() < 0.5
        side = rng.choice((-1, 1))
        to = (self.x if over_x else self.y) + side * 2 * radius
        if not self.inside(to):
            return
        # a half circle upwards: in the plane (z, x) clockwise to +x, in (y, z) to -y
        clockwise = (side > 0) if not over_x else (side < 0)
        along, centre = ("X", "I") if over_x else ("Y", "J")
        self.put("G%d", 18 if over_x else 19)
        self.put("G%d %s%.4f %s%.4f E%.5f F%d", 3 - clockwise, along, to, centre, side * radius, self.flow * 3 * radius, self.feed)
        self.put("G17")
        if over_x:
            self.x = round(to, 4)
        else:
            self.y = round(to, 4)

    def line(self, kind, left, turn, size):
        rng = self.rng
        if kind == "zigzag":
            self.heading += math.pi - 0.1 if left % 2 else -math.pi + 0.1
        elif kind in ("curve", "vase"):
            self.heading += turn
        elif kind == "long":
            self.heading = rng.uniform(0, 6.28)
        elif kind == "jitter":
            self.heading += rng.uniform(-0.05, 0.05)
        step = {"tiny": rng.uniform(0.001, 0.05), "jitter": rng.uniform(0.02, 2), "vase": 0.3}.get(kind, size)
        to_x, to_y = self.x + step * math.cos(self.heading), self.y + step * math.sin(self.heading)
        if not self.inside(to_x, to_y):
            self.heading = math.atan2(self.middle - self.y, self.middle - self.x)
            return False
        if kind == "vase":
            self.z = min(self.z + 0.004, 200)
        digits = 3 if kind != "tiny" else 4
        rise = " Z%.4f" % self.z if kind == "vase" else ""
        self.put("G1 X%.*f Y%.*f%s E%.5f F%d", digits, to_x, digits, to_y, rise, self.flow * step, self.feed)
        self.x, self.y = round(to_x, digits), round(to_y, digits)
        return True

    def special(self, kind):
        """A feature that not every machine has."""
        if kind == "planes":
            self.upright_arc()
        elif kind == "tools":
            self.put("T%d", self.rng.randrange(self.tools))
        elif kind == "advance":
            self.put("M900 K%.3f", self.rng.choice((0, 0.01, 0.02, 1)))


def program(seed, length=150, box=(0, 235), features=(), tools=1):
    """Text of a program; the same for the same arguments.  features: some of FEATURES; tools: extruders of the machine."""
    writer = _Writer(seed, box, features, tools)
    rng = writer.rng
    writer.start()
    kinds = KINDS + tuple(feature for feature in features if feature != "retraction")
    left = turn = size = 0
    kind = "long"
    for _ in range(length):
        if left == 0:
            kind = rng.choice(kinds)
            left = rng.randrange(2, 25) if kind in LINES else 1
            writer.feed = rng.choice((300, 900, 1800, 3600, 6000, 9000, 15000, 30000))
            writer.flow = rng.choice((0, 0.02, 0.04, 0.05))
            turn = rng.uniform(-0.25, 0.25)
            size = {"long": rng.uniform(1, 40), "zigzag": rng.uniform(0.3, 10), "curve": rng.uniform(0.05, 1.5)}.get(kind, 0.02)
        left -= 1
        if kind == "retract":
            writer.retract()
        elif kind == "limits":
            writer.limits()
        elif kind == "dwell":
            writer.put("G4 P%d", rng.randrange(0, 90))
        elif kind == "flush":
            writer.put(rng.choice(("M400", "M109 S200", "M106 S255", ";LAYER_CHANGE", "M117 hello")))
        elif kind == "z":
            writer.z = min(writer.z + rng.uniform(0.05, 1.5), 200)
            writer.put("G1 Z%.3f F%d", writer.z, rng.choice((300, 900, 6000)))
        elif kind == "arc":
            writer.arc()
        elif kind in FEATURES:
            writer.special(kind)
        elif not writer.line(kind, left, turn, size):
            left = 0
    return "".join(writer.out)


def sprinkled(text, seed, lines, share=0.05):
    """The text with lines put in behind that share of its lines, for what must not change the motion."""
    rng = random.Random(seed)
    out = []
    for line in text.splitlines(True):
        out.append(line)
        if rng.random() < share:
            out.append(rng.choice(lines) + "\n")
    return "".join(out)
