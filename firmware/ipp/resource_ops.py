"""Operations on resources (PWG 5100.22): Create-, Send-Resource-Data, Install-, Cancel-, Get-Resources, Get-Resource-Attributes.

As printer_ops.py; OPERATIONS is the table.  Loaded when it is asked for.  What a resource is and does: resources.py.
"""

from firmware.config import urn
from firmware.ipp import codec, materials, resources, status, tags, ticket, values
from firmware.ipp.checks import SYSTEM
from firmware.ipp.codec import Response, clip
from firmware.ipp.requested import Requested
from firmware.ipp.resources import ABORTED, AVAILABLE, CANCELED, INCOMING, PENDING, ResourceError
from firmware.ipp.status import BodyError, IppError
from hal.compat import seldom
from hal.errors import StorageError, StorageFull

_GROUPS = {"all": "TDS", "resource-description": "D", "resource-status": "S", "resource-template": "", "none": ""}
_STATE_NAMES = ("resource-id", "resource-state", "resource-state-reasons", "resource-uuid")
# resource attributes that Create-Resource takes: (attribute, tag, the Resource's own, most octets)
_SETTABLE = (
    ("resource-name", tags.NAME, "name", 255),
    ("resource-info", tags.TEXT, "info", 127),
    ("resource-natural-language", tags.LANGUAGE, "language", 63),
)
_WITH_DATA = (
    ("resource-natural-language", "language"),
    ("resource-string-version", "string_version"),
    ("resource-patches", "patches"),
)


def _resource(ctx):
    found = ctx.op.get("resource-id")
    if found is None:
        raise IppError(status.BAD_REQUEST, "The request has no 'resource-id'.")
    one = ctx.printer.resources.get(found[0][1])
    if one is None:
        raise IppError(status.NOT_FOUND, "There is no resource %d." % found[0][1])
    return one


def _may_store(ctx):
    if not ctx.printer.notifier.may_store():
        raise IppError(status.BUSY, "Nothing can be stored while the machine moves.")


def _failed(error):
    return IppError(status.TEMPORARY_ERROR, "The resource cannot be stored: %s." % error.message)


def _state(one):
    return [octets for _, name, octets in attributes(one, None) if name in _STATE_NAMES]


async def create_resource(ctx):
    """A new one, pending; its data come with Send-Resource-Data."""
    table = ctx.printer.resources
    kind = ticket.text(ctx.op, "resource-type")
    if kind is None:
        raise IppError(status.BAD_REQUEST, "The request has no 'resource-type'.")
    if kind not in table.kinds:
        text = "This system takes: %s." % ", ".join(sorted(table.kinds))
        raise IppError(status.NOT_SUPPORTED, text, [codec.attribute_of("resource-type", ctx.op["resource-type"])])
    _may_store(ctx)
    given = ctx.group(tags.RESOURCE_GROUP)
    unsupported = []
    wanted = {}
    for name, asked in given:
        for known, tag, own, octets in _SETTABLE:
            if known == name and len(asked) == 1 and asked[0][0] in (tag, tags.NAME_LANG if tag == tags.NAME else tags.TEXT_LANG):
                wanted[own] = str(clip(materials.text_of(asked[0][1]), octets), "utf-8")
                break
        else:
            unsupported.append(codec.attribute(tags.UNSUPPORTED, name, []))
    one = table.create(kind)
    if one is None:
        raise IppError(status.TEMPORARY_ERROR, "There is no room for another resource; cancel one that is not used.")
    for own in wanted:
        setattr(one, own, wanted[own])
    try:
        await table.store(one, True)
    except StorageError as e:
        await table.end(one, ABORTED, e.message)
        raise _failed(e)
    response = Response(status.OK_IGNORED if unsupported else status.OK)
    response.unsupported = unsupported
    response.operation = [codec.attribute(tags.MIME, "resource-format-accepted", list(table.kinds[kind].formats))]  # pyright: ignore
    if ctx.request.group(tags.SUBSCRIPTION_GROUP) is not None:
        await seldom("firmware.ipp.subscription_ops", "add_to_resource")(ctx, one, response)
    return response.add(tags.RESOURCE_GROUP, _state(one))


