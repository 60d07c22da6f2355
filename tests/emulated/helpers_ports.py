"""Building and running the pulse ports in emulators, and what comes out: edges on pins, and the stream that they should be."""

import json
import re
import struct
from array import array
from pathlib import Path

import numpy as np

from hal import stepcore
from native.port.bare import build as bare
from tests.emulated import helpers_targets as targets

ROOT = targets.ROOT
HERE = targets.HERE
MOTORS = stepcore.PW_MOTORS
SHARED = [path.relative_to(ROOT) for room in ("common", "pulse") for path in sorted((ROOT / "native/port" / room).glob("*.c"))]
RP2 = [*SHARED, *(path.relative_to(ROOT) for path in sorted((ROOT / "native/port/rp2").glob("*.c"))), HERE / "port_driver.c"]
RP2_ROOTS = ["pw_rp2_core1", *("pw_rp2_on_" + name for name in ("dry", "crash", "lease", "pump", "input"))]
MHZ = 125
STEP_PINS, DIR_PINS = [2, 4, 6, 8, 10, 12, 14, 16], [3, 5, 7, 9, 11, 13, 15, 17]
SWITCH_PIN, HEATER_PIN = 20, 22
OPERATIONS = "HOLD RESUME QUICK HEATER DIE SEIZE FLASH STALL STATUS FAULT DEAF BREAK GRAB HANG CRASH".split()
STATUS = "us played rate fault latched expired stands idle starvations triggered worst stack".split()


def fields(header: str, name: str) -> list[tuple[str, int]]:
    """(field, elements) of a struct of int32_t, in order."""
    body = re.search(r"struct %s \{(.*?)\n\};" % name, (ROOT / "native/include" / header).read_text(), re.DOTALL).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    found = []
    for line in re.findall(r"int32_t ([^;]*);", body):
        for item in line.split(","):
            word, _, rest = item.strip().partition("[")
            found.append((word, int(rest.rstrip("]")) if rest else 0))
    return found


def words(header: str, name: str, values: dict) -> list[int]:
    """The struct's words; what is not in `values` is 0."""
    out, values = [], dict(values)
    for field, elements in fields(header, name):
        value = values.pop(field, [0] * elements if elements else 0)
        out += (list(value) + [0] * elements)[:elements] if elements else [value]
    assert not values, "no such field: %s" % sorted(values)
    return out


def rp2_config(**changes) -> dict:
    config = {
        "abi": 1, "clock_hz": MHZ * 1_000_000, "pio": 1, "machine": 2, "dma": 4, "spinlock": 16, "alarm": 1,
        "step_pin": STEP_PINS, "dir_pin": DIR_PINS, "pulse_ns": 200,
        "input_pin": [SWITCH_PIN] + [-1] * 7, "heater_pin": [HEATER_PIN, -1, -1, -1],
    }  # fmt: skip
    config.update(changes)
    return config


def core_words(config: dict) -> list[int]:
    return list(stepcore.config_array(stepcore.lib.pw_config_field, config, {"abi": stepcore.PW_ABI}))


class Stream:
    """The steps of a program, per motor: ticks, and directions +1 or -1."""

    def __init__(self, data: bytes):
        self.ticks, self.directions, at = [], [], 0
        for _ in range(MOTORS):
            (count,) = struct.unpack_from("<I", data, at)
            steps = np.frombuffer(data, "<i8", count, at + 4)
            self.ticks.append(steps >> 1)
            self.directions.append((steps & 1) * 2 - 1)
            at += 4 + 8 * count


def stream(folder: Path, config: dict, text: bytes, side: bool = False) -> Stream:
    """By the core compiled for this computer."""
    program = folder / "ticks"
    if not program.exists():
        flags = [*targets.STRICT, "-O1", "-Inative/include", "-Inative/src"]
        targets._done(["gcc", *flags, HERE / "ticks.c", *bare.core_sources(), "-o", program])
    values = core_words(config)
    (folder / "ticks.in").write_bytes(struct.pack("<II", len(values), len(text)) + array("i", values).tobytes() + text)
    targets._done([program, "1" if side else "0", folder / "ticks.in", folder / "ticks.out"])
    return Stream((folder / "ticks.out").read_bytes())


