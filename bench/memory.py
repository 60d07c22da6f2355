"""Memory of a print inside MicroPython (WebAssembly, a heap that can not grow), by parts, and the core's own block.

The image is a board's (tools/squeeze.py), run in place; the machine's hardware is outside the heap (tests/wasm/board.py); four
connections are open and the history is full.  Live: the most that was taken at the start of a step, at most 4 KiB of it garbage of the
steps before.  Peak: at the end of a step, after most of its garbage has gone.
"""

import contextlib
import json
import tempfile
from pathlib import Path

from tests.wasm import test_print
from tools import ipp

_PARTS = ("interpreter", "hal_code", "hal", "firmware_code", "firmware")
BUDGET_BYTES = 128 * 1024


def run(log):
    """{"heap_bytes": the ceiling, "ready": {...} before the print, "printed": {...} behind it, "split": bytes by part, "budget_bytes"};
    raises when the print fails.  The plan of the machine is in "hal" and gone when the printer is ready: "print" is what came since,
    connections, history and job."""
    connections, history = test_print.CONNECTIONS, test_print.HISTORY
    log("a print inside MicroPython, %d KiB of heap, %d connections, %d jobs before it" % (test_print.HEAP_KIB, connections, history))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        process, ready = stack.enter_context(test_print.printer(folder))
        uri = "ipp://127.0.0.1:%d/ipp/print3d" % ready["port"]
        clients = [stack.enter_context(ipp.Printer(uri, timeout_s=120)) for _ in range(connections)]
        for number in range(history):
            client = clients[number % connections]
            client.cancel_job(client.create_job("job %d" % number))
        _, last = test_print.send(clients[0], "memory")
        if last["job-state"] != "completed":
            raise RuntimeError("the print ended as " + last["job-state"])
        printed = json.loads(process.stdout.readline())
    split = {name: ready[name + "_bytes"] for name in _PARTS}
    split["print"] = printed["live_bytes"] - sum(split.values())
    return {"heap_bytes": test_print.HEAP_KIB * 1024, "ready": ready, "printed": printed, "split": split, "budget_bytes": BUDGET_BYTES}
