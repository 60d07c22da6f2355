"""Operations by which an operator runs the printer (RFC 8011 sections 4.2.7 and 4.2.8, RFC 3998 section 3, PWG 5100.7, 5100.13).

As printer_ops.py; OPERATIONS is the table.  What they set (paused, disabled, new jobs held) outlives a loss of power; Restart-Printer
undoes it.
"""

from firmware.ipp import codec, materials, status, tags, ticket
from firmware.ipp.answers import answer, cancel, stored
from firmware.ipp.checks import PRINTER
from firmware.ipp.codec import Response
from firmware.ipp.job_ops import cancel_job
from firmware.ipp.status import IppError
from firmware.jobs import holds, states
from firmware.jobs.queue import DISABLED, HOLD_NEW, PAUSED


async def _flagged(ctx, which, on):
    printer = ctx.printer
    message = ticket.text(ctx.op, "printer-message-from-operator")
    if message is not None:
        await printer.set_message(message)
    printer.queue.set_flag(which, on)
    printer.runner.refresh()
    await stored(printer.queue)
    return Response()


async def pause_printer(ctx):
    """RFC 8011 section 4.2.7: printing stops at the next place where it may; paused already is fine, too."""
    ctx.printer.runner.pause()
    return await _flagged(ctx, PAUSED, True)


async def pause_printer_after_current_job(ctx):
    """RFC 3998 section 3.2.1; without a current job: at once."""
    ctx.printer.runner.pause_after()
    return await _flagged(ctx, PAUSED, True)


async def resume_printer(ctx):
    """RFC 8011 section 4.2.8: goes on; without a pause nothing changes.  Refused while the cause of a stop lasts."""
    if not ctx.printer.runner.resume():
        raise IppError(status.NOT_POSSIBLE, "The printer cannot go on: %s." % (ctx.printer.runner.status.state_message or "it has a fault"))
    return await _flagged(ctx, PAUSED, False)


async def enable_printer(ctx):
    """RFC 3998 section 3.1.2."""
    return await _flagged(ctx, DISABLED, False)


async def disable_printer(ctx):
    """RFC 3998 section 3.1.1: no new jobs; those that are there go on, and take their documents."""
    return await _flagged(ctx, DISABLED, True)


async def hold_new_jobs(ctx):
    """RFC 3998 section 3.3.1: jobs that come wait until Release-Held-New-Jobs."""
    return await _flagged(ctx, HOLD_NEW, True)


async def release_held_new_jobs(ctx):
    """RFC 3998 section 3.3.2."""
    holds.release_new(ctx.printer.queue)
    return await _flagged(ctx, HOLD_NEW, False)


async def restart_printer(ctx):
    """RFC 3998 section 3.5.1: begins anew.  The current job is aborted; pause, disabling and holding of new jobs are over."""
    ctx.printer.queue.set_flag(DISABLED | HOLD_NEW | PAUSED, False)
    ctx.printer.runner.restart()
    await stored(ctx.printer.queue)
    return Response()


def _current(ctx):
    """The job in work; with job-id it must be that one."""
    id = ctx.printer.runner.status.job_id
    job = None if id is None else ctx.printer.queue.get(id)
    if job is None or states.ended(job.state):
        raise IppError(status.NOT_POSSIBLE, "No job is printing.")
    if "job-id" in ctx.op and ctx.op["job-id"][0][1] != id:
        raise IppError(status.NOT_POSSIBLE, "Job %d is not the one that is printing." % ctx.op["job-id"][0][1])
    return job


async def cancel_current_job(ctx):
    """RFC 3998 section 4.2."""
    ctx.job = _current(ctx)
    return await cancel_job(ctx)


async def suspend_current_job(ctx):
    """RFC 3998 section 4.3.1.  The platform stays taken, so other jobs wait, too."""
    job = _current(ctx)
    if not ctx.printer.runner.suspend(job):
        raise IppError(status.NOT_POSSIBLE, "Job %d is suspended already." % job.id)
    return Response()


async def cancel_jobs(ctx):
    """PWG 5100.7: all jobs, or those of job-ids; if one of these can not be canceled, none is."""
    return await _cancel(ctx, None, states.CANCELED_BY_OPERATOR)


async def cancel_my_jobs(ctx):
    """PWG 5100.7: all of the caller's jobs, or those of job-ids; if one of these can not be canceled, none is."""
    return await _cancel(ctx, ctx.user, states.CANCELED_BY_USER)


async def _cancel(ctx, user, reason):
    queue = ctx.printer.queue
    if "job-ids" not in ctx.op:
        jobs = [job for job in queue.active() if (user is None or job.user == user) and job.stop is None]
    else:
        jobs = []
        failed = []
        failure = None
        for _, id in ctx.op["job-ids"]:
            job = queue.get(id)
            if job is None:
                code = status.NOT_FOUND
            elif user is not None and job.user != user:
                code = status.NOT_AUTHORIZED
            elif states.ended(job.state) or job.stop is not None:
                code = status.NOT_POSSIBLE
            else:
                if job not in jobs:
                    jobs.append(job)
                continue
            failure = failure or code
            failed.append(id)
        if failed:
            unsupported = [codec.attribute(tags.INTEGER, "job-ids", failed)]
            raise IppError(failure, "Not all of these jobs can be canceled; none was.", unsupported)
    message = ticket.text(ctx.op, "message")
    for job in jobs:
        cancel(ctx.printer, job, reason, message)
    await stored(queue)
    return Response()


async def identify_printer(ctx):
    """PWG 5100.13.  Actions that the printer does not have are ignored; with none left, its default is done."""
    supported = ctx.printer.identify_actions
    actions = []
    ignored = []
    for _, value in ctx.op.get("identify-actions", ()):
        action = materials.text_of(value)
        if action in supported:
            actions.append(action)
        else:
            ignored.append(action)
    ctx.printer.runner.identify(actions or supported[:1], ticket.text(ctx.op, "message") or "")
    return answer([codec.attribute(tags.KEYWORD, "identify-actions", ignored)] if ignored else ())


# operation-id: (handler, target)
OPERATIONS = {
    0x0010: (pause_printer, PRINTER),
    0x0011: (resume_printer, PRINTER),
    0x0022: (enable_printer, PRINTER),
    0x0023: (disable_printer, PRINTER),
    0x0024: (pause_printer_after_current_job, PRINTER),
    0x0025: (hold_new_jobs, PRINTER),
    0x0026: (release_held_new_jobs, PRINTER),
    0x0029: (restart_printer, PRINTER),
    0x002D: (cancel_current_job, PRINTER),
    0x002E: (suspend_current_job, PRINTER),
    0x0038: (cancel_jobs, PRINTER),
    0x0039: (cancel_my_jobs, PRINTER),
    0x003C: (identify_printer, PRINTER),
}
