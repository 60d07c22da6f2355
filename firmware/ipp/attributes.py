"""The registry of attributes: which this printer has, their syntax, where each is defined and where its value comes from.

The rows are text, one attribute a line, in registry_request, registry_job and registry_printer; what is left out, and why, is in
registry_omitted, which a board does not need.  A text is one object that stays in ROM; rows are cut out of it on demand.  Columns:

    group;name;syntax;source;level;value

    group   O operation attribute; T job template (a printer's -default, -supported and -ready); D description; S status
    syntax  as the registry writes it, e.g. "1setOf (integer(0:MAX) | rangeOfInteger(0:MAX))"
    source  the document that defines it, as the registry names it; "printwright" for ours
    level   R required by IPP (RFC 8011) or IPP 3D (PWG 5100.21-2019); C required on machines that have the part; r recommended;
            o optional; V vendor
    value   see the table's module

Not here: encoding of a particular attribute (printer.py, job.py), syntax of the wire (codec.py).
"""

from firmware.ipp import codec, tags
from hal.compat import const

GROUP = const(0)
NAME = const(1)
SYNTAX = const(2)
SOURCE = const(3)
LEVEL = const(4)
VALUE = const(5)

MAX = const(0x7FFFFFFF)
MIN = -0x80000000

_TAG_OF = {
    "integer": tags.INTEGER,
    "boolean": tags.BOOLEAN,
    "enum": tags.ENUM,
    "octetString": tags.OCTETS,
    "dateTime": tags.DATETIME,
    "resolution": tags.RESOLUTION,
    "rangeOfInteger": tags.RANGE,
    "collection": tags.COLLECTION,
    "text": tags.TEXT,
    "name": tags.NAME,
    "keyword": tags.KEYWORD,
    "uri": tags.URI,
    "uriScheme": tags.URI_SCHEME,
    "charset": tags.CHARSET,
    "naturalLanguage": tags.LANGUAGE,
    "mimeMediaType": tags.MIME,
    "no-value": tags.NO_VALUE,
    "unknown": tags.UNKNOWN,
}

# What is wrong with values
WRONG_TAG = const(1)
WRONG_COUNT = const(2)
TOO_LONG = const(3)
OUT_OF_RANGE = const(4)


def rows(table):
    """Generator over a table's rows, each a list of its six columns."""
    start = 1
    while start < len(table):
        end = table.find("\n", start)
        yield table[start:end].split(";")
        start = end + 1


def rows_of(table, group):
    """As rows(), but of one group (a letter): the other rows leave no garbage."""
    start = 1
    while start < len(table):
        end = table.find("\n", start)
        if table[start] == group:
            yield table[start:end].split(";")
        start = end + 1


def find(table, name):
    """The row of `name` in a table, or None."""
    at = table.find(";" + name + ";")
    if at < 0:
        return None
    start = at
    while table[start] != "\n":
        start -= 1
    return table[start + 1 : table.find("\n", at)].split(";")


def has(table, name):
    """True when the table has a row of that name."""
    return table.find(";" + name + ";") >= 0


def syntax(text):
    """(many, alternatives) of a syntax in the registry's notation; alternatives: list of (tag, low, high).

    low, high: bounds of an integer or of a range's ends; high: the greatest length in octets of a string, 0 when only the tag's own
    limit holds.
    """
    many = text.startswith("1setOf ")
    if many:
        text = text[7:]
    if text.startswith("("):
        text = text[1:-1]
    alternatives = []
    for part in text.split(" | "):
        part = part.split(" ")[-1]  # "type2 keyword"
        low = high = 0
        opening = part.find("(")
        if opening >= 0:
            bounds = part[opening + 1 : -1].split(":")
            part = part[:opening]
            high = _bound(bounds[-1])
            if len(bounds) == 2:
                low = _bound(bounds[0])
            elif high == MAX:
                high = 0
        alternatives.append((_TAG_OF[part], low, high))
    return many, alternatives


def _bound(text):
    if text == "MAX":
        return MAX
    if text == "MIN":
        return MIN
    return int(text)


def problem(text, values):
    """What is wrong with decoded `values` [(tag, value), ...] of an attribute of syntax `text`: None or a WRONG_*, TOO_LONG,
    OUT_OF_RANGE constant.  Collections are judged by their tag only."""
    many, alternatives = syntax(text)
    if len(values) != 1 and not many:
        return WRONG_COUNT
    for tag, value in values:
        found = WRONG_TAG
        for allowed, low, high in alternatives:
            if tag != allowed and not (allowed == tags.TEXT and tag == tags.TEXT_LANG) and not (
                allowed == tags.NAME and tag == tags.NAME_LANG
            ):
                continue
            found = None
            if tag == tags.INTEGER and high and not low <= value <= high:
                found = OUT_OF_RANGE
            elif tag == tags.RANGE and high and not (low <= value[0] and value[1] <= high):
                found = OUT_OF_RANGE
            elif tag >= tags.TEXT or tag == tags.OCTETS:
                if high and len(value) > high:
                    found = TOO_LONG
            elif (tag == tags.TEXT_LANG or tag == tags.NAME_LANG) and high and len(value[1]) > high:
                found = TOO_LONG
            break
        if found:
            return found
    return None


def pairs(text, values):
    """Python values as [(tag, value), ...] by their syntax: int, bool, str/bytes, (low, high), list (collection), None (no-value or
    unknown, whichever the syntax has).  Where a syntax has keyword and name, str is a keyword."""
    alternatives = syntax(text)[1]
    result = []
    for value in values:
        for tag, _, _ in alternatives:
            if _fits(tag, value):
                result.append((tag, value))
                break
        else:
            raise ValueError("%r is not %s" % (value, text))
    return result


def _fits(tag, value):
    if value is None:
        return tag < 0x20
    if isinstance(value, bool):
        return tag == tags.BOOLEAN
    if isinstance(value, int):
        return tag == tags.INTEGER or tag == tags.ENUM
    if isinstance(value, tuple):
        return tag == tags.RANGE
    if isinstance(value, list):
        return tag == tags.COLLECTION
    return tag == tags.OCTETS or tag == tags.DATETIME or tag >= tags.TEXT


def encode(row, values):
    """The attribute of a row as bytes; values as in `pairs`."""
    return codec.attribute_of(row[NAME], pairs(row[SYNTAX], values))


def constants(row):
    """Values of a row whose value column is `=a,b`: what `pairs` takes."""
    alternatives = syntax(row[SYNTAX])[1]
    tag = alternatives[0][0]
    result = []
    for item in row[VALUE][1:].split(","):
        if tag == tags.BOOLEAN:
            result.append(item == "true")
        elif tag == tags.INTEGER or tag == tags.ENUM or tag == tags.RANGE:
            ends = item.split("-")
            if len(ends) == 2:
                result.append((_bound(ends[0]), _bound(ends[1])))
            else:
                result.append(int(item))
        else:
            result.append(item)
    return result


def syntaxes(table):
    """{name: syntax in the registry's notation} of a table."""
    result = {}
    for row in rows(table):
        result[row[NAME]] = row[SYNTAX]
    return result


class Syntaxes:
    """What syntaxes() gives, looked up in the table each time: for a machine that has more time than memory."""

    def __init__(self, table):
        self._table = table

    def get(self, name):
        """The syntax of `name`, or None."""
        row = find(self._table, name)
        return row[SYNTAX] if row else None
