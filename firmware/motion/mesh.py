"""The bed's mesh: measured (G29), kept with the settings, given to the core.

The core adds what the mesh says to z, less the same at the home position: program motion starts where homing ends.  That height at
home is the trim: homing takes z = 0 so much higher than the endstop says, so that the nozzle is where the bed is.  Where home is above
the fade (a delta) the trim is 0.
"""

import struct

from firmware.motion.probe import Probe
from firmware.motion.side import MotionError
from hal import stepcore
from hal.compat import const
from hal.errors import ConfigError, HalError

_VERSION = const(1)
_HEAD = "<B9ii"  # version, shape (stepcore.StepCore.mesh), trim; then a height a point, all in nm
_HEAD_BYTES = const(41)
_KINDS = {"bilinear": stepcore.PW_MESH_BILINEAR, "bicubic": stepcore.PW_MESH_BICUBIC}


class BedMesh:
    """machine: hal Machine with a probe and printer.mesh in its data; side: SideMotion; config: firmware.config.Config, loaded."""

    def __init__(self, machine, side, config):
        printer = machine.description["printer"]
        data = printer["mesh"]
        self._core = machine.core
        self._side = side
        self._config = config
        self._probe = Probe(side, machine.probe, printer["probe"])
        self._nx, self._ny = data["x_points"], data["y_points"]
        nm = side.geometry.nm
        low = [nm(data["min_x_mm"]) // 1000, nm(data["min_y_mm"]) // 1000]
        high = [nm(data["max_x_mm"]) // 1000, nm(data["max_y_mm"]) // 1000]
        step = [(high[0] - low[0]) // (self._nx - 1), (high[1] - low[1]) // (self._ny - 1)]
        fade = [nm(data["fade_from_mm"]) // 1000, nm(data["fade_to_mm"]) // 1000]
        self._shape = [_KINDS[data["kind"]], self._nx, self._ny] + low + step + fade
        self.heights_nm = []  # row by row along x, less the trim; empty: not measured

    def load(self):
        """The mesh that was saved, if it is one of this machine's; a broken one is as none."""
        raw = self._config.mesh()
        count = self._nx * self._ny
        if raw is None or len(raw) != _HEAD_BYTES + 4 * count:
            return
        head = struct.unpack_from(_HEAD, raw, 0)
        if head[0] != _VERSION or list(head[1:10]) != self._shape:
            return
        heights = list(struct.unpack_from("<%di" % count, raw, _HEAD_BYTES))
        try:
            self._core.mesh(self._shape, heights)
        except HalError:
            return
        self.heights_nm = heights
        self._side.trim_nm = head[10]

    def facts(self):
        """A sentence for people."""
        if not self.heights_nm:
            return "not measured"
        low, high = min(self.heights_nm) // 1000, max(self.heights_nm) // 1000
        return "%d x %d points, %d to %d um" % (self._nx, self._ny, low, high)

    async def measure(self, wait):
        """Feels the bed and takes the mesh; the motion stands at the home position, before and after.  MotionError, StorageError."""
        side = self._side
        home_nm = side.geometry.home_nm
        await self._probe.rise(wait)
        heights = await self._feel(wait)
        _extrapolate(heights, self._nx, self._ny)
        if None in heights:
            raise MotionError("too few points of the bed are within reach of the probe")
        trim = self._take(heights)
        if trim:
            heights = [height - trim for height in heights]
            self._take(heights)
            side.trim_nm += trim
            side.declare(2, side.place_nm()[2] - trim)
        # up from the bed first, or down to it last
        speed = self._probe.travel_mm_s
        z_nm = max(side.place_nm()[2], home_nm[2])
        await side.travel([None, None, z_nm], speed, wait)
        await side.travel([home_nm[0], home_nm[1], None], speed, wait)
        await side.travel(home_nm, speed, wait)
        self.heights_nm = heights
        count = len(heights)
        head = struct.pack(_HEAD, _VERSION, *(self._shape + [side.trim_nm]))
        self._config.set_mesh(head + struct.pack("<%di" % count, *heights))
        await self._config.save()

    async def _feel(self, wait):
        """Heights of the grid, row by row, to and fro; None where the probe cannot be."""
        shape = self._shape
        heights = [None] * (self._nx * self._ny)
        for row in range(self._ny):
            for number in range(self._nx):
                column = number if row % 2 == 0 else self._nx - 1 - number
                x_nm = (shape[3] + column * shape[5]) * 1000
                y_nm = (shape[4] + row * shape[6]) * 1000
                if self._probe.can_reach(x_nm, y_nm):
                    heights[row * self._nx + column] = await self._probe.height_nm(x_nm, y_nm, wait)
        return heights

    def _take(self, heights):
        """Gives the core the mesh; returns how high it is at the home position, in nm: 0 where the mesh is faded out, or fading, there."""
        try:
            self._core.mesh(self._shape, heights)
        except (HalError, ConfigError) as error:
            raise MotionError("the bed is too uneven: %d to %d um (%s)" % (min(heights) // 1000, max(heights) // 1000, error))
        home_nm = self._side.geometry.home_nm
        if home_nm[2] > self._shape[7] * 1000:
            return 0
        # above the fade nothing is left of the mesh but what is taken off for home
        return -self._core.mesh_lift_nm([home_nm[0], home_nm[1], self._shape[8] * 1000 + 1000])


def _extrapolate(heights, nx, ny):
    """Fills None in place, straight on from two points in a row; several such ways: their mean."""
    missing = True
    while missing:
        missing = False
        filled = []
        for at in range(nx * ny):
            if heights[at] is not None:
                continue
            x, y = at % nx, at // nx
            found = []
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                if not 0 <= x + 2 * dx < nx or not 0 <= y + 2 * dy < ny:
                    continue
                one, two = heights[at + dx + dy * nx], heights[at + 2 * (dx + dy * nx)]
                if one is not None and two is not None:
                    found.append(2 * one - two)
            if found:
                filled.append((at, sum(found) // len(found)))
        for at, height in filled:
            heights[at] = height
            missing = True
