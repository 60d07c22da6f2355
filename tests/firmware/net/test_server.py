import asyncio

import pytest

from firmware.ipp import codec, status, tags
from firmware.ipp.checks import PRINTER
from firmware.ipp.dispatch import Dispatcher
from firmware.ipp.status import BodyError
from firmware.net import server
from firmware.web.icon import LAST_MODIFIED
from firmware.web.page import Pages
from tests.firmware import helpers_ipp as helpers
from tests.firmware.helpers_ipp import FakeStream, answers, http_chunked, http_post, ipp_request

SYNTAXES = {
    "attributes-charset": "charset",
    "attributes-natural-language": "naturalLanguage",
    "printer-uri": "uri",
    "requesting-user-name": "name(MAX)",
}
GET, TAKE, IGNORE, FAIL, FAIL_LATE, WAIT = 0x0B, 0x06, 0x04, 0x05, 0x0A, 0x10
GET_REQUEST = ipp_request(GET)


class Printer:
    """Operations that show what the server gives them."""

    def __init__(self):
        self.taken = []
        self.broken = []
        self.pieces = 3
        self.waiting = asyncio.Event()
        self.cancelled = False

    async def get(self, ctx):
        self.ctx = ctx
        return codec.Response().add(tags.PRINTER_GROUP, (codec.attribute(tags.TEXT, f"a{i}", ["x" * 90]) for i in range(self.pieces)))

    async def take(self, ctx):
        self.taken.append(b"")
        buf = bytearray(100)
        try:
            while n := await ctx.body.readinto(buf):
                self.taken[-1] += buf[:n]
        except BodyError as error:
            self.broken.append(error.status)
            raise
        return codec.Response()

    async def ignore(self, ctx):
        return codec.Response()

    async def fail(self, ctx):
        raise KeyError("a fault in an operation")

    async def fail_late(self, ctx):
        def pieces():
            for _ in range(self.pieces):
                yield codec.attribute(tags.TEXT, "a", ["x" * 90])
            raise KeyError("a fault in an answer")

        return codec.Response().add(tags.PRINTER_GROUP, pieces())

    async def wait(self, ctx):
        try:
            await self.waiting.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return codec.Response()

    def table(self):
        return {
            GET: (self.get, PRINTER),
            TAKE: (self.take, PRINTER),
            IGNORE: (self.ignore, PRINTER),
            FAIL: (self.fail, PRINTER),
            FAIL_LATE: (self.fail_late, PRINTER),
            WAIT: (self.wait, PRINTER),
        }


class Bench:
    """A server with short time-outs; inside `with`, its sweeper runs."""

    def __init__(self, **changes):
        self.printer = Printer()
        settings = server.Settings()
        settings.sweep_ms = 5
        settings.linger_ms = 20
        for name, value in changes.items():
            assert hasattr(settings, name)
            setattr(settings, name, value)
        dispatcher = Dispatcher(self.printer.table(), None, lambda job_id: None, SYNTAXES)
        web = Pages("A <printer>", lambda language: [("State", "idle & cold")]).answer
        self.server = server.Server(dispatcher, settings, ("printer.local",), web)

    async def __aenter__(self):
        self.sweeper = asyncio.create_task(self.server.run())
        return self

    async def __aexit__(self, *_):
        self.sweeper.cancel()
        assert self.server.connections == 0

    def connect(self, *pieces, eof=False, peer="127.0.0.1"):
        stream = FakeStream(*pieces, eof=eof)
        stream.task = asyncio.create_task(self.server.handle(stream, peer, False))
        return stream


def serve(*pieces, bench=None):
    """What a client gets that sends these pieces and then hangs up: list of answers."""

    async def main():
        async with bench or Bench() as running:
            stream = running.connect(*pieces, eof=True)
            await asyncio.wait_for(stream.task, 10)
            assert stream.closed
            return answers(bytes(stream.sent))

    return asyncio.run(main())


def serve_one(*pieces, bench=None):
    [answer] = serve(*pieces, bench=bench)
    return answer


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it does not happen")


# Good requests


