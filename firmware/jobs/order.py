"""The order in which jobs print: by weight (job-priority, usually), then by rank (age, usually).

A job's place is in its own record, so that Promote-Job and Schedule-Job-After (RFC 3998 section 4.4) write one record, whatever the
queue's length.  Pure; who may be moved, and when, is holds.py's.
"""

from hal.compat import const

STEP = const(256)  # between the ranks of two jobs that came one after the other
IN_WORK = const(255)  # weight of the job that prints: before all that wait (job-priority ends at 100)


def rank_of(id):
    """The rank of a job that nobody has moved."""
    return id * STEP


def place(jobs, job):
    """Index of the first job in the ordered list that does not come before `job`."""
    low = 0
    high = len(jobs)
    while low < high:
        middle = (low + high) // 2
        if _before(jobs[middle], job):
            low = middle + 1
        else:
            high = middle
    return low


def _before(a, b):
    if a.weight != b.weight:
        return a.weight > b.weight
    if a.rank != b.rank:
        return a.rank < b.rank
    return a.id < b.id


def put_in(jobs, job):
    """Adds a job to an ordered list."""
    jobs.insert(place(jobs, job), job)


def take_out(jobs, job):
    """Removes a job from an ordered list; True when it was there.  Its place must not have changed since it was put in."""
    at = place(jobs, job)
    if at < len(jobs) and jobs[at] is job:
        jobs.pop(at)
        return True
    return False


def discard(jobs, job):
    """Removes a job from a list without an order."""
    for at in range(len(jobs)):
        if jobs[at] is job:
            jobs.pop(at)
            return


def before_all(jobs):
    """(weight, rank) before the first of the waiting jobs in an ordered list, which is not empty."""
    return jobs[0].weight, jobs[0].rank - STEP


def after(jobs, at):
    """(weight, rank) directly behind jobs[at] in an ordered list, or None when there is no rank in between: shift() makes room."""
    job = jobs[at]
    if at + 1 == len(jobs) or jobs[at + 1].weight != job.weight:
        return job.weight, job.rank + STEP
    gap = (jobs[at + 1].rank - job.rank) // 2
    return (job.weight, job.rank + gap) if gap else None


def shift(jobs, at):
    """Makes room behind jobs[at] without changing the order: it and those of its weight before it move forward.  Returns them."""
    moved = []
    for job in jobs[: at + 1]:
        if job.weight == jobs[at].weight:
            job.rank -= STEP
            moved.append(job)
    return moved
