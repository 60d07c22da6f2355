"""The job queue: every change of a job goes through here, and what was acknowledged after commit() outlives power loss.

Order of things: a document's file is durable before the record that names it; a record is durable before commit() returns; a file
goes after the record that no longer names it.  So a cut at any place leaves each job whole, or ended with a reason.

`changed` is set at each change; who waits on it looks first, clears it, looks again, then waits (with a time-out).
Not here: printing (runner.py), checking (checker.py), IPP.  Runs in the one asyncio thread; nothing blocks longer than the storage.
"""

import asyncio

from firmware.jobs import holds, order, states
from firmware.jobs.errors import Busy, JobClosed, QueueFull, TooManyDocuments
from firmware.jobs.incoming import DocumentWriter
from firmware.jobs.job import DOCUMENTS_MAX, MESSAGE_CHARS_MAX, NAME_CHARS_MAX, PRIORITY_DEFAULT, Job
from firmware.jobs.store import Store
from hal import compat
from hal.compat import const, seldom
from hal.errors import BusyError, StorageError, StorageFull

MULTIPLE_OPERATION_TIME_OUT_S = const(120)  # RFC 8011 section 5.4.31: 60 to 240 usual

# What an operator has set, kept over a loss of power
DISABLED = const(1)  # Disable-Printer
HOLD_NEW = const(2)  # Hold-New-Jobs
PAUSED = const(4)  # Pause-Printer, Pause-Printer-After-Current-Job
TAKEN = const(8)  # a job has been begun since the platform was last clear, where anybody asks


