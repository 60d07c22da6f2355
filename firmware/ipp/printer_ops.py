"""Operations that give the printer jobs (RFC 8011 section 4.2, PWG 5100.7 and 5100.13).

Each is `async def operation(ctx) -> Response`, called after the checks of checks.py; IppError refuses.  OPERATIONS is the table that
dispatch.py calls them by and that operations-supported lists.  Not here: questions (ask_ops.py); Print-Job and Print-URI, which IPP 3D
does not have (PWG 5100.21-2019).
"""

from firmware.ipp import codec, formats, status, tags, ticket
from firmware.ipp.answers import answer, made, stored, supplied
from firmware.ipp.checks import PRINTER
from firmware.ipp.codec import clip
from firmware.ipp.status import IppError
from hal.compat import const, seldom

_KB = const(1024)


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


# operation-id: (handler, target)
OPERATIONS = {
    0x0004: (validate_job, PRINTER),
    0x0005: (create_job, PRINTER),
    0x003D: (validate_document, PRINTER),
}
