"""Feeling the bed: how high it is at a point.  In the core's second context, as homing.

Heights are the machine's z, in nm, where the nozzle would touch the bed.
"""

from firmware.motion.side import MotionError


class Probe:
    """side: SideMotion; index: input of the port; data: printer.probe of the machine's data."""

    def __init__(self, side, index, data):
        geometry = side.geometry
        self._side = side
        self._index = index
        self._data = data
        self.travel_mm_s = data["travel_mm_s"]
        self._offset_nm = [geometry.nm(data[axis]) for axis in ("x_mm", "y_mm", "z_mm")]
        self._lift_nm = geometry.nm(data["lift_mm"])
        self._floor_nm = self._offset_nm[2] - geometry.nm(data["depth_mm"])
        self._tolerance_nm = geometry.nm(data["tolerance_mm"])

    def can_reach(self, x_nm, y_nm):
        """Is the nozzle within its limits while the probe is there?"""
        return self._side.geometry.on_bed(x_nm - self._offset_nm[0], y_nm - self._offset_nm[1])

    async def rise(self, wait):
        """Up to where nothing is in the way between points."""
        await self._side.travel([None, None, self._offset_nm[2] + self._lift_nm], self._data["mm_s"] * 2, wait)

    async def height_nm(self, x_nm, y_nm, wait):
        """Goes there and feels the bed, some times over: their mean.  Starts and ends lifted (rise()).  MotionError."""
        side = self._side
        await side.travel([x_nm - self._offset_nm[0], y_nm - self._offset_nm[1], None], self.travel_mm_s, wait)
        for _ in range(self._data["retries"] + 1):
            found = []
            for _ in range(self._data["samples"]):
                found.append(await self._feel(x_nm, y_nm, wait))
                await self.rise(wait)
            if max(found) - min(found) <= self._tolerance_nm:
                return sum(found) // len(found)
        raise MotionError("the probe does not repeat at %s: %d um apart" % (_where(x_nm, y_nm), (max(found) - min(found)) // 1000))

    async def _feel(self, x_nm, y_nm, wait):
        side = self._side
        if side.port.input_state(self._index):
            raise MotionError("the probe is closed above the bed at %s" % _where(x_nm, y_nm))
        if not await side.travel([None, None, self._floor_nm], self._data["mm_s"], wait, side.gates(2, self._index)):
            raise MotionError("the probe does not feel the bed at %s" % _where(x_nm, y_nm))
        return side.place_nm()[2] - self._offset_nm[2]


def _where(x_nm, y_nm):
    return "x %d, y %d mm" % ((x_nm + 500000) // 1000000, (y_nm + 500000) // 1000000)
