"""docs/ipp-conformance.md from the tables that the firmware answers from: python -m tools.conformance [--write].

Operations come from firmware/ipp/operations.py, attributes from the registry's rows and from what is left out, with the reasons there.
"""

import sys
from pathlib import Path

from firmware.ipp import attributes, operations, registry_document, registry_job, registry_omitted, registry_printer, registry_request
from firmware.security import roles

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ipp-conformance.md"

# (operation-id, name, standard and section, reason why there is none)
OPERATIONS = (
    (0x0002, "Print-Job", "RFC 8011 4.2.1", "PWG 5100.21 excludes it from 3D services"),
    (0x0003, "Print-URI", "RFC 8011 4.2.2", "PWG 5100.21 excludes it; the printer fetches nothing"),
    (0x0004, "Validate-Job", "RFC 8011 4.2.3", ""),
    (0x0005, "Create-Job", "RFC 8011 4.2.4", ""),
    (0x0006, "Send-Document", "RFC 8011 4.3.1", ""),
    (0x0007, "Send-URI", "RFC 8011 4.3.2", "deprecated; the printer fetches nothing"),
    (0x0008, "Cancel-Job", "RFC 8011 4.3.3", ""),
    (0x0009, "Get-Job-Attributes", "RFC 8011 4.3.4", ""),
    (0x000A, "Get-Jobs", "RFC 8011 4.2.6", ""),
    (0x000B, "Get-Printer-Attributes", "RFC 8011 4.2.5", ""),
    (0x000C, "Hold-Job", "RFC 8011 4.3.5", ""),
    (0x000D, "Release-Job", "RFC 8011 4.3.6", ""),
    (0x000E, "Restart-Job", "RFC 8011 4.3.7", "deprecated; Resubmit-Job takes its place"),
    (0x0010, "Pause-Printer", "RFC 8011 4.2.7", ""),
    (0x0011, "Resume-Printer", "RFC 8011 4.2.8", ""),
    (0x0012, "Purge-Jobs", "RFC 8011 4.2.9", "deprecated; it would destroy the history"),
    (0x0013, "Set-Printer-Attributes", "RFC 3380 4.1", ""),
    (0x0014, "Set-Job-Attributes", "RFC 3380 4.2", ""),
    (0x0015, "Get-Printer-Supported-Values", "RFC 3380 4.3", ""),
    (0x0016, "Create-Printer-Subscriptions", "RFC 3995 11.1.2", ""),
    (0x0017, "Create-Job-Subscriptions", "RFC 3995 11.1.1", ""),
    (0x0018, "Get-Subscription-Attributes", "RFC 3995 11.2.4", ""),
    (0x0019, "Get-Subscriptions", "RFC 3995 11.2.5", ""),
    (0x001A, "Renew-Subscription", "RFC 3995 11.2.6", ""),
    (0x001B, "Cancel-Subscription", "RFC 3995 11.2.7", ""),
    (0x001C, "Get-Notifications", "RFC 3996 5", ""),
    (0x001D, "Send-Notifications", "RFC 3995 11.3", "pull only (ippget)"),
    (0x001E, "Get-Resource-Attributes", "PWG 5100.22", ""),
    (0x0020, "Get-Resources", "PWG 5100.22", ""),
    (0x0022, "Enable-Printer", "RFC 3998 3.1.2", ""),
    (0x0023, "Disable-Printer", "RFC 3998 3.1.1", ""),
    (0x0024, "Pause-Printer-After-Current-Job", "RFC 3998 3.2.1", ""),
    (0x0025, "Hold-New-Jobs", "RFC 3998 3.3.1", ""),
    (0x0026, "Release-Held-New-Jobs", "RFC 3998 3.3.2", ""),
    (0x0027, "Deactivate-Printer", "RFC 3998 3.4.1", "deprecated; Disable-Printer with Pause-Printer do it"),
    (0x0028, "Activate-Printer", "RFC 3998 3.4.2", "deprecated"),
    (0x0029, "Restart-Printer", "RFC 3998 3.5.1", ""),
    (0x002A, "Shutdown-Printer", "RFC 3998 3.5.2", "a board that is off can not be started by IPP"),
    (0x002B, "Startup-Printer", "RFC 3998 3.5.3", "a board that is off can not be started by IPP"),
    (0x002C, "Reprocess-Job", "RFC 3998 4.1", "deprecated; Resubmit-Job takes its place"),
    (0x002D, "Cancel-Current-Job", "RFC 3998 4.2", ""),
    (0x002E, "Suspend-Current-Job", "RFC 3998 4.3.1", ""),
    (0x002F, "Resume-Job", "RFC 3998 4.3.2", ""),
    (0x0030, "Promote-Job", "RFC 3998 4.4.1", ""),
    (0x0031, "Schedule-Job-After", "RFC 3998 4.4.2", ""),
    (0x0033, "Cancel-Document", "PWG 5100.5 3.3.1", ""),
    (0x0034, "Get-Document-Attributes", "PWG 5100.5 3.3.3", ""),
    (0x0035, "Get-Documents", "PWG 5100.5 3.2.2", ""),
    (0x0037, "Set-Document-Attributes", "PWG 5100.5 3.3.4", ""),
    (0x0038, "Cancel-Jobs", "PWG 5100.7", ""),
    (0x0039, "Cancel-My-Jobs", "PWG 5100.7", ""),
    (0x003A, "Resubmit-Job", "PWG 5100.7", ""),
    (0x003B, "Close-Job", "PWG 5100.7", ""),
    (0x003C, "Identify-Printer", "PWG 5100.13", ""),
    (0x003D, "Validate-Document", "PWG 5100.13", ""),
    (0x004B, "Allocate-Printer-Resources", "PWG 5100.22", "a resource serves the one printer there is"),
    (0x004C, "Create-Printer", "PWG 5100.22", "a system has the one printer that it is"),
    (0x004D, "Deallocate-Printer-Resources", "PWG 5100.22", "a resource serves the one printer there is"),
    (0x004E, "Delete-Printer", "PWG 5100.22", "a system has the one printer that it is"),
    (0x004F, "Get-Printers", "PWG 5100.22", ""),
    (0x0050, "Shutdown-One-Printer", "PWG 5100.22", "Shutdown-All-Printers does it"),
    (0x0051, "Startup-One-Printer", "PWG 5100.22", "Startup-All-Printers does it"),
    (0x0052, "Cancel-Resource", "PWG 5100.22", ""),
    (0x0053, "Create-Resource", "PWG 5100.22", ""),
    (0x0054, "Install-Resource", "PWG 5100.22", ""),
    (0x0055, "Send-Resource-Data", "PWG 5100.22", ""),
    (0x0056, "Set-Resource-Attributes", "PWG 5100.22", "name and description are given with Create-Resource"),
    (0x0057, "Create-Resource-Subscriptions", "PWG 5100.22", "subscription groups of Create-Resource do it"),
    (0x0058, "Create-System-Subscriptions", "PWG 5100.22", ""),
    (0x0059, "Disable-All-Printers", "PWG 5100.22", ""),
    (0x005A, "Enable-All-Printers", "PWG 5100.22", ""),
    (0x005B, "Get-System-Attributes", "PWG 5100.22", ""),
    (0x005C, "Get-System-Supported-Values", "PWG 5100.22", ""),
    (0x005D, "Pause-All-Printers", "PWG 5100.22", ""),
    (0x005E, "Pause-All-Printers-After-Current-Job", "PWG 5100.22", ""),
    (0x0060, "Restart-System", "PWG 5100.22", ""),
    (0x0061, "Resume-All-Printers", "PWG 5100.22", ""),
    (0x0062, "Set-System-Attributes", "PWG 5100.22", ""),
    (0x0063, "Shutdown-All-Printers", "PWG 5100.22", ""),
    (0x0064, "Startup-All-Printers", "PWG 5100.22", ""),
    (0x0065, "Get-Printer-Resources", "PWG 5100.22", "Get-Resources does it"),
    (0x0067, "Restart-One-Printer", "PWG 5100.22", "Restart-Printer does it"),
)
TABLES = (("operation", registry_request), ("job", registry_job), ("document", registry_document), ("printer", registry_printer))
LEVELS = {"R": "required", "C": "where the machine has the part", "r": "recommended", "o": "optional", "V": "ours"}

