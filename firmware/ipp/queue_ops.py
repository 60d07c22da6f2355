"""Operations that change when and how a job prints (RFC 8011 section 4.3, RFC 3380 section 4.2, RFC 3998 section 4, PWG 5100.7).

As printer_ops.py; OPERATIONS is the table.  Not here: the rules (firmware/jobs/holds.py).
"""

from firmware.ipp import adjust, codec, materials, registry_job, status, tags, ticket, values
from firmware.ipp.answers import answer, made, not_possible, stored
from firmware.ipp.attributes import SYNTAX, find, problem
from firmware.ipp.checks import JOB
from firmware.ipp.codec import Response, clip
from firmware.ipp.printer_values import settable_of_jobs
from firmware.ipp.status import IppError
from firmware.jobs import holds, states
from firmware.jobs.job import MESSAGE_CHARS_MAX
from hal.compat import seldom

_MESSAGE = "job-message-from-operator"


def _change(job, change, *args):
    try:
        change(*args)
    except states.IllegalMove:
        raise not_possible(job)


async def _done(ctx):
    if _note(ctx) and ctx.job.state <= states.PENDING_HELD:
        ctx.printer.queue.rewait(ctx.job)
    await stored(ctx.printer.queue)
    return Response()


def _note(ctx):
    """The operator's message, of any operation that carries one; True when there is one."""
    text = ticket.text(ctx.op, "message")
    if text:
        ctx.job.message = text[:MESSAGE_CHARS_MAX]
    if _MESSAGE in ctx.op:
        ctx.job.ticket[_MESSAGE] = codec.attribute_of(_MESSAGE, ctx.op[_MESSAGE])
    return bool(text) or _MESSAGE in ctx.op


async def hold_job(ctx):
    """RFC 8011 section 4.3.5; without job-hold-until: indefinitely."""
    printer = ctx.printer
    job = ctx.job
    keyword = holds.INDEFINITE
    unix_s = None
    for name in ("job-hold-until", "job-hold-until-time"):
        if name in ctx.op:
            accepted, wrong = ticket.judge_one(printer, name, ctx.op[name])
            if wrong is not None:
                raise IppError(status.NOT_SUPPORTED, "Jobs cannot be held until then.", [wrong])
            if accepted and name == "job-hold-until":
                keyword = materials.text_of(accepted[0][1])
            elif accepted:
                keyword = None
                unix_s = values.unix_time(accepted[0][1])
    _change(job, holds.hold, printer.queue, job, keyword, unix_s)
    return await _done(ctx)


async def release_job(ctx):
    """RFC 8011 section 4.3.6."""
    _change(ctx.job, holds.release, ctx.printer.queue, ctx.job)
    return await _done(ctx)


async def resume_job(ctx):
    """RFC 3998 section 4.3.2."""
    if not ctx.printer.runner.resume_job(ctx.job):
        raise IppError(status.NOT_POSSIBLE, "Job %d is not suspended." % ctx.job.id)
    return await _done(ctx)


async def promote_job(ctx):
    """RFC 3998 section 4.4.1."""
    _change(ctx.job, holds.promote, ctx.printer.queue, ctx.job)
    return await _done(ctx)


async def schedule_job_after(ctx):
    """RFC 3998 section 4.4.2; without predecessor-job-id: as Promote-Job."""
    queue = ctx.printer.queue
    if "predecessor-job-id" in ctx.op:
        id = ctx.op["predecessor-job-id"][0][1]
        predecessor = queue.get(id)
        if predecessor is None:
            unsupported = [codec.attribute_of("predecessor-job-id", ctx.op["predecessor-job-id"])]
            raise IppError(status.NOT_FOUND, "There is no job %d." % id, unsupported)
        _change(ctx.job, holds.schedule_after, queue, ctx.job, predecessor)
    else:
        _change(ctx.job, holds.promote, queue, ctx.job)
    return await _done(ctx)


