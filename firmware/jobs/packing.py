"""Python values as bytes and back: None, True, False, int, bytes, str, list, tuple, dict.  SPEC.md has the format.

For records that must be read again after years, by either Python; nested at most DEPTH_MAX deep.  A memoryview or bytearray comes
back as bytes.
"""

from hal.compat import const

DEPTH_MAX = const(8)

_NONE = const(0)
_FALSE = const(1)
_TRUE = const(2)
_INT = const(3)  # varint of n * 2, or of -n * 2 - 1 below zero
_BYTES = const(4)
_STR = const(5)
_LIST = const(6)
_TUPLE = const(7)
_DICT = const(8)


class PackingError(ValueError):
    """Bytes that are no packed value, or a value that cannot be packed."""


def _put_count(out, n):
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)


def _put_raw(out, tag, raw):
    out.append(tag)
    _put_count(out, len(raw))
    out.extend(raw)


def pack_into(out, value, depth=0):
    """Appends value to the bytearray out."""
    if value is None:
        out.append(_NONE)
    elif value is True:
        out.append(_TRUE)
    elif value is False:
        out.append(_FALSE)
    elif isinstance(value, int):
        out.append(_INT)
        _put_count(out, value * 2 if value >= 0 else -value * 2 - 1)
    elif isinstance(value, str):
        _put_raw(out, _STR, value.encode())
    elif isinstance(value, (bytes, bytearray, memoryview)):
        _put_raw(out, _BYTES, value)
    elif depth == DEPTH_MAX:
        raise PackingError("nested too deep")
    elif isinstance(value, (list, tuple)):
        out.append(_LIST if isinstance(value, list) else _TUPLE)
        _put_count(out, len(value))
        for item in value:
            pack_into(out, item, depth + 1)
    elif isinstance(value, dict):
        out.append(_DICT)
        _put_count(out, len(value))
        for key in value:
            pack_into(out, key, depth + 1)
            pack_into(out, value[key], depth + 1)
    else:
        raise PackingError("no way to pack %r" % (value,))


def _count(data, at):
    n = 0
    shift = 0
    while True:
        if at >= len(data):
            raise PackingError("cut short")
        byte = data[at]
        at += 1
        n |= (byte & 127) << shift
        if byte < 128:
            return n, at
        shift += 7
        if shift > 63:
            raise PackingError("number too long")


def unpack(data, at=0, depth=0) -> tuple:
    """(value, place behind it) of the packed value at data[at]; raises PackingError."""
    if at >= len(data):
        raise PackingError("cut short")
    tag = data[at]
    at += 1
    if tag == _NONE:
        return None, at
    if tag == _TRUE or tag == _FALSE:
        return tag == _TRUE, at
    n, at = _count(data, at)
    if tag == _INT:
        return (-(n + 1) // 2 if n & 1 else n // 2), at
    if tag == _BYTES or tag == _STR:
        if at + n > len(data):
            raise PackingError("cut short")
        raw = bytes(data[at : at + n])
        if tag == _BYTES:
            return raw, at + n
        try:
            return raw.decode(), at + n
        except UnicodeError:
            raise PackingError("text that is not UTF-8")
    if depth == DEPTH_MAX or n > len(data) - at:
        raise PackingError("too much inside")
    if tag == _LIST or tag == _TUPLE:
        items = []
        for _ in range(n):
            item, at = unpack(data, at, depth + 1)
            items.append(item)
        return (items if tag == _LIST else tuple(items)), at
    if tag == _DICT:
        result = {}
        for _ in range(n):
            key, at = unpack(data, at, depth + 1)
            value, at = unpack(data, at, depth + 1)
            try:
                result[key] = value
            except TypeError:
                raise PackingError("a key that is none")
        return result, at
    raise PackingError("unknown tag %d" % tag)
