# Program for tests/wasm/host.mjs: the whole printer inside MicroPython, until SIGTERM.
#     printer PLAN.json              (hal/factory.plan)
# JSON lines on standard output: {"event":"ready","port":...}, then {"event":"printed","sha256":...,"steps":[...],"live_bytes":...}
# whenever a job's own moves are over.  It runs from the squeezed image (helpers_wasm.BUNDLES).
# The machine's hardware is JavaScript's (tests/wasm/board.py), so that the heap holds what a board's holds; documents are files in /state.
#
# This build collects garbage only between asyncio's steps, so the start is taken in many of them; a board needs nothing of the kind.

import asyncio
import gc
import json
import sys


async def collected():
    """Live bytes of the heap."""
    gc.collect()  # asks for it; made when this call from JavaScript is over
    await asyncio.sleep(0)
    return gc.mem_alloc()


async def main():
    interpreter = await collected()
    __import__("_hal")
    hal_code = await collected()
    __import__("_queue")
    await asyncio.sleep(0)
    __import__("_firmware")  # while there is most room
    code = await collected()
    from board import Board

    from firmware import app
    from hal.assemble import assemble

    with open(sys.argv[1]) as file:
        plan = json.load(file)
    await asyncio.sleep(0)
    machine = assemble(plan, Board())
    plan = None
    hal = await collected()
    printer = await app.build_in_stages(machine)
    await printer.start()
    ready = await collected()
    core = machine.core
    facts = {
        "event": "ready",
        "port": machine.net.port,
        "core_bytes": core.memory_bytes,
        "port_bytes": core.port.memory_bytes,
        "interpreter_bytes": interpreter,
        "hal_code_bytes": hal_code - interpreter,
        "hal_bytes": hal - code,
        "firmware_code_bytes": code - hal_code,
        "firmware_bytes": ready - hal,
    }
    print(json.dumps(facts))
    del facts, core
    await asyncio.Event().wait()


asyncio.run(main())
