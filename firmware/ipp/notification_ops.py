"""Get-Notifications (RFC 3996): events of the client's subscriptions, now or when there are some.

With `notify-wait` the printer leaves Event Wait Mode in its first answer, as RFC 3996 allows, but late: the answer comes when there are
events, or after _WAIT_MS, with a notify-get-interval of 0.  So one answer is one message, in `application/ipp`.  A board does not wait.
"""

from firmware.ipp import codec, event_texts, status, subscriptions, tags, values
from firmware.ipp.checks import PRINTER_OR_SYSTEM
from firmware.ipp.codec import Response
from firmware.ipp.status import IppError
from firmware.ipp.subscriptions import GET_INTERVAL_S, JOB_COMPLETED, JOB_PROGRESS, OF_JOB, OF_PRINTER, OF_RESOURCE, TO_JOB
from firmware.security import roles
from hal.compat import const, ticks_diff, ticks_ms

_WAIT_MS = const(20000)


async def get_notifications(ctx):
    """RFC 3996 section 5."""
    notifier = ctx.printer.notifier
    if "notify-subscription-ids" not in ctx.op:
        raise IppError(status.BAD_REQUEST, "The request has no 'notify-subscription-ids'.")
    found, unknown = _subscriptions(ctx)
    firsts = [value for _, value in ctx.op.get("notify-sequence-numbers", ())]
    wanted = []
    for i in range(len(found)):
        number, one = found[i]
        wanted.append((one, firsts[number] if number < len(firsts) else 1))
    wait = "notify-wait" in ctx.op and ctx.op["notify-wait"][0][1]
    interval_s = GET_INTERVAL_S
    active = notifier.active  # there is one, or nothing would have been found
    if wait and active.waiters_left:
        interval_s = 0
        active.waiters_left -= 1
        try:
            await _wait(notifier, active, wanted)
        finally:
            active.waiters_left += 1
    told = []
    complete = True
    for one, first in wanted:
        events = notifier.table.events(one, first) if notifier.table is not None and notifier.table.get(one.id) is one else []
        told.append((one, events))
        complete = complete and one.kind == TO_JOB and bool(events) and events[-1][1].mask & JOB_COMPLETED != 0
    response = Response(status.OK_EVENTS_COMPLETE if complete else status.OK_IGNORED if unknown else status.OK)
    operation = [] if complete else [codec.attribute(tags.INTEGER, "notify-get-interval", [interval_s])]
    operation.append(codec.attribute(tags.INTEGER, "printer-up-time", [ctx.printer.up_time()]))
    response.operation = operation  # pyright: ignore[reportAttributeAccessIssue]
    if unknown:
        response.unsupported.append(codec.attribute(tags.INTEGER, "notify-subscription-ids", unknown))
    response.groups = _groups(ctx, told)  # pyright: ignore[reportAttributeAccessIssue]
    return response


def _subscriptions(ctx):
    """([(place in the request, Subscription), ...], [ids that are none]).  Raises IppError when there is none, or one of somebody else."""
    notifier = ctx.printer.notifier
    notifier.look()
    found = []
    unknown = []
    ids = [value for _, value in ctx.op["notify-subscription-ids"]]
    for i in range(len(ids)):
        one = notifier.table.get(ids[i]) if notifier.table is not None else None
        if one is None:
            if ids[i] not in unknown:
                unknown.append(ids[i])
        elif one.owner != ctx.user and ctx.role < roles.OPERATOR:
            raise IppError(status.NOT_AUTHORIZED, "Subscription %d is somebody else's." % ids[i])
        elif one not in [other for _, other in found]:
            found.append((i, one))
    if not found:
        raise IppError(status.NOT_FOUND, "There is no subscription %s." % ", ".join([str(id) for id in unknown[:8]]))
    return found, unknown


async def _wait(notifier, active, wanted):
    begun = ticks_ms()
    while True:
        notifier.look()
        table = notifier.table
        for one, first in wanted:
            if table is None or table.get(one.id) is not one or table.events(one, first):
                return
        left = _WAIT_MS - ticks_diff(ticks_ms(), begun)
        if left <= 0:
            return
        await active.wait(left)


