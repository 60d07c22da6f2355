"""What a start makes of the jobs on flash.  Loaded for it."""

from firmware.jobs import states


def recover(store):
    """[(Job, None or (reasons, message) of its end)] of all that had not ended, oldest first; store: Store, not loaded yet.

    A job that was printing ends, as does one whose documents had not all arrived, or are not there any more; what nobody waits with is
    removed from the spool.
    """
    jobs = store.load()
    known = {}
    for job in jobs:
        if _lost(job) is None or not job.open:
            for document in job.documents:
                known[document.file] = document.size
    wrong = store.load_files(known)
    found = []
    for job in jobs:
        lost = _lost(job)
        for document in job.documents:
            if lost is not None and document.file not in known:
                document.file = None
            elif document.file in wrong:
                document.file = None
                lost = lost or ([states.ABORTED_BY_SYSTEM], "a document of the job is missing or damaged")
        found.append((job, lost))
    return found


def _lost(job):
    if job.state == states.PROCESSING or job.state == states.PROCESSING_STOPPED:
        return [states.ABORTED_BY_SYSTEM], "power was lost while the job was printing"
    if job.open:
        return [states.ABORTED_BY_SYSTEM, states.SUBMISSION_INTERRUPTED], "power was lost before all documents had arrived"
    return None
