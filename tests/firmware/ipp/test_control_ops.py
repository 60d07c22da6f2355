"""Operations on the queue, the printer, its settings and documents, through dispatch on the real queue."""

import asyncio

import pytest

from firmware.ipp import status, tags, values
from firmware.jobs import states
from firmware.jobs.queue import DISABLED, HOLD_NEW, PAUSED
from tests.firmware.ipp.test_job_ops import (
    CREATE,
    GCODE,
    PAUSE,
    RESUME,
    VALIDATE,
    Client,
    integer,
    keywords,
    one,
    text,
    unsupported,
)

HOLD, RELEASE, SET_PRINTER, SET_JOB, SUPPORTED = 0x0C, 0x0D, 0x13, 0x14, 0x15
ENABLE, DISABLE, PAUSE_AFTER, HOLD_NEW_JOBS, RELEASE_NEW, RESTART = 0x22, 0x23, 0x24, 0x25, 0x26, 0x29
CANCEL_CURRENT, SUSPEND, RESUME_JOB, PROMOTE, AFTER = 0x2D, 0x2E, 0x2F, 0x30, 0x31
CANCEL_DOCUMENT, GET_DOCUMENT, GET_DOCUMENTS, SET_DOCUMENT = 0x33, 0x34, 0x35, 0x37
CANCEL_JOBS, RESUBMIT, VALIDATE_DOCUMENT = 0x38, 0x3A, 0x3D
NOW = 1790000000  # the fake clock's


@pytest.fixture
def client():
    return Client()


def do(client, operation, job_id, *extra, code=status.OK, **options):
    answer = client.ask(operation, integer("job-id", job_id), *extra, **options)
    assert answer.operation == code, answer.groups
    return answer


def state(client, job_id):
    return client.queue.get(job_id).state


def checked(client, *job_ids):
    for id in job_ids:
        job = client.queue.get(id)
        client.queue.set_checked(job, 3, len(GCODE), 0)


# -- holding


def test_hold_and_release(client):
    job = client.submit()
    do(client, HOLD, job)
    told = client.job(job, "job-state", "job-state-reasons", "job-hold-until")
    assert told["job-state"][0][1] == states.PENDING_HELD
    assert (tags.KEYWORD, b"job-hold-until-specified") in told["job-state-reasons"]
    assert told["job-hold-until"] == [(tags.KEYWORD, b"indefinite")]
    checked(client, job)
    assert client.queue.next_ready() is None
    client.queue.load()
    assert state(client, job) == states.PENDING_HELD
    checked(client, job)
    do(client, RELEASE, job)
    do(client, RELEASE, job)  # not held: no change
    assert client.queue.next_ready().id == job
    client.queue.load()
    assert state(client, job) == states.PENDING


def test_hold_until_a_time(client):
    job = client.submit()
    do(client, HOLD, job, ("job-hold-until-time", [(tags.DATETIME, values.date_time(NOW + 60))]))
    assert client.job(job, "job-hold-until-time")["job-hold-until-time"][0][1] == values.date_time(NOW + 60)
    client.printer.machine.clock.unix += 59
    asyncio.run(client.queue.tidy())
    assert state(client, job) == states.PENDING_HELD
    client.printer.machine.clock.unix += 1
    asyncio.run(client.queue.tidy())
    assert state(client, job) == states.PENDING


def test_hold_with_values_that_there_are_not(client):
    job = client.submit()
    answer = do(client, HOLD, job, keywords("job-hold-until", "tomorrow"), code=status.NOT_SUPPORTED)
    assert list(unsupported(answer)) == ["job-hold-until"]
    assert state(client, job) == states.PENDING


def test_hold_and_release_in_other_states(client):
    printing, ended = client.submit(), client.submit()
    client.print(printing)
    client.queue.cancel(client.queue.get(ended))
    for operation in (HOLD, PROMOTE, AFTER):
        do(client, operation, printing, code=status.NOT_POSSIBLE)
        do(client, operation, ended, code=status.NOT_POSSIBLE)
    do(client, RELEASE, printing)
    do(client, RELEASE, ended, code=status.NOT_POSSIBLE)
    do(client, HOLD, 99, code=status.NOT_FOUND)


