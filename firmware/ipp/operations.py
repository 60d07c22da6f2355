"""All operations that this printer has; operations-supported lists exactly these.

A mapping {operation-id: (async handler(ctx) -> Response, target)}.  What a print does not ask for again and again is loaded for a request
and forgotten after it: a board's heap holds the code of operators only while somebody operates.  The ids of each part are told here, so
that nothing has to be loaded to list them; a test compares them with the parts' own tables.
"""

from hal.compat import seldom

# (modules with OPERATIONS, their operation-ids, all below 0x100); the first part, which clients poll, is kept once it was used
PARTS = (
    (("ask_ops",), b"\x09\x0a\x0b"),
    (("printer_ops",), b"\x04\x05\x3d"),
    (("job_ops",), b"\x06\x08\x3b"),
    (("document_ops",), b"\x33\x34\x35\x37"),
    (("queue_ops",), b"\x0c\x0d\x14\x2f\x30\x31\x3a"),
    (("control_ops",), b"\x10\x11\x22\x23\x24\x25\x26\x29\x2d\x2e\x38\x39\x3c"),
    (("settings_ops",), b"\x13\x15"),
    (("notification_ops",), b"\x1c"),
    (("subscription_ops",), b"\x16\x17\x18\x19\x1a\x1b\x58"),
    (("system_ops",), b"\x4f\x59\x5a\x5b\x5c\x5d\x5e\x60\x61\x62\x63\x64"),
    (("resource_ops",), b"\x1e\x20\x52\x53\x54\x55"),
)


# those with a system-uri, and those that may have one instead of a printer-uri
OF_SYSTEM = b"\x1e\x20\x4f\x52\x53\x54\x55\x58\x59\x5a\x5b\x5c\x5d\x5e\x60\x61\x62\x63\x64"
OF_BOTH = b"\x0b\x18\x19\x1a\x1b\x1c"


def part(number):
    """The OPERATIONS of a part of PARTS."""
    found = {}
    for name in PARTS[number][0]:
        found.update(seldom("firmware.ipp." + name, "OPERATIONS"))
    return found


class Operations:
    """The mapping."""

    def __init__(self):
        self._polled = None
        self._others = {}

    def update(self, others):
        """Adds operations of other rooms (a dict like this)."""
        self._others.update(others)

    def _where(self, operation):
        if operation < 0x100:
            for number in range(len(PARTS)):
                if operation in PARTS[number][1]:
                    return number
        return None

    def __contains__(self, operation):
        return self._where(operation) is not None or operation in self._others

    def __iter__(self):
        for _, ids in PARTS:
            yield from ids
        yield from self._others

    def __getitem__(self, operation):
        number = self._where(operation)
        if number is None:
            return self._others[operation]
        if number:
            return part(number)[operation]
        if self._polled is None:
            self._polled = part(0)
        return self._polled[operation]


def of_printer(table):
    """operations-supported of the printer: sorted list."""
    return sorted([id for id in table if id > 0xFF or id not in OF_SYSTEM])


def of_system():
    """operations-supported of the system: sorted list."""
    return sorted(list(OF_SYSTEM) + list(OF_BOTH))


def table():
    """The operations of one printer."""
    return Operations()
