"""Who may do what: three roles, and the least role of each operation.

The classes are those of spec sheets on PWG 5199.10 (IPP Authentication Methods): query, print, operate, administer.  An operation that
is not in the table needs an administrator.
"""

from hal.compat import const

NONE = const(0)  # nobody has said who it is
USER = const(1)
OPERATOR = const(2)
ADMINISTRATOR = const(3)
NAMES = ("none", "user", "operator", "administrator")

# one byte string a role: two octets an operation-id, in rows of a class
# Get-Printer-Attributes Get-System-Attributes Get-Printers: how else would a client learn what is wanted of it
_QUERY = b"\x00\x0b\x00\x5b\x00\x4f"
_PRINT = (
    b"\x00\x04\x00\x05\x00\x06\x00\x08\x00\x09\x00\x0a\x00\x3b"  # Validate- Create- Cancel- Get- Close-Job Send-Document Get-Jobs
    b"\x00\x0c\x00\x0d\x00\x14\x00\x3a\x00\x39"  # Hold- Release-Job Set-Job-Attributes Resubmit-Job Cancel-My-Jobs
    b"\x00\x16\x00\x17\x00\x18\x00\x19\x00\x1a\x00\x1b\x00\x1c"  # Create- Get- Renew- Cancel-Subscription(s), Get-Notifications
    b"\x00\x58\x00\x5c\x00\x1e\x00\x20"  # Create-System-Subscriptions Get-System-Supported-Values Get-Resource(s)-
    b"\x00\x15\x00\x33\x00\x34\x00\x35\x00\x37\x00\x3d"  # Get-Printer-Supported-Values Cancel- Get- Set- Validate-Document(s)
)
_OPERATE = (
    b"\x00\x10\x00\x11\x00\x3c"  # Pause- Resume- Identify-Printer
    b"\x00\x22\x00\x23\x00\x24\x00\x25\x00\x26"  # Enable- Disable-Printer Pause-Printer-After-Current-Job Hold- Release-Held-New-Jobs
    b"\x00\x2d\x00\x2e\x00\x2f\x00\x30\x00\x31\x00\x38"  # Cancel-Current- Suspend-Current-Job Resume- Promote-Job
    # Schedule-Job-After Cancel-Jobs
)


def minimum(operation):
    """The least role for an operation-id."""
    for role, table in ((NONE, _QUERY), (USER, _PRINT), (OPERATOR, _OPERATE)):
        for i in range(0, len(table), 2):
            if table[i] << 8 | table[i + 1] == operation:
                return role
    return ADMINISTRATOR


def number(name):
    """The role of a name; ValueError when there is none."""
    return NAMES.index(name)