def test_a_job_can_be_created_held(client):
    job = client.create(job=[keywords("job-hold-until", "indefinite"), integer("job-priority", 70)])
    assert state(client, job) == states.PENDING_HELD
    assert client.job(job, "job-priority")["job-priority"] == [(tags.INTEGER, 70)]
    client.send(job, GCODE)
    assert client.queue.get(job).reasons == ["job-hold-until-specified"]


def test_new_jobs_are_held_and_released_together(client):
    before = client.submit()
    assert client.ask(HOLD_NEW_JOBS).operation == status.OK
    held = client.submit()
    own = client.create(job=[keywords("job-hold-until", "indefinite")])
    client.queue.load()
    assert client.queue.flag(HOLD_NEW)
    assert [state(client, id) for id in (before, held)] == [states.PENDING, states.PENDING_HELD]
    assert client.ask(RELEASE_NEW).operation == status.OK
    assert state(client, held) == states.PENDING
    assert states.ended(state(client, own))  # its document had not come before the restart
    assert state(client, client.create()) == states.PENDING


# -- order


def test_priority_promotion_and_succession(client):
    a, b, c = client.submit(), client.submit(), client.submit()
    urgent = client.create(job=[integer("job-priority", 90)])
    assert client.jobs() == [urgent, a, b, c]
    do(client, PROMOTE, c)
    assert client.jobs() == [c, urgent, a, b]
    do(client, AFTER, c, integer("predecessor-job-id", a))
    assert client.jobs() == [urgent, a, c, b]
    do(client, AFTER, b)
    assert client.jobs() == [b, urgent, a, c]
    client.send(urgent, GCODE)
    client.queue.load()
    assert client.jobs() == [b, urgent, a, c]
    do(client, SET_JOB, b, job=[integer("job-priority", 10)])
    assert client.jobs() == [urgent, a, c, b]
    answer = do(client, AFTER, b, integer("predecessor-job-id", 77), code=status.NOT_FOUND)
    assert list(unsupported(answer)) == ["predecessor-job-id"]
    do(client, AFTER, b, integer("predecessor-job-id", b), code=status.NOT_POSSIBLE)


def test_succession_any_number_of_times(client):
    jobs = [client.submit() for _ in range(6)]
    order = list(jobs)
    for turn in range(40):
        job = order.pop(2 + turn % 4)
        do(client, AFTER, job, integer("predecessor-job-id", order[0]))
        order.insert(1, job)
        assert client.jobs() == order
    client.queue.load()
    assert client.jobs() == order


def test_the_job_in_work_comes_first(client):
    a, b = client.submit(), client.submit()
    do(client, PROMOTE, b)
    client.print(a)
    assert client.jobs() == [a, b]
    do(client, AFTER, b, integer("predecessor-job-id", a))
    assert client.jobs() == [a, b]


# -- attributes


def test_set_job_attributes(client):
    job = client.submit()
    checked(client, job)
    do(client, SET_JOB, job, job=[text("job-name", "better"), ("platform-temperature", [(tags.INTEGER, 70)])])
    client.queue.load()
    told = client.job(job)
    assert told["job-name"] == [(tags.NAME, b"better")]
    assert told["platform-temperature"] == [(tags.INTEGER, 70)]
    assert client.queue.unchecked().id == job  # with another ticket it has to be checked again
    do(client, SET_JOB, job, job=[("platform-temperature", [(tags.DELETE, None)])])
    assert "platform-temperature" not in client.job(job)


@pytest.mark.parametrize(
    "given, code, tag",
    [
        (("job-state", [(tags.ENUM, 9)]), status.NOT_SETTABLE, tags.NOT_SETTABLE),
        (("media", [(tags.KEYWORD, b"a4")]), status.NOT_SETTABLE, tags.UNSUPPORTED),
        (("copies", [(tags.INTEGER, 5)]), status.NOT_SUPPORTED, tags.INTEGER),
        (("job-priority", [(tags.INTEGER, 101)]), status.NOT_SUPPORTED, tags.INTEGER),
        (("job-name", [(tags.KEYWORD, b"x")]), status.NOT_SUPPORTED, tags.KEYWORD),
    ],
)
def test_set_job_attributes_sets_all_or_nothing(client, given, code, tag):
    job = client.submit()
    message = ("job-message-from-operator", [(tags.TEXT, b"x")])
    answer = do(client, SET_JOB, job, job=[message, given], code=code)
    assert unsupported(answer)[given[0]][0][0] == tag
    assert "job-message-from-operator" not in client.job(job)


