"""Operations end to end through dispatch, on the real queue: what they answer and what they leave behind."""

import asyncio

import pytest

from firmware.ipp import attributes, codec, registry_request, status, tags, values
from firmware.ipp.dispatch import Context, Dispatcher
from firmware.ipp.status import BodyError
from firmware.jobs import states
from firmware.jobs.errors import TicketTooLarge
from firmware.jobs.queue import DISABLED
from hal.errors import StorageError
from tests.firmware.helpers_ipp import decode, operation_group
from tests.firmware.ipp.helpers_objects import make_printer

GCODE = b"; made by a slicer\nG28\nG1 X10 Y10 F3000\n"
PRINTER_URI = "ipp://printer.local:8631/ipp/print3d"

VALIDATE, CREATE, SEND, CANCEL, GET_JOB, GET_JOBS, GET_PRINTER = 4, 5, 6, 8, 9, 0xA, 0xB
PAUSE, RESUME, CANCEL_MY, CLOSE, IDENTIFY = 0x10, 0x11, 0x39, 0x3B, 0x3C


class Body:
    """pieces of bytes; an exception among them is raised."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    async def read(self):
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        if callable(piece):
            piece()
            return await self.read()
        await asyncio.sleep(0)
        return memoryview(piece)


class Client:
    """Speaks to a printer's dispatcher without HTTP."""

    def __init__(self, **caps):
        self.printer = make_printer(**caps)
        self.queue = self.printer.queue
        self.runner = self.printer.runner
        syntaxes = attributes.syntaxes(registry_request.ROWS)
        self.dispatcher = Dispatcher(self.printer.table, self.printer, self.queue.get, syntaxes)

    def ask(self, operation, *extra, job=(), body=(), user="alice"):
        """A request with operation attributes `extra` and job attributes `job`; the decoded answer."""
        message = codec.message((2, 0), operation, 7, [operation_group(*extra, user=user, uri=PRINTER_URI), (tags.JOB_GROUP, list(job))])
        return asyncio.run(self._ask(decode(message), Body(*body)))

    def ask_groups(self, operation, groups, *extra):
        """As ask(), with groups [(tag, attributes), ...] behind the operation attributes."""
        message = codec.message((2, 0), operation, 7, [operation_group(*extra, user="alice", uri=PRINTER_URI)] + groups)
        return asyncio.run(self._ask(decode(message), Body()))

    async def _ask(self, request, body):
        ctx = Context("127.0.0.1", False, "printer.local:8631", body)
        response = await self.dispatcher.answer(ctx, request)
        return decode(b"".join(response.pieces((2, 0), request.request_id)))

    def create(self, name="part", user="alice", **options):
        answer = self.ask(CREATE, text("job-name", name), user=user, **options)
        assert answer.operation == status.OK, answer.groups
        return one(answer, "job-id")

    def send(self, job_id, *pieces, last=True, extra=(), user="alice"):
        return self.ask(SEND, integer("job-id", job_id), flag("last-document", last), *extra, body=pieces, user=user)

    def submit(self, name="part", user="alice", document=GCODE):
        job_id = self.create(name, user)
        assert self.send(job_id, document, user=user).operation == status.OK
        return job_id

    def job(self, job_id, *names):
        extra = [keywords("requested-attributes", *names)] if names else []
        answer = self.ask(GET_JOB, integer("job-id", job_id), *extra)
        assert answer.operation == status.OK, answer.groups
        return dict(answer.group(tags.JOB_GROUP))

    def jobs(self, *extra, user="alice"):
        answer = self.ask(GET_JOBS, *extra, user=user)
        assert answer.operation == status.OK, answer.groups
        return [dict(group)["job-id"][0][1] for tag, group in answer.groups if tag == tags.JOB_GROUP]

    def print(self, job_id, end=None):
        """What checker and runner do with a job, up to the state `end`."""
        job = self.queue.get(job_id)
        self.queue.set_checked(job, 3, len(GCODE), 0)
        self.queue.move(job, states.PROCESSING)
        if end:
            self.queue.move(job, end)
        return job


