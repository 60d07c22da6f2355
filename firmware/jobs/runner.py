"""The task that owns the machine: its heart beat, the printer's state, and the queue's next job (firmware/DESIGN.md section 1).

Only this task feeds the core, commands port and heaters, and waits on the machine's clock.  Others call pause(), resume(), cancel()
and identify(), none of which blocks, and read `status`.  What happens within one job: jobs/printing.py.
"""

from firmware.jobs import states
from firmware.jobs.printing import JobEnd, Printing
from firmware.jobs.queue import HOLD_NEW, PAUSED, TAKEN
from firmware.motion.marks import Marks
from firmware.motion.overrides import Overrides
from hal.compat import const
from hal.errors import BusyError, StorageError

CONTROL_MS = const(100)  # heaters are read and set so often
IDLE = const(3)  # printer-state (RFC 8011 section 5.4.11)
PROCESSING = const(4)
STOPPED = const(5)
IDENTIFY_S = const(30)  # so long Identify-Printer shows


class Status:
    """What others may know; plain values.

    printer_state IDLE, PROCESSING or STOPPED; state_reasons: keywords, [] = none; state_message; job_id or None; progress 0 to 100; layer
    or None; time_left_s or None; position_um [x, y, z]; changed: counts changes of state and reasons; changed_s: uptime of the last.
    """

    def __init__(self):
        self.printer_state = IDLE
        self.state_reasons = []
        self.state_message = ""
        self.job_id = None
        self.progress = 0
        self.layer = None
        self.time_left_s = None
        self.position_um = [0, 0, 0]
        self.changed = 0
        self.changed_s = 1