def test_set_job_attributes_of_nothing_and_of_a_job_in_work(client):
    job = client.submit()
    do(client, SET_JOB, job, code=status.BAD_REQUEST)
    client.print(job)
    do(client, SET_JOB, job, job=[text("job-name", "x")], code=status.NOT_POSSIBLE)


ADJUSTED = ("printwright-job-speed", "printwright-job-flow", "printwright-job-baby-step")


def test_a_job_is_adjusted_while_it_prints(client):
    job = client.submit()
    do(client, SET_JOB, job, job=[integer("printwright-job-speed", 80)], code=status.NOT_POSSIBLE)
    runner = client.printer.runner
    runner.job = client.print(job)
    do(client, SET_JOB, job, job=[integer("printwright-job-speed", 80), integer("printwright-job-baby-step", -40)])
    assert (runner.overrides.speed_percent, runner.overrides.flow_percent, runner.overrides.baby_um) == (80, 100, -40)
    assert client.job(job, *ADJUSTED) == {
        "printwright-job-baby-step": [(tags.INTEGER, -40)],
        "printwright-job-speed": [(tags.INTEGER, 80)],
    }
    do(client, SET_JOB, job, job=[("printwright-job-speed", [(tags.DELETE, None)])])
    assert runner.overrides.speed_percent == 100 and list(client.job(job, *ADJUSTED)) == ["printwright-job-baby-step"]
    # the receipt stays with the job, the adjustment does not go to the next
    client.queue.move(client.queue.get(job), states.COMPLETED)
    runner.job = None
    assert list(client.job(job, *ADJUSTED)) == ["printwright-job-baby-step"]
    do(client, SET_JOB, job, job=[integer("printwright-job-speed", 80)], code=status.NOT_POSSIBLE)


@pytest.mark.parametrize(
    "given",
    [
        integer("printwright-job-speed", 9),
        integer("printwright-job-flow", 151),
        integer("printwright-job-baby-step", -2001),
        ("printwright-job-flow", [(tags.KEYWORD, b"most")]),
        ("printwright-job-flow", [(tags.INTEGER, 90), (tags.INTEGER, 91)]),
    ],
)
def test_adjustments_are_all_made_or_none(client, given):
    job = client.submit()
    runner = client.printer.runner
    runner.job = client.print(job)
    runner.overrides.set_speed(120)
    other = integer("printwright-job-speed", 80) if given[0] != "printwright-job-speed" else integer("printwright-job-flow", 80)
    answer = do(client, SET_JOB, job, job=[other, given], code=status.NOT_SUPPORTED)
    assert list(unsupported(answer)) == [given[0]]
    assert (runner.overrides.speed_percent, runner.overrides.flow_percent, runner.overrides.baby_um) == (120, 100, 0)
    assert client.job(job, *ADJUSTED) == {}
    do(client, SET_JOB, job, job=[integer("printwright-job-speed", 80), text("job-name", "x")], code=status.NOT_POSSIBLE)


def set_printer(client, *given):
    message = [(tags.PRINTER_GROUP, list(given))]
    return client.ask_groups(SET_PRINTER, message)


def test_set_printer_attributes(client):
    given = [("printer-info", [(tags.TEXT, b"in the cellar")]), ("printer-geo-location", [(tags.URI, b"geo:1,2")])]
    assert set_printer(client, *given).operation == status.OK
    answer = client.ask(0x0B, keywords("requested-attributes", "printer-info", "printer-geo-location"))
    assert dict(answer.group(tags.PRINTER_GROUP)) == dict(given)
    answer = set_printer(client, ("printer-info", [(tags.TEXT, b"x")]), ("printer-state", [(tags.ENUM, 3)]))
    assert answer.operation == status.NOT_SETTABLE
    assert unsupported(answer) == {"printer-state": [(tags.NOT_SETTABLE, None)]}
    answer = set_printer(client, ("printer-info", [(tags.TEXT, b"x")]), ("printer-name", [(tags.NAME, b"")]))
    assert answer.operation == status.NOT_SUPPORTED and list(unsupported(answer)) == ["printer-name"]
    assert client.printer.settings.get("info") == "in the cellar"
    assert set_printer(client).operation == status.BAD_REQUEST


