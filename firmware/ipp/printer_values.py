"""The printer's attributes that change with its configuration only: computed at start and after a change of settings.

Pure: from the machine's description, its capabilities and settings to Python values, as firmware/ipp/attributes.pairs takes them.
"""

from firmware.ipp import attributes, registry_job, registry_request, tags
from firmware.ipp.job import PRIVATE, accuracy
from firmware.jobs import holds

_KB = 1024


def ticket_attributes(materials):
    """Names of the job template attributes that this machine has, in the registry's order."""
    names = []
    for row in attributes.rows_of(registry_job.ROWS, "T"):
        name = row[attributes.NAME]
        if name == "print-objects":
            continue  # before a document is there, nobody knows its objects
        if name == "platform-temperature" and not materials.bed_limit_c:
            continue
        if name == "chamber-temperature" and not materials.chamber_limit_c:
            continue
        names.append(name)
    return names


def holds_supported(clock):
    """Values of job-hold-until: times of the day need a clock."""
    return [holds.NO_HOLD, holds.INDEFINITE] + (list(holds.PERIODS) if clock else [])


# What Safe G-code may say, on machines of any number of tools (PWG 5199.7)
SAFE_COMMANDS = ["G0 X Y Z E F", "G1 X Y Z E F", "G2 X Y I J E F", "G3 X Y I J E F", "G4 P S", "G17", "G21", "G28 X Y Z"]
SAFE_COMMANDS += ["G90", "G91", "G92 E", "M82", "M83", "M106 S", "M107"]
_ADJUSTED = ["printwright-job-baby-step", "printwright-job-flow", "printwright-job-speed"]  # adjust.py


def basics(printer, materials, clock):
    """(accuracy_um(), ticket_attributes(), holds_supported())."""
    return accuracy_um(printer), ticket_attributes(materials), holds_supported(clock)


def settable_of_jobs(materials):
    """What Set-Job-Attributes takes (RFC 3380 section 4.2)."""
    return sorted(ticket_attributes(materials) + ["job-name", "job-message-from-operator", "print-objects"] + _ADJUSTED)


