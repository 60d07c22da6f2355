"""The bed is felt by a simulated probe over a bed that is not flat; the mesh is kept, and the core follows it."""

import asyncio

import pytest

from firmware.config import Config
from firmware.motion.geometry import Geometry
from firmware.motion.mesh import BedMesh, _extrapolate
from firmware.motion.side import MotionError, SideMotion
from hal import factory
from hal.errors import ConfigError
from hal.sim import SimOptions, build
from tests.firmware.helpers_printing import NoNet

SURFACE = {"height_mm": 0.35, "tilt_x": 0.0012, "tilt_y": -0.0008, "wave_mm": 0.08, "wave_length_mm": 240}
GRID = {"x_points": 6, "y_points": 5, "min_x_mm": 15, "max_x_mm": 215, "min_y_mm": 20, "max_y_mm": 220}
LAYERS = {
    "cartesian": ("sim-cartesian", {"motion": {"mesh_points": 30}, "mesh": GRID}),
    "corexy": ("sim-corexy", {"motion": {"mesh_points": 30}, "mesh": dict(GRID, kind="bilinear")}),
    "corexz": ("sim-cartesian", {"kinematics": "corexz", "motion": {"mesh_points": 30}, "mesh": GRID}),
    "delta": ("sim-delta", {}),
}


class Bench:
    def __init__(self, name, probe=None, flash=None, faults=(), **more):
        base, layer = LAYERS[name]
        probe = dict({"input": "PROBE", "x_mm": 5, "y_mm": -8, "z_mm": 1.2, "surface": SURFACE}, **(probe or {}))
        description = factory.describe(base, {"printer": dict(dict(layer, probe=probe), **more)})
        self.machine = build(description, SimOptions(net=NoNet(), flash=flash, faults=faults))
        self.core, self.port = self.machine.core, self.machine.core.port
        self.core.begin()
        self.side = SideMotion(self.machine, Geometry(description, self.core))
        self.config = Config(self.machine)
        self.config.load()
        self.mesh = BedMesh(self.machine, self.side, self.config)
        self.bed = self.machine.world.bed

    async def wait(self, ms):
        await self.machine.clock.wait_ms(ms, True)

    def run(self, what):
        return asyncio.run(what)

    def home(self):
        self.run(self.side.home((0, 1, 2), self.wait))

    def measure(self):
        self.run(self.mesh.measure(self.wait))

    def physical_nm(self):
        """Where the machine really is."""
        status = self.port.status()
        place = self.core.place_at([status.physical(m) for m in range(3)])
        assert place is not None
        return place

    def print_to(self, x, y, z):
        """Program motion; ends there."""
        text = b"G1 X%d Y%d Z%s F9000\n" % (x, y, b"%f" % z)
        at = 0
        while at < len(text):
            at += self.core.feed(text, at, len(text))
        while not self.core.flush():
            self.run(self.wait(5))
        while not self.side.idle():
            self.run(self.wait(5))


@pytest.mark.parametrize("name", LAYERS)
def test_the_print_follows_the_bed(name):
    bench = Bench(name)
    bench.home()
    before = bench.port.status().pulses(3)
    bench.measure()
    home_nm = bench.side.geometry.home_nm
    assert bench.side.place_nm() == pytest.approx(home_nm, abs=7000)
    assert bench.port.status().pulses(3) == before and bench.port.status().fault == 0
    # a step of the motors, and what a bicubic grid of 40 mm makes of waves of 240 mm
    tolerance_nm = 30_000 if name == "corexy" else 16_000
    points = [(-80, -60), (20, 30), (75, -75), (0, 110), (-40, 0)] if name == "delta" else [(15, 20), (120, 100), (60, 190), (200, 45)]
    for x, y in points:
        bench.print_to(x, y, 0.4)
        at = bench.physical_nm()
        assert at[:2] == pytest.approx([x * 1_000_000, y * 1_000_000], abs=7000)
        assert at[2] - bench.bed.height_mm(x, y) * 1_000_000 == pytest.approx(400_000, abs=tolerance_nm)
    # above the fade z is what it was
    bench.print_to(30, 30, 20)
    x, y = home_nm[:2]
    at_home = bench.bed.height_mm(x / 1e6, y / 1e6) if home_nm[2] == 0 else 0
    assert bench.physical_nm()[2] == pytest.approx(20_000_000 + at_home * 1_000_000, abs=tolerance_nm)


