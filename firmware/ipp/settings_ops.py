"""Set-Printer-Attributes and Get-Printer-Supported-Values (RFC 3380 sections 4.1 and 4.3).

As printer_ops.py; OPERATIONS is the table.  What can be set are settings of firmware/config.py and the material that is loaded.
"""

from firmware.ipp import attributes, codec, materials, printer_values, registry_printer, status, tags
from firmware.ipp.answers import stored
from firmware.ipp.checks import PRINTER
from firmware.ipp.codec import Response
from firmware.ipp.requested import PRINTER_GROUPS, Requested
from firmware.ipp.status import IppError
from hal.errors import ConfigError, StorageError

_READY = "materials-col-ready"
_CLEARING = "printwright-platform-clearing"
_NAMING = ("material-key", "material-name", "material-type")
_CONTACT = "printer-contact-col"
# member: (tags, setting); a vCard is nothing that this printer keeps
_CONTACT_MEMBERS = {"contact-name": ((tags.NAME, tags.NAME_LANG), "contact_name"), "contact-uri": ((tags.URI,), "contact_uri")}
# attribute: setting.  printer-settable-attributes-supported has these, materials-col-ready and printer-contact-col.
SETTINGS = {
    "printer-geo-location": "geo_location",
    "printer-info": "info",
    "printer-location": "location",
    "printer-message-from-operator": "message_from_operator",
    "printer-name": "printer_name",
    "printer-organization": "organization",
    "printer-organizational-unit": "organizational_unit",
    _CLEARING: "platform_clearing",
}


def check(fixed, wrong):
    """All or none: raises IppError when something cannot be set, or not so (lists of encoded attributes)."""
    if fixed:
        raise IppError(status.NOT_SETTABLE, "Not all of these attributes can be set; none was.", fixed + wrong)
    if wrong:
        raise IppError(status.NOT_SUPPORTED, "Not all of these values are supported; none was set.", wrong)


async def set_printer_attributes(ctx):
    """RFC 3380 section 4.1: all of the attributes, or none; durable when it is answered."""
    printer = ctx.printer
    given = ctx.group(tags.PRINTER_GROUP)
    if not given:
        raise IppError(status.BAD_REQUEST, "The request has no printer attributes.")
    fixed = []
    wrong = []
    changes = {}
    loaded = None
    for name, asked in given:
        row = attributes.find(registry_printer.ROWS, name)
        if row is None or (name not in SETTINGS and name != _READY and name != _CONTACT):
            fixed.append(codec.attribute(tags.UNSUPPORTED if row is None else tags.NOT_SETTABLE, name, []))
        elif name == _READY:
            loaded = _materials(printer.materials, asked)
            if loaded is None:
                wrong.append(codec.attribute_of(name, asked))
            else:
                changes["material"] = ",".join([material.key if material else "" for material in loaded])
        elif name == _CONTACT:
            found = contact(printer.settings, asked)
            if found is None:
                wrong.append(codec.attribute_of(name, asked))
            else:
                changes.update(found)
        else:
            text = _text(row, asked)
            try:
                if text is None:
                    raise ConfigError(name, "a text")
                printer.settings.check(SETTINGS[name], text)
                changes[SETTINGS[name]] = text
            except ConfigError:
                wrong.append(codec.attribute_of(name, asked))
    check(fixed, wrong)
    if "material" in changes and printer.runner.status.job_id is not None and not printer.runner.waits_for_material():
        raise IppError(status.NOT_POSSIBLE, "The material cannot be changed while a job prints.")
    try:
        if "material" in changes:
            printer.materials.ready = loaded
        await printer.change(changes)
    except StorageError as e:
        raise IppError(status.TEMPORARY_ERROR, "The settings cannot be stored: %s." % e.message)
    await stored(printer.queue)
    return Response()


def _text(row, asked):
    """One text as str ("" for delete-attribute, unknown and no-value), None when it is of another syntax."""
    if asked[0][0] < 0x20:
        return ""
    if attributes.problem(row[attributes.SYNTAX], asked) or len(asked) != 1:
        return None
    return materials.text_of(asked[0][1])


def contact(settings, asked):
    """{setting: text} of a printer-contact-col (PWG 5100.22 section 7.2); what it leaves out is forgotten.  None: a member is wrong."""
    found = {"contact_name": "", "contact_uri": ""}
    if asked[0][0] < 0x20:
        return found
    if asked[0][0] != tags.COLLECTION or len(asked) != 1:
        return None
    for member, given in asked[0][1]:
        tag, value = given[0]
        if member == "contact-vcard" and tag == tags.TEXT and not value:
            continue
        known = _CONTACT_MEMBERS.get(member)
        if known is None or tag not in known[0] or len(given) != 1:
            return None
        try:
            found[known[1]] = materials.text_of(value)
            settings.check(known[1], found[known[1]])
        except ConfigError:
            return None
    return found


def _materials(known, asked):
    """The Material of each tool, or None for an empty one, that materials-col-ready says; None: a value is wrong."""
    loaded = [None] * known.tools
    if asked[0][0] == tags.NO_VALUE:
        return loaded
    accepted, refused = known.judge(asked)
    if not accepted or refused:
        return None
    for tool in range(len(accepted)):
        members = accepted[tool][1]
        if known.tools == 1 or any(name in _NAMING for name, _ in members):
            loaded[tool] = known.match(members, tool)[0]
    return loaded


async def get_printer_supported_values(ctx):
    """RFC 3380 section 4.3: what Set-Printer-Attributes takes; any text: out-of-band admin-define."""
    requested = Requested(ctx.op.get("requested-attributes"), PRINTER_GROUPS)
    answers = []
    for name in sorted(list(SETTINGS) + [_CONTACT]):
        row = attributes.find(registry_printer.ROWS, name)
        if requested.has(row[attributes.GROUP], name):  # pyright: ignore[reportOptionalSubscript]
            if name == _CLEARING:
                known = printer_values.clearings(ctx.printer.settings)
                answers.append(codec.attribute(tags.KEYWORD, name, known))
            else:
                answers.append(codec.attribute(tags.ADMIN_DEFINE, name, []))
    if requested.has("T", _READY):
        known = ctx.printer.materials
        row = attributes.find(registry_printer.ROWS, _READY)
        answers.append(attributes.encode(row, [known.usual(material) for material in known.database]))
    return Response().add(tags.PRINTER_GROUP, answers)


# operation-id: (handler, target)
OPERATIONS = {
    0x0013: (set_printer_attributes, PRINTER),
    0x0015: (get_printer_supported_values, PRINTER),
}
