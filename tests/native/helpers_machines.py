"""Random machines for properties of the core, and driving the core over them as the firmware does."""

import math
from pathlib import Path

from firmware.gcode import policy
from hal import factory, stepcore
from hal.stepcore import StepCore
from hal.stepsink import Sink, StreamDigest
from tests.tools.helpers_programs import program
from tools import stepfile, stepheader
from tools.verify.gcode import plain_text

RECORD = 16384
KINEMATICS = {"cartesian": 0, "corexy": 1, "corexz": 2, "linear": 3, "delta": 4}
TOWERS = [(174750 * math.cos(math.radians(a)), 174750 * math.sin(math.radians(a))) for a in (210, 330, 90)]


class Machine:
    """config: fields of struct pw_config; box, features, tools: what programs may do on it.

    mesh: (shape, heights_nm) as for StepCore.mesh; overrides: of the document, as in a step file's header ([line, speed, flow, baby_um]).
    """

    def __init__(self, config, box=(0, 235), features=("planes",), mesh=None, overrides=()):
        self.config, self.box, self.features, self.mesh, self.overrides = config, box, features, mesh, overrides
        self.tools = config["motors"] - 3
        if self.tools > 1:
            self.features += ("tools",)
        if config["retract_um"]:
            self.features += ("retraction",)

    @property
    def header(self):
        return stepheader.describe_machine(self.config, self.mesh, self.overrides)

    def program(self, seed, length=60):
        """A random program that this machine must accept."""
        return program(seed, length, self.box, self.features, self.tools).encode()

    def plain(self, finer=4):
        """The same machine without shapers and pressure advance, of finer steps."""
        config = dict(self.config, shaper=[0] * 3, advance_us=[0] * 5)
        motors = 3 + self.tools
        config["steps_per_m"] = [n * finer for n in config["steps_per_m"][:motors]] + [1] * (8 - motors)
        config["max_step_hz"] *= finer
        return Machine(config, self.box, (), self.mesh, self.overrides)

    @property
    def shaped(self):
        return any(self.config["shaper"]) or any(self.config["advance_us"])


def base(**changes):
    config = factory.core_config(factory.describe("sim-cartesian"))
    config.update(shaper=[0] * 3, advance_us=[0] * 5)
    config.update(changes)
    return config


def _delta(config):
    config.update(arm_um=333000, bed_radius_um=140000, min_um=[-140000, -140000, 0], max_um=[140000, 140000, 300000])
    config.update(tower_x_um=[round(x) for x, _ in TOWERS], tower_y_um=[round(y) for _, y in TOWERS])
    config.update(home_um=[0, 0, 300000], axis_velocity_um_s=[0] * 3, axis_accel_um_s2=[0] * 3)
    config["steps_per_m"][:3] = [config["steps_per_m"][0]] * 3


