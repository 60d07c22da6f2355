# Program for tests/wasm/host.mjs: the whole printer inside MicroPython, until SIGTERM.
#     printer MACHINE.json
# JSON lines on standard output: {"event":"ready","port":...}, then {"event":"printed","sha256":...,"steps":[...],"live_bytes":...}
# whenever a job's own moves are over.  State lies in /state, so that flash and documents are files outside the heap, as on a board.
#
# This build collects garbage only between asyncio's steps, so the start is taken in many of them; a board needs nothing of the kind.

import asyncio
import gc
import json
import sys

import host

HAL = """
hal.stepcore hal.stepport hal.schema hal.factory
"""
SIMULATOR = """
hal.stepsink hal.sim.plants hal.sim.world hal.sim.files hal.sim.flash hal.sim.clock hal.sim.machine
"""
FIRMWARE = """
firmware.config firmware.ipp.codec firmware.ipp.attributes firmware.ipp.values firmware.ipp.checks
firmware.ipp.dispatch firmware.ipp.materials firmware.ipp.printer_values firmware.ipp.printer firmware.ipp.job firmware.ipp.job_ops
firmware.ipp.printer_ops firmware.jobs.records firmware.jobs.journal firmware.jobs.spool firmware.jobs.queue firmware.gcode.policy
firmware.gcode.values firmware.jobs.checker firmware.jobs.printing firmware.jobs.runner firmware.motion.side firmware.net.http1
firmware.net.server firmware.safety.supervisor firmware.thermal.control firmware.web.page firmware.app
"""


def tell(**facts):
    print(json.dumps(facts))


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
    await load(SIMULATOR)
    from hal import factory
    from hal.sim import SimOptions, build, trace

    trace._PACK_BYTES = 512  # the recorder is the test's, not the product's: as small as it works
    simulator_code = await collected()
    with open(sys.argv[1]) as file:
        layer = json.load(file)
    desc = factory.describe(layer.pop("from"), layer)
    await asyncio.sleep(0)
    del factory
    machine = build(desc, SimOptions(state="/state", port=0, hosts=("127.0.0.1",), digest=True))
    hal = await collected()
    await load(FIRMWARE)
    from firmware import app

    code = await collected()
    printer = await app.build_in_stages(machine)
    await printer.start()
    ready = await collected()
    core = machine.core
    tell(
        event="ready",
        port=machine.net.port,
        core_bytes=core.memory_bytes,
        port_bytes=core.port.memory_bytes,
        interpreter_bytes=interpreter,
        hal_code_bytes=hal_code - interpreter,
        simulator_code_bytes=simulator_code - hal_code,
        hal_bytes=hal - simulator_code,
        firmware_code_bytes=code - hal,
        firmware_bytes=ready - code,
    )
    told = None
    while True:
        await asyncio.sleep_ms(50)
        digest = machine.trace.digest
        if digest is not None and digest is not told:
            told = digest
            tell(event="printed", sha256=digest.hex(), steps=machine.trace.steps, live_bytes=host.live(), peak_bytes=host.peak())


asyncio.run(main())
