"""What the printer tells of its services by DNS-SD (PWG 5100.21-2019 section 4: TXT keys; fact sheet spec/ipp-3d.md section 3.1)."""

from firmware.ipp import attributes, registry_printer


def services(config, title, host, port, system):
    """[(type, [(TXT key, value), ...]), ...]; host: the name on the network, system: the System service is there, too."""
    row = attributes.find(registry_printer.ROWS, "document-format-supported")
    formats = [text for text in attributes.constants(row) if text != "application/octet-stream"]  # pyright: ignore[reportArgumentType]
    uuid = config.get("printer_uuid")[9:]  # without urn:uuid:
    note = config.get("location", "")
    admin = "https://%s:%d/" % (host, port)
    found = [
        (
            "_ipps-3d._tcp",
            [
                ("txtvers", "1"),
                ("qtotal", "1"),
                ("rp", "ipp/print3d"),
                ("ty", title),
                ("note", note),
                ("pdl", ",".join(formats)),
                ("adminurl", admin),
                ("UUID", uuid),
            ],
        ),
        ("_https._tcp", [("txtvers", "1"), ("path", "/")]),
    ]
    if system:
        entries = [("txtvers", "1"), ("rp", "ipp/system"), ("ty", title), ("note", note), ("adminurl", admin), ("UUID", uuid)]
        found.append(("_ipps-system._tcp", entries))
    return found
