"""The printer's attributes that change with its configuration only: computed at start and after a change of settings.

Pure: from the machine's description, its capabilities and settings to Python values, as firmware/ipp/attributes.pairs takes them.
"""

from firmware.ipp import attributes, registry_job, registry_request, tags
from firmware.jobs import holds

_KB = 1024


def ticket_attributes(materials):
    """Names of the job template attributes that this machine has, in the registry's order."""
    names = []
    for row in attributes.rows_of(registry_job.ROWS, "T"):
        name = row[attributes.NAME]
        if name == "platform-temperature" and not materials.bed_limit_c:
            continue
        if name == "chamber-temperature" and not materials.chamber_limit_c:
            continue
        names.append(name)
    return names


def holds_supported(clock):
    """Values of job-hold-until: times of the day need a clock."""
    return [holds.NO_HOLD, holds.INDEFINITE] + (list(holds.PERIODS) if clock else [])


# What of a job only its owner and operators see (IPP Privacy Attributes v1.0, job-privacy-attributes): whose it is, what it is called
# and what may have been written about either.
PRIVATE = ("document-name-supplied", "job-message-from-operator", "job-name", "job-originating-user-name", "job-state-message")


_ADJUSTED = ["printwright-job-baby-step", "printwright-job-flow", "printwright-job-speed"]  # adjust.py


def settable_of_jobs(materials):
    """What Set-Job-Attributes takes (RFC 3380 section 4.2)."""
    return sorted(ticket_attributes(materials) + ["job-name", "job-message-from-operator"] + _ADJUSTED)