def test_requests_on_one_connection_in_every_kind_of_split():
    data = http_post(GET_REQUEST) + http_chunked([GET_REQUEST[:5], GET_REQUEST[5:]])
    data += http_post(ipp_request(TAKE, request_id=9) + b"document")
    for size in (1, 7, 100, 100000):
        bench = Bench()
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        found = serve(*pieces, bench=bench)
        assert [answer.ipp.operation for answer in found] == [0, 0, 0]
        assert [answer.ipp.request_id for answer in found] == [1, 1, 9]
        assert found[0].headers["content-type"] == "application/ipp"
        assert found[0].headers["cache-control"] == "no-cache"
        assert "date" in found[0].headers and "connection" not in found[0].headers
        assert bench.printer.taken == [b"document"]


def test_the_context_says_how_the_client_came():
    bench = Bench()
    serve_one(http_post(GET_REQUEST, host="Printer.Local:8631", path="/ipp/print3d/7"), bench=bench)
    ctx = bench.printer.ctx
    assert ctx.uri == ("ipp", "Printer.Local:8631", "/ipp/print3d")
    assert (ctx.peer, ctx.tls, ctx.user) == ("127.0.0.1", False, "alice")


def test_a_long_answer_comes_in_chunks():
    bench = Bench(send_bytes=1000)
    bench.printer.pieces = 50
    first, second = serve(http_post(GET_REQUEST) * 2, bench=bench)
    assert first.headers["transfer-encoding"] == "chunked"
    assert len(first.ipp.group(tags.PRINTER_GROUP)) == 50
    assert first.body == second.body


def test_a_long_answer_to_http_1_0_ends_with_the_connection():
    bench = Bench(send_bytes=1000)
    bench.printer.pieces = 50
    request = http_post(GET_REQUEST, extra="Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = serve_one(request * 2, bench=bench)
    assert answer.headers["connection"] == "close" and "transfer-encoding" not in answer.headers
    assert len(answer.ipp.group(tags.PRINTER_GROUP)) == 50


def test_connection_close_is_honoured():
    answer = serve_one(http_post(GET_REQUEST, extra="Connection: close\r\n") * 2)
    assert answer.headers["connection"] == "close"


def test_100_continue_comes_before_the_body_and_only_when_it_is_wanted():
    async def main():
        async with Bench() as bench:
            request = http_post(ipp_request(TAKE) + b"abc", extra="Expect: 100-continue\r\n")
            at = request.index(b"\r\n\r\n") + 4
            stream = bench.connect(request[:at])
            await until(lambda: stream.sent)
            assert stream.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
            stream.say(request[at:])
            await until(lambda: len(stream.sent) > 100)
            stream.say(request)
            await until(lambda: len(bench.printer.taken) == 2)
            stream.hang_up()
            await stream.task
            assert bench.printer.taken == [b"abc", b"abc"]
            assert [answer.ipp.operation for answer in answers(bytes(stream.sent))] == [0, 0]
            assert bytes(stream.sent).count(b"100 Continue") == 1

    asyncio.run(main())


def test_a_refused_body_is_not_asked_for():
    async def main():
        async with Bench() as bench:
            request = http_post(GET_REQUEST, content_type="text/plain", extra="Expect: 100-continue\r\n")
            stream = bench.connect(request[: request.index(b"\r\n\r\n") + 4])
            await asyncio.wait_for(stream.task, 10)
            [answer] = answers(bytes(stream.sent))
            assert answer.status == 415 and b"100 Continue" not in stream.sent
            assert answer.headers["connection"] == "close"

    asyncio.run(main())


# Wrong requests


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8631", "[::1]", "[::1]:8631", "printer.local", "printer.local.:80"]
)
def test_own_hosts(host):
    assert serve_one(http_post(GET_REQUEST, host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "localhost.evil.test", "127.0.0.2", "[::2]", "::1", "[::1", "[localhost]", "", "a b", "localhost:x", "a@localhost", ":"],
)
def test_foreign_hosts(host):
    assert serve_one(http_post(GET_REQUEST, host=host)).status == 400


def test_no_host():
    request = http_post(GET_REQUEST).replace(b"Host: localhost\r\n", b"")
    assert serve_one(request).status == 400
    assert serve_one(request.replace(b"HTTP/1.1", b"HTTP/1.0")).status == 200


