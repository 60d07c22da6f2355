import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.ipp import codec, status, tags
from firmware.ipp.status import IppError
from tests.firmware import helpers_ipp as helpers

HEADER = b"\x02\x00\x00\x0b\x00\x00\x00\x07"


def item(tag, name, value):
    return struct.pack(">BH", tag, len(name)) + name + struct.pack(">H", len(value)) + value


def outcome(*pieces, limits=None):
    """(header, groups, too_long, rest) of a message fed in pieces, or its header and the error's status."""
    decoder = codec.Decoder(limits)
    rest = b""
    done = False
    try:
        for piece in pieces:
            if done:
                rest += piece
            elif decoder.feed(piece):
                done = True
                rest = bytes(decoder.rest)
        if not done:
            decoder.end()
    except IppError as error:
        request = decoder.request
        return request and (request.version, request.operation, request.request_id), error.status
    request = decoder.request
    return (request.version, request.operation, request.request_id), request.groups, request.too_long, rest


def refusal(*parts, limits=None):
    """Status of a message with these octets behind its header, or None."""
    result = outcome(HEADER + b"".join(parts), limits=limits)
    return result[1] if isinstance(result[1], int) else None


def values_of(*items):
    return outcome(HEADER + b"\x01" + b"".join(items) + b"\x03")[1][0][1]


# The request of RFC 8010 section A.1 (Print-Job), cut after the template attributes, byte by byte
RFC_8010_A1 = (
    b"\x01\x01\x00\x02\x00\x00\x00\x01"
    b"\x01"
    b"\x47\x00\x12attributes-charset\x00\x05utf-8"
    b"\x48\x00\x1battributes-natural-language\x00\x05en-us"
    b"\x45\x00\x0bprinter-uri\x00\x2cipp://printer.example.com/ipp/print/pinetree"
    b"\x42\x00\x08job-name\x00\x06foobar"
    b"\x22\x00\x16ipp-attribute-fidelity\x00\x01\x01"
    b"\x02"
    b"\x21\x00\x06copies\x00\x04\x00\x00\x00\x14"
    b"\x44\x00\x05sides\x00\x13two-sided-long-edge"
    b"\x03"
    b"%!PDF..."
)


def test_the_example_of_rfc_8010():
    header, groups, too_long, rest = outcome(RFC_8010_A1)
    assert header == ((1, 1), 2, 1)
    assert groups == [
        (
            1,
            [
                ("attributes-charset", [(0x47, b"utf-8")]),
                ("attributes-natural-language", [(0x48, b"en-us")]),
                ("printer-uri", [(0x45, b"ipp://printer.example.com/ipp/print/pinetree")]),
                ("job-name", [(0x42, b"foobar")]),
                ("ipp-attribute-fidelity", [(0x22, True)]),
            ],
        ),
        (2, [("copies", [(0x21, 20)]), ("sides", [(0x44, b"two-sided-long-edge")])]),
    ]
    assert too_long is None
    assert rest == b"%!PDF..."
    assert codec.message(header[0], header[1], header[2], groups) + rest == RFC_8010_A1


def test_every_syntax():
    groups = [
        (
            tags.PRINTER_GROUP,
            [
                ("integer", [(tags.INTEGER, -0x80000000), (tags.INTEGER, 0x7FFFFFFF), (tags.ENUM, 3)]),
                ("boolean", [(tags.BOOLEAN, True), (tags.BOOLEAN, False)]),
                ("range", [(tags.RANGE, (-5, 5))]),
                ("resolution", [(tags.RESOLUTION, (300, 600, 3))]),
                ("date", [(tags.DATETIME, b"\x07\xea\x0b\x18\x0e\x0f\x00\x00+\x00\x00")]),
                ("text", [(tags.TEXT, "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n".encode()), (tags.TEXT_LANG, (b"de", b"gr"))]),
                ("octets", [(tags.OCTETS, b"\0\xff")]),
                ("unknown", [(0x3F, b"kept"), (tags.EXTENSION, b"\x40\0\0\1rest")]),
                ("none", [(tags.NO_VALUE, None)]),
                ("empty", [(tags.TEXT, b"")]),
                (
                    "collection",
                    [
                        (tags.COLLECTION, [("a", [(tags.INTEGER, 1), (tags.KEYWORD, b"k")]), ("b", [(tags.COLLECTION, [])])]),
                        (tags.COLLECTION, [("c", [(tags.COLLECTION, [("d", [(tags.NO_VALUE, None)])]), (tags.INTEGER, 2)])]),
                    ],
                ),
                ("after", [(tags.INTEGER, 1)]),
            ],
        ),
        (tags.JOB_GROUP, []),
    ]
    data = codec.message((2, 0), 0x000B, 77, groups)
    assert outcome(data) == (((2, 0), 0x000B, 77), groups, None, b"")


