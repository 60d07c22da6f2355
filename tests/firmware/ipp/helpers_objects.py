"""What the tests of IPP objects share: a printer whose machine, runner and heating are fakes, and whose queue is the real one."""

from firmware.ipp import operations
from firmware.ipp.materials import Materials
from firmware.ipp.notifier import Notifier
from firmware.ipp.printer import Printer
from firmware.jobs import journal, records
from firmware.jobs.queue import JobQueue
from firmware.motion.overrides import Overrides
from hal import factory
from hal.errors import ConfigError
from tests.firmware.jobs.helpers_flash import FakeCaps, FakeClock, FakeFiles, FakeFlash

URI = ("ipp", "printer.local:8631", "/ipp/print3d")
UUID = "urn:uuid:11111111-2222-4333-8444-555555555555"


class FakeStatus:
    def __init__(self):
        self.printer_state = 3
        self.state_reasons = []
        self.state_message = ""
        self.progress = 0
        self.layer = None
        self.job_id = None
        self.position_um = [1000, 20000, 300]
        self.changed_s = 1


class FakeOverridden:
    """The part of a core that overrides need."""

    def override(self, speed_permille, flow_permille):
        self.overridden = (speed_permille, flow_permille)

    def baby_step(self, nm):
        self.baby_nm = nm


class FakeRunner:
    """Notes what it is asked for."""

    def __init__(self):
        self.status = FakeStatus()
        self.job = None
        self.overrides = Overrides(FakeOverridden())
        self.asked = []
        self.can_resume = True
        self.wants_material = False

    def waits_for_material(self):
        return self.wants_material

    def pause(self):
        self.asked.append("pause")

    def resume(self):
        self.asked.append("resume")
        return self.can_resume

    def cancel(self, job, reasons):
        self.asked.append(("cancel", job.id, reasons))
        return True

    def identify(self, actions, message=""):
        self.asked.append(("identify", actions) + ((message,) if message else ()))
        return actions

    def pause_after(self):
        self.asked.append("pause-after")

    def restart(self):
        self.asked.append("restart")

    def refresh(self):
        pass

    def suspend(self, job):
        self.asked.append(("suspend", job.id))
        return self.can_resume

    def resume_job(self, job):
        self.asked.append(("resume", job.id))
        return self.can_resume


class FakeSettings(dict):
    """Checks as firmware/config does, as far as tests need it."""

    def check(self, name, value):
        if name == "geo_location" and value and not value.startswith("geo:"):
            raise ConfigError("settings." + name, "a geo: URI")
        if name == "platform_clearing" and value not in ("none", "operator"):
            raise ConfigError("settings." + name, "none or operator")
        if name == "printer_name" and not value:
            raise ConfigError("settings." + name, "a text")

    def set(self, name, value):
        self.check(name, value)
        self[name] = value

    async def save(self):
        pass

    def record(self, key):
        return self.get(key)

    def set_record(self, key, record):
        self[key] = record
        if record is None:
            del self[key]

    def has_records(self, first, count):
        return any(key in self for key in range(first, first + count))


class FakeHeating:
    """values: [(name, current or None, target)]."""

    def __init__(self, values):
        self.values = values

    def readings(self):
        return self.values

    def current_c(self, name):
        for known, current, _ in self.values:
            if known == name:
                return current
        return None


class FakeMachine:
    def __init__(self, name, **caps):
        self.description = factory.describe(name)
        self.caps = FakeCaps(**caps)
        self.caps.identify = ("display", "sound")
        self.clock = FakeClock(100, 1790000000)
        self.files = FakeFiles()


def make_printer(name="sim-corexy", settings=None, flash_bytes=1 << 19, **caps):
    """A Printer with everything around it; its parts are its attributes."""
    machine = FakeMachine(name, **caps)
    flash = FakeFlash(flash_bytes)
    log = records.RecordLog(flash, 0, flash.size, journal.keys_needed(machine.caps))
    queue = JobQueue(log, machine.files, machine.clock, machine.caps)
    queue.load()
    heating = FakeHeating([("nozzle", 24.6, 0), ("bed", None, 60)])
    if machine.description["printer"]["heaters"]["chamber"]:
        heating.values.append(("chamber", 30.2, 0))
    table = operations.table()
    known = FakeSettings({"printer_uuid": UUID})
    known.update(settings or {})
    materials = Materials(machine.description["printer"])
    printer = Printer(machine, queue, FakeRunner(), heating, materials, known, sorted(table), "1.2.3")
    printer.refresh()
    printer.table = table
    printer.notifier = Notifier(known, lambda: True, True, lambda run: None)
    printer.notifier.start(printer)
    return printer