TOP = """# IPP conformance

Made by `python -m tools.conformance --write` from the tables that the printer answers from; a test compares it with them. What clients
notice beyond this is in [ipp.md](ipp.md).

Deviations that are meant:

| Standard | Section | What the printer does, and why |
|---|---|---|
| RFC 3998 | 4.3.1 | a suspended job keeps the printer: its platform is taken, so no other job has its turn |
| PWG 5100.5 | 3.3.1 | a job has one document; canceling it cancels the job |
| RFC 8011 | 5.4 | multiple-document-jobs-supported is false and copies is 1: each print needs an empty platform |
| RFC 8011 | 5.2.2 | periods of the day in job-hold-until are hours of UTC: the printer knows no time zone |
| RFC 8011 | 4.2.6 | Get-Jobs without which-jobs lists what is not completed, as the RFC demands; PWG's 3D suite expects more |
| RFC 8011 | 5.4.12 | `paused` and `moving-to-paused` never stand together; PWG's rfc3998.test wants both at once |

## Test files of others

Run unmodified with Debian's ipptool 2.4.2, plain and over TLS alike, the files of a line on one new printer; cases that a file skips do
not count. Those with a star are in the test suite. "Print-Job": the case sends Print-Job, which PWG 5100.21 forbids, or wants a job that
it would have made.

| File | Passed | Failed | Why |
|---|---|---|---|
| cups-ipp-utils: create-job*, validate-job*, get-jobs*, get-completed-jobs*, get-printer-description-attributes*, identify-printer*, \
identify-printer-multiple*, identify-printer-display*, create-job-format, create-job-sheets, ipp-backend, create-printer-subscription, \
get-subscriptions | 14 | 0 | |
| cups-ipp-utils: ipp-1.1* (on a printer with a completed job; it ends where its sample documents are not installed) | 26 | 3 | Print-Job |
| cups-ipp-utils: get-printer-attributes-suite | 5 | 2 | media-col-database: there are no media |
| cups-ipp-utils: the others | | | print, fax, PPD and CUPS files: Print-Job, media or a scheduler; \
ipp-2.0 to 2.2 and ipp-everywhere: raster and media |
| ippsample: ipp-3d (with a sliced 3MF package) | 23 | 2 | Get-Jobs without which-jobs (above); print-supports `standard` needs a slicer |
| ippsample: create-job-3d, get-jobs-all, pwg5100.9 | 4 | 0 | |
| ippsample: rfc3998 (job operations) | 14 | 12 | 10 Print-Job; 2 `moving-to-paused` (above) |
| ippsample: pwg5100.5 (documents) | 5 | 4 | 3 Print-Job; 1 demands Print-URI |
| ippsample: rfc3380 | 7 | 1 | Print-Job |
| ippsample: pwg5100.1, 5100.2, 5100.3, 5100.6, 5100.7, 5100.11, 5100.13, 5100.15 to 5100.17 | | | \
finishing, media, fax, scan: not for 3D; most begin with Print-Job |
| libcups: pwg5100.9, rfc3998 | 2 | 0 | |
| libcups: pwg5100.5 | 6 | 4 | Print-Job |
| libcups: rfc3380 | 0 | 1 | wants the values of xri-security to be some of uri-authentication-supported |

Other clients, unmodified: Python's pyipp*, the npm package ipp* (it prints, too). `tests/conformance/requirements.csv` names the case of
each requirement, or why there is none.
"""