def test_set_the_material_that_is_loaded(client):
    petg = [(tags.COLLECTION, [("material-key", [(tags.KEYWORD, b"petg")])])]
    assert set_printer(client, ("materials-col-ready", petg)).operation == status.OK
    assert client.printer.materials.loaded.key == "petg"
    gold = [(tags.COLLECTION, [("material-key", [(tags.KEYWORD, b"gold")])])]
    assert set_printer(client, ("materials-col-ready", gold)).operation == status.NOT_SUPPORTED
    assert set_printer(client, ("materials-col-ready", [(tags.NO_VALUE, None)])).operation == status.OK
    assert client.printer.materials.loaded is None and client.printer.settings.get("material", None) == ""
    client.runner.status.job_id = 1
    assert set_printer(client, ("materials-col-ready", petg)).operation == status.NOT_POSSIBLE
    client.runner.wants_material = True
    assert set_printer(client, ("materials-col-ready", petg)).operation == status.OK
    assert client.printer.materials.loaded.key == "petg"


def test_set_what_happens_between_two_jobs(client):
    def clearing(value):
        return set_printer(client, ("printwright-platform-clearing", [(tags.KEYWORD, value)])).operation

    assert client.printer.settings.get("platform_clearing", None) in (None, "none")
    assert clearing(b"operator") == status.OK
    assert client.printer.settings.get("platform_clearing", None) == "operator"
    told = dict(client.ask(SUPPORTED, keywords("requested-attributes", "printwright-platform-clearing")).group(tags.PRINTER_GROUP))
    assert told["printwright-platform-clearing"] == [(tags.KEYWORD, b"none"), (tags.KEYWORD, b"operator")]
    assert clearing(b"routine") == status.NOT_SUPPORTED  # this machine has none
    assert clearing(b"sometimes") == status.NOT_SUPPORTED
    assert client.printer.settings.get("platform_clearing", None) == "operator"


def test_set_whom_to_ask(client):
    """printer-contact-col (PWG 5100.22)."""

    def contact(*members):
        return set_printer(client, ("printer-contact-col", [(tags.COLLECTION, list(members))])).operation

    def told():
        answer = client.ask(0x0B, keywords("requested-attributes", "printer-contact-col"))
        return dict(answer.group(tags.PRINTER_GROUP))["printer-contact-col"]

    name = ("contact-name", [(tags.NAME, b"Anna")])
    assert contact(name, ("contact-uri", [(tags.URI, b"mailto:anna@example.com")]), ("contact-vcard", [(tags.TEXT, b"")])) == status.OK
    (_, members), = told()
    assert dict(members)["contact-name"] == [(tags.NAME, b"Anna")]
    assert dict(members)["contact-uri"] == [(tags.URI, b"mailto:anna@example.com")]
    for wrong, value in (("contact-name", (tags.INTEGER, 1)), ("contact-uri", (tags.NAME, b"x")), ("contact-vcard", (tags.TEXT, b"BEGIN"))):
        assert contact((wrong, [value])) == status.NOT_SUPPORTED
    assert contact(("nickname", [(tags.NAME, b"x")])) == status.NOT_SUPPORTED
    assert dict(told()[0][1])["contact-name"] == [(tags.NAME, b"Anna")], "nothing has changed"
    assert contact(name) == status.OK
    assert dict(told()[0][1])["contact-uri"] == [(tags.URI, b"")]
    assert set_printer(client, ("printer-contact-col", [(tags.DELETE, None)])).operation == status.OK
    assert told() == [(tags.UNKNOWN, None)]


def test_supported_values(client):
    answer = client.ask(SUPPORTED, keywords("requested-attributes", "printer-info", "materials-col-ready", "printer-state"))
    told = dict(answer.group(tags.PRINTER_GROUP))
    assert told["printer-info"] == [(tags.ADMIN_DEFINE, None)]
    assert len(told["materials-col-ready"]) == len(client.printer.materials.database)
    assert set(told) == {"printer-info", "materials-col-ready"}
    everything = dict(client.ask(SUPPORTED).group(tags.PRINTER_GROUP))
    settable = client.ask(0x0B, keywords("requested-attributes", "printer-settable-attributes-supported"))
    assert {v.decode() for _, v in dict(settable.group(tags.PRINTER_GROUP))["printer-settable-attributes-supported"]} == set(everything)


