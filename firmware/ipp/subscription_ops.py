"""Operations on subscriptions (RFC 3995 sections 11.1 and 11.2), and the subscriptions of a job that is made with them.

As printer_ops.py; OPERATIONS is the table.  Loaded when it is asked for; Get-Notifications is notification_ops.py.
"""

from firmware.config import new_uuid, urn
from firmware.ipp import codec, materials, status, subscriptions, tags
from firmware.ipp.checks import PRINTER, PRINTER_OR_SYSTEM, SYSTEM
from firmware.ipp.codec import Response
from firmware.ipp.requested import Requested
from firmware.ipp.status import IppError
from firmware.ipp.subscriptions import OF_JOB, OF_PRINTER, TO_JOB, TO_PRINTER, Subscription
from firmware.jobs import states
from firmware.security import roles
from hal.compat import const, seldom
from hal.errors import StorageError

# notify-attributes-supported
JOB_EXTRAS = ("job-name", "job-state-message", "printwright-job-layer", "printwright-job-progress", "printwright-job-time-left")
PRINTER_EXTRAS = ("printer-state-message", "queued-job-count")
_GROUPS = {"all": "TDS", "subscription-template": "T", "subscription-description": "DS", "none": ""}
_TEMPLATE = (
    "notify-pull-method",
    "notify-events",
    "notify-attributes",
    "notify-user-data",
    "notify-charset",
    "notify-natural-language",
    "notify-lease-duration",
    "notify-time-interval",
    "notify-recipient-uri",
)
_USER_SHARE = const(2)  # a user who is no operator gets at most a half of the table
_INTERVAL_MAX = const(86400)


class Wish:
    """One subscription group: what it asks for; status: notify-status-code, None while nothing is wrong; group: attributes of the answer's
    group that say what is."""

    def __init__(self):
        self.status = None
        self.refused = False
        self.group = []
        self.mask = 0
        self.user_data = b""
        self.language = "en"
        self.lease_s = None
        self.interval_s = 0
        self.extras = ()

    def ignore(self, name, values=None):
        """An attribute, or values of it, is not supported."""
        self.group.append(codec.attribute_of(name, values) if values else codec.attribute(tags.UNSUPPORTED, name, []))
        self.status = self.status or status.OK_IGNORED

    def refuse(self, code, name=None, values=None):
        """Nothing comes of it."""
        if name is not None:
            self.ignore(name, values)
        if not self.refused:
            self.status = code
            self.refused = True


def wishes(ctx, kind):
    """[Wish, ...] of the request's subscription groups, judged.  Raises nothing: each group has a status of its own."""
    found = []
    for tag, members in ctx.request.groups:
        if tag == tags.SUBSCRIPTION_GROUP:
            found.append(_judged(ctx, members, kind))
    return found


def _judged(ctx, members, kind):
    wish = Wish()
    asked = {}
    for name, values in members:
        asked[name] = values
        if name not in _TEMPLATE:
            wish.ignore(name)
    wish.language = _keyword(ctx.op["attributes-natural-language"])
    if "notify-recipient-uri" in asked:
        # pull only; both at once is a contradiction (RFC 3995 section 5.3.1)
        both = "notify-pull-method" in asked
        wish.refuse(status.CONFLICTING if both else status.URI_SCHEME_NOT_SUPPORTED, "notify-recipient-uri", asked["notify-recipient-uri"])
    elif "notify-pull-method" not in asked:
        wish.refuse(status.BAD_REQUEST)
    elif asked["notify-pull-method"] != [(tags.KEYWORD, b"ippget")]:
        wish.refuse(status.NOT_SUPPORTED, "notify-pull-method", asked["notify-pull-method"])
    _events(wish, asked.get("notify-events"), kind)
    _extras(wish, asked.get("notify-attributes"))
    _data(wish, asked.get("notify-user-data"))
    for name, tag in (("notify-charset", tags.CHARSET), ("notify-natural-language", tags.LANGUAGE)):
        values = asked.get(name)
        if values is None:
            continue
        if len(values) != 1 or values[0][0] != tag:
            wish.refuse(status.BAD_REQUEST, name)
        elif tag == tags.LANGUAGE:
            wish.language = _keyword(values)
        elif _keyword(values).lower() not in ("utf-8", "us-ascii"):
            wish.ignore(name, values)
    _times(ctx, wish, asked, kind)
    return wish


def _keyword(values):
    return materials.text_of(values[0][1])