def text(name, value):
    return (name, [(tags.NAME, value)])


def keywords(name, *items):
    return (name, [(tags.KEYWORD, item) for item in items])


def integer(name, *items):
    return (name, [(tags.INTEGER, item) for item in items])


def flag(name, value=True):
    return (name, [(tags.BOOLEAN, value)])


def mime(value):
    return ("document-format", [(tags.MIME, value)])


def one(answer, name, group=tags.JOB_GROUP):
    values = dict(answer.group(group))[name]
    assert len(values) == 1
    return values[0][1]


def unsupported(answer):
    return dict(answer.group(tags.UNSUPPORTED_GROUP) or [])


@pytest.fixture
def client():
    return Client()


# -- create and validate


def test_create_answers_with_the_job(client):
    answer = client.ask(CREATE, text("job-name", "part"))
    assert answer.operation == status.OK and answer.request_id == 7
    group = dict(answer.group(tags.JOB_GROUP))
    assert group["job-id"] == [(tags.INTEGER, 1)]
    assert group["job-uri"] == [(tags.URI, PRINTER_URI.encode() + b"/1")]
    assert group["job-state"] == [(tags.ENUM, states.PENDING)]
    assert [value for _, value in group["job-state-reasons"]] == [b"job-incoming", b"job-data-insufficient"]
    job = client.queue.get(1)
    assert (job.name, job.user) == ("part", "alice")


def test_job_without_a_name_gets_one(client):
    client.ask(CREATE, text("document-name", "cube.gcode"))
    client.ask(CREATE)
    assert [client.queue.get(id).name for id in (1, 2)] == ["cube.gcode", "Untitled"]


def test_name_with_language_is_taken(client):
    client.ask(CREATE, ("job-name", [(tags.NAME_LANG, (b"de", "Würfel".encode()))]))
    assert client.queue.get(1).name == "Würfel"


def test_create_survives_a_restart(client):
    client.submit()
    client.create("open one")
    client.queue.load()
    assert client.job(1, "job-name")["job-name"] == [(tags.NAME, b"part")]
    assert client.job(2, "job-state")["job-state"] == [(tags.ENUM, states.ABORTED)]


def test_validate_makes_nothing(client):
    assert client.ask(VALIDATE, mime("text/x-gcode")).operation == status.OK
    assert client.queue.count_active() == 0


@pytest.mark.parametrize("operation", [VALIDATE, CREATE])
@pytest.mark.parametrize(
    "extra, code, name",
    [
        (mime("image/png"), status.FORMAT_NOT_SUPPORTED, "document-format"),
        (mime("model/3mf+slice"), status.FORMAT_NOT_SUPPORTED, "document-format"),
        (keywords("compression", "compress"), status.COMPRESSION_NOT_SUPPORTED, "compression"),
        (integer("job-k-octets", 1 << 20), status.TOO_LARGE, "job-k-octets"),
    ],
)
def test_create_refuses_what_it_can_not_print(client, operation, extra, code, name):
    answer = client.ask(operation, extra)
    assert answer.operation == code
    assert unsupported(answer) == {extra[0]: [(t, v.encode() if isinstance(v, str) else v) for t, v in extra[1]]}
    assert client.queue.count_active() == 0


def test_mime_parameters_and_case_do_not_matter(client):
    assert client.ask(VALIDATE, mime("Text/X-Gcode; charset=utf-8")).operation == status.OK


def test_not_accepting(client):
    client.queue.set_flag(DISABLED, True)
    assert client.ask(CREATE).operation == status.NOT_ACCEPTING
    # RFC 3998 section 3.1.1: only what makes jobs is refused
    assert client.ask(VALIDATE).operation == status.OK


def test_queue_full():
    client = Client(jobs=2)
    client.create()
    client.create()
    assert client.ask(CREATE).operation == status.TOO_MANY_JOBS
    assert client.jobs() == [1, 2]


