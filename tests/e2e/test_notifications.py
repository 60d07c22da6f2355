"""Notifications of `printwright sim`: over a restart, and with twenty watchers while a print runs, which do not change a step of it."""

import threading

import pytest

from firmware.ipp import tags
from tests.e2e.helpers_sim import SLICED, Sim, ended, steps_digest, submit
from tools import ipp, stepfile

CREATE_PRINTER, CREATE_JOB, GET = 0x16, 0x17, 0x1C
WATCHERS = 20
FILE = SLICED / "cura_cube.gcode"


def subscribe(client, events, *members, operation=CREATE_PRINTER, extra=()):
    """The id of a new subscription."""
    group = [("notify-pull-method", [(tags.KEYWORD, "ippget")]), ("notify-events", [(tags.KEYWORD, event) for event in events]), *members]
    answer = client.request(operation, extra, [(tags.SUBSCRIPTION_GROUP, group)])
    return answer.group(tags.SUBSCRIPTION_GROUP)["notify-subscription-id"]


def fetch(client, id, first=1, wait=False):
    """[event, ...] as {name: value}."""
    extra = [("notify-subscription-ids", [(tags.INTEGER, id)]), ("notify-sequence-numbers", [(tags.INTEGER, first)])]
    return client.request(GET, extra + [("notify-wait", [(tags.BOOLEAN, wait)])]).all(tags.EVENT_GROUP)


def test_over_a_restart(tmp_path):
    endless = ("notify-lease-duration", [(tags.INTEGER, 0)])
    with Sim(tmp_path / "state") as sim, sim.client() as client:
        leased = subscribe(client, ["job-state-changed"])
        kept = subscribe(client, ["job-completed", "printer-restarted"], endless)
        client.request(ipp.PAUSE_PRINTER)
        job_id = submit(client, b"G28\nG1 X10 F6000\n")
        of_job = subscribe(client, ["job-completed"], operation=CREATE_JOB, extra=[("notify-job-id", [(tags.INTEGER, job_id)])])
        assert len(fetch(client, leased)) >= 1
    with Sim(tmp_path / "state") as sim, sim.client() as client:
        with pytest.raises(ipp.Refused):
            fetch(client, leased)
        assert [event["notify-subscribed-event"] for event in fetch(client, kept)] == ["printer-restarted"]
        client.request(ipp.RESUME_PRINTER)
        assert ended(client, job_id)["job-state"] == "completed"
        assert [event["notify-job-id"] for event in fetch(client, of_job, wait=True)] == [job_id]
        assert [event["notify-subscribed-event"] for event in fetch(client, kept, 2)] == ["job-completed"]


class Watcher(threading.Thread):
    """Fetches events, each as it comes, until the job's last."""

    def __init__(self, sim):
        threading.Thread.__init__(self, daemon=True)
        self._client = sim.client()
        self._id = subscribe(self._client, ["printer-state-changed", "job-state-changed", "job-completed", "job-progress"])
        self.events = []

    def run(self):
        with self._client as client:
            while not any(event["notify-subscribed-event"] == "job-completed" for event in self.events):
                self.events += fetch(client, self._id, len(self.events) + 1, wait=True)


def test_watchers_see_a_print_and_do_not_change_it(tmp_path):
    record = tmp_path / "steps"
    with Sim(tmp_path / "state", "--record", str(record), pace="max") as sim, sim.client() as client:
        watchers = [Watcher(sim) for _ in range(WATCHERS)]
        for watcher in watchers:
            watcher.start()
        job_id = submit(client, FILE.read_bytes())
        assert ended(client, job_id)["job-state"] == "completed"
        for watcher in watchers:
            watcher.join(30)
            assert not watcher.is_alive()
    for watcher in watchers:
        numbers = [event["notify-sequence-number"] for event in watcher.events]
        assert numbers == list(range(1, len(numbers) + 1))
        states = [event["job-state"] for event in watcher.events if event.get("notify-job-id") == job_id]
        assert states[0] == "pending" and states[-1] == "completed" and "processing" in states
        assert states == [state for state in ("pending", "processing", "completed") for _ in range(states.count(state))]
    assert stepfile.digest(stepfile.StepFile(str(record))) == steps_digest(FILE)
