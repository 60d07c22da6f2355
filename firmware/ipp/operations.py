"""All operations that this printer has; operations-supported lists exactly these.

A mapping {operation-id: (async handler(ctx) -> Response, target)}.  What is seldom asked for is loaded when it is: a board's heap holds
the code of operators only while somebody operates.  The ids of each part are told here, so that nothing has to be loaded to list them; a
test compares them with the parts' own tables.
"""

# operation-ids below 0x100
_PRINTING = b"\x04\x05\x06\x08\x09\x0a\x0b\x3b\x3d"
_DOCUMENTS = b"\x33\x34\x35"
_QUEUE = b"\x0c\x0d\x14\x2f\x30\x31\x3a"
_CONTROL = b"\x10\x11\x22\x23\x24\x25\x26\x29\x2d\x2e\x38\x39\x3c"
_SETTINGS = b"\x13\x15"
PARTS = (_PRINTING, _DOCUMENTS, _QUEUE, _CONTROL, _SETTINGS)


def part(number):
    """The OPERATIONS of a part of PARTS."""
    if number == 0:
        from firmware.ipp import job_ops, printer_ops

        both = dict(printer_ops.OPERATIONS)
        both.update(job_ops.OPERATIONS)
        return both
    if number == 1:
        from firmware.ipp.document_ops import OPERATIONS
    elif number == 2:
        from firmware.ipp.queue_ops import OPERATIONS
    elif number == 3:
        from firmware.ipp.control_ops import OPERATIONS
    else:
        from firmware.ipp.settings_ops import OPERATIONS
    return OPERATIONS


class Operations:
    """The mapping."""

    def __init__(self):
        self._loaded = {}
        self._others = {}

    def update(self, others):
        """Adds operations of other rooms (a dict like this)."""
        self._others.update(others)

    def __contains__(self, operation):
        for ids in PARTS:
            if operation < 0x100 and operation in ids:
                return True
        return operation in self._others

    def __iter__(self):
        for ids in PARTS:
            yield from ids
        yield from self._others

    def __getitem__(self, operation):
        if operation in self._others:
            return self._others[operation]
        if operation not in self._loaded:
            for number in range(len(PARTS)):
                if operation in PARTS[number]:
                    self._loaded.update(part(number))
        return self._loaded[operation]


def table():
    """The operations of one printer."""
    return Operations()