@pytest.mark.parametrize(
    "parts",
    [
        # lengths
        [b"\x01", b"\x21\xff\xff"],
        [b"\x01", b"\x21\x01\x00", b"n" * 256, b"\x00\x04\0\0\0\0", b"\x03"],
        [b"\x01", b"\x21\x00\x01n\xff\xff"],
        [b"\x01", b"\x21\x00\x01n\x00\x10abc\x03"],
        [b"\x01", item(tags.INTEGER, b"n", b"\0\0\0"), b"\x03"],
        [b"\x01", item(tags.INTEGER, b"n", b"\0\0\0\0\0"), b"\x03"],
        [b"\x01", item(tags.ENUM, b"n", b""), b"\x03"],
        [b"\x01", item(tags.BOOLEAN, b"n", b"\x07"), b"\x03"],
        [b"\x01", item(tags.BOOLEAN, b"n", b""), b"\x03"],
        [b"\x01", item(tags.RANGE, b"n", b"\0" * 7), b"\x03"],
        [b"\x01", item(tags.RANGE, b"n", b"\0\0\0\5\0\0\0\4"), b"\x03"],
        [b"\x01", item(tags.RESOLUTION, b"n", b"\0" * 8), b"\x03"],
        [b"\x01", item(tags.DATETIME, b"n", b"\0" * 10), b"\x03"],
        [b"\x01", item(tags.EXTENSION, b"n", b"\0" * 3), b"\x03"],
        [b"\x01", item(tags.TEXT_LANG, b"n", b"\0\x02en"), b"\x03"],
        [b"\x01", item(tags.TEXT_LANG, b"n", b"\0\x02en\0\x05text"), b"\x03"],
        [b"\x01", item(tags.NAME_LANG, b"n", b"\0\x02en\0\x03text"), b"\x03"],
        [b"\x01", item(tags.NAME_LANG, b"n", b"\xff\xffen\0\x03text"), b"\x03"],
        # order
        [item(tags.INTEGER, b"n", b"\0\0\0\1"), b"\x03"],
        [b"\x01", item(tags.INTEGER, b"", b"\0\0\0\1"), b"\x03"],
        [b"\x01", item(tags.INTEGER, b"n", b"\0\0\0\1"), b"\x02", item(tags.INTEGER, b"", b"\0\0\0\1"), b"\x03"],
        [b"\x00\x03"],
        [b"\x01", item(tags.NO_VALUE, b"n", b""), item(tags.INTEGER, b"", b"\0\0\0\1"), b"\x03"],
        [b"\x01", item(tags.INTEGER, b"n", b"\0\0\0\1"), item(tags.UNKNOWN, b"", b""), b"\x03"],
        [b"\x01", item(tags.INTEGER, b"\xff\xfe", b"\0\0\0\1"), b"\x03"],
        # end
        [],
        [b"\x01"],
        [b"\x01", item(tags.INTEGER, b"n", b"\0\0\0\1")],
        # collections
        [b"\x01", item(tags.COLLECTION, b"c", b""), b"\x03"],
        [b"\x01", item(tags.COLLECTION, b"c", b""), b"\x02"],
        [b"\x01", item(tags.COLLECTION, b"c", b"x"), item(tags.END_COLLECTION, b"", b""), b"\x03"],
        [b"\x01", item(tags.END_COLLECTION, b"", b""), b"\x03"],
        [b"\x01", item(tags.MEMBER, b"", b"m"), b"\x03"],
        [b"\x01", item(tags.COLLECTION, b"c", b""), item(tags.INTEGER, b"", b"\0\0\0\1"), item(tags.END_COLLECTION, b"", b""), b"\x03"],
        [b"\x01", item(tags.COLLECTION, b"c", b""), item(tags.MEMBER, b"", b"m"), item(tags.END_COLLECTION, b"", b""), b"\x03"],
        [b"\x01", item(tags.COLLECTION, b"c", b""), item(tags.MEMBER, b"", b""), item(tags.INTEGER, b"", b"\0\0\0\1")],
        [b"\x01", item(tags.COLLECTION, b"c", b""), item(tags.MEMBER, b"n", b"m"), item(tags.INTEGER, b"", b"\0\0\0\1")],
        [b"\x01", item(tags.COLLECTION, b"c", b""), item(tags.MEMBER, b"", b"m"), item(tags.INTEGER, b"n", b"\0\0\0\1")],
        [b"\x01", item(tags.COLLECTION, b"c", b""), item(tags.MEMBER, b"", b"m"), item(tags.MEMBER, b"", b"o")],
        [b"\x01", item(tags.COLLECTION, b"c", b"")] + [item(tags.MEMBER, b"", b"m"), item(tags.INTEGER, b"", b"\0\0\0\1")] * 2,
        [b"\x01", item(tags.COLLECTION, b"c", b""), item(tags.MEMBER, b"", b"m"), item(tags.COLLECTION, b"x", b"")],
        [b"\x01", item(tags.COLLECTION, b"c", b"")] + [item(tags.MEMBER, b"", b"m"), item(tags.COLLECTION, b"", b"")] * 8,
    ],
)
def test_malformed_messages_are_bad_requests(parts):
    data = HEADER + b"".join(parts)
    whole = outcome(data)
    assert whole == (((2, 0), 0x0B, 7), status.BAD_REQUEST)
    assert outcome(*[data[i : i + 1] for i in range(len(data))]) == whole


