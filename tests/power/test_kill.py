"""kill -9 of a real process on real files, again and again: every acknowledged job is there, or ended as it must be."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from firmware.jobs import states
from tests.firmware.jobs.helpers_queue import text_of
from tests.power.helpers_killed import document, open_queue

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 12
LINES_MAX = 120


def one_life(folder, seed, lines):
    """Runs the process until it has said so many lines, kills it, returns all that it had said."""
    command = [sys.executable, "-m", "tests.power.helpers_killed", str(folder), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line.split())
            if len(said) == lines:
                process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    return [words for words in said if words[0] != "ready"]


def test_kill_at_any_moment(tmp_path):
    chance = random.Random(2)
    sizes = {}
    ended = set()
    made = []
    survived = 0
    for turn in range(ROUNDS):
        for words in one_life(tmp_path, turn, chance.randrange(2, LINES_MAX)):
            id = int(words[1])
            if words[0] == "made":
                assert id not in made, "job id %d was given twice" % id
                made.append(id)
            elif words[0] == "ack":
                sizes[id] = int(words[2])
            else:
                ended.add(id)
        queue = open_queue(str(tmp_path))
        history = [job.id for job in queue.ended()]
        oldest = min(history, default=0)
        for id in made:
            job = queue.get(id)
            if job is None:
                assert len(history) == 30 and id not in [j.id for j in queue.active()], "job %d of %d is lost" % (id, oldest)
                continue
            survived += 1
            if id in ended:
                assert job.state == states.COMPLETED
            elif job.state == states.PENDING:
                assert text_of(queue.open_reader(job), 65536) == document(id, sizes[id] if id in sizes else job.size)
            elif job.state == states.ABORTED:
                assert "power was lost" in job.message
                if id in sizes:
                    assert "printing" in job.message
            else:
                assert job.state == states.COMPLETED
        kept = [j for j in queue.ended() if queue.is_kept(j)]
        assert queue.spool.files.names() == sorted(d.file for j in queue.active() + kept for d in j.documents)
        queue.spool.files.close()
        queue.journal.log.flash.close()
    assert survived and ended, "the process never came far enough"