def accuracy_um(printer):
    """(x, y, z): one step of each axis in micrometres, rounded up."""
    axes = printer["axes"]
    return tuple([-int(-1000 / axes[axis]["steps_per_mm"] // 1) for axis in ("x", "y", "z")])


def accuracy(um):
    """print-accuracy as a collection from (x, y, z) in micrometres."""
    return [
        ("accuracy-units", [(tags.KEYWORD, "um")]),
        ("x-accuracy", [(tags.INTEGER, um[0])]),
        ("y-accuracy", [(tags.INTEGER, um[1])]),
        ("z-accuracy", [(tags.INTEGER, um[2])]),
    ]


def clearings(settings):
    """printwright-platform-clearing-supported: what happens between two jobs."""
    return ["none", "operator", "routine"] if settings.get("clearing", None) else ["none", "operator"]


def compute(description, caps, settings, materials, operations, version, time_out_s, clock):
    """{name: [value, ...]} of every row marked `*` in the registry that applies to this machine.

    description: the machine's description; settings: object with get(key, default); operations: operation-ids that work; version:
    the firmware's, e.g. "0.1.0"; time_out_s: multiple-operation-time-out; clock: the time of day is known.
    """
    printer = description["printer"]
    title = printer["title"]
    name = settings.get("printer_name", None) or "Printwright"
    create = [row[attributes.NAME] for row in attributes.rows(registry_request.ROWS) if row[attributes.VALUE] == "create"]
    identify = list(caps.identify) or [None]
    um = accuracy_um(printer)
    values = {
        "materials-col-database": [materials.entry(material) for material in materials.database],
        "material-diameter-supported": [materials.filament_nm],
        "material-nozzle-diameter-supported": [materials.nozzle_nm],
        "material-temperature-supported": [materials.span_c()],
        "material-type-supported": materials.types(),
        "max-materials-col-supported": [1],
        "print-accuracy-default": [accuracy(um)],
        "print-accuracy-supported": [accuracy(um)],
        "identify-actions-default": identify[:1],
        "identify-actions-supported": identify,
        "job-creation-attributes-supported": sorted(create + ticket_attributes(materials)),
        "job-hold-until-supported": holds_supported(clock),
        "job-privacy-attributes": PRIVATE,
        "job-settable-attributes-supported": settable_of_jobs(materials),
        "job-k-octets-supported": [(0, min(caps.spool_bytes // _KB, attributes.MAX))],
        "multiple-operation-time-out": [time_out_s],
        "notify-lease-duration-supported": [0, (10, 86400)],
        "operations-supported": sorted(operations),
        "platform-shape": ["rectangle"],
        "device-uuid": [settings.get("printer_uuid", None)],
        "printer-contact-col": [_contact(settings)],
        "printer-message-from-operator": [settings.get("message_from_operator", None) or ""],
        "printer-device-id": ["MFG:Printwright;MDL:%s;CMD:GCODE;" % title.replace(";", " ")],
        "printer-dns-sd-name": [settings.get("dns_sd_name", None) or _clip(name, 63)],
        "printer-geo-location": [settings.get("geo_location", None) or None],
        "printer-info": [settings.get("info", None) or title],
        "printer-location": [settings.get("location", None) or ""],
        "printer-make-and-model": [title],
        "printer-name": [name],
        "printer-organization": [settings.get("organization", None) or ""],
        "printer-organizational-unit": [settings.get("organizational_unit", None) or ""],
        "printer-volume-supported": [_volume(printer)],
        "printer-firmware-string-version": [version],
        "printer-firmware-version": [version.encode()],
        "printer-uuid": [settings.get("printer_uuid", None)],
        "printwright-platform-clearing": [settings.get("platform_clearing", None) or "none"],
        "printwright-platform-clearing-supported": clearings(settings),
    }
    if clock:
        values["job-hold-until-time-supported"] = [(0, attributes.MAX)]
    if materials.bed_limit_c:
        values["platform-temperature-supported"] = [(0, materials.bed_limit_c)]
    if materials.chamber_limit_c:
        values["chamber-temperature-supported"] = [(0, materials.chamber_limit_c)]
    return values


def of_loaded(materials):
    """{name: [value, ...]} of the rows marked `+`: what the loaded material says."""
    loaded = materials.loaded
    values = {
        "materials-col-default": [materials.default(loaded) if loaded else None],
        "materials-col-ready": [materials.usual(loaded) if loaded else None],
    }
    supply = "index=1;class=supplyThatIsConsumed;type=other;unit=other;maxcapacity=-2;level=%d;"
    if loaded:
        # how much is left nobody measures (-2: unknown, RFC 3805)
        values["printer-supply"] = [(supply % -2).encode()]
        whole, hundredths = _hundredths(materials.filament_nm)
        values["printer-supply-description"] = ["%s filament, %d.%02d mm" % (loaded.name, whole, hundredths)]
    else:
        values["printer-supply"] = [(supply % 0).encode()]
        values["printer-supply-description"] = ["no filament"]
    if materials.bed_limit_c:
        values["platform-temperature-default"] = [loaded.bed_c if loaded else 0]
    if materials.chamber_limit_c:
        values["chamber-temperature-default"] = [loaded.chamber_c if loaded else None]
    return values


def _hundredths(nm):
    # nanometres as whole and hundredths of a millimetre
    return divmod((nm + 5000) // 10000, 100)


def _contact(settings):
    # printer-contact-col (PWG 5100.22); None: unknown
    name = settings.get("contact_name", None) or ""
    uri = settings.get("contact_uri", None) or ""
    if not name and not uri:
        return None
    return [("contact-name", [(tags.NAME, name)]), ("contact-uri", [(tags.URI, uri)]), ("contact-vcard", [(tags.TEXT, "")])]


def _volume(printer):
    # printer-volume-supported counts hundredths of a millimetre (PWG 5100.21)
    members = []
    for axis in ("x", "y", "z"):
        data = printer["axes"][axis]
        members.append((axis + "-dimension", [(tags.INTEGER, int((data["max_mm"] - data["min_mm"]) * 100))]))
    return members


def _clip(text, octets):
    while len(text.encode()) > octets:
        text = text[:-1]
    return text
