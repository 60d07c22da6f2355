"""`make demo`: a simulated printer as a process of its own prints a sliced model that comes over IPP.

Leaves in build/demo/: the printer's state (flash with the journal, documents), the recorded steps, a picture of the tool path.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from tools import ipp, stepfile, view
from tools.cli.common import duration

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MODEL = os.path.join("tests", "vectors", "sliced", "prusa_gear_relative_e.gcode")
FOLDER = os.path.join("build", "demo")
PACE = "25"  # machine seconds a second: the print is to be seen
PATIENCE_S = 120
_ENDED = ("canceled", "aborted", "completed")


class DemoFailed(Exception):
    """What went wrong, in a sentence."""


def start(folder: str) -> tuple[subprocess.Popen, dict]:
    """The simulated printer and its ready line."""
    state = os.path.join(folder, "state")
    config = os.path.join(folder, "config")
    for old in (state, config):
        shutil.rmtree(old, ignore_errors=True)
    # a new printer has a new certificate each time; the user's own list of them stays as it is
    os.environ["XDG_CONFIG_HOME"] = os.path.abspath(config)
    command = [sys.executable, "-m", "tools.cli.main", "sim", "--port", "0", "--pace", PACE, "--state", state]
    command += ["--record", os.path.join(folder, "print.steps")]
    with open(os.path.join(folder, "sim.log"), "w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        with open(os.path.join(folder, "sim.log")) as log:
            raise DemoFailed("the simulated printer did not start: " + log.read().strip())
    return process, json.loads(line)


def send(printer: ipp.Printer, path: str) -> int:
    """Create-Job and Send-Document; the job-id."""
    job_id = printer.create_job(os.path.basename(path))
    with open(path, "rb") as file:
        printer.send_document(job_id, [file.read()], os.path.basename(path), "text/x-gcode")
    return job_id


def watch(printer: ipp.Printer, job_id: int, console: Console) -> tuple[dict, dict]:
    """Shows progress until the job has ended: (its last attributes, {heater: highest temperature seen})."""
    peaks: dict[str, int] = {}
    job: dict = {}
    columns = (TextColumn("{task.description}"), BarColumn(40), TaskProgressColumn(), TextColumn("{task.fields[detail]}"))
    deadline = time.monotonic() + PATIENCE_S
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("printing", total=100, detail="")
        while job.get("job-state") not in _ENDED:
            if time.monotonic() > deadline:
                raise DemoFailed("the job takes too long; it is %s" % job.get("job-state"))
            job = printer.job_attributes(job_id)
            heat = printer.printer_attributes(("printwright-temperatures",)).get("printwright-temperatures") or []
            told = []
            for part in heat:
                name, current = part.get("name"), part.get("current")
                if isinstance(current, int):
                    peaks[name] = max(current, peaks.get(name, current))
                    told.append("%s %d °C" % (name, current))
            detail = "layer %s, %s" % (job.get("printwright-job-layer") or "-", ", ".join(told))
            bar.update(task, completed=job.get("printwright-job-progress") or 0, detail=detail)
            time.sleep(0.1)
    return job, peaks


def summary(folder: str, job: dict, peaks: dict) -> list[tuple[str, str]]:
    """What there is to say at the end: (label, text) a line."""
    steps = stepfile.StepFile(os.path.join(folder, "print.steps"))
    header = steps.header
    count = {motor["name"]: motor["count"] for motor in header["steppers"]}
    last = max(int(steps.ticks(number)[-1]) for number in range(len(count)) if header["steppers"][number]["count"])
    lines = []
    reasons = job.get("job-state-reasons") or []
    lines.append(("job state", "%s (%s)" % (job["job-state"], ", ".join(reasons if isinstance(reasons, list) else [reasons]))))
    if job.get("job-state-message"):
        lines.append(("message", job["job-state-message"]))
    lines.append(("print time", duration(last // header["clock_hz"]) + " of motion"))
    lines.append(("steps", "%d (%s)" % (sum(count.values()), ", ".join("%s %d" % item for item in count.items()))))
    lines.append(("step stream", stepfile.digest(steps)))
    lines.append(("peak temperature", ", ".join("%s %d °C" % item for item in peaks.items())))
    lines.append(("journal", os.path.join(folder, "state", "flash.bin")))
    return lines


def main() -> int:
    """Exit status: 0 when the job completed."""
    os.chdir(ROOT)
    console = Console(stderr=True)
    os.makedirs(FOLDER, exist_ok=True)
    process = None
    try:
        process, ready = start(FOLDER)
        console.print("a simulated printer prints %s by IPP at %s" % (MODEL, ready["uri"]), highlight=False)
        with ipp.Printer(ready["uri"]) as printer:
            job, peaks = watch(printer, send(printer, MODEL), console)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        if job["job-state"] != "completed":
            raise DemoFailed("the job is %s: %s" % (job["job-state"], job.get("job-state-message")))
        lines = summary(FOLDER, job, peaks)
        picture = os.path.join(FOLDER, "toolpath.png")
        view.toolpath_picture(MODEL, picture)
        for label, text in [*lines, ("tool path", picture)]:
            print("%-18s%s" % (label, text))
    except (DemoFailed, ipp.ClientError, OSError, stepfile.StepFileError, view.NothingToDraw) as error:
        console.print("demo: %s" % error, highlight=False, style="red")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
