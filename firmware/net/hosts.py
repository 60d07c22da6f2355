"""Which Host fields are this printer's: a foreign one means that a web page's name was made to point here (DNS rebinding)."""

from hal.compat import const

_MAX_HOST = const(255)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def split(host):
    """(name or address in lower case without brackets, port as str or "") of a Host field in bytes, or None when malformed."""
    if not host or len(host) > _MAX_HOST:
        return None
    for c in host:
        if c <= 32 or c >= 127 or c in b'/@?#\\,"<>%':
            return None
    text = str(host, "utf-8").lower()
    if text[0] == "[":
        name, bracket, port = text[1:].partition("]")
        if not bracket or ":" not in name or (port and port[0] != ":"):
            return None
        port = port[1:]
    else:
        name, _, port = text.partition(":")
    if not name:
        return None
    for c in port:
        if not "0" <= c <= "9":
            return None
    if name[-1] == "." and len(name) > 1:
        name = name[:-1]
    return name, port


def is_loopback(address):
    """True for the address of a peer on this computer."""
    return address == "::1" or address.startswith("127.") or address.startswith("::ffff:127.")


def allowed(host, names):
    """True when the Host field (bytes) names this printer.  names: container of its names and addresses, in lower case."""
    parts = split(host)
    return parts is not None and (parts[0] in LOOPBACK or parts[0] in names)
