"""A print goes on, to the step, whatever clients do at the same time."""

import asyncio
import math
import os
import ssl
import time

from tests.e2e.helpers_sim import Sim, ended, steps_digest, submit, until
from tools.stepfile import StepFile, digest

# 20 s of chords without filament, so that nothing has to be heated; at PACE a stall of stall_ms is half a second
CHORDS = "G28\nG1 X120 Y110 Z5 F3000\n" + "".join(
    "G1 X%.3f Y%.3f\n" % (110 + 10 * math.cos(i / 10), 110 + 10 * math.sin(i / 10)) for i in range(1000)
)
PACE = "4"
IDLE, SLOW, RUSH = 200, 50, 400
LONG_HEAD = b"POST /ipp/print3d HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 200


async def _idle(port, over):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await over.wait()
    writer.close()


async def _slow(port, over, sent):
    """One byte a second, until the printer has had enough (10 s for a head) or all is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for i in range(len(LONG_HEAD)):
        try:
            writer.write(LONG_HEAD[i : i + 1])
            await writer.drain()
            await asyncio.wait_for(over.wait(), 1)
            break
        except TimeoutError:
            sent[0] += 1
        except ConnectionError:
            break
    writer.close()


async def _rush(port, context, outcome):
    """A TLS connection: a handshake that is made or refused, or the first bytes of one that never goes on."""
    try:
        if outcome["begun"] % 4 == 0:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x16\x03\x01\x02\x00" + os.urandom(40))
        else:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
            outcome["made"] += 1
        writer.close()
    except (TimeoutError, OSError):
        outcome["refused"] += 1


async def _flood(port, over_when):
    """Everything at once, until over_when() is true."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    over = asyncio.Event()
    sent = [0]
    outcome = {"begun": 0, "made": 0, "refused": 0}
    tasks = [asyncio.create_task(_idle(port, over)) for _ in range(IDLE)]
    tasks += [asyncio.create_task(_slow(port, over, sent)) for _ in range(SLOW)]
    begun = time.monotonic()
    rush = []
    while not over_when():
        due = min(RUSH, int((time.monotonic() - begun) * RUSH))
        while outcome["begun"] < due:
            outcome["begun"] += 1
            rush.append(asyncio.create_task(_rush(port, context, outcome)))
        await asyncio.sleep(0.02)
    over.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in rush:
        task.cancel()
    await asyncio.gather(*rush, return_exceptions=True)
    return sent[0], outcome


def test_idle_slow_and_rushing_clients(tmp_path):
    record = tmp_path / "record.steps"
    program = tmp_path / "chords.gcode"
    program.write_text(CHORDS)
    with Sim(tmp_path / "state", "--record", str(record), pace=PACE) as sim, sim.client() as client:
        job_id = submit(client, program.read_bytes())
        until(lambda: client.job_attributes(job_id, ("job-state",)), lambda job: job["job-state"] == "processing", "the start")
        answers = []

        def over():
            # the operator is served in between
            begun = time.monotonic()
            state = client.job_attributes(job_id, ("job-state",))["job-state"]
            answers.append(time.monotonic() - begun)
            return state != "processing"

        sent, outcome = asyncio.run(_flood(sim.port, over))
        job = ended(client, job_id)
        assert job["job-state"] == "completed", job
        assert outcome["begun"] == RUSH and outcome["made"] > 50, outcome
        assert sent >= SLOW and len(answers) > 20
        until(record.exists, bool, "the record")
        assert digest(StepFile(str(record))) == steps_digest(program)
        told = client.printer_attributes(("printer-state", "printer-state-reasons"))
        assert told["printer-state-reasons"] == ["none"], told
        sim.end()
        assert "Traceback" not in sim.said and "starved" not in sim.said
