"""IPP and HTTP as a board runs them: codec, checks, dispatch, HTTP state (both Pythons)."""

import unittest

from firmware.ipp import codec, status, tags
from firmware.ipp.checks import JOB, PRINTER
from firmware.ipp.dispatch import Context, Dispatcher
from firmware.ipp.status import IppError
from firmware.net import http1

SYNTAXES = {
    "attributes-charset": "charset",
    "attributes-natural-language": "naturalLanguage",
    "printer-uri": "uri",
    "job-id": "integer(1:MAX)",
    "requesting-user-name": "name(MAX)",
    "limit": "integer(1:MAX)",
}
GROUPS = [
    (
        tags.OPERATION_GROUP,
        [
            ("attributes-charset", [(tags.CHARSET, b"utf-8")]),
            ("attributes-natural-language", [(tags.LANGUAGE, b"en")]),
            ("printer-uri", [(tags.URI, b"ipp://localhost/ipp/print3d")]),
            ("requesting-user-name", [(tags.NAME, "J\xf6rg".encode())]),
        ],
    ),
    (
        tags.JOB_GROUP,
        [
            ("integers", [(tags.INTEGER, -0x80000000), (tags.INTEGER, -1), (tags.INTEGER, 0x7FFFFFFF)]),
            ("flags", [(tags.BOOLEAN, True), (tags.BOOLEAN, False)]),
            ("range", [(tags.RANGE, (-5, 1 << 30))]),
            ("resolution", [(tags.RESOLUTION, (300, -1, 3))]),
            ("language", [(tags.TEXT_LANG, (b"de", b"gr\xc3\xbcn"))]),
            ("none", [(tags.NO_VALUE, None)]),
            ("col", [(tags.COLLECTION, [("a", [(tags.KEYWORD, b"k")]), ("b", [(tags.COLLECTION, [("c", [(tags.INTEGER, 1)])])])])]),
        ],
    ),
]


def decode(*pieces):
    decoder = codec.Decoder()
    for piece in pieces:
        if decoder.feed(piece):
            return decoder.request, bytes(decoder.rest)
    decoder.end()


async def get_attributes(ctx):
    response = codec.Response()
    text = "%s %d" % (ctx.user, 0 if ctx.job is None else ctx.job)
    return response.add(tags.PRINTER_GROUP, [codec.attribute(tags.TEXT, "seen", [text])] * 2)


async def take_document(ctx):
    buf = bytearray(50)
    total = 0
    while True:
        n = await ctx.body.readinto(buf)
        if not n:
            break
        total += sum(memoryview(buf)[:n])
    return codec.Response().add(tags.JOB_GROUP, [codec.attribute(tags.INTEGER, "sum", [total])])


async def refuse(ctx):
    raise IppError(status.BUSY, "Not now.")


OPERATIONS = {0x0B: (get_attributes, PRINTER), 0x09: (get_attributes, JOB), 0x06: (take_document, JOB), 0x10: (refuse, PRINTER)}


def dispatcher():
    return Dispatcher(OPERATIONS, None, lambda job_id: job_id if job_id < 10 else None, SYNTAXES)


class Body:
    """A request's body that is there."""

    def __init__(self, data):
        self.data = memoryview(data)
        self.at = 0

    async def readinto(self, buf):
        n = min(len(buf), len(self.data) - self.at)
        buf[:n] = self.data[self.at : self.at + n]
        self.at += n
        return n


def run(coroutine):
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as e:
        return e.value
    raise AssertionError("it waits")


def ask(data):
    """The decoded answer to a request and its document."""
    decoder = codec.Decoder()
    error = None
    try:
        if not decoder.feed(data):
            decoder.end()
    except IppError as e:
        error = e
    asked = dispatcher()
    ctx = Context("127.0.0.1", False, "localhost:8631", Body(bytes(decoder.rest)))
    response = run(asked.answer(ctx, decoder.request, error))
    return decode(b"".join(response.pieces(asked.version(decoder.request), decoder.request.request_id)))[0]


