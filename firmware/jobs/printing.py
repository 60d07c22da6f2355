"""One job on the machine: warm up, home, feed its documents, and end so that the machine is safe (design.md section 3).

The step stream is a function of the document alone: what is done here changes when machine time runs and whether the stream goes on,
never the stream.  Runs within the runner's task; every wait is the runner's beat.
"""

from firmware.gcode import policy, values
from firmware.gcode.review import Review, limits_for
from firmware.jobs import states
from firmware.jobs.progress import Progress
from firmware.motion import feeder as feeding
from firmware.motion.feeder import Feeder
from firmware.motion.side import MotionError
from hal.api import nozzle_of
from hal.compat import const, print_exception, seldom
from hal.errors import DataError, HalError, StorageError

FEED_BYTES = const(4096)  # one read; some 150 lines, so that IPP waits at most a few ms
SMALL_FEED_BYTES = const(1024)  # where memory is short
_ROOMY_CONNECTIONS = const(32)  # as in app.py
HEATING_MAX_MS = const(3600000)  # a target that is not reached in an hour never is
STAND_MAX_MS = const(30000)  # no machine takes so long to slow down
PARK_LIFT_NM = const(10000000)
PARK_MM_S = const(100)
PARK_Z_MM_S = const(10)
_SLICE_MAX_MS = const(100)

SAFE_FORMAT = "application/vnd.pwg-safe-gcode"
ALL_AXES = (0, 1, 2)

# heater: note in printer-state-reasons while it warms up
_NOTES = {"nozzle": "extruder-heating-report", "bed": "platform-heating-report", "chamber": "chamber-heating-report"}

# what a mark does when the motion reaches it: (kind, ...)
_TARGET = const(0)  # heater, degC
_FAN = const(1)  # permille
_PROGRESS = const(2)  # percent or None, seconds left or None
_LAYER = const(3)  # number, -1: one more


class JobEnd(Exception):
    """The job in work ends: state, reasons (keywords), message ("" for none); at_once: without moving the head out of the way."""

    def __init__(self, state, reasons, message="", at_once=False):
        super().__init__(message)
        self.state = state
        self.reasons = reasons
        self.message = message
        self.at_once = at_once


