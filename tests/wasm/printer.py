# Program for tests/wasm/host.mjs: the whole printer inside MicroPython, until SIGTERM.
#     printer MACHINE.json
# JSON lines on standard output: {"event":"ready","port":...}, then {"event":"printed","sha256":...,"steps":[...],"live_bytes":...}
# whenever a job's own moves are over.  The machine's hardware is JavaScript's (tests/wasm/board.py), so that the heap holds what a board's
# heap holds; documents are files in /state.
#
# This build collects garbage only between asyncio's steps, so the start is taken in many of them; a board needs nothing of the kind.

import asyncio
import gc
import json
import sys

HAL = """
hal.stepcore hal.stepport hal.schema hal.factory board
"""
FIRMWARE = """
firmware.config firmware.ipp.codec firmware.ipp.attributes firmware.ipp.values firmware.ipp.checks
firmware.ipp.dispatch firmware.ipp.materials firmware.ipp.printer_values firmware.ipp.printer firmware.ipp.job firmware.jobs.records
firmware.jobs.journal firmware.jobs.spool firmware.jobs.queue firmware.gcode.policy
firmware.gcode.values firmware.jobs.checker firmware.jobs.printing firmware.jobs.runner firmware.motion.side firmware.net.http1
firmware.net.server firmware.safety.supervisor firmware.thermal.control firmware.web.page firmware.app
"""


async def collected():
    """Live bytes of the heap."""
    gc.collect()  # asks for it; made when this call from JavaScript is over
    await asyncio.sleep(0)
    return gc.mem_alloc()


async def load(names):
    for name in names.split():
        __import__(name)
        await asyncio.sleep(0)


async def main():
    interpreter = await collected()
    await load(HAL)
    hal_code = await collected()
    from board import Board

    from hal import factory

    with open(sys.argv[1]) as file:
        layer = json.load(file)
    desc = factory.describe(layer.pop("from"), layer)
    await asyncio.sleep(0)
    machine = factory.build(desc, Board())
    del factory, Board
    hal = await collected()
    await load(FIRMWARE)
    from firmware import app

    code = await collected()
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
        "hal_bytes": hal - hal_code,
        "firmware_code_bytes": code - hal,
        "firmware_bytes": ready - code,
    }
    print(json.dumps(facts))
    del facts, core, desc, layer
    await asyncio.Event().wait()


asyncio.run(main())
