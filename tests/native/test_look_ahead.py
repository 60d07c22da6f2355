"""Programs that once kept the look-ahead busy for ever, by machines with other windows than the default."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_cruise_shorter_than_64_units_is_cut(tmp_path):
    machine = tmp_path / "short.json"
    machine.write_text(json.dumps({"from": "sim-corexy", "printer": {"motion": {"look_ahead": 16}}}))
    command = [sys.executable, "-m", "tools.cli.main", "steps", "tests/vectors/programs/margin.gcode", "--machine", str(machine), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"]["a"] > 0
