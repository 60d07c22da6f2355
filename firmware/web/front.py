"""The printer's built-in page: its name and a table of facts, for a browser without scripts.  Called by seldom(): nothing of it stays."""

from firmware.strings.languages import LANGUAGES

_HTML = ("Content-Type", "text/html; charset=utf-8")
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
    for part in (accepted or b"").split(b",")[:8]:
        language = part.split(b";")[0].strip().lower().split(b"-")[0]
        for known in LANGUAGES:
            if language == known.encode():
                return known
    return LANGUAGES[0]


def answer(title, facts, accepted):
    """(status, headers, body); facts, title as in page.Pages; accepted: the Accept-Language field (bytes) or None."""
    title = escape(title)
    language = wanted(accepted)
    out = [_TOP % (language, title, title)]
    for label, text in facts(language):
        out.append("<tr><th>%s</th><td>%s</td></tr>\n" % (escape(label), escape(text)))
    out.append("</table></body></html>\n")
    return 200, (_HTML,) + _SAFE, "".join(out).encode()