class JobQueue:
    """log: RecordLog, not mounted yet (journal.keys_needed says its max_keys); files, clock: hal's; caps: `jobs`, `history`,
    `spool_bytes`, `write_while_moving`.  moving: callable, True while steps are due (asked only without write_while_moving).
    Call load() before anything else.
    """

    def __init__(self, log, files, clock, caps, moving=None, time_out_s=MULTIPLE_OPERATION_TIME_OUT_S):
        self._store = Store(log, files, clock, caps, moving, self._unstorable)
        self.journal = self._store.journal
        self.spool = self._store.spool
        self.time_out_s = time_out_s
        self.offset_s = 0  # local time, less UTC
        self.changed = asyncio.Event()
        self._clock = clock
        self._caps = caps
        self._by_id = {}
        self._active = []  # Jobs that have not ended, in the order of printing
        self._incoming = []  # of these, those that are open
        self._unchecked = []  # complete, not checked; in the order of printing, as _ready is
        self._ready = []  # checked, pending or held, in the order of printing

    # -- start ---------------------------------------------------------------------------------------------------------------

    def load(self):
        """Rebuilds everything from flash and spool.  Jobs that were printing are aborted, as are those whose documents had not all
        arrived; the others stay pending and are checked again."""
        self._by_id = {}
        self._active = []
        self._incoming = []
        self._unchecked = []
        self._ready = []
        for job, lost in seldom("firmware.jobs.recovery", "recover")(self._store):
            order.put_in(self._active, job)
            self._by_id[job.id] = job
            if lost is not None:
                self._end(job, states.ABORTED, lost[0], lost[1])
                self._store.save_later(job)
            else:
                job.checked = None
                order.put_in(self._unchecked, job)
        self.changed.set()

    # -- looking -------------------------------------------------------------------------------------------------------------

    def get(self, id):
        """The Job, or None.  One that has ended is read from flash, a new object each time."""
        return self._by_id.get(id) or self._store.get(id)

    def unix_s(self):
        """The time of day as seconds since 1970, None without a clock that was set."""
        return self._clock.unix_s()

    @property
    def storage_error(self):
        """Message of what failed last; None when everything is stored."""
        return self._store.error

    @storage_error.setter
    def storage_error(self, message):
        self._store.error = message

    def flag(self, which):
        """True when the operator has set DISABLED, HOLD_NEW or PAUSED."""
        return self._store.flags & which != 0

    def set_flag(self, which, on):
        """Sets or clears it, durable after commit()."""
        flags = self._store.flags & ~which | (which if on else 0)
        if flags != self._store.flags:
            self._store.set_flags(flags)
        self.changed.set()

    def active(self):
        """Jobs that have not ended, in the order of printing (a list of its own)."""
        return list(self._active)

    def ended(self):
        """Generator of the jobs in the history, newest first, each read from flash."""
        for id in self.journal.ended_ids():
            job = self.get(id)
            if job is not None:
                yield job

    def count_active(self):
        return len(self._active)

    def count_ended(self):
        return self.journal.ended_count

    def intervening(self, job):
        """number-of-intervening-jobs: jobs that will come before this one."""
        return order.place(self._active, job) if job.id in self._by_id else 0

    def waiting(self, but):
        """Jobs that neither print nor have ended, in the order of printing, without `but`."""
        return [job for job in self._active if job.state <= states.PENDING_HELD and job is not but]

    def is_kept(self, job):
        """True when an ended job's documents are there still."""
        return self._store.kept.has(job.id)

    def next_ready(self):
        """The first pending job that is complete and checked, or None; None, too, while one that comes before it is to be checked, as
        all are after a start."""
        for job in self._ready:
            if job.state == states.PENDING:
                for other in self._unchecked[: order.place(self._unchecked, job)]:
                    if other.state == states.PENDING:
                        return None
                return job
        return None

    def unchecked(self):
        """The next job to check (complete, not ended), in the order of printing, or None."""
        return self._unchecked[0] if self._unchecked else None

    def is_full(self):
        """True when create() would refuse for the number of jobs."""
        return len(self._active) >= self._caps.jobs

    # -- submission ----------------------------------------------------------------------------------------------------------

    def create(self, name, user, ticket, document_format=None, compression=None, priority=PRIORITY_DEFAULT, hold=None, hold_unix=None):
        """A new job that waits for documents.  Raises QueueFull, TicketTooLarge; Busy while nothing may be stored; StorageError.

        name, user: str; ticket: dict (see Job); hold, hold_unix: as in holds.hold().  The id may be told to the client after commit().
        """
        job = self._new(name, user, ticket, priority, hold, hold_unix)
        job.document_format = document_format
        job.compression = compression
        self.touch(job)
        self._add(job)
        self._incoming.append(job)
        self.changed.set()
        return job

    def _new(self, name, user, ticket, priority, hold, hold_unix):
        if self.blocked():
            raise Busy("the machine cannot store a job while it moves")
        if self.is_full():
            raise QueueFull("the queue holds %d jobs" % self._caps.jobs)
        uuid = bytearray(compat.urandom(16))
        uuid[6] = uuid[6] & 0x0F | 0x40
        uuid[8] = uuid[8] & 0x3F | 0x80
        job = Job(self.journal.new_id(), bytes(uuid), name, user, ticket)
        job.priority = job.weight = priority
        if not holds.due(hold, hold_unix, self.unix_s(), self.offset_s):
            job.hold = hold
            job.hold_unix = hold_unix
        elif self.flag(HOLD_NEW):
            job.hold = holds.ON_CREATE  # pyright: ignore[reportAttributeAccessIssue]
        job.boot = self.journal.boot
        job.created_s = self._clock.uptime_s()
        job.created_unix = self._clock.unix_s()
        return job

    def _add(self, job):
        """A new job's record, and the job among the others."""
        self._wait(job)
        try:
            self.journal.add(job, len(self._active))
        except StorageFull as e:
            raise QueueFull(e.message)
        except BusyError as e:
            raise Busy(e.message)
        order.put_in(self._active, job)
        self._by_id[job.id] = job

    def resubmit(self, old, user, ticket, priority, hold, hold_unix):
        """A new job with the documents of `old`, which has ended and is_kept(); it takes them along.  Raises as create() does."""
        job = self._new(old.name, user, ticket, priority, hold, hold_unix)
        job.document_format = old.document_format
        job.compression = old.compression
        job.documents = old.documents
        job.open = False
        self._add(job)
        self._store.kept.take(old.id)
        order.put_in(self._unchecked, job)
        self.changed.set()
        return job

    def open_document(self, job, format=None, compression=None, name=None):
        """A DocumentWriter for the job's next document.  Raises JobClosed, TooManyDocuments, Busy (one at a time for each job; not
        while nothing may be stored), StorageError."""
        if not job.open:
            raise JobClosed("the job takes no more documents")
        if job.writer is not None:
            raise Busy("a document of this job is arriving")
        if self.blocked():
            raise Busy("the machine cannot store a document while it moves")
        if len(job.documents) >= DOCUMENTS_MAX:
            raise TooManyDocuments("a job has at most %d documents" % DOCUMENTS_MAX)
        writer = DocumentWriter(self, job, format, compression, name and name[:NAME_CHARS_MAX])
        job.writer = writer
        self._wait(job)
        self.touch(job)
        self.changed.set()
        return writer

    def touch(self, job):
        """multiple-operation-time-out begins anew."""
        job.deadline_s = self._clock.uptime_s() + self.time_out_s

    def document_complete(self, writer, document, last):
        """For DocumentWriter: a Document whose file is durable, or None."""
        job = writer.job
        if document is not None:
            if not job.documents:
                job.document_format = writer.format or job.document_format
                job.compression = writer.compression or job.compression
            job.documents.append(document)
        job.writer = None
        self.touch(job)
        self._wait(job)
        if last:
            self.close_job(job)
        else:
            self._store.save_later(job)
            self.changed.set()

    def document_failed(self, writer, reasons, message):
        """For DocumentWriter: its job ends, unless it has already."""
        if writer.job.writer is writer:
            self._finish(writer.job, states.ABORTED, reasons, message)

    def close_job(self, job):
        """No more documents will come.  To send none is no error (RFC 8011 section 4.3.1), but nothing can be printed then: such a job
        is aborted at once.  Raises JobClosed, Busy while a document is arriving."""
        if not job.open:
            raise JobClosed("the job is closed")
        if job.writer is not None:
            raise Busy("a document of this job is arriving")
        job.open = False
        job.deadline_s = None
        self._wait(job)
        order.discard(self._incoming, job)
        if job.documents:
            order.put_in(self._unchecked, job)
            self._store.save_later(job)
        else:
            reasons = [states.ABORTED_BY_SYSTEM, states.DOCUMENT_FORMAT_ERROR]
            self._finish(job, states.ABORTED, reasons, "there is nothing to print: the job has no document data")
        self.changed.set()

    # -- changes -------------------------------------------------------------------------------------------------------------

    def set_checked(self, job, lines, text_bytes, ignored, message=None):
        """The checker found nothing wrong with the job's documents."""
        if job.id not in self._by_id:
            return
        job.checked = True
        job.lines = lines
        job.text_bytes = text_bytes
        job.ignored = ignored
        if message:
            job.message = message[:MESSAGE_CHARS_MAX]
        order.take_out(self._unchecked, job)
        order.put_in(self._ready, job)
        self.changed.set()

    def recheck(self, job, ticket):
        """A waiting job has another ticket: its record changes, and what had been checked may no longer hold."""
        old = job.ticket
        job.ticket = ticket
        try:
            self.journal.check_size(job)
        except QueueFull:
            job.ticket = old
            raise
        if order.take_out(self._ready, job):
            job.checked = None
            order.put_in(self._unchecked, job)
        self.rewait(job)

    def _wait(self, job):
        """State and reasons of a job that does not print yet, from what it waits for."""
        held = holds.is_held(job)
        job.state = states.PENDING_HELD if held else states.PENDING
        reasons = []
        if job.open:
            reasons.append(states.JOB_INCOMING)
            if not job.documents and job.writer is None:
                reasons.append(states.JOB_DATA_INSUFFICIENT)
        if held:
            reasons.append(states.JOB_HOLD_UNTIL_SPECIFIED)
        job.reasons = reasons

    def rewait(self, job):
        """Something about a waiting job has changed: state, reasons and record follow."""
        self._wait(job)
        self._store.save_later(job)
        self.changed.set()

    def replace(self, job, weight, rank):
        """Gives a waiting job another place in the order (order.py)."""
        self._move_to(job, weight, rank)
        self.rewait(job)

    def _move_to(self, job, weight, rank):
        lists = [jobs for jobs in (self._active, self._ready, self._unchecked) if order.take_out(jobs, job)]
        job.weight = weight
        job.rank = rank
        for jobs in lists:
            order.put_in(jobs, job)

    def exclude(self, job, indexes):
        """These of a job's objects are left out from now on, all others print.  Not for a job that has ended."""
        job.excluded = sorted(indexes)
        self._store.save_later(job)
        self.changed.set()

    def cancel(self, job, reason=states.CANCELED_BY_USER, message=None):
        """Ends the job, or asks the runner to when it prints (job.stop; reasons say processing-to-stop-point until it stands).

        True when it has ended.  Raises IllegalMove when it had ended before or was asked to stop already.
        """
        states.check(job.state, states.CANCELED)
        if job.state == states.PROCESSING or job.state == states.PROCESSING_STOPPED:
            if job.stop is not None:
                raise states.IllegalMove(job.state, states.CANCELED)
            job.stop = reason
            job.reasons = [states.PROCESSING_TO_STOP_POINT]
            if message:
                job.message = message[:MESSAGE_CHARS_MAX]
            self.changed.set()
            return False
        self.move(job, states.CANCELED, [reason], message)
        return True

    def move(self, job, state, reasons=None, message=None):
        """Moves the job to a state (states.py), or changes reasons and message of the one it is in.

        reasons: list of keywords, None for the state's usual ones; message: str, None leaves it.  Raises IllegalMove; nothing has
        changed then.  A failing medium does not stop a move: see storage_error.
        """
        states.check(job.state, state)
        if job.id not in self._by_id:
            raise states.IllegalMove(job.state, state)
        if states.ended(state):
            self._finish(job, state, reasons, message)
            return
        if state == states.PROCESSING:
            self._stamp_processing(job)
        changed = job.state != state
        job.state = state
        job.reasons = list(states.DEFAULT_REASONS[state] if reasons is None else reasons)
        if message is not None:
            job.message = message[:MESSAGE_CHARS_MAX]
        if job.ignored and state >= states.PROCESSING and states.WARNINGS_DETECTED not in job.reasons:
            job.reasons.append(states.WARNINGS_DETECTED)
        if state == states.PROCESSING and job.weight != order.IN_WORK:
            order.take_out(self._ready, job)
            self._move_to(job, order.IN_WORK, job.rank)
        if changed:
            self._store.save_later(job)
        self.changed.set()

    def _stamp_processing(self, job):
        if job.processing_s is None:
            job.processing_s = self._clock.uptime_s()
            job.processing_unix = self._clock.unix_s()

    def _finish(self, job, state, reasons, message):
        self._end(job, state, reasons, message)
        self._store.save_later(job)
        self.changed.set()

    def _unstorable(self, job, message):
        self._end(job, states.ABORTED, [states.ABORTED_BY_SYSTEM], message)

    def _end(self, job, state, reasons, message):
        """All that ending a job means, but for its record."""
        writer = job.writer
        job.writer = None
        order.discard(self._incoming, job)
        order.take_out(self._ready, job)
        if job.checked is None:
            order.take_out(self._unchecked, job)
        order.take_out(self._active, job)
        self._by_id.pop(job.id, None)
        if reasons is None:
            reasons = states.DEFAULT_REASONS[state]
            if state == states.COMPLETED and job.ignored:
                reasons = [states.COMPLETED_WITH_WARNINGS]
        job.reasons = list(reasons)
        if job.ignored and states.WARNINGS_DETECTED not in job.reasons:
            job.reasons.append(states.WARNINGS_DETECTED)
        if message is not None:
            job.message = message[:MESSAGE_CHARS_MAX]
        job.state = state
        job.open = False
        job.deadline_s = None
        job.time_left_s = None
        job.stop = None
        job.completed_s = self._clock.uptime_s()
        job.completed_unix = self._clock.unix_s()
        self.journal.end(job)
        if writer is not None:
            self._discard_writer(writer)

    def _discard_writer(self, writer):
        try:
            writer.discard()
        except (OSError, StorageError) as e:
            # the file is rubbish now and goes at the next start
            self.storage_error = str(e)

    # -- durability ----------------------------------------------------------------------------------------------------------

    def blocked(self):
        """True while nothing may be stored."""
        return self._store.blocked()

    async def commit(self):
        """Returns when all changes so far are durable; while nothing may be stored, at once (then they are at the next chance).
        Raises StorageError when the medium fails."""
        await self._store.commit()

    async def tidy(self):
        """Regular housekeeping, about once a second (the checker calls it): times out abandoned jobs, releases those whose time has
        come, stores what is not stored yet.  Never raises for a failing medium; storage_error says so."""
        self.expire()
        holds.wake(self)
        if self._store.unfinished():
            try:
                await self.commit()
            except StorageError as e:
                self.storage_error = e.message

    def expire(self):
        """Aborts the jobs whose next document did not come within multiple-operation-time-out (RFC 8011 section 5.4.31)."""
        now_s = self._clock.uptime_s()
        late = None
        for job in self._incoming:
            if job.deadline_s is not None and now_s >= job.deadline_s:
                late = late or []
                late.append(job)
        for job in late or ():
            what = "the rest of the document" if job.writer is not None else "the next document"
            message = "%s did not come within %d s" % (what, self.time_out_s)
            self._finish(job, states.ABORTED, [states.ABORTED_BY_SYSTEM, states.SUBMISSION_INTERRUPTED], message)

    # -- documents -----------------------------------------------------------------------------------------------------------

    def open_reader(self, job, document=0):
        """Reader of a document's text (spool.Reader: readinto, close, size).  Raises StorageError, DataError."""
        return self.spool.open(job.documents[document])
