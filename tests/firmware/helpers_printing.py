"""A printer without a network: the whole firmware on a simulated machine in memory, jobs put straight into its queue."""

import asyncio
from pathlib import Path

from firmware import app
from firmware.gcode import policy
from firmware.ipp import codec
from firmware.jobs import states
from hal import factory, stepcore
from hal.sim import SimOptions, build
from hal.stepsink import Sink, StreamDigest

SLICED = Path(__file__).resolve().parent.parent / "vectors" / "sliced"
GCODE = "text/x-gcode"
SAFE = "application/vnd.pwg-safe-gcode"
WAIT_S = 20  # no test needs it; it ends what hangs

# a square of four sides, with heat, fan and layers, as a slicer would write it
SQUARE = b"""M104 S210
M140 S60
G28
M190 S60
M109 S210
G21
G90
M83
;LAYER_CHANGE
M106 S128
G1 X20 Y20 Z0.2 F9000
G1 X60 E1.5 F1800
G1 Y60 E1.5
;LAYER_CHANGE
G1 Z0.4
G1 X20 E1.5
G1 Y20 E1.5
M107
M104 S0
M140 S0
G1 E-2 F2400
G1 Z10
M84
"""


class NoNet:
    """Nobody listens."""

    port = None
    tls = False
    datagrams = None

    async def serve(self, handler):
        pass

    def close(self):
        pass


class Printer:
    """`async with Printer(...) as printer`: the firmware runs.  faults: texts of --fault."""

    def __init__(self, machine="sim-cartesian", faults=(), pace=None, **options):
        self.machine = build(factory.describe(machine), SimOptions(net=NoNet(), digest=True, faults=faults, pace=pace, **options))
        self.app = app.build(self.machine)
        self.queue = self.app.queue
        self.runner = self.app.runner
        self.status = self.app.runner.status
        self.port = self.machine.core.port

    async def __aenter__(self):
        await self.app.start()
        return self

    async def __aexit__(self, *what):
        await self.app.stop()
        self.machine.close()

    async def submit(self, data, document_format=GCODE, ticket=(), name="test"):
        """A complete job; ticket: list of encoded attributes by name."""
        job = self.queue.create(name, "tester", dict(ticket))
        writer = self.queue.open_document(job, document_format)
        await writer.write(data)
        await writer.close(True)
        return job

    async def until(self, condition):
        """Lets the printer work until condition() holds."""
        ticks = 0
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while not condition():
            ticks += 1
            assert asyncio.get_running_loop().time() < deadline, "nothing happens"
            await asyncio.sleep(0 if ticks % 50 else 0.001)

    async def ended(self, job):
        """Waits for the end of the job; the Job as it is in the journal."""
        await self.until(lambda: states.ended(job.state) and self.runner.job is None)
        return self.queue.get(job.id)

    async def print(self, data, document_format=GCODE, ticket=()):
        return await self.ended(await self.submit(data, document_format, ticket))

    @property
    def digest(self):
        return self.machine.trace.digest.hex()

    def is_safe(self):
        """Nothing heats, nothing moves, no fan for the print."""
        heat = [heater.duty() for heater in self.machine.heaters.values()]
        targets = [target for _, _, target in self.app.heating.readings()]
        still = self.port.status().rate_q32 == 0 or self.app.motion.idle()
        return not any(heat) and not any(targets) and self.machine.fans["part"].get() == 0 and still


def material(key, temperature_c=None):
    """A ticket with materials-col."""
    members = [("material-key", [(0x44, key)])]
    if temperature_c is not None:
        members.append(("material-temperature", [(0x21, temperature_c)]))
    return {"materials-col": codec.attribute(0x34, "materials-col", [members])}


def integer(name, value):
    """A ticket entry of one integer."""
    return {name: codec.attribute(0x21, name, [value])}


def direct_digest(data, machine="sim-cartesian", dialect=policy.GCODE):
    """What the core alone makes of the document, without port, clock, heat or network."""
    description = factory.describe(machine)
    core = stepcore.StepCore(factory.core_config(description), factory.port_config(description))
    core.begin(stepcore.PW_FEED, dialect)
    sink = Sink(core)
    stream = StreamDigest(core.motors)

    def drain():
        while True:
            more = sink.drain_core()
            stream.update(sink)
            if not more:
                return

    buf = bytearray(data)
    at = 0
    while at < len(buf):
        at += core.feed(buf, at, len(buf))
        event = core.event
        assert event.kind != stepcore.PW_EV_ERROR, event.name
        if event.kind == stepcore.PW_EV_FULL:
            drain()
        elif event.kind == stepcore.PW_EV_COMMAND:
            if policy.classify(dialect, event.letter, event.number, event.sub) == policy.FLUSH:
                while not core.flush():
                    drain()
    while True:
        core.end_document()
        if core.event.kind == stepcore.PW_EV_END:
            break
        drain()
    drain()
    return stream.digest().hex()