class Runner:
    """machine: hal Machine; queue: JobQueue; heating: thermal Heating; motion: SideMotion; materials: ipp Materials; supervisor;
    settings: config.Config ("material": what is loaded)."""

    def __init__(self, machine, queue, heating, motion, materials, supervisor, settings):
        self.machine = machine
        self.clock = machine.clock
        self.core = machine.core
        self.port = machine.core.port
        self.queue = queue
        self.heating = heating
        self.motion = motion
        self.materials = materials
        self.supervisor = supervisor
        self.settings = settings
        self.marks = Marks(machine.core)
        self.overrides = Overrides(machine.core)  # for operators to set while a job prints
        self.status = Status()
        self.homed = False
        self.job = None
        self.notes = []  # keywords that the job in work adds to the printer's reasons
        self._printing = Printing(self)
        self._pause_wanted = False
        self._pause_after = False  # the job in work ends first
        self._suspended = False  # the job in work waits until it is resumed itself
        self._restart = False
        self._identify_until_s = 0
        self._identify_message = ""
        self._pausing = False
        self._paused = False
        self._pause_message = ""
        self._cancel_reasons = None
        self._ending = False
        self._next_control_ms = 0
        self._stopping = False

    # -- asked for by other tasks

    def pause(self):
        """Motion slows to a standstill on its path; heaters stay on.  Jobs that come wait."""
        self._pause_wanted = True
        self._refresh()

    def pause_after(self):
        """As pause(), once the job in work has ended."""
        if self.job is None:
            self._pause_wanted = True
        else:
            self._pause_after = True
        self._refresh()

    def suspend(self, job):
        """The job in work stops as in a pause until resume_job().  False when it is not the job in work or does so already."""
        if self.job is None or job.id != self.job.id or self._suspended:
            return False
        self._suspended = True
        return True

    def resume_job(self, job):
        """A suspended job goes on.  False when it is not suspended."""
        if self.job is None or job.id != self.job.id or not self._suspended:
            return False
        self._suspended = False
        return True

    def restart(self):
        """Begins anew, as after switching on: a job in work is aborted, pauses and stops that are not fatal are over."""
        self._restart = True

    def refresh(self):
        """Something that printer-state-reasons tell has changed elsewhere."""
        self._refresh()

    def resume(self):
        """Goes on after a pause or, once its cause is gone, after a stop.  False while only switching off and on helps."""
        if self.supervisor.latched and (self.job is not None or not self.supervisor.clear()):
            return False
        if not self.supervisor.latched and self.port.status().latched:
            self.port.clear()
        self._pause_wanted = False
        self._pause_after = False
        self._pause_message = ""
        if self.job is None:
            self.queue.set_flag(TAKEN, False)
        self._printing.confirm()
        self._refresh()
        return True

    def waits_for_material(self):
        """True while the job in work waits for material to be loaded."""
        return self._printing.waits_for_operator

    def asks_for_platform(self):
        """True while the next job has to wait until the operator has cleared the platform."""
        return self.queue.flag(TAKEN) and self.settings.get("platform_clearing") == "operator"

    def cancel(self, job, reasons=(states.CANCELED_BY_USER,)):
        """Ends the job in work: motion stops, heaters go off.  False when it is not the job in work."""
        if self.job is None or job.id != self.job.id:
            return False
        if self._cancel_reasons is None:
            self._cancel_reasons = list(reasons)
        return True

    def identify(self, actions, message=""):
        """Lets the machine show which one it is, and others see the message for a while; the actions that it did."""
        self._identify_until_s = self.clock.uptime_s() + IDENTIFY_S
        self._identify_message = message
        done = self.machine.identify(actions)
        self._refresh()
        return done

    def shut_down(self):
        """run() ends soon, with the machine safe; a job in work is aborted."""
        self._stopping = True

    # -- the task

    async def run(self):
        """Runs until shut_down() or cancellation; the machine is safe when it ends, however it does."""
        self._next_control_ms = self.clock.ticks_ms()
        # not when it is made: the queue may be loaded later
        self._pause_wanted = self._pause_wanted or self.queue.flag(PAUSED)
        try:
            while not self._stopping:
                if self._restart:
                    self._begin_anew()
                job = None
                if not self._pause_wanted and not self.supervisor.latched and not self.asks_for_platform():
                    job = self.queue.next_ready()
                if job is None:
                    await self.tick(CONTROL_MS, False)
                    self._refresh()
                else:
                    await self._run_job(job)
        finally:
            self.supervisor.make_safe()
            self._printing.fans_off()
            if self.machine.trace:
                self.machine.trace.end()

    def _begin_anew(self):
        self._restart = False
        self._pause_wanted = self._pause_after = False
        self._pause_message = ""
        self.supervisor.make_safe()
        self._printing.fans_off()
        self.supervisor.clear()
        self.homed = False
        self._refresh()

    async def _run_job(self, job):
        self.job = job
        self._suspended = False
        self._cancel_reasons = None
        self._ending = False
        status = self.status
        status.job_id = job.id
        status.progress = 0
        status.layer = None
        status.time_left_s = None
        try:
            await self._printing.run(job)
            await self.store()
        finally:
            self.job = None
            self._suspended = False
            if self._pause_after:
                self._pause_wanted = True
                self._pause_after = False
            self.notes = []
            status.job_id = None
            status.time_left_s = None
            self._refresh()

    # -- time

    async def wait(self, ms):
        """One beat within a job: time passes, and whatever ends or pauses the job takes effect here (JobEnd)."""
        await self.tick(ms, True)
        if self._ending:
            return
        self.check_end()
        if self._is_held():
            await self._hold()

    async def tick(self, ms, active):
        """Lets at most `ms` of machine time pass and does what the machine needs in any case: marks, faults, heaters."""
        left = self._next_control_ms - self.clock.ticks_ms()
        if left < ms:
            ms = left if left > 0 else 0
        await self.clock.wait_ms(ms, active)
        for action in self.marks.due():
            self._printing.act(action)
        if self.supervisor.check_port() and not self._pause_wanted:
            self._pause_wanted = True
            self._pause_message = "control was absent for too long: the heaters were switched off"
        now_ms = self.clock.ticks_ms()
        if now_ms >= self._next_control_ms:
            self._next_control_ms += CONTROL_MS
            if self._next_control_ms <= now_ms:
                self._next_control_ms = now_ms + CONTROL_MS
            self._control(now_ms)

    def _control(self, now_ms):
        fault = self.heating.tick(now_ms)
        if fault is not None and not self.supervisor.latched:
            self.supervisor.thermal_fault(fault)
        self.locate()
        if self.job is not None:
            self._printing.control(now_ms)
        self._refresh()

    def locate(self):
        """Where the machine stands, for others to see."""
        place = self.motion.place_nm()
        for axis in range(3):
            self.status.position_um[axis] = (place[axis] + 500) // 1000

    def check_end(self):
        """Raises JobEnd when the job in work is to end."""
        supervisor = self.supervisor
        if supervisor.latched:
            raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], supervisor.message)
        if self._stopping:
            raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], "the printer was switched off while the job was printing", True)
        if self._restart:
            raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], "the printer was restarted while the job was printing", True)
        if self._cancel_reasons is None and self.job is not None and self.job.stop:
            self._cancel_reasons = [self.job.stop]
        if self._cancel_reasons is not None:
            raise JobEnd(states.CANCELED, self._cancel_reasons, "")

    def is_moving(self):
        """True while steps are due."""
        return self.job is not None and self.port.status().rate_q32 != 0 and not self.motion.idle()

    def is_printing(self):
        """True from the start of a job until it begins to end."""
        return self.job is not None and not self._ending

    # -- pause

    def _is_held(self):
        return self._pause_wanted or self._suspended

    def _tell_held(self):
        """The job's reasons for standing still."""
        reasons = [states.PRINTER_STOPPED] if self._pause_wanted else []
        if self._suspended:
            reasons.append(states.JOB_SUSPENDED)
        told = [reason for reason in self.job.reasons if reason != states.WARNINGS_DETECTED]  # pyright: ignore[reportOptionalMemberAccess]
        if self.job.state != states.PROCESSING_STOPPED or told != reasons:  # pyright: ignore[reportOptionalMemberAccess]
            self.queue.move(self.job, states.PROCESSING_STOPPED, reasons, self._pause_message)
        self._refresh()

    async def _hold(self):
        """From the wish to pause until the printer goes on; ends by JobEnd as well."""
        port = self.port
        self._pausing = True
        try:
            port.hold()
            self._refresh()
            while port.status().rate_q32 and not self.motion.idle() and self._is_held():
                await self.tick(10, True)
                self.check_end()
            if self._is_held():
                self._paused = True
                self._tell_held()
                await self.store()
            while self._is_held():
                await self.tick(CONTROL_MS, False)
                self.check_end()
                if self._is_held():
                    self._tell_held()
            if self._paused:
                self._paused = False
                self.queue.move(self.job, states.PROCESSING, [states.JOB_PRINTING], "")
            self._refresh()
            await self._printing.warm_up()
            port.resume()
        finally:
            self._pausing = False
            self._paused = False

    async def store(self):
        """Makes the queue's changes durable.  A failing medium does not stop a print: the queue tries again and says so."""
        try:
            await self.queue.commit()
        except (StorageError, BusyError) as e:
            self.queue.storage_error = e.message

    def finish(self):
        """The job ends: from now on waits end no more."""
        self._ending = True

    # -- what others see

    def _refresh(self):
        """Printer state and reasons, from what is the case."""
        reasons = []
        message = ""
        if self.supervisor.latched:
            state = STOPPED
            reasons.extend(self.supervisor.reasons)
            message = self.supervisor.message
        elif self._pause_wanted and self.job is None or self._paused:
            state = STOPPED
            message = self._pause_message
            if self._suspended and not self._pause_wanted:
                # the platform is taken, so no other job can have its turn; there is no keyword for that
                reasons.append("other-report")
                message = "job %d is suspended" % self.job.id  # pyright: ignore[reportOptionalMemberAccess]
        else:
            state = IDLE if self.job is None else PROCESSING
        if self.job is None and self.asks_for_platform():
            # there is no keyword for a platform that is not clear; this is what a full output tray says
            if self.queue.next_ready() is not None:
                state = STOPPED
                reasons.append("output-area-full-error")
            else:
                reasons.append("output-area-full-report")
            message = message or "clear the platform, then resume the printer"
        if self._pause_wanted:
            reasons.append("paused" if state == STOPPED else "moving-to-paused")
        elif self._pause_after:
            reasons.append("moving-to-paused")
        if self.queue.flag(HOLD_NEW):
            reasons.append("hold-new-jobs")
        if self._identify_until_s:
            if self.clock.uptime_s() >= self._identify_until_s:
                self._identify_until_s = 0
            else:
                reasons.append("identify-printer-requested")
                message = message or self._identify_message
        if self.job is not None and not self.supervisor.latched:
            for note in self.notes:
                reasons.append(note)
            if self._printing.waits_for_operator and state == PROCESSING:
                state = STOPPED
                message = self._printing.operator_message
        status = self.status
        if state != status.printer_state or reasons != status.state_reasons:
            status.printer_state = state
            status.state_reasons = reasons
            status.changed += 1
            status.changed_s = self.clock.uptime_s()
        status.state_message = message