@pytest.mark.parametrize(
    "request_bytes, expected",
    [
        (http_post(GET_REQUEST, path="/"), 405),
        (http_post(GET_REQUEST, path="/elsewhere"), 404),
        (http_post(GET_REQUEST, path="/ipp/print"), 404),
        (http_post(GET_REQUEST, path="/ipp/print3d/name"), 404),
        (http_post(GET_REQUEST, path="/ipp/print3d/01"), 404),
        (http_post(GET_REQUEST, content_type="application/octet-stream"), 415),
        (http_post(GET_REQUEST, content_type=""), 415),
        (http_post(GET_REQUEST, extra="Content-Encoding: gzip\r\n"), 415),
        (http_post(GET_REQUEST).replace(b"POST", b"PUT"), 405),
        (http_post(b"").replace(b"POST", b"DELETE"), 405),
        (http_post(b"").replace(b"POST", b"GET"), 405),
        (http_post(b"").replace(b"Content-Length: 0\r\n", b""), 411),
        (http_post(b""), 400),
        (http_post(GET_REQUEST[:7]), 400),
    ],
)
def test_http_refusals_keep_the_connection(request_bytes, expected):
    refusal, good = serve(request_bytes + http_post(GET_REQUEST))
    assert refusal.status == expected
    assert good.ipp.operation == status.OK


@pytest.mark.parametrize(
    "request_bytes, expected",
    [
        (b"GET / HTTP/3.0\r\n\r\n", 505),
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 414),
        (http_post(GET_REQUEST, extra="X: " + "a" * 5000 + "\r\n"), 431),
        (http_post(GET_REQUEST, extra="X: a\r\n" * 100), 431),
        (http_post(GET_REQUEST, extra="Content-Length: 5\r\n"), 400),
        (http_post(GET_REQUEST, extra="Transfer-Encoding: chunked\r\n"), 400),
        (http_post(GET_REQUEST, extra="Expect: magic\r\n"), 417),
        (http_post(GET_REQUEST).replace(b"\r\n", b"\n"), 400),
        (http_chunked([GET_REQUEST[:10]])[:-5] + b"xyz\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\n" * 20, 400),
    ],
)
def test_broken_framing_is_answered_once_and_ends_the_connection(request_bytes, expected):
    answer = serve_one(request_bytes + http_post(GET_REQUEST))
    assert answer.status == expected
    assert answer.headers["connection"] == "close"


def test_a_broken_message_is_answered_in_ipp_with_its_request_id():
    broken = ipp_request(GET, request_id=77)[:-1]
    refusal, good = serve(http_post(broken) + http_post(GET_REQUEST))
    assert (refusal.ipp.operation, refusal.ipp.request_id) == (status.BAD_REQUEST, 77)
    assert good.ipp.operation == status.OK


def test_attributes_beyond_the_ceiling_are_answered_in_ipp():
    large = ipp_request(GET, *[(f"a{i}", [(tags.TEXT, "x" * 1000)]) for i in range(20)], request_id=5)
    refusal, good = serve(http_post(large) + http_post(GET_REQUEST))
    assert (refusal.ipp.operation, refusal.ipp.request_id) == (status.TOO_LARGE, 5)
    assert good.ipp.operation == status.OK


def test_a_document_that_nobody_wants_is_dropped_up_to_a_bound():
    small = http_post(ipp_request(IGNORE) + b"d" * 3000)
    large = http_post(ipp_request(IGNORE) + b"d" * 5000)
    found = serve(small + large + small, bench=Bench(drain_bytes=4000))
    assert [answer.ipp.operation for answer in found] == [0, 0]
    assert [answer.headers.get("connection") for answer in found] == [None, "close"]
    chunked = http_chunked([ipp_request(IGNORE)] + [b"d" * 100] * 50)
    assert len(serve(chunked + small, bench=Bench(drain_bytes=4000))) == 1
    assert len(serve(chunked + small, bench=Bench(drain_bytes=8000))) == 2