async def send_resource_data(ctx):
    """The data, whole; what does not arrive whole, or is not what it says, aborts the resource."""
    one = _resource(ctx)
    table = ctx.printer.resources
    kind = table.kinds.get(one.type)
    format = ticket.text(ctx.op, "resource-format")
    if format is None:
        raise IppError(status.BAD_REQUEST, "The request has no 'resource-format'.")
    if one.state != PENDING or one.reasons or kind is None:
        raise IppError(status.NOT_POSSIBLE, "Resource %d does not wait for data." % one.id)
    if format not in kind.formats:
        unsupported = [codec.attribute_of("resource-format", ctx.op["resource-format"])]
        raise IppError(status.FORMAT_NOT_SUPPORTED, "A %s is %s." % (one.type, " or ".join(kind.formats)), unsupported)
    size_k = ctx.op.get("resource-k-octets")
    if size_k is not None and size_k[0][1] > (kind.octets_max + 1023) // 1024:
        raise IppError(status.TOO_LARGE, "A %s has at most %d octets." % (one.type, kind.octets_max))
    _may_store(ctx)
    for name, own in _WITH_DATA:
        text = ticket.text(ctx.op, name) if name in ctx.op and ctx.op[name][0][0] >= 0x20 else None
        if text:
            setattr(one, own, str(clip(text, 127), "utf-8"))
    if "resource-version" in ctx.op and ctx.op["resource-version"][0][0] >= 0x20:
        one.version = bytes(ctx.op["resource-version"][0][1])
    one.signature = tuple([bytes(value) for _, value in ctx.op.get("resource-signature", ())])
    await _receive(ctx, table, one, kind, format)
    return Response().add(tags.RESOURCE_GROUP, _state(one))


async def _receive(ctx, table, one, kind, format):
    try:
        receiver = table.receive(one, format)
    except (ResourceError, StorageError) as e:
        await table.end(one, ABORTED, str(e))
        raise IppError(status.TEMPORARY_ERROR, "The data cannot be taken: %s." % e)
    code = None
    message = ""
    try:
        while True:
            piece = await ctx.body.read()
            if not piece:
                break
            if one.state != PENDING:
                raise IppError(status.NOT_POSSIBLE, "Resource %d was canceled." % one.id)
            if not receiver.write(piece):
                code = status.TOO_LARGE
                message = "a %s has at most %d octets" % (one.type, kind.octets_max)
                break
        if code is None and not one.octets:
            code = status.BAD_REQUEST
            message = "the request has no data"
        if code is None:
            await receiver.close()
            return
    except BodyError as e:
        await receiver.abort(e.message)
        raise
    except StorageFull as e:
        code = status.TOO_LARGE
        message = e.message
    except StorageError as e:
        code = status.TEMPORARY_ERROR
        message = e.message
    except ResourceError as e:
        code = status.FORMAT_ERROR
        message = str(e)
    await receiver.abort(message)
    raise IppError(code, "Resource %d is aborted: %s." % (one.id, message))


async def install_resource(ctx):
    """What is available is put to use."""
    one = _resource(ctx)
    if one.state != AVAILABLE or one.reasons:
        raise IppError(status.NOT_POSSIBLE, "Resource %d is not available." % one.id)
    _may_store(ctx)
    try:
        await ctx.printer.resources.install(one)
    except StorageError as e:
        raise _failed(e)
    return Response().add(tags.RESOURCE_GROUP, _state(one))


async def cancel_resource(ctx):
    """It is dropped, or not used any more; its data go."""
    one = _resource(ctx)
    if one.over or (one.reasons and one.reasons != [INCOMING]):
        raise IppError(status.NOT_POSSIBLE, "Resource %d cannot be canceled now." % one.id)
    _may_store(ctx)
    try:
        await ctx.printer.resources.end(one, CANCELED)
    except StorageError as e:
        raise _failed(e)
    return Response()