# -- the printer


def test_disabled_and_enabled(client):
    job = client.create()
    assert client.ask(DISABLE).operation == status.OK
    assert client.ask(CREATE).operation == status.NOT_ACCEPTING
    for operation in (VALIDATE, VALIDATE_DOCUMENT):
        assert client.ask(operation).operation == status.OK
    assert client.send(job, GCODE).operation == status.OK
    client.queue.load()
    assert client.queue.flag(DISABLED)
    assert client.ask(ENABLE).operation == status.OK
    assert client.ask(CREATE).operation == status.OK


def test_pauses_are_remembered(client):
    for operation, asked in ((PAUSE, "pause"), (PAUSE_AFTER, "pause-after")):
        assert client.ask(operation).operation == status.OK
        assert client.runner.asked.pop() == asked
        client.queue.load()
        assert client.queue.flag(PAUSED)
        assert client.ask(RESUME).operation == status.OK
        assert not client.queue.flag(PAUSED)
        client.runner.asked.clear()


def test_restart_undoes_what_was_set(client):
    for operation in (DISABLE, HOLD_NEW_JOBS, PAUSE):
        client.ask(operation)
    assert client.ask(RESTART).operation == status.OK
    assert client.runner.asked[-1] == "restart"
    assert not client.queue.flag(DISABLED | HOLD_NEW | PAUSED)


def test_operators_messages(client):
    message = ("printer-message-from-operator", [(tags.TEXT, b"back at noon")])
    assert client.ask(PAUSE, message).operation == status.OK
    answer = client.ask(0x0B, keywords("requested-attributes", "printer-message-from-operator"))
    assert one(answer, "printer-message-from-operator", tags.PRINTER_GROUP) == b"back at noon"
    job = client.submit()
    do(client, HOLD, job, ("job-message-from-operator", [(tags.TEXT, b"wait")]))
    client.queue.load()
    assert client.job(job)["job-message-from-operator"] == [(tags.TEXT, b"wait")]


def test_the_current_job(client):
    for operation in (CANCEL_CURRENT, SUSPEND):
        assert client.ask(operation).operation == status.NOT_POSSIBLE
    job, other = client.submit(), client.submit()
    client.print(job)
    client.runner.status.job_id = job
    do(client, SUSPEND, other, code=status.NOT_POSSIBLE)
    assert client.ask(SUSPEND).operation == status.OK
    assert client.runner.asked[-1] == ("suspend", job)
    do(client, RESUME_JOB, job)
    assert client.runner.asked[-1] == ("resume", job)
    client.runner.can_resume = False
    assert client.ask(SUSPEND).operation == status.NOT_POSSIBLE
    do(client, RESUME_JOB, job, code=status.NOT_POSSIBLE)
    do(client, CANCEL_CURRENT, other, code=status.NOT_POSSIBLE)
    do(client, CANCEL_CURRENT, job)
    assert client.queue.get(job).stop == "job-canceled-by-user"
    do(client, CANCEL_CURRENT, job, code=status.NOT_POSSIBLE)


def test_cancel_jobs(client):
    a, b, c = client.submit(user="anna"), client.submit(user="bert"), client.submit(user="carl")
    answer = client.ask(CANCEL_JOBS, integer("job-ids", a, 99))
    assert answer.operation == status.NOT_FOUND and unsupported(answer) == {"job-ids": [(tags.INTEGER, 99)]}
    assert client.ask(CANCEL_JOBS, integer("job-ids", a, a)).operation == status.OK
    assert client.jobs() == [b, c]
    assert client.queue.get(a).reasons[0] == "job-canceled-by-operator"
    assert client.ask(CANCEL_JOBS).operation == status.OK
    assert client.jobs() == []
    assert client.ask(CANCEL_JOBS).operation == status.OK


# -- documents and printing again


