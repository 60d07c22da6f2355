"""Answers that are kept whole: the same as those that are made, and never those of a moment ago."""

import asyncio

import pytest

from firmware.ipp import attributes, registry_request, tags
from firmware.ipp.checks import PLAIN
from firmware.ipp.dispatch import Dispatcher
from firmware.net import server
from hal import compat
from tests.firmware.helpers_ipp import FakeStream, HttpAnswer, http_chunked, http_post, ipp_request
from tests.firmware.ipp.helpers_objects import make_printer

GET = 0x0B
STATE = ("requested-attributes", [(tags.KEYWORD, "printer-state"), (tags.KEYWORD, "printer-is-accepting-jobs")])
ASK = http_post(ipp_request(GET, STATE))


class QuickStream(FakeStream):
    """Shows what comes to who asked for it, as the desktop's streams do; `quick` counts what was answered so."""

    def __init__(self):
        super().__init__(eof=False)
        self._answer = None
        self.quick = 0

    def at_once(self, answer):
        self._answer = answer

    def say(self, data):
        if self._answer is not None:
            octets = self._answer(data)
            if octets is not None:
                self.quick += 1
                self.write(octets)
                return
            self._answer = None
        super().say(data)


class Bench:
    def __init__(self, monkeypatch):
        self.second = 1790000000
        monkeypatch.setattr(compat, "unix_s", lambda: self.second)
        self.printer = make_printer()
        dispatcher = Dispatcher(self.printer.table, self.printer, self.printer.queue.get, attributes.syntaxes(registry_request.ROWS))
        self.server = server.Server(dispatcher, server.desktop_settings(8))
        self.streams = []

    def connect(self, peer="127.0.0.1"):
        stream = QuickStream()
        self.streams.append(stream)
        stream.task = asyncio.create_task(self.server.handle(stream, peer, False))
        return stream

    async def ask(self, stream, data=ASK):
        for _ in range(3):
            await asyncio.sleep(0)  # until the server listens
        stream.sent.clear()
        stream.say(data)
        while True:
            try:
                return HttpAnswer(bytes(stream.sent))
            except (AssertionError, ValueError):
                assert not stream.task.done()
                await asyncio.sleep(0)

    def run(self, test):
        async def main():
            try:
                await test(self)
            finally:
                for stream in self.streams:
                    stream.hang_up()
                    await stream.task

        asyncio.run(main())


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def state(answer):
    return dict(answer.ipp.group(tags.PRINTER_GROUP))


def test_a_kept_answer_is_the_one_that_was_made(bench):
    async def test(bench):
        stream = bench.connect()
        made = await bench.ask(stream)
        kept = await bench.ask(stream)
        assert stream.quick == 1
        assert (kept.body, kept.headers) == (made.body, made.headers)
        other = await bench.ask(stream, http_post(ipp_request(GET, STATE, request_id=77)))
        assert stream.quick == 2
        assert other.ipp.request_id == 77 and state(other) == state(made)
        # another connection of the same computer
        again = bench.connect()
        assert (await bench.ask(again)).body == made.body and again.quick == 1

    bench.run(test)


@pytest.mark.parametrize("change", ["state", "accepting", "settings", "material", "second"])
def test_what_has_changed_is_told(bench, change):
    async def test(bench):
        printer = bench.printer
        stream = bench.connect()
        asked = http_post(ipp_request(GET))
        before = await bench.ask(stream, asked)
        await bench.ask(stream, asked)
        assert stream.quick == 1
        if change == "state":
            printer.runner.status.printer_state = 5
        elif change == "accepting":
            printer.queue.set_flag(1, True) if not printer.queue.flag(1) else printer.queue.set_flag(1, False)
        elif change == "settings":
            await printer.change({"info": "another"})
        elif change == "material":
            printer.materials.loaded = printer.materials.database[-1]
        else:
            bench.second += 1
        after = await bench.ask(stream, asked)
        assert stream.quick == 1
        assert after.headers["date"] != before.headers["date"] if change == "second" else after.body != before.body
        await bench.ask(stream, asked)
        await bench.ask(stream, asked)
        assert stream.quick >= 2

    bench.run(test)


def test_what_was_not_asked_for_may_change(bench):
    async def test(bench):
        stream = bench.connect()
        await bench.ask(stream)
        bench.printer.runner.status.position_um = [1000, 2000, 3000]
        bench.printer.machine.clock.now = getattr(bench.printer.machine.clock, "now", 0) + 5
        await bench.ask(stream)
        assert stream.quick == 1

    bench.run(test)


@pytest.mark.parametrize(
    "data",
    [
        http_post(ipp_request(GET, STATE), extra="Authorization: Basic YTpi\r\n"),
        http_post(ipp_request(GET, STATE), extra="Expect: 100-continue\r\n"),
        http_chunked([ipp_request(GET, STATE)]),
        http_post(ipp_request(0x0A)),
        http_post(ipp_request(GET, ("requested-attributes", [(tags.INTEGER, 1)]))),
        http_post(ipp_request(GET, ("no-such-attribute", [(tags.INTEGER, 1)]))),
        http_post(ipp_request(GET, STATE, request_id=0)),
    ],
    ids=["credentials", "expectation", "chunked", "another operation", "refused", "something ignored", "request-id 0"],
)
def test_what_is_not_kept(bench, data):
    async def test(bench):
        stream = bench.connect()
        first = await bench.ask(stream, data)
        second = await bench.ask(stream, data)
        assert stream.quick == 0 and second.body == first.body

    bench.run(test)


def test_a_request_with_more_behind_it_is_read(bench):
    async def test(bench):
        stream = bench.connect()
        await bench.ask(stream)
        first = await bench.ask(stream, ASK + ASK)
        assert stream.quick == 0
        while not first.rest:
            await asyncio.sleep(0)
            first = HttpAnswer(bytes(stream.sent))
        assert HttpAnswer(first.rest).body == first.body

    bench.run(test)


def test_a_request_with_a_wrong_id_is_refused_all_the_same(bench):
    async def test(bench):
        stream = bench.connect()
        await bench.ask(stream)
        answer = await bench.ask(stream, http_post(ipp_request(GET, STATE, request_id=0)))
        assert answer.ipp.operation == 0x0400

    bench.run(test)


def test_others_are_told_what_holds_for_them(bench):
    class Access:
        def offers(self, peer, tls):
            return PLAIN

        def check_transport(self, request, peer, tls):
            from firmware.ipp.status import Refusal

            if peer != "127.0.0.1":
                raise Refusal(426)

        async def identify(self, authorization, peer, tls):
            return None

        def note(self, ctx, code):
            pass

    bench.server._access = Access()

    async def test(bench):
        here, there = bench.connect(), bench.connect("192.0.2.1")
        await bench.ask(here)
        await bench.ask(here)
        assert here.quick == 1
        assert (await bench.ask(there)).status == 426

    bench.run(test)


def test_how_many_are_kept_is_bounded(bench):
    async def test(bench):
        stream = bench.connect()
        for i in range(300):
            await bench.ask(stream, http_post(ipp_request(GET, STATE, user="user%d" % i)))
        (answers,) = bench.server._quick.values()
        assert len(answers._kept) <= 64

    bench.run(test)
