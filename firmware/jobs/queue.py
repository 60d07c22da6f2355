"""The job queue: every change of a job goes through here, and what was acknowledged after commit() outlives power loss.

Order of things: a document's file is durable before the record that names it; a record is durable before commit() returns; a file
goes after the record that no longer names it.  So a cut at any place leaves each job whole, or ended with a reason.

`changed` is set at each change; who waits on it looks first, clears it, looks again, then waits (with a time-out).
Not here: printing (runner.py), checking (checker.py), IPP.  Runs in the one asyncio thread; nothing blocks longer than the storage.
"""

import asyncio

from firmware.jobs import spool as spools
from firmware.jobs import states
from firmware.jobs.commit import GroupCommit
from firmware.jobs.errors import Busy, JobClosed, QueueFull, TooManyDocuments
from firmware.jobs.incoming import DocumentWriter
from firmware.jobs.job import DOCUMENTS_MAX, MESSAGE_CHARS_MAX, NAME_CHARS_MAX, Document, Job
from firmware.jobs.journal import Journal
from hal import compat
from hal.compat import const
from hal.errors import BusyError, StorageError, StorageFull

MULTIPLE_OPERATION_TIME_OUT_S = const(120)  # RFC 8011 section 5.4.31: 60 to 240 usual


def _at(jobs, id):
    """Index of the first job in the list with that id or a higher one."""
    low = 0
    high = len(jobs)
    while low < high:
        middle = (low + high) // 2
        if jobs[middle].id < id:
            low = middle + 1
        else:
            high = middle
    return low


def _take_out(jobs, job):
    at = _at(jobs, job.id)
    if at < len(jobs) and jobs[at] is job:
        jobs.pop(at)