def random_machine(rng, kinematics=None, shaped=False):
    """A machine within the ranges that make sense; the same for the same state of rng (random.Random)."""
    kind = kinematics or rng.choice(list(KINEMATICS))
    tools = rng.choice((1, 1, 2, 3))
    config = base(kinematics=KINEMATICS[kind], motors=3 + tools)
    config["steps_per_m"] = [rng.randrange(20000, 300000) for _ in range(3 + tools)] + [1] * (5 - tools)
    config["tick_hz"] = rng.choice((1000000, 12000000, 16000000, 72000000, 125000000))
    config["max_velocity_um_s"] = rng.randrange(30000, 500000)
    config["max_accel_um_s2"] = rng.randrange(300000, 15000000)
    config["max_jerk_mm_s3"] = round(10 ** rng.uniform(4, 6.7))
    config["corner_um_s"] = rng.choice((0, 1000, 5000, 12000))
    config["axis_velocity_um_s"] = [rng.choice((0, rng.randrange(20000, 300000))) for _ in range(2)] + [rng.randrange(5000, 60000)]
    config["axis_accel_um_s2"] = [rng.choice((0, rng.randrange(300000, 5000000))) for _ in range(2)] + [rng.randrange(50000, 900000)]
    config["max_e_velocity_um_s"] = rng.randrange(20000, 90000)
    config["max_e_accel_um_s2"] = rng.randrange(500000, 9000000)
    config["e_corner_um_s"] = rng.choice((500, 5000, 20000))
    config["merge_um"] = rng.choice((0, 1, 2))
    config["chord_um"] = rng.choice((1, 2))
    config["window"] = rng.choice((16, 37, 100, 256))
    config["max_step_hz"] = rng.choice((20000, 100000, 500000))
    config["dir_setup_ns"] = rng.choice((0, 200, 1000, 5000))
    config["min_segment_us"] = rng.choice((0, 0, 0, 700, 3000))
    config["min_cruise_permille"] = rng.choice((0, 0, 300, 500))
    config["skew_1e6"] = rng.choice(([0, 0, 0], [rng.randrange(-20000, 20000) for _ in range(3)]))
    if rng.random() < 0.5:
        config.update(retract_um=rng.randrange(100, 3000), retract_lift_um=rng.choice((0, 300)), unretract_extra_um=rng.choice((0, 50)))
    if tools > 1:
        config["tool_x_um"] = [0, 18000, -4000, 0, 0]
        config["tool_z_um"] = [0, -100, 50, 0, 0]
    if kind == "linear":
        config["matrix_1e6"] = [1000000, rng.randrange(-400000, 400000), 0, 0, rng.choice((-900000, 800000)), 100000, 0, 0, 1500000]
    box = (0, 235) if tools == 1 else (25, 225)  # each nozzle reaches all of it
    if kind == "delta":
        _delta(config)
        config["skew_1e6"] = [0, 0, 0]
        box = (-85, 85) if tools == 1 else (-65, 65)
    if shaped:
        # two plans are compared: a stop is a segment more when it is shaped, pulse rates are rounded, and
        # density ends otherwise at a stop: none of them may bind
        config.update(window=1024, max_step_hz=1000000, min_segment_us=0)
        shaper = [rng.randrange(0, 7), rng.randrange(0, 7), 0]
        config["shaper"] = shaper
        config["shaper_mhz"] = [rng.randrange(25000, 120000) for _ in range(3)]
        config["shaper_damping_1e4"] = [rng.randrange(0, 2000) for _ in range(3)]
        if rng.random() < 0.7 or not any(shaper):
            config["advance_us"] = [rng.randrange(5000, 100000) if m < tools else 0 for m in range(5)]
            config["advance_smooth_us"] = rng.randrange(20000, 60000)
    made = Machine(config, box)
    if shaped:
        made.features += ("advance",)
    return made


