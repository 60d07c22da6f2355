"""Operations that ask only (RFC 8011 section 4.2, PWG 5100.7 and 5100.13): what clients poll, and so kept apart from what they seldom do.

As printer_ops.py; OPERATIONS is the table.
"""

from firmware.ipp import codec, status, tags
from firmware.ipp.checks import JOB, PRINTER, PRINTER_OR_SYSTEM
from firmware.ipp.codec import Response
from firmware.ipp.requested import JOB_GROUPS, PRINTER_GROUPS, Requested, flag, text
from firmware.ipp.status import IppError
from firmware.jobs import states
from hal.compat import const, seldom, sleep_ms

_JOBS_A_STEP = const(4)  # looked at between two chances for the other tasks
_JOB_IDS = ("job-id", "job-uri")  # what Get-Jobs answers when nothing is asked for
_FILTERS = ("which-jobs", "my-jobs", "limit", "first-index")
_ENDED = {
    "completed": (states.CANCELED, states.ABORTED, states.COMPLETED),
    "canceled": (states.CANCELED,),
    "aborted": (states.ABORTED,),
}
_ALIVE = {
    "not-completed": (states.PENDING, states.PENDING_HELD, states.PROCESSING, states.PROCESSING_STOPPED),
    "pending": (states.PENDING,),
    "pending-held": (states.PENDING_HELD,),
    "processing": (states.PROCESSING,),
    "processing-stopped": (states.PROCESSING_STOPPED,),
}


async def get_printer_attributes(ctx):
    """RFC 8011 section 4.2.5.  document-format is checked and changes nothing: all formats have the same capabilities."""
    document_format = text(ctx.op, "document-format")
    if document_format is not None:
        seldom("firmware.ipp.formats", "check")("document-format", document_format, status.FORMAT_NOT_SUPPORTED)
    requested = Requested(ctx.op.get("requested-attributes"), PRINTER_GROUPS)
    language = text(ctx.op, "attributes-natural-language")
    return Response().add(tags.PRINTER_GROUP, ctx.printer.attributes(requested, ctx.uri, ctx.offers, language))


async def get_job_attributes(ctx):
    """RFC 8011 section 4.3.4."""
    requested = Requested(ctx.op.get("requested-attributes"), JOB_GROUPS)
    private = ctx.hides(ctx.job)
    return Response().add(tags.JOB_GROUP, ctx.printer.job_attributes.all(ctx.job, requested, ctx.uri, private))


async def get_jobs(ctx):
    """RFC 8011 section 4.2.6, PWG 5100.7 (job-ids, which-jobs), PWG 5100.13 (first-index)."""
    op = ctx.op
    queue = ctx.printer.queue
    requested = Requested(op.get("requested-attributes"), JOB_GROUPS, "")
    if "requested-attributes" not in op:
        requested.add(_JOB_IDS)
    if "job-ids" in op:
        clash = [name for name in _FILTERS if name in op]
        if clash:
            unsupported = [codec.attribute_of(name, op[name]) for name in ["job-ids"] + clash]
            raise IppError(status.CONFLICTING, "'job-ids' already says which jobs.", unsupported)
        chosen = [value for _, value in op["job-ids"]]
    else:
        which = text(op, "which-jobs") or "not-completed"
        if which != "all" and which not in _ENDED and which not in _ALIVE:
            raise IppError(status.NOT_SUPPORTED, "No such set of jobs.", [codec.attribute_of("which-jobs", op["which-jobs"])])
        user = ctx.user if flag(op, "my-jobs") else None
        first = op["first-index"][0][1] if "first-index" in op else 1
        limit = op["limit"][0][1] if "limit" in op else None
        chosen = await _chosen(queue, which, user, first, limit)
    response = Response()
    response.groups = _job_groups(ctx, chosen, requested)  # pyright: ignore[reportAttributeAccessIssue]
    return response


async def _chosen(queue, which, user, first, limit):
    """Ids of the jobs that are asked for, in the order of the answer; user: whose, or None; first: index of the first, from 1."""
    index = 0
    ids = []
    for jobs, allowed in ((queue.active(), _ALIVE.get(which)), (queue.ended(), _ENDED.get(which))):
        if allowed is None and which != "all":
            continue
        count = 0
        for job in jobs:
            count += 1
            if count % _JOBS_A_STEP == 0:
                # a long history is read from flash, job by job
                await sleep_ms(0)
            if (allowed is None or job.state in allowed) and (user is None or job.user == user):
                index += 1
                if index >= first:
                    ids.append(job.id)
                if limit is not None and len(ids) >= limit:
                    return ids
    return ids


def _job_groups(ctx, ids, requested):
    # a generator: one job at a time is in memory while the answer is sent
    encoder = ctx.printer.job_attributes
    for id in ids:
        job = ctx.printer.queue.get(id)
        if job is not None:
            yield tags.JOB_GROUP, encoder.all(job, requested, ctx.uri, ctx.hides(job))


# operation-id: (handler, target)
OPERATIONS = {
    0x0009: (get_job_attributes, JOB),
    0x000A: (get_jobs, PRINTER),
    0x000B: (get_printer_attributes, PRINTER_OR_SYSTEM),
}
