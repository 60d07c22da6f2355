"""Several clients change the order of one queue at once; objects, platform and materials by the commands that users have."""

import json
import random
import threading

from firmware.ipp import tags
from tests.e2e.helpers_sim import ENDED, Sim, cli, submit
from tools import ipp

SQUARE = b"G28\nG1 X50 Y50 Z1 F6000\nG1 X60 Y50\n"
PROMOTE, SCHEDULE_AFTER = 0x30, 0x31
HOLD, RELEASE, SET_JOB = 0x0C, 0x0D, 0x14


def order(client):
    return [job["job-id"] for job in client.jobs("not-completed", ("job-id",))]


def test_two_clients_reorder_at_once(tmp_path):
    state = tmp_path / "state"
    jobs, rounds = 12, 60
    with Sim(state) as sim:
        with sim.client() as client:
            client.request(ipp.PAUSE_PRINTER)
            ids = [submit(client, SQUARE, "job %d" % number) for number in range(jobs)]
        problems = []
        refused = [0]

        def reorder(seed):
            chance = random.Random(seed)
            try:
                with sim.client("user%d" % seed) as client:
                    for _ in range(rounds):
                        job, other = chance.choice(ids), chance.choice(ids)
                        what = chance.randrange(4)
                        try:
                            if what == 0:
                                client.request(PROMOTE, job_id=job)
                            elif what < 3:
                                client.request(SCHEDULE_AFTER, [("predecessor-job-id", [(tags.INTEGER, other)])], job_id=job)
                            else:
                                client.set_job(job, [("job-priority", [(tags.INTEGER, chance.choice((1, 50, 100)))])])
                        except ipp.Refused:
                            refused[0] += job == other
                            assert job == other, "only a job behind itself is refused"
                        seen = order(client)
                        assert sorted(seen) == sorted(ids)
            except Exception as error:
                problems.append(repr(error))

        threads = [threading.Thread(target=reorder, args=(seed,)) for seed in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems, problems
        with sim.client() as client:
            last = order(client)
            places = [client.job_attributes(job, ("number-of-intervening-jobs",))["number-of-intervening-jobs"] for job in last]
            assert places == list(range(jobs))
    # the order outlives a restart, and it is the order of printing
    with Sim(state) as sim, sim.client() as client:
        assert order(client) == last
        client.request(ipp.RESUME_PRINTER)
        for job in last:
            assert list(client.watch(job))[-1]["job-state"] == "completed"
        done = [job["job-id"] for job in client.jobs("completed", ("job-id",))]
        assert done[:jobs] == last[::-1]


def test_a_start_prints_in_order_too(tmp_path):
    """A pause outlives the loss of power, and then all jobs, which have to be checked again, print in their order."""
    state = tmp_path / "state"
    with Sim(state) as sim, sim.client() as client:
        client.request(ipp.PAUSE_PRINTER)
        ids = [submit(client, SQUARE, "job %d" % number) for number in range(4)]
        client.request(PROMOTE, job_id=ids[2])
        client.request(PROMOTE, job_id=ids[3])
    wanted = [ids[3], ids[2], ids[0], ids[1]]
    with Sim(state) as sim, sim.client() as client:
        assert client.printer_attributes(("printer-state-reasons",))["printer-state-reasons"] == ["paused"]
        assert order(client) == wanted
        client.request(ipp.RESUME_PRINTER)
        for job in wanted:
            assert list(client.watch(job))[-1]["job-state"] == "completed"
        assert [job["job-id"] for job in client.jobs("completed", ("job-id",))] == wanted[::-1]


def objects_document():
    text = "G28\nM83\nM109 S210\nEXCLUDE_OBJECT_DEFINE NAME=near CENTER=30,30 POLYGON=[[20,20],[40,20],[40,40],[20,40]]\nM486 A\n"
    text = text.replace("M486 A\n", "EXCLUDE_OBJECT_DEFINE NAME='far off' CENTER=100,30\n")
    for layer in range(60):
        z = 0.2 + 0.2 * layer
        text += ";LAYER:%d\n" % layer
        for name, x in (("near", 20), ("'far off'", 90)):
            text += "EXCLUDE_OBJECT_START NAME=%s\nG1 X%d Y20 Z%g F9000\n" % (name, x, z)
            text += "".join("G1 X%d Y%d E.5 F1500\n" % (x + dx, 20 + dy) for dx, dy in ((20, 0), (20, 20), (0, 20), (0, 0)))
            text += "EXCLUDE_OBJECT_END NAME=%s\n" % name
    return (text + "M104 S0\nG1 X0 Y200 F9000\n").encode()


def test_one_object_of_a_running_job_is_canceled(tmp_path):
    with Sim(tmp_path / "state", pace="60") as sim, sim.client() as client:
        job = submit(client, objects_document())
        watched = client.watch(job, 0.05)
        for state in watched:
            if state.get("printwright-job-layer", 0) >= 1:
                break
        listed = cli("objects", str(job), "--printer", sim.uri, "--json")
        found = [json.loads(line) for line in listed.stdout.splitlines()]
        assert [entry["printwright-object-name"] for entry in found] == ["near", "far off"]
        assert found[0]["object-offset"] == {"x-offset": 2000, "y-offset": 2000, "z-offset": 0}
        assert found[0]["object-size"]["x-dimension"] == 2000 and found[0]["document-number"] == 1
        assert len(found[0]["object-uuid"]) == 45 and found[0]["object-uuid"] != found[1]["object-uuid"]
        gone = cli("objects", str(job), "--cancel", "far off", "--printer", sim.uri, "--json")
        assert gone.returncode == 0, gone.stderr
        assert [json.loads(line)["printwright-object-name"] for line in gone.stdout.splitlines()] == ["near"]
        for words, told in (
            (("--cancel", "far off"), "no object far off"),
            (("--cancel", "near"), "that would be all objects"),
        ):
            done = cli("objects", str(job), *words, "--printer", sim.uri)
            assert done.returncode == 1 and told in done.stderr
        client.cancel_job(job)
        assert list(client.watch(job))[-1]["job-state"] == "canceled"
        done = cli("objects", str(job), "--cancel", "near", "--printer", sim.uri)
        assert done.returncode == 1 and "Traceback" not in done.stderr


def test_the_commands_for_platform_and_materials(tmp_path):
    with Sim(tmp_path / "state") as sim, sim.client() as client:

        def said(*words):
            done = cli(*words, "--printer", sim.uri)
            assert done.returncode == 0, done.stderr
            return done.stdout

        assert said("platform") == "the platform is clear; between two jobs the next job begins at once\n"
        assert "waits for you" in said("platform", "--clearing", "operator")
        first, second = submit(client, SQUARE), submit(client, SQUARE)
        assert list(client.watch(first))[-1]["job-state"] == "completed"
        assert "not clear yet" in said("platform")
        assert client.job_attributes(second, ("job-state",))["job-state"] == "pending"
        said("platform", "--clear")
        assert list(client.watch(second))[-1]["job-state"] in ENDED
        said("platform", "--clearing", "none")
        assert "pla            PLA            190 to 235 °C  loaded\n" in said("materials")
        assert "loaded" not in said("materials", "--unload")
        third = submit(client, SQUARE)
        for state in client.watch(third):
            if state["job-state"] == "processing-stopped":
                break
        assert "material-needed" in client.printer_attributes(("printer-state-reasons",))["printer-state-reasons"]
        assert "petg           PETG           220 to 260 °C  loaded\n" in said("materials", "--load", "petg")
        assert list(client.watch(third))[-1]["job-state"] == "completed"
        refused = cli("materials", "--load", "gold", "--printer", sim.uri)
        assert refused.returncode == 1 and "not-supported" in refused.stderr
