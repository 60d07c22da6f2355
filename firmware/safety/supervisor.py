"""The one place that decides to stop the machine, and that says why.

A stop is latched: outputs go to their safe state at once, the job ends, and nothing moves or heats until the operator resumes the
printer.  A fault of the pulse hardware stays until the machine is switched off and on.  An expired heater lease only holds the
motion: what the port does by itself is told here as a pause.

Not here: what limits there are (thermal/guard), ending the job (jobs/runner).
Keywords for printer-state-reasons: PWG 5100.21-2019 section 10, RFC 8011 section 5.4.12.
"""

from hal.stepport import PW_FAULT_NONE, PW_LATCH_LEASE

# heater: (failure, too hot, too cold)
_REASONS = {
    "nozzle": ("extruder-failure", "extruder-temperature-high", "extruder-temperature-low"),
    "bed": ("platform-failure", "platform-temperature-high", "platform-temperature-low"),
    "chamber": ("chamber-failure", "chamber-temperature-high", "chamber-temperature-low"),
}
_PORT_FAULTS = {1: "steps out of order", 2: "a missed pulse deadline", 3: "the motion core failed", 4: "asked for"}


class Supervisor:
    """machine: hal Machine; heating: thermal Heating.

    `latched`: True while stopped; `fatal`: only switching off helps; `reasons`: keywords, `message`: a sentence.
    """

    def __init__(self, machine, heating):
        self.machine = machine
        self.port = machine.core.port
        self.heating = heating
        self.latched = False
        self.fatal = False
        self.reasons = []
        self.message = ""

    def stop(self, reasons, message, fatal=False):
        """Puts the outputs in their safe state and latches; the first cause is the one that is told."""
        if not self.latched:
            self.latched = True
            self.reasons = list(reasons)
            self.message = message
        self.fatal = self.fatal or fatal
        self.make_safe()

    def make_safe(self):
        """Heaters off, motion to a standstill on its path."""
        self.heating.off()
        if self.port.status().fault == PW_FAULT_NONE:
            self.port.quick_stop()

    def thermal_fault(self, fault):
        """fault: firmware/thermal/errors.Fault."""
        failure, high, low = _REASONS["nozzle" if fault.name.startswith("nozzle") else fault.name]
        reason = high if fault.kind == "max" else low if fault.kind == "min" else failure
        self.stop([reason + "-error"], fault.text())

    def motion_failed(self, message, axis=None):
        """Homing or another move of the machine's own went wrong."""
        self.stop(["motor-failure-error"], message)

    def check_port(self):
        """Looks at the pulse hardware; called every beat.  True while an expired lease holds the motion."""
        status = self.port.status()
        if status.fault != PW_FAULT_NONE:
            if not self.fatal:
                text = _PORT_FAULTS.get(status.fault, "fault %d" % status.fault)
                self.stop(["other-error"], "the pulse hardware stopped: %s; switch the printer off and on" % text, True)
            return False
        return bool(status.latched & PW_LATCH_LEASE)

    def clear(self):
        """The operator resumes: forgets what is not fatal.  True when the machine may go on."""
        if self.fatal:
            return False
        self.port.clear()
        self.heating.clear()
        self.latched = False
        self.reasons = []
        self.message = ""
        return True
