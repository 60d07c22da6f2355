"""Moves beside the document's: homing, parking.  They run in the core's second context, so that the document's step stream knows
nothing of them, and never move the extruder.

The caller waits in its own way: `wait(ms)` is its coroutine that lets machine time pass (and may raise to end it all).
"""

from firmware.motion.geometry import AXES, mm_text
from hal import stepcore
from hal.compat import const

_SLICE_MS = const(10)
_HALT_SLICES = const(200)  # 2 s: no machine takes so long to stop
_NUDGE_NM = const(10)  # more than the rounding of a place
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
        self.trim_nm = 0  # the bed at the home position is so much higher than the endstop of z says (motion/mesh.py)
        self.bed = None  # motion/mesh.BedMesh, where the machine can measure its bed
        self.triggered = 0  # bit per motor whose gate ended the last travel
        self._place_nm = list(geometry.home_nm)

    def place_nm(self):
        """[x, y, z] where the machine stands, by its counts; while a delta's towers are each on their own, where it stood before."""
        status = self.port.status()
        place = self.geometry.place_at([status.count(m) for m in range(3)])
        if place is not None:
            self._place_nm = place
        return list(self._place_nm)

    def gates(self, axis, index):
        """What travel() takes so that the axis ends where the input closes."""
        return [(motor, index) for motor in self.geometry.motors_of(axis)]

    async def travel(self, target_nm, speed_mm_s, wait, gates=()):
        """Moves in a straight line to [x, y, z]; None leaves an axis where it is.  Motion stands before and after.

        gates: pairs (motor, input): the motor ends where the input closes.  Returns True when all did.
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
        self.triggered = 0
        try:
            gated = 0
            for motor, index in gates:
                self.port.gate(motor, index)
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
                self.triggered = self.port.status().triggered & gated
                if gated and self.triggered == gated:
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

    async def home(self, axes, wait, to_nm=None):
        """Finds the endstops of the axes (a tuple of 0 to 2), in their order; a delta those of all towers, together.

        Ends at to_nm [x, y, z], where the other axes are, or at the home position of the axes, on whole steps.
        """
        end_nm = self.geometry.home_nm if to_nm is None else to_nm
        if self.geometry.delta:
            await self._find_towers(wait)
            await self.travel(end_nm, self._data(2)["homing_mm_s"], wait)
            return
        for axis in axes:
            await self._find(axis, wait)
        for axis in (2, 1, 0):
            if axis in axes:
                await self._along(axis, end_nm[axis], self._data(axis)["homing_mm_s"], wait)
        if to_nm is not None:
            # a gate may leave motors that share axes half a step of the other axis apart
            await self.travel(to_nm, self._data(axes[0])["homing_slow_mm_s"], wait)

    def _data(self, axis):
        return self.machine.description["printer"]["axes"][AXES[axis]]

    def _input(self, axis):
        index = self.machine.endstops.get(AXES[axis])
        if index is None:
            raise MotionError("axis %s has no endstop" % AXES[axis], axis)
        return index

    async def _find(self, axis, wait):
        """Fast to the switch, back, slowly again; the place of the switch becomes the machine's position there."""
        geometry, data = self.geometry, self._data(axis)
        name = AXES[axis]
        index = self._input(axis)
        low, high = geometry.min_nm[axis], geometry.max_nm[axis]
        end = geometry.endstop_nm[axis]
        # the switch lies at one end of the travel, or beyond
        way = -1 if end <= (low + high) // 2 else 1
        span = high - low
        if axis == 2:
            end -= self.trim_nm
        back = way * geometry.nm(data["homing_retract_mm"])
        fast, slow = data["homing_mm_s"], data["homing_slow_mm_s"]
        gates = self.gates(axis, index)
        if self.port.input_state(index):
            self.declare(axis, end)
            await self._along(axis, end - 2 * back, fast, wait)
            if self.port.input_state(index):
                raise MotionError("the endstop of axis %s stays closed" % name, axis)
        # as far away as can be, and some more: where the axis is is not known yet
        self.declare(axis, end - way * (span + span // 4))
        if not await self._along(axis, end + way * (span // 4), fast, wait, gates):
            raise MotionError("axis %s did not reach its endstop" % name, axis)
        self.declare(axis, end)
        await self._along(axis, end - back, fast, wait)
        if self.port.input_state(index):
            raise MotionError("the endstop of axis %s stays closed" % name, axis)
        if not await self._along(axis, end + back, slow, wait, gates):
            raise MotionError("axis %s did not find its endstop again" % name, axis)
        self.declare(axis, end)

    async def _find_towers(self, wait):
        """The same for a delta: all carriages up, each to its own switch.  Over the middle of the bed they go alike."""
        geometry, data = self.geometry, self._data(2)
        inputs = [self._input(tower) for tower in range(3)]
        gates = [(tower, inputs[tower]) for tower in range(3)]
        end = geometry.endstop_nm[2]
        span = geometry.max_nm[2] - geometry.min_nm[2]
        back = geometry.nm(data["homing_retract_mm"])
        fast, slow = data["homing_mm_s"], data["homing_slow_mm_s"]
        if any(self.port.input_state(index) for index in inputs):
            self._set_counts(geometry.counts_at([0, 0, end]))
            await self._along(2, end - 2 * back, fast, wait)
            self._check_open(inputs)
        self._set_counts(geometry.counts_at([0, 0, end - span - span // 4]))
        await self._to_switches(end + span // 4, fast, wait, gates, "tower %s did not reach its endstop")
        await self._along(2, self.place_nm()[2] - back, fast, wait)
        self._check_open(inputs)
        await self._to_switches(self.place_nm()[2] + 2 * back, slow, wait, gates, "tower %s did not find its endstop again")

    async def _to_switches(self, z_nm, speed_mm_s, wait, gates, problem):
        if not await self._along(2, z_nm, speed_mm_s, wait, gates):
            for tower in range(3):
                if not (self.triggered >> tower) & 1:
                    raise MotionError(problem % "abc"[tower], tower)
        self._set_counts(self.geometry.switch_counts(self.geometry.tower_nm))

    def _check_open(self, inputs):
        for tower in range(3):
            if self.port.input_state(inputs[tower]):
                raise MotionError("the endstop of tower %s stays closed" % "abc"[tower], tower)

    async def _along(self, axis, nm, speed_mm_s, wait, gates=()):
        target = [None, None, None]
        target[axis] = nm
        return await self.travel(target, speed_mm_s, wait, gates)

    def declare(self, axis, nm):
        """The axis is at nm, by definition, to half a step; where motors share axes, the others stay where they are to the step."""
        way = [0, 0, 0]
        way[axis] = nm - self.place_nm()[axis]
        # a little more: halves of steps are then rounded alike for motors that go opposite ways
        way[axis] += _NUDGE_NM if way[axis] > 0 else -_NUDGE_NM if way[axis] < 0 else 0
        steps = self.geometry.counts_at(way)
        status = self.port.status()
        counts = [status.count(motor) + steps[motor] for motor in range(3)]
        for motor in self.geometry.motors_of(axis):
            self.port.set_count(motor, counts[motor])

    def _set_counts(self, counts):
        for motor in range(3):
            self.port.set_count(motor, counts[motor])