def _events(wish, values, kind):
    known = OF_PRINTER | OF_JOB
    if kind == subscriptions.TO_SYSTEM:
        known |= subscriptions.OF_SYSTEM | subscriptions.OF_RESOURCE
    elif kind == subscriptions.TO_RESOURCE:
        known = subscriptions.OF_RESOURCE
    if values is None:
        # notify-events-default
        wish.mask = subscriptions.RESOURCE_STATE if kind == subscriptions.TO_RESOURCE else subscriptions.JOB_COMPLETED
        return
    unknown = []
    names = []
    for tag, value in values:
        name = materials.text_of(value) if tag == tags.KEYWORD else None
        if name == "none" or (name in subscriptions.EVENTS and known & 1 << subscriptions.EVENTS.index(name)):
            if name not in names:
                names.append(name)
        else:
            unknown.append((tag, value))
    if unknown:
        wish.ignore("notify-events", unknown)
    if not names:
        wish.refuse(status.NOT_SUPPORTED)
    if len(names) > subscriptions.EVENTS_MAX:
        names = names[: subscriptions.EVENTS_MAX]
        wish.status = status.OK_TOO_MANY_EVENTS if not wish.refused else wish.status
    for name in names:
        if name != "none":
            wish.mask |= 1 << subscriptions.EVENTS.index(name)


def _extras(wish, values):
    if values is None:
        return
    known = []
    unknown = []
    for tag, value in values:
        name = materials.text_of(value) if tag == tags.KEYWORD else None
        if name not in JOB_EXTRAS and name not in PRINTER_EXTRAS:
            unknown.append((tag, value))
        elif name not in known:
            known.append(name)
    if unknown:
        wish.ignore("notify-attributes", unknown)
    wish.extras = tuple(known)


def _data(wish, values):
    if values is None:
        return
    if len(values) != 1 or values[0][0] != tags.OCTETS:
        wish.refuse(status.BAD_REQUEST, "notify-user-data")
    elif len(values[0][1]) > subscriptions.USER_DATA_OCTETS:
        wish.refuse(status.VALUE_TOO_LONG, "notify-user-data")
    else:
        wish.user_data = bytes(values[0][1])


def _times(ctx, wish, asked, kind):
    values = asked.get("notify-lease-duration")
    if values is not None:
        if len(values) != 1 or values[0][0] != tags.INTEGER:
            wish.refuse(status.BAD_REQUEST, "notify-lease-duration")
        elif kind == TO_JOB:
            # ends with its job (RFC 3995 section 5.3.8)
            wish.ignore("notify-lease-duration")
        else:
            wish.lease_s = values[0][1]
            if _lease(ctx, wish.lease_s) != wish.lease_s:
                wish.ignore("notify-lease-duration", values)
    values = asked.get("notify-time-interval")
    if values is not None:
        if len(values) != 1 or values[0][0] != tags.INTEGER:
            wish.refuse(status.BAD_REQUEST, "notify-time-interval")
        elif not 0 <= values[0][1] <= _INTERVAL_MAX:
            wish.ignore("notify-time-interval", values)
            wish.interval_s = min(max(values[0][1], 0), _INTERVAL_MAX)
        else:
            wish.interval_s = values[0][1]


def _lease(ctx, asked):
    # one without end takes a place for good: not for everybody
    return subscriptions.lease(asked, ctx.role >= roles.OPERATOR)


