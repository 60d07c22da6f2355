"""The printer's built-in page: its name and a table of facts, for a browser without scripts.  See firmware/net/server.py for `web`."""

from firmware.strings.catalog import LANGUAGES
from firmware.web import icon

_HTML = ("Content-Type", "text/html; charset=utf-8")
_PLAIN = ("Content-Type", "text/plain; charset=utf-8")
_ICON = (
    ("Content-Type", "image/png"),
    ("Cache-Control", "max-age=3600"),
    ("Last-Modified", str(icon.LAST_MODIFIED, "utf-8")),
)
_IMAGES = {"/icon.png": icon.PNG, "/icon-48.png": icon.SMALL, "/icon-512.png": icon.LARGE}
# nothing is loaded from elsewhere, nothing runs, no other site may frame it
_SAFE = (
    ("Cache-Control", "no-cache"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)

_TOP = """<!DOCTYPE html>
<html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>%s</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
th{text-align:left;padding-right:2rem;vertical-align:top}</style></head><body><h1>%s</h1><table>
"""


def escape(text):
    """text as HTML shows it, in elements and in quoted attributes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def wanted(accepted):
    """The first language of an Accept-Language field (bytes or None) that there is; weights are in that order with all browsers."""
    if accepted is not None:
        for part in str(accepted, "utf-8").split(",")[:8]:
            language = part.split(";")[0].strip().lower().split("-")[0]
            if language in LANGUAGES:
                return language
    return LANGUAGES[0]


class Pages:
    """title: str; facts(language): list of (label, text) of str, asked for at each request; more(path): as answer(), for other paths."""

    def __init__(self, title, facts, more=None):
        self._title = title
        self._facts = facts
        self._more = more

    def answer(self, request):
        """The server's `web`: (status, headers, body) of a path, None when there is nothing."""
        if request.path == "/":
            title = escape(self._title)
            language = wanted(request.headers.get("accept-language"))
            out = [_TOP % (language, title, title)]
            for label, text in self._facts(language):
                out.append("<tr><th>%s</th><td>%s</td></tr>\n" % (escape(label), escape(text)))
            out.append("</table></body></html>\n")
            return 200, (_HTML,) + _SAFE, "".join(out).encode()
        image = _IMAGES.get(request.path)
        if image is not None:
            known = request.headers.get("if-modified-since") == icon.LAST_MODIFIED
            return (304 if known else 200), _ICON, b"" if known else image
        if request.path == "/robots.txt":
            return 200, (_PLAIN,), b"User-agent: *\nDisallow: /\n"
        return self._more(request.path) if self._more is not None else None