class CodecTest(unittest.TestCase):
    def test_round_trip_whole_and_in_single_bytes(self):
        data = codec.message((2, 0), 0x0B, 7, GROUPS) + b"document"
        request, rest = decode(data)
        self.assertEqual(request.groups, GROUPS)
        self.assertEqual((request.version, request.operation, request.request_id), ((2, 0), 0x0B, 7))
        self.assertEqual(rest, b"document")
        request, rest = decode(*[data[i : i + 1] for i in range(len(data))])
        self.assertEqual(request.groups, GROUPS)

    def test_large_request_ids(self):
        for request_id in (1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            self.assertEqual(decode(codec.message((1, 1), 2, request_id, []))[0].request_id, request_id)

    def test_malformed(self):
        for tail in (b"\x01\x21\xff\xff", b"\x00\x03", b"\x01\x22\x00\x01n\x00\x01\x07\x03", b"\x01\x44\x00\x01\xff\x00\x01a\x03"):
            with self.assertRaises(IppError) as caught:
                decode(b"\x02\x00\x00\x0b\0\0\0\x07" + tail)
            self.assertEqual(caught.exception.status, status.BAD_REQUEST)

    def test_integers_that_do_not_fit(self):
        for value in (1 << 31, -(1 << 31) - 1, 1 << 40):
            with self.assertRaises(ValueError):
                codec.attribute(tags.INTEGER, "n", [value])

    def test_clip(self):
        self.assertEqual(codec.clip("a\xfcb", 2), b"a")
        self.assertEqual(codec.clip("a\xfcb", 3), b"a\xc3\xbc")


class HttpTest(unittest.TestCase):
    def read(self, pieces):
        connection = http1.Connection()
        body = b""
        pieces = list(pieces)
        while True:
            event = connection.next_event()
            if event == http1.DATA:
                body += bytes(connection.data)
            elif event == http1.END:
                return connection.request, body
            elif event == http1.NEED_DATA:
                connection.feed(pieces.pop(0))

    def test_chunks_in_single_bytes(self):
        data = b"POST /a?b=c HTTP/1.1\r\nHost: [::1]:8631\r\nX-Odd: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        data += b"3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: u\r\n\r\n"
        request, body = self.read([data[i : i + 1] for i in range(len(data))])
        self.assertEqual(body, b"abc0123456789")
        self.assertEqual((request.method, request.path, request.query, request.host), ("POST", "/a", "b=c", b"[::1]:8631"))

    def test_refused(self):
        cases = (
            (b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", 400),
            (b"GET / HTTP/2.0\r\n\r\n", 505),
            (b"FETCH / HTTP/1.1\r\n\r\n", 501),
            (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nContent-Length: 999999999999999999\r\n\r\n", 413),
            (b"GET /" + b"a" * 4096, 414),
        )
        for data, expected in cases:
            with self.assertRaises(http1.HttpError) as caught:
                self.read([data])
            self.assertEqual(caught.exception.status, expected)

    def test_date(self):
        self.assertEqual(http1.date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT")


class DispatchTest(unittest.TestCase):
    def test_answers(self):
        answer = ask(codec.message((1, 2), 0x0B, 5, GROUPS[:1]))
        self.assertEqual((answer.version, answer.operation, answer.request_id), ((1, 1), status.OK, 5))
        self.assertEqual(answer.groups[1], (tags.PRINTER_GROUP, [("seen", [(tags.TEXT, b"J\xc3\xb6rg 0")])] * 2))

    def test_a_document(self):
        groups = [(1, GROUPS[0][1] + [("job-id", [(tags.INTEGER, 3)])])]
        document = bytes(range(256)) * 20
        answer = ask(codec.message((2, 0), 6, 1, groups) + document)
        self.assertEqual(answer.groups[1], (tags.JOB_GROUP, [("sum", [(tags.INTEGER, sum(document))])]))

    def test_refusals(self):
        group = GROUPS[0][1]
        cases = (
            (codec.message((3, 0), 0x0B, 1, GROUPS[:1]), status.VERSION_NOT_SUPPORTED),
            (codec.message((2, 0), 0x02, 1, GROUPS[:1]), status.OPERATION_NOT_SUPPORTED),
            (codec.message((2, 0), 0x0B, 0, GROUPS[:1]), status.BAD_REQUEST),
            (codec.message((2, 0), 0x0B, 1, []), status.BAD_REQUEST),
            (codec.message((2, 0), 0x0B, 1, [(1, group[:2])]), status.BAD_REQUEST),
            (codec.message((2, 0), 0x10, 1, GROUPS[:1]), status.BUSY),
            (codec.message((2, 0), 0x09, 1, [(1, group + [("job-id", [(tags.INTEGER, 10)])])]), status.NOT_FOUND),
            (codec.message((2, 0), 0x0B, 1, [(1, group + [("limit", [(tags.INTEGER, 0)])])]), status.NOT_SUPPORTED),
            (codec.message((2, 0), 0x0B, 1, [(1, group + [("odd", [(tags.INTEGER, 0)])])]), status.OK_IGNORED),
            (codec.message((2, 0), 0x0B, 1, GROUPS[:1])[:-1], status.BAD_REQUEST),
        )
        for body, expected in cases:
            answer = ask(body)
            self.assertEqual(answer.operation, expected)


if __name__ == "__main__":
    unittest.main()
