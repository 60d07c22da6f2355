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


def outcome(space, sources):
    """What the program does.  Its globals have new names: they are found by their order in the text."""
    text = "".join(text for path, text in sources.items() if "getattr" in text)
    classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    shadow, by_name, made = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)][:3]
    thing = space[classes[-1]](1, 2)
    told = [name for name in dir(type(thing)) if not name.startswith("__") and name not in dir(type(thing).__base__)][0]
    return getattr(thing, told)(10), space[shadow](9), space[by_name](thing), space[made](), vars(thing)["_reached"]


SOURCES = {Path(f"firmware/{name}.py"): text for name, text in PROGRAM.items()}


BUNDLES = {"_all": ["firmware.user"]}


def test_it_does_the_same():
    short = squeeze.squeeze(SOURCES).texts
    assert outcome(loaded(short), short) == outcome(loaded(SOURCES), SOURCES) == (((20, 2, 1, 7, [10])), 9, (11, 3), (4, 5), 11)


def test_a_bundle_does_the_same():
    short = squeeze.squeeze(SOURCES, BUNDLES).texts
    assert list(short) == [Path("_all.py")]
    space = {"__name__": "_all"}
    exec(compile(short[Path("_all.py")].replace("from hal.compat import const", "const = int"), "_all", "exec"), space)
    assert outcome(space, short) == (((20, 2, 1, 7, [10])), 9, (11, 3), (4, 5), 11)


def test_a_line_of_a_bundle_leads_to_the_source():
    made = squeeze.squeeze(SOURCES, BUNDLES)
    lines = made.texts[Path("_all.py")].split("\n")
    line = next(i for i in range(len(lines)) if "_reached" in lines[i] and "getattr" not in lines[i]) + 1
    assert made.source(Path("_all.py"), line) == (Path("firmware/base.py"), 4)
    line = next(i for i in range(len(lines)) if "getattr" in lines[i]) + 1
    path, there = made.source(Path("_all.py"), line)
    assert path == Path("firmware/user.py") and "getattr" in USER.split("\n")[there - 1]
    assert made.source(Path("other.py"), 7) == (Path("other.py"), 7)


def test_names_are_fewer_and_lines_the_same():
    short = squeeze.squeeze(SOURCES, reserved={"_mine", "told"}, entries=["made"], known=["free", "factor", "len"]).texts
    for path, text in SOURCES.items():
        assert text.count("\n") == short[path].count("\n")
    tags, base, user = (short[Path(f"firmware/{name}.py")] for name in ("tags", "base", "user"))
    assert "GROUP" not in tags and "tags.GROUP" not in user and "KEPT =" not in tags
    assert "_mine" not in user and "def told" in user and "_reached" in base and "_hidden" not in base + user
    assert "free" in base + user, "a name that costs nothing"
    assert "factor" not in base + user and "def len" not in user and ".len" not in base + user
    assert "def made(" in user and "def shadow(" not in user and "narrow" not in user and "named=3" in user


def test_what_a_string_loads_keeps_its_name_and_a_bundle_is_not_loaded_by_name():
    sources = dict(SOURCES)
    sources[Path("firmware/late.py")] = "ROWS = 1\n\ndef rows():\n    return ROWS\n"
    sources[Path("firmware/user.py")] = USER + "\n\ndef late():\n    return seldom('firmware.late', 'rows')()\n"
    short = squeeze.squeeze(sources, BUNDLES).texts
    assert "def rows(" in short[Path("firmware/late.py")] and "return 1" in short[Path("firmware/late.py")]
    sources[Path("firmware/user.py")] = USER + "\n\ndef late():\n    return seldom('firmware.base', 'Base')()\n"
    with pytest.raises(ValueError, match="loaded by name"):
        squeeze.squeeze(sources, BUNDLES)


def test_what_this_runtime_never_does_is_left_out():
    text = "import sys\n\nif sys.implementation.name == \"micropython\":\n    a = 1\nelse:\n    b = 'other'\n\nc = 3\n"
    short = squeeze.squeeze({Path("hal/both.py"): text}).texts[Path("hal/both.py")]
    assert "other" not in short and short.count("\n") == text.count("\n")
    space = {}
    exec(short, space)
    assert sorted(value for name, value in space.items() if name[0] == "_" and name[1:].isdigit()) == [1, 3] or 3 in space.values()


@pytest.mark.parametrize("text", ["x = 1\nprint(f'{x}')\n", "def f():\n    global x\n    x = 1\n\nx = 0\n"])
def test_what_cannot_be_renamed_is_refused(text):
    with pytest.raises(ValueError, match="f-string"):
        squeeze.squeeze({Path("firmware/odd.py"): text})


def test_one_name_for_two_things_in_a_bundle_is_refused():
    sources = {Path("a.py"): "import time\nfrom b import g\n", Path("b.py"): "from io import time\n\ndef g():\n    pass\n"}
    with pytest.raises(ValueError, match="something else"):
        squeeze.squeeze(sources, {"_all": ["a"]})


def test_texts_of_functions_lie_in_one_constant():
    text = (
        "TABLE = ('made at the top',)\n\n\ndef tell(x, y='a default of a function'):\n    '''Docstring, which goes.'''\n"
        "    return ('a longer text of %s'\n            ' in two lines' % x, 'made at the top', 'short', y, {'käse, and so on': 1})\n"
    )
    short = squeeze.squeeze({Path("firmware/one.py"): text}, {"_all": ["firmware.one"]}).texts[Path("_all.py")]
    assert short.count("\n") == text.count("\n")
    space = {}
    exec(short, space)
    tell = next(value for name, value in space.items() if getattr(value, "__name__", "") == name and value.__defaults__)
    assert tell(3) == ("a longer text of 3 in two lines", "made at the top", "short", "a default of a function", {"käse, and so on": 1})
    octets = "a longer text of %s in two lineskäse, and so on".encode()
    assert repr(octets) in short and short.count("made at the top") == 2


def test_names_of_two_bundles_do_not_meet_where_both_are_imported():
    sources = {
        Path("a.py"): '"""A."""\n\ndef one():\n    return 1\n',
        Path("b.py"): '"""B."""\n\ndef two():\n    return 2\n',
        Path("c.py"): "from a import one\nfrom b import two\n\nBOTH = (one(), two())\n",
    }
    short = squeeze.squeeze(sources, {"_a": ["a"], "_b": ["b"]}).texts
    names = [ast.parse(short[Path(name)]).body[-1].name for name in ("_a.py", "_b.py")]
    assert names[0] != names[1]