def test_ticket_that_no_record_holds(client):
    def create(*arguments):
        raise TicketTooLarge("the job's attributes take 9999 bytes, at most 3000 fit")

    client.queue.create = create
    answer = client.ask(CREATE)
    assert answer.operation == status.TOO_LARGE
    assert client.jobs() == []


def test_unknown_operation_attribute_is_returned(client):
    answer = client.ask(CREATE, keywords("job-sheet-color", "red"))
    assert answer.operation == status.OK_IGNORED
    assert unsupported(answer) == {"job-sheet-color": [(tags.UNSUPPORTED, None)]}
    assert client.jobs() == [1]


# -- ticket


def test_ticket_is_kept_and_told(client):
    ticket = [
        ("platform-temperature", [(tags.INTEGER, 70)]),
        ("chamber-temperature", [(tags.INTEGER, 40)]),
        ("print-quality", [(tags.ENUM, 4)]),
        ("copies", [(tags.INTEGER, 1)]),
        keywords("print-base", "none"),
        (
            "materials-col",
            [(tags.COLLECTION, [("material-key", [(tags.KEYWORD, b"petg")]), ("material-temperature", [(tags.INTEGER, 245)])])],
        ),
    ]
    answer = client.ask(CREATE, flag("ipp-attribute-fidelity"), job=ticket)
    assert answer.operation == status.OK
    client.queue.load()
    told = client.job(1, "job-template")
    assert set(told) == {name for name, _ in ticket} | QUEUED
    assert told["materials-col"] == ticket[-1][1]
    targets = client.printer.materials.targets(client.queue.get(1).ticket)
    assert (targets.material.key, targets.nozzle_c, targets.bed_c, targets.chamber_c) == ("petg", 245, 70, 40)


# what the queue decides is told of every job
QUEUED = {"job-priority", "job-hold-until"}

BAD = [
    ("print-quality", [(tags.ENUM, 9)]),
    ("copies", [(tags.INTEGER, 2)]),
    ("platform-temperature", [(tags.INTEGER, 300)]),
    ("chamber-temperature", [(tags.INTEGER, -5)]),
    ("print-supports", [(tags.KEYWORD, b"standard")]),
    ("copies", [(tags.KEYWORD, b"one")]),
    ("print-accuracy", [(tags.COLLECTION, [("accuracy-units", [(tags.KEYWORD, b"nm")]), ("x-accuracy", [(tags.INTEGER, 5)])])]),
]


@pytest.mark.parametrize("given", BAD)
def test_bad_value_is_left_out_or_refused(client, given):
    answer = client.ask(CREATE, job=[given])
    assert answer.operation == status.OK_IGNORED
    assert list(unsupported(answer)) == [given[0]]
    assert set(client.job(1, "job-template")) == QUEUED
    answer = client.ask(CREATE, flag("ipp-attribute-fidelity"), job=[given])
    assert answer.operation == status.NOT_SUPPORTED
    assert list(unsupported(answer)) == [given[0]]
    assert client.jobs() == [1]


def test_unknown_attribute_is_returned_as_unsupported(client):
    answer = client.ask(CREATE, job=[keywords("media", "iso_a4_210x297mm")])
    assert answer.operation == status.OK_IGNORED
    assert unsupported(answer) == {"media": [(tags.UNSUPPORTED, None)]}


def test_all_that_is_at_fault_is_listed_at_once(client):
    job = [keywords("media", "x"), ("print-quality", [(tags.ENUM, 3)]), ("copies", [(tags.INTEGER, 1)])]
    answer = client.ask(VALIDATE, flag("ipp-attribute-fidelity"), job=job)
    assert answer.operation == status.NOT_SUPPORTED
    assert list(unsupported(answer)) == ["media", "print-quality"]


@pytest.mark.parametrize(
    "mandatory, code", [("copies", status.NOT_SUPPORTED), ("print-quality", status.OK_IGNORED), ("sides", status.NOT_SUPPORTED)]
)
def test_mandatory_attributes(client, mandatory, code):
    job = [("copies", [(tags.INTEGER, 7)]), ("print-quality", [(tags.ENUM, 4)])]
    answer = client.ask(VALIDATE, keywords("job-mandatory-attributes", mandatory), job=job)
    assert answer.operation == code
    assert "copies" in unsupported(answer)
    assert (mandatory == "sides") == ("job-mandatory-attributes" in unsupported(answer))


