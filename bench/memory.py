"""Memory of a print inside MicroPython (WebAssembly, a heap that can not grow): the heap's live and peak bytes, and the core's own block.

Live: after a collection at the end of the print.  Peak: the most that was taken at the end of any step, garbage of that step included,
since this build collects between asyncio's steps only; a board collects within them.
"""

import json
import tempfile
from pathlib import Path

from tests.wasm import test_print
from tools import ipp


def run(log):
    """{"heap_bytes": the ceiling, "ready": {...} before the print, "printed": {...} behind it, "split": bytes by part}; raises when the
    print fails.  The simulator's code is not on a board; its objects are in "hal", with the core's."""
    log("a print inside MicroPython, %d KiB of heap" % test_print.HEAP_KIB)
    with tempfile.TemporaryDirectory() as folder, test_print.printer(Path(folder)) as (process, ready):
        with ipp.Printer("ipp://127.0.0.1:%d/ipp/print3d" % ready["port"], timeout_s=120) as client:
            _, last = test_print.send(client, "memory")
        if last["job-state"] != "completed":
            raise RuntimeError("the print ended as " + last["job-state"])
        printed = json.loads(process.stdout.readline())
    split = {name: ready[name + "_bytes"] for name in ("interpreter", "hal_code", "hal", "firmware_code", "firmware")}
    split["print"] = printed["live_bytes"] - sum(split.values())
    return {"heap_bytes": test_print.HEAP_KIB * 1024, "ready": ready, "printed": printed, "split": split}
