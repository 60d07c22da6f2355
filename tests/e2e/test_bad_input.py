"""Whatever clients send while it prints: the status that the sheets name, the request-id echoed, and the print goes on to the step."""

import gzip
import io
import os
import random
import socket
import ssl
import threading
import zipfile

import pytest

from firmware.ipp import codec, tags
from tests.e2e.helpers_sim import Sim, ended, steps_digest, submit, until
from tests.e2e.test_flood import CHORDS
from tests.firmware.helpers_ipp import HttpAnswer, http_chunked, http_post, ipp_request, operation_group
from tools import ipp
from tools.stepfile import StepFile, digest

GET = 0x0B
ID = 0x12345678
GOOD = ipp_request(GET, ("requested-attributes", [(tags.KEYWORD, "printer-state")]), request_id=ID)
FUZZ_CONNECTIONS = int(os.environ.get("FUZZ_CONNECTIONS", "150"))
SEED = int(os.environ.get("FUZZ_SEED", "7"))


def post(*fields, body=GOOD, start="POST /ipp/print3d HTTP/1.1"):
    """A request with just these header fields."""
    lines = [start, *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


HOST = "Host: localhost"
IPP = "Content-Type: application/ipp"
LENGTH = "Content-Length: %d" % len(GOOD)
CHUNKED = "Transfer-Encoding: chunked"
ONE_CHUNK = b"%x\r\n%s\r\n" % (len(GOOD), GOOD)

# What a proxy could read in another way than the printer does (RFC 9112 sections 5, 6, 7 and 11.2), and what is too much: HTTP status
SHAPES = {
    "length and chunks": (post(HOST, IPP, LENGTH, CHUNKED, body=ONE_CHUNK + b"0\r\n\r\n"), 400),
    "two lengths": (post(HOST, IPP, LENGTH, "Content-Length: 5"), 400),
    "a list of lengths": (post(HOST, IPP, "Content-Length: 5, 6"), 400),
    "signed length": (post(HOST, IPP, "Content-Length: +5"), 400),
    "negative length": (post(HOST, IPP, "Content-Length: -1"), 400),
    "hexadecimal length": (post(HOST, IPP, "Content-Length: 0x10"), 400),
    "endless length": (post(HOST, IPP, "Content-Length: " + "9" * 99), 413),
    "no length": (post(HOST, IPP), 411),
    "two codings": (post(HOST, IPP, "Transfer-Encoding: gzip, chunked", body=ONE_CHUNK + b"0\r\n\r\n"), 501),
    "an unknown coding": (post(HOST, IPP, "Transfer-Encoding: xchunked", body=ONE_CHUNK + b"0\r\n\r\n"), 501),
    "coding twice": (post(HOST, IPP, CHUNKED, CHUNKED, body=ONE_CHUNK + b"0\r\n\r\n"), 400),
    "chunks in HTTP/1.0": (post(HOST, IPP, CHUNKED, body=ONE_CHUNK, start="POST /ipp/print3d HTTP/1.0"), 400),
    "a folded field": (post(HOST, IPP, "X-Long: a", " b", LENGTH), 400),
    "space before the colon": (post(HOST, IPP, "Content-Length : %d" % len(GOOD)), 400),
    "bare line feeds": (post(HOST, IPP, LENGTH).replace(b"\r\n", b"\n"), 400),
    "a zero octet": (post(HOST, IPP, "X-Zero: a\0b", LENGTH), 400),
    "a carriage return within": (post(HOST, IPP, "X-Cr: a\rb", LENGTH), 400),
    "a chunk without end": (post(HOST, IPP, CHUNKED, body=b"f" * 17 + b"\r\n"), 413),
    "a negative chunk": (post(HOST, IPP, CHUNKED, body=b"-1\r\n"), 400),
    "a chunk longer than its size": (post(HOST, IPP, CHUNKED, body=b"%x\r\n%sxx\r\n0\r\n\r\n" % (len(GOOD) - 9, GOOD)), 400),
    "an endless chunk extension": (post(HOST, IPP, CHUNKED, body=b"5;" + b"x" * 9000), 400),
    "many fields": (post(HOST, *["X-%d: y" % i for i in range(200)], LENGTH), 431),
    "a long field": (post(HOST, "X-Long: " + "a" * 40000, LENGTH), 431),
    "a long target": (post(HOST, LENGTH, start="POST /" + "a" * 40000 + " HTTP/1.1"), 414),
    "no host": (post(IPP, LENGTH), 400),
    "two hosts": (post(HOST, "Host: other", IPP, LENGTH), 400),
    "a foreign host": (post("Host: evil.example", IPP, LENGTH), 400),
    "a foreign host in the target": (post(HOST, IPP, LENGTH, start="POST http://evil.example/ipp/print3d HTTP/1.1"), 400),
    "another type": (post(HOST, "Content-Type: text/html", LENGTH), 415),
    "coded content": (post(HOST, IPP, LENGTH, "Content-Encoding: gzip"), 415),
    "another method": (post(HOST, IPP, LENGTH, start="PUT /ipp/print3d HTTP/1.1"), 405),
    "no method": (post(HOST, IPP, LENGTH, start=" /ipp/print3d HTTP/1.1"), 400),
    "another path": (post(HOST, IPP, LENGTH, start="POST /admin HTTP/1.1"), 404),
    "another expectation": (post(HOST, IPP, LENGTH, "Expect: 42-wonders"), 417),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(40), 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "shorter than an IPP header": (http_post(GOOD[:7]), 400),
}


def nested(depth):
    """A collection in a collection ..., not closed: the decoder does not get that far."""
    opened = b"\x34\0\x01x\0\0" + b"\x4a\0\0\0\x01m\x34\0\0\0\0" * (depth - 1)
    return ipp_request(GET, request_id=ID)[:-1] + b"\x02" + opened + b"\x37\0\0\0\0" * depth + b"\x03"


def twice():
    tag, members = operation_group()
    return codec.message((2, 0), GET, ID, [(tag, [*members, members[-1]])])


def many(count):
    return ipp_request(GET, *[("x%d" % i, [(tags.INTEGER, i)]) for i in range(count)], request_id=ID)


def truncated(cut):
    return http_post(GOOD[:-cut])


# Messages whose header can be read: an IPP status with their request-id (sheet ipp-core section 5.2)
MESSAGES = {
    "10,000 attributes": (http_post(many(10_000)), 0x0408),
    "10,000 attributes in chunks of one octet": (http_chunked([bytes((octet,)) for octet in many(10_000)[:80_000]]), 0x0408),
    "nested 1,000 deep": (http_post(nested(1000)), 0x0400),
    "an attribute twice": (http_post(twice()), 0x0400),
    "no end tag": (truncated(1), 0x0400),
    "cut in a value": (truncated(6), 0x0400),
    "a length shorter than the message": (post(HOST, IPP, "Content-Length: %d" % (len(GOOD) - 5), "Connection: close"), 0x0400),
    "a value longer than the message": (http_post(GOOD[:-1] + b"\x41\0\x01x\x7f\xff\x03"), 0x0400),
    "a negative length": (http_post(GOOD[:-1] + b"\x41\0\x01x\xff\xff\x03"), 0x0400),
    "group 0": (http_post(GOOD[:-1] + b"\0\x03"), 0x0400),
    "version 9": (http_post(b"\x09" + GOOD[1:]), 0x0503),
    "an unknown operation": (http_post(ipp_request(0x3FFF, request_id=ID)), 0x0501),
    "a keyword of 300 octets": (http_post(ipp_request(GET, ("x", [(tags.KEYWORD, b"k" * 300)]), request_id=ID)), 0x0409),
}


def exchange(port, data, secure=False):
    """What comes back on a connection of its own, up to its end."""
    link = socket.create_connection(("127.0.0.1", port), 10)
    try:
        if secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            link = context.wrap_socket(link)
        got = b""
        try:
            link.sendall(data)
            if not secure:
                link.shutdown(socket.SHUT_WR)
            while part := link.recv(65536):
                got += part
                if secure:
                    break
        except ConnectionError:
            pass  # closed while we were still sending
        return got
    finally:
        link.close()


@pytest.fixture(scope="module")
def printing(tmp_path_factory):
    """A simulated printer at work; afterwards the print has to be whole."""
    folder = tmp_path_factory.mktemp("bad")
    record = folder / "record.steps"
    program = folder / "chords.gcode"
    program.write_text(CHORDS)
    with Sim(folder / "state", "--record", str(record), pace="6") as sim, sim.client() as client:
        job_id = submit(client, program.read_bytes())
        until(lambda: client.job_attributes(job_id, ("job-state",)), lambda job: job["job-state"] == "processing", "the start")
        yield sim
        if client.job_attributes(job_id)["job-state"] == "processing":
            job = ended(client, job_id)
        else:
            job = client.job_attributes(job_id)
        assert job["job-state"] == "completed" and "job-completed-successfully" in job["job-state-reasons"], job
        until(record.exists, bool, "the record")
        assert digest(StepFile(str(record))) == steps_digest(program)
        sim.end()
        assert "Traceback" not in sim.said and "starved" not in sim.said


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("name", SHAPES)
def test_http(printing, name, secure):
    data, status = SHAPES[name]
    answer = HttpAnswer(exchange(printing.port, data, secure))
    assert answer.status == status, answer.body


@pytest.mark.parametrize("name", MESSAGES)
def test_ipp(printing, name):
    data, status = MESSAGES[name]
    answer = HttpAnswer(exchange(printing.port, data))
    assert answer.ipp.operation == status, name
    assert answer.ipp.request_id == ID


def test_a_body_that_breaks_off(printing):
    answer = HttpAnswer(exchange(printing.port, post(HOST, IPP, "Content-Length: 500")))
    # the message was whole; what should have followed is no document
    assert answer.status in (200, 400)
    assert exchange(printing.port, http_post(GOOD)).startswith(b"HTTP/1.1 200")


def test_what_is_smuggled_is_never_answered(printing):
    """Behind each shape a second request: if the printer answered it, two would have seen different messages."""
    whole = ("another path", "another type", "coded content", "another method", "no host")  # where the next message begins is certain
    for name, (data, _) in SHAPES.items():
        if name not in whole and not name.startswith("a foreign") and (data.endswith(GOOD) or b"chunked" in data):
            got = exchange(printing.port, data + http_post(GOOD))
            assert b"HTTP/1.1 200" not in got, name


def test_endless_trailers(printing):
    """The IPP message is whole before them, so it is answered; then the connection ends, and nothing behind them counts."""
    data = post(HOST, IPP, CHUNKED, body=ONE_CHUNK + b"0\r\n" + b"X-T: y\r\n" * 500 + b"\r\n") + http_post(GOOD)
    assert exchange(printing.port, data).count(b"HTTP/1.1 200") == 1


def bombs():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("Metadata/plate_1.gcode", b"; nothing\n" * 4_000_000)
    yield gzip.compress(b"; nothing\n" * 4_000_000, 9), "text/x-gcode", "gzip"
    yield out.getvalue(), "model/3mf", None


def test_bombs(printing):
    with printing.client() as client:
        for data, document_format, compression in bombs():
            job_id = client.create_job("bomb")
            try:
                client.send_document(job_id, [data], "bomb", document_format, compression)
            except ipp.Refused as error:
                assert error.status == 0x0411
            job = ended(client, job_id)
            assert "compression-error" in job["job-state-reasons"], job


def test_random_octets(printing):
    """As text and behind a TLS record's first octet; then a good client is served as ever."""
    rng = random.Random(SEED)

    def some():
        for _ in range(FUZZ_CONNECTIONS // 3):
            size = rng.choice((1, 7, 60, 600, 6000))
            data = rng.randbytes(size)
            kind = rng.randrange(4)
            if kind == 1:
                data = b"\x16\x03\x01" + data
            elif kind == 2:
                data = http_post(GOOD[:8] + data)
            elif kind == 3:
                whole = bytearray(http_post(GOOD))
                whole[rng.randrange(len(whole))] = rng.randrange(256)
                data = bytes(whole)
            got = exchange(printing.port, data)
            if kind == 2:
                # a readable header, at least: an IPP answer with its request-id
                assert HttpAnswer(got).ipp.request_id == ID, (SEED, data)

    threads = [threading.Thread(target=some) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert HttpAnswer(exchange(printing.port, http_post(GOOD))).ipp.operation == 0