def test_machine_without_a_chamber_does_not_know_its_temperature():
    client = Client(name="sim-cartesian")
    answer = client.ask(VALIDATE, job=[("chamber-temperature", [(tags.INTEGER, 30)])])
    assert unsupported(answer) == {"chamber-temperature": [(tags.UNSUPPORTED, None)]}


def test_coarser_accuracy_is_fine(client):
    given = ("print-accuracy", [(tags.COLLECTION, [("accuracy-units", [(tags.KEYWORD, b"um")]), ("x-accuracy", [(tags.INTEGER, 50)])])])
    assert client.ask(VALIDATE, flag("ipp-attribute-fidelity"), job=[given]).operation == status.OK


def test_no_value_is_as_if_absent(client):
    answer = client.ask(CREATE, flag("ipp-attribute-fidelity"), job=[("chamber-temperature", [(tags.NO_VALUE, None)])])
    assert answer.operation == status.OK
    assert set(client.job(1, "job-template")) == QUEUED


def test_material_members_at_fault_alone_are_returned(client):
    members = [
        ("material-key", [(tags.KEYWORD, b"pla")]),
        ("material-temperature", [(tags.INTEGER, 400)]),
        ("material-mood", [(tags.INTEGER, 1)]),
    ]
    answer = client.ask(CREATE, job=[("materials-col", [(tags.COLLECTION, members)])])
    assert answer.operation == status.OK_IGNORED
    bad = [("material-temperature", [(tags.INTEGER, 400)]), ("material-mood", [(tags.UNSUPPORTED, None)])]
    assert unsupported(answer) == {"materials-col": [(tags.COLLECTION, bad)]}
    assert client.job(1, "materials-col")["materials-col"] == [(tags.COLLECTION, members[:1])]


# -- documents


def test_document_becomes_a_pending_job(client):
    job_id = client.create()
    answer = client.send(job_id, GCODE[:5], GCODE[5:], extra=[text("document-name", "cube"), mime("text/x-gcode")])
    assert answer.operation == status.OK
    assert one(answer, "job-state") == states.PENDING
    job = client.queue.get(job_id)
    assert client.queue.unchecked() is job and not job.open
    assert (job.documents[0].name, job.documents[0].format, job.documents[0].size) == ("cube", "text/x-gcode", len(GCODE))
    buf = bytearray(100)
    assert bytes(buf[: client.queue.open_reader(job).readinto(buf)]) == GCODE
    told = client.job(job_id)
    assert told["document-name-supplied"] == [(tags.NAME, b"cube")]
    assert told["document-format-supplied"] == [(tags.MIME, b"text/x-gcode")]
    assert told["number-of-documents"] == [(tags.INTEGER, 1)]
    assert told["job-k-octets"] == [(tags.INTEGER, 1)]
    assert "compression-supplied" not in told


def test_octet_stream_is_looked_into(client):
    job_id = client.create()
    assert client.send(job_id, b"; x\n", b"G28\n" * 100, extra=[mime("application/octet-stream")]).operation == status.OK
    job = client.queue.get(job_id)
    assert job.documents[0].format == "text/x-gcode"
    assert client.job(job_id)["document-format-supplied"] == [(tags.MIME, b"application/octet-stream")]


def test_format_of_create_job_holds_for_its_document(client):
    client.ask(CREATE, mime("application/vnd.pwg-safe-gcode"))
    assert client.send(1, GCODE).operation == status.OK
    assert client.queue.get(1).documents[0].format == "application/vnd.pwg-safe-gcode"


def test_octet_stream_that_is_no_gcode(client):
    job_id = client.create()
    answer = client.send(job_id, b"PK\x03\x04" + bytes(300), extra=[mime("application/octet-stream")])
    assert answer.operation == status.FORMAT_ERROR
    job = client.job(job_id)
    assert job["job-state"] == [(tags.ENUM, states.ABORTED)]
    assert [value for _, value in job["job-state-reasons"]] == [b"aborted-by-system", b"document-format-error"]
    assert client.printer.queue.spool.files.names() == []


