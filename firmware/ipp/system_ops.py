"""The System service of one printer (PWG 5100.22): system attributes, the printer in it, and what can be done to all printers at once.

As printer_ops.py; OPERATIONS is the table.  Loaded when it is asked for.  Name, place and contact of the system are those of its printer:
one device, one set of settings.  Not here: resources (resource_ops.py), subscriptions (subscription_ops.py).
"""

from firmware.ipp import (
    attributes,
    codec,
    control_ops,
    operations,
    printer_values,
    registry_printer,
    settings_ops,
    status,
    tags,
    ticket,
    values,
)
from firmware.ipp.answers import stored
from firmware.ipp.checks import SYSTEM, SYSTEM_PATH
from firmware.ipp.codec import Response
from firmware.ipp.materials import text_of
from firmware.ipp.requested import PRINTER_GROUPS, Requested
from firmware.ipp.status import IppError
from hal.errors import ConfigError, StorageError

PRINTER_ID = 1
SERVICE = "print3d"
_GROUPS = {"all": "TDS", "system-description": "D", "system-status": "S", "system-template": "", "none": ""}
# system attribute: (setting, tag)
_SETTINGS = {
    "system-geo-location": ("geo_location", tags.URI),
    "system-info": ("info", tags.TEXT),
    "system-location": ("location", tags.TEXT),
    "system-message-from-operator": ("message_from_operator", tags.TEXT),
    "system-name": ("printer_name", tags.NAME),
}
_CONTACT = "system-contact-col"
_DEFAULT = "system-default-printer-id"
_LISTED = (
    "printer-id",
    "printer-info",
    "printer-is-accepting-jobs",
    "printer-name",
    "printer-service-type",
    "printer-state",
    "printer-state-reasons",
    "printer-xri-supported",
)
# rows of the printer that the system tells as they are
_SHARED = (
    "charset-configured",
    "charset-supported",
    "document-format-supported",
    "generated-natural-language-supported",
    "ipp-versions-supported",
    "ippget-event-life",
    "natural-language-configured",
    "notify-attributes-supported",
    "notify-events-default",
    "notify-lease-duration-default",
    "notify-max-events-supported",
    "notify-pull-method-supported",
)
_EVENTS_BESIDE = (
    "resource-canceled",
    "resource-created",
    "resource-installed",
    "resource-state-changed",
    "system-config-changed",
    "system-state-changed",
    "system-stopped",
)


def _settable():
    return sorted(list(_SETTINGS) + [_CONTACT, _DEFAULT])


def _text_or_unknown(tag, name, text):
    return codec.attribute(tag, name, [text]) if text else codec.attribute(tags.UNKNOWN, name, [])


