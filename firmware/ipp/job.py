"""The job object: its attributes, encoded for each answer, from a jobs.job.Job and its ticket.

A job's ticket is {attribute name: the attribute as encoded bytes}: what the client asked for (job template), what it supplied
(document-format-supplied and the like), and what became of it (-actual, recorded when printing begins).  It is answered as it is.

Not here: operations (job_ops.py), the queue and its states (firmware/jobs).
"""

from array import array

from firmware.ipp import codec, registry_job, tags, values
from firmware.jobs import holds, states
from hal.compat import seldom

# Ticket entries that say what was printed with; until printing begins they have no value.
_ACTUAL = "-actual"

_ID = values.head(tags.INTEGER, "job-id", 4)
_STATE = values.head(tags.ENUM, "job-state", 4)
_UP_TIME = values.head(tags.INTEGER, "job-printer-up-time", 4)
_DOCUMENTS = values.head(tags.INTEGER, "number-of-documents", 4)
_INTERVENING = values.head(tags.INTEGER, "number-of-intervening-jobs", 4)
_K_OCTETS = values.head(tags.INTEGER, "job-k-octets", 4)
_PRIORITY = values.head(tags.INTEGER, "job-priority", 4)
_PROGRESS = values.head(tags.INTEGER, "printwright-job-progress", 4)
_LAYER = values.head(tags.INTEGER, "printwright-job-layer", 4)
_TIME_LEFT = values.head(tags.INTEGER, "printwright-job-time-left", 4)
_CHARSET = codec.attribute(tags.CHARSET, "attributes-charset", ["utf-8"])
_LANGUAGE = codec.attribute(tags.LANGUAGE, "attributes-natural-language", ["en"])

# What of a job only its owner and operators see (IPP Privacy Attributes v1.0, job-privacy-attributes): whose it is, what it is called
# and what may have been written about either.
PRIVATE = ("document-name-supplied", "job-message-from-operator", "job-name", "job-originating-user-name", "job-state-message")


def accuracy(um):
    """print-accuracy as a collection from (x, y, z) in micrometres."""
    return [
        ("accuracy-units", [(tags.KEYWORD, "um")]),
        ("x-accuracy", [(tags.INTEGER, um[0])]),
        ("y-accuracy", [(tags.INTEGER, um[1])]),
        ("z-accuracy", [(tags.INTEGER, um[2])]),
    ]


