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


def load(port, path, seconds=SECONDS, connections=CONNECTIONS, host="127.0.0.1"):
    """Figures of bench/ipp_load.py, with `per_s`."""
    command = [sys.executable, "-m", "bench.ipp_load", host, str(port), path, str(connections), str(seconds)]
    figures = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    figures["per_s"] = round(figures["answers"] / figures["wall_s"])
    return figures


def cpu_s(process):
    """CPU seconds of a running process (Linux)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def jobs(port, count):
    """Create-Job and Send-Document of JOB_BYTES on CONNECTIONS connections at once: jobs a second, and how many are kept."""
    document = (DOCUMENT.read_bytes() * 4)[:JOB_BYTES]
    ids = []
    refused = []

    def send(number):
        with ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
            for _ in range(number):
                try:
                    job_id = printer.create_job("bench")
                    printer.send_document(job_id, [document], "bench.gcode", "text/x-gcode")
                    ids.append(job_id)
                except ipp.Refused as error:
                    refused.append(str(error))

    threads = [threading.Thread(target=send, args=(count // CONNECTIONS,)) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.perf_counter() - begun
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
    if shutil.which("ippeveprinter"):
        log("the same of ippeveprinter")
        try:
            with ippeveprinter() as port:
                result["ippeveprinter"] = load(port, "/ipp/print", host="localhost")
                ratio = result["get_printer_attributes"]["per_s"] / result["ippeveprinter"]["per_s"]
                result["ratio_to_ippeveprinter"] = round(ratio, 2)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            result["ippeveprinter"] = {"error": str(error)}
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
        result["jobs"] = jobs(port, JOBS)
    return result


if __name__ == "__main__":
    print(json.dumps(run(lambda text: print("bench: " + text, file=sys.stderr)), indent=1))