def _system(ctx):
    """Generator of (group, name, encoded) of the system's attributes."""
    printer = ctx.printer
    settings = printer.settings
    state = printer.runner.status
    clock = printer.machine.clock
    title = printer.machine.description["printer"]["title"]
    up_s = printer.up_time()
    unix_s = clock.unix_s()
    for name in _SHARED:
        row = attributes.find(registry_printer.ROWS, name)
        yield "D", name, attributes.encode(row, attributes.constants(row))  # pyright: ignore[reportArgumentType]
    row = attributes.find(registry_printer.ROWS, "notify-events-supported")
    events = sorted(list(attributes.constants(row)) + list(_EVENTS_BESIDE))  # pyright: ignore[reportArgumentType]
    yield "D", "notify-events-supported", codec.attribute(tags.KEYWORD, "notify-events-supported", events)
    lease = codec.attribute_of("notify-lease-duration-supported", [(tags.INTEGER, 0), (tags.RANGE, (10, 86400))])
    yield "D", "notify-lease-duration-supported", lease
    kinds = printer.resources.kinds
    formats = []
    for kind in sorted(kinds):
        formats += [format for format in kinds[kind].formats if format not in formats]
    yield (
        "D",
        "ipp-features-supported",
        _keywords("ipp-features-supported", ["ipp-3d", "resource-object", "subscription-object", "system-object"]),
    )
    yield "D", "multiple-document-printers-supported", codec.attribute(tags.BOOLEAN, "multiple-document-printers-supported", [False])
    yield "D", "operations-supported", codec.attribute(tags.ENUM, "operations-supported", operations.of_system())
    yield "D", "printer-creation-attributes-supported", _keywords("printer-creation-attributes-supported", ["none"])
    yield "D", "printer-service-type-supported", _keywords("printer-service-type-supported", [SERVICE])
    yield "D", "resource-format-supported", codec.attribute(tags.MIME, "resource-format-supported", formats)
    settable = ["resource-info", "resource-name", "resource-natural-language"]
    yield "D", "resource-settable-attributes-supported", _keywords("resource-settable-attributes-supported", settable)
    yield "D", "resource-type-supported", _keywords("resource-type-supported", sorted(kinds))
    contact = printer_values.contact(settings)
    yield "D", _CONTACT, codec.attribute(tags.COLLECTION if contact else tags.UNKNOWN, _CONTACT, [contact] if contact else [])
    yield "D", "system-current-time", values.date("system-current-time", unix_s)
    yield "D", _DEFAULT, codec.attribute(tags.INTEGER, _DEFAULT, [PRINTER_ID])
    name = settings.get("printer_name", None) or "Printwright"
    # the name as the network knows it
    yield (
        "D",
        "system-dns-sd-name",
        codec.attribute(tags.NAME, "system-dns-sd-name", [codec.clip(settings.get("dns_sd_name", None) or name, 63)]),
    )
    yield "D", "system-geo-location", _text_or_unknown(tags.URI, "system-geo-location", settings.get("geo_location", None))
    yield "D", "system-info", codec.attribute(tags.TEXT, "system-info", [settings.get("info", None) or title])
    yield "D", "system-location", codec.attribute(tags.TEXT, "system-location", [settings.get("location", None) or ""])
    yield "D", "system-make-and-model", codec.attribute(tags.TEXT, "system-make-and-model", [title])
    yield "D", "system-mandatory-printer-attributes", _keywords("system-mandatory-printer-attributes", ["none"])
    message = settings.get("message_from_operator", None) or ""
    yield "D", "system-message-from-operator", codec.attribute(tags.TEXT, "system-message-from-operator", [message])
    yield "D", "system-name", codec.attribute(tags.NAME, "system-name", [name])
    yield "D", "system-service-contact-col", codec.attribute(tags.UNKNOWN, "system-service-contact-col", [])
    yield "D", "system-settable-attributes-supported", _keywords("system-settable-attributes-supported", _settable())
    yield "D", "system-xri-supported", _xri(ctx)
    changed_s, changed_unix = printer.config_changed
    yield "S", "system-config-change-date-time", values.date("system-config-change-date-time", changed_unix)
    yield "S", "system-config-change-time", codec.attribute(tags.INTEGER, "system-config-change-time", [changed_s])
    yield "S", "system-config-changes", codec.attribute(tags.INTEGER, "system-config-changes", [printer.config_changes])
    yield "S", "system-configured-printers", codec.attribute(tags.COLLECTION, "system-configured-printers", [_printer_entry(ctx)])
    entries = [_resource_entry(one) for one in printer.resources.all()]
    name = "system-configured-resources"
    yield "S", name, codec.attribute(tags.COLLECTION, name, entries) if entries else codec.attribute(tags.NO_VALUE, name, [])
    for row in attributes.rows_of(registry_printer.ROWS, "S"):
        # the system's firmware is the printer's
        if row[attributes.NAME].startswith("printer-firmware-"):
            requested = Requested(None, {}, "")
            requested.add((row[attributes.NAME],))
            for octets in printer.attributes(requested, ctx.uri, ctx.offers):
                for _, found in _several(octets):
                    name = "system" + row[attributes.NAME][7:]
                    yield "S", name, codec.attribute_of(name, found)
    yield "S", "system-state", codec.attribute(tags.ENUM, "system-state", [state.printer_state])
    moment = None if unix_s is None else unix_s - (up_s - state.changed_s)
    yield "S", "system-state-change-date-time", values.date("system-state-change-date-time", moment)
    yield "S", "system-state-change-time", codec.attribute(tags.INTEGER, "system-state-change-time", [state.changed_s])
    yield "S", "system-state-message", codec.attribute(tags.TEXT, "system-state-message", [codec.clip(state.state_message or "", 1023)])
    yield "S", "system-state-reasons", _keywords("system-state-reasons", list(state.state_reasons) or ["none"])
    source = "none" if unix_s is None else "onboard"
    yield "S", "system-time-source", _keywords("system-time-source", [source])
    yield "S", "system-up-time", codec.attribute(tags.INTEGER, "system-up-time", [up_s])
    yield "S", "system-uuid", codec.attribute(tags.URI, "system-uuid", [settings.get("printer_uuid", None)])
    for name, tag, i in (
        ("xri-authentication-supported", tags.KEYWORD, 2),
        ("xri-security-supported", tags.KEYWORD, 1),
        ("xri-uri-scheme-supported", tags.URI_SCHEME, 0),
    ):
        found = []
        for offer in ctx.offers:
            if offer[i] not in found:
                found.append(offer[i])
        yield "S", name, codec.attribute(tag, name, found)


