"""What has happened at the printer since the last look, as events (RFC 3995 section 5.3.3.4): queue and runner are compared with what they
were.  Nothing is told upwards by anybody; while nobody subscribes, nobody looks.

What changes there and back between two looks is no event; a job that came and ended in between still is two.
"""

from firmware.ipp import subscriptions
from firmware.ipp.subscriptions import Event
from firmware.jobs import states
from hal.compat import const

_UNSEEN_MAX = const(64)  # jobs that came and ended between two looks, of which is told
_PROGRESS_S = const(1)  # between two events of progress
_STOPPED = const(5)


class Watch:
    """table: subscriptions.Table; printer: ipp/printer.Printer.  What is there when it is made is no event."""

    def __init__(self, table, printer):
        self._table = table
        self._printer = printer
        self._queue = printer.queue
        self._status = printer.runner.status
        self._state = self._state_now()
        self._config = printer.config_changed
        self._jobs = self._jobs_now()
        self._order = self._order_now()
        self._last_id = self._queue.journal.last_id
        self._progress = self._progress_now()
        self._progress_s = 0
        self._s = 0
        self._unix_s = None

    def look(self):
        """Puts what happened into the table.  True when somebody subscribed to any of it."""
        clock = self._printer.machine.clock
        self._s = clock.uptime_s()
        self._unix_s = clock.unix_s()
        wanted = self._table.wanted()
        told = False
        if wanted & (subscriptions.OF_PRINTER | subscriptions.OF_SYSTEM):
            told = self._look_at_printer()
        if wanted & (subscriptions.OF_JOB | subscriptions.QUEUE_ORDER):
            told = self._look_at_jobs() or told
        return told

    def put(self, mask, target, state, reasons, detail):
        """An event of now."""
        return self._table.put(Event(mask, self._s, self._unix_s, target, state, tuple(reasons) or ("none",), detail))

    def _state_now(self):
        status = self._status
        return status.printer_state, tuple(status.state_reasons), self._printer.accepting()

    def _look_at_printer(self):
        told = False
        state, reasons, accepting = now = self._state_now()
        stopped = state == _STOPPED and self._state[0] != _STOPPED
        if now != self._state:
            mask = subscriptions.PRINTER_STATE | (subscriptions.PRINTER_STOPPED if stopped else 0)
            told = self.put(mask, 0, state, reasons, accepting)
            if now[:2] != self._state[:2]:
                mask = subscriptions.SYSTEM_STATE | (subscriptions.SYSTEM_STOPPED if stopped else 0)
                told = self.put(mask, 0, state, reasons, accepting) or told
            self._state = now
        config = self._printer.config_changed
        if config is not self._config:
            self._config = config
            told = self.put(subscriptions.PRINTER_CONFIG, 0, state, reasons, accepting) or told
            told = self.put(subscriptions.SYSTEM_CONFIG, 0, state, reasons, accepting) or told
        return told

    def _jobs_now(self):
        found = {}
        for job in self._queue.active():
            found[job.id] = _facts(job)
        return found

    def _order_now(self):
        return [job.id for job in self._queue.waiting(None)]

    def _progress_now(self):
        status = self._status
        return status.job_id, status.progress, status.layer

    def _look_at_jobs(self):
        before = self._jobs
        after = self._jobs = self._jobs_now()
        told = False
        last = self._queue.journal.last_id
        first = max(self._last_id + 1, last - _UNSEEN_MAX)
        for id in sorted(before):
            if id not in after:
                told = self._ended(id) or told
        for id in range(first, last + 1):
            facts = after.get(id)
            job = self._queue.get(id)
            if job is None:
                continue
            created = subscriptions.JOB_CREATED | subscriptions.JOB_STATE
            if job.state <= states.PENDING_HELD:
                told = self._job(created, job) or told
                continue
            # a look that came late: it was pending before it became what it is now
            told = self.put(created, id, states.PENDING, (), (0, 0)) or told
            if facts is None:
                told = self._ended(id) or told
            else:
                told = self._job(subscriptions.JOB_STATE, job) or told
        self._last_id = last
        for id, facts in after.items():
            old = before.get(id)
            if old is None:
                continue
            if facts[:2] != old[:2]:
                stopped = facts[0] == states.PROCESSING_STOPPED and old[0] != facts[0]
                mask = subscriptions.JOB_STATE | (subscriptions.JOB_STOPPED if stopped else 0)
                told = self._job(mask, self._queue.get(id)) or told
            if facts[2:] != old[2:]:
                told = self._job(subscriptions.JOB_CONFIG, self._queue.get(id)) or told
        told = self._look_at_progress() or told
        return self._look_at_order() or told

    def _look_at_progress(self):
        now = self._progress_now()
        if now == self._progress or self._s - self._progress_s < _PROGRESS_S or now[0] is None:
            return False
        self._progress = now
        self._progress_s = self._s
        job = self._queue.get(now[0])
        return job is not None and not states.ended(job.state) and self._job(subscriptions.JOB_PROGRESS, job)

    def _look_at_order(self):
        before = self._order
        after = self._order = self._order_now()
        # those that came or went are no change of the order
        if [id for id in before if id in after] == [id for id in after if id in before]:
            return False
        state, reasons, accepting = self._state_now()
        return self.put(subscriptions.QUEUE_ORDER, 0, state, reasons, accepting)

    def _job(self, mask, job):
        return job is not None and self.put(mask, job.id, job.state, job.reasons, (job.progress, job.layer or 0))

    def _ended(self, id):
        job = self._queue.get(id)
        told = self._job(subscriptions.JOB_COMPLETED | subscriptions.JOB_STATE, job)
        self._table.ended(subscriptions.TO_JOB, id, self._s)
        return told


def _facts(job):
    return job.state, tuple(job.reasons), job.name, job.priority, job.hold, job.hold_unix, id(job.ticket)
