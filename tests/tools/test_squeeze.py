"""tools/squeeze: the same program with fewer names."""

import ast
from pathlib import Path

import pytest

from tools import squeeze

TAGS = "from hal.compat import const\n\nGROUP = const(1)\nKEPT = const(7)\n_OWN = const(2)\nNAMES = {GROUP: 'KEPT'}\n"
USER = """from firmware import tags
from firmware.tags import GROUP
from firmware.base import Base


class Both(Base):
    def __init__(self, wide, narrow):
        Base.__init__(self, wide)
        self._mine = narrow

    def told(self, factor):
        def scaled(value):
            return value * factor
        return (scaled(self._mine), self._hidden(tags.GROUP), GROUP, tags.KEPT, [wide for wide in (factor,)])


def shadow(GROUP):
    return GROUP


def by_name(thing, named=3):
    return getattr(thing, "_reached"), named


def made():
    return _made_of(4, named=5)


def _made_of(thing, named):
    return thing, named
"""
BASE = """class Base:
    def __init__(self, wide):
        self._kept = wide
        self._reached = 11

    def _hidden(self, more):
        return self._kept + more
"""
PROGRAM = {"tags": TAGS, "base": BASE, "user": USER}


def loaded(sources):
    """{module: namespace} of sources as a program of their own."""
    found = {"hal.compat": {"const": lambda n: n}}

    def imported(name, globals=None, locals=None, fromlist=(), level=0):
        if name == "firmware":
            return type("Package", (), {leaf: type("Module", (), found["firmware." + leaf]) for leaf in fromlist})
        return type("Module", (), found[name])

    builtins = {**vars(__import__("builtins")), "__import__": imported}
    for name in ("tags", "base", "user"):
        space = {"__builtins__": builtins, "__name__": name}
        exec(compile(sources[Path(f"firmware/{name}.py")], name, "exec"), space)
        found["firmware." + name] = space
    return found["firmware.user"]


def outcome(space):
    thing = space["Both"](1, 2)
    return thing.told(10), space["shadow"](9), space["by_name"](thing), space["made"](), vars(thing)["_reached"]


SOURCES = {Path(f"firmware/{name}.py"): text for name, text in PROGRAM.items()}


def test_it_does_the_same():
    short = squeeze.squeeze(SOURCES)
    assert outcome(loaded(short)) == outcome(loaded(SOURCES)) == (((20, 2, 1, 7, [10])), 9, (11, 3), (4, 5), 11)


def test_names_are_fewer_and_lines_the_same():
    short = squeeze.squeeze(SOURCES)
    for path, text in SOURCES.items():
        assert text.count("\n") == short[path].count("\n")
    tags, base, user = (short[Path(f"firmware/{name}.py")] for name in ("tags", "base", "user"))
    assert "GROUP" not in tags and "tags.GROUP" not in user
    assert "KEPT = const(7)" in tags, "a string of that name might reach it"
    assert "_kept" not in base and "_mine" not in user and "_reached" in base
    # what is inherited keeps out of the way of what is added
    numbers = [{node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)} for text in (base, user)]
    assert {name for name in numbers[0] if name.startswith("_")} & {"_0", "_1"}
    assert not {name for name in numbers[1] if name in numbers[0] and name[1:].isdigit()}
    assert "narrow" not in user and "named=3" in user


def test_constants_of_an_import_over_several_lines_are_refused():
    sources = dict(SOURCES)
    sources[Path("firmware/user.py")] = USER.replace("import GROUP", "import (\n    GROUP,\n)")
    with pytest.raises(ValueError, match="several lines"):
        squeeze.squeeze(sources)
