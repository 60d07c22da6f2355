"""G-code to steps without a network: the same core, policy and machine data as the printer, as fast as the processor allows.

Starts at the home position; a leading G28 is taken as done, waiting for temperatures takes no time, G4 does.  Memory stays the same
whatever the size of the file.  Not here: drawing progress (tools/cli/steps.py), the file format (tools/stepfile.py).
"""

import copy
import time

from firmware.gcode import messages, policy
from firmware.gcode.review import Review
from hal import factory, stepcore
from hal.errors import ConfigError
from hal.stepcore import StepCore
from hal.stepsink import Sink, StreamDigest
from tools import machine_check, stepfile, stepheader

CHUNK_BYTES = 65536
PACK_BYTES = 65536  # digest bytes of a motor between two updates
RECORD_STEPS = 16384
BUDGET = 1024  # units of planning in one call of pw_run
FULL_MAX = 100000  # an arc of many chords may find the queue full many times
STEPS_PER_MM_MAX = 10000  # of struct pw_config
STEP_HZ_MAX = 10000000
GZIP_MAGIC = b"\x1f\x8b"


class StepsError(Exception):
    """Why there is no result: one line that says what to do."""


def load_machine(name_or_path):
    """Description of a machine; StepsError for bad data."""
    try:
        return machine_check.describe(name_or_path)
    except ConfigError as error:
        raise StepsError(str(error)) from None


def plain_machine(description, finer=8):
    """The same machine without input shapers and pressure advance, of up to `finer` times as many steps a millimetre.

    Its plan is the same but for the delay of shaping; tools/verify judges a shaped stream by it.
    """
    plain = copy.deepcopy(description)
    printer = plain["printer"]
    motors = [*printer["axes"].values(), *factory.extruders_of(printer)]
    most = max(motor["steps_per_mm"] for motor in motors)
    finer = max(1, min(finer, int(STEPS_PER_MM_MAX / most), int(STEP_HZ_MAX / plain["pcb"]["max_step_hz"])))
    for motor in motors:
        motor["steps_per_mm"] *= finer
    plain["pcb"]["max_step_hz"] *= finer
    for extruder in factory.extruders_of(printer):
        extruder["pressure_advance_s"] = 0
    for axis in printer["motion"]["shaper"]:
        printer["motion"]["shaper"][axis] = None
    return plain