def test_a_message_shorter_than_its_header_has_no_request_id():
    assert outcome(HEADER[:7]) == (None, status.BAD_REQUEST)


@pytest.mark.parametrize(
    "tag, longest", [(tags.TEXT, 1023), (tags.NAME, 255), (tags.KEYWORD, 255), (tags.URI, 1023), (tags.CHARSET, 63), (tags.OCTETS, 1023)]
)
def test_values_longer_than_their_syntax_are_noted_and_dropped(tag, longest):
    assert outcome(HEADER + b"\x01" + item(tag, b"n", b"x" * longest) + b"\x03")[2] is None
    result = outcome(HEADER + b"\x01" + item(tag, b"n", b"x" * (longest + 1)) + b"\x03")
    assert result[1:3] == ([(1, [("n", [(tag, b"")])])], "n")


def test_the_name_of_an_overlong_member_is_its_attributes():
    parts = item(tags.COLLECTION, b"c", b"") + item(tags.MEMBER, b"", b"m") + item(tags.NAME, b"", b"x" * 256)
    assert outcome(HEADER + b"\x01" + parts + item(tags.END_COLLECTION, b"", b"") + b"\x03")[2] == "c"


def test_reserved_tags_are_kept_and_out_of_band_values_dropped():
    assert values_of(item(0x2A, b"n", b"abc")) == [("n", [(0x2A, b"abc")])]
    assert values_of(item(0x5F, b"n", b"abc")) == [("n", [(0x5F, b"abc")])]
    assert values_of(item(tags.UNKNOWN, b"n", b"abc")) == [("n", [(tags.UNKNOWN, None)])]
    assert values_of(item(0x1F, b"n", b"")) == [("n", [(0x1F, None)])]


def test_groups_that_are_not_known_are_kept():
    assert outcome(HEADER + b"\x01\x0f" + item(tags.INTEGER, b"n", b"\0\0\0\1") + b"\x03")[1] == [(1, []), (15, [("n", [(0x21, 1)])])]


def test_attributes_have_a_ceiling_and_documents_have_none():
    limits = codec.Limits(attribute_bytes=100, items=1000)
    fits = HEADER + b"\x01" + item(tags.OCTETS, b"n", b"x" * (100 - 8 - 1 - 1 - 6)) + b"\x03"
    assert len(fits) == 100
    assert outcome(fits + b"d" * 1000, limits=limits)[3] == b"d" * 1000
    longer = HEADER + b"\x01" + item(tags.OCTETS, b"n", b"x" * (100 - 8 - 1 - 6)) + b"\x03"
    for data in (longer, HEADER + b"\x01" * 200, HEADER + b"\x01" + item(tags.INTEGER, b"n", b"\0\0\0\1") * 10):
        whole = outcome(data, limits=limits)
        assert whole[1] == status.TOO_LARGE
        for at in range(len(data)):
            assert outcome(data[:at], data[at:], limits=limits) == whole


def test_items_have_a_ceiling():
    one = item(tags.INTEGER, b"n", b"\0\0\0\1")
    assert refusal(b"\x01", one * 9, b"\x03", limits=codec.Limits(items=10)) is None
    assert refusal(b"\x01", one * 10, b"\x03", limits=codec.Limits(items=10)) == status.TOO_LARGE
    assert refusal(b"\x01\x02" * 6, b"\x03", limits=codec.Limits(items=10)) == status.TOO_LARGE


def test_an_unfinished_item_is_all_that_is_kept():
    decoder = codec.Decoder(codec.Limits(attribute_bytes=5000))
    decoder.feed(HEADER + b"\x01" + item(tags.TEXT, b"n", b"x" * 1000) * 3 + b"\x41\0\1n\x03\xff" + b"y" * 100)
    assert len(decoder._part) == 106


