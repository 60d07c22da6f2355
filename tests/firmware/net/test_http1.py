import email.utils

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.net import http1

POST = b"POST /ipp/print3d HTTP/1.1\r\nHost: localhost\r\n"


def events(*pieces, limits=None, eof=False):
    """Feeds the pieces and reads requests until more is needed.  Returns [(request, body), ...] and the error, or None."""
    connection = http1.Connection(limits)
    found = []
    pieces = [piece for piece in pieces if piece] + ([b""] if eof else [])
    try:
        while True:
            event = connection.next_event()
            if event == http1.REQUEST:
                found.append([connection.request, bytearray(), False])
            elif event == http1.DATA:
                found[-1][1] += connection.data
            elif event == http1.END:
                found[-1][2] = True
                connection.next_request()
            elif event == http1.CLOSED:
                return found, None
            else:
                if not pieces:
                    return found, None
                connection.feed(pieces.pop(0))
    except http1.HttpError as error:
        with pytest.raises(http1.HttpError):
            connection.next_event()
        assert connection.broken
        return found, error


def seen(*pieces, limits=None):
    """What `events` found, in a form that can be compared."""
    found, error = events(*pieces, limits=limits)
    return [(vars(request), bytes(body), ended) for request, body, ended in found], error and error.status


def refused(data, limits=None):
    found, error = events(data, limits=limits)
    return error and error.status


def head(*lines):
    return POST + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def test_a_post_with_a_length():
    [(request, body, ended)], error = events(head(b"Content-Length: 5", b"content-TYPE:  application/ipp \t") + b"hello")
    assert error is None and ended
    assert (request.method, request.path, request.query, request.version) == ("POST", "/ipp/print3d", "", (1, 1))
    assert request.headers["content-type"] == b"application/ipp"
    assert request.host == b"localhost"
    assert request.keep_alive and request.has_body and request.length == 5
    assert body == b"hello"


def test_chunks_with_extensions_and_trailers():
    body = b'3;name=value;other="a;b"\r\nabc\r\n00A ;x\r\n0123456789\r\n0;last\r\nTrailer: x\r\nOther: y\r\n\r\n'
    [(request, got, ended)], error = events(head(b"Transfer-Encoding: Chunked") + body)
    assert error is None and ended
    assert got == b"abc0123456789"
    assert request.length is None and request.has_body


def test_pipelined_requests_keep_their_boundaries():
    data = head(b"Content-Length: 3") + b"one" + b"\r\n"
    data += head(b"Transfer-Encoding: chunked") + b"3\r\ntwo\r\n0\r\n\r\n" + b"GET / HTTP/1.1\r\n\r\n"
    found, error = events(data)
    assert error is None
    assert [(r.method, bytes(b), e) for r, b, e in found] == [("POST", b"one", True), ("POST", b"two", True), ("GET", b"", True)]


@pytest.mark.parametrize(
    "version, option, keep",
    [
        (b"1.1", None, True),
        (b"1.1", b"close", False),
        (b"1.1", b"Upgrade, Close", False),
        (b"1.0", None, False),
        (b"1.0", b"Keep-Alive", True),
        (b"1.7", None, True),
    ],
)
def test_keep_alive(version, option, keep):
    data = b"GET / HTTP/" + version + b"\r\n" + (b"Connection: " + option + b"\r\n" if option else b"") + b"\r\n"
    [(request, _, _)], error = events(data)
    assert error is None
    assert request.keep_alive is keep


def test_expect_continue_matters_only_with_a_body_and_in_http_1_1():
    assert events(head(b"Expect: 100-Continue", b"Content-Length: 1"))[0][0][0].expect_continue
    assert not events(head(b"Expect: 100-continue", b"Content-Length: 0"))[0][0][0].expect_continue
    old = POST.replace(b"1.1", b"1.0") + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    assert not events(old)[0][0][0].expect_continue
    assert refused(head(b"Expect: 200-maybe", b"Content-Length: 1")) == 417


