"""What the printer has for browsers: a page (front.py), icons, files (served.py).  See firmware/net/server.py for `web`."""

from firmware.web import icon
from hal.compat import seldom

_PLAIN = ("Content-Type", "text/plain; charset=utf-8")
_ICON = (
    ("Content-Type", "image/png"),
    ("Cache-Control", "max-age=3600"),
    ("Last-Modified", str(icon.LAST_MODIFIED, "utf-8")),
)
_IMAGES = {"/icon.png": icon.PNG, "/icon-48.png": icon.SMALL, "/icon-512.png": icon.LARGE}


class Pages:
    """title: str; facts(language): list of (label, text) of str, asked for at each request; more(path): as answer(), for other paths."""

    def __init__(self, title, facts, more=None):
        self._title = title
        self._facts = facts
        self._more = more

    def answer(self, request):
        """The server's `web`: (status, headers, body) of a path, None when there is nothing."""
        if request.path == "/":
            return seldom("firmware.web.front", "answer")(self._title, self._facts, request.headers.get("accept-language"))
        image = _IMAGES.get(request.path)
        if image is not None:
            known = request.headers.get("if-modified-since") == icon.LAST_MODIFIED
            return (304 if known else 200), _ICON, b"" if known else image
        if request.path == "/robots.txt":
            return 200, (_PLAIN,), b"User-agent: *\nDisallow: /\n"
        return self._more(request.path) if self._more is not None else None
