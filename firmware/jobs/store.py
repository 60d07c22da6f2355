"""What makes changes of jobs last: records put, committed, and documents' files removed once no durable record needs them.

A failing medium stops no change: what could not be put stays on a list and is tried again; `error` says so meanwhile.  Where nothing may
be written while the machine moves, changes wait in the same way.  Not here: what a change is (queue.py), records (journal.py).
"""

from firmware.jobs import spool as spools
from firmware.jobs import states
from firmware.jobs.commit import GroupCommit
from firmware.jobs.job import Document
from firmware.jobs.journal import Journal
from firmware.jobs.kept import Kept
from hal.errors import BusyError, StorageError, StorageFull


class Store:
    """As JobQueue; unstorable(job, message): ends a waiting job for whose record there is no room."""

    def __init__(self, log, files, clock, caps, moving, unstorable):
        self.journal = Journal(log, clock, caps.history)
        self.spool = spools.Spool(files, caps.spool_bytes)
        self.kept = Kept(self.spool)
        self.spool.give_way = self.kept.drop_oldest  # pyright: ignore[reportAttributeAccessIssue]
        self.error = None  # message of what failed last; None when everything is stored
        self._moving = None if caps.write_while_moving else moving
        self._unstorable = unstorable
        self._log = log
        self._group = GroupCommit(log)
        self._unsaved = {}  # id: Job whose record could not be written yet
        self._flags = None  # those that could not

    def load(self):
        """Jobs that have not ended, oldest first."""
        self._unsaved = {}
        self._flags = None
        self._group = GroupCommit(self._log)  # the log counts anew
        self.kept.clear()
        return self.journal.load()

    def load_files(self, known):
        """known: {file: bytes} of the documents that jobs wait with.  Removes what belongs to nobody; returns the names of those that
        are missing or damaged.  Files of ended jobs are kept, as far as they are there."""
        found = []
        for id in self.journal.ended_ids():
            if len(found) >= self.kept.limit:
                break
            job = self.journal.read(id)
            documents = job.documents if job is not None else []
            if documents and not any(d.file is None or d.file in known for d in documents):
                for document in documents:
                    known[document.file] = document.size
                found.append((id, documents))
        wrong = self.spool.load(known)
        found.reverse()
        for id, documents in found:
            if any(d.file in wrong for d in documents):
                for document in documents:
                    if document.file not in wrong:
                        self.spool.remove(document.file, document.size)
            else:
                self.kept.add(id, documents)
        return wrong

    def get(self, id):
        """A job that has ended, or None."""
        return self._unsaved.get(id) or self.journal.read(id)

    def blocked(self):
        """True while nothing may be stored."""
        return self._moving is not None and self._moving()

    @property
    def flags(self):
        """The operator's settings that outlive a loss of power."""
        return self.journal.flags if self._flags is None else self._flags

    def set_flags(self, flags):
        """Other flags, durable after commit()."""
        self._flags = flags
        self._try(self._put_flags)

    def _put_flags(self):
        if self._flags is not None:
            self.journal.set_flags(self._flags)
            self._flags = None

    def _try(self, put, job=None):
        if not self.blocked():
            try:
                if job is None:
                    put()
                else:
                    put(job)
            except (StorageError, BusyError) as e:
                self.error = e.message

    def save_later(self, job):
        """Puts the job's record now if that may be and can be done, else with the next commit()."""
        self._unsaved[job.id] = job
        self._try(self._save, job)

    def _save(self, job):
        if states.ended(job.state):
            self._save_ended(job)
        else:
            try:
                self.journal.save(job)
            except StorageFull as e:
                if job.state != states.PENDING and job.state != states.PENDING_HELD:
                    raise
                # what cannot be remembered cannot be promised; an ended job always finds room
                self._unstorable(job, "the job could not be stored: " + e.message)
                self._save_ended(job)
                return
        self._unsaved.pop(job.id, None)

    def _save_ended(self, job):
        documents = job.documents
        whole = bool(documents) and not any(d.file is None for d in documents)
        if whole and (job.checked or job.processing_s is not None):
            # it can be printed again
            self.journal.save(job)
            self._unsaved.pop(job.id, None)
            self.kept.add(job.id, documents)
            self.kept.prune(self.journal.log)
            return
        # the files go when a record that does not name them is durable
        job.documents = [Document(d.name, d.format, d.compression, d.size, None) for d in documents]
        try:
            self.journal.save(job)
        except StorageError:
            job.documents = documents
            raise
        self._unsaved.pop(job.id, None)
        self.kept.prune(self.journal.log)
        for document in documents:
            if document.file is not None:
                self.spool.remove_after(self.journal.log.sequence, document.file, document.size)

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
            self.error = e.message
            return
        self.error = None
        if self.spool.doomed() and not self.blocked():
            try:
                self.spool.sweep(self._group.durable)
            except (OSError, StorageError) as e:
                self.error = str(e)

    def _save_unsaved(self):
        try:
            self._put_flags()
            for id in sorted(self._unsaved):
                self._save(self._unsaved[id])
        except StorageError as e:
            self.error = e.message
            raise

    def unfinished(self):
        """True when there is something for commit() to do."""
        return bool(self._unsaved) or self._flags is not None or self._group.pending() or self.spool.doomed() > 0
