"""Attributes of RFC 8011 and PWG 5100.21-2019 that this printer does not have, and why.  For tests and documentation; a board does
without this module.

The first part are those that one of the two requires in some case; the others are optional.
"""

# (reason, names); a name ending in "*" stands for itself with -default, -supported, -ready and -actual, too
REQUIRED = (
    ("no machine here controls humidity", "chamber-humidity* chamber-humidity-current"),
    (
        "there is no arranging of objects in G-code; required of printers that take PDF",
        "multiple-object-handling* pdf-features-supported",
    ),
    (
        "which objects printed is told while the job has not ended only",
        "print-objects-actual",
    ),
    (
        "material-rate is no member that a ticket may have: flow is limited by the guard, by volume",
        "material-rate-supported material-rate-units-supported",
    ),
    ("amounts are not measured, and material-amount is no member that a ticket may have", "material-amount-units-supported"),
    ("no machine here has a camera", "printer-camera-image-uri"),
    (
        "the printer fetches nothing: no Print-URI, no Send-URI",
        "reference-uri-schemes-supported document-uri document-access-error job-document-access-errors",
    ),
)

OPTIONAL = (
    (
        "sheets of paper have no meaning on a 3D printer",
        """finishings* media* number-up* orientation-requested* page-ranges* sides* printer-resolution* job-sheets*
        job-media-sheets* job-media-sheets-completed job-impressions* job-impressions-completed pages-per-minute
        pages-per-minute-color""",
    ),
    ("progress is told as a share of the job (printwright-job-progress), not in octets", "job-k-octets-processed"),
    ("there is no page for a single job", "job-more-info"),
    ("a printer is one device", "output-device-assigned"),
    ("job-state-message says it all", "job-detailed-status-messages"),
    ("there is no driver and no maker's site", "printer-driver-installer printer-more-info-manufacturer"),
    ("G-code has no natural language", "document-natural-language"),
    ("part of answers only, written by codec.py", "status-message detailed-status-message"),
)

_SUFFIXES = ("", "-default", "-supported", "-ready", "-actual")


def names(part):
    """{name: reason} of REQUIRED or OPTIONAL."""
    result = {}
    for reason, listed in part:
        for name in listed.split():
            if name.endswith("*"):
                for suffix in _SUFFIXES:
                    result[name[:-1] + suffix] = reason
            else:
                result[name] = reason
    return result
