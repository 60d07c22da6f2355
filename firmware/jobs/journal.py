"""Jobs as records: ids, the order of ends, the history.  One record a job, written anew at each change that must last.

A job that has ended is only a record, with 14 bytes in RAM (RecordLog's index and the order of ends).  Not here: when to write, and
what must be true before (queue.py); documents (spool.py).
"""

import struct
from array import array

from firmware.jobs import job as jobs
from firmware.jobs import packing, states
from firmware.jobs.errors import TicketTooLarge
from hal.compat import const
from hal.errors import StorageError, StorageFull

KEY_JOBS_MAX = 0x7FFFFFFF  # job ids are their own keys
KEY_STATE = 0x80000000  # last id given, starts of the printer

_STATE = "<BIIB"  # version, last id, boot, flags
_STATE_BYTES = const(10)
_OLD_STATE_BYTES = const(9)  # without flags
_VERSION = const(1)
_SPARE_KEYS = const(8)
_GROWTH_BYTES = const(192)  # what a job in the queue usually grows by


def keys_needed(caps):
    """max_keys for the RecordLog of a queue with these capabilities."""
    return caps.jobs + caps.history + _SPARE_KEYS


class Journal:
    """On a RecordLog; clock: hal's.  limit: jobs in the history, at least 1."""

    def __init__(self, log, clock, limit):
        self.log = log
        self._clock = clock
        self._limit = max(1, limit)
        # ring of the ids of ended jobs, oldest first; with room for those whose records are not written yet
        self._slots = self._limit + _SPARE_KEYS
        self._order = array("I", bytes(4 * self._slots))
        self._first = 0
        self.ended_count = 0
        self.last_id = 0
        self.boot = 0
        self.flags = 0  # what the operator has set (queue.py), kept over a loss of power
        self._recorded_id = 0  # last id that the state record knows of
        self._ends = 0
        self.damaged = 0  # records that were no jobs

    def load(self):
        """Mounts the log and returns the jobs that have not ended, in order of their ids."""
        log = self.log
        log.mount()
        self._first = 0
        self.ended_count = 0
        self.last_id = 0
        self.boot = 0
        self._ends = 0
        self.damaged = 0
        state = log.get(KEY_STATE)
        self.flags = 0
        if state and _OLD_STATE_BYTES <= len(state) <= _STATE_BYTES and state[0] == _VERSION:
            _, self.last_id, self.boot, self.flags = struct.unpack(_STATE, state + bytes(_STATE_BYTES - len(state)))
        # a deletion may be stored before the note of the id that it takes away
        self.last_id = max(self.last_id, log.highest_key)
        head = bytearray(jobs.HEAD_BYTES)
        ended = []
        alive = []
        for key in log.keys():
            if key > KEY_JOBS_MAX:
                continue
            number = 0
            if log.peek(key, head) == jobs.HEAD_BYTES:
                number, end = jobs.peek(head)
            if number < states.PENDING:
                self.damaged += 1
            elif states.ended(number):
                ended.append((end, key))
            else:
                alive.append(key)
        self.boot += 1
        self._record_state()
        ended.sort()
        for end, key in ended:
            self._ends = end
            self._push(key)
        self._trim()
        alive.sort()
        result = []
        for key in alive:
            job = self.read(key)
            if job:
                result.append(job)
        return result

    def _record_state(self):
        self.log.put(KEY_STATE, struct.pack(_STATE, _VERSION, self.last_id, self.boot, self.flags))
        self._recorded_id = self.last_id

    def set_flags(self, flags):
        """Puts other flags.  Raises StorageError; then the old ones stay."""
        old = self.flags
        self.flags = flags
        try:
            self._record_state()
        except StorageError:
            self.flags = old
            raise

    def new_id(self):
        """An id that no job has had; it counts as given once a job with it was saved."""
        return self.last_id + 1

    def add(self, job, jobs_alive):
        """Puts a new job's record, if what it and the others may grow by fits, too.  Raises TicketTooLarge, StorageFull."""
        record = self.check_size(job)
        if not self._make_room(job.id, len(record) + _GROWTH_BYTES * (jobs_alive + 1), 0):
            raise StorageFull("the journal of %d bytes is full" % self.log.usable_bytes)
        self.log.put(job.id, record)
        if job.id > self.last_id:
            self.last_id = job.id

    def check_size(self, job):
        """The job's record.  Raises TicketTooLarge when it leaves no room for what it may grow by."""
        record = jobs.encode(job)
        room = self.log.value_bytes_max - min(jobs.GROWTH_BYTES_MAX, self.log.value_bytes_max // 4)
        if len(record) > room:
            raise TicketTooLarge("the job's attributes take %d bytes, at most %d fit" % (len(record), room))
        return record

    def save(self, job):
        """Puts the job's record again.  An ended job that does not fit goes without its ticket.  Raises StorageError, StorageFull."""
        record = jobs.encode(job)
        # an ended job is the newest of the history
        keep = 1 if job.ended else 0
        fits = len(record) <= self.log.value_bytes_max and self._make_room(job.id, len(record), keep)
        if not fits and job.ended:
            record = jobs.encode(job, {})
            self._make_room(job.id, len(record), keep)
        self.log.put(job.id, record)
        if job.ended:
            # only now, so that a cut in between costs no record
            self._trim()

    def _make_room(self, id, value_bytes, keep):
        """Lets history but for `keep` jobs give way until a value fits; False when it does not then."""
        log = self.log
        while self.ended_count > keep and not log.has_room(id, value_bytes):
            self.drop_oldest()
        return log.has_room(id, value_bytes)

    def end(self, job):
        """Gives an ended job its place in the history.  Save the job after it: then the oldest one goes, if there are too many."""
        self._ends += 1
        job.ended = self._ends
        self._push(job.id)

    def _push(self, id):
        if self.ended_count == self._slots:
            self.drop_oldest()
        self._order[(self._first + self.ended_count) % self._slots] = id
        self.ended_count += 1

    def _trim(self):
        while self.ended_count > self._limit:
            self.drop_oldest()

    def drop_oldest(self):
        """Forgets the job that ended first."""
        id = self._order[self._first]
        self._first = (self._first + 1) % self._slots
        self.ended_count -= 1
        self._forget(id)

    def _forget(self, id):
        # the highest id must stay known when its job goes; recording it then also serves all jobs before it
        if id > self._recorded_id:
            self._record_state()
        self.log.delete(id)

    def read(self, id):
        """The job of a record, its times counted from this start; None when there is none (or a damaged one)."""
        if not 0 < id <= KEY_JOBS_MAX:
            return None
        record = self.log.get(id)
        if record is None:
            return None
        try:
            job = jobs.decode(id, record)
        except packing.PackingError:
            self.damaged += 1
            return None
        jobs.rebase(job, self.boot, self._clock.uptime_s(), self._clock.unix_s())
        return job

    def ended_ids(self):
        """Generator of the ids in the history, newest first.  A job that ends meanwhile may shift it by one."""
        n = self.ended_count
        while n > 0:
            n -= 1
            if n < self.ended_count:
                yield self._order[(self._first + n) % self._slots]
