"""One print job: its attributes, and how they become a journal record (SPEC.md).  No I/O, no clock.

The queue changes jobs (queue.move() and friends); the runner alone writes `progress`, `layer`, `time_left_s` of the job it prints,
which are not recorded before the job ends.
"""

import binascii
import struct

from firmware.jobs import packing, states
from firmware.jobs.order import rank_of
from hal.compat import const

DOCUMENTS_MAX = const(16)
MESSAGE_CHARS_MAX = const(255)  # job-state-message; keeps the record short
NAME_CHARS_MAX = const(127)  # of a document; so do all of a job
PRIORITY_DEFAULT = const(50)  # job-priority-default
GROWTH_BYTES_MAX = const(1024)  # by a document and a message; kept free in a new job's record

_VERSION = const(1)
_HEAD = "<BBII"  # version, state, end number, boot
HEAD_BYTES = const(10)


class Document:
    """One complete document in the spool.  size: bytes in `file` (compressed, when `compression` says so)."""

    def __init__(self, name, format, compression, size, file):
        self.name = name
        self.format = format
        self.compression = compression
        self.size = size
        self.file = file


class Job:
    """`id` int; `uuid` "urn:uuid:..."; `name`, `user`, `message` str; `state` (states.py); `reasons` list of keywords, [] for none.

    `ticket`: dict of attribute name -> value as the IPP side keeps it (anything packing.py takes; not looked at here).
    `document_format`, `compression`: str or None, as supplied with the first document.  `documents`: list of Document.
    `created_s processing_s completed_s`: printer-up-time, None until it happens, 0 or less when it was before this start;
    `created_unix ...`: seconds since 1970 or None (not yet, or the clock was not set).
    `open`: more documents may come.  `checked`: None (not yet) or True.  `lines`, `text_bytes`: of all documents, once checked.
    `ignored`: commands ignored with a warning.  `progress` 0 to 100, `layer` int, `time_left_s` int or None.
    `stop`: None, or the reason for which the runner is to end this job.
    `priority` 1 to 100; `weight`, `rank`: its place in the print order (order.py); `hold`, `hold_unix`: why and until when it is held,
    both None when it is not (holds.py).  `objects`: what its documents print, once checked (gcode/objects.py); `excluded`: indexes of those
    that are left out, rising.
    """

    def __init__(self, id, uuid_bytes, name, user, ticket):
        self.id = id
        self.uuid_bytes = uuid_bytes
        self.name = name
        self.user = user
        self.ticket = ticket
        self.state = states.PENDING
        self.reasons = []
        self.message = ""
        self.document_format = None
        self.compression = None
        self.documents = []
        self.created_s = None
        self.processing_s = None
        self.completed_s = None
        self.created_unix = None
        self.processing_unix = None
        self.completed_unix = None
        self.open = True
        self.checked = None
        self.lines = 0
        self.text_bytes = 0
        self.ignored = 0
        self.progress = 0
        self.layer = 0
        self.time_left_s = None
        self.stop = None
        self.ended = 0  # position in the order of ends, from 1
        self.boot = 0  # start of the printer that the *_s count from
        self.writer = None  # the document that is arriving
        self.deadline_s = None  # end of multiple-operation-time-out
        self.priority = self.weight = PRIORITY_DEFAULT
        self.rank = rank_of(id)
        self.hold = None
        self.hold_unix = None
        self.objects = ()
        self.excluded = []

    @property
    def uuid(self):
        """job-uuid (RFC 4122)."""
        h = str(binascii.hexlify(self.uuid_bytes), "ascii")
        return "urn:uuid:%s-%s-%s-%s-%s" % (h[:8], h[8:12], h[12:16], h[16:20], h[20:])

    @property
    def size(self):
        """Bytes of all documents, as spooled."""
        total = 0
        for document in self.documents:
            total += document.size
        return total


def encode(job, ticket=None):
    """The job's record; ticket: instead of its own."""
    out = bytearray(HEAD_BYTES)
    struct.pack_into(_HEAD, out, 0, _VERSION, job.state, job.ended, job.boot)
    documents = []
    for d in job.documents:
        documents.append((d.name, d.format, d.compression, d.size, d.file))
    fields = (
        job.uuid_bytes,
        job.name,
        job.user,
        job.ticket if ticket is None else ticket,
        job.reasons,
        job.message,
        job.document_format,
        job.compression,
        documents,
        (job.created_s, job.processing_s, job.completed_s),
        (job.created_unix, job.processing_unix, job.completed_unix),
        job.open,
        (job.lines, job.text_bytes, job.ignored, job.progress, job.layer),
    )
    place = (job.priority, job.weight, job.rank, job.hold, job.hold_unix)
    if job.ended == 0 and (job.excluded or place != (PRIORITY_DEFAULT, PRIORITY_DEFAULT, rank_of(job.id), None, None)):
        fields += (place, job.excluded) if job.excluded else (place,)
    packing.pack_into(out, fields)
    return out


def decode(id, record):
    """The job of a record; raises packing.PackingError when it is none of this version."""
    if len(record) < HEAD_BYTES:
        raise packing.PackingError("cut short")
    try:
        version, state, ended, boot = struct.unpack_from(_HEAD, record)
        if version != _VERSION:
            raise packing.PackingError("version %d" % version)
        fields = packing.unpack(record, HEAD_BYTES)[0]
        job = Job(id, fields[0], fields[1], fields[2], fields[3])
        job.state = state
        job.ended = ended
        job.boot = boot
        job.reasons = fields[4]
        job.message = fields[5]
        job.document_format = fields[6]
        job.compression = fields[7]
        for item in fields[8]:
            job.documents.append(Document(item[0], item[1], item[2], item[3], item[4]))
        job.created_s, job.processing_s, job.completed_s = fields[9]
        job.created_unix, job.processing_unix, job.completed_unix = fields[10]
        job.open = fields[11]
        job.lines, job.text_bytes, job.ignored, job.progress, job.layer = fields[12]
        if len(fields) > 13:
            job.priority, job.weight, job.rank, job.hold, job.hold_unix = fields[13]
        if len(fields) > 14:
            job.excluded = fields[14]
    except (TypeError, IndexError, ValueError) as e:
        if isinstance(e, packing.PackingError):
            raise
        raise packing.PackingError("not a job record")
    return job


def peek(head):
    """(state, end number) from a record's first HEAD_BYTES, (0, 0) when it is none of this version."""
    version, state, ended, _ = struct.unpack(_HEAD, head)
    return (state, ended) if version == _VERSION else (0, 0)


def rebase(job, boot, uptime_s, unix_s):
    """Turns times of an earlier start into times of this one: 0 or less (RFC 8011 section 5.3.14).

    With a clock then and now they are exact; else the job's last time becomes 0 and the others keep their distance to it.
    """
    if job.boot == boot:
        return
    last = 0
    for t in (job.created_s, job.processing_s, job.completed_s):
        if t is not None and t > last:
            last = t
    job.created_s = _rebased(job.created_s, job.created_unix, last, uptime_s, unix_s)
    job.processing_s = _rebased(job.processing_s, job.processing_unix, last, uptime_s, unix_s)
    job.completed_s = _rebased(job.completed_s, job.completed_unix, last, uptime_s, unix_s)
    job.boot = boot


def _rebased(t, t_unix, last, uptime_s, unix_s):
    if t is None:
        return None
    if t_unix is not None and unix_s is not None:
        t = t_unix - unix_s + uptime_s
    else:
        t -= last
    return min(t, 0)