async def get_resource_attributes(ctx):
    """All of one."""
    one = _resource(ctx)
    requested = Requested(ctx.op.get("requested-attributes"), _GROUPS)
    return Response().add(tags.RESOURCE_GROUP, _wanted(ctx, one, requested))


async def get_resources(ctx):
    """All, or those with the ids, states, types and formats that are asked for; without requested-attributes their ids, names, states..."""
    requested = Requested(ctx.op.get("requested-attributes"), _GROUPS, "")
    if "requested-attributes" not in ctx.op:
        requested.add(("resource-id", "resource-state", "resource-type"))
    limit = ctx.op["limit"][0][1] if "limit" in ctx.op else None
    response = Response()
    for one in ctx.printer.resources.all():
        filters = (("resource-ids", one.id), ("resource-states", one.state), ("resource-types", one.type), ("resource-formats", one.format))
        if all(_among(ctx.op.get(name), value) for name, value in filters):
            if limit is not None and len(response.groups) >= limit:
                break
            response.add(tags.RESOURCE_GROUP, _wanted(ctx, one, requested))
    return response


def _among(asked, value):
    if asked is None:
        return True
    return value in [found if isinstance(found, int) else materials.text_of(found) for _, found in asked]


def _wanted(ctx, one, requested):
    return [octets for group, name, octets in attributes(one, ctx.uri) if requested.has(group, name)]


def attributes(one, uri):
    """[(group, name, encoded), ...] of a Resource; uri: the client's way here, or None."""
    data_uri = None
    if uri is not None and one.state in (AVAILABLE, resources.INSTALLED) and one.type.startswith("static-"):
        data_uri = ("https" if uri[0] == "ipps" else "http") + "://" + uri[1] + "/resource/%d" % one.id
    table = [
        ("S", "resource-id", tags.INTEGER, one.id),
        ("S", "resource-uuid", tags.URI, urn(one.uuid)),
        ("S", "resource-type", tags.KEYWORD, one.type),
        ("S", "resource-format", tags.MIME, one.format or None),
        ("D", "resource-name", tags.NAME, one.name),
        ("D", "resource-info", tags.TEXT, one.info),
        ("S", "resource-natural-language", tags.LANGUAGE, one.language),
        ("S", "resource-k-octets", tags.INTEGER, (one.octets + 1023) // 1024),
        ("S", "resource-data-uri", tags.URI, data_uri),
        ("S", "resource-state", tags.ENUM, one.state),
        ("S", "resource-state-message", tags.TEXT, clip(one.message, 1023)),
        ("S", "resource-string-version", tags.TEXT, one.string_version or None),
        ("S", "resource-version", tags.OCTETS, one.version or None),
        ("S", "resource-patches", tags.TEXT, one.patches or None),
        ("S", "resource-use-count", tags.INTEGER, 1 if one.state == resources.INSTALLED else 0),
    ]
    found = []
    for group, name, tag, value in table:
        found.append((group, name, codec.attribute(tags.NO_VALUE, name, []) if value is None else codec.attribute(tag, name, [value])))
    found.append(("S", "resource-state-reasons", codec.attribute(tags.KEYWORD, "resource-state-reasons", one.reasons or ["none"])))
    if one.signature:
        found.append(("S", "resource-signature", codec.attribute(tags.OCTETS, "resource-signature", list(one.signature))))
    moments = (("creation", one.created), ("installed", one.installed), ("canceled", one.ended if one.state == CANCELED else None))
    for what, when in moments:
        for name in ("time-at-" + what, "date-time-at-" + what):
            if when is None:
                octets = codec.attribute(tags.NO_VALUE, name, [])
            elif name.startswith("date"):
                octets = values.date(name, when[1])
            else:
                octets = codec.attribute(tags.INTEGER, name, [when[0]])
            found.append(("S", name, octets))
    return found


# operation-id: (handler, target)
OPERATIONS = {
    0x001E: (get_resource_attributes, SYSTEM),
    0x0020: (get_resources, SYSTEM),
    0x0052: (cancel_resource, SYSTEM),
    0x0053: (create_resource, SYSTEM),
    0x0054: (install_resource, SYSTEM),
    0x0055: (send_resource_data, SYSTEM),
}
