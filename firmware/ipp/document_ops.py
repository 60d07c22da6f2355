"""Operations on a job's document (PWG 5100.5).

As printer_ops.py; OPERATIONS is the table.  A job has one document, number 1.  Not here: Send-Document (job_ops.py).
"""

from firmware.ipp import status, tags
from firmware.ipp.checks import JOB
from firmware.ipp.codec import Response
from firmware.ipp.job_ops import cancel_job
from firmware.ipp.requested import DOCUMENT_GROUPS, Requested
from firmware.ipp.status import IppError


async def get_documents(ctx):
    """PWG 5100.5 section 3.2.2: a job has one document, or none yet."""
    requested = Requested(ctx.op.get("requested-attributes"), DOCUMENT_GROUPS, "")
    if "requested-attributes" not in ctx.op:
        requested.add(("document-number",))
    response = Response()
    if ctx.job.documents:
        response.add(tags.DOCUMENT_GROUP, ctx.printer.document_attributes.all(ctx.job, requested, ctx.uri))
    return response


def _check_document(ctx):
    """document-number has to be that of the job's document."""
    if "document-number" not in ctx.op:
        raise IppError(status.BAD_REQUEST, "'document-number' is missing.")
    number = ctx.op["document-number"][0][1]
    if number != 1 or not ctx.job.documents:
        raise IppError(status.NOT_FOUND, "Job %d has no document %d." % (ctx.job.id, number))


async def get_document_attributes(ctx):
    """PWG 5100.5 section 3.3.3."""
    _check_document(ctx)
    requested = Requested(ctx.op.get("requested-attributes"), DOCUMENT_GROUPS)
    return Response().add(tags.DOCUMENT_GROUP, ctx.printer.document_attributes.all(ctx.job, requested, ctx.uri))


async def cancel_document(ctx):
    """PWG 5100.5 section 3.3.1: without its one document there is nothing left of a job, which is canceled with it."""
    _check_document(ctx)
    return await cancel_job(ctx)


# operation-id: (handler, target)
OPERATIONS = {
    0x0033: (cancel_document, JOB),
    0x0034: (get_document_attributes, JOB),
    0x0035: (get_documents, JOB),
}