async def subscribe(ctx, wanted, kind, target):
    """Makes the subscriptions of [Wish, ...]; (encoded groups of the answer, how many were made)."""
    notifier = ctx.printer.notifier
    groups = []
    made = 0
    stored = False
    for wish in wanted:
        one = None
        if not wish.refused:
            table = notifier.open()
            notifier.look()
            table = notifier.open()
            mine = table.count_of(ctx.user)
            if table.is_full() or (ctx.role < roles.OPERATOR and mine >= notifier.active.limit // _USER_SHARE):
                wish.refuse(status.TOO_MANY_SUBSCRIPTIONS)
            else:
                one, kept = _made(ctx, table, wish, kind, target)
                stored = stored or kept
        group = []
        if one is not None:
            made += 1
            group.append(codec.attribute(tags.INTEGER, "notify-subscription-id", [one.id]))
            if one.kind != TO_JOB:
                group.append(codec.attribute(tags.INTEGER, "notify-lease-duration", [one.lease_s]))
        if wish.status is not None:
            group.append(codec.attribute(tags.ENUM, "notify-status-code", [wish.status]))
        given = [octets for octets in wish.group if one is None or octets.find(b"notify-lease-duration") < 0]
        groups.append(group + given)
    if stored:
        try:
            await notifier.config.save()
        except StorageError as e:
            raise IppError(status.TEMPORARY_ERROR, "The subscription cannot be stored: %s." % e.message)
    return groups, made


def _made(ctx, table, wish, kind, target):
    lease_s = 0 if kind == TO_JOB else _lease(ctx, wish.lease_s)
    one = Subscription(
        table.new_id(), new_uuid(), kind, target, wish.mask, ctx.user, wish.user_data, wish.language, lease_s, wish.interval_s, wish.extras
    )
    now_s = ctx.printer.up_time()
    table.add(one, now_s)
    if lease_s:
        return one, False
    kept = seldom("firmware.ipp.subscription_store", "keep")(ctx.printer.notifier, one)
    if not kept and kind != TO_JOB:
        # for ever needs a place in flash
        table.renew(one, subscriptions.LEASE_MAX_S, now_s)
    return one, kept


async def add_to_job(ctx, job, response):
    """RFC 3995 section 11.1.3: subscription groups of Create-Job; the job is there whatever comes of them.  job None: Validate-Job."""
    wanted = wishes(ctx, TO_JOB)
    if job is None:
        groups = []
        made = 0
        for wish in wanted:
            made += not wish.refused
            code = [] if wish.status is None else [codec.attribute(tags.ENUM, "notify-status-code", [wish.status])]
            groups.append(code + wish.group)
    else:
        groups, made = await subscribe(ctx, wanted, TO_JOB, job.id)
    for group in groups:
        response.add(tags.SUBSCRIPTION_GROUP, group)
    if made < len(wanted) and response.status <= status.OK_IGNORED:
        response.status = status.OK_IGNORED_SUBSCRIPTIONS


async def add_to_resource(ctx, one, response):
    """PWG 5100.22: subscription groups of Create-Resource."""
    wanted = wishes(ctx, subscriptions.TO_RESOURCE)
    groups, made = await subscribe(ctx, wanted, subscriptions.TO_RESOURCE, one.id)
    for group in groups:
        response.add(tags.SUBSCRIPTION_GROUP, group)
    if made < len(wanted) and response.status <= status.OK_IGNORED:
        response.status = status.OK_IGNORED_SUBSCRIPTIONS


async def _create(ctx, kind, target):
    wanted = wishes(ctx, kind)
    if not wanted:
        raise IppError(status.BAD_REQUEST, "The request has no subscription.")
    groups, made = await subscribe(ctx, wanted, kind, target)
    response = Response()
    if not made:
        response.status = status.IGNORED_ALL_SUBSCRIPTIONS
        response.message = "Nothing was subscribed to; notify-status-code says why."
    elif made < len(wanted):
        response.status = status.OK_IGNORED_SUBSCRIPTIONS
    for group in groups:
        response.add(tags.SUBSCRIPTION_GROUP, group)
    return response


async def create_printer_subscriptions(ctx):
    """RFC 3995 section 11.1.2."""
    return await _create(ctx, TO_PRINTER, 0)


async def create_job_subscriptions(ctx):
    """RFC 3995 section 11.1.1: for a job that has not ended."""
    job = _job(ctx)
    if job is None:
        raise IppError(status.BAD_REQUEST, "The request has no 'notify-job-id'.")
    if job.user != ctx.user and ctx.role < roles.OPERATOR:
        raise IppError(status.NOT_AUTHORIZED, "Job %d is somebody else's." % job.id)
    if states.ended(job.state):
        raise IppError(status.NOT_POSSIBLE, "Job %d has ended." % job.id)
    return await _create(ctx, TO_JOB, job.id)


async def create_system_subscriptions(ctx):
    """PWG 5100.22: events of system, resources, printer and jobs."""
    return await _create(ctx, subscriptions.TO_SYSTEM, 0)


def _job(ctx):
    values = ctx.op.get("notify-job-id")
    if values is None:
        return None
    job = ctx.printer.queue.get(values[0][1])
    if job is None:
        raise IppError(status.NOT_FOUND, "There is no job %d." % values[0][1])
    return job


def find(ctx):
    """The Subscription that the request names, which is the client's own or an operator asks.  Raises IppError."""
    values = ctx.op.get("notify-subscription-id")
    if values is None:
        raise IppError(status.BAD_REQUEST, "The request has no 'notify-subscription-id'.")
    notifier = ctx.printer.notifier
    notifier.look()
    one = notifier.table.get(values[0][1]) if notifier.table is not None else None
    if one is None:
        raise IppError(status.NOT_FOUND, "There is no subscription %d." % values[0][1])
    if one.owner != ctx.user and ctx.role < roles.OPERATOR:
        raise IppError(status.NOT_AUTHORIZED, "Subscription %d is somebody else's." % one.id)
    return one


async def get_subscription_attributes(ctx):
    """RFC 3995 section 11.2.4."""
    one = find(ctx)
    requested = Requested(ctx.op.get("requested-attributes"), _GROUPS)
    return Response().add(tags.SUBSCRIPTION_GROUP, _attributes(ctx, one, requested))


async def get_subscriptions(ctx):
    """RFC 3995 section 11.2.5: those of a job, or all that are of no job."""
    requested = Requested(ctx.op.get("requested-attributes"), _GROUPS, "")
    if "requested-attributes" not in ctx.op:
        requested.add(("notify-subscription-id",))
    job = _job(ctx)
    mine = "my-subscriptions" in ctx.op and ctx.op["my-subscriptions"][0][1]
    limit = ctx.op["limit"][0][1] if "limit" in ctx.op else None
    notifier = ctx.printer.notifier
    notifier.look()
    response = Response()
    for one in notifier.table.all() if notifier.table is not None else ():
        fits = one.target == job.id if job is not None and one.kind == TO_JOB else job is None and one.kind != TO_JOB
        if not fits or (mine and one.owner != ctx.user) or (one.owner != ctx.user and ctx.role < roles.OPERATOR):
            continue
        if limit is not None and len(response.groups) >= limit:
            break
        response.add(tags.SUBSCRIPTION_GROUP, _attributes(ctx, one, requested))
    return response


def _attributes(ctx, one, requested):
    printer = ctx.printer
    uri = printer.uri(ctx.uri)
    events = [subscriptions.EVENTS[i] for i in range(len(subscriptions.EVENTS)) if one.mask & 1 << i]
    table = [
        ("T", "notify-pull-method", tags.KEYWORD, ["ippget"]),
        ("T", "notify-events", tags.KEYWORD, events or ["none"]),
        ("T", "notify-attributes", tags.KEYWORD, list(one.extras)),
        ("T", "notify-user-data", tags.OCTETS, [one.user_data]),
        ("T", "notify-charset", tags.CHARSET, ["utf-8"]),
        ("T", "notify-natural-language", tags.LANGUAGE, [one.language]),
        ("T", "notify-time-interval", tags.INTEGER, [one.interval_s]),
        ("D", "notify-subscription-id", tags.INTEGER, [one.id]),
        ("D", "notify-subscription-uuid", tags.URI, [urn(one.uuid)]),
        ("D", "notify-sequence-number", tags.INTEGER, [one.count]),
        ("D", "notify-subscriber-user-name", tags.NAME, [codec.clip(one.owner, 255)]),
        ("D", "notify-printer-up-time", tags.INTEGER, [printer.up_time()]),
        ("D", "notify-printer-uri", tags.URI, [uri]),
    ]
    if one.kind == TO_JOB:
        table.append(("D", "notify-job-id", tags.INTEGER, [one.target]))
    else:
        table.append(("T", "notify-lease-duration", tags.INTEGER, [one.lease_s]))
        table.append(("D", "notify-lease-expiration-time", tags.INTEGER, [one.expires]))
    if one.kind == subscriptions.TO_RESOURCE:
        table.append(("D", "notify-resource-id", tags.INTEGER, [one.target]))
    if one.kind == subscriptions.TO_SYSTEM or one.kind == subscriptions.TO_RESOURCE:
        table.append(("D", "notify-system-up-time", tags.INTEGER, [printer.up_time()]))
        table.append(("D", "notify-system-uri", tags.URI, [uri[: uri.find("/ipp/")] + "/ipp/system"]))
    return [codec.attribute(tag, name, found) for group, name, tag, found in table if found and requested.has(group, name)]


async def renew_subscription(ctx):
    """RFC 3995 section 11.2.6."""
    one = find(ctx)
    if one.kind == TO_JOB:
        raise IppError(status.NOT_POSSIBLE, "The subscription ends with its job; it has no lease.")
    values = ctx.op.get("notify-lease-duration")
    asked = values[0][1] if values is not None else None
    lease_s = _lease(ctx, asked)
    if lease_s == 0 and one.place is None and not seldom("firmware.ipp.subscription_store", "keep")(ctx.printer.notifier, one):
        lease_s = subscriptions.LEASE_MAX_S
    if lease_s:
        ctx.printer.notifier.let_go(one)
    ctx.printer.notifier.open().renew(one, lease_s, ctx.printer.up_time())
    response = Response().add(tags.SUBSCRIPTION_GROUP, [codec.attribute(tags.INTEGER, "notify-lease-duration", [lease_s])])
    if asked is not None and asked != lease_s:
        response.status = status.OK_IGNORED
        response.unsupported = [codec.attribute_of("notify-lease-duration", values)]
    return response


async def cancel_subscription(ctx):
    """RFC 3995 section 11.2.7: at once, with the events that wait."""
    one = find(ctx)
    ctx.printer.notifier.open().remove(one.id)
    ctx.printer.notifier.let_go(one)
    return Response()


# operation-id: (handler, target)
OPERATIONS = {
    0x0016: (create_printer_subscriptions, PRINTER),
    0x0017: (create_job_subscriptions, PRINTER),
    0x0018: (get_subscription_attributes, PRINTER_OR_SYSTEM),
    0x0019: (get_subscriptions, PRINTER_OR_SYSTEM),
    0x001A: (renew_subscription, PRINTER_OR_SYSTEM),
    0x001B: (cancel_subscription, PRINTER_OR_SYSTEM),
    0x0058: (create_system_subscriptions, SYSTEM),
}