class Edges:
    """What happened on pins, from a log of (cycle, levels)."""

    def __init__(self, log: np.ndarray, initial: int = 0):
        self.cycles = log[0::2].astype(np.int64)
        self.levels = log[1::2]
        self.initial = initial

    def pin(self, pin: int) -> tuple[np.ndarray, np.ndarray]:
        """Cycles at which the pin changes, and the levels from then on."""
        level = ((self.levels >> np.uint32(pin)) & 1).astype(np.int8)
        before = np.concatenate([[(self.initial >> pin) & 1], level[:-1]])
        changed = level != before
        return self.cycles[changed], level[changed]

    def rises(self, pin: int) -> np.ndarray:
        cycles, level = self.pin(pin)
        return cycles[level == 1]

    def falls(self, pin: int) -> np.ndarray:
        cycles, level = self.pin(pin)
        return cycles[level == 0]

    def level_at(self, pin: int, cycles: np.ndarray) -> np.ndarray:
        """Level of the pin just before each cycle."""
        at = np.searchsorted(self.cycles, cycles, "left") - 1
        level = np.where(at >= 0, self.levels[np.maximum(at, 0)], np.uint32(self.initial))
        return (level >> np.uint32(pin)) & 1


class Run:
    """What came of it.

    edges; statuses: list of dict (count and trigger_count are lists); marks: number, tick, microseconds when seen fired; text; tail: what
    the emulator counted; spent (Cortex-M): ticks of the step interrupt, the pump, the worker.
    """

    def __init__(self, text: str, edges: Edges):
        self.edges, self.text, self.statuses = edges, text, []
        for line in text.split("\n"):
            if line.startswith("status"):
                numbers = [int(word) for word in line.split()[1:]]
                status = dict(zip(STATUS, numbers))
                rest = numbers[len(STATUS) :]
                status["count"], status["trigger_count"] = rest[:MOTORS], rest[MOTORS:]
                self.statuses.append(status)
        self.marks = [[int(word) for word in line.split()[1:]] for line in text.split("\n") if line.startswith("mark")]
        spent = re.search(r"^spent (.*)$", text, re.MULTILINE)
        self.spent = [int(word, 16) for word in spent.group(1).split()] if spent else None
        self.tail = json.loads(text.strip().split("\n")[-1])

    @property
    def status(self) -> dict:
        return self.statuses[-1]


def rp2_image(
    folder: Path, config: dict, text: bytes, script=(), side_gates=None, optimise="-Os", hot="-Os", features="whole", **changes
) -> Path:
    """The port with a program and a script of (microseconds, operation, argument, argument)."""
    core, port = core_words(config), words("printwright_rp2.h", "pw_rp2_config", rp2_config(**changes))
    actions = [[action[0], OPERATIONS.index(action[1]) + 1, *(list(action[2:]) + [0, 0])[:2]] for action in script]
    gates = list(side_gates or []) + [-1] * MOTORS
    head = [len(core), len(port), len(actions), len(text), int(side_gates is not None), *gates[:MOTORS]]
    data = array("i", head + core + port + [word for action in actions for word in action]).tobytes() + text
    (folder / "cases").write_bytes(data)
    flags = ["-I%s" % HERE, '-DCASES="%s"' % (folder / "cases")]
    return bare.image(bare.TARGETS["m0plus"], RP2, folder / "port.elf", optimise, flags, folder / "port.map", RP2_ROOTS, hot, features)


def run_rp2(folder: Path, image: Path, cycles: int = 100_000_000, switches=(), mhz: int = MHZ, profile: Path | None = None) -> Run:
    log = folder / "edges"
    options = {
        "image": str(bare.binary(image)), "address": bare.entry(bare.TARGETS["m0plus"]), "log": str(log), "cycles": cycles,
        "switches": list(switches), "mhz": mhz, "steps": STEP_PINS, "profile": str(profile) if profile else None,
    }  # fmt: skip
    (folder / "options.json").write_text(json.dumps(options))
    text = targets.node("rp2_chip.mjs", folder / "options.json")
    return Run(text, Edges(np.fromfile(log, "<u4")))