def _groups(ctx, told):
    # a generator: one event at a time is in memory while the answer is sent
    for one, events in told:
        for number, event in events:
            yield tags.EVENT_GROUP, _event(ctx, one, number, event)


def _event(ctx, one, number, event):
    """The attributes of an event (RFC 3996 section 9.1) as a generator."""
    printer = ctx.printer
    uri = printer.uri(ctx.uri)
    mask = event.mask
    name = subscriptions.keyword(one, event)
    own = mask & (OF_PRINTER | OF_JOB)
    yield codec.attribute(tags.INTEGER, "notify-subscription-id", [one.id])
    if own:
        yield codec.attribute(tags.URI, "notify-printer-uri", [uri])
    else:
        yield codec.attribute(tags.URI, "notify-system-uri", [uri[: uri.find("/ipp/")] + "/ipp/system"])
    yield codec.attribute(tags.KEYWORD, "notify-subscribed-event", [name])
    yield codec.attribute(tags.INTEGER, "printer-up-time" if own else "system-up-time", [event.s])
    if event.unix_s is not None:
        yield values.date("printer-current-time" if own else "system-current-time", event.unix_s)
    yield codec.attribute(tags.INTEGER, "notify-sequence-number", [number])
    yield codec.attribute(tags.CHARSET, "notify-charset", ["utf-8"])
    yield codec.attribute(tags.LANGUAGE, "notify-natural-language", [event_texts.language(one.language)])
    yield codec.attribute(tags.OCTETS, "notify-user-data", [one.user_data])
    yield codec.attribute(tags.TEXT, "notify-text", [event_texts.text(one.language, event)])
    if mask & OF_JOB:
        yield codec.attribute(tags.INTEGER, "notify-job-id", [event.target])
        yield codec.attribute(tags.INTEGER, "job-id", [event.target])
        yield codec.attribute(tags.ENUM, "job-state", [event.state])
        yield codec.attribute(tags.KEYWORD, "job-state-reasons", event.reasons)
        if mask & (JOB_PROGRESS | JOB_COMPLETED):
            # the nearest to sheets that a part has
            yield codec.attribute(tags.INTEGER, "job-impressions-completed", [event.detail[1]])
            yield codec.attribute(tags.INTEGER, "printwright-job-progress", [event.detail[0]])
    elif mask & OF_PRINTER:
        yield codec.attribute(tags.ENUM, "printer-state", [event.state])
        yield codec.attribute(tags.KEYWORD, "printer-state-reasons", event.reasons)
        yield codec.attribute(tags.BOOLEAN, "printer-is-accepting-jobs", [event.detail])
    elif mask & OF_RESOURCE:
        yield codec.attribute(tags.INTEGER, "notify-resource-id", [event.target])
        yield codec.attribute(tags.INTEGER, "resource-id", [event.target])
        yield codec.attribute(tags.ENUM, "resource-state", [event.state])
        yield codec.attribute(tags.KEYWORD, "resource-state-reasons", event.reasons)
    else:
        yield codec.attribute(tags.ENUM, "system-state", [event.state])
        yield codec.attribute(tags.KEYWORD, "system-state-reasons", event.reasons)
    yield from _extra(ctx, one, event)


def _extra(ctx, one, event):
    """notify-attributes, as they are now; a job's only with its own events."""
    job = ctx.printer.queue.get(event.target) if event.mask & OF_JOB else None
    for name in one.extras:
        if name.startswith("printer-") or name == "queued-job-count":
            from firmware.ipp.requested import Requested

            requested = Requested(None, {}, "")
            requested.add((name,))
            for octets in ctx.printer.attributes(requested, ctx.uri, ctx.offers):
                yield octets
        elif job is not None and not (name == "job-name" and ctx.hides(job)):
            if name == "printwright-job-progress" and event.mask & (JOB_PROGRESS | JOB_COMPLETED):
                continue  # it is there
            octets = ctx.printer.job_attributes.one(job, name, ctx.uri)
            if octets is not None:
                yield octets


# operation-id: (handler, target)
OPERATIONS = {0x001C: (get_notifications, PRINTER_OR_SYSTEM)}
