"""Random G-code that a printer must accept: every kind of move that the verifier follows, in odd mixtures."""

import math
import random


def program(seed, length=150):
    """Text of a program; the same for the same seed."""
    rng = random.Random(seed)
    out = ["G28\n", "G90\n", "M83\n", "G1 Z%.2f F600\n" % rng.uniform(0.2, 2)]
    x, y, z, heading = rng.uniform(60, 150), rng.uniform(60, 150), 2.0, rng.uniform(0, 6)
    out.append("G1 X%.3f Y%.3f F9000\n" % (x, y))
    out.append("G1 E3 F1500\n")
    kind, left, feed, flow = "long", 0, 3000, 0.04
    for _ in range(length):
        if left == 0:
            kind = rng.choice(("long", "zigzag", "curve", "tiny", "jitter", "arc", "vase", "retract", "limits", "dwell", "z", "flush"))
            left = rng.randrange(2, 25) if kind in ("long", "zigzag", "curve", "tiny", "jitter", "vase") else 1
            feed = rng.choice((300, 900, 1800, 3600, 6000, 9000, 15000, 30000))
            flow = rng.choice((0, 0.02, 0.04, 0.05))
            turn = rng.uniform(-0.25, 0.25)
            size = {"long": rng.uniform(1, 40), "zigzag": rng.uniform(0.3, 10), "curve": rng.uniform(0.05, 1.5)}.get(kind, 0.02)
        left -= 1
        if kind == "retract":
            pull = rng.uniform(0.1, 2)
            out.append("G1 E-%.4f F2100\n" % pull)
            if rng.random() < 0.5:
                out.append("G1 Z%.3f F900\n" % (z + 0.4))
            x, y = rng.uniform(40, 190), rng.uniform(40, 190)
            out.append("G%d X%.3f Y%.3f F%d\n" % (rng.randrange(2), x, y, feed))
            out.append("G1 Z%.3f\nG1 E%.4f F2100\n" % (z, pull))
        elif kind == "limits":
            limits = (
                "M204 S%d\n" % rng.randrange(200, 6000),
                "M204 P%d T%d\n" % (rng.randrange(300, 3000), rng.randrange(300, 9000)),
                "M205 X%.1f Y8\n" % rng.uniform(1, 9),
                "M205 E%.1f\n" % rng.uniform(1, 9),
                "M203 X%d Z8\n" % rng.randrange(30, 400),
                "M201 X%d Y2000 Z50\n" % rng.randrange(300, 5000),
            )
            out.append(rng.choice(limits))
        elif kind == "dwell":
            out.append("G4 P%d\n" % rng.randrange(0, 90))
        elif kind == "flush":
            out.append(rng.choice(("M400\n", "M109 S200\n", "M106 S255\n", ";LAYER_CHANGE\n", "M117 hello\n")))
        elif kind == "z":
            z = min(z + rng.uniform(0.05, 1.5), 200)
            out.append("G1 Z%.3f F%d\n" % (z, rng.choice((300, 900, 6000))))
        elif kind == "arc":
            radius, angle, sweep = rng.uniform(0.5, 15), rng.uniform(0, 6.28), rng.uniform(0.2, 6.2)
            clockwise = rng.random() < 0.5
            cx, cy = x - radius * math.cos(angle), y - radius * math.sin(angle)
            end = angle + (-sweep if clockwise else sweep)
            to_x, to_y = cx + radius * math.cos(end), cy + radius * math.sin(end)
            if not (5 < cx - radius and cx + radius < 230 and 5 < cy - radius and cy + radius < 230):
                continue
            out.append("G%d X%.4f Y%.4f I%.4f J%.4f E%.5f F%d\n" % (3 - clockwise, to_x, to_y, cx - x, cy - y, flow * radius * sweep, feed))
            x, y = round(to_x, 4), round(to_y, 4)
        else:
            if kind == "zigzag":
                heading += math.pi - 0.1 if left % 2 else -math.pi + 0.1
            elif kind in ("curve", "vase"):
                heading += turn
            elif kind == "long":
                heading = rng.uniform(0, 6.28)
            elif kind == "jitter":
                heading += rng.uniform(-0.05, 0.05)
            step = {"tiny": rng.uniform(0.001, 0.05), "jitter": rng.uniform(0.02, 2), "vase": 0.3}.get(kind, size)
            to_x, to_y = x + step * math.cos(heading), y + step * math.sin(heading)
            if not (5 < to_x < 230 and 5 < to_y < 230):
                heading, left = math.atan2(117 - y, 117 - x), 0
                continue
            if kind == "vase":
                z = min(z + 0.004, 200)
            digits = 3 if kind != "tiny" else 4
            rise = " Z%.4f" % z if kind == "vase" else ""
            out.append("G1 X%.*f Y%.*f%s E%.5f F%d\n" % (digits, to_x, digits, to_y, rise, flow * step, feed))
            x, y = round(to_x, digits), round(to_y, digits)
    return "".join(out)
