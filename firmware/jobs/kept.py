"""Documents of jobs that have ended, so that Resubmit-Job can print them again (PWG 5100.7): the newest few jobs'.

They are guests in the spool: the oldest goes when another document needs its room.  A job's record may name files that are gone; who
has a file is known here only.  A job that is submitted again takes its files along.  Not here: the records (queue.py).
"""

from hal.compat import const

KEPT_MAX = const(4)


class Kept:
    """spool: Spool; limit: jobs."""

    def __init__(self, spool, limit=KEPT_MAX):
        self._spool = spool
        self.limit = limit
        self._jobs = []  # (job id, [Document, ...]), oldest first

    def clear(self):
        """Forgets all, not their files; for a start."""
        self._jobs = []

    def add(self, id, documents):
        """Keeps a job's documents.  Raises what removing an older one's files raises."""
        self._jobs.append((id, documents))
        while len(self._jobs) > self.limit:
            self.drop_oldest()

    def prune(self, known):
        """Removes the files of the oldest jobs until one is `in known`: nobody can ask for them any more."""
        while self._jobs and self._jobs[0][0] not in known:
            self.drop_oldest()

    def has(self, id):
        """True when the job can be submitted again."""
        for kept, _ in self._jobs:
            if kept == id:
                return True
        return False

    def take(self, id):
        """The job's documents, which the caller has to look after now; [] when they are gone."""
        for at in range(len(self._jobs)):
            if self._jobs[at][0] == id:
                return self._jobs.pop(at)[1]
        return []

    def drop_oldest(self):
        """Removes the files of the job that ended first; False when there is none."""
        if not self._jobs:
            return False
        for document in self._jobs.pop(0)[1]:
            self._spool.remove(document.file, document.size)
        return True
