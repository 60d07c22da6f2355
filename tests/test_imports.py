"""Who may import whom (design.md section 2): tools, tests -> firmware -> hal -> boards, and hal/stepcore -> native."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("firmware", "hal", "boards", "native", "tools", "tests", "bench")

ALLOWED = {
    "boards": set(),
    "native": set(),
    "hal": {"hal", "boards"},
    "firmware": {"firmware", "hal"},
    "tools": {"tools", "firmware", "hal", "boards", "native"},
    "bench": {"bench", "tools", "firmware", "hal", "boards", "native", "tests"},
    "tests": set(ROOMS),
}
# cffi's module is imported in one place
NATIVE_USER = Path("hal/stepcore.py")

# what codecs, state machines and mathematics never see
EDGES = {"asyncio", "socket", "ssl", "time", "select", "selectors", "threading"}
SANS_IO = (
    "firmware/net/http1.py",
    "firmware/ipp/tags.py",
    "firmware/ipp/codec.py",
    "firmware/ipp/checks.py",
    "firmware/ipp/attributes.py",
    "firmware/ipp/status.py",
    "firmware/gcode/policy.py",
    "firmware/gcode/values.py",
    "firmware/jobs/states.py",
    "firmware/jobs/records.py",
    "firmware/thermal/sensors.py",
    "firmware/boot/record.py",
    "firmware/boot/selector.py",
    "firmware/update/cbor.py",
    "firmware/update/lms.py",
    "firmware/update/envelope.py",
    "firmware/update/engine.py",
    "firmware/update/manifest.py",
    "firmware/update/phases.py",
    "firmware/update/slots.py",
    "firmware/thermal/guard.py",
    "firmware/thermal/control.py",
)
# modules that only CPython has, or that the board has no room for
DESKTOP_ONLY = {
    "click", "rich", "numpy", "matplotlib", "cffi", "typing", "dataclasses", "enum", "pathlib", "logging", "threading", "subprocess",
    "socketserver", "http", "urllib", "functools", "itertools", "contextlib", "traceback", "tempfile", "shutil", "inspect",
}  # fmt: skip


def modules(room):
    folder = ROOT / room
    return sorted(path.relative_to(ROOT) for path in folder.rglob("*.py")) if folder.is_dir() else []


def imports(path):
    """Top names and full names of what a file imports; relative imports are resolved to its room."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(path.parts[: len(path.parts) - node.level] + ((base,) if base else ()))
            yield base, node.lineno
            for alias in node.names:
                yield base + "." + alias.name, node.lineno


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_downwards_only(room):
    wrong = []
    for path in modules(room):
        for name, line in imports(path):
            top = name.split(".")[0]
            if top not in ROOMS or top in ALLOWED[room] or top == room:
                continue
            if top == "native" and path == NATIVE_USER:
                continue
            wrong.append("%s:%d imports %s" % (path, line, name))
    assert not wrong, "\n".join(wrong)


def test_there_is_something_to_check():
    for room in ("firmware", "hal", "tools", "native"):
        assert modules(room), room


def test_a_wrong_import_is_seen(tmp_path):
    (tmp_path / "wrong.py").write_text("from tools.cli import main\nimport firmware.app\n")
    names = [name for name, _ in imports(Path(str(tmp_path / "wrong.py")))]
    assert "tools.cli" in names and "firmware.app" in names


@pytest.mark.parametrize("name", SANS_IO)
def test_sans_io_modules_see_no_edge(name):
    assert (ROOT / name).is_file(), name + " is listed here but is not there"
    seen = {imported.split(".")[0] for imported, _ in imports(Path(name))} & EDGES
    seen |= {imported for imported, _ in imports(Path(name)) if imported in ("hal.compat.asyncio",)}
    assert not seen, "%s imports %s" % (name, sorted(seen))


def test_device_modules_import_only_what_a_board_has():
    wrong = []
    for path in modules("firmware"):
        for name, line in imports(path):
            if name.split(".")[0] in DESKTOP_ONLY:
                wrong.append("%s:%d imports %s" % (path, line, name))
    assert not wrong, "\n".join(wrong)


def test_run_time_differences_stay_in_hal():
    paths = modules("firmware") + modules("boards")
    wrong = [str(path) for path in paths if "sys.implementation" in (ROOT / path).read_text(encoding="utf-8")]
    assert not wrong
