"""Operations that feed or end a job (RFC 8011 section 4.3, PWG 5100.7).

As printer_ops.py; OPERATIONS is the table.  Not here: the queue's rules (firmware/jobs/queue.py), which refuse what a job's state does
not allow.
"""

from firmware.ipp import formats, materials, status, tags, values
from firmware.ipp.answers import cancel, not_possible, stored, supplied
from firmware.ipp.checks import JOB
from firmware.ipp.codec import Response
from firmware.ipp.requested import flag, text
from firmware.ipp.status import BodyError, IppError
from firmware.jobs import package, states
from firmware.jobs.errors import Busy, JobClosed, TooManyDocuments
from hal.compat import const
from hal.errors import StorageError, StorageFull

_PIECES_A_TURN = const(8)

# status of a document that nothing can be made of: the job's reason
_BROKEN = {status.FORMAT_ERROR: states.DOCUMENT_FORMAT_ERROR, status.COMPRESSION_ERROR: states.COMPRESSION_ERROR}


async def send_document(ctx):
    """RFC 8011 section 4.3.1: one document for a job of Create-Job, or none at all to close it."""
    job = ctx.job
    op = ctx.op
    if "last-document" not in op:
        raise IppError(status.BAD_REQUEST, "'last-document' is missing.")
    last = flag(op, "last-document")
    if not job.open:
        raise IppError(status.NOT_POSSIBLE, "Job %d takes no more documents." % job.id)
    document_format = text(op, "document-format")
    compression = text(op, "compression")
    formats.check_both(document_format, compression)
    try:
        start = await _start(ctx.body)
    except BodyError as e:
        if not job.documents and job.writer is None and job.open:
            reasons = [states.ABORTED_BY_SYSTEM, states.SUBMISSION_INTERRUPTED]
            ctx.printer.queue.move(job, states.ABORTED, reasons, e.message)
        raise
    if not start:
        if not last:
            raise IppError(status.BAD_REQUEST, "The request has no document.")
        _close(ctx.printer.queue, job)
    else:
        if job.documents or job.writer is not None:
            raise IppError(status.MULTIPLE_DOCUMENTS, "A job has one document.")
        await _receive(ctx, job, document_format, compression, start, last)
    await stored(ctx.printer.queue)
    response = Response().add(tags.JOB_GROUP, ctx.printer.job_attributes.state(job, ctx.uri))
    if job.documents:
        response.add(tags.DOCUMENT_GROUP, ctx.printer.document_attributes.state(job, ctx.uri))
    return response


async def _start(body):
    """The document's first bytes: at least formats.SNIFF_BYTES unless it is shorter."""
    start = b""
    while len(start) < formats.SNIFF_BYTES:
        piece = await body.read()
        if not piece:
            break
        start = start + bytes(piece) if start else bytes(piece)
    return start


async def _receive(ctx, job, document_format, compression, start, last):
    queue = ctx.printer.queue
    if document_format is None:
        document_format = _format_of(job)
    try:
        kind = formats.settle(document_format, start, compression)
    except IppError as e:
        if e.status in _BROKEN:
            # what was to be printed can not be: the job need not wait for its time-out
            await _unprintable(queue, job, _BROKEN[e.status], e.message)
        raise
    try:
        writer = queue.open_document(job, kind, compression, text(ctx.op, "document-name"))
    except Busy as e:
        raise IppError(status.BUSY, "Not now: %s." % e.message)
    except JobClosed as e:
        raise IppError(status.NOT_POSSIBLE, "Not possible: %s." % e.message)
    except TooManyDocuments:
        raise IppError(status.MULTIPLE_DOCUMENTS, "A job has one document.")
    except StorageError as e:
        raise _storage(e)
    supplied(job.ticket, ctx.op)
    body = ctx.body
    done = False
    piece = start
    start = None
    try:
        count = 0
        while piece:
            await writer.write(piece)
            count += 1
            if count % _PIECES_A_TURN == 0:
                await ctx.turn()  # a client may send chunks of a line each
            piece = await body.read()
        await writer.close(last)
        done = True
        if kind == package.FORMAT:
            await _look_into(queue, job)
    except JobClosed:
        raise _ended(job)
    except StorageFull as e:
        if writer.size + len(piece) > queue.spool.limit_bytes:
            raise IppError(status.TOO_LARGE, "The document is larger than this printer can store.")
        raise _storage(e)
    except StorageError as e:
        raise _storage(e)
    finally:
        if not done:
            # the client vanished, or the server is going down: never half a document
            writer.abort()


async def _unprintable(queue, job, reason, message):
    if not states.ended(job.state):
        queue.move(job, states.ABORTED, [states.ABORTED_BY_SYSTEM, reason], message)
        await stored(queue)


async def _look_into(queue, job):
    """A package that cannot be printed is refused while the client is there to be told; the checker would find it, too."""
    try:
        queue.open_reader(job, len(job.documents) - 1).close()
    except package.PackageError as e:
        code = status.UNPRINTABLE if e.reason == states.DOCUMENT_UNPRINTABLE_ERROR else status.FORMAT_ERROR
        await _unprintable(queue, job, e.reason, e.message)
        raise IppError(code, "Not printable: %s." % e.message)


def _format_of(job):
    """document-format that Create-Job said, or None."""
    octets = job.ticket.get("document-format-supplied")
    return materials.text_of(values.decoded(octets)[0][1]) if octets else None


def _storage(error):
    return IppError(status.TEMPORARY_ERROR, "The document cannot be stored: %s." % error.message)


def _ended(job):
    if job.state == states.CANCELED:
        return IppError(status.JOB_CANCELED, "Job %d was canceled." % job.id)
    return IppError(status.NOT_POSSIBLE, "Job %d has ended: %s." % (job.id, job.message or states.NAMES[job.state]))


def _close(queue, job):
    try:
        queue.close_job(job)
    except JobClosed:
        raise IppError(status.NOT_POSSIBLE, "Job %d is closed." % job.id)
    except Busy:
        raise IppError(status.NOT_POSSIBLE, "Job %d's document is still arriving." % job.id)


async def close_job(ctx):
    """PWG 5100.7: no further documents."""
    _close(ctx.printer.queue, ctx.job)
    await stored(ctx.printer.queue)
    return Response()


async def cancel_job(ctx):
    """RFC 8011 section 4.3.3.  A job that prints ends as soon as the machine stands; until then its reasons say so."""
    job = ctx.job
    reason = states.CANCELED_BY_USER if job.user == ctx.user else states.CANCELED_BY_OPERATOR
    try:
        cancel(ctx.printer, job, reason, text(ctx.op, "message"))
    except states.IllegalMove:
        raise not_possible(job)
    await stored(ctx.printer.queue)
    return Response()


# operation-id: (handler, target)
OPERATIONS = {
    0x0006: (send_document, JOB),
    0x0008: (cancel_job, JOB),
    0x003B: (close_job, JOB),
}