def test_documents(client):
    job = client.create()
    assert client.ask(GET_DOCUMENTS, integer("job-id", job)).group(tags.DOCUMENT_GROUP) is None
    do(client, GET_DOCUMENT, job, integer("document-number", 1), code=status.NOT_FOUND)
    answer = client.send(job, GCODE, extra=(text("document-name", "part.gcode"),))
    assert one(answer, "document-number", tags.DOCUMENT_GROUP) == 1
    assert one(answer, "document-state", tags.DOCUMENT_GROUP) == 3
    listed = dict(client.ask(GET_DOCUMENTS, integer("job-id", job)).group(tags.DOCUMENT_GROUP))
    assert listed == {"document-number": [(tags.INTEGER, 1)], "last-document": [(tags.BOOLEAN, True)]}
    told = dict(do(client, GET_DOCUMENT, job, integer("document-number", 1)).group(tags.DOCUMENT_GROUP))
    assert told["document-name"] == [(tags.NAME, b"part.gcode")]
    assert told["last-document"] == [(tags.BOOLEAN, True)]
    assert told["document-format"] == [(tags.MIME, b"text/x-gcode")]
    assert told["materials-col-actual"] == [(tags.NO_VALUE, None)]
    assert told["document-uuid"] != client.job(job)["job-uuid"]
    do(client, GET_DOCUMENT, job, code=status.BAD_REQUEST)
    do(client, CANCEL_DOCUMENT, job, integer("document-number", 2), code=status.NOT_FOUND)
    do(client, CANCEL_DOCUMENT, job, integer("document-number", 1))
    told = dict(do(client, GET_DOCUMENT, job, integer("document-number", 1)).group(tags.DOCUMENT_GROUP))
    assert told["document-state"] == [(tags.ENUM, 7)]
    assert told["document-state-reasons"] == [(tags.KEYWORD, b"canceled-by-user")]
    do(client, CANCEL_DOCUMENT, job, integer("document-number", 1), code=status.NOT_POSSIBLE)


def test_validate_document(client):
    assert client.ask(VALIDATE_DOCUMENT).operation == status.OK
    wrong = ("document-format", [(tags.MIME, b"image/jpeg")])
    assert client.ask(VALIDATE_DOCUMENT, wrong).operation == status.FORMAT_NOT_SUPPORTED
    assert client.jobs() == []


def test_resubmit(client):
    job = client.submit(user="anna")
    do(client, RESUBMIT, job, code=status.NOT_POSSIBLE)
    client.print(job, states.COMPLETED)
    asyncio.run(client.queue.commit())
    assert (tags.KEYWORD, b"job-restartable") in client.job(job)["job-state-reasons"]
    again = one(do(client, RESUBMIT, job, job=[integer("job-priority", 60)], user="bert"), "job-id")
    assert again != job
    told = client.job(again)
    assert told["job-originating-user-name"] == [(tags.NAME, b"bert")] and told["job-name"] == [(tags.NAME, b"part")]
    assert told["job-priority"] == [(tags.INTEGER, 60)] and told["print-base-actual"] == [(tags.NO_VALUE, None)]
    do(client, RESUBMIT, job, code=status.NOT_POSSIBLE)  # its document is the new job's now
    client.queue.load()
    assert client.queue.unchecked().id == again
    client.print(again, states.CANCELED)
    asyncio.run(client.queue.commit())
    client.queue.load()
    do(client, RESUBMIT, again)


def test_a_document_gets_another_name(client):
    job = client.submit()
    name = ("document-name", [(tags.NAME, "better.gcode")])

    def set_document(groups, number=1):
        return client.ask_groups(SET_DOCUMENT, groups, integer("job-id", job), integer("document-number", number))

    assert set_document([(tags.DOCUMENT_GROUP, [name])]).operation == status.OK
    client.queue.load()
    told = dict(do(client, GET_DOCUMENT, job, integer("document-number", 1)).group(tags.DOCUMENT_GROUP))
    assert told["document-name"] == [(tags.NAME, b"better.gcode")]
    assert set_document([(tags.DOCUMENT_GROUP, [name])], 2).operation == status.NOT_FOUND
    assert set_document([]).operation == status.BAD_REQUEST
    wrong = set_document([(tags.DOCUMENT_GROUP, [name, integer("document-number", 2), integer("no-such", 1)])])
    assert wrong.operation == status.NOT_SETTABLE
    assert unsupported(wrong) == {"document-number": [(tags.NOT_SETTABLE, None)], "no-such": [(tags.UNSUPPORTED, None)]}
    assert set_document([(tags.DOCUMENT_GROUP, [integer("document-name", 2)])]).operation == status.NOT_SUPPORTED
    client.queue.cancel(client.queue.get(job))
    assert set_document([(tags.DOCUMENT_GROUP, [name])]).operation == status.NOT_POSSIBLE
