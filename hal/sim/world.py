"""What the simulated board is attached to: heated parts, sensors, fans, switches; and the faults that they can have.

The clock calls step() after every slice of machine time.  Energies come from the port, so that heaters behave exactly as their
leases and duties say, however long Python was away.
"""

from hal.api import AXES, HEATERS, Adc, Heater, Pwm, nozzle_of
from hal.errors import ConfigError
from hal.factory import extruders_of
from hal.sim.faults import Faults
from hal.sim.plants import Ntc, Plant, divider
from hal.sim.switches import Bed
from hal.stepport import PW_INPUT_CLOSED, PW_INPUT_LIVE, PW_INPUT_OPEN

AMBIENT_C = 22.0
SLICE_MS = 50  # longest step of the plants; their time constants are seconds
_NOISE_A = 1103515245
_NOISE_C = 12345


class _Part:
    def __init__(self, name, index, data, ntc, pullup_ohm):
        self.name = name
        self.index = index
        self.plant = Plant(data["plant"], AMBIENT_C)
        self.ntc = ntc
        self.pullup_ohm = pullup_ohm
        self.energy = 0  # of the port, permille ticks
        self.stuck = None


class World:
    """desc: machine description; port: HostPort; specs: fault texts; noise: converter counts of random error (0: none); seed."""

    def __init__(self, desc, port, specs=(), noise=0, seed=1):
        self.faults = Faults(specs)
        self._port = port
        self._tick_hz = desc["pcb"]["tick_hz"]
        self._bits = desc["pcb"]["adc_bits"]
        self._noise = noise
        self._random = (seed * 2654435761 + 1) & 0x7FFFFFFF
        self._e_steps_mm = [part["steps_per_mm"] for part in extruders_of(desc["printer"])]
        self._e_last = [0] * len(self._e_steps_mm)
        self._parts = []
        self._switches = {}
        self._printer = desc["printer"]
        self.bed = None  # hal/sim/switches.Bed, where the machine has a probe
        self.fan_permille = {}
        for name in sorted(HEATERS, key=lambda name: name == "chamber"):
            data = desc["printer"]["heaters"][name]
            if data is None:
                continue
            if data["plant"] is None:
                raise ConfigError("printer.heaters.%s.plant" % name, "missing: the simulator has to know how the part heats")
            pullup_ohm = desc["pcb"]["sensors"][data["sensor"]]["pullup_ohm"]
            ntc = Ntc(desc["thermistors"][data["thermistor"]])
            self._parts.append(_Part(name, HEATERS.index(name), data, ntc, pullup_ohm))
        for name in desc["printer"]["fans"]:
            if desc["printer"]["fans"][name] is not None:
                self.fan_permille[name] = 0
        names = [part.name for part in self._parts]
        self._hotends = [nozzle_of(tool, names) for tool in range(len(self._e_last))]
        have = names + sorted(self.fan_permille) + list(AXES)
        if desc["printer"]["probe"]:
            have.append("probe")
        for kind, part in self.faults.parts():
            if part is not None and part not in have:
                raise ConfigError("--fault %s:%s" % (kind, part), "this machine has no %s; it has: %s" % (part, ", ".join(have)))

    # -- time

    def step(self, ticks, now_ms):
        """So many machine ticks have passed (at most SLICE_MS), now_ms of machine time in all."""
        for fault in self.faults.poll(now_ms):
            self._came(fault)
        dt_s = ticks / self._tick_hz
        status = self._port.status()
        if self.bed is not None and status.side:
            self.bed.follow([status.physical(m) for m in range(3)])
        filament_mm = {}
        for tool in range(len(self._e_last)):
            e_now = status.physical(3 + tool)
            pushed_mm = max(0, e_now - self._e_last[tool]) / self._e_steps_mm[tool]
            self._e_last[tool] = e_now
            name = self._hotends[tool]
            filament_mm[name] = filament_mm.get(name, 0.0) + pushed_mm
        last = self._parts[-1]
        chamber = last if last.name == "chamber" else None
        around_c = chamber.plant.block_c if chamber else AMBIENT_C
        fan = 0.0 if self.faults.find("fan-dead", "part") else self.fan_permille.get("part", 0) / 1000
        leaked_j = 0.0
        for part in self._parts:
            energy = self._port.energy(part.index)
            heat_j = (energy - part.energy) / (1000 * self._tick_hz) * part.plant.power_w
            part.energy = energy
            if self.faults.find("heater-stuck-on", part.name):
                heat_j = part.plant.power_w * dt_s
            elif self.faults.find("heater-dead", part.name):
                heat_j = 0.0
            if part is chamber:
                # comes last: what the others lost in this step warms it
                part.plant.step(dt_s, heat_j + leaked_j, AMBIENT_C)
            elif part.name in filament_mm:
                leaked_j += part.plant.step(dt_s, heat_j, around_c, fan, filament_mm[part.name])
            else:
                leaked_j += part.plant.step(dt_s, heat_j, around_c)

    def stall_ms(self, now_ms):
        """Machine time that has to pass now without the firmware, in ms; each stall is told once."""
        total = 0
        for fault in self.faults.poll(now_ms):
            self._came(fault)
        fault = self.faults.find("stall")
        while fault:
            total += fault.take()
            fault = self.faults.find("stall")
        return total

    def _came(self, fault):
        if fault.kind == "sensor-stuck":
            part = self._find(fault.part)
            temp_c = part.plant.sensor_c if fault.value is None else fault.value
            part.stuck = divider(part.ntc.ohm(temp_c), part.pullup_ohm, self._bits)
        elif fault.kind == "endstop-stuck" and fault.part in self._switches:
            index, k, threshold = self._switches[fault.part]
            self._port.input(index, PW_INPUT_OPEN if fault.value == "open" else PW_INPUT_CLOSED, k, threshold)

    def _find(self, name):
        for part in self._parts:
            if part.name == name:
                return part
        raise KeyError(name)

    # -- parts

    def plant(self, name):
        """The Plant (tests, pictures): its block_c is the truth."""
        return self._find(name).plant

    def raw(self, name):
        """What the converter reads."""
        if self.faults.find("sensor-open", name):
            return 65535
        if self.faults.find("sensor-short", name):
            return 0
        part = self._find(name)
        if part.stuck is not None and self.faults.find("sensor-stuck", name):
            return part.stuck
        raw = divider(part.ntc.ohm(part.plant.sensor_c), part.pullup_ohm, self._bits)
        if self._noise:
            self._random = (self._random * _NOISE_A + _NOISE_C) & 0x7FFFFFFF
            count = 65536 >> self._bits
            raw += ((self._random >> 8) % (2 * self._noise + 1) - self._noise) * count
        return min(max(raw, 0), 65535)

    def switch(self, axis, index, k, threshold):
        """Puts an endstop, or the probe, at the port's input `index`."""
        self._switches[axis] = (index, k, threshold)
        if not self.faults.find("endstop-stuck", axis):
            self._port.input(index, PW_INPUT_LIVE, k, threshold)

    def lay_bed(self, core, index):
        """Puts the bed under the probe at the port's input `index`."""
        self.bed = Bed(self._printer, core, lambda k, threshold: self.switch("probe", index, k, threshold))


class SimHeater(Heater):
    def __init__(self, port, index):
        self._port = port
        self._index = index

    def set_duty(self, permille):
        self._port.heater(self._index, permille)

    def duty(self):
        return self._port.output(self._index)


class SimAdc(Adc):
    def __init__(self, world, name):
        self._world = world
        self._name = name

    def read(self):
        return self._world.raw(self._name)


class SimPwm(Pwm):
    def __init__(self, world, name):
        self._world = world
        self._name = name

    def set(self, permille):
        if not 0 <= permille <= 1000:
            raise ConfigError("fan " + self._name, "0 to 1000 expected, not %r" % (permille,))
        self._world.fan_permille[self._name] = permille

    def get(self):
        return self._world.fan_permille[self._name]