def test_the_document_is_not_copied_needlessly():
    decoder = codec.Decoder()
    data = HEADER + b"\x01\x03" + b"d" * 10000
    assert decoder.feed(data)
    assert isinstance(decoder.rest, memoryview) and decoder.rest.obj is data


# Properties

names = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=20)
integers = st.integers(-0x80000000, 0x7FFFFFFF)
plain = st.one_of(
    st.tuples(st.sampled_from([tags.INTEGER, tags.ENUM]), integers),
    st.tuples(st.just(tags.BOOLEAN), st.booleans()),
    st.tuples(st.just(tags.RANGE), st.tuples(integers, integers).map(lambda pair: tuple(sorted(pair)))),
    st.tuples(st.just(tags.RESOLUTION), st.tuples(integers, integers, st.integers(0, 255))),
    st.tuples(st.just(tags.DATETIME), st.binary(min_size=11, max_size=11)),
    st.tuples(st.sampled_from([tags.TEXT, tags.URI, tags.OCTETS, tags.KEYWORD, tags.NAME, 0x3E, 0x50]), st.binary(max_size=255)),
    st.tuples(st.sampled_from([tags.TEXT_LANG, tags.NAME_LANG]), st.tuples(st.binary(max_size=20), st.binary(max_size=200))),
    st.tuples(st.just(tags.EXTENSION), st.binary(min_size=4, max_size=30)),
)
out_of_band = st.tuples(st.sampled_from([0x10, 0x12, 0x13, 0x15, 0x16, 0x17]), st.none()).map(lambda value: [value])


def collections(value):
    members = st.lists(
        st.tuples(names, st.one_of(st.lists(value, min_size=1, max_size=3), out_of_band)), max_size=4, unique_by=lambda member: member[0]
    )
    return st.tuples(st.just(tags.COLLECTION), members)


any_value = st.recursive(plain, collections, max_leaves=8)
attribute = st.tuples(names, st.one_of(st.lists(any_value, min_size=1, max_size=4), out_of_band))
group = st.tuples(st.sampled_from([1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 15]), st.lists(attribute, max_size=4))


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.integers(0, 255), st.integers(0, 255)),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.lists(group, max_size=4),
    st.binary(max_size=20),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_what_is_encoded_is_decoded_in_every_split(version, operation, request_id, groups, document, sizes):
    limits = codec.Limits(1 << 20, 100000, 64)
    data = codec.message(version, operation, request_id, groups) + document
    whole = outcome(data, limits=limits)
    assert whole == ((version, operation, request_id), groups, None, document)
    pieces = []
    at = i = 0
    while at < len(data):
        pieces.append(data[at : at + sizes[i % len(sizes)]])
        at += len(pieces[-1])
        i += 1
    assert outcome(*pieces, limits=limits) == whole


# Encoder


@pytest.mark.parametrize(
    "tag, values",
    [
        (tags.INTEGER, [1 << 31]),
        (tags.RANGE, [(0, 1 << 31)]),
        (tags.TEXT, [b"x" * 32768]),
        (tags.KEYWORD, []),
        (tags.COLLECTION, [[("m", [])]]),
    ],
)
def test_what_does_not_fit_is_not_encoded(tag, values):
    with pytest.raises(ValueError):
        codec.attribute(tag, "n", values)


def test_names_that_do_not_fit():
    for name in ("", "n" * 256):
        with pytest.raises(ValueError):
            codec.attribute(tags.INTEGER, name, [1])


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40), st.integers(0, 60))
def test_clip_cuts_between_characters(text, octets):
    clipped = codec.clip(text, octets)
    assert len(clipped) <= octets
    assert text.startswith(clipped.decode())
    assert len(clipped) > octets - 4 or clipped == text.encode()


def test_an_answer():
    response = codec.Response(status.OK_IGNORED, "Well.")
    response.unsupported.append(codec.attribute(tags.UNSUPPORTED, "odd", []))
    response.add(tags.JOB_GROUP, [codec.attribute(tags.INTEGER, "job-id", [1])]).add(tags.JOB_GROUP, iter([]))
    message = helpers.decode(b"".join(response.pieces((1, 1), 99)))
    assert (message.version, message.operation, message.request_id) == ((1, 1), status.OK_IGNORED, 99)
    assert message.groups == [
        (
            1,
            [
                ("attributes-charset", [(tags.CHARSET, b"utf-8")]),
                ("attributes-natural-language", [(tags.LANGUAGE, b"en")]),
                ("status-message", [(tags.TEXT, b"Well.")]),
            ],
        ),
        (5, [("odd", [(tags.UNSUPPORTED, None)])]),
        (2, [("job-id", [(tags.INTEGER, 1)])]),
        (2, []),
    ]
