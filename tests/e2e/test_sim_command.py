"""`printwright sim`: what it refuses, and with which exit status (design: 1 the operation failed, 2 wrong usage)."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.e2e.helpers_sim import ROOT, Sim, cli


@pytest.mark.parametrize(
    "args, word",
    [
        (["--auth", "nobody"], "required"),
        (["--pace", "fast"], "realtime"),
        (["--pace", "-1"], "realtime"),
        (["--fault", "meteor"], "sensor-open"),
        (["--fault", "sensor-open:chamber"], "chamber"),
        (["--capacity", "7"], "4096"),
        (["--port", "70000"], "65535"),
        (["--record", "/nowhere/at/all"], "folder"),
    ],
)
def test_wrong_usage(tmp_path, args, word):
    done = cli("sim", "--state", str(tmp_path / "state"), "--port", "0", *args)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr and done.stdout == "" and "Traceback" not in done.stderr


def machine_file(folder, layer):
    path = folder / "machine.json"
    path.write_text(layer if isinstance(layer, str) else json.dumps(layer))
    return str(path)


@pytest.mark.parametrize(
    "layer, word",
    [
        ("{", "JSON"),
        ("[]", "object"),
        ({"from": "sim-cartesian", "pcb": {"colour": 1}}, "pcb.colour"),
        ({"from": "sim-cartesian", "printer": {"motion": {"max_velocity_mm_s": -5}}}, "max_velocity_mm_s"),
        ({"from": "nothing-like-that"}, "nothing-like-that"),
    ],
)
def test_wrong_machine_file(tmp_path, layer, word):
    done = cli("sim", "--machine", machine_file(tmp_path, layer), "--port", "0", "--state", str(tmp_path / "state"))
    assert done.returncode == 1 and word in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_second_one_on_the_same_port_or_state(tmp_path):
    with Sim(tmp_path / "one") as sim:
        done = cli("sim", "--port", str(sim.port), "--state", str(tmp_path / "two"))
        assert (done.returncode, done.stdout) == (1, "") and str(sim.port) in done.stderr and done.stderr.count("\n") == 1
        done = cli("sim", "--port", "0", "--state", str(tmp_path / "one"))
        assert (done.returncode, done.stdout) == (1, "") and "in use" in done.stderr and done.stderr.count("\n") == 1
        with sim.client() as client:
            assert client.printer_attributes(("printer-state",))["printer-state"] == "idle"


def test_state_goes_where_xdg_says(tmp_path):
    machine = machine_file(tmp_path, {"from": "sim-cartesian", "name": "mine"})
    command = [sys.executable, "-m", "tools.cli.main", "sim", "--port", "0", "--machine", machine]
    environment = dict(os.environ, XDG_STATE_HOME=str(tmp_path / "xdg"))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, text=True, env=environment, **pipes) as process:
        assert json.loads(process.stdout.readline())["event"] == "ready"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (tmp_path / "xdg" / "printwright" / "mine" / "flash.bin").is_file()


def test_a_printer_keeps_its_identity(tmp_path):
    seen = []
    for _ in range(2):
        with Sim(tmp_path / "state") as sim, sim.client() as client:
            seen.append(client.printer_attributes(("printer-uuid",))["printer-uuid"])
    assert seen[0] == seen[1]
