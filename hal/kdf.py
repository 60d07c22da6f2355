"""PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), in steps, for runtimes that have only the hash."""

import hashlib

_BLOCK_BYTES = 64
_STEP = 8  # iterations between two chances for the other tasks: some milliseconds on a slow chip


def steps(password, salt, iterations, out):
    """Generator; when it ends, out (a bytearray of 32) holds the key.  password, salt: bytes."""
    sha256 = hashlib.sha256
    if len(password) > _BLOCK_BYTES:
        password = sha256(password).digest()
    block = password + bytes(_BLOCK_BYTES - len(password))
    inner = bytes([byte ^ 0x36 for byte in block])
    outer = bytes([byte ^ 0x5C for byte in block])
    data = salt + b"\0\0\0\1"
    total = 0
    for i in range(iterations):
        mac = sha256(inner)
        mac.update(data)
        data = mac.digest()
        mac = sha256(outer)
        mac.update(data)
        data = mac.digest()
        total ^= int.from_bytes(data, "big")
        if i % _STEP == _STEP - 1:
            yield
    out[:] = total.to_bytes(32, "big")