@pytest.mark.parametrize("extra", [(), (mime("application/octet-stream"),), (mime("text/x-gcode"),)])
def test_gzip_without_compression(client, extra):
    job_id = client.create()
    assert client.send(job_id, b"\x1f\x8b\x08" + bytes(50), extra=extra).operation == status.FORMAT_NOT_SUPPORTED
    # the job still waits for a document that can be printed
    assert client.send(job_id, GCODE).operation == status.OK


@pytest.mark.parametrize(
    "extra, code",
    [(mime("image/png"), status.FORMAT_NOT_SUPPORTED), (keywords("compression", "compress"), status.COMPRESSION_NOT_SUPPORTED)],
)
def test_send_document_of_a_wrong_kind(client, extra, code):
    job_id = client.create()
    assert client.send(job_id, GCODE, extra=[extra]).operation == code
    assert client.queue.get(job_id).open


def test_last_document_is_required(client):
    job_id = client.create()
    assert client.ask(SEND, integer("job-id", job_id), body=[GCODE]).operation == status.BAD_REQUEST
    assert client.queue.get(job_id).documents == []


def test_empty_last_document_closes_the_job(client):
    job_id = client.create()
    assert client.send(job_id, GCODE, last=False).operation == status.OK
    assert client.queue.get(job_id).open
    assert client.send(job_id, last=True).operation == status.OK
    job = client.queue.get(job_id)
    assert not job.open and len(job.documents) == 1
    assert client.queue.unchecked() is job


def test_empty_document_that_is_not_the_last(client):
    job_id = client.create()
    assert client.send(job_id, last=False).operation == status.BAD_REQUEST
    assert client.queue.get(job_id).open


def test_job_without_any_document_ends(client):
    job_id = client.create()
    assert client.send(job_id, last=True).operation == status.OK
    job = client.job(job_id, "job-state", "job-state-message")
    assert job["job-state"][0][1] == states.ABORTED
    assert b"no document" in job["job-state-message"][0][1]


def test_second_document_is_refused(client):
    job_id = client.create()
    assert client.send(job_id, GCODE, last=False).operation == status.OK
    assert client.send(job_id, GCODE).operation == status.MULTIPLE_DOCUMENTS
    assert len(client.queue.get(job_id).documents) == 1
    assert client.ask(CLOSE, integer("job-id", job_id)).operation == status.OK
    assert client.send(job_id, GCODE).operation == status.NOT_POSSIBLE


def test_close_job_twice(client):
    job_id = client.create()
    client.send(job_id, GCODE, last=False)
    assert client.ask(CLOSE, integer("job-id", job_id)).operation == status.OK
    assert client.ask(CLOSE, integer("job-id", job_id)).operation == status.NOT_POSSIBLE


@pytest.mark.parametrize("start", [GCODE, GCODE * 20])
def test_client_that_vanishes(client, start):
    job_id = client.create()
    # dispatch lets the server's own error pass
    with pytest.raises(BodyError):
        client.send(job_id, start, BodyError(400, "gone"))
    job = client.job(job_id)
    assert job["job-state"] == [(tags.ENUM, states.ABORTED)]
    assert b"submission-interrupted" in [value for _, value in job["job-state-reasons"]]
    assert client.printer.queue.spool.files.names() == []


def test_cancel_while_the_document_comes(client):
    job_id = client.create()
    job = client.queue.get(job_id)
    answer = client.send(job_id, GCODE, GCODE * 20, lambda: client.queue.cancel(job), GCODE)
    assert answer.operation == status.JOB_CANCELED
    assert client.job(job_id, "job-state")["job-state"][0][1] == states.CANCELED


