"""Who sees whose jobs (IPP Privacy Attributes v1.0): others than owner and operators learn that a job is there, not whose or what."""

import pytest

from firmware.ipp import printer_values, status, tags
from firmware.ipp.dispatch import Context
from firmware.security import roles
from tests.firmware.helpers_ipp import decode
from tests.firmware.ipp.test_job_ops import GCODE, GET_JOB, GET_JOBS, Client, integer, keywords, one, text

GET_DOCUMENT, GET_DOCUMENTS, GET_PRINTER = 0x34, 0x35, 0x0B


class Known(Client):
    """A client whose name and role were proven."""

    def __init__(self):
        super().__init__()
        self.who = None

    async def _ask(self, request, body):
        ctx = Context("192.0.2.7", True, "printer.local:8631", body)
        if self.who:
            ctx.identified(*self.who)
        response = await self.dispatcher.answer(ctx, request)
        return decode(b"".join(response.pieces((2, 0), request.request_id)))


@pytest.fixture
def client():
    client = Known()
    job = client.create("secret part", user="alice")
    client.send(job, GCODE, extra=(text("document-name", "secret.gcode"),), user="alice")
    client.queue.get(job).message = "alice, your part is ready"
    return client


def told(client):
    answer = client.ask(GET_JOBS, keywords("requested-attributes", "all"))
    return dict(answer.group(tags.JOB_GROUP))


def test_a_stranger_sees_that_there_is_a_job(client):
    client.who = ("bob", roles.USER)
    seen = told(client)
    assert seen["job-state"] and seen["job-id"] and seen["job-k-octets"]
    assert not set(seen) & set(printer_values.PRIVATE)
    for ask in (["all"], ["job-name", "job-id"], ["job-description"]):
        answer = client.ask(GET_JOB, integer("job-id", 1), keywords("requested-attributes", *ask))
        assert answer.operation == status.OK
        assert b"secret" not in repr(answer.groups).encode() and b"alice" not in repr(answer.groups).encode()
    for operation in (GET_DOCUMENT, GET_DOCUMENTS):
        answer = client.ask(operation, integer("job-id", 1), integer("document-number", 1), keywords("requested-attributes", "all"))
        group = dict(answer.group(tags.DOCUMENT_GROUP))
        assert "document-state" in group and "document-name" not in group and "document-state-message" not in group


@pytest.mark.parametrize("who", [("alice", roles.USER), ("carol", roles.OPERATOR), ("dave", roles.ADMINISTRATOR)])
def test_owner_and_operators_see_all(client, who):
    client.who = who
    seen = told(client)
    assert set(seen) >= {"job-name", "job-originating-user-name", "job-state-message", "document-name-supplied"}
    assert seen["job-name"] == [(tags.NAME, b"secret part")]


def test_my_jobs_are_those_of_the_proven_name(client):
    client.who = ("bob", roles.USER)
    # requesting-user-name says alice
    assert client.jobs(("my-jobs", [(tags.BOOLEAN, True)]), user="alice") == []


def test_nobody_is_told_names_even_when_asked_by_name(client):
    client.who = (None, roles.NONE)
    answer = client.ask(GET_JOB, integer("job-id", 1), keywords("requested-attributes", "job-name"), user="mallory")
    assert dict(answer.group(tags.JOB_GROUP) or []) == {}


def test_the_printer_says_what_it_hides(client):
    answer = client.ask(GET_PRINTER, keywords("requested-attributes", "job-privacy-attributes", "job-privacy-scope"))
    hidden = dict(answer.group(tags.PRINTER_GROUP))["job-privacy-attributes"]
    assert [str(value, "utf-8") for _, value in hidden] == list(printer_values.PRIVATE)
    assert one(answer, "job-privacy-scope", tags.PRINTER_GROUP) == b"owner"
