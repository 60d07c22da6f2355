"""The contracts between firmware and hardware: what every backend (hal/sim, hal/upy) implements and all that firmware may call.

Everything here is called from the one asyncio thread and, where no coroutine is written, returns at once.  Nothing calls back:
news is polled.  Errors are those of hal/errors; what a method may raise beside HalError stands with it.  Absent hardware is absent
from `Machine.caps` and from the dictionaries; present hardware implements its whole contract.  Types: api.pyi.
"""

from hal.errors import StorageError

# The names that heaters can have, in the order in which they are listed everywhere; the index is the port's heater number.
# in the order of the port's outputs; nozzle1 to nozzle4 heat T1 to T4, which nozzle heats where they are missing
HEATERS = ("nozzle", "bed", "chamber", "nozzle1", "nozzle2", "nozzle3", "nozzle4")
# Axis names; the index is the port's input number of the axis' endstop and, for Cartesian mechanics, the motor.
AXES = ("x", "y", "z")


def nozzle_of(tool, heaters):
    """Name of the heater of tool 0 to 4: its own where the machine has one ("nozzle1" for T1), else that of T0."""
    name = "nozzle%d" % tool if tool else "nozzle"
    return name if name in heaters else "nozzle"


class FlashError(StorageError):
    """A flash operation failed or broke the rules of NOR flash."""


class Clock:
    """Machine time and wall time.  Only the task that owns the machine (jobs/runner) may wait on it."""

    def ticks_ms(self):
        """Machine time in ms since power-on; never wraps, never goes back; passes only while somebody waits, in the simulator."""
        raise NotImplementedError

    def uptime_s(self):
        """Whole seconds of wall time since power-on, plus 1: what IPP times count."""
        raise NotImplementedError

    def unix_s(self):
        """Seconds since 1970, or None while no clock was set."""
        raise NotImplementedError

    async def wait_ms(self, ms, active):
        """Lets up to `ms` of machine time pass; gives other tasks a turn at least once, also for ms = 0.

        active: a job depends on the time that passes (a board ignores it).  Comes back early when the port has something that
        must be read before it can go on (a gate that triggered, a full queue of marks).
        """
        raise NotImplementedError


class Heater:
    """Switch of one heater, on lease: the port switches it off when set_duty() was not called for `lease_ms` (machine time)."""

    def set_duty(self, permille):
        """Sets duty 0 to 1000 and renews the lease.  HalError after a fault, or once the lease ran out (port.clear() forgets that)."""
        raise NotImplementedError

    def duty(self):
        """Duty on the pin now, permille; 0 after a fault or an expired lease."""
        raise NotImplementedError


class Adc:
    """Analogue input at a divider: thermistor to ground, pull-up to the converter's reference."""

    def read(self):
        """0 to 65535 of full scale, at the converter's resolution."""
        raise NotImplementedError


class Pwm:
    """Output with a duty (a fan).  Off at power-on."""

    def set(self, permille):
        """0 to 1000."""
        raise NotImplementedError

    def get(self):
        """Last value set."""
        raise NotImplementedError


class Flash:
    """NOR flash for records: programming only clears bits, erasing a sector sets them.  `size`, `sector_bytes`, `page_bytes`."""

    def read_into(self, offset, buf):
        """Fills buf from offset on.  FlashError outside of the flash."""
        raise NotImplementedError

    def program(self, offset, data):
        """Clears bits.  offset and len(data) are multiples of page_bytes.  A byte 0xFF leaves what is there; any other byte may only
        clear bits.  FlashError when a rule is broken or the device fails (what is there then is anything between old and new);
        BusyError while steps are due on a machine without caps.write_while_moving.
        """
        raise NotImplementedError

    def erase(self, offset):
        """Sets all bytes of the sector at offset (a multiple of sector_bytes) to 0xFF.  Errors as for program."""
        raise NotImplementedError

    async def sync(self):
        """Returns when all that was programmed and erased before the call is durable.  FlashError when that failed.

        Where a loss of power can undo a later operation and keep an earlier one, or the other way round (a file on the desktop), there
        is also barrier(): the same, blocking, for the rare case that an operation must not overtake what was done before.
        """
        raise NotImplementedError


class Files:
    """Documents, by flat names (letters, digits, "-", "_", "."; at most 64 bytes; no leading dot)."""

    def create(self, name):
        """A FileWriter; what had this name is gone.  StorageError, StorageFull."""
        raise NotImplementedError

    def open(self, name):
        """A FileReader.  StorageError when there is no such file."""
        raise NotImplementedError

    def size(self, name):
        """Bytes, or None when there is no such file."""
        raise NotImplementedError

    def remove(self, name):
        """True when there was one."""
        raise NotImplementedError

    def names(self):
        """Sorted list."""
        raise NotImplementedError

    def free_bytes(self):
        """Room that is left."""
        raise NotImplementedError

    async def sync(self):
        """Returns when every file closed or removed before the call is durable.  StorageError when that failed."""
        raise NotImplementedError


class FileWriter:
    def write(self, buf):
        """Takes all of buf, or raises StorageFull (then none of it) or StorageError."""
        raise NotImplementedError

    def close(self):
        """Ends the file; durable after files.sync().  May be called twice."""
        raise NotImplementedError