def _keywords(name, keywords):
    return codec.attribute(tags.KEYWORD, name, keywords)


def _xri(ctx):
    collections = []
    for scheme, security, authentication in ctx.offers:
        members = [
            ("xri-uri", [(tags.URI, scheme + "://" + ctx.uri[1] + SYSTEM_PATH)]),
            ("xri-authentication", [(tags.KEYWORD, authentication)]),
            ("xri-security", [(tags.KEYWORD, security)]),
        ]
        collections.append(members)
    return codec.attribute(tags.COLLECTION, "system-xri-supported", collections)


def _printer_entry(ctx):
    """The printer as a member of system-configured-printers."""
    requested = Requested(None, {}, "")
    requested.add(_LISTED)
    members = {}
    for octets in ctx.printer.attributes(requested, ctx.uri, ctx.offers):
        for name, found in _several(octets):
            members[name] = found
    return [(name, members[name]) for name in _LISTED if name in members]


def _several(octets):
    """[(name, values), ...] of attributes that are encoded one after another."""
    decoder = codec.Decoder(codec.Limits(len(octets) + 16, 0x7FFF))
    decoder.feed(b"\x02\x00\x00\x00\x00\x00\x00\x01\x02")
    decoder.feed(octets)
    decoder.feed(b"\x03")
    return decoder.request.groups[0][1] if decoder.request else []


def _resource_entry(one):
    return [
        ("resource-format", [(tags.MIME, one.format)] if one.format else [(tags.NO_VALUE, None)]),
        ("resource-id", [(tags.INTEGER, one.id)]),
        ("resource-info", [(tags.TEXT, one.info)]),
        ("resource-name", [(tags.NAME, one.name)]),
        ("resource-state", [(tags.ENUM, one.state)]),
        ("resource-state-reasons", [(tags.KEYWORD, reason) for reason in one.reasons or ["none"]]),
        ("resource-type", [(tags.KEYWORD, one.type)]),
    ]


async def get_system_attributes(ctx):
    """All, or what is asked for."""
    requested = Requested(ctx.op.get("requested-attributes"), _GROUPS)
    response = Response()
    # a generator: each attribute leaves its garbage behind before the next one is made
    response.add(tags.SYSTEM_GROUP, (octets for group, name, octets in _system(ctx) if requested.has(group, name)))
    return response


async def get_system_supported_values(ctx):
    """What Set-System-Attributes takes; any text: out-of-band admin-define."""
    requested = Requested(ctx.op.get("requested-attributes"), _GROUPS)
    found = []
    for name in _settable():
        if requested.has("D", name):
            fixed = name == _DEFAULT
            found.append(codec.attribute(tags.INTEGER, name, [PRINTER_ID]) if fixed else codec.attribute(tags.ADMIN_DEFINE, name, []))
    return Response().add(tags.SYSTEM_GROUP, found)


