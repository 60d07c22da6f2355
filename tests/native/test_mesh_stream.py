"""A mesh in the stream: z of the machine is that of the program plus the height of the bed where x and y are, within z's own limits."""

import math
import random

import numpy as np
import pytest

from hal import factory
from hal.stepcore import PW_EV_FULL, StepCore
from hal.stepsink import Sink, StreamDigest

NX, NY, SPACING = 6, 6, 45
SHAPE = [1, NX, NY, 5000, 5000, SPACING * 1000, SPACING * 1000, 1000, 9000]


def heights(seed, most_um=120):
    rng = random.Random(seed)
    return [rng.randrange(-most_um * 1000, most_um * 1000) for _ in range(NX * NY)]


def catmull(p, u):
    return p[1] + u / 2 * (p[2] - p[0] + u * (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3] + u * (3 * (p[1] - p[2]) + p[3] - p[0])))


class Grid:
    """The interpolation once more, in doubles, over arrays of places."""

    def __init__(self, kind, values):
        grid = np.array(values, float).reshape(NY, NX) / 1e6
        grid = np.vstack([2 * grid[0] - grid[1], grid, 2 * grid[-1] - grid[-2]])
        self.points = np.hstack([2 * grid[:, :1] - grid[:, 1:2], grid, 2 * grid[:, -1:] - grid[:, -2:-1]])
        self.kind = kind

    def height(self, x, y):
        u, v = np.clip((x - 5) / SPACING, 0, NX - 1), np.clip((y - 5) / SPACING, 0, NY - 1)
        i, j = np.minimum(u.astype(int), NX - 2), np.minimum(v.astype(int), NY - 2)
        u, v = u - i, v - j
        p = self.points
        if self.kind == 0:
            low = p[j + 1, i + 1] * (1 - u) + p[j + 1, i + 2] * u
            return low * (1 - v) + (p[j + 2, i + 1] * (1 - u) + p[j + 2, i + 2] * u) * v
        return catmull([catmull([p[j + row, i + column] for column in range(4)], u) for row in range(4)], v)


def machine(name, **motion):
    description = factory.describe(name, {"printer": {"motion": dict({"mesh_points": 64}, **motion)}})
    return factory.core_config(description)


def program(seed):
    """Dense and long lines and arcs at one height, fast."""
    rng = random.Random(seed)
    lines = ["G1 Z0.3 F900"]
    for _ in range(14):
        lines.append("G1 X%.3f Y%.3f F%d" % (rng.uniform(1, 234), rng.uniform(1, 234), rng.choice((3000, 9000, 18000))))
    lines.append("G1 X117 Y40 F12000\nG2 X117 Y40 I0 J70\nG3 X117 Y40 I3 J2")
    for k in range(120):
        lines.append("G1 X%.3f Y%.3f" % (117 + k * 0.4, 40 + 9 * math.sin(k / 9)))
    return ("\n".join(lines) + "\n").encode()


def made(config, text, mesh, split=1 << 20, budget=64):
    """[(ticks, counts after the step)] a motor, and the digest."""
    core = StepCore(config)
    if mesh:
        core.mesh(*mesh)
    core.begin()
    sink, digest = Sink(core, 65536, 16384), StreamDigest(core.motors)
    ticks, dirs = [[] for _ in range(core.motors)], [[] for _ in range(core.motors)]

    def drain():
        more = True
        while more:
            more = sink.drain_core(budget)
            digest.update(sink)
            for motor in range(core.motors):
                ticks[motor].append(np.frombuffer(bytes(sink.ticks(motor)), "<i8"))
                dirs[motor].append(np.frombuffer(bytes(sink.dirs(motor)), "i1"))

    at = 0
    while at < len(text):
        at += core.feed(text, at, min(at + split, len(text)))
        assert core.event.kind in (0, PW_EV_FULL), core.event.name
        drain()
    while not core.flush():
        drain()
    drain()
    assert core.status().idle
    joined = [(np.concatenate(t), np.cumsum(np.concatenate(d), dtype=int)) for t, d in zip(ticks, dirs, strict=True)]
    return joined, digest.digest()