def test_document_larger_than_the_spool():
    client = Client(spool_bytes=1000)
    job_id = client.create()
    assert client.send(job_id, *[b"G1 X1 F100\n" * 30] * 5).operation == status.TOO_LARGE
    assert client.job(job_id, "job-state")["job-state"][0][1] == states.ABORTED
    job_id = client.create()
    assert client.send(job_id, b"G1 X1 F100\n" * 60).operation == status.OK
    job_id = client.create()
    assert client.send(job_id, b"G1 X1 F100\n" * 60).operation == status.TEMPORARY_ERROR


def test_unknown_job(client):
    for operation in (SEND, CANCEL, GET_JOB, CLOSE):
        extra = [flag("last-document")] if operation == SEND else []
        assert client.ask(operation, integer("job-id", 77), *extra).operation == status.NOT_FOUND


# -- a job's attributes


def test_all_attributes_of_a_job(client):
    job_id = client.submit()
    told = client.job(job_id)
    for name, expected in (
        ("attributes-charset", (tags.CHARSET, b"utf-8")),
        ("job-originating-user-name", (tags.NAME, b"alice")),
        ("job-printer-uri", (tags.URI, PRINTER_URI.encode())),
        ("job-printer-up-time", (tags.INTEGER, 100)),
        ("time-at-creation", (tags.INTEGER, 100)),
        ("time-at-processing", (tags.NO_VALUE, None)),
        ("date-time-at-processing", (tags.NO_VALUE, None)),
        ("date-time-at-completed", (tags.NO_VALUE, None)),
        ("materials-col-actual", (tags.NO_VALUE, None)),
        ("print-base-actual", (tags.NO_VALUE, None)),
        ("number-of-intervening-jobs", (tags.INTEGER, 0)),
        ("printwright-job-progress", (tags.INTEGER, 0)),
        ("printwright-job-time-left", (tags.UNKNOWN, None)),
    ):
        assert told[name] == [expected], name
    assert told["date-time-at-creation"][0][0] == tags.DATETIME
    assert told["job-uuid"][0][1].startswith(b"urn:uuid:") and len(told["job-uuid"][0][1]) == 45


def test_a_job_that_printed(client):
    job_id = client.submit()
    client.printer.machine.clock.uptime = 130
    job = client.print(job_id)
    job.progress = 40
    job.layer = 12
    job.time_left_s = 600
    client.printer.materials.record(job.ticket, client.printer.materials.ready, [215], 60)
    told = client.job(job_id)
    assert told["printwright-job-progress"] == [(tags.INTEGER, 40)]
    assert told["printwright-job-layer"] == [(tags.INTEGER, 12)]
    assert told["printwright-job-time-left"] == [(tags.INTEGER, 600)]
    assert told["job-state"] == [(tags.ENUM, states.PROCESSING)]
    client.queue.move(job, states.COMPLETED)
    told = client.job(job_id)
    assert told["time-at-processing"] == [(tags.INTEGER, 130)]
    assert told["time-at-completed"] == [(tags.INTEGER, 130)]
    assert told["print-supports-actual"] == [(tags.KEYWORD, b"none")]
    assert dict(told["materials-col-actual"][0][1])["material-temperature"] == [(tags.INTEGER, 215)]
    assert told["platform-temperature-actual"] == [(tags.INTEGER, 60)]


def test_parts_that_the_machine_lacks_are_not_told_of():
    client = Client(name="sim-cartesian")
    told = client.job(client.submit())
    assert "platform-temperature-actual" in told
    assert "chamber-temperature-actual" not in told


def test_without_a_clock_what_happened_is_unknown(client):
    client.printer.machine.clock.unix = None
    told = client.job(client.submit())
    assert told["date-time-at-creation"] == [(tags.UNKNOWN, None)]
    assert told["date-time-at-completed"] == [(tags.NO_VALUE, None)]


def test_requested_attributes_of_a_job(client):
    job_id = client.submit()
    everything = client.job(job_id)
    assert client.job(job_id, "all") == everything
    assert client.job(job_id, "job-description", "job-template") == everything
    assert set(client.job(job_id, "job-state", "nonsense")) == {"job-state"}
    assert client.job(job_id, "none") == {}
    for name in everything:
        assert client.job(job_id, name) == {name: everything[name]}


