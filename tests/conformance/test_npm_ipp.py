"""An independent client, the npm package `ipp`, reads the printer and prints unmodified, plain and over TLS."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.test_ipptool import SQUARE, simulated

HERE = Path(__file__).resolve().parent
NODE = Path(sys.executable).parent / "node"


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    with simulated("sim-cartesian", tmp_path_factory.mktemp("npm")) as uri:
        yield uri


@pytest.mark.parametrize("scheme", ["ipp", "ipps"])
def test_the_printer_and_a_job_as_the_npm_client_sees_them(uri, scheme, tmp_path):
    document = tmp_path / "square.gcode"
    document.write_text(SQUARE)
    command = [str(NODE), "--no-warnings", str(HERE / "npm_ipp.cjs"), uri.replace("ipp:", scheme + ":"), str(document)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])  # before it, the package wonders at out-of-band values
    assert seen["version"] == "2.0"
    assert seen["status"] == ["successful-ok"] * 5 + ["client-error-not-found"]
    printer = seen["printer"]
    assert printer["printer-state"] in ("idle", "processing") and "ipp-3d" in printer["ipp-features-supported"]
    assert scheme + "://" in "".join(printer["printer-uri-supported"])
    assert printer["printer-volume-supported"] == {"x-dimension": 23500, "y-dimension": 23500, "z-dimension": 25000}
    assert isinstance(printer["materials-col-database"], list) and printer["materials-col-database"][0]["material-key"]
    job = seen["job"]
    assert job["job-state"] == "completed" and job["job-name"] == "from node" and job["job-originating-user-name"] == "node", job
    assert job["materials-col-actual"]["material-name"] == printer["materials-col-ready"]["material-name"]
    assert job["job-id"] in [told["job-id"] for told in seen["jobs"]]
