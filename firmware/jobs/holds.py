"""Jobs that wait for more than their turn: held, released, put before others (RFC 8011 sections 4.3.5 and 4.3.6, RFC 3998 sections 3.3
and 4.4, PWG 5100.7).

Everything here is a change of one waiting job's record by way of queue.rewait(), so that it outlives a loss of power.  What a state
does not allow raises states.IllegalMove.  Not here: who may ask (security/roles), printing.

Periods of the day are local time; the offset from UTC is the caller's (a printer without a clock has none of them).
"""

from firmware.jobs import order, states
from hal.compat import const

NO_HOLD = "no-hold"
INDEFINITE = "indefinite"
ON_CREATE = "on-create"  # by Hold-New-Jobs; never on the wire

_HOUR = const(3600)
_DAY = const(86400)
# (name, first hour, end) of a local day; from 24 on: of the next one.  As CUPS has them.
_PERIODS = (
    ("day-time", 6, 18),
    ("evening", 18, 30),
    ("night", 18, 30),
    ("second-shift", 16, 24),
    ("third-shift", 0, 8),
)
_WEEKEND = "weekend"
PERIODS = tuple([name for name, _, _ in _PERIODS]) + (_WEEKEND,)


def due(hold, hold_unix, unix_s, offset_s=0):
    """True when a hold (keyword, or None with hold_unix, seconds since 1970) is over at the time unix_s (None: no clock)."""
    if hold is None:
        return hold_unix is None or (unix_s is not None and unix_s >= hold_unix)
    if hold == NO_HOLD:
        return True
    if unix_s is None:
        return False
    local_s = unix_s + offset_s
    if hold == _WEEKEND:
        return (local_s // _DAY + 4) % 7 in (6, 0)  # 1970 began on a Thursday; 0 is Sunday
    second = local_s % _DAY
    for name, first, end in _PERIODS:
        if name == hold:
            return first * _HOUR <= second < end * _HOUR or second < (end - 24) * _HOUR
    return False  # indefinite, on-create


def is_held(job):
    """True while the job has a hold, whatever its state."""
    return job.hold is not None or job.hold_unix is not None


def hold(queue, job, keyword, unix_s=None):
    """Hold-Job: the job waits until somebody releases it or the time has come (keyword, or unix_s with keyword None)."""
    _check_waiting(job)
    _set(queue, job, keyword, unix_s)
    queue.rewait(job)


def _set(queue, job, keyword, unix_s):
    over = due(keyword, unix_s, queue.unix_s(), queue.offset_s)
    job.hold = None if over else keyword
    job.hold_unix = None if over else unix_s


def release(queue, job):
    """Release-Job; a job that is not held stays as it is."""
    if states.ended(job.state):
        raise states.IllegalMove(job.state, states.PENDING)
    if is_held(job):
        _set(queue, job, NO_HOLD, None)
        queue.rewait(job)


def release_new(queue):
    """Release-Held-New-Jobs: those that Hold-New-Jobs held."""
    for job in queue.active():
        if job.hold == ON_CREATE:
            release(queue, job)


def wake(queue):
    """Releases the jobs whose time has come."""
    now_s = queue.unix_s()
    if now_s is None:
        return
    for job in queue.active():
        if job.state == states.PENDING_HELD and due(job.hold, job.hold_unix, now_s, queue.offset_s):
            release(queue, job)


def prioritize(queue, job, priority):
    """Another job-priority; the job takes its place by priority and age, wherever it had been moved to."""
    _check_waiting(job)
    job.priority = priority
    queue.replace(job, priority, order.rank_of(job.id))


def promote(queue, job):
    """Promote-Job: the job is the next one, before all that wait."""
    if job.state != states.PENDING:
        raise states.IllegalMove(job.state, states.PENDING)
    waiting = queue.waiting(job)
    if waiting and order.place(waiting, job):
        weight, rank = order.before_all(waiting)
        queue.replace(job, weight, rank)


def schedule_after(queue, job, predecessor):
    """Schedule-Job-After: directly behind `predecessor`, which has not ended; when that prints: as promote()."""
    _check_waiting(job)
    _check_alive(predecessor)
    if predecessor is job:
        raise states.IllegalMove(job.state, job.state)
    waiting = queue.waiting(job)
    at = order.place(waiting, predecessor)
    if at == len(waiting) or waiting[at] is not predecessor:
        if waiting:
            weight, rank = order.before_all(waiting)
            queue.replace(job, weight, rank)
        return
    found = order.after(waiting, at)
    if found is None:
        # to the end meanwhile, where its old place disturbs nobody
        queue.replace(job, 0, order.rank_of(job.id))
        for moved in order.shift(waiting, at):
            queue.rewait(moved)
        found = order.after(waiting, at)
    queue.replace(job, found[0], found[1])  # pyright: ignore[reportOptionalSubscript]


def _check_waiting(job):
    if job.state != states.PENDING and job.state != states.PENDING_HELD:
        raise states.IllegalMove(job.state, states.PENDING_HELD)


def _check_alive(job):
    if states.ended(job.state):
        raise states.IllegalMove(job.state, states.PENDING)