def crossings(track, steps_mm):
    """(seconds, mm) where the motor passes the middle between two counts."""
    tick, after = track
    before = np.concatenate([[0], after[:-1]])
    return tick / 16e6, (after + before) / 2 / steps_mm


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("seed", [1, 2])
def test_z_follows_the_bed_within_its_limits(kind, seed):
    shape, values = [kind, *SHAPE[1:]], heights(seed)
    config = machine("sim-cartesian")
    tracks, _ = made(config, program(seed), (shape, values))
    (tx, x), (ty, y), (tz, z) = [crossings(tracks[m], config["steps_per_m"][m] / 1000) for m in range(3)]
    grid = Grid(kind, values)
    start = max(tx[0], ty[0])
    at, z = tz[tz > start], z[tz > start]
    assert len(at) > 200
    home = grid.height(np.array([0.0]), np.array([0.0]))[0]
    want = 0.3 + grid.height(np.interp(at, tx, x), np.interp(at, ty, y)) - home
    # at a turn of z a step waits for 1/256 more; x and y are known between their steps of 12.5 um only
    assert np.max(np.abs(z - want)) < 0.6e-3
    speed = np.diff(z) / np.maximum(np.diff(at), 1e-9)
    assert np.max(np.abs(speed)) < 15.2
    if kind == 1:
        # over ten steps, so that the ticks of single ones do not matter
        mean = (z[10:] - z[:-10]) / (at[10:] - at[:-10])
        middle = (at[10:] + at[:-10]) / 2
        gain, time = mean[10:] - mean[:-10], middle[10:] - middle[:-10]
        long = time > 0.004
        assert np.max(np.abs(gain[long]) / time[long]) < 102


def test_heights_do_nothing_above_the_fade():
    config = machine("sim-cartesian")
    text = b"G1 Z10 F900\n" + program(3).split(b"\n", 1)[1]
    values = heights(3)
    home = Grid(1, values).height(np.array([0.0]), np.array([0.0]))[0]
    with_mesh, plain = made(config, text, (SHAPE, values))[0], made(config, text, None)[0]
    for motor in (0, 1):
        assert list(with_mesh[motor][1]) == list(plain[motor][1])
    # what the mesh is at home, where it begins, is missing above
    assert with_mesh[2][1][-1] - plain[2][1][-1] == pytest.approx(-home * 400, abs=1)


@pytest.mark.parametrize("name", ["sim-cartesian", "sim-corexy"])
def test_the_stream_depends_on_mesh_and_bytes_alone(name):
    config, text, values = machine(name), program(4), heights(4)
    whole = made(config, text, (SHAPE, values))[1]
    assert made(config, text, (SHAPE, values), split=7, budget=3)[1] == whole
    assert made(config, text, None)[1] != whole
    assert made(config, text, (SHAPE, [height + 1000 * (n == 14) for n, height in enumerate(values)]))[1] != whole
    # a bed that is nowhere higher than at home is no mesh: all lift is 0
    flat, _ = made(config, text, (SHAPE, [250_000] * (NX * NY)))
    plain, _ = made(config, text, None)
    assert [list(counts)[-1] for _, counts in flat[:2]] == [list(counts)[-1] for _, counts in plain[:2]]


def test_a_mesh_and_skew_on_a_delta():
    """Ends of moves are where kinematics and mesh say, checked in doubles."""
    motion = {"skew": {"xy": 0.003, "xz": -0.002, "yz": 0.001}, "mesh_points": 64}
    description = factory.describe("sim-delta", {"printer": {"motion": motion, "delta": {"bed_radius_mm": 135}}})
    config = factory.core_config(description)
    shape, values = [1, NX, NY, -100000, -100000, 40000, 40000, 1000, 9000], heights(5)
    core = StepCore(config)
    core.mesh(shape, values)
    core.begin()
    grid = Grid(1, values)
    rng = random.Random(5)
    for _ in range(40):
        x, y, z = rng.uniform(-90, 90), rng.uniform(-90, 90), rng.choice((0.2, 1.0, 4.0, 40.0))
        text = b"G1 X%.3f Y%.3f Z%.3f F18000\n" % (x, y, z)
        at = 0
        while at < len(text):
            at += core.feed(text, at, len(text))
        while not core.flush():
            core.run(64)
        sink = Sink(core)
        while sink.drain_core():
            pass
        x, y, z = round(x, 3), round(y, 3), round(z, 3)
        fade = min(max((9 - z) / 8, 0), 1)
        # grid of 40 mm from -100: Grid has 45 from 5
        lift = fade * float(grid.height(np.array([(x + 100) / 40 * SPACING + 5]), np.array([(y + 100) / 40 * SPACING + 5]))[0])
        dz = z + lift - 300
        px, py, pz = x - 0.003 * y - (-0.002 - 0.003 * 0.001) * dz, y - 0.001 * dz, z + lift
        for tower, (tx, ty) in enumerate(((-151.338, -87.375), (151.338, -87.375), (0, 174.75))):
            steps = 160 * (pz + math.sqrt(333**2 - (px - tx) ** 2 - (py - ty) ** 2))
            assert core.status().count(tower) == pytest.approx(steps, abs=0.51)
