"""From a file to steps through a real process: sent by ipptool and by a client of our own, recorded, judged by the verifier."""

import gzip
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib

import pytest

from hal import factory
from tests.e2e.helpers_sim import GCODE, ROOT, SLICED, Sim, ended, steps_digest, submit, until
from tools import ipp, stepfile, steps

CUBE = SLICED / "prusa_cube.gcode"


def record_digest(path):
    return stepfile.digest(stepfile.StepFile(str(path)))


@pytest.mark.parametrize("machine", ["sim-cartesian", "sim-corexy"])
def test_ipptool_prints_a_sliced_file(tmp_path, machine):
    ipptool = shutil.which("ipptool")
    assert ipptool, "ipptool is missing: install the package cups-ipp-utils"
    record = tmp_path / "record.steps"
    with Sim(tmp_path / "state", "--machine", machine, "--record", str(record)) as sim:
        command = [ipptool, "-tf", str(CUBE), sim.uri, str(ROOT / "tests/e2e/print.test")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("[PASS]") == 4
    assert record_digest(record) == steps_digest(CUBE, machine)
    plain = tmp_path / "plain.steps"  # what a shaped stream is judged by; others are judged by themselves
    with open(CUBE, "rb", buffering=0) as source:
        steps.run(source, CUBE.name, steps.plain_machine(factory.describe(machine), 2), str(plain))
    shaped = any(factory.core_config(factory.describe(machine))["shaper"])
    verify = [sys.executable, "-m", "tools.verify", str(CUBE), str(record), *(["--plain", str(plain)] if shaped else [])]
    done = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok" in done.stdout


def _deflated(data):
    """RFC 1951, without a wrapper."""
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


@pytest.mark.parametrize("name", ["cura_boat", "prusa_plate_arcs"])
def test_own_client_in_every_compression(tmp_path, name):
    path = SLICED / (name + ".gcode")
    record = tmp_path / "record.steps"
    with Sim(tmp_path / "state", "--record", str(record)) as sim, sim.client() as client:
        offered = client.printer_attributes(("compression-supported",))["compression-supported"]
        for compression in offered if isinstance(offered, list) else [offered]:
            data = {"none": bytes, "gzip": gzip.compress, "deflate": _deflated}[compression](path.read_bytes())
            job = ended(client, submit(client, data, compression=compression))
            assert job["job-state"] == "completed", job["job-state-message"]
            assert job["printwright-job-progress"] == 100
            assert record_digest(record) == steps_digest(path)
            record.unlink()


def test_pause_and_resume_by_ipp_leave_the_same_steps(tmp_path):
    record = tmp_path / "record.steps"
    with Sim(tmp_path / "state", "--record", str(record), pace="200") as sim, sim.client() as client:
        job_id = submit(client, CUBE.read_bytes())
        until(lambda: client.job_attributes(job_id), lambda job: job["printwright-job-layer"] >= 2, "layers")
        client.request(0x0010)
        until(client.printer_attributes, lambda printer: printer["printer-state"] == "stopped", "pause")
        printer = client.printer_attributes()
        assert printer["printer-state-reasons"] in ("paused", ["paused"])
        assert client.job_attributes(job_id)["job-state"] == "processing-stopped"
        client.request(0x0011)
        job = ended(client, job_id)
        assert job["job-state"] == "completed", job["job-state-message"]
    assert record_digest(record) == steps_digest(CUBE)


def test_cancel_while_it_prints(tmp_path):
    with Sim(tmp_path / "state", pace="50") as sim, sim.client() as client:
        job_id = submit(client, CUBE.read_bytes())
        until(lambda: client.job_attributes(job_id), lambda job: job["printwright-job-layer"] >= 1, "layers")
        client.cancel_job(job_id)
        job = ended(client, job_id)
        assert job["job-state"] == "canceled" and "job-canceled-by-user" in job["job-state-reasons"]
        printer = until(client.printer_attributes, lambda printer: printer["printer-state"] == "idle", "idle")
        assert all(heater["target"] == 0 for heater in printer["printwright-temperatures"])


@pytest.mark.parametrize(
    "text, place",
    [
        (b"G28\nG1 X5 Y5 F3000\nM500\n", "line 3, column 1: M500"),
        (b"G28\nG1 X5 Y5 F3000\nG1 X500\n", "line 3, column 4"),
        (b"G28\nG1 X5\n", "line 2, column 1"),
        (b"M104 S400\nG28\n", "line 1, column 1: M104"),
        (b"G28\nG1 X1e9 F600\n", "line 2, column "),
        (b"G28\nG1 X" + b"9" * 300 + b" F600\n", "line 2, column "),
        (b"G28\nT1\nG1 X5 F600\n", "line 2, column 1: T1"),
        (b"G28\nG18\nG2 X5 Z5 I5 F600\n", "line 3, column "),
        (b"G28\nG10\n", "line 2, column 1: G10"),
        (b"M601\nG28\n", "line 1, column 1: M601"),
    ],
)
def test_refused_gcode_says_where(tmp_path_factory, text, place, refusing):
    with refusing.client() as client:
        job = ended(client, submit(client, text))
        assert job["job-state"] == "aborted"
        assert set(job["job-state-reasons"]) & {"document-format-error", "document-unprintable-error"}, job
        assert job["job-state-message"].startswith(place), job["job-state-message"]
        assert job["time-at-processing"] is None or "processing" not in job["job-state-message"]


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """A printer that is only told what it must refuse."""
    with Sim(tmp_path_factory.mktemp("refusing") / "state") as sim:
        yield sim


def test_two_clients_at_once(tmp_path):
    data = CUBE.read_bytes()
    with Sim(tmp_path / "state") as sim, sim.client("one") as one, sim.client("two") as two:
        first, second = one.create_job("a"), two.create_job("b")

        def slowly():
            # the other client's document goes through meanwhile
            half = len(data) // 2
            yield data[:half]
            two.send_document(second, [data], "b.gcode", GCODE)
            yield data[half:]

        one.send_document(first, slowly(), "a.gcode", GCODE)
        assert ended(one, first)["job-state"] == "completed"
        assert ended(two, second)["job-state"] == "completed"
        assert one.job_attributes(first)["job-originating-user-name"] == "one"


def test_jobs_are_taken_while_one_prints(tmp_path):
    with Sim(tmp_path / "state", pace="20") as sim, sim.client() as client:
        first = submit(client, CUBE.read_bytes())
        until(lambda: client.job_attributes(first), lambda job: job["job-state"] == "processing", "processing")
        others = [submit(client, CUBE.read_bytes()) for _ in range(5)]
        jobs = {job["job-id"]: job for job in client.jobs(names=("job-id", "job-state"))}
        assert sorted(jobs) == [first, *others]
        assert [jobs[job_id]["job-state"] for job_id in others] == ["pending"] * 5
        for job_id in others:
            client.cancel_job(job_id)
        assert [job["job-id"] for job in client.jobs(names=("job-id",))] == [first]


def test_client_that_vanishes_in_a_document(tmp_path):
    with Sim(tmp_path / "state") as sim, sim.client() as client:
        job_id = client.create_job("half")

        def broken():
            yield b"G28\nG1 X10 F600\n" * 1000
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), sim.client() as other:
            other.send_document(job_id, broken(), "half.gcode", GCODE)
        job = ended(client, job_id)
        assert job["job-state"] == "aborted" and "aborted-by-system" in job["job-state-reasons"]
        assert ended(client, submit(client, CUBE.read_bytes()))["job-state"] == "completed"


