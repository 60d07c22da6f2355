"""Temperatures of the machine: reads every sensor, controls every heater, tells when a target is reached.

Called by the task that owns the machine, every PERIOD_MS of machine time.  Decides nothing beyond its heaters: a Fault goes to the
supervisor, which stops the machine.
"""

from firmware.thermal.errors import SensorFault, ThermalError
from firmware.thermal.guard import Guard
from firmware.thermal.pid import Pid
from firmware.thermal.sensors import Thermistor
from hal.errors import HalError

PERIOD_MS = 100
_FAN_HYSTERESIS_C = 3


class _Loop:
    """One heater with its sensor."""

    def __init__(self, name, machine):
        data = machine.description["printer"]["heaters"][name]
        sensor = machine.description["pcb"]["sensors"][data["sensor"]]
        self.name = name
        self.max_target_c = data["max_target_c"]
        self.window_c = data["window_c"]
        self.settle_ms = 1000 * data["settle_s"]
        self.fan_above_c = data["fan_above_c"]
        self.heater = machine.heaters[name]
        self.adc = machine.sensors[name]
        self.thermistor = Thermistor(machine.description["thermistors"][data["thermistor"]], sensor["pullup_ohm"])
        self.guard = Guard(name, data)
        self.pid = Pid(data["pid"], data["max_duty"])
        self.fan = machine.fans[data["fan"]] if data["fan"] else None
        self.target_c = 0
        self.current_c = None
        self.peak_c = None
        self.near_since_ms = None
        self.reached = False


class Heating:
    """All heaters of a machine (hal.api.Machine).  settings: the user's (firmware/config); none of them concerns heat yet.

    refused: names of heaters whose output did not take its duty at the last tick: a lease ran out or the port has a fault.
    """

    def __init__(self, machine, settings=None):
        self._loops = [_Loop(name, machine) for name in machine.caps.heaters]
        self._last_ms = None
        self._stopped = False
        self.refused = ()

    # -- targets

    def set_target(self, name, temp_c):
        """Target in degC; 0 is off.  ThermalError when the machine has no such heater, or above its maximum, or after a fault."""
        loop = self._loop(name)
        highest_c = loop.max_target_c
        if not 0 <= temp_c <= highest_c:
            raise ThermalError("%s: target from 0 to %s degC expected, not %s" % (name, highest_c, temp_c))
        if temp_c and self._stopped:
            raise ThermalError("%s: heating has been stopped by a fault" % name)
        if temp_c != loop.target_c:
            loop.near_since_ms = None
            loop.reached = False
            if loop.target_c == 0:
                loop.pid.reset()
        loop.target_c = temp_c

    def target_c(self, name):
        return self._loop(name).target_c

    def max_target_c(self, name):
        """The highest target that set_target() takes."""
        return self._loop(name).max_target_c

    def off(self):
        """Every target 0 and every heater off, now."""
        for loop in self._loops:
            loop.target_c = 0
            loop.near_since_ms = None
            loop.reached = False
            self._output(loop, 0)

    def clear(self):
        """After a fault whose cause is gone: targets may be set again."""
        self._stopped = False

    # -- state

    def current_c(self, name):
        """Last believable reading, or None."""
        return self._loop(name).current_c

    def reached(self, name):
        """True once the temperature has stayed within the window around the target for the time that the machine data say; a
        heater that is off has nothing to reach.  Falls back to False when the window is left."""
        loop = self._loop(name)
        return loop.reached or loop.target_c == 0

    def readings(self):
        """[(name, current degC or None, target degC)] in the order of hal.api.HEATERS."""
        return [(loop.name, loop.current_c, loop.target_c) for loop in self._loops]

    def peak_c(self, name):
        """Highest reading since the start or reset_peaks(), or None."""
        return self._loop(name).peak_c

    def reset_peaks(self):
        """A job begins."""
        for loop in self._loops:
            loop.peak_c = loop.current_c

    # -- the period

    def tick(self, now_ms):
        """One period, at machine time now_ms: reads, guards, controls, renews leases.

        Returns None or a Fault (firmware/thermal/errors); with a Fault every heater is off and stays off until clear().
        """
        dt_s = PERIOD_MS / 1000 if self._last_ms is None else (now_ms - self._last_ms) / 1000
        self._last_ms = now_ms
        self.refused = ()
        first = None
        for loop in self._loops:
            fault = self._step(loop, now_ms, dt_s)
            if fault and not first:
                first = fault
        if first:
            self._stopped = True
            self.off()
        return first

    def _step(self, loop, now_ms, dt_s):
        problem = None
        current_c = None
        try:
            current_c = loop.thermistor.temp_c(loop.adc.read())
        except SensorFault as error:
            problem = error.kind
        believable, fault = loop.guard.check(current_c, problem)
        loop.current_c = current_c
        if current_c is not None and (loop.peak_c is None or current_c > loop.peak_c):
            loop.peak_c = current_c
        duty = 0.0
        if believable and loop.target_c:
            duty = loop.pid.duty(loop.target_c, current_c, dt_s)
        elif not believable:
            loop.pid.reset()
        self._output(loop, int(1000 * duty + 0.5))
        self._settle(loop, current_c if believable else None, now_ms)
        self._cool(loop)
        return fault

    def _output(self, loop, permille):
        try:
            loop.heater.set_duty(permille)
        except HalError:
            # the port holds it off by itself and says why; the supervisor reads that
            self.refused = self.refused + (loop.name,)

    def _settle(self, loop, current_c, now_ms):
        if current_c is None or not loop.target_c or abs(current_c - loop.target_c) > loop.window_c:
            loop.near_since_ms = None
            loop.reached = False
            return
        if loop.near_since_ms is None:
            loop.near_since_ms = now_ms
        if now_ms - loop.near_since_ms >= loop.settle_ms:
            loop.reached = True

    def _cool(self, loop):
        """The fan that keeps the cold side cold: runs while the part is warm, is about to be, or cannot be measured."""
        if loop.fan is None:
            return
        limit_c = loop.fan_above_c
        warm = loop.current_c is None or loop.target_c >= limit_c or loop.current_c >= limit_c
        if warm:
            loop.fan.set(1000)
        elif loop.current_c < limit_c - _FAN_HYSTERESIS_C:
            loop.fan.set(0)

    def _loop(self, name):
        for loop in self._loops:
            if loop.name == name:
                return loop
        raise ThermalError("this machine has no heater %s" % name)
