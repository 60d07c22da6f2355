"""Moves beside the document's: homing, parking.  They run in the core's second context, so that the document's step stream knows
nothing of them, and never move the extruder.

The caller waits in its own way: `wait(ms)` is its coroutine that lets machine time pass (and may raise to end it all).
"""

from firmware.motion.geometry import AXES, mm_text
from hal import stepcore
from hal.compat import const

_SLICE_MS = const(10)
_LETTERS = "XYZ"


class MotionError(Exception):
    """The machine does not move as it should: `axis` is 0 to 2 or None, the message is a sentence for people."""

    def __init__(self, message, axis=None):
        super().__init__(message)
        self.message = message
        self.axis = axis


class SideMotion:
    """machine: hal Machine; geometry: Geometry."""

    def __init__(self, machine, geometry):
        self.machine = machine
        self.core = machine.core
        self.port = machine.core.port
        self.geometry = geometry

    def place_nm(self):
        """[x, y, z] where the machine stands, by its counts."""
        status = self.port.status()
        return self.geometry.place_at([status.count(m) for m in range(3)])

    async def travel(self, delta_nm, speed_mm_s, wait, gate=None):
        """Moves by [x, y, z] in a straight line; motion must stand before and stands after.

        gate: (input, axis) ends the motors of the axis where the input closes.  Returns True when it did.
        """
        words = ""
        for axis in range(3):
            if delta_nm[axis]:
                words += " %s%s" % (_LETTERS[axis], mm_text(delta_nm[axis]))
        if not words:
            return False
        text = bytearray(b"G21\nG91\nG1%s F%d\n" % (words.encode(), speed_mm_s * 60))
        core = self.core
        core.enter()
        try:
            gated = 0
            if gate:
                for motor in self.geometry.motors_of(gate[1]):
                    self.port.gate(motor, gate[0])
                    gated |= 1 << motor
            at = 0
            while at < len(text):
                at += core.feed(text, at, len(text))
                kind = core.event.kind
                if kind == stepcore.PW_EV_FULL:
                    await wait(_SLICE_MS)
                elif kind != stepcore.PW_EV_NONE:
                    raise MotionError("the motion core refuses a move of its own: %s" % core.event.name)
            while not core.flush():
                await wait(_SLICE_MS)
            while True:
                if gated and self.port.status().triggered & gated == gated:
                    return True
                if self.idle():
                    return False
                await wait(_SLICE_MS)
        finally:
            core.leave()

    def idle(self):
        """True when everything fed is planned and played."""
        status = self.core.status()
        if not status.idle:
            return False
        return self.port.status().played_tick >= status.final_tick

    async def home(self, axes, wait):
        """Finds the endstops of the axes (a tuple of 0 to 2), in their order, and ends at their home position on whole steps."""
        for axis in axes:
            await self._find(axis, wait)
        place = self.place_nm()
        home = self.geometry.home_nm
        delta = [home[axis] - place[axis] if axis in axes else 0 for axis in range(3)]
        for axis in (2, 1, 0):
            if delta[axis]:
                one = [0, 0, 0]
                one[axis] = delta[axis]
                await self.travel(one, self._data(axis)["homing_mm_s"], wait)
        self.settle(axes)

    def _data(self, axis):
        return self.machine.description["printer"]["axes"][AXES[axis]]

    async def _find(self, axis, wait):
        """Fast to the switch, back, slowly again; the place of the switch becomes the machine's position there."""
        geometry, data = self.geometry, self._data(axis)
        name = AXES[axis]
        index = self.machine.endstops.get(name)
        if index is None:
            raise MotionError("axis %s has no endstop" % name, axis)
        # the switch lies at one end of the travel, or beyond
        middle = (geometry.min_nm[axis] + geometry.max_nm[axis]) // 2
        way = -1 if geometry.endstop_nm[axis] <= middle else 1
        span = geometry.max_nm[axis] - geometry.min_nm[axis]
        back_nm = int(data["homing_retract_mm"] * 1000) * 1000
        gate = (index, axis)
        if self.port.input_state(index):
            await self._along(axis, -way * 2 * back_nm, data["homing_mm_s"], wait)
            if self.port.input_state(index):
                raise MotionError("the endstop of axis %s stays closed" % name, axis)
        if not await self._along(axis, way * (span + span // 2), data["homing_mm_s"], wait, gate):
            raise MotionError("axis %s did not reach its endstop" % name, axis)
        await self._along(axis, -way * back_nm, data["homing_mm_s"], wait)
        if self.port.input_state(index):
            raise MotionError("the endstop of axis %s stays closed" % name, axis)
        if not await self._along(axis, way * 2 * back_nm, data["homing_slow_mm_s"], wait, gate):
            raise MotionError("axis %s did not find its endstop again" % name, axis)
        place = self.place_nm()
        place[axis] = geometry.endstop_nm[axis]
        counts = geometry.counts_at(place)
        for motor in geometry.motors_of(axis):
            self.port.set_count(motor, counts[motor])

    async def _along(self, axis, nm, speed_mm_s, wait, gate=None):
        delta = [0, 0, 0]
        delta[axis] = nm
        return await self.travel(delta, speed_mm_s, wait, gate)

    def settle(self, axes):
        """The axes stand at home; counts say so to the step."""
        # A switch that both motors of a CoreXY run into leaves them a step apart: what was homed stands at home, by definition.
        place = self.place_nm()
        for axis in axes:
            place[axis] = self.geometry.home_nm[axis]
        counts = self.geometry.counts_at(place)
        for axis in axes:
            for motor in self.geometry.motors_of(axis):
                self.port.set_count(motor, counts[motor])
