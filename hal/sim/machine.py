"""The simulator as a backend of hal/factory: makes every part of a machine out of hal/sim."""

from hal.api import AXES
from hal.errors import ConfigError
from hal.sim import switches
from hal.sim.clock import SimClock
from hal.sim.files import FolderFiles, RamFiles
from hal.sim.flash import FileFlash, RamFlash
from hal.sim.net import SimNet
from hal.sim.trace import SimTrace
from hal.sim.world import SimAdc, SimHeater, SimPwm, World
from hal.stepcore import StepCore

try:
    from hal.sim import desktop, desktopnet
except ImportError:
    desktop = desktopnet = None

_LOOPBACK = ("127.0.0.1", "::1")
_PACE_MAX = 1000
_CAPACITY_MIN = 4096


def parse_pace(text):
    """ "max", "realtime" or a number (0.1 to 1000) -> what SimOptions.pace wants: None or the factor.  Raises ConfigError."""
    if text == "max":
        return None
    if text == "realtime":
        return 1
    try:
        pace = float(text)
    except ValueError:
        pace = 0
    if not 0.1 <= pace <= _PACE_MAX:
        raise ConfigError("--pace " + text, "max, realtime or a number from 0.1 to %d expected" % _PACE_MAX)
    return pace


class SimOptions:
    """How a machine is simulated.

    state: folder of flash, documents and lock; None: in memory, gone with the machine.
    pace: None (as fast as possible while a job runs) or the factor to the wall clock (1: real time).
    port, hosts: where it listens; port 0: a free one.
    capacity: room for documents in bytes; None: what the machine data say.
    faults: list of texts (hal/sim/faults).
    record: None, or writer_of(core_config) for hal/sim/trace; digest: True makes a trace without a writer, too.
    seed: of the carriage's place at power-on and of noise.  noise: converter counts of random error.
    flash, files, net: parts to use instead of new ones (tests: the same flash again is a power cycle).
    identify: called with the list of actions of Identify-Printer.
    tls: None, or a function that returns an ssl.SSLContext: encrypted connections at the same port, too (desktop only).
    advertise: tell the network of the printer (desktop only).
    """

    def __init__(
        self,
        state=None,
        pace=None,
        port=8631,
        hosts=_LOOPBACK,
        capacity=None,
        faults=(),
        record=None,
        digest=False,
        seed=1,
        noise=0,
        flash=None,
        files=None,
        net=None,
        identify=None,
        tls=None,
        advertise=False,
    ):
        if capacity is not None and capacity < _CAPACITY_MIN:
            raise ConfigError("--capacity %s" % capacity, "at least %d bytes expected" % _CAPACITY_MIN)
        self.state = state
        self.pace = pace
        self.port = port
        self.hosts = hosts
        self.capacity = capacity
        self.faults = faults
        self.record = record
        self.digest = digest
        self.seed = seed
        self.noise = noise
        self.flash = flash
        self.files = files
        self.net = net
        self.identify = identify
        self.tls = tls
        self.advertise = advertise


def build(desc, options=None):
    """A simulated Machine (hal/api).  It has `world` (hal/sim/world.World: what the firmware cannot see) besides.  HalError."""
    from hal import factory  # let go of after the start (firmware/app): so nothing here may keep it

    backend = SimBackend(options or SimOptions())
    machine = factory.build(desc, backend)
    machine.world = backend.world
    return machine


class SimBackend:
    """Calls of hal/factory.build, in its order."""

    def __init__(self, options):
        self._options = options
        self._trace = None
        self._lock = None
        self._stop = None
        self._open = []

    def start(self, desc, caps):
        if desc["pcb"]["compatible"] != "sim":
            raise ConfigError("pcb.compatible", "sim expected, not %s" % desc["pcb"]["compatible"])
        options = self._options
        self._desc = desc
        self._caps = caps
        if options.capacity is not None:
            caps.spool_bytes = options.capacity
        if options.state is not None and desktop is not None:
            self._lock = desktop.StateLock(options.state)

    def core(self, config, port_config):
        # a new port has every output off: that is the safe state
        self._core = StepCore(config, port_config)
        port = self._core.port
        self._stop = port.fault
        options = self._options
        self.world = World(self._desc, port, options.faults, options.noise, options.seed)
        self._place()
        if options.record is not None or options.digest:
            self._trace = SimTrace(self._core, config, options.record)
        return self._core

    def _place(self):
        """The carriage stands anywhere in the volume: only homing finds out where."""
        seed = self._options.seed
        printer = self._desc["printer"]
        shares = []
        for _ in AXES:
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            shares.append((seed >> 8) % 10001 / 10000)
        place = []
        for index in range(3):
            data = printer["axes"][AXES[index]]
            share = shares[index]
            if printer["kinematics"] == "delta" and index < 2:
                share = 0.25 + share / 2  # in the square within the bed's circle
            place.append(int((data["min_mm"] + share * (data["max_mm"] - data["min_mm"])) * 1000000))
        steps = self._core.counts_at(place)
        for motor in range(3):
            self._core.port.place(motor, steps[motor])

    def clock(self):
        self._clock = SimClock(self._core.port, self.world, self._core.tick_hz, self._options.pace, self._trace)
        return self._clock

    def heater(self, name, data, index):
        return SimHeater(self._core.port, index)

    def sensor(self, name, data):
        return SimAdc(self.world, name)

    def fan(self, name, data):
        return SimPwm(self.world, name)

    def endstop(self, axis, data, index):
        k, threshold = switches.endstop(self._desc["printer"], self._core, index)
        self.world.switch(axis, index, k, threshold)
        return index

    def probe(self, data, index):
        self.world.lay_bed(self._core, index)
        return index

    def flash(self):
        options = self._options
        flash = options.flash
        if flash is None:
            data = self._desc["pcb"]["flash"]
            shape = (data["bytes"], data["sector_bytes"], data["page_bytes"])
            if options.state is None:
                flash = RamFlash(*shape)
            else:
                kind = desktop.DurableFlash if desktop is not None else FileFlash
                flash = kind(options.state + "/flash.bin", *shape)
            self._open.append(flash)
        if self._caps.write_while_moving:
            flash.attach(failing=self._flash_fails)
        else:
            flash.attach(self._moving, self._core.port.fault, self._flash_fails)
        return flash

    def _moving(self):
        return self._clock.moving

    def _flash_fails(self):
        fault = self.world.faults.find("flash-fail")
        if fault is None:
            return False
        return fault.use_up() < 0

    def files(self):
        options = self._options
        files = options.files
        if files is None:
            if options.state is None:
                files = RamFiles(self._caps.spool_bytes)
            else:
                kind = desktop.DurableFiles if desktop is not None else FolderFiles
                files = kind(options.state + "/documents", self._caps.spool_bytes)
            self._open.append(files)
        files.attach(self._disk_full)
        return files

    def _disk_full(self):
        return self.world.faults.find("disk-full") is not None

    def net(self):
        options = self._options
        if options.net is not None:
            return options.net
        if desktopnet is not None:
            net = desktopnet.DesktopNet(options.hosts, options.port, options.tls, options.advertise)
        else:
            net = SimNet(options.hosts, options.port)
        self._open.append(net)
        return net

    def trace(self):
        return self._trace

    def identify(self, actions):
        if self._options.identify:
            self._options.identify(actions)

    def close(self):
        if self._stop is not None:
            self._stop()
        for part in self._open:
            part.close()
        self._open = []
        if self._lock is not None:
            self._lock.close()
            self._lock = None
