"""`printwright discover` without a network: what is made of a printer's records, what is shown of it, what comes out when there is none."""

import json

import pytest
from click.testing import CliRunner
from zeroconf import ServiceInfo

from tools import discover
from tools.cli import discover as command

TEXTS = {
    "rp": "ipp/print3d",
    "ty": "A\x1b[31mmodel",
    "note": "shelf",
    "pdl": "text/x-gcode,model/3mf",
    "UUID": "1-2",
    "adminurl": "https://x.local:1/",
}


def info(server="nowhere.invalid.", addresses=("10.0.0.1",), texts=TEXTS, port=8631):
    return ServiceInfo(
        discover.PRINTERS, "A (2)." + discover.PRINTERS, port, properties=texts, server=server, parsed_addresses=list(addresses)
    )


def test_told():
    told = discover._told("A (2)." + discover.PRINTERS, info())
    assert told["name"] == "A (2)" and told["uri"] == "ipps://10.0.0.1:8631/ipp/print3d"
    assert told["formats"] == ["text/x-gcode", "model/3mf"] and told["uuid"] == "1-2" and told["location"] == "shelf"


@pytest.mark.parametrize(
    "addresses, uri",
    [
        (("fe80::1", "2001:db8::1", "10.0.0.1"), "ipps://10.0.0.1:8631/ipp/print3d"),
        (("fe80::1", "2001:db8::1"), "ipps://[2001:db8::1]:8631/ipp/print3d"),
        ((), "ipps://nowhere.invalid:8631/ipp/print3d"),
    ],
)
def test_address_that_works(addresses, uri):
    assert discover._told("x", info(addresses=addresses))["uri"] == uri


def test_name_where_it_is_known():
    assert discover._told("x", info("localhost."))["uri"] == "ipps://localhost:8631/ipp/print3d"


def test_texts_that_are_missing_or_odd():
    told = discover._told("x", info(texts={b"rp": None, b"TY": b"\xff"}))
    assert told["uri"].endswith("/ipp/print3d") and told["make_and_model"] == "\N{REPLACEMENT CHARACTER}" and told["formats"] == []


def run(monkeypatch, found, *args):
    monkeypatch.setattr(discover, "printers", lambda timeout_s: iter(found))
    return CliRunner().invoke(command.command, args, standalone_mode=False)


def test_shown(monkeypatch):
    told = [discover._told("B", info()), discover._told("A", info(port=1))]
    result = run(monkeypatch, told)
    assert result.exception is None
    lines = [line for line in result.output.splitlines() if "ipps:" in line]
    # sorted, whole, and nothing that a terminal would act upon
    assert ["10.0.0.1:1/" in line for line in lines] == [True, False] and "ipps://10.0.0.1:8631/ipp/print3d" in lines[1]
    assert "\x1b" not in result.output
    result = run(monkeypatch, told, "--json")
    assert [json.loads(line)["name"] for line in result.output.splitlines()] == ["B", "A"]


def test_none(monkeypatch):
    result = run(monkeypatch, [])
    assert isinstance(result.exception, command.CommandError) and result.exception.exit_code == 1 and not result.output
