"""Documents that come compressed or in packages, by IPP alone: what prints is the same to the step, what cannot be used is refused."""

import gzip
import io
import json
import struct
import zipfile
import zlib

import pytest

from tests.e2e.helpers_sim import SLICED, Sim, ended, steps_digest, submit, until
from tools import ipp
from tools.stepfile import StepFile, digest

CUBE = SLICED / "prusa_cube.gcode"
TEXT = CUBE.read_bytes()


def deflate(data, wrapper=-15):
    packer = zlib.compressobj(9, zlib.DEFLATED, wrapper)
    return packer.compress(data) + packer.flush()


def package(*plates, method=zipfile.ZIP_DEFLATED):
    """A 3MF package as slicers write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("3D/3dmodel.model", "<model/>" * 100)
        for name, text in plates:
            file.writestr(name, text)
            file.writestr(name + ".md5", "0" * 32)
        file.writestr("Metadata/slice_info.config", "<config/>")
    return out.getvalue()


def streamed(name, text):
    """As a writer that cannot go back makes it: lengths behind the data (bit 3 of the flags)."""
    out = io.BytesIO()

    class Pipe:
        write = staticmethod(out.write)
        flush = staticmethod(out.flush)

    with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as file, file.open(name, "w") as part:
        part.write(text)
    return out.getvalue()


PLATE = "Metadata/plate_1.gcode"
GOOD = [
    ("gzip", gzip.compress(TEXT), None, "gzip"),
    ("members", gzip.compress(TEXT[:1000]) + gzip.compress(b"") + gzip.compress(TEXT[1000:]), None, "gzip"),
    ("garbage behind", gzip.compress(TEXT) + b"\0" * 5000, "application/octet-stream", "gzip"),
    ("deflate", deflate(TEXT), "text/x-gcode", "deflate"),
    ("zlib", deflate(TEXT, 15), None, "deflate"),
    ("3mf", package((PLATE, TEXT)), "model/3mf", None),
    ("3mf, stored", package((PLATE, TEXT), method=zipfile.ZIP_STORED), "model/3mf", "none"),
    ("3mf by its content", package((PLATE, TEXT)), "application/octet-stream", None),
    ("3mf, streamed", streamed(PLATE, TEXT), "model/3mf", None),
]


def test_what_prints_is_the_same(tmp_path):
    wanted = steps_digest(CUBE)
    record = tmp_path / "record.steps"
    with Sim(tmp_path / "state", "--record", str(record)) as sim, sim.client() as client:
        told = client.printer_attributes(("compression-supported", "document-format-supported"))
        assert set(told["compression-supported"]) == {"none", "gzip", "deflate"}
        assert "model/3mf" in told["document-format-supported"]
        for name, data, document_format, compression in GOOD:
            record.unlink(missing_ok=True)
            job = ended(client, submit(client, data, "part", document_format, compression))
            assert job["job-state"] == "completed", (name, job)
            until(record.exists, bool, "the record of " + name)
            assert digest(StepFile(str(record))) == wanted, name
        assert "Traceback" not in sim.said


def zip64():
    data = package((PLATE, TEXT))
    return data[:-6] + struct.pack("<I", 0xFFFFFFFF) + data[-2:]


BAD = [
    ("not gzip", TEXT, None, "gzip", 0x0410, "compression-error"),
    ("broken deflate", b"\x07" * 400, None, "deflate", 0x0410, "compression-error"),
    ("compressed twice", gzip.compress(gzip.compress(TEXT)), None, "gzip", 0x040A, None),
    ("a package, compressed", gzip.compress(package((PLATE, TEXT))), "model/3mf", "gzip", 0x040F, None),
    ("cut off", gzip.compress(TEXT)[:-2000], None, "gzip", None, "compression-error"),
    ("wrong checksum", gzip.compress(TEXT)[:-8] + bytes(8), None, "gzip", None, "compression-error"),
    ("a bomb", gzip.compress(b"; nothing\n" * 4_000_000, 9), None, "gzip", None, "compression-error"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(500), "model/3mf", None, 0x0411, "document-format-error"),
    ("a mesh", package(), "model/3mf", None, 0x041B, "document-unprintable-error"),
    ("two plates", package((PLATE, TEXT), ("Metadata/plate_2.gcode", TEXT)), "model/3mf", None, 0x041B, "document-unprintable-error"),
    ("zip64", zip64(), "model/3mf", None, 0x0411, "document-format-error"),
    ("cut package", package((PLATE, TEXT))[:-100], "model/3mf", None, 0x0411, "document-format-error"),
    ("a bomb in a package", package((PLATE, b"; nothing\n" * 4_000_000)), "model/3mf", None, 0x0411, "compression-error"),
]


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    with Sim(tmp_path_factory.mktemp("documents") / "state") as running:
        yield running
        assert "Traceback" not in running.said


@pytest.mark.parametrize("name, data, document_format, compression, status, reason", BAD, ids=[row[0] for row in BAD])
def test_what_cannot_be_used(sim, name, data, document_format, compression, status, reason):
    with sim.client() as client:
        job_id = client.create_job(name)
        try:
            client.send_document(job_id, [data], "part", document_format, compression)
            got = None
        except ipp.Refused as error:
            got = error.status
        assert got == status
        if reason is None:
            assert client.job_attributes(job_id)["job-state"] == "pending", "the client may send it right"
            client.cancel_job(job_id)
            return
        job = ended(client, job_id)
        assert job["job-state"] == "aborted" and reason in job["job-state-reasons"], json.dumps(job)