def accuracy_um(printer):
    """(x, y, z): one step of each axis in micrometres, rounded up."""
    axes = printer["axes"]
    return tuple([-int(-1000 / axes[axis]["steps_per_mm"] // 1) for axis in ("x", "y", "z")])


def _create():
    # without a list of every row's columns, which a small heap would notice
    names = []
    table = registry_request.ROWS
    end = table.find(";create\n")
    while end >= 0:
        start = table.rfind("\n", 0, end)
        names.append(table[start + 3 : table.find(";", start + 3)])
        end = table.find(";create\n", end + 1)
    return names


def clearings(settings):
    """printwright-platform-clearing-supported: what happens between two jobs."""
    return ["none", "operator", "routine"] if settings.get("clearing", None) else ["none", "operator"]


def compute(description, caps, settings, materials, operations, version, time_out_s, clock):
    """{name: function that returns [value, ...]} of every row marked `*` in the registry that applies to this machine.

    description: the machine's description; settings: object with get(key, default); operations: operation-ids that work; version:
    the firmware's, e.g. "0.1.0"; time_out_s: multiple-operation-time-out; clock: the time of day is known.
    """
    printer = description["printer"]
    title = printer["title"]
    name = settings.get("printer_name", None) or "Printwright"
    identify = list(caps.identify) or [None]
    um = accuracy_um(printer)
    values = {
        "materials-col-database": lambda: [materials.entry(material) for material in materials.database],
        "material-diameter-supported": lambda: [materials.filament_nm],
        "material-nozzle-diameter-supported": lambda: [materials.nozzle_nm],
        "material-temperature-supported": lambda: [materials.span_c()],
        "material-type-supported": lambda: materials.types(),
        "max-materials-col-supported": lambda: [materials.tools],
        "pwg-safe-gcode-supported": lambda: SAFE_COMMANDS + ["T%d" % tool for tool in range(materials.tools)],
        "print-accuracy-default": lambda: [accuracy(um)],
        "print-accuracy-supported": lambda: [accuracy(um)],
        "identify-actions-default": lambda: identify[:1],
        "identify-actions-supported": lambda: identify,
        "job-creation-attributes-supported": lambda: sorted(_create() + ticket_attributes(materials)),
        "job-hold-until-supported": lambda: holds_supported(clock),
        "job-privacy-attributes": lambda: PRIVATE,
        "job-settable-attributes-supported": lambda: settable_of_jobs(materials),
        "job-k-octets-supported": lambda: [(0, min(caps.spool_bytes // _KB, attributes.MAX))],
        "multiple-operation-time-out": lambda: [time_out_s],
        "notify-lease-duration-supported": lambda: [0, (10, 86400)],
        "operations-supported": lambda: sorted(operations),
        "platform-shape": lambda: ["rectangle"],
        "device-uuid": lambda: [settings.get("printer_uuid", None)],
        "printer-contact-col": lambda: [contact(settings)],
        "printer-message-from-operator": lambda: [settings.get("message_from_operator", None) or ""],
        "printer-device-id": lambda: ["MFG:Printwright;MDL:%s;CMD:GCODE;" % title.replace(";", " ")],
        "printer-dns-sd-name": lambda: [settings.get("dns_sd_name", None) or _clip(name, 63)],
        "printer-geo-location": lambda: [settings.get("geo_location", None) or None],
        "printer-info": lambda: [settings.get("info", None) or title],
        "printer-location": lambda: [settings.get("location", None) or ""],
        "printer-make-and-model": lambda: [title],
        "printer-name": lambda: [name],
        "printer-organization": lambda: [settings.get("organization", None) or ""],
        "printer-organizational-unit": lambda: [settings.get("organizational_unit", None) or ""],
        "printer-volume-supported": lambda: [_volume(printer)],
        "printer-firmware-string-version": lambda: [version],
        "printer-firmware-version": lambda: [version.encode()],
        "printer-uuid": lambda: [settings.get("printer_uuid", None)],
        "printwright-platform-clearing": lambda: [settings.get("platform_clearing", None) or "none"],
        "printwright-platform-clearing-supported": lambda: clearings(settings),
    }
    if clock:
        values["job-hold-until-time-supported"] = lambda: [(0, attributes.MAX)]
    if materials.bed_limit_c:
        values["platform-temperature-supported"] = lambda: [(0, materials.bed_limit_c)]
    if materials.chamber_limit_c:
        values["chamber-temperature-supported"] = lambda: [(0, materials.chamber_limit_c)]
    return values


def of_loaded(materials):
    """{name: [value, ...]} of the rows marked `+`: what the loaded material says."""
    loaded = materials.loaded
    ready = materials.ready
    values = {
        "materials-col-default": [materials.default(loaded) if loaded else None],
        "materials-col-ready": [materials.usual(material) for material in ready] if any(ready) else [None],
        "printer-supply": [],
        "printer-supply-description": [],
    }
    whole, hundredths = _hundredths(materials.filament_nm)
    for tool in range(materials.tools):
        # how much is left nobody measures (-2: unknown, RFC 3805)
        supply = "index=%d;class=supplyThatIsConsumed;type=other;unit=other;maxcapacity=-2;level=%d;"
        values["printer-supply"].append((supply % (tool + 1, -2 if ready[tool] else 0)).encode())
        text = "%s filament, %d.%02d mm" % (ready[tool].name, whole, hundredths) if ready[tool] else "no filament"
        values["printer-supply-description"].append(text if materials.tools == 1 else "T%d: %s" % (tool, text))
    if materials.bed_limit_c:
        values["platform-temperature-default"] = [loaded.bed_c if loaded else 0]
    if materials.chamber_limit_c:
        values["chamber-temperature-default"] = [loaded.chamber_c if loaded else None]
    return values


def _hundredths(nm):
    # nanometres as whole and hundredths of a millimetre
    return divmod((nm + 5000) // 10000, 100)


def contact(settings):
    """printer-contact-col and system-contact-col (PWG 5100.22); None: unknown."""
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
