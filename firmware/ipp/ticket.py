"""A job creation request's ticket: its job template attributes judged against what this printer can do (RFC 8011 section 4.1.7).

All attributes at fault are collected before anything is decided; then ipp-attribute-fidelity and job-mandatory-attributes say
whether the job is refused or goes without them.
"""

from firmware.ipp import attributes, codec, materials, registry_job, registry_printer, registry_request, status, tags, values
from firmware.ipp.requested import flag, text  # noqa: F401  (for those who read tickets)
from firmware.ipp.status import IppError
from firmware.jobs.job import PRIORITY_DEFAULT

_UNITS_NM = {b"nm": 1, b"um": 1000, b"mm": 1000000}


def judge(printer, op, given):
    """Judges a create or validate request.

    printer: ipp Printer; op: operation attributes; given: the job attributes [(name, [(tag, value), ...]), ...].  Returns
    (ticket {name: encoded attribute}, unsupported attributes as bytes); raises IppError(NOT_SUPPORTED) when the client will not have
    the job without them.
    """
    ticket = {}
    unsupported = []
    refused = set()
    for name, asked in given:
        accepted, wrong = judge_one(printer, name, asked)
        if wrong is not None:
            unsupported.append(wrong)
            refused.add(name)
        if accepted:
            ticket[name] = codec.attribute_of(name, accepted)
    strict = flag(op, "ipp-attribute-fidelity") and refused
    unknown = []
    for _, name in op.get("job-mandatory-attributes", ()):
        name = materials.text_of(name)
        if name in refused:
            strict = True
        elif name not in printer.ticket_names and not _creates(name):
            unknown.append(name)
    if unknown:
        unsupported.append(codec.attribute(tags.KEYWORD, "job-mandatory-attributes", unknown))
    if strict or unknown:
        raise IppError(status.NOT_SUPPORTED, "The job would not be printed as it was asked for.", unsupported)
    return ticket, unsupported


class Turn:
    """When a job may print: `priority`, and its hold as jobs/holds.hold() takes it."""

    def __init__(self):
        self.priority = PRIORITY_DEFAULT
        self.hold = None
        self.hold_unix = None


def turn(entries):
    """Takes what the queue looks at out of a ticket's entries: a Turn."""
    result = Turn()
    for name in ("job-priority", "job-hold-until", "job-hold-until-time"):
        octets = entries.pop(name, None)
        if octets is None:
            continue
        value = values.decoded(octets)[0][1]
        if name == "job-priority":
            result.priority = value
        elif name == "job-hold-until":
            result.hold = materials.text_of(value)  # pyright: ignore[reportAttributeAccessIssue]
        else:
            # the exact time wins (PWG 5100.7 section 6.9.6)
            result.hold = None
            result.hold_unix = values.unix_time(value)  # pyright: ignore[reportAttributeAccessIssue]
    return result


def _creates(name):
    row = attributes.find(registry_request.ROWS, name)
    return row is not None and row[attributes.VALUE] == "create"


def judge_one(printer, name, given):
    """(accepted values or None, encoded unsupported attribute or None) of one attribute of a ticket."""
    if name not in printer.ticket_names:
        return None, codec.attribute(tags.UNSUPPORTED, name, [])
    if given[0][0] == tags.NO_VALUE:
        return None, None  # PWG 5100.21 allows it: as if it were absent
    row = attributes.find(registry_job.ROWS, name)
    wrong = codec.attribute_of(name, given)
    if name == "materials-col":
        accepted, refused = printer.materials.judge(given)
        return accepted, codec.attribute_of(name, refused) if refused else None
    if row is None or attributes.problem(row[attributes.SYNTAX], given):
        return None, wrong
    value = given[0][1]
    if name == "platform-temperature":
        fine = 0 <= value <= printer.materials.bed_limit_c
    elif name == "chamber-temperature":
        fine = 0 <= value <= printer.materials.chamber_limit_c
    elif name == "job-hold-until":
        fine = materials.text_of(value) in printer.holds
    elif name == "job-hold-until-time":
        fine = printer.queue.unix_s() is not None and values.unix_time(value) is not None
    elif name == "job-priority":
        fine = True
    elif name == "print-accuracy":
        return _accuracy(printer, given)
    else:
        fine = _among(name, value)
    return (given, None) if fine else (None, wrong)


def _among(name, value):
    # the registry's constants say what X-supported holds
    row = attributes.find(registry_printer.ROWS, name + "-supported")
    if row is None:
        return False
    if isinstance(value, bytes):
        value = materials.text_of(value)
    for allowed in attributes.constants(row):
        if value == allowed or (isinstance(allowed, tuple) and allowed[0] <= value <= allowed[1]):
            return True
    return False


def _accuracy(printer, values):
    # only an accuracy finer than the printer's is at fault (PWG 5100.21-2019)
    members = values[0][1]
    unit_nm = None
    for name, member in members:
        if name == "accuracy-units":
            unit_nm = _UNITS_NM.get(member[0][1])
    bad = []
    for name, member in members:
        tag, value = member[0]
        if name == "accuracy-units":
            if unit_nm is None:
                bad.append((name, member))
        elif name in ("x-accuracy", "y-accuracy", "z-accuracy"):
            best_um = printer.accuracy_um["xyz".find(name[0])]
            if tag != tags.INTEGER or value < 0 or unit_nm is None or value * unit_nm < best_um * 1000:
                bad.append((name, member))
        else:
            bad.append((name, [(tags.UNSUPPORTED, None)]))
    if bad:
        return None, codec.attribute_of("print-accuracy", [(tags.COLLECTION, bad)])
    return values, None
