"""Compressed documents and packages, whole and damaged: what comes out is what went in, or a fault that names the compression."""

import asyncio
import gzip
import io
import random
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.jobs import package
from hal import compat
from hal.errors import DataError
from tests.firmware.jobs.device_checker import GCODE, GOOD, Bench

TEXT = b"".join(b"G1 X%d.%03d Y%d F6000\n" % (i % 90, i * 7 % 1000, i % 70) for i in range(400))


class Stream:
    """A file in memory that gives at most `piece` bytes at a time."""

    def __init__(self, data, piece=4096):
        self.data = data
        self.at = 0
        self.piece = piece

    def seek(self, at):
        self.at = at

    def readinto(self, buf):
        part = self.data[self.at : self.at + min(len(buf), self.piece)]
        buf[: len(part)] = part
        self.at += len(part)
        return len(part)

    def close(self):
        pass


def read_all(reader, size=1000):
    out = bytearray()
    buf = bytearray(size)
    while n := reader.readinto(buf):
        out += buf[:n]
    return bytes(out)


def packed(kind, text):
    if kind == compat.GZIP:
        return gzip.compress(text, mtime=0)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15 if kind == compat.DEFLATE else 15)
    return packer.compress(text) + packer.flush()


KINDS = (compat.GZIP, compat.DEFLATE, compat.ZLIB)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.binary(max_size=3000), st.integers(1, 200), st.integers(1, 500))
def test_any_text_comes_out_of_any_split(kind, text, piece, size):
    assert read_all(compat.inflater(Stream(packed(kind, text), piece), kind), size) == text


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 10**6), st.integers(1, 255), st.integers(0, 40))
def test_damage_is_a_data_error_or_harmless(kind, at, change, cut):
    data = bytearray(packed(kind, TEXT))
    data[at % len(data)] ^= change
    try:
        out = read_all(compat.inflater(Stream(bytes(data[: len(data) - cut])), kind))
    except DataError:
        return
    if kind != compat.DEFLATE:
        # a checksum stands behind it; what is not covered by it (a gzip header's time, its flags) does no harm
        assert out == TEXT
    assert len(out) <= 1100 * len(data)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4000))
def test_random_bytes_are_a_data_error_or_bounded(data):
    for kind in KINDS:
        try:
            assert len(read_all(compat.inflater(Stream(data), kind))) <= 1100 * (len(data) + 1)
        except DataError:
            pass


def zipped(parts, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in parts:
            file.writestr(name, data)
    return out.getvalue()


def opened(data):
    return package.PlateReader(Stream(data), len(data))


names = st.text(st.sampled_from("abc/.-_Z"), min_size=1, max_size=30).filter(lambda name: not name.endswith(".gcode"))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, st.binary(max_size=300), max_size=8), st.binary(min_size=1, max_size=2000), st.booleans(), st.integers(1, 99))
def test_the_plate_of_any_package(others, text, deflated, size):
    parts = list(others.items()) + [("Metadata/plate_1.gcode", text)]
    data = zipped(parts, zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED)
    assert read_all(opened(data), size) == text


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 255), st.integers(0, 60), st.booleans())
def test_a_damaged_package_is_refused_or_whole(at, change, cut, deflated):
    data = bytearray(zipped([("3D/3dmodel.model", b"<model/>" * 20), ("Metadata/plate_1.gcode", TEXT)], 8 if deflated else 0))
    data[at % len(data)] ^= change
    data = bytes(data[: len(data) - cut])
    try:
        out = read_all(opened(data))
    except DataError:
        return
    assert out == TEXT


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_a_flipped_byte_is_told_as_such_not_as_an_error_of_the_text(compression):
    data = packed(compat.GZIP if compression == "gzip" else compat.ZLIB, TEXT + GOOD)
    rng = random.Random(5)
    begin = 10 if compression == "gzip" else 2

    async def body():
        bench = Bench()
        for at in rng.sample(range(begin, len(data)), 60):
            broken = bytearray(data)
            broken[at] ^= 1 << rng.randrange(8)
            job = bench.queue.create("j", "u", {})
            writer = bench.queue.open_document(job, GCODE, compression, "n")
            await writer.write(bytes(broken))
            await writer.close(True)
            await bench.checker.check(job)
            assert (job.state, job.reasons) == (8, ["aborted-by-system", "compression-error"]), (at, job.message)
            await bench.queue.tidy()

    asyncio.run(body())