def against(stream_: Stream, edges: Edges, tick_hz: int, mhz: int = MHZ, step_pins=STEP_PINS, dir_pins=DIR_PINS):
    """Cycles by which each rising edge differs from its step's tick, all motors' in the order of time, and the cycle of tick 0.

    The cycle of tick 0 is that of the median step.  Directions and numbers of steps must agree.
    """
    late, when = [], []
    for motor in range(MOTORS):
        ticks, directions = stream_.ticks[motor], stream_.directions[motor]
        cycles = edges.rises(step_pins[motor])
        assert len(cycles) == len(ticks), "motor %d: %d edges for %d steps" % (motor, len(cycles), len(ticks))
        if len(ticks):
            forward = edges.level_at(dir_pins[motor], cycles)
            assert np.array_equal(forward, (directions + 1) // 2), "motor %d: other directions" % motor
            late.append(cycles - ticks * (mhz * 1_000_000 / tick_hz))
            when.append(cycles)
    late, when = np.concatenate(late), np.concatenate(when)
    origin = np.median(late)
    return (late - origin)[np.argsort(when, kind="stable")], origin


def check_rate(plan_s, machine_s, slope_s=100 / 15):
    """The rate between steps is at most 1, and changes by at most the slope (z: 100 mm/s2 at 15 mm/s), seen over 4 ms.

    plan_s, machine_s: when each step of a motor was planned and made, in seconds.
    """

    def ahead(times, span):
        to = np.searchsorted(times, times + span)
        keep = to < len(times)
        return np.flatnonzero(keep), to[keep]

    at, to = ahead(machine_s, 4e-3)
    rate = (plan_s[to] - plan_s[at]) / (machine_s[to] - machine_s[at])
    middle = (machine_s[to] + machine_s[at]) / 2
    assert rate.max() < 1.002
    at, to = ahead(middle, 5e-3)
    assert len(at) > 10
    assert np.abs((rate[to] - rate[at]) / (middle[to] - middle[at])).max() < slope_s * 1.15


def ram_code_bytes(elf: Path) -> int:
    """Code and constants that an image has in RAM."""
    place = {}
    for line in bare._run(["arm-none-eabi-nm", elf]).splitlines():
        address, _, name = line.split()
        place[name] = int(address, 16)
    return place["bare_ram_code_end"] - place["bare_ram_code"]


# -- Cortex-M under QEMU ----------------------------------------------------------------------------------------------------------

CM = [*SHARED, Path("native/port/cortexm/pw_cm.c"), HERE / "cortexm_board.c", HERE / "port_driver.c"]
# machine: (address of the CMSDK timers, interrupt of the first)
CM_TIMERS = {"mps2-an385": (0x40000000, 8), "mps2-an386": (0x40000000, 8), "mps2-an500": (0x40000000, 8), "mps2-an505": (0x50000000, 3)}
CM_STEP_PINS, CM_DIR_PINS, CM_HEATER_PIN = list(range(8)), list(range(8, 16)), 16
CM_SHIFT = 3  # an instruction takes 2**3 ns of QEMU's virtual time


def run_cm(folder: Path, name: str, config: dict, text: bytes, script=(), side_gates=None, switch=0, **changes) -> Run:
    """The Cortex-M port in QEMU.  switch: input 0 closes with so many steps of motor 0.  Pins: motors 0..7, directions 8.., heaters 16.."""
    target = bare.TARGETS[name]
    core = core_words(config)
    port = words("printwright_cortexm.h", "pw_cm_config", {"abi": 1, "clock_hz": target.systick_hz, **changes})
    actions = [[action[0], OPERATIONS.index(action[1]) + 1, *(list(action[2:]) + [0, 0])[:2]] for action in script]
    gates = list(side_gates or []) + [-1] * MOTORS
    head = [len(core), len(port), len(actions), len(text), int(side_gates is not None), *gates[:MOTORS]]
    (folder / "cases").write_bytes(array("i", head + core + port + [word for action in actions for word in action]).tobytes() + text)
    timers, irq = CM_TIMERS[target.machine]
    flags = ["-I%s" % HERE, '-DCASES="%s"' % (folder / "cases"), "-DBOARD_TIMERS=%#xu" % timers, "-DBOARD_IRQ=%d" % irq]
    flags += ["-DBOARD_HZ=%du" % target.systick_hz, "-DBOARD_SWITCH=%du" % switch]
    optimise = {"m4f": "-O2", "m7": "-O3"}.get(name, "-Os")  # whose objects test_targets.py has made, too
    image = bare.image(target, CM, folder / "port.elf", optimise, flags, ram_optimise="-O2")
    output = targets.run_qemu(target, image, CM_SHIFT)
    log = [int(word, 16) for line in output.split("\n") if line.startswith("pins") for word in line.split()[1:]]
    return Run(output + '\n{"strays": 0}\n', Edges(np.array(log, "<u4")))
