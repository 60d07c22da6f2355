"""Operations that ask the printer or give it jobs (RFC 8011 section 4.2, PWG 5100.7 and 5100.13).

Each is `async def operation(ctx) -> Response`, called after the checks of checks.py; IppError refuses.  OPERATIONS is the table that
dispatch.py calls them by and that operations-supported lists.  Not here: Print-Job and Print-URI, which IPP 3D does not have
(PWG 5100.21-2019).
"""

from firmware.ipp import codec, formats, status, tags, ticket
from firmware.ipp.answers import answer, made, stored
from firmware.ipp.checks import PRINTER
from firmware.ipp.codec import Response, clip
from firmware.ipp.requested import JOB_GROUPS, PRINTER_GROUPS, Requested
from firmware.ipp.status import IppError
from firmware.jobs import states
from hal.compat import const, seldom, sleep_ms

_KB = const(1024)
_JOBS_A_STEP = const(16)  # looked at between two chances for the other tasks
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
    formats.check("document-format", ticket.text(ctx.op, "document-format"), status.FORMAT_NOT_SUPPORTED)
    requested = Requested(ctx.op.get("requested-attributes"), PRINTER_GROUPS)
    return Response().add(tags.PRINTER_GROUP, ctx.printer.attributes(requested, ctx.uri, ctx.offers))


def _judged(ctx):
    """What Create-Job and Validate-Job check: (ticket, unsupported)."""
    op = ctx.op
    printer = ctx.printer
    formats.check_both(ticket.text(op, "document-format"), ticket.text(op, "compression"))
    size_k = op.get("job-k-octets")
    if size_k and size_k[0][1] > printer.machine.caps.spool_bytes // _KB:
        unsupported = [codec.attribute_of("job-k-octets", size_k)]
        raise IppError(status.TOO_LARGE, "The job is larger than this printer can store.", unsupported)
    return ticket.judge(printer, op, ctx.group(tags.JOB_GROUP))


async def validate_job(ctx):
    """RFC 8011 section 4.2.3: as Create-Job, without a job; a printer that takes none now (RFC 3998 section 3.1.1) judges all the same."""
    return await _subscribed(ctx, None, answer(_judged(ctx)[1]))


async def create_job(ctx):
    """RFC 8011 section 4.2.4.  The answer comes when the job survives a loss of power."""
    printer = ctx.printer
    queue = printer.queue
    if not printer.accepting():
        raise IppError(status.NOT_ACCEPTING, "The printer does not take jobs now.")
    entries, unsupported = _judged(ctx)
    name = ticket.text(ctx.op, "job-name") or ticket.text(ctx.op, "document-name") or "Untitled"
    supplied(entries, ctx.op)
    turn = ticket.turn(entries)
    name = str(clip(name, 255), "utf-8")
    job = made(lambda: queue.create(name, ctx.user, entries, None, None, turn.priority, turn.hold, turn.hold_unix))
    await stored(queue)
    response = answer(unsupported).add(tags.JOB_GROUP, printer.job_attributes.state(job, ctx.uri))
    return await _subscribed(ctx, job, response)


async def _subscribed(ctx, job, response):
    """The answer, with what came of the request's subscription groups, if it has any."""
    if ctx.request.group(tags.SUBSCRIPTION_GROUP) is not None:
        await seldom("firmware.ipp.subscription_ops", "add_to_job")(ctx, job, response)
    return response


async def validate_document(ctx):
    """PWG 5100.13: as Send-Document, without a document; document attributes are judged as those of a job's ticket."""
    formats.check_both(ticket.text(ctx.op, "document-format"), ticket.text(ctx.op, "compression"))
    return answer(ticket.judge(ctx.printer, ctx.op, ctx.group(tags.DOCUMENT_GROUP))[1])


def supplied(entries, op):
    """Notes in a job's ticket what the client said of the document (PWG 5100.7)."""
    for name, tag in (("document-format", tags.MIME), ("document-name", tags.NAME), ("compression", tags.KEYWORD)):
        text = ticket.text(op, name)
        if text is not None:
            entries[name + "-supplied"] = codec.attribute(tag, name + "-supplied", [text])


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
        which = ticket.text(op, "which-jobs") or "not-completed"
        if which != "all" and which not in _ENDED and which not in _ALIVE:
            raise IppError(status.NOT_SUPPORTED, "No such set of jobs.", [codec.attribute_of("which-jobs", op["which-jobs"])])
        user = ctx.user if ticket.flag(op, "my-jobs") else None
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
    0x0004: (validate_job, PRINTER),
    0x0005: (create_job, PRINTER),
    0x000A: (get_jobs, PRINTER),
    0x000B: (get_printer_attributes, PRINTER),
    0x003D: (validate_document, PRINTER),
}
