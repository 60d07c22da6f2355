"""The System service and its resources through dispatch (PWG 5100.22): what the cases of tests/conformance/system.test do not reach."""

import asyncio

import pytest

from firmware.config import FIRST_RESOURCE, RESOURCES_MAX
from firmware.ipp import attributes, codec, registry_request, resources, status, tags
from firmware.ipp.checks import SYSTEM_PATH
from firmware.ipp.dispatch import Context, Dispatcher
from firmware.ipp.printer import PATH
from firmware.ipp.resource_kinds import STRINGS_OCTETS_MAX
from firmware.ipp.status import BodyError
from firmware.security import roles
from firmware.web import icon
from hal.errors import StorageError, StorageFull
from tests.firmware.helpers_ipp import decode, operation_group
from tests.firmware.ipp.test_job_ops import Body, Client, integer, keywords

GET_RESOURCE, GET_RESOURCES, GET_PRINTERS = 0x1E, 0x20, 0x4F
CANCEL, CREATE, INSTALL, SEND = 0x52, 0x53, 0x54, 0x55
DISABLE, ENABLE, GET, PAUSE, RESUME, SET, SHUTDOWN, STARTUP = 0x59, 0x5A, 0x5B, 0x5D, 0x61, 0x62, 0x63, 0x64
URI = "ipp://localhost" + SYSTEM_PATH
STRINGS = b'"a.b" = "c";\n'
MIME = ("resource-format", [(tags.MIME, "text/strings")])


@pytest.fixture
def client():
    made = Client(write_while_moving=True)
    syntaxes = attributes.syntaxes(registry_request.ROWS)
    made.dispatcher = Dispatcher(made.printer.table, made.printer, made.queue.get, syntaxes, paths=(PATH, SYSTEM_PATH))
    return made


def ask(client, operation, *extra, body=(), groups=(), uri=("system-uri", URI)):
    members = operation_group(*extra, uri=None)
    members[1].insert(2, (uri[0], [(tags.URI, uri[1])]))
    message = codec.message((2, 0), operation, 7, [members, *groups])

    async def run():
        ctx = Context("127.0.0.1", False, "printer.local:8631", body if hasattr(body, "read") else Body(*body))
        ctx.identified(None, roles.ADMINISTRATOR)
        response = await client.dispatcher.answer(ctx, decode(message))
        return decode(b"".join(response.pieces((2, 0), 7)))

    answer = asyncio.run(run())
    assert answer.operation != status.INTERNAL_ERROR
    return answer


def create(client, kind="static-strings", code=status.OK):
    answer = ask(client, CREATE, keywords("resource-type", kind))
    assert answer.operation == code
    return dict(answer.group(tags.RESOURCE_GROUP) or {}).get("resource-id", [(0, None)])[0][1]


def send(client, id, *pieces, mime=MIME, body=None):
    return ask(client, SEND, integer("resource-id", id), mime, body=pieces if body is None else body).operation


def told(client, id):
    answer = ask(client, GET_RESOURCE, integer("resource-id", id))
    return {name: values[0][1] for name, values in answer.group(tags.RESOURCE_GROUP)}


def test_targets(client):
    assert ask(client, GET, uri=("printer-uri", "ipp://localhost" + PATH)).operation == status.BAD_REQUEST
    assert ask(client, GET, uri=("system-uri", "ipp://localhost" + PATH)).operation == status.NOT_FOUND
    assert ask(client, GET, uri=("system-uri", URI + "/")).operation == status.OK
    # Create-Job is no operation of the system
    assert ask(client, 0x05).operation == status.BAD_REQUEST
    assert ask(client, 0x05, uri=("printer-uri", URI)).operation == status.NOT_FOUND
    for name in ("system-uri", "printer-uri"):
        assert ask(client, 0x0B, uri=(name, URI)).group(tags.PRINTER_GROUP)


def test_what_is_seen_is_registered(client):
    import csv
    from pathlib import Path

    names = {name for name, _ in ask(client, GET).group(tags.SYSTEM_GROUP)}
    assert len(names) > 50
    system = [name for name in names if name.startswith("system-")]
    with open(Path(__file__).resolve().parents[2] / "vectors" / "registry" / "system.csv", newline="") as file:
        known = {row["attribute"] for row in csv.DictReader(file)}
    assert set(system) <= known


def test_too_large(client):
    id = create(client)
    assert send(client, id, STRINGS, b" " * STRINGS_OCTETS_MAX) == status.TOO_LARGE
    assert told(client, id)["resource-state"] == resources.ABORTED
    assert resources.file_name(id) not in client.printer.machine.files.data
    id = create(client)
    answer = ask(client, SEND, integer("resource-id", id), MIME, integer("resource-k-octets", 65), body=[STRINGS])
    # said beforehand: nothing is lost by it
    assert answer.operation == status.TOO_LARGE and told(client, id)["resource-state"] == resources.PENDING