def test_full_disk(tmp_path):
    with Sim(tmp_path / "state", "--capacity", "100000") as sim, sim.client() as client:
        big = (SLICED / "prusa_plate_arcs.gcode").read_bytes()
        assert len(big) > 100000
        job_id = client.create_job("big")
        with pytest.raises(ipp.Refused):
            client.send_document(job_id, [big], "big.gcode", GCODE)
        job = ended(client, job_id)
        assert job["job-state"] == "aborted" and "stored" in job["job-state-message"]
        assert ended(client, submit(client, CUBE.read_bytes()))["job-state"] == "completed"


def test_sensor_fault_stops_job_and_printer(tmp_path):
    with Sim(tmp_path / "state", "--fault", "sensor-open:nozzle@100") as sim, sim.client() as client:
        job = ended(client, submit(client, CUBE.read_bytes()))
        assert job["job-state"] == "aborted" and "nozzle" in job["job-state-message"]
        assert "aborted-by-system" in job["job-state-reasons"]
        printer = client.printer_attributes()
        assert printer["printer-state"] == "stopped"
        assert "extruder-failure-error" in printer["printer-state-reasons"]
        assert all(heater["target"] == 0 for heater in printer["printwright-temperatures"])
        waiting = submit(client, CUBE.read_bytes())
        time.sleep(0.3)
        assert client.job_attributes(waiting)["job-state"] == "pending"


