# Program for tests/wasm/host.mjs: digests of G-code files by core and sink, one JSON line each.
#     digest.py MACHINE FILE...
# Reads in small pieces and lets garbage be collected in between, as firmware does.

import asyncio
import binascii
import json
import sys
import time

from hal import factory
from hal.stepcore import PW_EV_COMMAND, PW_EV_END, PW_EV_ERROR, PW_EV_FULL, PW_EV_NONE, StepCore
from hal.stepsink import Sink, StreamDigest

_PIECE = 1024


async def digest(core, path):
    sink = Sink(core, 2048)
    whole = StreamDigest(core.motors)
    buf = bytearray(_PIECE)
    event = core.event
    commands = 0
    core.begin()
    start = time.ticks_ms()
    with open(path, "rb") as file:
        n = file.readinto(buf)
        at = 0
        while True:
            if n:
                at += core.feed(buf, at, n)
            else:
                core.end_document()
            kind = event.kind
            if kind == PW_EV_COMMAND:
                commands += 1
            elif kind == PW_EV_NONE and n:
                n = file.readinto(buf)
                at = 0
                await asyncio.sleep(0)
            elif kind == PW_EV_FULL or kind == PW_EV_END or kind == PW_EV_ERROR:
                more = True
                if kind == PW_EV_ERROR:  # what was right up to there still counts
                    while not core.flush():
                        sink.drain_core()
                        whole.update(sink)
                while more:
                    more = sink.drain_core()
                    whole.update(sink)
                    await asyncio.sleep(0)
                if kind != PW_EV_FULL:
                    break
    status = core.status()
    took = {"lines": status.line, "moves": status.moves, "commands": commands, "wall_ms": time.ticks_diff(time.ticks_ms(), start)}
    took["file"] = path
    took["error"] = [event.name, event.line, event.column] if kind == PW_EV_ERROR else None
    took["steps"] = [sink.steps(m) for m in range(4)]
    took["sha256"] = str(binascii.hexlify(whole.digest()), "ascii")
    print(json.dumps(took))


async def main():
    core = StepCore(factory.core_config(factory.describe(sys.argv[1])))
    for path in sys.argv[2:]:
        await digest(core, path)
    print(json.dumps({"core_bytes": core.memory_bytes}))


asyncio.run(main())
