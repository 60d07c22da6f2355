"""`printwright sim` as a process of its own, as a user would start it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from tools import ipp

ROOT = Path(__file__).resolve().parents[2]
SLICED = ROOT / "tests" / "vectors" / "sliced"
GCODE = "text/x-gcode"
ENDED = ("canceled", "aborted", "completed")
PATIENCE_S = 40  # no test needs it; it ends what hangs


def cli(*args, **how):
    """Runs the command to its end: CompletedProcess with text."""
    return subprocess.run(
        [sys.executable, "-m", "tools.cli.main", *args], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False, **how
    )


class Sim:
    """A context: the process runs inside.  state: its folder (of the test's own); args: more of the command line."""

    def __init__(self, state, *args, pace="max"):
        command = [sys.executable, "-m", "tools.cli.main", "sim", "--port", "0", "--pace", pace, "--state", str(state), *args]
        self.log = open(str(state) + ".log", "a+")
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise AssertionError("sim did not start: " + self.log.read())
        self.ready = json.loads(line)
        self.port = self.ready["port"]
        self.uri = "ipp://localhost:%d/ipp/print3d" % self.port
        self.secure_uri = self.ready["uri"]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.end()

    def client(self, user="tester"):
        return ipp.Printer(self.uri, user)

    def end(self, number=signal.SIGTERM):
        """(exit status, what it wrote on standard output after the ready line)."""
        if self.process.stdout.closed:
            return self.process.returncode, ""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            rest = self.process.stdout.read()
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
            self.log.close()
        return self.process.returncode, rest

    @property
    def said(self):
        """Standard error so far."""
        return Path(self.log.name).read_text()


def submit(client, data, name="part", document_format=GCODE, compression=None, ticket=()):
    """Create-Job and Send-Document; the job-id."""
    job_id = client.create_job(name, ticket)
    client.send_document(job_id, [data], name + ".gcode", document_format, compression)
    return job_id


def until(look, condition, what):
    """Asks look() again and again until condition(answer); the answer."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = look()
        if condition(answer):
            return answer
        assert time.monotonic() < end, "%s: nothing happens, last seen %r" % (what, answer)
        time.sleep(0.02)


def ended(client, job_id):
    """The job's attributes once it has ended."""
    return until(lambda: client.job_attributes(job_id), lambda job: job["job-state"] in ENDED, "job %d" % job_id)


def steps_digest(path, machine=None):
    """sha256 of `printwright steps`."""
    done = cli("steps", str(path), "--json", *(["--machine", str(machine)] if machine else []))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["sha256"]

