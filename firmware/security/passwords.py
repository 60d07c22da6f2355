"""Passwords: made, sealed for storage, compared.

A generated password has more than 80 bits, so one salted SHA-256 is enough: nobody can try them all.  A chosen one is guessable, so
each try is made expensive (PBKDF2, RFC 8018); how expensive, the caller says by what its machine can do.
"""

import struct

from hal.compat import const, pbkdf2, sha256, urandom

GENERATED = const(1)
CHOSEN = const(2)
LENGTH_MAX = const(128)  # octets
CHOSEN_MIN = const(8)  # characters; NIST SP 800-63B section 5.1.1.2

# Crockford's: none is taken for another
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS = const(4)
_GROUP_LETTERS = const(5)  # of 5 bits: 100 bits in all
_SALT_BYTES = const(16)
_SEAL = "<BI16s32s"  # kind, iterations, salt, digest
SEAL_BYTES = const(53)


def generate():
    """A new password of 100 bits, to be read from a screen."""
    groups = []
    for _ in range(_GROUPS):
        groups.append("".join([_LETTERS[byte & 31] for byte in urandom(_GROUP_LETTERS)]))
    return "-".join(groups)


async def seal(password, kind, iterations):
    """What to store of a password (str).  kind: GENERATED or CHOSEN; iterations: of PBKDF2, for CHOSEN."""
    salt = urandom(_SALT_BYTES)
    if kind == GENERATED:
        iterations = 0
    return struct.pack(_SEAL, kind, iterations, salt, await _digest(password.encode(), kind, iterations, salt))


async def matches(password, sealed):
    """True when this is the password (bytes) that was sealed."""
    kind, iterations, salt, digest = struct.unpack(_SEAL, sealed)
    return equal(await _digest(password, kind, iterations, salt), digest)


async def _digest(password, kind, iterations, salt):
    if kind == GENERATED:
        return sha256(salt + password).digest()
    return await pbkdf2(password, salt, iterations)


def equal(a, b):
    """Compares bytes in a time that tells their length only."""
    if len(a) != len(b):
        return False
    differ = 0
    for i in range(len(a)):
        differ |= a[i] ^ b[i]
    return differ == 0