def with_mesh(rng, machine):
    """The machine with a bed that is not flat: bilinear or bicubic, with or without fade."""
    nx, ny = rng.randrange(2, 7), rng.randrange(2, 7)
    low = machine.box[0] + rng.randrange(-10, 20)
    spacing = [round((machine.box[1] - low) * 1000 / (n - 1)) for n in (nx, ny)]
    most_nm = min(spacing) * 1000 // 60  # half as steep as a mesh may be
    heights = [rng.randrange(-most_nm, most_nm) // (1 if rng.random() < 0.5 else 4) for _ in range(nx * ny)]
    fade = rng.choice(([0, 0], [1000, 1000 + 11 * most_nm // 1000]))
    machine.config["mesh_points"] = nx * ny
    machine.mesh = ([rng.randrange(2), nx, ny, low * 1000, low * 1000, *spacing, *fade], heights)
    return machine


def with_overrides(rng, machine, text):
    """The machine with an operator who turns its speed, flow and height while the text is printed."""
    lines = text.count(b"\n")
    at = sorted(rng.sample(range(6, lines), min(4, lines - 6)))
    machine.overrides = [[line, rng.choice((300, 1000, 1730)), rng.choice((700, 1000, 1111)), rng.choice((0, 150, 40))] for line in at]
    return machine


class Result:
    """digest (hex), steps per motor, moves, error ((name, line, column) or None), print_s."""

    def __init__(self, core, digest, sink, error):
        status = core.status()
        self.digest = digest.digest().hex()
        self.steps = [sink.steps(m) for m in range(core.motors)]
        self.moves, self.error = status.moves, error
        self.print_s = status.planned_tick / core.tick_hz

    @property
    def stream(self):
        return self.digest, self.steps, self.moves, self.error


def _act(core, drain):
    """What the firmware does about an event; False at the end of the document.  Returns also the error."""
    event = core.event
    action = None
    if event.kind == stepcore.PW_EV_COMMAND:
        action = policy.classify(policy.GCODE, event.letter, event.number, event.sub)
    elif event.kind == stepcore.PW_EV_LAYER:
        action = policy.MARK
    elif event.kind == stepcore.PW_EV_FULL:
        drain()
    elif event.kind == stepcore.PW_EV_ERROR:
        while not core.flush():
            drain()
        return False, (event.name, event.line, event.column)
    elif event.kind == stepcore.PW_EV_END:
        return False, None
    if action not in (None, policy.IGNORE):
        while not (core.mark(0) if action == policy.MARK else core.flush()):
            drain()
    return True, None


def _places(text, overrides):
    """[(byte where the line begins, speed, flow, baby_um)], and the end."""
    lines = text.splitlines(True)
    return [(sum(map(len, lines[: line - 1])), *tells) for line, *tells in overrides] + [(len(text), None, None, None)]


def _feed(core, text, pieces, drain, each_call, overrides=()):
    """All of the text in pieces of these sizes in turn; the error or None."""
    at = turn = 0
    places = _places(text, overrides)
    while True:
        while at == places[0][0] < len(text):
            _, speed, flow, baby_um = places.pop(0)
            core.override(speed, flow)
            core.baby_step(baby_um * 1000)
        if at < len(text):
            size = pieces[turn % len(pieces)] if pieces else len(text)
            at += core.feed(text, at, min(at + size, places[0][0]))
            turn += core.event.kind == stepcore.PW_EV_NONE
        else:
            core.end_document()
        more, error = _act(core, drain)
        if not more:
            return error
        if each_call:
            each_call(turn)


def run(config, text, pieces=None, budget=64, pack_bytes=4096, every=0, out=None, mesh=None, overrides=()):
    """The stream of a text, the core drained when it is full (and after every so many pieces).

    out: path of a step file to write; mesh, overrides: as in Machine.  Returns a Result.
    """
    core = StepCore(config)
    if mesh:
        core.mesh(*mesh)
    sink = Sink(core, pack_bytes, RECORD if out else 0)
    digest = StreamDigest(core.motors)
    writer = stepfile.StepFileWriter(str(out), stepheader.describe_machine(config, mesh, overrides)) if out else None

    def drain():
        more = True
        while more:
            more = sink.drain_core(budget)
            digest.update(sink)
            if writer:
                for motor in range(core.motors):
                    writer.append(motor, sink.ticks(motor), sink.dirs(motor))

    core.begin()
    error = _feed(core, text, pieces, drain, (lambda turn: turn % every or drain()) if every else None, overrides)
    drain()
    if writer:
        writer.commit()
    return Result(core, digest, sink, error)


def scan(config, text, pieces=None):
    """The error that a scan finds: (name, line, column), or None."""
    core = StepCore(config)
    core.begin(stepcore.PW_SCAN)
    event = core.event
    at = turn = 0
    while True:
        if at < len(text):
            size = pieces[turn % len(pieces)] if pieces else len(text)
            at += core.scan(text, at, min(at + size, len(text)))
            turn += 1
        else:
            core.end_document()
        if event.kind == stepcore.PW_EV_ERROR:
            return event.name, event.line, event.column
        if event.kind == stepcore.PW_EV_END:
            return None


def files(folder, machine, text):
    """(G-code path, step path, plain step path or None) of a program on a machine, for tools.verify."""
    folder = Path(folder)
    gcode = folder / "a.gcode"
    gcode.write_bytes(text)
    given = {"mesh": machine.mesh, "overrides": machine.overrides}
    made = [run(machine.config, text, out=folder / "a.steps", **given)]
    if machine.shaped:
        made.append(run(machine.plain().config, plain_text(gcode, machine.header), out=folder / "plain.steps", **given))
    for result in made:
        if result.error:
            raise AssertionError("%s, line %d, column %d: refused" % result.error)
    return str(gcode), str(folder / "a.steps"), str(folder / "plain.steps") if machine.shaped else None
