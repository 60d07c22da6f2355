"""The task that reads each complete document once, soon after it came: a bad one ends its job before anything moves.

The core scans (pw_scan: same verdict as printing), gcode/review judges the commands that the core hands out.  Small slices, so that IPP
and the print in work hardly notice.  While it has nothing to check it does the queue's housekeeping, once a second.

Which reason: what is not G-code or breaks a rule of the language is a document-format-error; a command that is not allowed, a move or a
value beyond the machine is a document-unprintable-error.  The message says line, column and command.
"""

from firmware.gcode import policy
from firmware.gcode.lines import Lines
from firmware.gcode.review import Review, limits_for
from firmware.jobs import package, states
from hal import stepcore
from hal.compat import TimeoutError, const, print_exception, seldom, sleep_ms, wait_for_ms
from hal.errors import DataError, HalError, StorageError

SLICE_BYTES = const(4096)  # some 150 lines: under 1 ms on the desktop
SMALL_SLICE_BYTES = const(1024)  # where memory is short; some 3 ms on an M0+
_ROOMY_CONNECTIONS = const(32)  # as in app.py
_EVENTS_MAX = const(64)  # commands between two turns of the others
_IDLE_MS = const(1000)

SAFE_FORMAT = "application/vnd.pwg-safe-gcode"

# Errors of the core for text that is no G-code at all; the others are about what it says.
_FORMAT_ERRORS = (
    stepcore.PW_E_SYNTAX,
    stepcore.PW_E_NUMBER,
    stepcore.PW_E_LINE_LENGTH,
    stepcore.PW_E_CHECKSUM,
    stepcore.PW_E_REPEATED,
    stepcore.PW_E_WORD,
)


