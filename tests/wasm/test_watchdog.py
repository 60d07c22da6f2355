"""A host whose parent is gone ends, whatever its program does."""

import os
import subprocess
import sys
import time

from tests.wasm.helpers_wasm import ROOT, command

PARENT = """
import subprocess, sys
host = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
host.stdout.readline()
print(host.pid, flush=True)
host.wait()
"""


def ended(pid):
    """True when the process is gone, or waits only for somebody to take notice."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_loop_ends_with_its_parent(tmp_path):
    program = tmp_path / "loop.py"
    program.write_text("print('runs')\nwhile True: pass\n")
    words = command(program, report=False)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert not ended(pid)
    parent.kill()
    parent.wait()
    until = time.monotonic() + 30
    while not ended(pid) and time.monotonic() < until:
        time.sleep(0.1)
    gone = ended(pid)
    if not gone:
        os.kill(pid, 9)
    assert gone