def test_a_refusal_waits_for_the_body_a_moment():
    async def main():
        async with Bench(linger_ms=300) as bench:
            request = http_post(ipp_request(TAKE, uri="ipp://localhost/other") + b"d" * 1000)
            stream = bench.connect(request[:-500])
            await asyncio.sleep(0.02)
            assert not stream.sent
            stream.say(request[-500:] + http_post(GET_REQUEST))
            stream.hang_up()
            await asyncio.wait_for(stream.task, 10)
            assert [answer.ipp.operation for answer in answers(bytes(stream.sent))] == [status.NOT_FOUND, status.OK]

    asyncio.run(main())


def test_a_refusal_does_not_wait_for_a_body_that_does_not_come():
    async def main():
        async with Bench(linger_ms=30) as bench:
            request = http_post(ipp_request(TAKE, uri="ipp://localhost/other") + b"d" * 1000)
            stream = bench.connect(request[:-500])
            await asyncio.wait_for(stream.task, 10)
            [answer] = answers(bytes(stream.sent))
            assert answer.ipp.operation == status.NOT_FOUND and answer.headers["connection"] == "close"

    asyncio.run(main())


def test_an_unwanted_body_that_dribbles_does_not_hold_the_connection():
    async def main():
        async with Bench(head_ms=100, linger_ms=10) as bench:
            request = http_post(ipp_request(IGNORE) + b"d" * 1000)
            stream = bench.connect(request[:-900])
            await dribble(stream, request[-900:])
            assert stream.task.done()
            assert answers(bytes(stream.sent))[0].ipp.operation == status.OK

    asyncio.run(main())


# Faults


def test_a_fault_in_an_operation_is_an_internal_error(capfd):
    fault, good = serve(http_post(ipp_request(FAIL, request_id=3)) + http_post(GET_REQUEST))
    assert (fault.ipp.operation, fault.ipp.request_id) == (status.INTERNAL_ERROR, 3)
    assert good.ipp.operation == status.OK
    assert "a fault in an operation" in capfd.readouterr().err
    assert b"Traceback" not in fault.body


def test_a_fault_in_an_answer_not_yet_begun_is_an_internal_error(capfd):
    fault, good = serve(http_post(ipp_request(FAIL_LATE)) + http_post(GET_REQUEST))
    assert fault.ipp.operation == status.INTERNAL_ERROR
    assert good.ipp.operation == status.OK
    assert "a fault in an answer" in capfd.readouterr().err


def test_a_fault_in_an_answer_already_begun_ends_the_connection(capfd):
    async def main():
        async with Bench(send_bytes=200) as bench:
            stream = bench.connect(http_post(ipp_request(FAIL_LATE)) + http_post(GET_REQUEST), eof=True)
            await asyncio.wait_for(stream.task, 10)
            assert not stream.sent.endswith(b"0\r\n\r\n") and stream.sent.count(b"HTTP/1.1") == 1

    asyncio.run(main())
    assert "a fault in an answer" in capfd.readouterr().err


def test_a_client_that_vanishes_in_its_document():
    for request in (http_post(ipp_request(TAKE) + b"d" * 1000), http_chunked([ipp_request(TAKE), b"d" * 1000])):
        bench = Bench()
        serve(request[:-200], bench=bench)
        assert bench.printer.broken == [400]


def test_a_client_that_vanishes_in_its_head_or_its_attributes():
    request = http_post(GET_REQUEST)
    for at in range(1, len(request), 13):
        [answer] = serve(request[:at])
        assert answer.status == 400


def test_a_reset_connection():
    async def main():
        async with Bench() as bench:
            stream = bench.connect(http_post(ipp_request(TAKE) + b"d" * 1000)[:-500])

            async def reset(n):
                raise ConnectionResetError

            await until(lambda: bench.printer.taken)
            stream.read = reset
            stream.say(b"x")
            await asyncio.wait_for(stream.task, 10)
            assert bench.printer.broken == [400]

    asyncio.run(main())


# Time


async def dribble(stream, data, pause_s=0.01):
    for byte in data:
        if stream.closed or stream.task.done():
            return
        stream.say(bytes([byte]))
        await asyncio.sleep(pause_s)


