"""A queue on fakes, and how to restart it.  Runs on both Pythons."""

from firmware.jobs import journal
from firmware.jobs.queue import JobQueue
from firmware.jobs.records import RecordLog
from tests.firmware.jobs.helpers_flash import FakeCaps, FakeClock, FakeFiles, FakeFlash

TEXT = b"G28\nG1 X10 Y10 F3000\n"


class Box:
    """Everything below and around a queue; `queue` is the running one."""

    def __init__(self, flash=None, files=None, **caps):
        self.caps = FakeCaps(**caps)
        self.flash = flash or FakeFlash(16384, 1024, 64)
        self.files = files or FakeFiles()
        self.clock = FakeClock()
        self.moving = False
        self.queue = None
        self.start()

    def start(self):
        """Power on: a new queue on what flash and files hold."""
        log = RecordLog(self.flash, 0, self.flash.size, journal.keys_needed(self.caps))
        self.queue = JobQueue(log, self.files, self.clock, self.caps, lambda: self.moving)
        self.queue.load()
        return self.queue

    async def submit(self, text=TEXT, name="job", user="anna", ticket=None):
        """Create-Job and Send-Document, both acknowledged."""
        queue = self.queue
        job = queue.create(name, user, ticket or {})
        await queue.commit()
        writer = queue.open_document(job, "text/x-gcode", None, name)
        await writer.write(text)
        await writer.close(True)
        await queue.commit()
        return job

    async def ready(self, text=TEXT):
        job = await self.submit(text)
        self.queue.set_checked(job, 2, len(text), 0)
        return job


def text_of(reader, step=7):
    buf = bytearray(step)
    out = b""
    while True:
        n = reader.readinto(buf)
        if not n:
            return out
        out += bytes(buf[:n])
