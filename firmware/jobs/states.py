"""Job states and the moves between them (RFC 8011 section 5.3.7), as one table; the keywords for job-state-reasons.

Pure: no I/O, no clock.  Who may ask for a move, and what follows from it, is queue.py's.
"""

from hal.compat import const

PENDING = const(3)
PENDING_HELD = const(4)
PROCESSING = const(5)
PROCESSING_STOPPED = const(6)
CANCELED = const(7)
ABORTED = const(8)
COMPLETED = const(9)

NAMES = {
    3: "pending",
    4: "pending-held",
    5: "processing",
    6: "processing-stopped",
    7: "canceled",
    8: "aborted",
    9: "completed",
}

# state: states that a job may move to from it.  A job that ended stays as it is.
MOVES = {
    3: (4, 5, 7, 8),
    4: (3, 7, 8),
    5: (6, 7, 8, 9),
    6: (5, 7, 8),
    7: (),
    8: (),
    9: (),
}

# Keywords of IANA's registry for job-state-reasons that the firmware uses.
JOB_INCOMING = "job-incoming"
JOB_DATA_INSUFFICIENT = "job-data-insufficient"
JOB_HOLD_UNTIL_SPECIFIED = "job-hold-until-specified"
JOB_PRINTING = "job-printing"
JOB_RESTARTABLE = "job-restartable"
JOB_SUSPENDED = "job-suspended"
PRINTER_STOPPED = "printer-stopped"
PROCESSING_TO_STOP_POINT = "processing-to-stop-point"
RESOURCES_ARE_NOT_READY = "resources-are-not-ready"
CANCELED_BY_USER = "job-canceled-by-user"
CANCELED_BY_OPERATOR = "job-canceled-by-operator"
CANCELED_AT_DEVICE = "job-canceled-at-device"
CANCELED_AFTER_TIMEOUT = "job-canceled-after-timeout"
ABORTED_BY_SYSTEM = "aborted-by-system"
SUBMISSION_INTERRUPTED = "submission-interrupted"
COMPRESSION_ERROR = "compression-error"
UNSUPPORTED_DOCUMENT_FORMAT = "unsupported-document-format"
DOCUMENT_FORMAT_ERROR = "document-format-error"
DOCUMENT_UNPRINTABLE_ERROR = "document-unprintable-error"
COMPLETED_SUCCESSFULLY = "job-completed-successfully"
COMPLETED_WITH_WARNINGS = "job-completed-with-warnings"
COMPLETED_WITH_ERRORS = "job-completed-with-errors"
WARNINGS_DETECTED = "warnings-detected"
ERRORS_DETECTED = "errors-detected"

# What a move says when the caller gives no reasons.  An empty list is IPP's "none".
DEFAULT_REASONS = {
    3: (),
    4: (),
    5: (JOB_PRINTING,),
    6: (PRINTER_STOPPED,),
    7: (CANCELED_BY_USER,),
    8: (ABORTED_BY_SYSTEM,),
    9: (COMPLETED_SUCCESSFULLY,),
}


class IllegalMove(Exception):
    """A job cannot go from state `old` to state `new`; nothing was changed."""

    def __init__(self, old, new):
        super().__init__("%s to %s" % (NAMES.get(old, old), NAMES.get(new, new)))
        self.old = old
        self.new = new


def ended(state):
    """True for canceled, aborted and completed."""
    return state >= CANCELED


def check(old, new):
    """Raises IllegalMove unless a job may go from old to new.  Staying in a state that has not ended is a move, too: only its
    reasons or message change."""
    moves = MOVES.get(old, ())
    if new in moves or (new == old and moves):
        return
    raise IllegalMove(old, new)
