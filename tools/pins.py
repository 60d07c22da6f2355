"""Which certificate a printer showed when it was met first (trust on first use), in $XDG_CONFIG_HOME/printwright/certificates.

One line a printer: host:port, a space, the SHA-256 of its certificate in hexadecimal digits.
"""

import fcntl
import hashlib
import os

MAX_PINS = 256  # the oldest go


class Changed(Exception):
    """The printer shows another certificate than before; the text says what to do."""


def path() -> str:
    """The file (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CONFIG_HOME") or ""
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "printwright", "certificates")


def check(host: str, port: int, certificate: bytes) -> None:
    """Compares a certificate (DER) with the one that is remembered, or remembers it.  Raises Changed, OSError."""
    place = f"{host.lower()}:{port}"
    digest = hashlib.sha256(certificate).hexdigest()
    file = path()
    known = _read(file).get(place)
    if known is None:
        _add(file, place, digest)
    elif known != digest:
        raise Changed(
            f"the certificate of {place} is not the one that was seen at first: either the printer was reset or replaced by another,"
            f" or somebody sits in between. If you know why, remove the line '{place}' from {file}"
        )


def _read(file):
    try:
        with open(file, encoding="utf-8") as lines:
            return dict(line.split()[:2] for line in lines if len(line.split()) >= 2)
    except FileNotFoundError:
        return {}


def _add(file, place, digest):
    os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
    with open(file + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = _read(file)
        known[place] = digest
        part = file + ".new"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.writelines(f"{name} {value}\n" for name, value in list(known.items())[-MAX_PINS:])
        os.replace(part, file)
