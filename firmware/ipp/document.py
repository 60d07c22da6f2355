"""The document object (PWG 5100.5): a job's one document, encoded for each answer.

Its state follows the job's: nothing else happens to it.  What it shares with the job (times, -actual) the job encodes.
Not here: operations (document_ops.py).
"""

from firmware.ipp import attributes, codec, registry_document
from firmware.jobs import states

# document-state (PWG 5100.5 section 6.1): as job-state, but that it is never held
_PENDING = 3
# document-state-reasons of the job's, where they have another name
_REASONS = {
    states.CANCELED_BY_USER: "canceled-by-user",
    states.CANCELED_BY_OPERATOR: "canceled-by-operator",
    states.CANCELED_AT_DEVICE: "canceled-at-device",
    states.COMPLETED_SUCCESSFULLY: "completed-successfully",
    states.COMPLETED_WITH_WARNINGS: "completed-with-warnings",
    states.COMPLETED_WITH_ERRORS: "completed-with-errors",
    states.JOB_DATA_INSUFFICIENT: "data-insufficient",
    states.JOB_INCOMING: "incoming",
    states.JOB_PRINTING: "printing",
}
_SAME = (
    states.PRINTER_STOPPED,
    states.PROCESSING_TO_STOP_POINT,
    states.RESOURCES_ARE_NOT_READY,
    states.ABORTED_BY_SYSTEM,
    states.SUBMISSION_INTERRUPTED,
    states.COMPRESSION_ERROR,
    states.UNSUPPORTED_DOCUMENT_FORMAT,
    states.DOCUMENT_FORMAT_ERROR,
    states.WARNINGS_DETECTED,
    states.ERRORS_DETECTED,
)


# What only its owner and operators see of a document: as of jobs (printer_values.PRIVATE).
PRIVATE = ("document-name", "document-state-message")


class DocumentAttributes:
    """Encodes documents; printer: ipp Printer."""

    def __init__(self, printer):
        self._printer = printer

    def all(self, job, requested, uri, private=False):
        """Generator of encoded attributes of the job's document.  requested: requested.Requested; uri: as in Context; private: without
        those that are kept from others."""
        for row in attributes.rows(registry_document.ROWS):
            name = row[attributes.NAME]
            if not requested.has(row[attributes.GROUP], name) or (private and name in PRIVATE):
                continue
            if row[attributes.VALUE] == "~":
                octets = attributes.encode(row, self._values(name, job, uri))
            else:
                octets = self._printer.job_attributes.one(job, name, uri)
            if octets:
                yield octets

    def state(self, job, uri):
        """What Send-Document says of the document: list of bytes."""
        rows = registry_document.ROWS
        names = ("document-number", "document-state", "document-state-reasons")
        return [attributes.encode(attributes.find(rows, name), self._values(name, job, uri)) for name in names]

    def _values(self, name, job, uri):
        document = job.documents[0]
        if name == "document-name":
            return [codec.clip(document.name or job.name, 255)]
        if name == "compression":
            return [document.compression or "none"]
        if name == "document-format":
            return [document.format]
        if name == "document-job-id":
            return [job.id]
        if name == "document-job-uri":
            return ["%s/%d" % (self._printer.uri(uri), job.id)]
        if name == "document-printer-uri":
            return [self._printer.uri(uri)]
        if name == "document-number":
            return [1]
        if name == "document-state":
            return [_PENDING if job.state == states.PENDING_HELD else job.state]
        if name == "document-state-message":
            return [codec.clip(job.message or "", 1023)]
        if name == "document-state-reasons":
            return reasons(job.reasons)
        if name == "document-uuid":
            # the job's with another last digit: one document a job
            return [job.uuid[:-1] + "%x" % ((int(job.uuid[-1], 16) + 1) % 16)]
        if name == "k-octets":
            return [(document.size + 1023) // 1024]
        if name == "last-document":
            return [not job.open]
        return [self._printer.up_time()]


def reasons(of_job):
    """document-state-reasons from job-state-reasons."""
    found = []
    for reason in of_job:
        if reason in _SAME:
            found.append(reason)
        elif reason in _REASONS:
            found.append(_REASONS[reason])
    return found or ["none"]