def page():
    """The whole page as text."""
    have = set(operations.table())
    out = [TOP, "\n## Operations\n", "| Code | Operation | Standard, section | Supported | Who may, or why not |", "|---|---|---|---|---|"]
    for code, name, where, reason in OPERATIONS:
        role = roles.NAMES[roles.minimum(code)]
        supported = code in have
        note = role.replace("none", "everybody") if supported else reason
        out.append(f"| 0x{code:04X} | {name} | {where} | {'yes' if supported else 'no'} | {note} |")
    for title, table in TABLES:
        out += [f"\n## Attributes: {title}\n", "| Attribute | Syntax | Standard | Level |", "|---|---|---|---|"]
        for row in attributes.rows(table.ROWS):
            syntax = row[attributes.SYNTAX].replace("|", "or")
            out.append(f"| {row[attributes.NAME]} | {syntax} | {row[attributes.SOURCE]} | {LEVELS[row[attributes.LEVEL]]} |")
    out += ["\n## Attributes that are left out\n", "| Attributes | Why |", "|---|---|"]
    for reason, names in registry_omitted.REQUIRED + registry_omitted.OPTIONAL:
        out.append(f"| {' '.join(names.split())} | {reason} |".replace("*", "(-default, -supported, ...)"))
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        sys.exit("docs/ipp-conformance.md is not up to date: python -m tools.conformance --write")
