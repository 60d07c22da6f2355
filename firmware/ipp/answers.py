"""What operations share: answers that succeeded, changes that must be durable, a job that is canceled."""

from firmware.ipp import codec, status, tags
from firmware.ipp.codec import Response
from firmware.ipp.requested import text
from firmware.ipp.status import IppError
from firmware.jobs import states
from firmware.jobs.errors import Busy, QueueFull, TicketTooLarge
from hal.errors import StorageError


def answer(unsupported=()):
    """A Response that succeeded, with attributes that were ignored, if any."""
    response = Response(status.OK_IGNORED if unsupported else status.OK)
    response.unsupported = list(unsupported)
    return response


async def stored(queue):
    """Waits until the queue's changes are durable; IppError(TEMPORARY_ERROR) when the medium fails."""
    try:
        await queue.commit()
    except StorageError as e:
        raise IppError(status.TEMPORARY_ERROR, "The job cannot be stored: %s." % e.message)


def made(make):
    """make(), which makes a job or changes its ticket; the queue's refusals become IppErrors."""
    try:
        return make()
    except TicketTooLarge as e:
        raise IppError(status.TOO_LARGE, "The job cannot be kept: %s." % e.message)
    except QueueFull as e:
        raise IppError(status.TOO_MANY_JOBS, "No room for another job: %s." % e.message)
    except Busy as e:
        raise IppError(status.BUSY, "Not now: %s." % e.message)
    except StorageError as e:
        raise IppError(status.TEMPORARY_ERROR, "The job cannot be stored: %s." % e.message)


def not_possible(job):
    """The IppError of an operation that the job's state does not allow."""
    what = "ending" if job.stop else states.NAMES[job.state]
    return IppError(status.NOT_POSSIBLE, "Job %d is %s." % (job.id, what))


def cancel(printer, job, reason, message):
    """Cancels a job wherever it is; raises states.IllegalMove when it has ended or is ending."""
    if not printer.queue.cancel(job, reason, message):
        printer.runner.cancel(job, [reason])


def supplied(entries, op):
    """Notes in a job's ticket what the client said of the document (PWG 5100.7)."""
    for name, tag in (("document-format", tags.MIME), ("document-name", tags.NAME), ("compression", tags.KEYWORD)):
        given = text(op, name)
        if given is not None:
            entries[name + "-supplied"] = codec.attribute(tag, name + "-supplied", [given])