async def set_job_attributes(ctx):
    """RFC 3380 section 4.2: all of the attributes, or none.  Those of adjust.py while the job prints, the others before."""
    printer = ctx.printer
    job = ctx.job
    given = ctx.group(tags.JOB_GROUP)
    if not given:
        raise IppError(status.BAD_REQUEST, "The request has no job attributes.")
    left_out = None
    for attribute, asked in given:
        if attribute == "print-objects" and not states.ended(job.state):
            left_out = seldom("firmware.ipp.print_objects", "left_out")(job, asked)
            given = [pair for pair in given if pair[0] != attribute]
    if job.state != states.PENDING and job.state != states.PENDING_HELD:
        works = printer.runner.job is not None and printer.runner.job.id == job.id
        if not works or job.stop or not all(attribute in adjust.NAMES for attribute, _ in given):
            raise not_possible(job)
        adjust.adjust(printer.runner.overrides, job, given)
        if left_out is not None:
            printer.queue.exclude(job, left_out)
            await stored(printer.queue)
        return Response()
    settable = settable_of_jobs(printer.materials)
    fixed = []
    wrong = []
    changes = dict(job.ticket)
    name = None
    for attribute, asked in given:
        if attribute in adjust.NAMES:
            raise IppError(status.NOT_POSSIBLE, "Job %d does not print yet." % job.id)
        if attribute not in settable:
            known = find(registry_job.ROWS, attribute) is not None
            fixed.append(codec.attribute(tags.NOT_SETTABLE if known else tags.UNSUPPORTED, attribute, []))
        elif asked[0][0] == tags.DELETE and attribute != "job-name":
            # absent again, as if the client had not asked for it
            changes.pop(attribute, None)
            default = {"job-hold-until": [(tags.KEYWORD, "no-hold")], "job-priority": [(tags.INTEGER, ticket.PRIORITY_DEFAULT)]}
            if attribute in default:
                changes[attribute] = codec.attribute_of(attribute, default[attribute])
        elif attribute == "job-name" or attribute == _MESSAGE:
            if problem(find(registry_job.ROWS, attribute)[SYNTAX], asked):  # pyright: ignore[reportOptionalSubscript]
                wrong.append(codec.attribute_of(attribute, asked))
            elif attribute == "job-name":
                name = materials.text_of(asked[0][1])
            else:
                changes[attribute] = codec.attribute_of(attribute, asked)
        else:
            accepted, refused = ticket.judge_one(printer, attribute, asked)
            if refused is not None:
                wrong.append(refused)
            elif accepted:
                changes[attribute] = codec.attribute_of(attribute, accepted)
    if fixed:
        raise IppError(status.NOT_SETTABLE, "Not all of these attributes can be set; none was.", fixed + wrong)
    if wrong:
        raise IppError(status.NOT_SUPPORTED, "Not all of these values are supported; none was set.", wrong)
    held = "job-hold-until" in changes or "job-hold-until-time" in changes
    placed = "job-priority" in changes
    turn = ticket.turn(changes)
    if given:
        made(lambda: printer.queue.recheck(job, changes))
    if left_out is not None:
        printer.queue.exclude(job, left_out)
    if name is not None:
        job.name = str(clip(name, 255), "utf-8")
    if placed:
        holds.prioritize(printer.queue, job, turn.priority)
    if held:
        holds.hold(printer.queue, job, turn.hold, turn.hold_unix)
    elif name is not None:
        printer.queue.rewait(job)
    await stored(printer.queue)
    return Response()


async def resubmit_job(ctx):
    """PWG 5100.7: a new job, of the caller, with the documents of one that has ended; job attributes replace those it had."""
    printer = ctx.printer
    old = ctx.job
    if not states.ended(old.state):
        raise not_possible(old)
    if not printer.queue.is_kept(old):
        raise IppError(status.NOT_POSSIBLE, "The document of job %d is not there any more." % old.id)
    if not printer.accepting():
        raise IppError(status.NOT_ACCEPTING, "The printer does not take jobs now.")
    given, unsupported = ticket.judge(printer, ctx.op, ctx.group(tags.JOB_GROUP))
    entries = {}
    for name in old.ticket:
        if not name.endswith("-actual") and name != _MESSAGE and name not in adjust.NAMES:
            entries[name] = old.ticket[name]
    entries.update(given)
    turn = ticket.turn(entries)
    if "job-priority" not in given:
        turn.priority = old.priority
    job = made(lambda: printer.queue.resubmit(old, ctx.user, entries, turn.priority, turn.hold, turn.hold_unix))
    await stored(printer.queue)
    return answer(unsupported).add(tags.JOB_GROUP, printer.job_attributes.state(job, ctx.uri))


# operation-id: (handler, target)
OPERATIONS = {
    0x000C: (hold_job, JOB),
    0x000D: (release_job, JOB),
    0x0014: (set_job_attributes, JOB),
    0x002F: (resume_job, JOB),
    0x0030: (promote_job, JOB),
    0x0031: (schedule_job_after, JOB),
    0x003A: (resubmit_job, JOB),
}
