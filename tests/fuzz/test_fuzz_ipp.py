"""Invariants: whatever bytes come, only the decoders' own errors escape, every split gives the same outcome, what is kept stays below
its ceiling, and the server answers in whole HTTP messages that hold whole IPP messages.

Mutations of good messages, by a seed that a failure prints; FUZZ_SECONDS=60 runs longer (`make fuzz`).
"""

import asyncio
import os
import random
import sys
import time

import pytest

from firmware.ipp import attributes, codec, registry_request, tags
from firmware.ipp.checks import JOB, PRINTER
from firmware.ipp.dispatch import Dispatcher
from firmware.ipp.status import IppError
from firmware.net import http1, server
from tests.firmware.helpers_ipp import FakeStream, answers, http_chunked, http_post, ipp_request

SECONDS = float(os.environ.get("FUZZ_SECONDS", "1"))
ROUNDS = 400
SYNTAXES = {row[attributes.NAME]: row[attributes.SYNTAX] for row in attributes.rows(registry_request.ROWS)}

NESTED = [("a", [(tags.INTEGER, 1), (tags.KEYWORD, b"k")]), ("b", [(tags.COLLECTION, [("c", [(tags.RANGE, (1, 2))])])])]
TICKET = [(2, [("materials-col", [(tags.COLLECTION, NESTED)] * 2)])]
MESSAGES = [
    ipp_request(0x0B, ("requested-attributes", [(tags.KEYWORD, b"all"), (tags.KEYWORD, b"printer-state")])),
    ipp_request(0x05, ("job-name", [(tags.NAME_LANG, (b"de", b"Teil"))]), groups=TICKET),
    ipp_request(0x06, ("job-id", [(tags.INTEGER, 1)]), ("last-document", [(tags.BOOLEAN, True)])) + b"G28\nG1 X1\n" * 20,
    ipp_request(0x0A, ("limit", [(tags.INTEGER, 5)]), ("x", [(0x7F, b"\0\0\0\1abc")]), groups=[(15, [("y", [(0x12, None)])])]),
]
HTTP = [
    http_post(MESSAGES[0]),
    http_post(MESSAGES[2], extra="Expect: 100-continue\r\nConnection: keep-alive\r\n") + http_post(MESSAGES[0]),
    http_chunked([MESSAGES[2][:20], MESSAGES[2][20:]], extra="X-Odd: 1\r\n") + b"GET / HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n" + http_post(MESSAGES[1], path="/ipp/print3d/7"),
]
INTERESTING = [
    *(b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\x7f\xff", b"\0\0", b"\x01", b"\x03", b"\x34", b"\x37", b"\x4a"),
    *(b"\x4a\0\0\0\1a", b"\x34\0\0\0\0", b"\r\n", b"\n", b"\r\n\r\n", b":", b" ", b"0", b"ffffffff", b"HTTP/1.1"),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"),
]


def mutate(data, rng, others):
    """A few changes: bits, bytes, pieces deleted, doubled, moved in from another message."""
    data = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 1, 2, 4, 30))
        kind = rng.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = data[at : at + size] * rng.choice((1, 2, 50))
        elif kind == 4:
            data[at : at + rng.choice((0, 1, 2))] = rng.choice(INTERESTING)
        else:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            data[at:at] = other[start : start + rng.choice((1, 8, 100))]
    return bytes(data[:20000])


def split(data, rng):
    longest = rng.choice((1, 2, 7, 64, 1000, 100000))
    pieces = []
    at = 0
    while at < len(data):
        size = rng.randint(1, longest)
        pieces.append(data[at : at + size])
        at += size
    return pieces


def rounds():
    """Random generators, each with a seed of its own: at least ROUNDS of them, and as long as SECONDS."""
    seed = int.from_bytes(os.urandom(4), "big")
    end = time.monotonic() + SECONDS
    count = 0
    while count < ROUNDS or time.monotonic() < end:
        print("seed", seed + count, file=sys.stderr)
        yield random.Random(seed + count)
        count += 1


LIMITS = codec.Limits(attribute_bytes=2000, items=60, depth=4)