class JobAttributes:
    """Encodes jobs; printer: ipp Printer."""

    def __init__(self, printer):
        self._printer = printer
        # where each row begins in the registry's text, and what encodes it: names cost memory
        self._starts, self._encoders = self._build()
        self._base = codec.attribute(tags.KEYWORD, "print-base-actual", ["none"])
        self._supports = codec.attribute(tags.KEYWORD, "print-supports-actual", ["none"])
        self._accuracy = codec.attribute(
            tags.COLLECTION, "print-accuracy-actual", [accuracy(printer.accuracy_um)]
        )

    def all(self, job, requested, uri, private=False):
        """Generator of encoded attributes.  requested: requested.Requested; uri: (scheme, host, path) as in Context; private: without
        those that say whose it is and what it is called."""
        rows = registry_job.ROWS
        for i in range(len(self._starts)):
            start = self._starts[i]
            encode = self._encoders[i]
            if rows[start] in requested.groups:
                name = None if encode else _name_at(rows, start)
            else:
                name = _name_at(rows, start)
                if name not in requested.names:
                    continue
            if private and (name or _name_at(rows, start)) in PRIVATE:
                continue
            octets = encode(job, uri) if encode else self._ticket(job, name)
            if octets:
                yield octets

    def one(self, job, name, uri):
        """The attribute of that name, or None."""
        for i in range(len(self._starts)):
            if _name_at(registry_job.ROWS, self._starts[i]) == name:
                encode = self._encoders[i]
                return encode(job, uri) if encode else self._ticket(job, name)
        return None

    def state(self, job, uri):
        """What operations that make or feed a job answer (RFC 8011 section 4.2.1.2): list of bytes."""
        return [
            self._id(job, uri),
            self._uri(job, uri),
            self._uuid(job, uri),
            self._state(job, uri),
            self._reasons(job, uri),
            self._message(job, uri),
        ]

    def _build(self):
        own = {
            "attributes-charset": _charset,
            "attributes-natural-language": _language,
            "date-time-at-completed": self._date_completed,
            "date-time-at-creation": self._date_created,
            "date-time-at-processing": self._date_processing,
            "job-hold-until": self._hold,
            "job-hold-until-time": self._hold_time,
            "job-id": self._id,
            "job-k-octets": self._k_octets,
            "job-name": self._name,
            "job-originating-user-name": self._user,
            "job-priority": self._priority,
            "job-printer-up-time": self._up_time,
            "job-printer-uri": self._printer_uri,
            "job-state": self._state,
            "job-state-message": self._message,
            "job-state-reasons": self._reasons,
            "job-uri": self._uri,
            "job-uuid": self._uuid,
            "number-of-documents": self._documents,
            "number-of-intervening-jobs": self._intervening,
            "print-accuracy-actual": self._accuracy_actual,
            "print-base-actual": self._base_actual,
            "print-objects": self._objects,
            "print-supports-actual": self._supports_actual,
            "printwright-job-layer": self._layer,
            "printwright-job-progress": self._progress,
            "printwright-job-time-left": self._time_left,
            "time-at-completed": self._time_completed,
            "time-at-creation": self._time_created,
            "time-at-processing": self._time_processing,
        }
        encoders = []
        starts = array("H")
        start = 1
        rows = registry_job.ROWS
        while start < len(rows):  # not attributes.rows(), whose lists would be 20 KB of garbage
            here = start
            end = rows.find("\n", start)
            start = end + 1
            name = _name_at(rows, here)
            if rows.find(";C;", here, end) >= 0 and name.replace(_ACTUAL, "") not in self._printer.ticket_names:
                continue  # the machine has no such part
            # without a method of its own, an attribute is in the job's ticket or nowhere
            encoders.append(own.pop(name, None))
            starts.append(here)
        if own:
            raise ValueError("not in the registry: " + ", ".join(own))
        return starts, encoders

    def _ticket(self, job, name):
        octets = job.ticket.get(name)
        if octets is None and name.endswith(_ACTUAL):
            return codec.attribute(tags.NO_VALUE, name, [])
        return octets

    def _id(self, job, uri):
        return values.integer(_ID, job.id)

    def _uri(self, job, uri):
        return codec.attribute(tags.URI, "job-uri", ["%s/%d" % (self._printer.uri(uri), job.id)])

    def _uuid(self, job, uri):
        return codec.attribute(tags.URI, "job-uuid", [job.uuid])

    def _printer_uri(self, job, uri):
        return codec.attribute(tags.URI, "job-printer-uri", [self._printer.uri(uri)])

    def _name(self, job, uri):
        return codec.attribute(tags.NAME, "job-name", [codec.clip(job.name, 255)])

    def _user(self, job, uri):
        return codec.attribute(tags.NAME, "job-originating-user-name", [codec.clip(job.user, 255)])

    def _state(self, job, uri):
        return values.integer(_STATE, job.state)

    def _reasons(self, job, uri):
        reasons = job.reasons
        if states.ended(job.state) and self._printer.queue.is_kept(job):
            reasons = reasons + [states.JOB_RESTARTABLE]
        return codec.attribute(tags.KEYWORD, "job-state-reasons", reasons or ["none"])

    def _priority(self, job, uri):
        return values.integer(_PRIORITY, job.priority)

    def _hold(self, job, uri):
        if job.hold_unix is not None:
            return None
        hold = holds.INDEFINITE if job.hold == holds.ON_CREATE else job.hold or holds.NO_HOLD
        return codec.attribute(tags.KEYWORD, "job-hold-until", [hold])

    def _hold_time(self, job, uri):
        return None if job.hold_unix is None else values.date("job-hold-until-time", job.hold_unix)

    def _message(self, job, uri):
        return codec.attribute(tags.TEXT, "job-state-message", [codec.clip(job.message or "", 1023)])

    def _up_time(self, job, uri):
        return values.integer(_UP_TIME, self._printer.up_time())

    def _documents(self, job, uri):
        return values.integer(_DOCUMENTS, len(job.documents))

    def _intervening(self, job, uri):
        return values.integer(_INTERVENING, self._printer.queue.intervening(job))

    def _k_octets(self, job, uri):
        return values.integer(_K_OCTETS, (job.size + 1023) // 1024)

    def _time_created(self, job, uri):
        return _time("time-at-creation", job.created_s)

    def _time_processing(self, job, uri):
        return _time("time-at-processing", job.processing_s)

    def _time_completed(self, job, uri):
        return _time("time-at-completed", job.completed_s)

    def _date_created(self, job, uri):
        return _date("date-time-at-creation", job.created_s, job.created_unix)

    def _date_processing(self, job, uri):
        return _date("date-time-at-processing", job.processing_s, job.processing_unix)

    def _date_completed(self, job, uri):
        return _date("date-time-at-completed", job.completed_s, job.completed_unix)

    def _base_actual(self, job, uri):
        return _actual(job, "print-base-actual", self._base)

    def _supports_actual(self, job, uri):
        return _actual(job, "print-supports-actual", self._supports)

    def _accuracy_actual(self, job, uri):
        return _actual(job, "print-accuracy-actual", self._accuracy)

    def _objects(self, job, uri):
        if not job.objects:
            return None
        return seldom("firmware.ipp.print_objects", "encode")(self._printer.machine.description["printer"]["axes"], job)

    def _progress(self, job, uri):
        return values.integer(_PROGRESS, job.progress)

    def _layer(self, job, uri):
        return values.integer(_LAYER, job.layer or 0)

    def _time_left(self, job, uri):
        if job.time_left_s is None:
            return codec.attribute(tags.UNKNOWN, "printwright-job-time-left", [])
        return values.integer(_TIME_LEFT, job.time_left_s)


def _name_at(rows, start):
    # the second column: the first is one letter
    return rows[start + 2 : rows.find(";", start + 2)]


def _charset(job, uri):
    return _CHARSET


def _language(job, uri):
    return _LANGUAGE


def _actual(job, name, octets):
    # the printer adds neither base nor supports to a sliced document, and its accuracy is that of its steps
    if job.processing_s is None:
        return codec.attribute(tags.NO_VALUE, name, [])
    return octets


def _time(name, uptime_s):
    if uptime_s is None:
        return codec.attribute(tags.NO_VALUE, name, [])
    return codec.attribute(tags.INTEGER, name, [uptime_s])


def _date(name, uptime_s, unix_s):
    # RFC 8011 section 5.3.14: no-value until it happens; it happened without a clock that was set: unknown
    if uptime_s is None:
        return codec.attribute(tags.NO_VALUE, name, [])
    return values.date(name, unix_s)
