"""The running printer judged by ipptool (cups-ipp-utils): test files of our own beside this one, and those of the package that apply.

Each file of ours and each suite has a `sim` of its own, so that the order of the tests does not matter; what only asks shares one.  A
missing ipptool fails: nothing is skipped silently.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.web import icon

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = "cups-ipp-utils"
PACKAGE_FILES = Path("/usr/share/cups/ipptool")

SQUARE = "; a square in the air\nG28\nG1 X50 Y50 Z1 F6000\nG1 X60 Y50\nG1 X60 Y60\nG1 X50 Y60\nG1 X50 Y50\n"
DOCUMENTS = {
    "square.gcode": SQUARE.encode(),
    "warm.gcode": b"G28\nM190 S45\nG1 X5 Y5 F3000\nM140 S0\n",
    "objects.gcode": b"G28\nEXCLUDE_OBJECT_DEFINE NAME=cube CENTER=20,20\nM83\nEXCLUDE_OBJECT_START NAME=cube\nG1 X20 Y20 F6000\n"
    b"EXCLUDE_OBJECT_END\nEXCLUDE_OBJECT_START NAME=ball\nG1 X90 Y20\nEXCLUDE_OBJECT_END\nG1 X0\n",
    "forbidden.gcode": b"G28\nG1 X5 Y5 F3000\nM500\n",
    "de.strings": b'"job-state.9" = "Fertig gedruckt";\n',
    "logo.png": icon.SMALL,
    "not-gcode.bin": b"PK\x03\x04\x00\x00 no text at all\x00",
}
OWN = ["requests", "printer", "tickets", "jobs", "queue", "operations", "musts", "platform", "objects", "notifications", "system"]
# Files of the package that make sense without Print-Job, media and sheets of paper, none of which a 3D printer has.
STOCK = [
    "get-printer-description-attributes",
    "get-jobs",
    "get-completed-jobs",
    "validate-job",
    "create-job",
    "identify-printer",
    "identify-printer-multiple",
    "identify-printer-display",
]
# The package's IPP/1.1 suite demands Print-Job, which PWG 5100.21-2019 forbids a 3D printer to have; nothing else of it may fail.
SUITE_FAILS = (
    "RFC 8011 section 4.2.1: Print-Job Operation",
    "RFC 8011 section 4.2.5: Get-Printer-Attributes Operation (default)",
)


def tool():
    found = shutil.which("ipptool")
    assert found, f"ipptool is missing: install the package {PACKAGE}"
    return found


@contextlib.contextmanager
def simulated(machine, folder):
    """The URI of a simulated printer, plain."""
    command = [sys.executable, "-m", "tools.cli.main", "sim", "--machine", machine, "--port", "0", "--pace", "max"]
    command += ["--state", str(folder / "state")]
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline()
            log.seek(0)
            assert line, "sim did not start: " + log.read()
            yield json.loads(line)["uri"].replace("ipps:", "ipp:")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            log.seek(0)
            assert "Traceback" not in log.read()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()


@pytest.fixture(scope="module", params=["ipp", "ipps"])
def printer(request, tmp_path_factory):
    with simulated("sim-cartesian", tmp_path_factory.mktemp("sim")) as uri:
        yield uri.replace("ipp:", request.param + ":")


@pytest.fixture(params=["ipp", "ipps"])
def fresh_printer(request, tmp_path_factory):
    with simulated("sim-cartesian", tmp_path_factory.mktemp("sim")) as uri:
        yield uri.replace("ipp:", request.param + ":")


@pytest.fixture
def folder(tmp_path):
    for name, data in DOCUMENTS.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def run(uri, file, folder, timeout_s=100):
    """([name of each case that passed], {name: text about it} of those that failed, whole output)."""
    command = [tool(), "-I", "-t", "-f", "square.gcode", uri, str(file)]
    # libcups remembers certificates in the user's home
    environment = dict(os.environ, HOME=str(folder))
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout_s)
    output = done.stdout + done.stderr
    passed = []
    failed = {}
    name = None
    for line in output.splitlines():
        match = re.match(r"    (\S.*?)\s*\[(PASS|FAIL|SKIP|\d+)\]$", line)
        if match:
            name = match[1] if match[2] == "FAIL" else None
            if match[2] == "PASS":
                passed.append(match[1])
            elif name:
                failed[name] = ""
        elif name:
            failed[name] += line + "\n"
    return passed, failed, output


def cases(text):
    return len(re.findall(r"^\s*NAME ", text, re.M))


@pytest.mark.parametrize("name", OWN)
def test_own_files(fresh_printer, folder, name):
    for file in HERE.glob("*.test"):
        shutil.copy(file, folder)
    passed, failed, output = run(fresh_printer, folder / (name + ".test"), folder)
    assert not failed, output
    # a file that ipptool cannot read to its end must not pass
    assert len(passed) == cases((HERE / (name + ".test")).read_text()), output


def test_machine_with_a_chamber(tmp_path_factory, folder):
    file = HERE / "chamber.test"
    with simulated("sim-corexy", tmp_path_factory.mktemp("corexy")) as uri:
        passed, failed, output = run(uri, file, folder)
    assert not failed, output
    assert len(passed) == cases(file.read_text()), output


def test_material_that_is_asked_for_and_remembered(tmp_path_factory, folder):
    state = tmp_path_factory.mktemp("material")
    for name in ("materials", "loaded"):
        file = HERE / (name + ".test")
        with simulated("sim-cartesian", state) as uri:
            passed, failed, output = run(uri, file, folder)
        assert not failed, output
        assert len(passed) == cases(file.read_text()), output


@pytest.mark.parametrize("name", STOCK)
def test_files_of_the_package(printer, folder, name):
    file = PACKAGE_FILES / (name + ".test")
    assert file.exists(), f"{file} is missing: install the package {PACKAGE}"
    passed, failed, output = run(printer, file, folder)
    assert passed and not failed, output


def test_ipp_1_1_suite_of_the_package(fresh_printer, folder):
    file = PACKAGE_FILES / "ipp-1.1.test"
    assert file.exists(), f"{file} is missing: install the package {PACKAGE}"
    # it asks for jobs that its own Print-Job would have made
    made, failed, output = run(fresh_printer, HERE / "jobs.test", folder)
    assert made and not failed, output
    passed, failed, output = run(fresh_printer, file, folder)
    allowed = [name[:68] for name in SUITE_FAILS]
    assert all(name[:68] in allowed for name in failed), output
    assert len(passed) >= 20, output


def test_a_wrong_answer_is_noticed(printer, folder):
    text = (HERE / "printer.test").read_text().replace("WITH-VALUE ipp-3d", "WITH-VALUE ipp-everywhere")
    (folder / "wrong.test").write_text(text)
    _, failed, output = run(printer, folder / "wrong.test", folder)
    assert list(failed) == ["PWG 5100.21: required attributes of other documents"], output
