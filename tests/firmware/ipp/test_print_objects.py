"""print-objects: what a client is told of a job's objects, and leaving some out."""

import pytest

from firmware.ipp import print_objects, status, tags
from tests.firmware.ipp.test_control_ops import do, unsupported
from tests.firmware.ipp.test_job_ops import Client, text

SET_JOB = 0x14
OBJECTS = [(0, "cube", (1000, 2000, 3000, 2500)), (0, "ball", None), (0, "Würfel", (-500, 0, 10**7, 10))]


@pytest.fixture
def client():
    return Client()


def with_objects(client, objects=OBJECTS):
    job = client.queue.get(client.submit())
    job.checked = True
    job.objects = objects
    return job


def keep(*uuids):
    return ("print-objects", [(tags.COLLECTION, [("object-uuid", [(tags.URI, uuid.encode())])]) for uuid in uuids])


def told(client, job):
    return [dict(members) for _, members in client.job(job.id).get("print-objects", [])]


def test_each_object_has_all_members(client):
    job = with_objects(client)
    found = told(client, job)
    assert [entry["printwright-object-name"] for entry in found] == [[(tags.NAME, name.encode())] for _, name, _ in OBJECTS]
    assert {frozenset(entry) for entry in found} == {
        frozenset(["document-number", "object-offset", "object-size", "object-uuid", "printwright-object-name"])
    }
    axes = client.printer.machine.description["printer"]["axes"]
    width = int((axes["x"]["max_mm"] - axes["x"]["min_mm"]) * 100)
    offset = [dict(entry["object-offset"][0][1]) for entry in found]
    size = [dict(entry["object-size"][0][1]) for entry in found]
    assert offset[0]["x-offset"][0][1] == 1000 - int(axes["x"]["min_mm"] * 100)
    assert (size[0]["x-dimension"][0][1], size[0]["y-dimension"][0][1]) == (2000, 500)
    assert size[1]["x-dimension"][0][1] == width, "nobody knows how large it is"
    assert offset[2]["x-offset"][0][1] >= 0 and size[2]["x-dimension"][0][1] <= width, "what is beyond the printer is cut off"
    uuids = [entry["object-uuid"][0][1].decode() for entry in found]
    assert uuids == [print_objects.uuid(job, index) for index in range(3)] and len(set(uuids)) == 3
    assert all(len(uuid) == 45 and uuid[23] == "8" for uuid in uuids)


def test_a_job_without_objects_has_no_such_attribute(client):
    job = with_objects(client, [])
    assert "print-objects" not in client.job(job.id)
    do(client, SET_JOB, job.id, job=[keep("urn:uuid:11111111-2222-4333-8444-555555555555")], code=status.NOT_SUPPORTED)


def test_objects_are_left_out_and_come_back(client):
    job = with_objects(client)
    uuids = [print_objects.uuid(job, index) for index in range(3)]
    do(client, SET_JOB, job.id, job=[keep(uuids[2], uuids[0])])
    assert job.excluded == [1]
    assert [entry["object-uuid"][0][1].decode() for entry in told(client, job)] == [uuids[0], uuids[2]]
    do(client, SET_JOB, job.id, job=[text("job-name", "other"), keep(uuids[1])])
    assert job.excluded == [0, 2] and job.name == "other"
    client.queue.load()
    job = client.queue.get(job.id)
    assert job.excluded == [0, 2] and job.name == "other"
    do(client, SET_JOB, job.id, job=[keep(uuids[1])], code=status.NOT_POSSIBLE)  # not read again yet
    job.checked, job.objects = True, OBJECTS
    do(client, SET_JOB, job.id, job=[("print-objects", [(tags.DELETE, None)])])
    assert job.excluded == [] and len(told(client, job)) == 3


def test_while_it_prints_with_other_adjustments_or_alone(client):
    job = with_objects(client)
    uuids = [print_objects.uuid(job, index) for index in range(3)]
    client.printer.runner.job = client.print(job.id)
    do(client, SET_JOB, job.id, job=[keep(uuids[0])])
    assert job.excluded == [1, 2]
    do(client, SET_JOB, job.id, job=[("printwright-job-speed", [(tags.INTEGER, 50)]), keep(*uuids)])
    assert job.excluded == [] and client.printer.runner.overrides.speed_percent == 50
    # all or none
    do(client, SET_JOB, job.id, job=[keep(uuids[0]), ("printwright-job-speed", [(tags.INTEGER, 5000)])], code=status.NOT_SUPPORTED)
    do(client, SET_JOB, job.id, job=[keep(uuids[0]), text("job-name", "late")], code=status.NOT_POSSIBLE)
    assert job.excluded == []


@pytest.mark.parametrize(
    "value",
    [
        (tags.COLLECTION, []),
        (tags.COLLECTION, [("document-number", [(tags.INTEGER, 1)])]),
        (tags.COLLECTION, [("object-uuid", [(tags.URI, b"urn:uuid:11111111-2222-4333-8444-555555555555")])]),
        (tags.COLLECTION, [("object-uuid", [(tags.URI, b"\xff\xfe")])]),
        (tags.COLLECTION, [("object-uuid", [(tags.INTEGER, 1)])]),
        (tags.INTEGER, 1),
        (tags.NO_VALUE, None),
    ],
)
def test_what_is_no_object_of_the_job_changes_nothing(client, value):
    job = with_objects(client)
    answer = do(client, SET_JOB, job.id, job=[("print-objects", [value])], code=status.NOT_SUPPORTED)
    assert list(unsupported(answer)) == ["print-objects"]
    assert job.excluded == []


def test_a_job_that_has_ended_keeps_its_objects_to_itself(client):
    job = with_objects(client)
    uuid = print_objects.uuid(job, 0)
    client.queue.cancel(job)
    do(client, SET_JOB, job.id, job=[keep(uuid)], code=status.NOT_POSSIBLE)