class Printing:
    """Belongs to a Runner and uses its parts.  Makes its buffers once."""

    def __init__(self, runner):
        self.runner = runner
        self.machine = runner.machine
        self.core = runner.core
        self.port = runner.port
        self.heating = runner.heating
        roomy = runner.machine.caps.connections >= _ROOMY_CONNECTIONS
        self.feeder = Feeder(runner.core, FEED_BYTES if roomy else SMALL_FEED_BYTES)
        self.waits_for_operator = False
        self.operator_message = ""
        self.confirmed = False
        self._tick_ms = max(1, runner.core.tick_hz // 1000)  # plan ticks a ms
        self.materials = []  # of each tool
        self.nozzles_c = []  # what the ticket asks of each tool
        self.forced = {}  # heater: degC that the ticket asks for
        self._fed = {}  # heater: last target in the order of the document
        self.used = {}  # heater: last target that was no "off", the ticket's or the document's
        self._review = Review(policy.GCODE, {})
        self._ignored = 0
        self.progress = Progress(runner)
        self._job = None
        self._objects = None  # gcode/objects.Objects of a document that names any
        self._first_object = 0  # index of its first in the job's list
        self._leaves_out = False
        self._e_counts = [0] * runner.machine.caps.tools

    # -- the job

    async def run(self, job):
        """Prints the job to its end, whatever it is; returns the JobEnd, with the job moved to that state."""
        runner = self.runner
        self.progress.begin()
        self._ignored = 0
        self.forced = {}
        self._fed = {}
        self.used = {}
        self.materials = []  # of each tool
        self.nozzles_c = []  # what the ticket asks of each tool
        self.confirmed = False
        self._job = job
        self._objects = None
        self._first_object = 0
        runner.overrides.reset()
        job.progress = 0
        job.layer = 0
        runner.queue.move(job, states.PROCESSING, [states.JOB_PRINTING], "")
        try:
            await runner.store()
            await seldom("firmware.jobs.preparing", "prepare")(self, job)
            starved = self.port.status().starvations
            for index in range(len(job.documents)):
                await self._document(job, index)
                self.progress.document_done(self.feeder.taken_bytes)
            end = self._completed(self.port.status().starvations - starved)
        except JobEnd as e:
            end = e
        except MotionError as e:
            runner.homed = False
            runner.supervisor.motion_failed(e.message, e.axis)
            end = JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], e.message)
        except DataError as e:
            end = JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM, states.COMPRESSION_ERROR], "the document cannot be read: " + e.message)
        except StorageError as e:
            end = JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], "the document cannot be read: " + e.message)
        except Exception as e:
            # whatever it is: the machine must not go on as if nothing had been
            print_exception(e)
            runner.supervisor.stop(["other-error"], "internal failure: %s" % e)
            end = JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], runner.supervisor.message)
        await self._finish(job, end)
        return end

    def _completed(self, starved):
        """starved: how often the motion slowed down because no more of the document had been read and planned."""
        warnings = [self._review.warning(self._ignored)]
        if self._job.excluded:  # pyright: ignore[reportOptionalMemberAccess]
            warnings.append("%d of %d objects left out" % (len(self._job.excluded), len(self._job.objects)))  # pyright: ignore[reportOptionalMemberAccess]
        if starved:
            warnings.append("the motion had to wait for data %d times" % starved)
        told = "; ".join([warning for warning in warnings if warning])
        if told:
            return JobEnd(states.COMPLETED, [states.COMPLETED_WITH_WARNINGS], told)
        return JobEnd(states.COMPLETED, [states.COMPLETED_SUCCESSFULLY])

    async def _finish(self, job, end):
        """Heaters and fans off, motion at a stand, the head out of the way; then the job is where it ends."""
        runner = self.runner
        runner.finish()
        runner.notes = []
        self.waits_for_operator = False
        if end.state != states.COMPLETED:
            runner.queue.move(job, job.state, [states.PROCESSING_TO_STOP_POINT], end.message)
            runner.supervisor.make_safe()
        self.heating.off()
        self.fans_off()
        await self._stand()
        runner.marks.clear()
        if self.machine.trace:
            self.machine.trace.end()
        if runner.homed and not runner.supervisor.latched and not end.at_once:
            try:
                await self._park()
            except (MotionError, HalError) as e:
                print_exception(e)
                runner.homed = False
        runner.locate()
        if end.state == states.COMPLETED:
            runner.status.progress = job.progress = 100
        self.record(job)
        job.time_left_s = 0 if end.state == states.COMPLETED else None
        runner.queue.move(job, end.state, end.reasons, end.message)

    async def _stand(self):
        """Until the motion stands; a faulted port stands already."""
        start_ms = self.runner.clock.ticks_ms()
        while True:
            status = self.port.status()
            if status.fault or not status.rate_q32 or self.runner.motion.idle():
                return
            if self.runner.clock.ticks_ms() - start_ms > STAND_MAX_MS:
                self.runner.supervisor.stop(["motor-failure-error"], "the motion does not come to a stand")
                self.port.fault()
                return
            await self.runner.tick(10, True)

    async def _park(self):
        """Up, then out of the way of the print."""
        runner = self.runner
        geometry = runner.motion.geometry
        place = runner.motion.place_nm()
        lift = min(PARK_LIFT_NM, geometry.max_nm[2] - place[2])
        if lift > 0:
            await runner.motion.travel([None, None, place[2] + lift], PARK_Z_MM_S, runner.wait)
        await runner.motion.travel([geometry.park_nm[0], geometry.park_nm[1], None], PARK_MM_S, runner.wait)

    # -- before the first document

    async def go_to_start(self):
        """To where program motion starts; finds it first where that is not known."""
        self.core.begin()
        if self.runner.homed:
            await self._go_home()
        else:
            await self.runner.motion.home(ALL_AXES, self.runner.wait)
            self.runner.homed = True

    async def run_text(self, reader):
        """Carries out G-code of the machine's own (reader: readinto), from where program motion starts until it stands."""
        runner = self.runner
        self._review = Review(policy.GCODE, limits_for(self.machine.caps), self.machine.caps.tools)
        runner.marks.clear()
        self.core.begin()
        self.feeder.begin(reader)
        self.progress.forget()
        await self._feed()
        await self._flush()
        runner.marks.clear()
        self.heating.off()
        self.fans_off()
        self._fed = {}
        self.used = {}

    def record(self, job):
        """What the job is printed with, as far as it is known: the ticket's word, then the document's."""
        nozzles_c = [self.used.get(self.nozzle(tool)) for tool in range(len(self.materials))]
        self.runner.materials.record(job.ticket, self.materials, nozzles_c, self._used_c("bed"), self._used_c("chamber"))

    def _used_c(self, heater):
        """What was asked for, else what is the case: a platform that stays cold has a temperature, too."""
        target_c = self.used.get(heater)
        if target_c is None and heater in self.machine.heaters:
            now_c = self.heating.current_c(heater)
            return None if now_c is None else int(now_c + 0.5)
        return target_c

    async def _go_home(self):
        """From where the machine was parked to where program motion starts."""
        motion = self.runner.motion
        home = motion.geometry.home_nm
        await motion.travel([home[0], home[1], None], PARK_MM_S, self.runner.wait)
        await motion.travel([None, None, home[2]], PARK_Z_MM_S, self.runner.wait)

    async def ask(self, job, note, message, done):
        """Holds the job until done(), which may look at `confirmed`; note: for printer-state-reasons while it lasts."""
        runner = self.runner
        self.operator_message = message
        self.waits_for_operator = True
        self.confirmed = False
        runner.notes.append(note)
        runner.queue.move(job, states.PROCESSING_STOPPED, [states.PRINTER_STOPPED, states.RESOURCES_ARE_NOT_READY], message)
        await runner.store()
        try:
            while not done():
                await runner.wait(_SLICE_MAX_MS)
        finally:
            self.waits_for_operator = False
            runner.notes.remove(note)
        runner.queue.move(job, states.PROCESSING, [states.JOB_PRINTING], "")

    def confirm(self):
        """The operator resumes the printer."""
        self.confirmed = True

    # -- documents

    async def _document(self, job, index):
        runner = self.runner
        document = job.documents[index]
        dialect = policy.SAFE_GCODE if document.format == SAFE_FORMAT else policy.GCODE
        self._review = Review(dialect, limits_for(self.machine.caps, self.materials), self.machine.caps.tools)
        self._fed = {}  # each document begins anew, as in the check
        self._first_object += len(self._objects.found) if self._objects is not None else 0
        self._objects = None
        self._leaves_out = False
        runner.marks.clear()
        self.core.begin(0, dialect)
        runner.overrides.apply()
        if self.machine.trace:
            self.machine.trace.begin()
        reader = runner.queue.open_reader(job, index)
        try:
            self.feeder.begin(reader)
            self.progress.document()
            await self._feed()
            await self._flush()
        finally:
            close = getattr(reader, "close", None)
            if close:
                close()
        self._ignored += self.core.status().ignored

    async def _feed(self):
        runner = self.runner
        feeder = self.feeder
        event = feeder.event
        while True:
            if self._objects is not None:
                self._leave_out()
            # one line at a time while any push of filament would be a mistake, or has to wait
            status = self.core.status()
            tool = status.tool
            heater = self.nozzle(tool)
            careful = self._is_cold(tool) or self._fed.get(heater, values.MIN_EXTRUDE_C) < values.MIN_EXTRUDE_C
            fed_nm = status.position_nm(3)  # of all filament of this tool: G92 does not change it
            got = feeder.step(careful)
            status = self.core.status()
            if careful and status.tool == tool and status.position_nm(3) > fed_nm:
                await self._guard_cold(tool, status.line)
            if got == feeding.READ:
                if feeder.drained:
                    self.progress.count(self.core.status().final_tick, self.feeder.taken_bytes)
                    await runner.wait(0)
            elif got == feeding.FULL:
                await runner.wait(self._slice_ms())
            elif got == feeding.COMMAND:
                await self._command(event)
            elif got == feeding.LAYER:
                await self._mark((_LAYER, event.number))
            elif got == feeding.ERROR:
                # the checker saw another text, or saw it wrongly: what was fed before is still played
                problem = seldom("firmware.gcode.messages", "core_error")(event)
                await self._flush()
                raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM, states.DOCUMENT_FORMAT_ERROR], problem)
            else:
                return

    def _slice_ms(self):
        """So long the motion that is planned lasts with a good reserve."""
        ahead = self.core.status().final_tick - self.port.status().played_tick
        ms = ahead // self._tick_ms // 2
        return 1 if ms < 1 else _SLICE_MAX_MS if ms > _SLICE_MAX_MS else ms

    async def _flush(self):
        """Until all that was fed is played and its marks are done."""
        runner = self.runner
        while not self.core.flush():
            await runner.wait(self._slice_ms())
        self.progress.count(self.core.status().final_tick, self.feeder.taken_bytes)
        # a mark fires only while time passes, also one that stands before the first move
        while len(runner.marks) or not runner.motion.idle():
            await runner.wait(self._slice_ms())

    async def _mark(self, action):
        while not self.runner.marks.add(action):
            await self.runner.wait(self._slice_ms())

    # -- commands

    async def _command(self, event):
        review = self._review
        problem = review.command(event)
        if problem:
            await self._flush()
            raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM, states.DOCUMENT_FORMAT_ERROR], problem)
        name = review.name
        if review.action == policy.IGNORE:
            return
        if review.action == policy.OBJECT:
            if self._objects is None:
                self._objects = seldom("firmware.gcode.objects", "Objects")()
            self._objects.take(self.feeder.line())  # the checker has found nothing wrong with it
            return
        heater = review.heater
        if heater:
            if heater in self.machine.heaters:
                await self._heat(event, heater, review.action == policy.FLUSH)
            return
        if review.action == policy.MARK:
            if name == "M106":
                await self._mark((_FAN, values.fan_permille(event)))
            elif name == "M107":
                await self._mark((_FAN, 0))
            elif name == "M73":
                await self._mark_progress(event)
            return
        # the event is the core's own and is filled anew while time passes
        words = event.words
        moved = self.core.status().moves != 0
        await self._flush()
        if name == "G28":
            await self._home(words, moved)
        elif name == "G29" and self.runner.motion.bed is not None:
            # behind the way home, where the core may change the mesh
            await self.runner.motion.bed.measure(self.runner.wait)
        elif name == "M600":
            await seldom("firmware.jobs.change", "change")(self, self._job)

    def _leave_out(self):
        """The moves of an object that was canceled are left out, from the next line fed on: the core keeps count of both places."""
        current = self._objects.current  # pyright: ignore[reportOptionalMemberAccess]
        out = current >= 0 and self._first_object + current in self._job.excluded  # pyright: ignore[reportOptionalMemberAccess]
        if out != self._leaves_out:
            self.core.skip(out)
            self._leaves_out = out

    async def _heat(self, event, heater, wait):
        target = values.target_c(event)
        cool = event.value("S") is None
        forced = self.forced.get(heater)
        if target and forced is not None:
            target = forced
        self._fed[heater] = target
        if target:
            self.used[heater] = target
        if not wait:
            await self._mark((_TARGET, heater, target))
            return
        await self._flush()
        self.set_target(heater, target)
        if target and (cool or (self.heating.current_c(heater) or 0) < target):
            await self.reach(heater)

    async def _mark_progress(self, event):
        percent = event.value("P")
        minutes = event.value("R")
        if percent is None and minutes is None:
            return
        left_s = None if minutes is None else minutes * 60 // 1000000
        await self._mark((_PROGRESS, None if percent is None else percent // 1000000, left_s))

    async def _home(self, words, moved):
        """G28: the core has brought the axes to their home position already; before the first move they are there."""
        axes = tuple([axis for axis in ALL_AXES if (words >> (23 + axis)) & 1]) or ALL_AXES
        if moved:
            # until it is done, counts say nothing
            stood_nm = self.runner.motion.place_nm()  # with skew, that is not quite where the home position of an axis is
            self.runner.homed = False
            await self.runner.motion.home(axes, self.runner.wait, stood_nm)
            self.runner.homed = True

    def act(self, action):
        """Does what a mark was set for; the motion has reached its place."""
        kind = action[0]
        if kind == _TARGET:
            self.set_target(action[1], action[2])
        elif kind == _FAN:
            self._set_fan(action[1])
        elif kind == _PROGRESS:
            self.progress.told(action[1], action[2])
        elif kind == _LAYER:
            self.progress.layer(action[1])

    # -- heat

    def set_target(self, heater, target_c):
        if not self.runner.supervisor.latched:
            self.heating.set_target(heater, target_c)

    async def reach(self, heater):
        """Until the heater is at its target."""
        runner = self.runner
        start_ms = runner.clock.ticks_ms()
        note = _NOTES["nozzle" if heater.startswith("nozzle") else heater]
        runner.notes.append(note)
        try:
            while not self.heating.reached(heater) and self.heating.target_c(heater):
                if runner.clock.ticks_ms() - start_ms > HEATING_MAX_MS:
                    text = "the %s does not reach %d degC" % (heater, self.heating.target_c(heater))
                    raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], text)
                await runner.wait(_SLICE_MAX_MS)
        finally:
            runner.notes.remove(note)

    async def warm_up(self):
        """After a pause: what had been hot is so again before anything moves."""
        for heater in self.machine.caps.heaters:
            if heater != "chamber" and self.heating.target_c(heater):
                while not self.heating.reached(heater) and (self.heating.current_c(heater) or 0) < self.heating.target_c(heater):
                    await self.runner.tick(_SLICE_MAX_MS, True)
                    self.runner.check_end()

    def _set_fan(self, permille):
        fan = self.machine.fans.get("part")
        if fan is not None:
            fan.set(permille)

    def fans_off(self):
        """The part fan; others belong to heating."""
        self._set_fan(0)

    def nozzle(self, tool):
        """Name of the heater of a tool."""
        return nozzle_of(tool, self.machine.heaters)

    def _is_cold(self, tool):
        now = self.heating.current_c(self.nozzle(tool))
        return now is None or now < values.MIN_EXTRUDE_C

    async def _guard_cold(self, tool, line):
        """A line pushes filament while the nozzle is cold or told to be: before any of it is played, waits for heat or ends the job.

        Motion is held meanwhile, which the step stream does not notice.
        """
        heater = self.nozzle(tool)
        material = self.materials[tool] if self.materials else None
        target = self._fed.get(heater)
        if target is None:
            target = self.forced.get(heater)
        if target is None and self.nozzles_c:
            target = self.nozzles_c[tool]
        if target is None and material is not None:
            # a document that says nothing of temperatures gets the material's
            target = self.forced[heater] = self.used[heater] = material.nozzle_c
        if not target or target < values.MIN_EXTRUDE_C:
            self.port.quick_stop()
            text = "line %d: the nozzle is too cold to extrude: %d degC asked for, %d needed" % (line, target or 0, values.MIN_EXTRUDE_C)
            raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM, states.DOCUMENT_UNPRINTABLE_ERROR], text)
        self.port.hold()
        self.set_target(heater, target)
        await self.reach(heater)
        self.port.resume()

    # -- every 100 ms

    def control(self, now_ms):
        """Progress, and a last look at what the extruder does; called by the runner's beat."""
        status = self.port.status()
        counts = self._e_counts
        pushed = None
        for tool in range(len(counts)):
            count = status.count(3 + tool)
            if count > counts[tool]:
                pushed = tool
            counts[tool] = count
        if pushed is not None:
            # pulling back is harmless: slicers do so after switching the nozzle off
            if self._is_cold(pushed) and not self.runner.supervisor.latched and self.runner.is_printing():
                self.runner.supervisor.stop(["extruder-temperature-low-error"], "the nozzle is too cold to extrude")
        self.progress.tell(now_ms)
