"""Files that the printer serves beside its page: texts in its languages (printer-strings-uri) and resources that are there.

Called by seldom(): nothing of it stays.  A board serves what fits its heap whole (firmware/ipp/resource_kinds has the limits).
"""

from firmware.config import FIRST_RESOURCE, RESOURCES_MAX
from firmware.ipp.resources import AVAILABLE, INSTALLED, read
from firmware.strings import catalog
from firmware.strings.languages import LANGUAGES

_TEXT = ("Content-Type", "text/strings; charset=utf-8")
# data of others: no browser shall take them for anything else, or run them
_SAFE = (("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'; sandbox"))
_FRESH = ("Cache-Control", "no-cache")


def answer(printer, path):
    """(status, headers, body) of a path, or None."""
    folder, _, name = path[1:].partition("/")
    if folder == "strings":
        language, dot, end = name.partition(".")
        if dot and end == "strings" and language in LANGUAGES:
            return 200, (_TEXT, _FRESH) + _SAFE, _strings(printer, language)
    elif folder == "resource" and name and len(name) < 11 and all("0" <= c <= "9" for c in name):
        one = printer.resources.get(int(name))
        if one is not None and one.state in (AVAILABLE, INSTALLED) and one.type.startswith("static-"):
            body = read(printer.machine.files, one)
            if body is not None:
                kind = _TEXT if one.format == "text/strings" else ("Content-Type", one.format)
                return 200, (kind, _FRESH) + _SAFE, body
    return None


def _strings(printer, language):
    """The language's own texts; behind them those of an installed resource, which win in most readers."""
    body = catalog.load(language).encode()
    if printer.settings.has_records(FIRST_RESOURCE, RESOURCES_MAX):
        one = printer.resources.find("static-strings", language)
        if one is not None:
            body += read(printer.machine.files, one) or b""
    return body
