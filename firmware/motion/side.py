"""Moves beside the document's: homing, parking.  They run in the core's second context, so that the document's step stream knows
nothing of them, and never move the extruder.

The caller waits in its own way: `wait(ms)` is its coroutine that lets machine time pass (and may raise to end it all).
"""

from firmware.motion.geometry import AXES, mm_text
from hal import stepcore
from hal.compat import const

_SLICE_MS = const(10)
_HALT_SLICES = const(200)  # 2 s: no machine takes so long to stop
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

    async def travel(self, target_nm, speed_mm_s, wait, gate=None):
        """Moves in a straight line to [x, y, z]; None leaves an axis where it is.  Motion stands before and after.

        gate: (input, axis) ends the motors of the axis where the input closes.  Returns True when it did.
        """
        place = self.place_nm()
        set_words = words = ""
        for axis in range(3):
            set_words += " %s%s" % (_LETTERS[axis], mm_text(place[axis]))
            if target_nm[axis] is not None and target_nm[axis] != place[axis]:
                words += " %s%s" % (_LETTERS[axis], mm_text(target_nm[axis]))
        if not words:
            return False
        # counts say the place to the step, so the move makes exactly the steps that lie between
        text = bytearray(("G21\nG90\nG92%s\nG1%s F%d\n" % (set_words, words, speed_mm_s * 60)).encode())
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
        except Exception:
            await self._halt()
            raise
        finally:
            core.leave()

    async def _halt(self):
        """Slows down before the context is left: what is dropped while it moves would cost steps."""
        if self.port.status().fault:
            return
        self.port.quick_stop()
        for _ in range(_HALT_SLICES):
            status = self.port.status()
            if status.fault or not status.rate_q32 or self.idle():
                return
            await self.machine.clock.wait_ms(_SLICE_MS, True)

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
        for axis in (2, 1, 0):
            if axis in axes:
                await self._along(axis, self.geometry.home_nm[axis], self._data(axis)["homing_mm_s"], wait)

    def _data(self, axis):
        return self.machine.description["printer"]["axes"][AXES[axis]]

    async def _find(self, axis, wait):
        """Fast to the switch, back, slowly again; the place of the switch becomes the machine's position there."""
        geometry, data = self.geometry, self._data(axis)
        name = AXES[axis]
        index = self.machine.endstops.get(name)
        if index is None:
            raise MotionError("axis %s has no endstop" % name, axis)
        low, high = geometry.min_nm[axis], geometry.max_nm[axis]
        end = geometry.endstop_nm[axis]
        # the switch lies at one end of the travel, or beyond
        way = -1 if end <= (low + high) // 2 else 1
        span = high - low
        back = way * geometry.nm(data["homing_retract_mm"])
        fast, slow = data["homing_mm_s"], data["homing_slow_mm_s"]
        gate = (index, axis)
        if self.port.input_state(index):
            self._declare(axis, end)
            await self._along(axis, end - 2 * back, fast, wait)
            if self.port.input_state(index):
                raise MotionError("the endstop of axis %s stays closed" % name, axis)
        # as far away as can be, and some more: where the axis is is not known yet
        self._declare(axis, end - way * (span + span // 4))
        if not await self._along(axis, end + way * (span // 4), fast, wait, gate):
            raise MotionError("axis %s did not reach its endstop" % name, axis)
        self._declare(axis, end)
        await self._along(axis, end - back, fast, wait)
        if self.port.input_state(index):
            raise MotionError("the endstop of axis %s stays closed" % name, axis)
        if not await self._along(axis, end + back, slow, wait, gate):
            raise MotionError("axis %s did not find its endstop again" % name, axis)
        self._declare(axis, end)

    async def _along(self, axis, nm, speed_mm_s, wait, gate=None):
        target = [None, None, None]
        target[axis] = nm
        return await self.travel(target, speed_mm_s, wait, gate)

    def _declare(self, axis, nm):
        """The axis is at nm, by definition."""
        place = self.place_nm()
        place[axis] = nm
        counts = self.geometry.counts_at(place)
        for motor in self.geometry.motors_of(axis):
            self.port.set_count(motor, counts[motor])
