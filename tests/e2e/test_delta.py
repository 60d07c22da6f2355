"""sim-delta as a process: a program at the rim of the bed, judged by the verifier; the bed measured by a document of its own."""

import json
import subprocess
import sys
import urllib.request

from tests.e2e.helpers_sim import ROOT, Sim, ended, steps_digest, submit
from tools import stepfile

RIM = ROOT / "tests/vectors/programs/delta.gcode"
BED = {"height_mm": -0.2, "tilt_x": 0.001, "tilt_y": 0.0005, "wave_mm": 0.05, "wave_length_mm": 260}


def test_a_print_at_the_rim(tmp_path):
    record = tmp_path / "record.steps"
    with Sim(tmp_path / "state", "--machine", "sim-delta", "--record", str(record)) as sim, sim.client() as client:
        job = ended(client, submit(client, RIM.read_bytes()))
        assert job["job-state"] == "completed", job["job-state-message"]
    assert stepfile.digest(stepfile.StepFile(str(record))) == steps_digest(RIM, "sim-delta")
    verify = [sys.executable, "-m", "tools.verify", str(RIM), str(record)]
    done = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_beyond_the_rim_is_refused_with_its_line(tmp_path):
    with Sim(tmp_path / "state", "--machine", "sim-delta") as sim, sim.client() as client:
        job = ended(client, submit(client, b"G28\nG1 Z5 F9000\nG1 X100 Y100\n"))
        assert job["job-state"] == "aborted"
        assert "line 3" in job["job-state-message"] and "print volume" in job["job-state-message"]


def test_g29_measures_a_bed_that_outlives_the_process(tmp_path):
    machine = tmp_path / "tilted.json"
    machine.write_text(json.dumps({"from": "sim-delta", "printer": {"probe": {"surface": BED}}}))
    plain = "0 to 0 um"
    for text in (b"G28\nG29\nG1 X20 Y10 Z0.3 F9000\nG1 X-50\n", b"G28\nG1 X20 Y10 Z0.3 F9000\n"):
        with Sim(tmp_path / "state", "--machine", str(machine)) as sim, sim.client() as client:
            job = ended(client, submit(client, text))
            assert job["job-state"] == "completed", job["job-state-message"]
            page = urllib.request.urlopen("http://localhost:%d/" % sim.port, timeout=10).read().decode()
            assert "7 x 7 points" in page and plain not in page