class FileReader:
    def readinto(self, buf):
        """Bytes read, 0 at the end.  StorageError."""
        raise NotImplementedError

    def seek(self, position):
        """The next read starts at this byte."""
        raise NotImplementedError

    def close(self):
        """May be called twice."""
        raise NotImplementedError


class Stream:
    """One connection, bytes both ways.  Errors of the network come as OSError.

    `async readinto(buf) -> count` (0 at the end) is there where the runtime has it: it spares the garbage of read()."""

    at_once = None  # at_once(answer), where the runtime has it: the next bytes that come are shown to answer(bytes) before any read() sees
    # them; what it returns, if not None, is sent for them, and the next bytes are shown, too.  To be called while nothing is unread, before
    # read(): the first bytes without an answer are those that read() gives, and end it.

    async def read(self, n):
        """Up to n bytes as soon as there are some; b"" when the peer has ended its side."""
        raise NotImplementedError

    def write(self, buf):
        """Queues bytes; follow it by drain()."""
        raise NotImplementedError

    async def drain(self):
        """Waits until the queue is short enough to go on."""
        raise NotImplementedError

    def close(self):
        """Ends the connection once what is queued was sent.  May be called twice."""
        raise NotImplementedError

    def abort(self):
        """Ends the connection at once; what is queued is lost.  For a peer that does not take it."""
        self.close()


class Datagrams:
    """UDP datagrams of one port, to a group and to single hosts, on all interfaces where the printer can be reached.

    A link is an interface and one of IPv4 and IPv6, by a key of the backend's own."""

    def links(self):
        """{key: [(address in 4 or 16 octets, bits of its network), ...]} as it is now; the addresses are those of the interface, of
        both kinds.  Joins and leaves the group accordingly: to be asked every few seconds."""
        raise NotImplementedError

    def send(self, data, key, destination):
        """Sends now or loses it.  destination: None for the group, or (address, port)."""
        raise NotImplementedError

    async def receive(self, timeout_ms):
        """(data, key, address, port) of the next datagram, None after timeout_ms, or now and then sooner."""
        raise NotImplementedError

    def close(self):
        """What was sent is sent.  May be called twice."""
        raise NotImplementedError


class Net:
    """Incoming connections.  `port`: the number it listens on, None before serve().  `tls`: True where connections can be encrypted;
    `datagrams`: True where the printer may tell the network of itself."""

    tls = False
    datagrams = False

    async def serve(self, handler):
        """Listens from now on and returns.  Every connection runs `await handler(stream, peer, tls)` in a task of its own; peer is the
        address as a string, tls True when the connection is encrypted.  The stream is closed when the handler ends.
        HalError when the port cannot be had.
        """
        raise NotImplementedError

    def multicast(self, port, group4, group6):
        """Datagrams of a UDP port and the groups of IPv4 and IPv6 (texts); only where `datagrams`.  HalError when it cannot be had."""
        raise NotImplementedError

    def close(self):
        """No more connections are accepted; those that are open go on."""
        raise NotImplementedError


class Trace:
    """Simulator only: records what was played.  All three are called by the runner."""

    def begin(self):
        """The job's own moves start: after core.begin(), before the first feed()."""
        raise NotImplementedError

    def end(self):
        """The job has ended, in whatever way: the record is complete.  Harmless without begin()."""
        raise NotImplementedError


class Caps:
    """What the machine has and has room for; plain values, never changed after the factory filled them.

    heaters: tuple of names out of HEATERS.  fans: tuple out of ("part", "hotend").  has_chamber, has_bed: bool.
    min_um, max_um, home_um: (x, y, z).  tools: number of extruders.
    nozzle_um, filament_um.  max_target_c: {heater: degC}.  connections, jobs, history, spool_bytes.  write_while_moving.
    identify: tuple of Identify-Printer actions.  flash_settings_bytes: part at the end of the flash that belongs to the settings.
    lease_ms, stall_ms.
    """

    def __init__(self, values):
        for key in values:
            setattr(self, key, values[key])


class Machine:
    """One printer's hardware, as built by hal/factory.

    name, description (the whole dictionary, of which the firmware keeps what it needs after its start), caps (Caps), clock (Clock),
    core (hal.stepcore.StepCore; core.port is the port), heaters {name: Heater}, sensors {heater name: Adc}, fans {name: Pwm},
    endstops {axis: input number of the port, or None},
    probe (input number of the port, or None), flash (Flash), files (Files), net (Net), trace (Trace or None).
    """

    def __init__(self, name, description, caps):
        self.name = name
        self.description = description
        self.caps = caps
        self.clock = None
        self.core = None
        self.heaters = {}
        self.sensors = {}
        self.fans = {}
        self.endstops = {}
        self.probe = None
        self.flash = None
        self.files = None
        self.net = None
        self.trace = None
        self._identify = None
        self._close = None

    def identify(self, actions):
        """Identify-Printer: does those of the actions that the machine has, without waiting.  Returns the list of them."""
        done = [action for action in actions if action in self.caps.identify]
        if self._identify:
            self._identify(done)
        return done

    def close(self):
        """Outputs to their safe state, files and locks released; the machine is of no more use.  May be called twice."""
        if self._close:
            self._close()
            self._close = None
