"""IPP over loopback: answers a second, latency, jobs a second, time to the first answer; a peer in the same minute where there is one.

Client and printer are separate processes.  Needs nothing but the environment; `ippeveprinter` (CUPS), when installed, is asked the
same by the same client.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tools import ipp

CONNECTIONS = 8
SECONDS = 5
JOBS = 200
JOB_BYTES = 100_000
START_TIMEOUT_S = 30
THREE = ("printer-state", "printer-state-reasons", "printer-is-accepting-jobs")  # what a queue's client polls
MANY_JOBS = 10_000
SMALL = b"; nothing to print: it is kept as an aborted job\n"
DOCUMENT = Path("tests/vectors/sliced/prusa_cube.gcode")


@contextlib.contextmanager
def sim(*options):
    """A running `printwright sim` on a free port: yields (port, seconds until it was ready, process)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tools.cli.main", "sim", "--port", "0", "--state", os.path.join(folder, "state"), *options]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("the simulator does not start")
            yield json.loads(line)["port"], time.perf_counter() - begun, process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_TIMEOUT_S)
            process.stdout.close()


@contextlib.contextmanager
def ippeveprinter():
    """CUPS's sample printer on a free port: yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = ["ippeveprinter", "-d", folder, "-p", str(port), "-n", "localhost", "-r", "off", "bench"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("localhost", port), 1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > end:
                        raise RuntimeError("ippeveprinter does not start") from None
                    time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def load(port, path, names=(), seconds=SECONDS, connections=CONNECTIONS, host="127.0.0.1"):
    """Figures of bench/ipp_load.py, with `per_s`.  names: attributes to ask for, all without one."""
    command = [sys.executable, "-m", "bench.ipp_load", host, str(port), path, str(connections), str(seconds), *names]
    figures = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + 30).stdout)
    figures["per_s"] = round(figures["answers"] / figures["wall_s"])
    return figures


def cpu_s(process):
    """CPU seconds of a running process (Linux)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(process):
    """(now, at most so far) of a running process (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}
    return found["VmRSS"], found["VmHWM"]


def jobs(port, count, document, patient=False):
    """Create-Job and Send-Document on CONNECTIONS connections at once: jobs a second, and how many are kept.

    patient: a full queue is waited for, and how many are kept is not asked, since the history is bounded.
    """
    ids = []
    refused = []

    def send(number):
        with ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
            done = 0
            while done < number:
                try:
                    job_id = printer.create_job("bench")
                    printer.send_document(job_id, [document], "bench.gcode", "text/x-gcode")
                    ids.append(job_id)
                except ipp.Refused as error:
                    if patient:
                        time.sleep(0.05)
                        continue
                    refused.append(str(error))
                done += 1

    threads = [threading.Thread(target=send, args=(count // CONNECTIONS,)) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.perf_counter() - begun
    if patient:
        return {"accepted": len(ids), "per_s": round(len(ids) / wall_s, 1)}
    with ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
        kept = {job["job-id"] for job in printer.jobs("all", ("job-id",))}
    return {
        "bytes": len(document),
        "accepted": len(ids),
        "refused": len(refused),
        "kept": len(kept.intersection(ids)),
        "per_s": round(len(ids) / wall_s, 1),
        "why_refused": sorted(set(refused)),
    }


def first_answer_s():
    """Seconds from the start of the process to the first answer."""
    begun = time.perf_counter()
    with sim() as (port, ready_s, _), ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
        printer.printer_attributes(("printer-state",))
        return {"ready_s": round(ready_s, 3), "first_answer_s": round(time.perf_counter() - begun, 3)}


def run(log):
    """The benchmark: a dict of figures."""
    result = {"connections": CONNECTIONS}
    log("time to the first answer")
    result["start"] = first_answer_s()
    with sim() as (port, _, process):
        log("Get-Printer-Attributes, %d connections" % CONNECTIONS)
        before = cpu_s(process)
        result["get_printer_attributes"] = load(port, "/ipp/print3d")
        used = cpu_s(process) - before
        result["get_printer_attributes"]["server_cpu_us_each"] = round(used / result["get_printer_attributes"]["answers"] * 1e6)
        result["three_attributes"] = load(port, "/ipp/print3d", THREE)
    if shutil.which("ippeveprinter"):
        log("the same of ippeveprinter")
        rows = (("get_printer_attributes", "ippeveprinter", ()), ("three_attributes", "ippeveprinter_three", THREE))
        for ours, theirs, names in rows:
            try:
                with ippeveprinter() as port:
                    result[theirs] = load(port, "/ipp/print", names, host="localhost")
                result["ratio_to_" + theirs] = round(result[ours]["per_s"] / result[theirs]["per_s"], 2)
            except (RuntimeError, subprocess.SubprocessError) as error:
                result[theirs] = {"error": "%s (it needs running dbus and avahi daemons)" % error}
    else:
        result["ippeveprinter"] = {"error": "not installed (Debian package cups-ipp-utils)"}
    with sim("--pace", "realtime") as (port, _, _):
        log("latency while a print runs in real time")
        with ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
            job_id = printer.create_job("bench")
            printer.send_document(job_id, [DOCUMENT.read_bytes()], "bench.gcode", "text/x-gcode")
            time.sleep(1)
            result["while_printing"] = load(port, "/ipp/print3d", connections=1)
            result["while_printing"]["job_state"] = printer.job_attributes(job_id, ("job-state",))["job-state"]
    with sim("--pace", "realtime") as (port, _, _):
        log("Create-Job and Send-Document of %d bytes" % JOB_BYTES)
        result["jobs"] = jobs(port, JOBS, (DOCUMENT.read_bytes() * 4)[:JOB_BYTES])
    with sim("--pace", "max") as (port, _, process):
        log("memory after %d jobs" % MANY_JOBS)
        begun = rss_bytes(process)[0]
        result["many_jobs"] = jobs(port, MANY_JOBS, SMALL, patient=True)
        _wait_for_the_last(port)
        result["many_jobs"].update(zip(("rss_bytes", "rss_peak_bytes"), rss_bytes(process), strict=True), rss_at_start_bytes=begun)
    return result


def _wait_for_the_last(port):
    with ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
        while printer.printer_attributes(("queued-job-count",))["queued-job-count"]:
            time.sleep(0.2)


if __name__ == "__main__":
    print(json.dumps(run(lambda text: print("bench: " + text, file=sys.stderr)), indent=1))
