"""Checks machine data against boards/schema.py: types, ranges, unknown keys, defaults; and merges layers of it.

Pure functions over dictionaries.  Every ConfigError names file and path of the key, the value and what is allowed.
What keys mean together (references, pins, order of limits) is hal/factory's.
"""

from hal.errors import ConfigError

_SHOWN = 60  # characters of a wrong value in a message


def show(value):
    """A value for a message, of bounded length."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def join(path, key):
    """The path of a key within the node at path."""
    return path + "." + key if path else key


def fail(where, path, problem):
    """Raises ConfigError; where: the file's name, or ""."""
    if where:
        path = where + ": " + path if path else where
    raise ConfigError(path or "machine", problem)


def merge(base, over):
    """A new value: `over` on top of `base`, dictionaries merged deeply, all else replaced.  Neither is changed."""
    if not isinstance(over, dict) or not isinstance(base, dict):
        return copy(over)
    merged = copy(base)
    for key in over:
        merged[key] = merge(base.get(key), over[key]) if base.get(key) is not None else copy(over[key])
    return merged


def copy(value):
    """A deep copy of dictionaries; the rest is never changed by anyone."""
    if isinstance(value, dict):
        return {key: copy(value[key]) for key in value}
    return value


def check(node, value, where, path=None):
    """Checks one layer, in which anything may be left out.  Raises ConfigError.  path: list of keys so far."""
    path = [] if path is None else path
    kind = node[0]
    if kind == "option" and value is None:
        return
    if kind in ("group", "option"):
        _object(value, path, where)
        for key in value:
            path.append(key)
            if key not in node[1]:
                _fail(where, path, "unknown key; known here: " + ", ".join(sorted(node[1])))
            check(node[1][key], value[key], where, path)
            path.pop()
    elif kind == "parts":
        _object(value, path, where)
        if len(value) > node[2]:
            _fail(where, path, "%d entries, at most %d" % (len(value), node[2]))
        for key in value:
            path.append(key)
            if not isinstance(key, str) or not 0 < _size(key) <= 32:
                _fail(where, path, "a name has 1 to 32 bytes")
            if value[key] is not None:
                check(node[1], value[key], where, path)
            path.pop()
    else:
        allowed = _CHECKS[kind](node, value)
        if allowed:
            _fail(where, path, "%s expected, not %s" % (allowed, show(value)))


def complete(node, value, where, path=None):
    """The value with every default filled in.  ConfigError names what is missing.  path: list of keys so far."""
    path = [] if path is None else path
    kind = node[0]
    if kind == "option" and value is None:
        return None
    full = {}
    if kind in ("group", "option"):
        for key in node[1]:
            path.append(key)
            full[key] = complete(node[1][key], value.get(key) if value else None, where, path)
            path.pop()
        return full
    if kind == "parts":
        for key in value or full:
            if value[key] is not None:
                path.append(key)
                full[key] = complete(node[1], value[key], where, path)
                path.pop()
        return full
    if value is None:
        value = node[-2] if kind != "table" else None
        if value is None:
            _fail(where, path, "missing: " + node[-1])
    return value


def _fail(where, path, problem):
    fail(where, ".".join([_shown(key) for key in path]), problem)


def _shown(key):
    """A key for a message: as it is when it is plain, else quoted and bounded."""
    if isinstance(key, str) and 0 < len(key) <= _SHOWN:
        for char in key:
            if not 32 < ord(char) < 127:
                return show(key)
        return key
    return show(key)


def _size(text):
    """Bytes of a text in UTF-8; more than any limit when it has none (half of a surrogate pair)."""
    try:
        return len(text.encode())
    except UnicodeError:
        return 1 << 30


def _object(value, path, where):
    if not isinstance(value, dict):
        _fail(where, path, "an object with keys expected, not %s" % show(value))


# Each returns None when the value is right, else what is allowed.


def _num(node, value):
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and node[2] <= value <= node[3]
    return None if ok else ("a number from %s to %s %s" % (node[2], node[3], node[1])).rstrip()


def _int(node, value):
    ok = isinstance(value, int) and not isinstance(value, bool) and node[2] <= value <= node[3]
    return None if ok else "a whole number from %d to %d (%s)" % (node[2], node[3], node[1])


def _text(node, value):
    return None if isinstance(value, str) and _size(value) <= node[1] else "a text of at most %d UTF-8 bytes" % node[1]


def _choice(node, value):
    return None if isinstance(value, str) and value in node[1] else "one of " + ", ".join(node[1])


def _some(node, value):
    if isinstance(value, (list, tuple)):
        good = [v for v in value if isinstance(v, str) and v in node[1]]
        if len(good) == len(value) == len(set(good)):
            return None
    return "a list of some of " + ", ".join(node[1])


def _bool(node, value):
    return None if isinstance(value, bool) else "true or false"


def _table(node, value):
    allowed = "a list of %d to %d pairs [degC, ohm], temperatures rising, resistances falling" % (node[1], node[2])
    if not isinstance(value, (list, tuple)) or not node[1] <= len(value) <= node[2]:
        return allowed
    last = None
    for row in value:
        if not isinstance(row, (list, tuple)) or len(row) != 2:
            return allowed
        for number in row:
            if not isinstance(number, (int, float)) or isinstance(number, bool):
                return allowed
        if not (-273 < row[0] < 3000 and 0 < row[1] < 1e9) or (last and not (row[0] > last[0] and row[1] < last[1])):
            return allowed
        last = row
    return None


_CHECKS = {"num": _num, "int": _int, "text": _text, "choice": _choice, "some": _some, "bool": _bool, "table": _table}
