"""Operations on a job's document (PWG 5100.5).

As printer_ops.py; OPERATIONS is the table.  A job has one document, number 1.  Not here: Send-Document (job_ops.py).
"""

from firmware.ipp import attributes, codec, materials, registry_document, status, tags
from firmware.ipp.answers import not_possible, stored
from firmware.ipp.checks import JOB
from firmware.ipp.codec import Response
from firmware.ipp.job_ops import cancel_job
from firmware.ipp.requested import DOCUMENT_GROUPS, Requested
from firmware.ipp.status import IppError
from firmware.jobs import states

_WHICH = ("document-number", "last-document")  # what Get-Documents answers when nothing is asked for
_NAME = "document-name"


async def get_documents(ctx):
    """PWG 5100.5 section 3.2.2: a job has one document, or none yet."""
    requested = Requested(ctx.op.get("requested-attributes"), DOCUMENT_GROUPS, "")
    if "requested-attributes" not in ctx.op:
        requested.add(_WHICH)
    response = Response()
    if ctx.job.documents:
        response.add(tags.DOCUMENT_GROUP, ctx.printer.document_attributes.all(ctx.job, requested, ctx.uri, ctx.hides(ctx.job)))
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
    return Response().add(tags.DOCUMENT_GROUP, ctx.printer.document_attributes.all(ctx.job, requested, ctx.uri, ctx.hides(ctx.job)))


async def cancel_document(ctx):
    """PWG 5100.5 section 3.3.1: without its one document there is nothing left of a job, which is canceled with it."""
    _check_document(ctx)
    return await cancel_job(ctx)


async def set_document_attributes(ctx):
    """PWG 5100.5 section 3.3.4: the document's name, while its job waits; all of the attributes, or none."""
    _check_document(ctx)
    given = ctx.group(tags.DOCUMENT_GROUP)
    if not given:
        raise IppError(status.BAD_REQUEST, "The request has no document attributes.")
    fixed = []
    for name, _ in given:
        if name != _NAME:
            row = attributes.find(registry_document.ROWS, name)
            fixed.append(codec.attribute(tags.UNSUPPORTED if row is None else tags.NOT_SETTABLE, name, []))
    if fixed:
        raise IppError(status.NOT_SETTABLE, "Not all of these attributes can be set; none was.", fixed)
    asked = given[0][1]
    syntax = attributes.find(registry_document.ROWS, _NAME)[attributes.SYNTAX]  # pyright: ignore[reportOptionalSubscript]
    if attributes.problem(syntax, asked):
        raise IppError(status.NOT_SUPPORTED, "This is no name.", [codec.attribute_of(_NAME, asked)])
    job = ctx.job
    if job.state != states.PENDING and job.state != states.PENDING_HELD:
        raise not_possible(job)
    job.documents[0].name = str(codec.clip(materials.text_of(asked[0][1]), 255), "utf-8")
    ctx.printer.queue.rewait(job)
    await stored(ctx.printer.queue)
    return Response()


# operation-id: (handler, target)
OPERATIONS = {
    0x0033: (cancel_document, JOB),
    0x0034: (get_document_attributes, JOB),
    0x0035: (get_documents, JOB),
    0x0037: (set_document_attributes, JOB),
}
