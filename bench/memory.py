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
    """{"heap_bytes": the ceiling, "ready": {...} before the print, "printed": {...} behind it}; raises when the print fails."""
    log("a print inside MicroPython, %d KiB of heap" % test_print.HEAP_KIB)
    with tempfile.TemporaryDirectory() as folder, test_print.printer(Path(folder)) as (process, ready):
        with ipp.Printer("ipp://127.0.0.1:%d/ipp/print3d" % ready["port"], timeout_s=120) as client:
            _, last = test_print.send(client, "memory")
        if last["job-state"] != "completed":
            raise RuntimeError("the print ended as " + last["job-state"])
        printed = json.loads(process.stdout.readline())
    return {"heap_bytes": test_print.HEAP_KIB * 1024, "ready": ready, "printed": printed}