def test_a_slow_head_is_ended_and_blocks_nobody():
    async def main():
        async with Bench(head_ms=100, linger_ms=10) as bench:
            slow = bench.connect()
            writer = asyncio.create_task(dribble(slow, http_post(GET_REQUEST)))
            await until(lambda: not slow._pieces)
            quick = bench.connect(http_post(GET_REQUEST), eof=True)
            await asyncio.wait_for(quick.task, 10)
            assert answers(bytes(quick.sent))[0].ipp.operation == status.OK
            assert not slow.task.done()
            await asyncio.wait_for(slow.task, 10)
            assert answers(bytes(slow.sent))[0].status == 408
            assert slow.closed
            await writer

    asyncio.run(main())


def test_a_slow_body_is_ended_and_its_operation_told():
    async def main():
        async with Bench(body_ms=100, body_bytes=1000, linger_ms=10) as bench:
            request = http_post(ipp_request(TAKE) + b"d" * 1000)
            slow = bench.connect(request[:-900])
            await dribble(slow, request[-900:])
            await asyncio.wait_for(slow.task, 10)
            assert bench.printer.broken == [408]
            assert answers(bytes(slow.sent))[0].status == 408

    asyncio.run(main())


def test_a_body_at_the_least_rate_is_taken():
    async def main():
        async with Bench(body_ms=200, body_bytes=50) as bench:
            request = http_post(ipp_request(TAKE) + b"d" * 150)
            at = len(request) - 150
            stream = bench.connect(request[:at])
            await until(lambda: bench.printer.taken)
            for i in range(at, len(request), 10):
                stream.say(request[i : i + 10])
                await asyncio.sleep(0.02)
            await until(lambda: stream.sent)
            stream.hang_up()
            await stream.task
            assert bench.printer.taken == [b"d" * 150]

    asyncio.run(main())


def test_time_that_the_printer_takes_does_not_count():
    async def main():
        async with Bench(body_ms=30, head_ms=30, idle_ms=30) as bench:
            stream = bench.connect(http_post(ipp_request(WAIT)))
            await asyncio.sleep(0.15)
            assert not stream.task.done()
            bench.printer.waiting.set()
            await asyncio.wait_for(stream.task, 10)
            assert answers(bytes(stream.sent))[0].ipp.operation == status.OK

    asyncio.run(main())


def test_an_idle_connection_is_closed_without_a_word():
    async def main():
        async with Bench(idle_ms=30) as bench:
            silent = bench.connect()
            once = bench.connect(http_post(GET_REQUEST))
            await asyncio.wait_for(asyncio.gather(silent.task, once.task), 10)
            assert silent.sent == b"" and silent.closed
            assert len(answers(bytes(once.sent))) == 1 and once.closed

    asyncio.run(main())


def test_a_client_that_does_not_read_is_dropped():
    async def main():
        async with Bench(send_ms=30) as bench:
            stream = bench.connect(http_post(GET_REQUEST) * 2)
            stream.takes.clear()
            await asyncio.wait_for(stream.task, 10)
            assert stream.aborted

    asyncio.run(main())


# Limits


def test_too_many_connections_are_refused_and_room_is_made_when_one_idles():
    async def main():
        async with Bench(connections=2, evict_ms=60, linger_ms=10) as bench:
            busy = bench.connect(http_post(ipp_request(WAIT)))
            idle = bench.connect(http_post(GET_REQUEST))
            await until(lambda: idle.sent)
            refused = bench.connect(http_post(GET_REQUEST), eof=True)
            await asyncio.wait_for(refused.task, 10)
            [answer] = answers(bytes(refused.sent))
            assert answer.status == 503 and answer.headers["retry-after"] and answer.headers["connection"] == "close"
            await asyncio.sleep(0.07)
            served = bench.connect(http_post(GET_REQUEST), eof=True)
            await asyncio.wait_for(asyncio.gather(served.task, idle.task), 10)
            assert answers(bytes(served.sent))[0].ipp.operation == status.OK
            assert idle.closed and not busy.task.done()
            bench.printer.waiting.set()
            busy.hang_up()
            await busy.task

    asyncio.run(main())