# -- Get-Jobs


def test_get_jobs_tells_id_and_uri_only(client):
    client.submit()
    group = client.ask(GET_JOBS).group(tags.JOB_GROUP)
    assert [name for name, _ in group] == ["job-id", "job-uri"]


def test_get_jobs_of_none(client):
    answer = client.ask(GET_JOBS)
    assert answer.operation == status.OK
    assert [tag for tag, _ in answer.groups] == [tags.OPERATION_GROUP]


@pytest.fixture
def six():
    """Jobs 1 open, 2 printing, 3 pending (bob's), 4 completed, 5 canceled, 6 aborted."""
    client = Client()
    client.create()
    for user in ("alice", "bob", "alice", "alice", "bob"):
        client.submit(user=user)
    for job_id, end in ((4, states.COMPLETED), (2, None)):
        client.print(job_id, end)
    client.queue.move(client.queue.get(5), states.CANCELED)
    client.queue.move(client.queue.get(6), states.ABORTED)
    return client


@pytest.mark.parametrize(
    "which, expected",
    [
        (None, [2, 1, 3]),
        ("not-completed", [2, 1, 3]),
        ("completed", [6, 5, 4]),
        ("all", [2, 1, 3, 6, 5, 4]),
        ("canceled", [5]),
        ("aborted", [6]),
        ("pending", [1, 3]),
        ("pending-held", []),
        ("processing", [2]),
        ("processing-stopped", []),
    ],
)
def test_which_jobs(six, which, expected):
    assert six.jobs(*([keywords("which-jobs", which)] if which else [])) == expected


def test_which_jobs_lists_what_works(six):
    group = six.ask(GET_PRINTER, keywords("requested-attributes", "which-jobs-supported")).group(tags.PRINTER_GROUP)
    for _, which in group[0][1]:
        assert six.ask(GET_JOBS, keywords("which-jobs", which)).operation == status.OK


def test_which_jobs_unknown(six):
    answer = six.ask(GET_JOBS, keywords("which-jobs", "fetchable"))
    assert answer.operation == status.NOT_SUPPORTED
    assert unsupported(answer) == {"which-jobs": [(tags.KEYWORD, b"fetchable")]}


def test_my_jobs(six):
    mine = flag("my-jobs")
    assert six.jobs(mine, keywords("which-jobs", "all"), user="bob") == [3, 6]
    assert six.jobs(mine, user="nobody") == []
    assert six.jobs(flag("my-jobs", False), user="nobody") == [2, 1, 3]


def test_limit_and_first_index(six):
    everything = keywords("which-jobs", "all")
    assert six.jobs(everything, integer("limit", 2)) == [2, 1]
    assert six.jobs(everything, integer("first-index", 3), integer("limit", 2)) == [3, 6]
    assert six.jobs(everything, integer("first-index", 7)) == []
    assert six.ask(GET_JOBS, integer("limit", 0)).operation == status.NOT_SUPPORTED
    assert six.ask(GET_JOBS, integer("first-index", 0)).operation == status.NOT_SUPPORTED


def test_job_ids(six):
    assert six.jobs(integer("job-ids", 5, 99, 2)) == [5, 2]
    answer = six.ask(GET_JOBS, integer("job-ids", 5), integer("limit", 1))
    assert answer.operation == status.CONFLICTING
    assert set(unsupported(answer)) == {"job-ids", "limit"}


def test_get_jobs_with_attributes(six):
    answer = six.ask(GET_JOBS, keywords("requested-attributes", "job-name", "job-state"), keywords("which-jobs", "all"))
    groups = [dict(group) for tag, group in answer.groups if tag == tags.JOB_GROUP]
    assert len(groups) == 6
    assert all(set(group) == {"job-name", "job-state"} for group in groups)


# -- cancel


