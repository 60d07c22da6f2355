"""An independent client, Python's pyipp, reads the printer unmodified."""

import asyncio
from urllib.parse import urlsplit

import pyipp
import pytest
from pyipp.enums import IppOperation

from tests.conformance.test_ipptool import simulated


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    with simulated("sim-cartesian", tmp_path_factory.mktemp("pyipp")) as uri:
        yield uri


async def ask(uri, tls, use):
    parts = urlsplit(uri)
    async with pyipp.IPP(parts.hostname, base_path=parts.path, port=parts.port, tls=tls, verify_ssl=False) as client:
        return await use(client)


@pytest.mark.parametrize("tls", [False, True])
def test_the_printer_as_pyipp_sees_it(uri, tls):
    printer = asyncio.run(ask(uri, tls, lambda client: client.printer()))
    assert printer.info.name == "Simulated Cartesian"
    assert printer.state.printer_state == "idle"
    assert [urlsplit(offer).scheme for offer in printer.info.printer_uri_supported] == ["ipps"] + ([] if tls else ["ipp"])
    assert printer.markers == []


def test_jobs_as_pyipp_sees_them(uri):
    async def use(client):
        made = await client.execute(IppOperation.CREATE_JOB, {"operation-attributes-tag": {"job-name": "from pyipp"}})
        wanted = {"requested-attributes": ["job-name", "job-state"]}
        told = await client.execute(IppOperation.GET_JOBS, {"operation-attributes-tag": wanted})
        return made, told

    made, told = asyncio.run(ask(uri, True, use))
    assert made["status-code"] == 0 and made["jobs"][0]["job-id"] == 1
    assert [job["job-name"] for job in told["jobs"]] == ["from pyipp"]