def decode_ipp(pieces, make):
    decoder = make(LIMITS)
    rest = b""
    done = False
    try:
        for piece in pieces:
            if done:
                rest += piece
            elif decoder.feed(piece):
                done = True
                rest = bytes(decoder.rest)
            assert len(decoder._part) <= LIMITS.attribute_bytes
        if not done:
            decoder.end()
    except IppError as error:
        return error.status
    request = decoder.request
    return request.version, request.operation, request.request_id, request.groups, request.too_long, rest


def encode_again(groups):
    """Values that the decoder gave are values that the encoder takes."""
    for _, members in groups:
        for name, values in members:
            codec.attribute_of(name, values)


def fuzz_ipp(make):
    outcomes = set()
    for rng in rounds():
        data = mutate(rng.choice(MESSAGES), rng, MESSAGES)
        whole = decode_ipp([data], make)
        assert decode_ipp(split(data, rng), make) == whole
        if isinstance(whole, tuple):
            encode_again(whole[3])
        outcomes.add(whole if isinstance(whole, int) else 0)
    # a fuzzer that only ever sees one of them tests nothing
    assert {0, 0x0400}.issubset(outcomes)


def test_ipp_decoder():
    fuzz_ipp(codec.Decoder)


def test_the_fuzzer_sees_a_fault():
    """A negative control: a decoder that slices before it looks is found."""

    class Careless(codec.Decoder):
        def _value(self, tag, buf, start, end, length):
            if tag == tags.BOOLEAN:
                return buf[start] == 1 or buf[end + 100] == 0
            return codec.Decoder._value(self, tag, buf, start, end, length)

    with pytest.raises((AssertionError, IndexError)):
        fuzz_ipp(Careless)


def decode_http(pieces, limits=http1.Limits(line=300, head=1000, headers=20)):  # noqa: B008
    connection = http1.Connection(limits)
    pieces = pieces + [b""]
    found = []
    try:
        while True:
            event = connection.next_event()
            if event == http1.REQUEST:
                found.append([vars(connection.request), b""])
            elif event == http1.DATA:
                found[-1][1] += bytes(connection.data)
            elif event == http1.END:
                found[-1].append("end")
                connection.next_request()
            elif event == http1.CLOSED:
                return found, 0
            else:
                kept = len(connection._buf) - connection._pos
                assert kept <= 1000
                connection.feed(pieces.pop(0))
    except http1.HttpError as error:
        return found, error.status


def test_http_decoder():
    outcomes = set()
    for rng in rounds():
        data = mutate(rng.choice(HTTP), rng, HTTP)
        whole = decode_http([data])
        assert decode_http(split(data, rng)) == whole
        outcomes.add(whole[1])
    assert {0, 400}.issubset(outcomes)


class Printer:
    async def get(self, ctx):
        return codec.Response().add(tags.PRINTER_GROUP, [codec.attribute(tags.NAME, "user", [codec.clip(ctx.user, 255)])] * 30)

    async def take(self, ctx):
        size = 0
        while piece := await ctx.body.read():
            size += len(piece)
        return codec.Response().add(tags.JOB_GROUP, [codec.attribute(tags.INTEGER, "size", [size])])


def test_server(capfd):
    printer = Printer()
    operations = {0x0B: (printer.get, PRINTER), 0x05: (printer.get, PRINTER), 0x06: (printer.take, JOB), 0x0A: (printer.get, PRINTER)}
    settings = server.Settings()
    settings.ipp = LIMITS
    settings.linger_ms = 1
    statuses = set()

    async def one(rng):
        data = mutate(rng.choice(HTTP), rng, HTTP)
        stream = FakeStream(*split(data, rng))
        running = server.Server(Dispatcher(operations, None, {1: "a job"}.get, SYNTAXES), settings)
        await asyncio.wait_for(running.handle(stream, "127.0.0.1", False), 10)
        assert stream.closed and running.connections == 0
        sent = bytes(stream.sent)
        for answer in answers(sent.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")):
            statuses.add(answer.status)
            if answer.headers.get("content-type") == "application/ipp":
                statuses.add(answer.ipp.operation)

    for rng in rounds():
        asyncio.run(one(rng))
    assert {200, 400, 0, 0x0400}.issubset(statuses)
    assert 0x0500 not in statuses
    assert "Traceback" not in capfd.readouterr().err
