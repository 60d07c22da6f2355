"""Twenty watchers while a print runs: time from an event to the client that waits for it, time of other answers meanwhile, and whether the
steps are those of a print that nobody watched.

Watchers and printer are separate processes; latency of events: between two watchers' answers with the same event, the first and the last.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.ipp import DOCUMENT, sim
from firmware.ipp import tags
from tools import ipp, stepfile

WATCHERS = 20
PACE = "20"  # times real time: the part takes some ten seconds
PROBES_PER_S = 50
_SUBSCRIBE, _FETCH = 0x16, 0x1C
_EVENTS = ("job-state-changed", "job-progress", "printer-state-changed")
_NAMES = ("printer-state", "printer-state-reasons", "queued-job-count")


def _watch(port):
    """A watcher's process: {sequence number: time of the answer}, one JSON line at the end."""
    seen = {}
    with ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
        group = [("notify-pull-method", [(tags.KEYWORD, "ippget")]), ("notify-events", [(tags.KEYWORD, event) for event in _EVENTS])]
        answer = printer.request(_SUBSCRIBE, (), [(tags.SUBSCRIPTION_GROUP, group)])
        id = answer.group(tags.SUBSCRIPTION_GROUP)["notify-subscription-id"]
        print("ready", flush=True)
        over = False
        while not over:
            extra = [
                ("notify-subscription-ids", [(tags.INTEGER, id)]),
                ("notify-sequence-numbers", [(tags.INTEGER, len(seen) + 1)]),
                ("notify-wait", [(tags.BOOLEAN, True)]),
            ]
            events = printer.request(_FETCH, extra).all(tags.EVENT_GROUP)
            now = time.monotonic()
            for event in events:
                seen[event["notify-sequence-number"]] = now
                over = over or event.get("job-state") == "completed"
    print(json.dumps(seen), flush=True)


def run(log):
    """{"watchers", "events", "spread_ms": {...}, "answer_ms": {...}, "same_digest"}."""
    log("%d watchers while a part prints" % WATCHERS)
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "steps"
        with sim("--pace", PACE, "--record", str(record)) as (port, _, _):
            command = [sys.executable, "-m", "bench.watchers", str(port)]
            watchers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WATCHERS)]
            for watcher in watchers:
                watcher.stdout.readline()  # pyright: ignore[reportOptionalMemberAccess]
            took = []
            with ipp.Printer(f"ipp://127.0.0.1:{port}/ipp/print3d") as printer:
                job_id = printer.create_job("watched")
                printer.send_document(job_id, [DOCUMENT.read_bytes()], "watched.gcode", "text/x-gcode", None)
                over = False
                while not over:
                    begun = time.perf_counter()
                    printer.printer_attributes(_NAMES)
                    took.append((time.perf_counter() - begun) * 1000)
                    time.sleep(1 / PROBES_PER_S)
                    over = len(took) % PROBES_PER_S == 0 and printer.job_attributes(job_id)["job-state"] == "completed"
            seen = [json.loads(watcher.communicate(timeout=60)[0].splitlines()[-1]) for watcher in watchers]
        numbers = set.intersection(*[set(times) for times in seen])
        spread = [(max(times[number] for times in seen) - min(times[number] for times in seen)) * 1000 for number in numbers]
        alone = json.loads(
            subprocess.run(
                [sys.executable, "-m", "tools.cli.main", "steps", str(DOCUMENT), "--json"], capture_output=True, text=True, check=True
            ).stdout
        )["sha256"]
        same = stepfile.digest(stepfile.StepFile(str(record))) == alone
    return {
        "watchers": WATCHERS,
        "events": len(numbers),
        "events_missed": sum(len(times) != len(numbers) for times in seen),
        "spread_ms": _figures(spread),
        "answer_ms": _figures(took),
        "same_digest": same,
    }


def _figures(values):
    values = sorted(values)
    return {
        "median": round(statistics.median(values), 2),
        "p99": round(values[min(len(values) - 1, len(values) * 99 // 100)], 2),
        "max": round(values[-1], 2),
    }


if __name__ == "__main__":
    _watch(int(sys.argv[1]))
