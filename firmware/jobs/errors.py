"""What the queue refuses: one small tree, each with an integer `code` that never changes.  Storage errors are hal.errors'."""


class JobError(Exception):
    """Anything that the queue refuses."""

    code = 1

    def __init__(self, message):
        super().__init__(message)
        self.message = message


class QueueFull(JobError):
    """No room for another job (number of jobs, or journal); later there may be."""

    code = 2


class TicketTooLarge(QueueFull):
    """The job's attributes take more room than one record has; there never will be."""

    code = 6


class Busy(JobError):
    """Not now: nothing can be stored while the machine moves, or another document of the same job is arriving."""

    code = 3


class JobClosed(JobError):
    """The job takes no more documents: it was closed or has ended."""

    code = 4


class TooManyDocuments(JobError):
    """The job has as many documents as it may have."""

    code = 5