def test_cancel_a_pending_job(client):
    job_id = client.submit()
    assert client.ask(CANCEL, integer("job-id", job_id)).operation == status.OK
    job = client.job(job_id)
    assert job["job-state"] == [(tags.ENUM, states.CANCELED)]
    assert job["job-state-reasons"] == [(tags.KEYWORD, b"job-canceled-by-user")]
    assert client.ask(CANCEL, integer("job-id", job_id)).operation == status.NOT_POSSIBLE
    assert client.runner.asked == []


def test_cancel_of_another_user(client):
    job_id = client.submit(user="bob")
    assert client.ask(CANCEL, integer("job-id", job_id)).operation == status.OK
    assert client.job(job_id, "job-state-reasons")["job-state-reasons"] == [(tags.KEYWORD, b"job-canceled-by-operator")]


def test_cancel_the_job_that_prints(client):
    job_id = client.submit()
    client.print(job_id)
    assert client.ask(CANCEL, integer("job-id", job_id)).operation == status.OK
    assert client.runner.asked == [("cancel", job_id, ["job-canceled-by-user"])]
    job = client.job(job_id)
    assert job["job-state"] == [(tags.ENUM, states.PROCESSING)]
    assert (tags.KEYWORD, b"processing-to-stop-point") in job["job-state-reasons"]
    assert client.ask(CANCEL, integer("job-id", job_id)).operation == status.NOT_POSSIBLE


def test_cancel_my_jobs(six):
    assert six.ask(CANCEL_MY, user="alice").operation == status.OK
    assert six.jobs() == [2, 3]
    assert six.runner.asked == [("cancel", 2, ["job-canceled-by-user"])]
    assert six.ask(CANCEL_MY, user="nobody").operation == status.OK


@pytest.mark.parametrize(
    "ids, code, failed",
    [
        ((1, 3), status.NOT_AUTHORIZED, [3]),
        ((1, 99), status.NOT_FOUND, [99]),
        ((1, 4, 5), status.NOT_POSSIBLE, [4, 5]),
    ],
)
def test_cancel_my_jobs_all_or_none(six, ids, code, failed):
    answer = six.ask(CANCEL_MY, integer("job-ids", *ids), user="alice")
    assert answer.operation == code
    assert unsupported(answer) == {"job-ids": [(tags.INTEGER, id) for id in failed]}
    assert six.jobs() == [2, 1, 3]


def test_cancel_my_jobs_by_id(six):
    assert six.ask(CANCEL_MY, integer("job-ids", 1), user="alice").operation == status.OK
    assert six.jobs() == [2, 3]


# -- printer


def test_identify(client):
    assert client.ask(IDENTIFY).operation == status.OK
    answer = client.ask(IDENTIFY, keywords("identify-actions", "sound", "speak"))
    assert answer.operation == status.OK_IGNORED
    assert unsupported(answer) == {"identify-actions": [(tags.KEYWORD, b"speak")]}
    assert client.runner.asked == [("identify", ["display"]), ("identify", ["sound"])]


def test_pause_and_resume(client):
    assert client.ask(PAUSE).operation == status.OK
    assert client.ask(RESUME).operation == status.OK
    client.runner.can_resume = False
    assert client.ask(RESUME).operation == status.NOT_POSSIBLE
    assert client.runner.asked == ["pause", "resume", "resume"]


def test_get_printer_attributes_checks_the_format(client):
    assert client.ask(GET_PRINTER, mime("text/x-gcode"), keywords("requested-attributes", "printer-name")).operation == status.OK
    assert client.ask(GET_PRINTER, mime("application/pdf")).operation == status.FORMAT_NOT_SUPPORTED


def test_print_job_is_not_there(client):
    assert client.ask(2).operation == status.OPERATION_NOT_SUPPORTED


def test_storage_that_fails_is_no_success(client):
    async def fails():
        raise StorageError("broken medium")

    client.queue.commit = fails
    assert client.ask(CREATE).operation == status.TEMPORARY_ERROR


def test_decoded_reads_what_a_ticket_holds():
    octets = codec.attribute(tags.INTEGER, "platform-temperature", [60])
    assert values.decoded(octets) == [(tags.INTEGER, 60)]