def test_no_data_and_foreign_data(client):
    for pieces, code in (((), status.BAD_REQUEST), ((b"\x7fELF\0\0",), status.FORMAT_ERROR), ((b"  \n",), status.FORMAT_ERROR)):
        id = create(client)
        assert send(client, id, *pieces) == code
        assert told(client, id)["resource-state"] == resources.ABORTED and told(client, id)["resource-state-message"]


class Broken:
    """A client that vanishes."""

    def __init__(self):
        self.pieces = [STRINGS]

    async def read(self):
        if self.pieces:
            return self.pieces.pop()
        raise BodyError(400, "the client is gone")


def test_interrupted(client):
    id = create(client)
    with pytest.raises(BodyError):
        send(client, id, body=Broken())
    assert told(client, id)["resource-state"] == resources.ABORTED
    assert not [name for name in client.printer.machine.files.data if name.startswith("r")]


@pytest.mark.parametrize("error, code", [(StorageFull("full"), status.TOO_LARGE), (StorageError("broken"), status.TEMPORARY_ERROR)])
def test_medium_fails(client, error, code):
    id = create(client)
    kind = client.printer.resources.kinds["static-strings"]
    receive = kind.receive

    def failing(resource):
        sink = receive(resource)

        def write(buf):
            raise error

        sink.write = write
        return sink

    kind.receive = failing
    assert send(client, id, STRINGS) == code
    assert told(client, id)["resource-state"] == resources.ABORTED


def test_a_flood_has_its_limit(client):
    for _ in range(RESOURCES_MAX):
        create(client)
    create(client, code=status.TEMPORARY_ERROR)
    # what is over makes room
    first = client.printer.resources.all()[0].id
    assert ask(client, CANCEL, integer("resource-id", first)).operation == status.OK
    create(client)
    assert ask(client, GET_RESOURCE, integer("resource-id", first)).operation == status.NOT_FOUND


def test_over_a_restart(client):
    installed, available, pending = create(client), create(client), create(client, "static-image")
    for id in (installed, available):
        assert send(client, id, STRINGS) == status.OK
    assert ask(client, INSTALL, integer("resource-id", installed)).operation == status.OK
    canceled = create(client)
    ask(client, CANCEL, integer("resource-id", canceled))
    client.printer._resources = None
    kept = {one.id: one.state for one in client.printer.resources.all()}
    assert kept == {installed: resources.INSTALLED, available: resources.AVAILABLE, pending: resources.PENDING}
    assert told(client, installed)["resource-k-octets"] == 1
    assert create(client) not in kept
    # a damaged record is no resource
    client.printer.settings.set_record(FIRST_RESOURCE + 7, b"\xff\x00")
    client.printer._resources = None
    assert len(client.printer.resources.all()) == 4


def test_nothing_is_stored_while_it_moves(client):
    client.printer.notifier.may_store = lambda: False
    create(client, code=status.BUSY)


def test_image_by_its_first_octets(client):
    png = ("resource-format", [(tags.MIME, "image/png")])
    id = create(client, "static-image")
    # in pieces of any size
    assert send(client, id, icon.SMALL[:3], icon.SMALL[3:], mime=png) == status.OK
    assert send(client, create(client, "static-image"), b"\xff\xd8\xff\xe0", mime=png) == status.FORMAT_ERROR


def test_settings_are_all_or_none(client):
    name = ("system-name", [(tags.NAME, "A")])
    bad = ("system-geo-location", [(tags.URI, "http://x")])
    assert ask(client, SET, groups=[(tags.SYSTEM_GROUP, [name, bad])]).operation == status.NOT_SUPPORTED
    assert client.printer.settings.get("printer_name") is None
    unknown = ("system-nonsense", [(tags.INTEGER, 1)])
    answer = ask(client, SET, groups=[(tags.SYSTEM_GROUP, [name, unknown])])
    assert answer.operation == status.NOT_SETTABLE
    assert dict(answer.group(tags.UNSUPPORTED_GROUP))["system-nonsense"][0][0] == tags.UNSUPPORTED
    assert ask(client, SET).operation == status.BAD_REQUEST
    contact = ("system-contact-col", [(tags.UNKNOWN, None)])
    assert ask(client, SET, groups=[(tags.SYSTEM_GROUP, [name, contact])]).operation == status.OK
    assert client.printer.settings.get("printer_name") == "A"


def test_shut_down_and_started(client):
    assert ask(client, SHUTDOWN).operation == status.OK
    assert client.runner.asked == ["pause-after"] and not client.printer.accepting()
    assert ask(client, GET_PRINTERS, keywords("which-printers", "accepting")).group(tags.PRINTER_GROUP) is None
    assert ask(client, STARTUP).operation == status.OK
    assert client.runner.asked[-1] == "resume" and client.printer.accepting()
    assert ask(client, GET_PRINTERS, keywords("which-printers", "accepting")).group(tags.PRINTER_GROUP)
    assert ask(client, GET_PRINTERS, keywords("which-printers", "purple")).operation == status.NOT_SUPPORTED
