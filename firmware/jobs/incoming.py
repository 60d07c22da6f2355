"""A document on its way into the spool, for one job; several jobs' documents may arrive at once, a task each.

Its file is durable before the job knows of it.  Not here: what that means for the job (queue.py).
"""

from firmware.jobs import states
from firmware.jobs.errors import JobClosed
from firmware.jobs.job import Document
from firmware.jobs.spool import file_name
from hal.compat import const, sleep_ms
from hal.errors import StorageError

YIELD_BYTES = const(16384)  # a writer lets the other tasks run after so much
_STORE_POLL_MS = const(200)


class DocumentWriter:
    """Made by queue.open_document().  `size`: bytes so far; `format`, `compression`, `name` as given there."""

    def __init__(self, queue, job, format, compression, name):
        self._queue = queue
        self._spool = queue.spool
        self.job = job
        self.format = format
        self.compression = compression
        self.name = name
        self.size = 0
        self.file = file_name(job.id, len(job.documents))
        self._unyielded = 0
        self._writer = self._spool.files.create(self.file)

    async def write(self, buf):
        """Stores bytes; waits as long as nothing may be stored.  Raises StorageFull or StorageError (the job is aborted, the file
        gone), JobClosed when the job ended meanwhile."""
        await self._may_store()
        try:
            self._spool.take(len(buf))
            self.size += len(buf)
            self._writer.write(buf)
        except (OSError, StorageError) as e:
            self._failed(e)
            raise
        self._unyielded += len(buf)
        if self._unyielded >= YIELD_BYTES:
            self._unyielded = 0
            await sleep_ms(0)

    async def close(self, last):
        """The document is complete; last: the job is, too.  Without a byte it makes no document.  Raises as write() does.

        On return the file is durable and the job knows it; the job's record is durable after queue.commit().
        """
        await self._may_store()
        document = None
        if self.size:
            try:
                self._writer.close()
                await self._spool.files.sync()
            except (OSError, StorageError) as e:
                self._failed(e)
                raise
            self._check()
            document = Document(self.name, self.format, self.compression, self.size, self.file)
        else:
            self.discard()
        self._queue.document_complete(self, document, last)

    def abort(self, reason=states.SUBMISSION_INTERRUPTED, message="the connection was lost while a document came in"):
        """The rest of the document will not come: its file goes and the job is aborted.  Harmless when all is over already."""
        self._queue.document_failed(self, [states.ABORTED_BY_SYSTEM, reason], message)

    def discard(self):
        """Closes and removes the file; for the queue."""
        try:
            self._writer.close()
        finally:
            self._spool.remove(self.file, self.size)

    def _check(self):
        job = self.job
        if job.writer is not self:
            raise JobClosed("the job has ended: " + (job.message or states.NAMES[job.state]))

    async def _may_store(self):
        """Until bytes may go to the medium."""
        while True:
            self._check()
            self._queue.touch(self.job)
            if not self._queue.blocked():
                return
            await sleep_ms(_STORE_POLL_MS)

    def _failed(self, error):
        message = getattr(error, "message", None) or str(error)
        self._queue.document_failed(self, [states.ABORTED_BY_SYSTEM], "the document could not be stored: " + message)