class JobQueue:
    """log: RecordLog, not mounted yet (journal.keys_needed says its max_keys); files, clock: hal's; caps: `jobs`, `history`,
    `spool_bytes`, `write_while_moving`.  moving: callable, True while steps are due (asked only without write_while_moving).
    Call load() before anything else.
    """

    def __init__(self, log, files, clock, caps, moving=None, time_out_s=MULTIPLE_OPERATION_TIME_OUT_S):
        self.journal = Journal(log, clock, caps.history)
        self.spool = spools.Spool(files, caps.spool_bytes)
        self.time_out_s = time_out_s
        self.changed = asyncio.Event()
        self.storage_error = None  # message of what failed last; None when everything is stored
        self._clock = clock
        self._caps = caps
        self._moving = None if caps.write_while_moving else moving
        self._group = GroupCommit(log)
        self._by_id = {}
        self._active = []  # Jobs that have not ended, by id
        self._incoming = []  # of these, those that are open
        self._unchecked = []  # complete, not checked
        self._ready = []  # checked, pending or held
        self._unsaved = {}  # id: Job whose record could not be written yet

    # -- start ---------------------------------------------------------------------------------------------------------------

    def load(self):
        """Rebuilds everything from flash and spool.  Jobs that were printing are aborted, as are those whose documents had not all
        arrived; the others stay pending and are checked again."""
        self._by_id = {}
        self._active = []
        self._incoming = []
        self._unchecked = []
        self._ready = []
        self._unsaved = {}
        jobs = self.journal.load()
        known = {}
        for job in jobs:
            if self._lost(job) is None:
                for document in job.documents:
                    known[document.file] = document.size
        wrong = self.spool.load(known)
        for job in jobs:
            self._active.append(job)
            self._by_id[job.id] = job
        for job in jobs:
            lost = self._lost(job)
            for document in job.documents:
                if lost is not None and document.file not in known:
                    document.file = None
                elif document.file in wrong:
                    document.file = None
                    lost = ([states.ABORTED_BY_SYSTEM], "a document of the job is missing or damaged")
            if lost is not None:
                self._end(job, states.ABORTED, lost[0], lost[1])
                self._save_later(job)
            else:
                job.checked = None
                self._unchecked.append(job)
        self.changed.set()

    def _lost(self, job):
        """What a restart does to a job: (reasons, message) when it ends, else None."""
        if job.state == states.PROCESSING or job.state == states.PROCESSING_STOPPED:
            return [states.ABORTED_BY_SYSTEM], "power was lost while the job was printing"
        if job.open:
            return [states.ABORTED_BY_SYSTEM, states.SUBMISSION_INTERRUPTED], "power was lost before all documents had arrived"
        return None

    # -- looking -------------------------------------------------------------------------------------------------------------

    def get(self, id):
        """The Job, or None.  One that has ended is read from flash, a new object each time."""
        job = self._by_id.get(id)
        if job is None:
            job = self._unsaved.get(id)
        if job is None:
            job = self.journal.read(id)
        return job

    def active(self):
        """Jobs that have not ended, oldest first (a list of its own)."""
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
        return _at(self._active, job.id) if job.id in self._by_id else 0

    def next_ready(self):
        """The oldest pending job that is complete and checked, or None."""
        for job in self._ready:
            if job.state == states.PENDING:
                return job
        return None

    def unchecked(self):
        """The next job to check (complete, not ended), or None."""
        return self._unchecked[0] if self._unchecked else None

    def is_full(self):
        """True when create() would refuse for the number of jobs."""
        return len(self._active) >= self._caps.jobs

    # -- submission ----------------------------------------------------------------------------------------------------------

    def create(self, name, user, ticket, document_format=None, compression=None):
        """A new job that waits for documents.  Raises QueueFull, TicketTooLarge; Busy while nothing may be stored; StorageError.

        name, user: str; ticket: dict (see Job).  The id may be told to the client after commit().
        """
        if self.blocked():
            raise Busy("the machine cannot store a job while it moves")
        if self.is_full():
            raise QueueFull("the queue holds %d jobs" % self._caps.jobs)
        uuid = bytearray(compat.urandom(16))
        uuid[6] = uuid[6] & 0x0F | 0x40
        uuid[8] = uuid[8] & 0x3F | 0x80
        job = Job(self.journal.new_id(), bytes(uuid), name, user, ticket)
        job.document_format = document_format
        job.compression = compression
        job.reasons = [states.JOB_INCOMING, states.JOB_DATA_INSUFFICIENT]
        job.boot = self.journal.boot
        job.created_s = self._clock.uptime_s()
        job.created_unix = self._clock.unix_s()
        self.touch(job)
        try:
            self.journal.add(job, len(self._active))
        except StorageFull as e:
            raise QueueFull(e.message)
        except BusyError as e:
            raise Busy(e.message)
        self._active.append(job)
        self._by_id[job.id] = job
        self._incoming.append(job)
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
        job.reasons = [states.JOB_INCOMING]
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
        job.reasons = [states.JOB_INCOMING] if job.documents else [states.JOB_INCOMING, states.JOB_DATA_INSUFFICIENT]
        if last:
            self.close_job(job)
        else:
            self._save_later(job)
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
        job.reasons = []
        _take_out(self._incoming, job)
        if job.documents:
            self._unchecked.append(job)
            self._save_later(job)
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
        _discard(self._unchecked, job)
        at = _at(self._ready, job.id)
        self._ready.insert(at, job)
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
        if state == states.PROCESSING:
            _take_out(self._ready, job)
        if changed:
            self._save_later(job)
        self.changed.set()

    def _stamp_processing(self, job):
        if job.processing_s is None:
            job.processing_s = self._clock.uptime_s()
            job.processing_unix = self._clock.unix_s()

    def _finish(self, job, state, reasons, message):
        self._end(job, state, reasons, message)
        self._save_later(job)
        self.changed.set()

    def _end(self, job, state, reasons, message):
        """All that ending a job means, but for its record."""
        writer = job.writer
        job.writer = None
        _take_out(self._incoming, job)
        _take_out(self._ready, job)
        if job.checked is None:
            _discard(self._unchecked, job)
        _take_out(self._active, job)
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
        return self._moving is not None and self._moving()

    def _save_later(self, job):
        """Puts the job's record now if that may be and can be done, else with the next commit()."""
        self._unsaved[job.id] = job
        if not self.blocked():
            try:
                self._save(job)
            except (StorageError, BusyError) as e:
                self.storage_error = e.message

    def _save(self, job):
        if states.ended(job.state):
            # the files go when a record that does not name them is durable
            documents = job.documents
            job.documents = [Document(d.name, d.format, d.compression, d.size, None) for d in documents]
            try:
                self.journal.save(job)
            except StorageError:
                job.documents = documents
                raise
            for document in documents:
                if document.file is not None:
                    self.spool.remove_after(self.journal.log.sequence, document.file, document.size)
        else:
            try:
                self.journal.save(job)
            except StorageFull as e:
                if job.state != states.PENDING and job.state != states.PENDING_HELD:
                    raise
                # what cannot be remembered cannot be promised; an ended job always finds room
                self._end(job, states.ABORTED, [states.ABORTED_BY_SYSTEM], "the job could not be stored: " + e.message)
                self._save(job)
                return
        self._unsaved.pop(job.id, None)

    async def commit(self):
        """Returns when all changes so far are durable; while nothing may be stored, at once (then they are at the next chance).
        Raises StorageError when the medium fails."""
        if self.blocked():
            return
        try:
            self._save_unsaved()
            await self._group.wait()
        except BusyError as e:
            # motion began: as above
            self.storage_error = e.message
            return
        self.storage_error = None
        if self.spool.doomed() and not self.blocked():
            try:
                self.spool.sweep(self._group.durable)
            except (OSError, StorageError) as e:
                self.storage_error = str(e)

    def _save_unsaved(self):
        for id in sorted(self._unsaved):
            try:
                self._save(self._unsaved[id])
            except StorageError as e:
                self.storage_error = e.message
                raise

    async def tidy(self):
        """Regular housekeeping, about once a second (the checker calls it): times out abandoned jobs, stores what is not stored yet.
        Never raises for a failing medium; storage_error says so."""
        self.expire()
        if self._unsaved or self._group.pending() or self.spool.doomed():
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


def _discard(jobs, job):
    for at in range(len(jobs)):
        if jobs[at] is job:
            jobs.pop(at)
            return