@pytest.mark.parametrize("name", ["cartesian", "delta"])
def test_points_are_measured_to_a_few_micrometres(name):
    bench = Bench(name)
    bench.home()
    bench.measure()
    tolerance_nm = 12_000 if name == "delta" else 8000  # of steps of 6.25 and 2.5 um
    shape, heights, trim = bench.mesh._shape, bench.mesh.heights_nm, bench.side.trim_nm
    for at, height in enumerate(heights):
        x = (shape[3] + at % shape[1] * shape[5]) / 1000
        y = (shape[4] + at // shape[1] * shape[6]) / 1000
        if bench.side.geometry.on_bed(int(x * 1e6) - 5_000_000, int(y * 1e6) + 8_000_000):
            assert height + trim == pytest.approx(bench.bed.height_mm(x, y) * 1_000_000, abs=tolerance_nm)


def test_a_second_measurement_changes_nothing():
    bench = Bench("cartesian")
    bench.home()
    bench.measure()
    first, trim = bench.mesh.heights_nm, bench.side.trim_nm
    assert trim == pytest.approx(bench.bed.height_mm(0, 0) * 1_000_000, abs=120_000)  # the edge of the grid, not the corner of the bed
    bench.home()
    bench.core.begin()
    bench.measure()
    assert all(abs(a - b) <= 5000 for a, b in zip(first, bench.mesh.heights_nm, strict=True))
    assert abs(trim - bench.side.trim_nm) <= 5000


def test_the_mesh_outlives_the_power():
    bench = Bench("cartesian")
    bench.home()
    bench.measure()
    again = Bench("cartesian", flash=bench.machine.flash)
    again.mesh.load()
    assert again.mesh.heights_nm == bench.mesh.heights_nm and again.side.trim_nm == bench.side.trim_nm
    place = [100_000_000, 100_000_000, 0]
    assert again.core.mesh_lift_nm(place) == bench.core.mesh_lift_nm(place) != 0
    again.home()
    again.print_to(120, 100, 0.4)
    assert again.physical_nm()[2] - again.bed.height_mm(120, 100) * 1_000_000 == pytest.approx(400_000, abs=16_000)
    # another grid in the machine's data: the old mesh is not used
    other = Bench("cartesian", flash=bench.machine.flash, mesh=dict(GRID, min_x_mm=20))
    other.mesh.load()
    assert other.mesh.heights_nm == [] and other.side.trim_nm == 0 and other.core.mesh_lift_nm(place) == 0


@pytest.mark.parametrize("state, text", [("open", "does not feel the bed at x 15, y 20 mm"), ("closed", "closed above the bed")])
def test_a_probe_that_is_stuck_is_told(state, text):
    bench = Bench("cartesian", faults=["endstop-stuck:probe=" + state])
    bench.machine.world.step(0, 0)
    bench.home()
    with pytest.raises(MotionError, match=text):
        bench.measure()
    assert bench.mesh.heights_nm == [] and bench.config.mesh() is None
    bench.core.begin()


def test_a_bed_too_uneven_is_told():
    bench = Bench("cartesian", {"surface": dict(SURFACE, wave_mm=2, wave_length_mm=60), "depth_mm": 4})
    bench.home()
    with pytest.raises(MotionError, match="too uneven: -?[0-9]+ to [0-9]+ um .PW_E_MESH"):
        bench.measure()
    assert bench.core.mesh_lift_nm([100_000_000, 100_000_000, 0]) == 0


def test_a_mesh_is_taken_at_home_only():
    bench = Bench("cartesian")
    bench.home()
    bench.print_to(50, 50, 1)
    with pytest.raises(Exception, match="PW_E_STATE"):
        bench.core.mesh(bench.mesh._shape, [0] * 30)
    with pytest.raises(ConfigError, match="30 heights expected"):
        bench.core.mesh(bench.mesh._shape, [0] * 29)


def test_points_beyond_reach_lie_straight_on():
    heights = [None, 3, 5, None, None, 2, 4, 6, None, 1, 3, None]
    _extrapolate(heights, 4, 3)
    assert heights == [1, 3, 5, 7, 0, 2, 4, 6, -1, 1, 3, 5]
    lonely = [None, None, 7, None]
    _extrapolate(lonely, 2, 2)
    assert lonely == [None, None, 7, None]
