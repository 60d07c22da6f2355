"""Makes attributes.csv from IANA's ipp-registrations.xml: python tests/vectors/registry/extract.py ipp-registrations.xml > attributes.csv

Kept: attributes of operations, jobs and printers that RFC 8011, PWG 5100.21 or PWG 5199.7 define, and those of other documents that the
firmware has or that required.csv names.  With --system behind it: system.csv.
"""

import csv
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from firmware.ipp import attributes, registry_document, registry_job, registry_printer, registry_request

NS = {"r": "http://www.iana.org/assignments"}
TABLES = (registry_request, registry_job, registry_printer, registry_document)
GROUPS = (
    "Operation",
    "Document Description",
    "Document Status",
    "Job Template",
    "Job Description",
    "Job Status",
    "Printer Description",
    "Printer Status",
    "Subscription Status",
    "Subscription Template",
)
WHOLE = ("rfc8011", "PWG5100.21", "PWG5199.7")


def text(record, field):
    node = record.find("r:" + field, NS)
    return "" if node is None else " ".join("".join(node.itertext()).split())


def wanted_names():
    names = {row[attributes.NAME] for table in TABLES for row in attributes.rows(table.ROWS)}
    with open(Path(__file__).with_name("required.csv"), newline="") as file:
        return names | {row["attribute"] for row in csv.DictReader(file)}


def main(path):
    names = wanted_names()
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("group", "attribute", "syntax", "reference"))
    registry = ElementTree.parse(path).getroot().find("r:registry[@id='ipp-registrations-2']", NS)
    for record in registry.findall("r:record", NS):
        group = text(record, "collection")
        if group not in GROUPS or text(record, "member_attribute"):
            continue
        name = text(record, "name")
        plain = re.sub(r"\s*\(.*", "", name)
        note = name[len(plain) :].strip(" ()")
        source = record.find("r:xref", NS)
        reference = (source.text or source.get("data")) if source is not None else ""
        if "extension" in note or (note in ("deprecated", "obsolete") and plain not in names):
            continue
        if reference in WHOLE or plain in names:
            out.writerow((group, plain, text(record, "syntax"), reference))


def system(path):
    """system.csv: all attributes of systems and resources."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("group", "attribute", "syntax"))
    registry = ElementTree.parse(path).getroot().find("r:registry[@id='ipp-registrations-2']", NS)
    for record in registry.findall("r:record", NS):
        group, name = text(record, "collection"), text(record, "name")
        if not group.startswith(("System", "Resource")) or text(record, "member_attribute"):
            continue
        if "(" not in name and not name.startswith("smi"):
            out.writerow((group, name, text(record, "syntax")))


(system if "--system" in sys.argv else main)(sys.argv[1])