def test_kill_in_the_middle_of_a_print(tmp_path):
    state = tmp_path / "state"
    with Sim(state, pace="20") as sim, sim.client() as client:
        done = submit(client, b"G28\nG1 X10 F6000\n", "done")
        assert ended(client, done)["job-state"] == "completed"
        printing = submit(client, CUBE.read_bytes(), "printing")
        waiting = submit(client, CUBE.read_bytes(), "waiting")
        open_job = client.create_job("open")
        until(lambda: client.job_attributes(printing), lambda job: job["job-state"] == "processing", "processing")
        uuids = {job_id: client.job_attributes(job_id)["job-uuid"] for job_id in (done, printing, waiting, open_job)}
        sim.end(signal.SIGKILL)
    with Sim(state) as sim, sim.client() as client:
        jobs = {job_id: client.job_attributes(job_id) for job_id in uuids}
        assert {job_id: job["job-uuid"] for job_id, job in jobs.items()} == uuids
        assert jobs[done]["job-state"] == "completed"
        assert jobs[printing]["job-state"] == "aborted" and "power was lost" in jobs[printing]["job-state-message"]
        assert jobs[open_job]["job-state"] == "aborted"
        assert ended(client, waiting)["job-state"] == "completed"
        assert client.create_job("next") > open_job


def test_answers_stay_quick_while_it_prints(tmp_path):
    """Not a measurement: a printer that computes for seconds without answering would fail here."""
    with Sim(tmp_path / "state") as sim, sim.client() as client:
        job_ids = [submit(client, CUBE.read_bytes()) for _ in range(3)]
        answers = 0
        while client.job_attributes(job_ids[-1], ("job-state",))["job-state"] not in ("completed", "aborted"):
            answers += 1
        assert answers > 20


def test_half_a_request_and_rubbish_hurt_nobody(tmp_path):
    with Sim(tmp_path / "state") as sim, sim.client() as client:
        for rubbish in (b"POST /ipp/print3d HTTP/1.1\r\nContent-", b"\0\1\2\3" * 100, struct.pack(">II", 1, 2) * 1000):
            with socket.create_connection(("127.0.0.1", sim.port), timeout=10) as link:
                link.sendall(rubbish)
        assert ended(client, submit(client, CUBE.read_bytes()))["job-state"] == "completed"
        assert "Traceback" not in sim.said


def test_ready_line_and_clean_ends(tmp_path):
    for number in (signal.SIGTERM, signal.SIGINT):
        sim = Sim(tmp_path / "state", pace="5")
        assert set(sim.ready) == {"event", "uri", "port", "pid"}
        assert sim.ready["event"] == "ready" and sim.ready["pid"] == sim.process.pid
        assert re.fullmatch(r"ipps://localhost:%d/ipp/print3d" % sim.port, sim.secure_uri)
        with sim.client() as client:
            submit(client, CUBE.read_bytes())
            until(client.printer_attributes, lambda printer: printer["printer-state"] == "processing", "processing")
        assert sim.end(number) == (0, "")
    with Sim(tmp_path / "state") as sim, sim.client() as client:
        jobs = client.jobs("completed", ("job-state", "job-state-message"))
        assert [job["job-state"] for job in jobs] == ["aborted"] * 2
        assert all("switched off" in job["job-state-message"] for job in jobs)
