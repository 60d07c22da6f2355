"""How fast the host port plays, and how big core and port are: `python -m tests.hal.bench_port`.  A benchmark, no test.

Speed: CPU seconds for an hour of printing at --pace max, in slices of 10 and 100 ms, digest apart.
"""

import json
import time
from pathlib import Path

from hal.stepcore import PW_EV_FULL
from hal.stepport import PW_HOST_IDLE
from tests.hal.helpers_core import Source, make_core

ROOT = Path(__file__).resolve().parents[2]
TICK_HZ = 16_000_000


def play_bare(core, text: bytes, slice_ms: int) -> tuple[float, float]:
    """(CPU seconds, printed seconds) of text through the port, with nothing else done."""
    source = Source(text)
    core.begin()
    port = core.port
    start = time.process_time()
    before = port.status().machine_tick
    ended = False
    while True:
        while not ended:
            ended = source.feed(core)
            if core.event.kind == PW_EV_FULL:
                break
        reason = port.advance(slice_ms * TICK_HZ // 1000)
        port.marks()
        if ended and reason == PW_HOST_IDLE:
            break
    return time.process_time() - start, (port.status().machine_tick - before) / TICK_HZ


def main() -> None:
    result: dict = {"speed": [], "bytes": []}
    for machine in ("sim-cartesian", "sim-corexy"):
        for name in ("cura_cube", "prusa_gear_relative_e"):
            text = (ROOT / f"tests/vectors/sliced/{name}.gcode").read_bytes()
            for slice_ms in (10, 100):
                cpu_s, printed_s = play_bare(make_core(machine), text, slice_ms)
                row = {
                    "machine": machine,
                    "file": name,
                    "slice_ms": slice_ms,
                    "printed_s": printed_s,
                    "cpu_s_per_hour": cpu_s / printed_s * 3600,
                }
                result["speed"].append({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
    for window, runs in ((256, 1024), (256, 64), (64, 32), (16, 32)):
        core = make_core(window=window, ring_runs=runs, ring_marks=32, port_config={"queue_runs": runs})
        result["bytes"].append({"window": window, "ring_runs": runs, "core": core.memory_bytes, "port": core.port.memory_bytes})
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