def test_one_peer_does_not_take_all_connections():
    async def main():
        async with Bench(connections=6, peer_connections=3, linger_ms=10, evict_ms=1000000) as bench:
            first = [bench.connect(peer="192.0.2.1") for _ in range(3)]
            refused = bench.connect(peer="192.0.2.1", eof=True)
            await asyncio.wait_for(refused.task, 10)
            assert answers(bytes(refused.sent))[0].status == 503
            # there is room for somebody else; this computer may have all
            others = [bench.connect(http_post(GET_REQUEST), peer="192.0.2.2"), *[bench.connect() for _ in range(2)]]
            await until(lambda: others[0].sent)
            assert answers(bytes(others[0].sent))[0].ipp.operation == status.OK
            assert not any(stream.task.done() for stream in first + others)
            # one that idles gives way to the next of the same peer
            bench.server._settings.evict_ms = 0
            served = bench.connect(http_post(GET_REQUEST), peer="192.0.2.1", eof=True)
            await asyncio.wait_for(served.task, 10)
            assert answers(bytes(served.sent))[0].ipp.operation == status.OK
            assert sum(stream.task.done() for stream in first) == 1 and bench.server.connections == 5
            bench.server.close()
            await asyncio.gather(*[stream.task for stream in first + others])

    asyncio.run(main())


def test_close_ends_all_connections():
    async def main():
        async with Bench() as bench:
            streams = [bench.connect(), bench.connect(http_post(ipp_request(WAIT)))]
            await asyncio.sleep(0.02)
            bench.server.close()
            await asyncio.wait_for(asyncio.gather(*[stream.task for stream in streams]), 10)
            assert all(stream.closed for stream in streams)
            assert bench.printer.cancelled

    asyncio.run(main())


def test_a_stream_with_readinto_is_read_into_one_buffer():
    class Into(FakeStream):
        buffers = set()

        async def readinto(self, buf):
            self.buffers.add(id(buf.obj))
            data = await FakeStream.read(self, len(buf))
            buf[: len(data)] = data
            return len(data)

        async def read(self, n):
            raise AssertionError("it has readinto")

    async def main():
        data = http_post(GET_REQUEST) + http_chunked([ipp_request(TAKE), b"abc" * 500]) + http_post(ipp_request(TAKE) + b"d" * 2000)
        for size in (1, 10, 333, 5000):
            async with Bench(read_bytes=256) as bench:
                stream = Into(*[data[i : i + size] for i in range(0, len(data), size)])
                await bench.server.handle(stream, "", False)
                assert [answer.ipp.operation for answer in answers(bytes(stream.sent))] == [0, 0, 0]
                assert bench.printer.taken == [b"abc" * 500, b"d" * 2000]
        assert len(Into.buffers) <= 4

    asyncio.run(main())


# The page


def web(method, path, extra=""):
    return serve_one(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode())


def test_the_page():
    page = web("GET", "/?x=y")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert b"A &lt;printer&gt;" in page.body and b"idle &amp; cold" in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert web("GET", "/nothing").status == 404
    assert web("POST", "/", "Content-Length: 0\r\n").status == 405
    options = web("OPTIONS", "/")
    assert (options.status, options.headers["allow"]) == (200, "GET, HEAD, OPTIONS")
    options = web("OPTIONS", "/ipp/print3d")
    assert (options.status, options.headers["allow"]) == (200, "POST, OPTIONS")
    assert web("OPTIONS", "*").status == 200


def test_head_has_no_body():
    async def main():
        async with Bench() as bench:
            stream = bench.connect(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HEAD /no HTTP/1.1\r\nHost: localhost\r\n\r\n", eof=True)
            await stream.task
            first, second, end = bytes(stream.sent).split(b"\r\n\r\n")
            assert first.startswith(b"HTTP/1.1 200") and second.startswith(b"HTTP/1.1 404") and end == b""
            assert int(first.split(b"Content-Length: ")[1].split(b"\r")[0]) > 100

    asyncio.run(main())


def test_the_icon_and_its_age():
    icon = web("GET", "/icon.png")
    assert icon.body.startswith(b"\x89PNG") and icon.headers["last-modified"] == LAST_MODIFIED.decode()
    again = serve_one(b"GET /icon.png HTTP/1.1\r\nHost: localhost\r\nIf-Modified-Since: " + LAST_MODIFIED + b"\r\n\r\n")
    assert again.status == 304 and again.body == b""


def test_the_helper_sees_a_wrong_answer():
    with pytest.raises(AssertionError):
        helpers.decode(GET_REQUEST[:-1])
    with pytest.raises(AssertionError):
        answers(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