def peak_rss_bytes():
    """Most memory that this process has ever held, or None where the system does not tell.

    getrusage also counts what the parent held when it forked, so Linux's own figure is taken where there is one.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class _Run:
    """One document on its way through the core."""

    def __init__(self, source, name, description, takers, progress):
        self.source, self.name, self.takers, self.progress = source, name, takers, progress
        try:
            self.core = StepCore(factory.core_config(description))
        except ConfigError as error:
            raise StepsError("%s: %s" % (description["name"], error)) from None
        self.sink = Sink(self.core, PACK_BYTES, RECORD_STEPS if takers else 0)
        self.digest = StreamDigest(self.core.motors)
        self.digest_cpu_s = 0.0
        self.lines = 0
        self._full = 0
        caps = factory.caps(description)
        self.review = Review(policy.GCODE, caps.max_target_c, caps.tools)
        self.motors = range(self.core.motors)

    def drain(self):
        """Runs the core dry: steps are counted, hashed and, with -o, stored.  Bytes for the digest are the digest's time."""
        while self.core.run(BUDGET):
            more = True
            while more:
                start = time.process_time()
                more = self.sink.drain_core(0)
                self.digest.update(self.sink)
                self.digest_cpu_s += time.process_time() - start
                for taker in self.takers:
                    for motor in self.motors:
                        taker.append(motor, self.sink.ticks(motor), self.sink.dirs(motor))
        for taker in self.takers:
            taker.advance(self.core.status().planned_tick)

    def act(self, took):
        """What stands in the way after a feed that took so many bytes."""
        event = self.core.event
        kind = event.kind
        if kind == stepcore.PW_EV_FULL:
            self.drain()
            # draining always makes room; a core that is still full at the same place would stay so for ever
            self._full = 0 if took else self._full + 1
            if self._full > FULL_MAX:
                raise StepsError("%s: internal error: the core stands still; please report it" % self.name)
        elif kind == stepcore.PW_EV_COMMAND:
            wrong = self.review.command(event)
            if wrong:
                raise StepsError("%s: %s; take it out of the file, or slice for this machine" % (self.name, wrong))
            if self.review.action == policy.MARK:
                self._until_queued(lambda: self.core.mark(0))
            elif self.review.action == policy.FLUSH:
                self._until_queued(self.core.flush)
        elif kind == stepcore.PW_EV_ERROR:
            raise StepsError("%s: %s; correct this line, or slice the model again" % (self.name, messages.core_error(event)))

    def _until_queued(self, call):
        for _ in range(FULL_MAX):
            if call():
                return
            self.drain()
        raise StepsError("%s: internal error: the core stands still; please report it" % self.name)

    def feed(self):
        """All of the text, then its end."""
        buf = bytearray(CHUNK_BYTES)
        core, event = self.core, self.core.event
        core.begin()
        done = 0
        last = 10
        while True:
            size = self.source.readinto(buf)
            if not size:
                break
            if done == 0 and bytes(buf[:2]) == GZIP_MAGIC:
                raise StepsError("%s: is compressed with gzip; unpack it first (gunzip)" % self.name)
            at = 0
            while at < size:
                took = core.feed(buf, at, size)
                at += took
                if event.kind != stepcore.PW_EV_NONE:
                    self.act(took)
            done += size
            self.lines += buf.count(b"\n", 0, size)
            last = buf[size - 1]
            if self.progress:
                self.progress(done)
        while True:
            core.end_document()
            if event.kind == stepcore.PW_EV_END:
                break
            self.act(0)
        self.drain()
        self.lines += last != 10


def run(source, name, machine=None, out=None, progress=None, taker=None):
    """Steps of one document.

    source: binary file (readinto); name: for messages; machine: name, path or description; out: path of the step file to write;
    progress(bytes_taken) is called after every chunk; taker gets the steps too: append(motor, ticks, dirs) as a StepFileWriter, and
    advance(tick) when all steps before that plan tick have come.  Returns the dict of `printwright steps --json`.
    Raises StepsError, OSError (reading, or writing `out`: then there is no file).
    """
    wall, cpu = time.monotonic(), time.process_time()
    description = machine if isinstance(machine, dict) else load_machine(machine)
    writer = None
    try:
        if out:
            writer = stepfile.StepFileWriter(out, stepheader.describe_machine(factory.core_config(description)))
        work = _Run(source, name, description, [one for one in (writer, taker) if one], progress)
        work.feed()
        status = work.core.status()
        if not status.moves:
            raise StepsError("%s: there is no motion in it; give a G-code file that a slicer wrote" % name)
        digest_start = time.process_time()
        sha256 = work.digest.digest().hex()
        digest_cpu_s = work.digest_cpu_s + time.process_time() - digest_start
        if writer:
            writer.commit()
        names = [stepper["name"] for stepper in stepheader.describe_machine(factory.core_config(description))["steppers"]]
        return {
            "lines": work.lines,
            "moves": status.moves,
            "steps": {motor: work.sink.steps(index) for index, motor in enumerate(names)},
            "print_time_s": round(status.planned_tick / work.core.tick_hz, 6),
            "wall_s": round(time.monotonic() - wall, 3),
            "cpu_s": round(time.process_time() - cpu - digest_cpu_s, 3),
            "digest_cpu_s": round(digest_cpu_s, 3),
            "peak_rss_bytes": peak_rss_bytes(),
            "sha256": sha256,
        }
    finally:
        if writer:
            writer.abort()