async def set_system_attributes(ctx):
    """All of the attributes, or none; durable when it is answered."""
    printer = ctx.printer
    given = ctx.group(tags.SYSTEM_GROUP)
    if not given:
        raise IppError(status.BAD_REQUEST, "The request has no system attributes.")
    fixed = []
    wrong = []
    changes = {}
    known = None
    for name, asked in given:
        try:
            if name in _SETTINGS:
                setting, tag = _SETTINGS[name]
                changes[setting] = _one_text(tag, name, asked)
                printer.settings.check(setting, changes[setting])
            elif name == _CONTACT:
                found = settings_ops.contact(printer.settings, asked)
                if found is None:
                    raise ConfigError(name, "contact-name and contact-uri")
                changes.update(found)
            elif name == _DEFAULT:
                if asked != [(tags.INTEGER, PRINTER_ID)]:
                    raise ConfigError(name, "the printer's id")
            else:
                known = known or {found for _, found, _ in _system(ctx)}
                fixed.append(codec.attribute(tags.NOT_SETTABLE if name in known else tags.UNSUPPORTED, name, []))
        except ConfigError:
            wrong.append(codec.attribute_of(name, asked))
    settings_ops.check(fixed, wrong)
    try:
        await printer.change(changes)
    except StorageError as e:
        raise IppError(status.TEMPORARY_ERROR, "The settings cannot be stored: %s." % e.message)
    await stored(printer.queue)
    return Response()


def _one_text(tag, name, asked):
    if len(asked) == 1:
        if asked[0][0] < 0x20:
            return ""
        if asked[0][0] == tag or asked[0][0] in (tags.TEXT_LANG, tags.NAME_LANG):
            return text_of(asked[0][1])
    raise ConfigError(name, "one text")


async def get_printers(ctx):
    """The printer, if it is among those that are asked for."""
    op = ctx.op
    requested = Requested(op.get("requested-attributes"), PRINTER_GROUPS, "")
    if "requested-attributes" not in op:
        requested.add(_LISTED)
    response = Response()
    which = ticket.text(op, "which-printers") or "all"
    state = ctx.printer.runner.status.printer_state
    states = {
        "all": True,
        "accepting": ctx.printer.accepting(),
        "not-accepting": not ctx.printer.accepting(),
        "shutdown": False,
        "testing": False,
    }
    states.update({"idle": state == 3, "processing": state == 4, "stopped": state == 5})
    if which not in states:
        raise IppError(status.NOT_SUPPORTED, "No such set of printers.", [codec.attribute_of("which-printers", op["which-printers"])])
    fits = states[which] and op.get("first-index", ((0, 1),))[0][1] == 1
    if "printer-ids" in op:
        fits = fits and PRINTER_ID in [value for _, value in op["printer-ids"]]
    if "printer-service-type" in op:
        fits = fits and SERVICE in [text_of(value) for _, value in op["printer-service-type"]]
    for name, setting in (("printer-location", "location"), ("printer-geo-location", "geo_location")):
        if name in op:
            fits = fits and ticket.text(op, name) == (ctx.printer.settings.get(setting, None) or "")
    if fits:
        response.add(tags.PRINTER_GROUP, ctx.printer.attributes(requested, ctx.uri, ctx.offers))
    return response


async def shutdown_all_printers(ctx):
    """No more jobs, and none begins after the current one: until Startup-All-Printers.  The device itself stays on."""
    await control_ops.disable_printer(ctx)
    return await control_ops.pause_printer_after_current_job(ctx)


async def startup_all_printers(ctx):
    """Undoes Shutdown-All-Printers."""
    response = await control_ops.resume_printer(ctx)
    await control_ops.enable_printer(ctx)
    return response


async def restart_system(ctx):
    """The printer begins anew (Restart-Printer): the current job is aborted."""
    return await control_ops.restart_printer(ctx)


# operation-id: (handler, target)
OPERATIONS = {
    0x004F: (get_printers, SYSTEM),
    0x0059: (control_ops.disable_printer, SYSTEM),
    0x005A: (control_ops.enable_printer, SYSTEM),
    0x005B: (get_system_attributes, SYSTEM),
    0x005C: (get_system_supported_values, SYSTEM),
    0x005D: (control_ops.pause_printer, SYSTEM),
    0x005E: (control_ops.pause_printer_after_current_job, SYSTEM),
    0x0060: (restart_system, SYSTEM),
    0x0061: (control_ops.resume_printer, SYSTEM),
    0x0062: (set_system_attributes, SYSTEM),
    0x0063: (shutdown_all_printers, SYSTEM),
    0x0064: (startup_all_printers, SYSTEM),
}
