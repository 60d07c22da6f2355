"""The machine's own routine that takes the last print off the platform (machine data: printer.clearing).

Runs as the first thing of the next job, before anything is heated, so that it can be paused and canceled as any print, and nothing is
pushed about while nobody wants the machine.  Loaded when it is wanted.
"""

from firmware.jobs import states
from firmware.jobs.printing import JobEnd


class _Text:
    """A reader of bytes."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def readinto(self, buf):
        part = self._data[self._at : self._at + len(buf)]
        buf[: len(part)] = part
        self._at += len(part)
        return len(part)


async def clear(printing, job):
    """printing: Printing.  JobEnd when the job ends meanwhile, or the routine is no G-code that this machine takes."""
    runner = printing.runner
    runner.queue.move(job, states.PROCESSING, [states.JOB_PRINTING], "the platform is being cleared")
    text = runner.settings.get("clearing") or ""
    await printing.go_to_start()
    try:
        await printing.run_text(_Text(text.encode()))
    except JobEnd as end:
        if end.state == states.ABORTED and states.DOCUMENT_FORMAT_ERROR in end.reasons:
            raise JobEnd(states.ABORTED, [states.ABORTED_BY_SYSTEM], "the machine's clearing routine: " + end.message)
        raise
    runner.queue.move(job, states.PROCESSING, [states.JOB_PRINTING], "")
