"""One print inside MicroPython, from the socket to the step: an IPP client sends G-code by TCP to the responder that runs there, and the
digest of what the port played is the desktop's.

The machine is a small board's: short queues, few connections.  Core and port have their memory beside the heap, as on a board.
"""

import contextlib
import io
import json
import subprocess

from hal import factory
from tests.wasm.helpers_wasm import ROOT, command
from tools import ipp, steps

# All of the heap: it holds the garbage of a single step besides what is live, and some 3 % are tables of the collector.
HEAP_KIB = 152
CONNECTIONS = 4
HISTORY = 50
CORE_KIB = 64
MACHINE = {
    "from": "sim-cartesian",
    "name": "small",
    "pcb": {
        "rings": {"runs": 32, "marks": 32, "queue_runs": 32, "side_runs": 16, "queue_marks": 32},
        "flash": {"bytes": 262144, "settings_bytes": 16384},
        "limits": {"connections": CONNECTIONS, "jobs": 4, "history": HISTORY, "spool_bytes": 400000},
    },
    "printer": {"motion": {"look_ahead": 16}},
}
PROGRAM = ROOT / "tests/vectors/programs/corners.gcode"


@contextlib.contextmanager
def printer(tmp_path, description=MACHINE):
    """The process and its first line of output, when it accepts connections."""
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(description))
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(factory.plan(factory.describe(str(machine)))))
    words = command(
        "printer",
        "/plan.json",
        heap_kib=HEAP_KIB,
        core_kib=CORE_KIB,
        squeezed=True,
        hardware=plan,
        trees=[(plan, "/plan.json")],
        state=tmp_path / "state",
    )
    with open(tmp_path / "err", "w") as err:
        process = subprocess.Popen(["timeout", "-k", "5", "300", *words], stdout=subprocess.PIPE, stderr=err, text=True)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("{"), (tmp_path / "err").read_text()
        yield process, json.loads(line)
    finally:
        process.terminate()
        process.wait(20)


def send(client, name):
    """Creates a job with the program as its document, waits for its end, returns (job-id, last state)."""
    job = client.create_job(name)
    client.send_document(job, io.BytesIO(PROGRAM.read_bytes()), name=name, document_format="text/x-gcode")
    last = {}
    for last in client.watch(job, patience_s=60):
        pass
    return job, last


def test_a_print_from_socket_to_steps(tmp_path):
    with printer(tmp_path) as (process, ready):
        with ipp.Printer(f"ipp://127.0.0.1:{ready['port']}/ipp/print3d", timeout_s=120) as client:
            assert client.printer_attributes()["printer-state"] == "idle"
            job, last = send(client, "first")
            assert last["job-state"] == "completed"
        printed = json.loads(process.stdout.readline())
        assert printed["event"] == "printed"
    with open(PROGRAM, "rb") as source:
        here = steps.run(source, PROGRAM.name, str(tmp_path / "machine.json"))
    assert printed["sha256"] == here["sha256"]
    assert printed["steps"] == list(here["steps"].values())
    assert ready["core_bytes"] + ready["port_bytes"] <= CORE_KIB * 1024
    assert 0 < printed["live_bytes"] <= printed["peak_bytes"] <= HEAP_KIB * 1024
    # the same flash after a restart: the job is remembered
    with printer(tmp_path) as (process, ready), ipp.Printer(f"ipp://127.0.0.1:{ready['port']}/ipp/print3d", timeout_s=120) as client:
        assert client.job_attributes(job)["job-state"] == "completed"


def test_all_connections_and_a_full_history(tmp_path):
    with contextlib.ExitStack() as stack:
        process, ready = stack.enter_context(printer(tmp_path))
        uri = f"ipp://127.0.0.1:{ready['port']}/ipp/print3d"
        clients = [stack.enter_context(ipp.Printer(uri, timeout_s=120)) for _ in range(CONNECTIONS)]
        for number in range(HISTORY):
            client = clients[number % CONNECTIONS]
            client.cancel_job(client.create_job(f"job {number}"))
        _, last = send(clients[0], "last")
        assert last["job-state"] == "completed"
        printed = json.loads(process.stdout.readline())
        assert printed["live_bytes"] <= HEAP_KIB * 1024
        assert len(clients[1].jobs("completed", ("job-id",))) == HISTORY
