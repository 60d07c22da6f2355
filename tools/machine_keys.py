"""The table of keys in boards/SPEC.md, made from boards/schema.py.

`python -m tools.machine_keys` says whether the table is up to date; `--write` writes it anew.
"""

import json
import sys
from pathlib import Path

from boards.schema import DATA

SPEC = Path(__file__).resolve().parents[1] / "boards" / "SPEC.md"
HEAD = "| Key | Type | Unit | Allowed | Default | |\n"


def rows(node=DATA, path=""):
    """The table's lines for a node and what is below it."""
    kind = node[0]
    inner = {}
    cells = ["", "", ""]  # unit, allowed, default
    name = {"group": "object", "option": "object or null", "parts": "object", "some": "list", "table": "list"}.get(kind, kind)
    if kind in ("group", "option"):
        inner = node[1]
    elif kind == "parts":
        inner = {"NAME": node[1]}
        cells[1] = "any names, at most %d" % node[2]
    elif kind in ("num", "int"):
        cells = [node[1] or "1", "%s to %s" % node[2:4] if kind == "num" else "%d to %d" % node[2:4], _default(node[4])]
    elif kind == "text":
        cells[1:] = ["at most %d bytes" % node[1], _default(node[2])]
    elif kind in ("choice", "some"):
        cells[1:] = [", ".join(node[1]), _default(node[2])]
    elif kind == "bool":
        cells[1:] = ["true, false", _default(node[1])]
    elif kind == "table":
        cells[1] = "%d to %d pairs" % node[1:3]
    if path:
        yield "| `%s` | %s | %s | %s | %s | %s |\n" % (path, name, *cells, node[-1])
    for key, part in inner.items():
        yield from rows(part, path + "." + key if path else key)


def _default(value):
    return "required" if value is None else json.dumps(value) if isinstance(value, (str, list, bool)) else repr(value)


def table():
    """The whole table as text."""
    return HEAD + "|---|---|---|---|---|---|\n" + "".join(rows())


def main():
    """Exit status: 0 up to date or written, 1 not."""
    text = SPEC.read_text()
    start = text.index("| Key |")
    end = text.find("\n\n", start) + 1 or len(text)
    new = text[:start] + table() + text[end:]
    if "--write" in sys.argv[1:]:
        SPEC.write_text(new)
    elif new != text:
        print("boards/SPEC.md is not up to date: python -m tools.machine_keys --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
