"""Subscriptions on the heap in which a board prints (test_print.py); the System service on a somewhat larger one."""

import io
import urllib.request

import pytest

from firmware.ipp import tags
from tests.wasm import test_print
from tests.wasm.test_print import printer
from tools import ipp

SYSTEM_HEAP_KIB = 192  # its operations are loaded for a use, and are large
PROGRAM = b"G28\nG1 X20 Y20 F6000\nG1 X40 Y20\n"


def connected(ready, path="print3d"):
    return ipp.Printer(f"ipp://127.0.0.1:{ready['port']}/ipp/{path}", timeout_s=40)


def subscription(client, operation, events, extra=()):
    group = [("notify-pull-method", [(tags.KEYWORD, "ippget")]), ("notify-events", [(tags.KEYWORD, event) for event in events])]
    answer = client.request(operation, extra, [(tags.SUBSCRIPTION_GROUP, group)])
    return answer.group(tags.SUBSCRIPTION_GROUP)["notify-subscription-id"]


def fetch(client, id):
    answer = client.request(0x1C, [("notify-subscription-ids", [(tags.INTEGER, id)]), ("notify-wait", [(tags.BOOLEAN, True)])])
    return answer.all(tags.EVENT_GROUP), answer.group(tags.OPERATION_GROUP).get("notify-get-interval")


def test_one_subscription(tmp_path):
    with printer(tmp_path) as (_, ready), connected(ready) as client:
        id = subscription(client, 0x16, ["printer-state-changed", "job-state-changed"])
        # a board lets nobody wait
        assert fetch(client, id) == ([], 10)
        job = client.create_job("watched")
        client.send_document(job, io.BytesIO(PROGRAM), name="watched", document_format="text/x-gcode")
        for last in client.watch(job, patience_s=60):
            pass
        assert last["job-state"] == "completed"
        events, _ = fetch(client, id)
        assert [event["notify-sequence-number"] for event in events] == list(range(1, len(events) + 1))
        assert {"pending", "completed"} <= {event.get("job-state") for event in events}
        assert all(event["notify-text"] for event in events)
        client.request(0x1B, [("notify-subscription-id", [(tags.INTEGER, id)])])
        # four fit, a fifth does not
        made = {subscription(client, 0x16, ["job-created"]) for _ in range(4)}
        with pytest.raises(ipp.Refused):
            subscription(client, 0x16, ["job-created"])
        assert len(made) == 4 and id not in made


def system(client, operation, extra=(), groups=(), document=None):
    """As Printer.request(), to the system, with its attribute of that name."""
    uri = ("system-uri", [(tags.URI, client.uri)])
    return client.request(operation, [uri, *extra], groups, document=document)


def test_the_system_and_a_resource(tmp_path, monkeypatch):
    monkeypatch.setattr(test_print, "HEAP_KIB", max(test_print.HEAP_KIB, SYSTEM_HEAP_KIB))
    texts = b'"job-state.9" = "Fertig";\n' * 100
    with printer(tmp_path) as (_, ready), connected(ready, "system") as client:
        told = system(client, 0x5B).group(tags.SYSTEM_GROUP)
        assert told["system-state"] in (3, "idle") and told["system-configured-printers"]["printer-id"] == 1
        made = system(client, 0x53, [("resource-type", [(tags.KEYWORD, "static-strings")])]).group(tags.RESOURCE_GROUP)
        id = ("resource-id", [(tags.INTEGER, made["resource-id"])])
        system(client, 0x55, [id, ("resource-format", [(tags.MIME, "text/strings")])], document=[texts])
        system(client, 0x54, [id])
    # it outlives a restart
    with printer(tmp_path) as (_, ready), connected(ready, "system") as client:
        assert system(client, 0x1E, [id]).group(tags.RESOURCE_GROUP)["resource-state"] == 5
        page = urllib.request.urlopen(f"http://127.0.0.1:{ready['port']}/strings/en.strings", timeout=60).read()
        assert page.endswith(texts) and page.startswith(b'"chamber-temperature"')
        assert system(client, 0x52, [id]).status == 0