def test_the_host_of_an_absolute_target_wins():
    [(request, _, _)], error = events(b"GET HTTP://other:80/a/b?q=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert error is None
    assert (request.host, request.path, request.query) == (b"other:80", "/a/b", "q=1")


@pytest.mark.parametrize(
    "data, status",
    [
        # request line
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET / x HTTP/1.1\r\n\r\n", 400),
        (b" GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1 \r\n\r\n", 400),
        (b"G@T / HTTP/1.1\r\n\r\n", 400),
        (b"GET / http/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.x\r\n\r\n", 400),
        (b"GET / HTTP/11\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (b"BREW / HTTP/1.1\r\n\r\n", 501),
        (b"GET /\xc3\xa4 HTTP/1.1\r\n\r\n", 400),
        (b"GET /\x01 HTTP/1.1\r\n\r\n", 400),
        (b"GET localhost HTTP/1.1\r\n\r\n", 400),
        (b"GET * HTTP/1.1\r\n\r\n", 400),
        (b"GET file:///etc HTTP/1.1\r\n\r\n", 400),
        (b"GET http:///x HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400),
        # line ends
        (b"GET / HTTP/1.1\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 400),
        # header fields
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX-A: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\tX-A: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX(A): b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        # length: what two servers might read differently
        (head(b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
        (head(b"Content-Length: 5", b"Content-Length: 6"), 400),
        (head(b"Content-Length: 5, 5"), 400),
        (head(b"Content-Length: +5"), 400),
        (head(b"Content-Length: -5"), 400),
        (head(b"Content-Length: 0x5"), 400),
        (head(b"Content-Length: 5_0"), 400),
        (head(b"Content-Length: "), 400),
        (head(b"Content-Length: 99999999999999999999"), 413),
        (head(b"Transfer-Encoding: gzip"), 501),
        (head(b"Transfer-Encoding: gzip, chunked"), 501),
        (head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
        (head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), 400),
        (POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n", 400),
    ],
)
def test_heads_that_are_refused(data, status):
    assert refused(data) == status


@pytest.mark.parametrize(
    "body, status",
    [
        (b"x\r\n", 400),
        (b"\r\n", 400),
        (b"-1\r\n", 400),
        (b"+1\r\na\r\n", 400),
        (b" 1\r\na\r\n", 400),
        (b"1 \r\na\r\n", 400),
        (b"0x1\r\na\r\n", 400),
        (b"1_0\r\n", 400),
        (b";x\r\n", 400),
        (b"1\na\r\n", 400),
        (b"1\r\nab\r\n", 400),
        (b"1\r\na\n0\r\n\r\n", 400),
        (b"1;a\rb\r\na\r\n", 400),
        (b"fffffffff\r\n", 413),
        (b"1;" + b"x" * 300 + b"\r\na\r\n", 400),
        (b"0\r\n folded\r\n\r\n", 400),
        (b"0\r\nnoname\r\n\r\n", 400),
        (b"0\r\n" + b"A: b\r\n" * 300 + b"\r\n", 431),
    ],
)
def test_chunks_that_are_refused(body, status):
    assert refused(head(b"Transfer-Encoding: chunked") + body) == status


def test_the_same_length_twice_is_one_length():
    [(request, body, ended)], error = events(head(b"Content-Length: 2", b"Content-Length: 2") + b"ab")
    assert error is None and ended and body == b"ab"


def test_ceilings():
    limits = http1.Limits(line=100, head=400, headers=5)
    assert refused(b"GET /" + b"a" * 200, limits) == 414
    assert refused(b"GET /" + b"a" * 200 + b" HTTP/1.1\r\n\r\n", limits) == 414
    assert refused(POST + b"X: " + b"a" * 200, limits) == 431
    assert refused(POST + b"X: a\r\n" * 5 + b"\r\n", limits) == 431
    assert refused(POST + (b"X-A: " + b"a" * 90 + b"\r\n") * 4 + b"\r\n", limits) == 431
    assert refused(POST + b"X: a\r\n" * 4 + b"\r\n", limits) is None


def test_a_head_without_end_is_not_kept():
    connection = http1.Connection(http1.Limits(line=100, head=400, headers=1000))
    connection.feed(b"GET / HTTP/1.1\r\n")
    kept = 0
    with pytest.raises(http1.HttpError):
        while True:
            connection.next_event()
            kept = max(kept, len(connection._buf) - connection._pos)
            connection.feed(b"X: ab")
            connection.next_event()
            kept = max(kept, len(connection._buf) - connection._pos)
            connection.feed(b"\r\n")
    assert kept <= 100


@pytest.mark.parametrize("cut", [1, 10, 30, 80])
def test_an_end_in_the_middle_is_an_error(cut):
    whole = head(b"Content-Length: 5") + b"hello"
    assert events(whole[: len(whole) - cut], eof=True)[1].status == 400
    whole = head(b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"
    assert events(whole[: len(whole) - cut], eof=True)[1].status == 400


def test_an_end_between_requests_is_none():
    found, error = events(head(b"Content-Length: 5") + b"hello", eof=True)
    assert error is None and found[0][2]
    assert events(eof=True) == ([], None)


def test_body_bytes_are_not_copied():
    data = head(b"Content-Length: 10") + b"01234"
    connection = http1.Connection()
    connection.feed(data)
    assert connection.next_event() == http1.REQUEST
    assert connection.left == 10
    assert connection.next_event() == http1.DATA
    assert isinstance(connection.data, memoryview) and connection.data.obj is data
    piece = b"56789"
    connection.feed(piece)
    assert connection.next_event() == http1.DATA
    assert connection.data is piece
    assert connection.left == 0
    assert connection.next_event() == http1.END


def test_next_request_only_after_the_end():
    connection = http1.Connection()
    connection.feed(head(b"Content-Length: 10"))
    connection.next_event()
    with pytest.raises(RuntimeError):
        connection.next_request()


SAMPLES = [
    head(b"Content-Length: 5", b"Expect: 100-continue") + b"hello",
    head(b"Transfer-Encoding: chunked") + b'3;a="b"\r\nabc\r\n1\r\nd\r\n0\r\nT: u\r\n\r\n' + b"GET /x?y HTTP/1.0\r\n\r\n",
    b"\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + head(b"Content-Length: 0") + b"junk and more\r\n",
    head(b"Content-Length: 3") + b"abc" + b"GET / HTTP/1.1\nHost: x\n\n",
    head(b"Transfer-Encoding: chunked") + b"3\r\nabcd\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"a" * 3000 + b"\r\n\r\n",
    b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 200,
]


@pytest.mark.parametrize("data", SAMPLES)
def test_every_split_in_two_gives_the_same_events(data):
    whole = seen(data)
    for at in range(len(data) + 1):
        assert seen(data[:at], data[at:]) == whole


@pytest.mark.parametrize("data", SAMPLES)
def test_one_byte_at_a_time_gives_the_same_events(data):
    assert seen(*[data[i : i + 1] for i in range(len(data))]) == seen(data)


_LINES = st.sampled_from(
    [
        b"POST / HTTP/1.1\r\n",
        b"GET /a HTTP/1.0\r\n",
        b"Host: a\r\n",
        b"Content-Length: 4\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"\r\n",
        b"\n",
        b"4\r\n",
        b"0\r\n",
        b"data",
        b"\0",
        b":",
        b" ",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_LINES, st.binary(max_size=8)), max_size=16), st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_any_split_of_near_requests_gives_the_same_events(parts, sizes):
    data = b"".join(parts)
    pieces = []
    at = i = 0
    while at < len(data):
        pieces.append(data[at : at + sizes[i % len(sizes)]])
        at += sizes[i % len(sizes)]
        i += 1
    assert seen(*pieces) == seen(data)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=200), max_size=8))
def test_what_chunk_writes_is_read_back(pieces):
    data = head(b"Transfer-Encoding: chunked") + b"".join(http1.chunk(piece) for piece in pieces) + http1.LAST_CHUNK
    [(_, body, ended)], error = events(data)
    assert error is None and ended and body == b"".join(pieces)


def test_answers():
    assert http1.head(200, [("Content-Type", "a/b")], 3, True) == b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\n"
    assert http1.head(404, [], 0, False) == b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    assert http1.head(200, [], None, True) == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert http1.head(200, [], None, False, (1, 0)) == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    assert http1.head(200, [], 1, True, (1, 0)) == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n"
    assert http1.head(304, [], -1, True) == b"HTTP/1.1 304 Not Modified\r\n\r\n"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1 << 33))
def test_date(unix_s):
    assert http1.date(unix_s) == email.utils.formatdate(unix_s, usegmt=True)
