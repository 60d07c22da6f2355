"""A process that submits and ends jobs on files until somebody kills it.  Prints "ack ID BYTES" and "end ID" only once that is durable.

Run by test_kill.py: python -m tests.power.helpers_killed FOLDER SEED
"""

import asyncio
import random
import sys

from firmware.jobs import journal, states
from firmware.jobs.queue import JobQueue
from firmware.jobs.records import RecordLog
from hal.sim.desktop import DurableFiles, DurableFlash
from tests.firmware.jobs.helpers_flash import FakeCaps, FakeClock

FLASH_BYTES = 262144
TASKS = 4


def caps():
    return FakeCaps(jobs=20, history=30, spool_bytes=1 << 24)


def open_queue(folder):
    """The queue on what the folder holds, loaded."""
    flash = DurableFlash(folder + "/flash", FLASH_BYTES, 4096, 256)
    files = DurableFiles(folder + "/spool", 1 << 24)
    log = RecordLog(flash, 0, FLASH_BYTES, journal.keys_needed(caps()))
    queue = JobQueue(log, files, FakeClock(), caps())
    queue.load()
    return queue


def document(id, size):
    """Bytes that only this job's document has."""
    return random.Random(id).randbytes(size)


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def client(queue, chance):
    while True:
        if queue.count_active() >= 15:
            job = queue.next_ready()
            if job is None:
                await asyncio.sleep(0)
                continue
            queue.move(job, states.PROCESSING)
            await queue.commit()
            await asyncio.sleep(0)
            queue.move(job, states.COMPLETED)
            await queue.commit()
            say("end %d" % job.id)
            continue
        job = queue.create("job", "user", {"t": bytes(chance.randrange(300))})
        await queue.commit()
        say("made %d" % job.id)
        writer = queue.open_document(job, "text/x-gcode", None, "n")
        size = chance.randrange(1, 40000)
        text = document(job.id, size)
        for at in range(0, size, 8192):
            await writer.write(text[at : at + 8192])
        await writer.close(True)
        await queue.commit()
        say("ack %d %d" % (job.id, size))
        queue.set_checked(job, 1, size, 0)


async def main(folder, seed):
    queue = open_queue(folder)
    await queue.commit()
    for job in queue.active():
        queue.set_checked(job, 1, job.size, 0)
    say("ready")
    chance = random.Random(seed)
    await asyncio.gather(*[client(queue, chance) for _ in range(TASKS)])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