class Refused(Exception):
    """The document may not be printed: reason (keyword), message."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason
        self.message = message


class Gone(Exception):
    """The job ended while its document was read."""


class Checker:
    """core: StepCore (only its scan is used); queue: JobQueue; materials: ipp Materials; caps: the machine's."""

    def __init__(self, core, queue, materials, caps):
        self.core = core
        self.queue = queue
        self.materials = materials
        self.caps = caps
        self._buf = bytearray(SLICE_BYTES if caps.connections >= _ROOMY_CONNECTIONS else SMALL_SLICE_BYTES)
        self._lines = 0
        self._bytes = 0
        self._ignored = 0
        self._acts = 0
        self._warning = None
        self._text = Lines()
        self._objects = None

    async def run(self):
        """Runs until cancelled."""
        queue = self.queue
        while True:
            job = queue.unchecked()
            if job is not None:
                await self.check(job)
                await queue.tidy()
                continue
            await queue.tidy()
            queue.changed.clear()
            if queue.unchecked() is None:
                try:
                    await wait_for_ms(self._change(), _IDLE_MS)
                except TimeoutError:
                    pass

    async def _change(self):
        await self.queue.changed.wait()

    async def check(self, job):
        """Reads all documents of the job; then it is checked, or aborted (or had ended meanwhile)."""
        self._lines = self._bytes = self._ignored = self._acts = 0
        self._warning = None
        objects = []
        try:
            for index in range(len(job.documents)):
                await self._document(job, index)
                if self._objects is not None:
                    for name, box in self._objects.found:
                        objects.append((index, name, box))
            job.objects = objects
            self.queue.set_checked(job, self._lines, self._bytes, self._ignored, self._warning)
        except Gone:
            pass
        except Refused as e:
            self._abort(job, [e.reason], e.message)
        except DataError as e:
            self._abort(job, [getattr(e, "reason", states.COMPRESSION_ERROR)], "the document cannot be read: " + e.message)
        except StorageError as e:
            self._abort(job, [], "the document cannot be read: " + e.message)
        except HalError as e:
            print_exception(e)
            self._abort(job, [], "the document cannot be checked: " + e.message)
        except Exception as e:
            # a fault of ours; but the same document would find it again and again, and no other would have its turn
            print_exception(e)
            self._abort(job, [], "the document cannot be checked: internal error")

    def _abort(self, job, reasons, message):
        if not states.ended(job.state):
            self.queue.move(job, states.ABORTED, [states.ABORTED_BY_SYSTEM] + reasons, message)

    async def _document(self, job, index):
        document = job.documents[index]
        dialect = policy.SAFE_GCODE if document.format == SAFE_FORMAT else policy.GCODE
        targets = self.materials.targets(job.ticket)
        nozzles_c = []
        for tool in range(len(targets.materials)):
            material = targets.materials[tool]
            nozzles_c.append(material.nozzle_c if targets.nozzles_c[tool] is None and material is not None else targets.nozzles_c[tool])
        # where an earlier document of the job left the nozzles is not asked: it may have ended with all of them off
        review = Review(dialect, limits_for(self.caps, targets.materials), self.caps.tools, nozzles_c, targets.nozzles_c)
        self._acts = 0
        reader = self.queue.open_reader(job, index)
        try:
            await self._scan(job, reader, review, dialect)
        except Refused:
            if document.compression in ("gzip", "deflate") or document.format == package.FORMAT:
                await self._read_out(job, reader)
            raise
        finally:
            reader.close()

    async def _read_out(self, job, reader):
        """Reads the rest of a packed text that is no good: if its checksum is wrong, DataError says so, and that is the cause."""
        total = 0
        while total < self.caps.spool_bytes:
            n = reader.readinto(self._buf)
            if not n:
                return
            total += n
            await sleep_ms(0)
            if states.ended(job.state):
                raise Gone()

    async def _scan(self, job, reader, review, dialect):
        core = self.core
        event = core.event
        buf = self._buf
        expanded_max = self.caps.spool_bytes
        self._text = Lines()
        self._objects = None
        core.begin(stepcore.PW_SCAN, dialect)
        core.scan_cold(review.cold)
        total = 0
        last = 10
        while True:
            n = reader.readinto(buf)
            if not n:
                break
            last = buf[n - 1]
            total += n
            if total > expanded_max:
                raise Refused(states.COMPRESSION_ERROR, "the document is larger than the spool once it is inflated")
            await self._slice(job, review, n)
        if not total:
            raise Refused(states.DOCUMENT_FORMAT_ERROR, "the document is empty")
        if last != 10:
            # the core looks at whole lines; a scan needs no pw_end
            buf[0] = 10
            await self._slice(job, review, 1)
        core.scan(buf, 0, 0)
        moves = event.number
        core_ignored = event.sub
        self._lines += event.line - 1
        self._bytes += total
        self._ignored += review.ignored + core_ignored
        self._warning = review.warning(core_ignored) or self._warning
        if not moves and not self._acts:
            raise Refused(states.DOCUMENT_UNPRINTABLE_ERROR, "the document moves nothing")

    async def _slice(self, job, review, n):
        """Scans _buf[:n].  The event is the core's own and filled anew by others: nothing of it is used after an await."""
        core = self.core
        event = core.event
        at = 0
        events = 0
        while at < n:
            at += core.scan(self._buf, at, n)
            kind = event.kind
            if kind == stepcore.PW_EV_ERROR:
                reason = states.DOCUMENT_FORMAT_ERROR if event.code in _FORMAT_ERRORS else states.DOCUMENT_UNPRINTABLE_ERROR
                raise Refused(reason, seldom("firmware.gcode.messages", "core_error")(event))
            if kind == stepcore.PW_EV_COMMAND:
                cold = review.cold
                problem = review.command(event)
                if problem:
                    raise Refused(states.DOCUMENT_UNPRINTABLE_ERROR, problem)
                if review.cold != cold:
                    self.core.scan_cold(review.cold)
                if review.action == policy.OBJECT:
                    self._object(event, at)
                if review.name == "G28":
                    self._acts += 1
                events += 1
                if events == _EVENTS_MAX:
                    events = 0
                    await sleep_ms(0)
                    if states.ended(job.state):
                        raise Gone()
        self._text.keep(self._buf, n)
        await sleep_ms(0)
        if states.ended(job.state):
            raise Gone()

    def _object(self, event, at):
        if self._objects is None:
            self._objects = seldom("firmware.gcode.objects", "Objects")()
        problem = self._objects.take(self._text.line(self._buf, at))
        if problem:
            raise Refused(states.DOCUMENT_UNPRINTABLE_ERROR, seldom("firmware.gcode.messages", "command_error")(event, problem))
