"""What ipptool cannot send or see: malformed messages, versions, users' values at their limits, and HTTP around IPP; plain and over TLS.

Each case has a name that begins with the document and section that demand it; requirements.csv refers to it.
"""

import gzip
import socket
import ssl

import pytest

from firmware.ipp import codec, tags
from tests.conformance.test_ipptool import SQUARE, simulated
from tests.firmware.helpers_ipp import HttpAnswer, attributes, decode, http_post, ipp_request, operation_group

GET, GET_JOBS, CREATE, SEND, VALIDATE, GET_JOB = 0x0B, 0x0A, 0x05, 0x06, 0x04, 0x09
ID = 0x01020304
STATE = ("requested-attributes", [(tags.KEYWORD, "printer-state")])
OK = (0x0000, 0x0001)


@pytest.fixture(scope="module", params=["ipp", "ipps"])
def connect(request, tmp_path_factory):
    """A function that opens a connection to a printer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with simulated("sim-cartesian", tmp_path_factory.mktemp("wire")) as uri:
        port = int(uri.split(":")[2].split("/")[0])

        def open_one():
            link = socket.create_connection(("127.0.0.1", port), 10)
            return Link(context.wrap_socket(link) if request.param == "ipps" else link)

        yield open_one


class Link:
    """One connection as a client has it."""

    def __init__(self, link):
        self.link = link
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def send(self, data):
        self.link.sendall(data)

    def more(self):
        part = self.link.recv(65536)
        self.data += part
        return part

    def interim(self):
        """A 100 that comes before the answer; the status line of anything else."""
        while b"\r\n\r\n" not in self.data:
            assert self.more(), "closed"
        line = self.data.split(b"\r\n")[0]
        if b" 100 " in line:
            self.data = self.data.partition(b"\r\n\r\n")[2]
        return line

    def answer(self, data=b"", bodiless=False):
        if data:
            self.send(data)
        while True:
            head, blank, rest = self.data.partition(b"\r\n\r\n")
            if blank and bodiless:
                answer = HttpAnswer(head.lower().replace(b"content-length", b"x-length") + blank)
                self.data = rest
                return answer
            try:
                answer = HttpAnswer(self.data)
                self.data = answer.rest
                return answer
            except (AssertionError, ValueError):
                assert self.more(), self.data

    def ipp(self, message):
        return self.answer(http_post(message)).ipp

    @property
    def closed(self):
        try:
            return self.more() == b""
        except ConnectionError:
            return True


def raw(*items, version=(2, 0), operation=GET, request_id=ID, end=b"\x03"):
    """A message of a header and items as they are."""
    return bytes(version) + operation.to_bytes(2, "big") + request_id.to_bytes(4, "big") + b"".join(items) + end


def item(tag, name, value):
    name = name.encode()
    return bytes((tag,)) + len(name).to_bytes(2, "big") + name + len(value).to_bytes(2, "big") + value


CHARSET = item(0x47, "attributes-charset", b"utf-8")
LANGUAGE = item(0x48, "attributes-natural-language", b"en")
TARGET = item(0x45, "printer-uri", b"ipp://localhost/ipp/print3d")
ASKED = item(0x44, "requested-attributes", b"printer-state")
BEGIN = b"\x01" + CHARSET + LANGUAGE
FIRST = BEGIN + TARGET
JOBS = b"\x02"


def message(*extra, operation=GET):
    return raw(FIRST, *extra, operation=operation)


def nested(depth):
    return item(0x34, "materials-col", b"") + b"\x4a\0\0\0\x01m\x34\0\0\0\0" * (depth - 1) + b"\x4a\0\0\0\x01m\x21\0\0\0\4\0\0\0\1" + (
        b"\x37\0\0\0\0" * depth
    )


# name: (message, status that it must get)
FAULTS = {
    "RFC 8011 4.1.8: version 3.0": (raw(FIRST, version=(3, 0)), 0x0503),
    "RFC 8011 4.1.8: version 0.0": (raw(FIRST, version=(0, 0)), 0x0503),
    "RFC 8011 4.1.1: request-id 0": (raw(FIRST, request_id=0), 0x0400),
    "RFC 8011 4.1.1: request-id 2**31": (raw(FIRST, request_id=1 << 31), 0x0400),
    "RFC 8011 4.1.1: request-id 2**32 - 1": (raw(FIRST, request_id=(1 << 32) - 1), 0x0400),
    "RFC 8011 4.1.2: an operation that nobody knows": (raw(FIRST, operation=0x3FFF), 0x0501),
    "RFC 8011 4.1.2: a vendor's operation": (raw(FIRST, operation=0x7FFF), 0x0501),
    "RFC 8011 4.1.2: operation 0": (raw(FIRST, operation=0), 0x0501),
    "RFC 8011 4.1.4: no groups at all": (raw(), 0x0400),
    "RFC 8011 4.1.4: an empty operation group": (raw(b"\x01"), 0x0400),
    "RFC 8011 4.1.5: a target of the wrong syntax": (raw(BEGIN, item(0x44, "printer-uri", b"ipp://h/ipp/print3d")), 0x0400),
    "RFC 8011 4.1.5: a target that is no URI": (raw(BEGIN, item(0x45, "printer-uri", b"no uri")), 0x0400),
    "RFC 8011 4.1.5: two targets in one": (raw(BEGIN, TARGET, item(0x45, "", b"ipp://h/ipp/print3d")), 0x0400),
    "RFC 8011 4.1.3: the job group first": (raw(JOBS, FIRST), 0x0400),
    "RFC 8011 4.1.3: the operation group twice": (raw(FIRST, FIRST), 0x0400),
    "RFC 8010 3.5.1: group tag 0": (raw(FIRST, b"\0"), 0x0400),
    "RFC 8011 4.1.7: an unsupported group in a request": (raw(FIRST, b"\x05"), 0x0400),
    "RFC 8010 3.5.1: no end-of-attributes": (raw(FIRST, end=b""), 0x0400),
    "RFC 8010 3.1: cut in a value": (raw(FIRST, end=b"")[:-3], 0x0400),
    "RFC 8010 3.1: a value longer than the message": (message(b"\x44\0\x01x\x7f\0"), 0x0400),
    "RFC 8010 3.1: a negative length of a name": (message(b"\x44\xff\xffx\0\0"), 0x0400),
    "RFC 8010 3.1: a negative length of a value": (message(b"\x44\0\x01x\xff\xff"), 0x0400),
    "RFC 8010 3.1.5: a further value of nothing": (raw(b"\x01", item(0x44, "", b"x")), 0x0400),
    "RFC 8010 3.1.1: an attribute before any group": (raw(item(0x44, "x", b"x"), FIRST), 0x0400),
    "RFC 8010 3.9: an integer of three octets": (message(item(0x21, "limit", b"\0\0\1"), operation=GET_JOBS), 0x0400),
    "RFC 8010 3.9: a boolean of 7": (message(item(0x22, "my-jobs", b"\7"), operation=GET_JOBS), 0x0400),
    "RFC 8010 3.9: a range that ends before it begins": (message(item(0x33, "x", b"\0\0\0\2\0\0\0\1")), 0x0400),
    "RFC 8010 3.9: a dateTime of ten octets": (message(item(0x31, "x", bytes(10))), 0x0400),
    "RFC 8010 3.9: a resolution of eight octets": (message(item(0x32, "x", bytes(8))), 0x0400),
    "RFC 8010 3.9: textWithLanguage whose lengths do not fit": (message(item(0x35, "x", b"\0\2en\0\5ab")), 0x0400),
    "RFC 8010 3.8: two values, one out of band": (message(item(0x44, "x", b"a"), item(0x12, "", b"")), 0x0400),
    "RFC 8010 3.1.6: a collection without end": (message(item(0x34, "x", b""), item(0x4A, "", b"m"), item(0x21, "", b"\0\0\0\1")), 0x0400),
    "RFC 8010 3.1.6: an end without collection": (message(b"\x37\0\0\0\0"), 0x0400),
    "RFC 8010 3.1.6: a member outside": (message(item(0x4A, "", b"m")), 0x0400),
    "RFC 8010 3.1.6: a member without value": (message(item(0x34, "x", b""), item(0x4A, "", b"m"), b"\x37\0\0\0\0"), 0x0400),
    "RFC 8010 3.1.6: a member twice": (
        message(item(0x34, "x", b""), (item(0x4A, "", b"m") + item(0x21, "", b"\0\0\0\1")) * 2, b"\x37\0\0\0\0"),
        0x0400,
    ),
    "RFC 8011 4.1.3: collections nested too deeply": (message(JOBS, nested(200), operation=VALIDATE), 0x0400),
    "RFC 8011 4.1.3: an attribute twice in a group": (message(ASKED, ASKED), 0x0400),
    "RFC 8011 4.1.3: a job attribute twice": (message(JOBS, item(0x21, "copies", b"\0\0\0\1") * 2, operation=VALIDATE), 0x0400),
    "RFC 8011 5.1.3: a name of 300 octets": (message(item(0x42, "requesting-user-name", b"n" * 300)), 0x0409),
    "RFC 8011 5.1.4: a keyword of 300 octets": (message(item(0x44, "requested-attributes", b"k" * 300)), 0x0409),
    "RFC 8011 5.1.6: a uri of 1,500 octets": (raw(BEGIN, item(0x45, "printer-uri", b"ipp://h/" + b"u" * 1500)), 0x0409),
    "RFC 8011 5.1.2: a text of 1,100 octets": (message(item(0x41, "x", b"t" * 1100)), 0x0409),
    "RFC 8011 5.1.9: a naturalLanguage of 70 octets": (message(item(0x48, "x", b"c" * 70)), 0x0409),
    "RFC 8011 5.1.2: a name that is not UTF-8": (message(item(0x42, "requesting-user-name", b"\xff\xfe")), 0x0400),
    "RFC 8011 4.2.6.1: limit -1": (message(item(0x21, "limit", b"\xff\xff\xff\xff"), operation=GET_JOBS), 0x040B),
    "RFC 8011 4.3.4: job-id 0": (message(item(0x21, "job-id", bytes(4)), operation=GET_JOB), 0x0406),
    "RFC 8011 4.3.4: a job-id of the wrong syntax": (message(item(0x44, "job-id", b"1"), operation=GET_JOB), 0x0400),
    "RFC 8011 4.1.4.1: another charset": (raw(b"\x01", item(0x47, "attributes-charset", b"koi8-r"), LANGUAGE, TARGET), 0x040D),
    "RFC 8011 B.1.4.9: more attributes than it can hold": (message(*[item(0x21, "x%d" % i, bytes(4)) for i in range(9000)]), 0x0408),
}

# name: (message, version of the answer): what looks odd and is not wrong
FINE = {
    "RFC 8011 4.1.8: version 1.0": (raw(FIRST, ASKED, version=(1, 0)), (1, 1)),
    "RFC 8011 4.1.8: version 1.1": (raw(FIRST, ASKED, version=(1, 1)), (1, 1)),
    "RFC 8011 4.1.8: version 1.2": (raw(FIRST, ASKED, version=(1, 2)), (1, 1)),
    "RFC 8011 4.1.8: version 2.0": (raw(FIRST, ASKED, version=(2, 0)), (2, 0)),
    "RFC 8011 4.1.8: version 2.9": (raw(FIRST, ASKED, version=(2, 9)), (2, 0)),
    "RFC 8011 4.1.1: the greatest request-id": (raw(FIRST, ASKED, request_id=(1 << 31) - 1), (2, 0)),
    "RFC 8011 4.1.4.1: UTF-8 in capitals": (raw(b"\x01", item(0x47, "attributes-charset", b"UTF-8"), LANGUAGE, TARGET, ASKED), (2, 0)),
    "RFC 8011 4.1.4.1: any natural language": (
        raw(b"\x01", CHARSET, item(0x48, "attributes-natural-language", b"tlh"), TARGET, ASKED),
        (2, 0),
    ),
    "RFC 8011 4.1.5: the target need not be third": (raw(BEGIN, ASKED, TARGET), (2, 0)),
    "RFC 8011 4.1.5: another host, another scheme": (
        raw(BEGIN, item(0x45, "printer-uri", b"http://elsewhere:80/ipp/print3d"), ASKED),
        (2, 0),
    ),
    "RFC 8010 3.5.1: a group that is reserved": (message(ASKED, b"\x0f", item(0x21, "x", bytes(4))), (2, 0)),
    "RFC 8010 3.5.1: an empty group": (message(ASKED, JOBS), (2, 0)),
    "RFC 8010 3.5.2: a tag that is reserved": (message(ASKED, item(0x38, "x", b"?")), (2, 0)),
    "RFC 8010 3.5.2: an extension tag": (message(ASKED, item(0x7F, "x", b"\x40\0\0\1abc")), (2, 0)),
    "RFC 8010 3.8: an out-of-band value with octets": (message(ASKED, item(0x12, "x", b"abc")), (2, 0)),
    "RFC 8011 5.1.3: a name with a language": (message(ASKED, item(0x36, "requesting-user-name", b"\0\2de\0\4Anna")), (2, 0)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(connect, name):
    octets, status = FAULTS[name]
    with connect() as link:
        answer = link.ipp(octets)
        assert answer.operation == status
        assert answer.request_id == int.from_bytes(octets[4:8], "big")
        first = answer.group(tags.OPERATION_GROUP)
        assert [name for name, _ in first[:2]] == ["attributes-charset", "attributes-natural-language"]
        assert first[0][1] == [(tags.CHARSET, b"utf-8")]
        assert link.ipp(message(ASKED)).operation == 0, "the connection goes on"


@pytest.mark.parametrize("name", FINE)
def test_fine(connect, name):
    octets, version = FINE[name]
    with connect() as link:
        answer = link.ipp(octets)
        assert answer.operation in OK, answer.groups
        assert answer.version == version
        assert answer.request_id == int.from_bytes(octets[4:8], "big")
        assert "printer-state" in attributes(answer, tags.PRINTER_GROUP)


def post(body, *fields, start="POST /ipp/print3d HTTP/1.1"):
    return "\r\n".join([start, *fields, "", ""]).encode() + body


HOST, IPP = "Host: localhost", "Content-Type: application/ipp"
GOOD = message(ASKED)
SIZED = "Content-Length: %d" % len(GOOD)

# name: (request, HTTP status)
HTTP = {
    "RFC 9110 7.2: no Host": (post(GOOD, IPP, SIZED), 400),
    "PWG 5100.21 5: a foreign Host": (post(GOOD, "Host: evil.example", IPP, SIZED), 400),
    "RFC 9112 6.3: no length": (post(b"", HOST, IPP), 411),
    "RFC 8010 4: another type": (post(GOOD, HOST, "Content-Type: text/plain", SIZED), 415),
    "RFC 9110 8.4: content coded": (post(GOOD, HOST, IPP, SIZED, "Content-Encoding: gzip"), 415),
    "RFC 9110 10.1.1: another expectation": (post(GOOD, HOST, IPP, SIZED, "Expect: wonders"), 417),
    "RFC 9110 15.5.6: another method": (post(b"", HOST, start="GET /ipp/print3d HTTP/1.1"), 405),
    "RFC 9110 15.5.5: another path": (post(b"", HOST, start="GET /nothing HTTP/1.1"), 404),
    "RFC 6585 5: a head without end": (post(b"", HOST, "X: " + "y" * 40000), 431),
    "RFC 8010 3.1: less than a header": (post(b"\2\0\0", HOST, IPP, "Content-Length: 3"), 400),
    "RFC 9110 9.3.7: OPTIONS": (post(b"", HOST, start="OPTIONS /ipp/print3d HTTP/1.1"), 200),
    "Design: the status page": (post(b"", HOST, start="GET / HTTP/1.1"), 200),
}


@pytest.mark.parametrize("name", HTTP)
def test_http(connect, name):
    data, status = HTTP[name]
    with connect() as link:
        assert link.answer(data).status == status


def chunks(body, size):
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(body[i : i + size]), body[i : i + size]) for i in range(0, len(body), size))


def test_chunks(connect):
    """RFC 8010 4, RFC 9112 7.1: chunks of any size, with extensions and trailers."""
    for size in (1, 7, 1000):
        with connect() as link:
            data = post(chunks(GOOD, size) + b"0\r\nX-Trailer: 1\r\n\r\n", HOST, IPP, "Transfer-Encoding: chunked")
            assert link.answer(data).ipp.operation == 0
            assert link.ipp(GOOD).operation == 0


def test_answer_fields(connect):
    """RFC 8010 4, PWG 5100.21 5: Content-Type, a length or chunks, Cache-Control: no-cache, Date."""
    with connect() as link:
        answer = link.answer(http_post(GOOD))
        assert answer.headers["content-type"] == "application/ipp"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["date"].endswith("GMT")
        assert "content-length" in answer.headers or answer.headers["transfer-encoding"] == "chunked"


def test_continue(connect):
    """RFC 9110 10.1.1: 100 Continue before the body is read; nothing of it when the body has come."""
    with connect() as link:
        link.send(post(b"", HOST, IPP, SIZED, "Expect: 100-continue"))
        assert b" 100 " in link.interim()
        assert link.answer(GOOD).ipp.operation == 0


def test_early_refusal(connect):
    """RFC 9110 10.1.1: what is wrong already is told without 100 Continue."""
    with connect() as link:
        link.send(post(b"", HOST, "Content-Type: text/plain", SIZED, "Expect: 100-continue"))
        assert b" 415 " in link.interim()


def test_persistence(connect):
    """RFC 9112 9.3: connections go on, requests may follow at once, Connection: close ends them; HTTP/1.0 is answered and closed."""
    with connect() as link:
        link.send(http_post(GOOD) * 3)
        assert [link.answer().ipp.operation for _ in range(3)] == [0, 0, 0]
        answer = link.answer(post(GOOD, HOST, IPP, SIZED, "Connection: close"))
        assert answer.headers["connection"] == "close" and answer.ipp.operation == 0
        assert link.closed
    with connect() as link:
        assert link.answer(post(GOOD, HOST, IPP, SIZED, start="POST /ipp/print3d HTTP/1.0")).ipp.operation == 0
        assert link.closed


def test_pages(connect):
    """PWG 5100.21 5: icons with Last-Modified, If-Modified-Since, 304; HEAD."""
    with connect() as link:
        answer = link.answer(post(b"", HOST, start="GET /icon.png HTTP/1.1"))
        assert answer.status == 200 and answer.body.startswith(b"\x89PNG")
        when = answer.headers["last-modified"]
        head = link.answer(post(b"", HOST, start="HEAD /icon.png HTTP/1.1"), bodiless=True)
        assert head.status == 200 and int(head.headers["x-length"]) == len(answer.body)
        again = link.answer(post(b"", HOST, "If-Modified-Since: " + when, start="GET /icon.png HTTP/1.1"), bodiless=True)
        assert again.status == 304


def test_uris_are_the_clients(connect):
    """PWG 5100.21 5: URIs in answers have the scheme of the connection and the host that the client used."""
    with connect() as link:
        asked = ("requested-attributes", [(tags.KEYWORD, name) for name in ("printer-uri-supported", "printer-icons", "printer-more-info")])
        data = http_post(ipp_request(GET, asked), host="127.0.0.1:8080")
        told = attributes(link.answer(data).ipp, tags.PRINTER_GROUP)
        secure = isinstance(link.link, ssl.SSLSocket)
        assert (b"ipps" if secure else b"ipp") + b"://127.0.0.1:8080/ipp/print3d" in told["printer-uri-supported"]
        for uri in told["printer-icons"] + told["printer-more-info"]:
            assert uri.startswith((b"https" if secure else b"http") + b"://127.0.0.1:8080/")


def test_unasked_compression(connect):
    """RFC 8011 4.2.1.1: compression is undone before the format is looked at; what is not compressed as announced is 0x0410."""
    with connect() as link:
        for body, status, state in ((SQUARE.encode(), 0x0410, 8), (gzip.compress(SQUARE.encode()), 0, None)):
            created = link.ipp(ipp_request(CREATE, ("job-name", [(tags.NAME, "packed")])))
            job = ("job-id", created.group(tags.JOB_GROUP)[0][1])
            send = ipp_request(SEND, job, ("compression", [(tags.KEYWORD, "gzip")]), ("last-document", [(tags.BOOLEAN, True)]))
            assert link.ipp(send + body).operation == status
            if state:
                told = attributes(link.ipp(ipp_request(GET_JOB, job)), tags.JOB_GROUP)
                assert told["job-state"] == [state] and b"compression-error" in told["job-state-reasons"]


def test_group_order_of_answers(connect):
    """RFC 8010 3.3, RFC 8011 4.1.7: operation attributes, then unsupported ones, then the objects'."""
    with connect() as link:
        answer = link.answer(http_post(ipp_request(GET, STATE, ("no-such", [(tags.INTEGER, 1)])))).ipp
        assert [tag for tag, _ in answer.groups] == [tags.OPERATION_GROUP, tags.UNSUPPORTED_GROUP, tags.PRINTER_GROUP]
        assert answer.group(tags.UNSUPPORTED_GROUP) == [("no-such", [(tags.UNSUPPORTED, None)])]


def test_what_an_answer_holds_is_well_formed(connect):
    """RFC 8010 3, RFC 8011 5.1: all attributes of printer and job, each once in its group, texts within their limits."""
    with connect() as link:
        for octets in (ipp_request(GET), codec.message((2, 0), GET_JOBS, 1, [operation_group(("which-jobs", [(tags.KEYWORD, "all")]))])):
            answer = decode(link.answer(http_post(octets)).body)
            assert answer.too_long is None
            for _, members in answer.groups:
                names = [name for name, _ in members]
                assert len(names) == len(set(names)) and all(values for _, values in members)
