"""Programs that once kept the look-ahead busy for ever, by machines with other windows than the default."""

import json
import random
import subprocess
import sys
from pathlib import Path

from tests.native.helpers_machines import random_machine, run
from tools.verify.gcode import plain_text

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_cruise_shorter_than_64_units_is_cut(tmp_path):
    machine = tmp_path / "short.json"
    machine.write_text(json.dumps({"from": "sim-corexy", "printer": {"motion": {"look_ahead": 16}}}))
    command = [sys.executable, "-m", "tools.cli.main", "steps", "tests/vectors/programs/margin.gcode", "--machine", str(machine), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"]["a"] > 0


def test_what_ends_a_path_does_not_change_its_plan(tmp_path):
    """More ramps than look-ahead has room for, then a stop: a shaped machine waits there, a plain one does not; the plan is one."""
    machine = random_machine(random.Random(5003), shaped=True)
    text = machine.program(5003)
    path = tmp_path / "a.gcode"
    path.write_bytes(text)
    waits = run(machine.config, text).print_s - run(machine.plain().config, plain_text(path, machine.header)).print_s
    stops = waits / machine.header["stop_s"]
    assert round(stops) == 2 and abs(stops - 2) < 1e-4
