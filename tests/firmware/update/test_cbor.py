"""The strict CBOR reader: what cbor2 encodes canonically is read back; everything that is not deterministic is refused."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.update import cbor
from firmware.update.cbor import CborError, EndsTooSoon, Reader


@given(st.integers(0, 2**32 - 1))
def test_numbers(value):
    data = cbor2.dumps(value)
    assert Reader(data).unsigned() == value
    assert Reader(cbor2.dumps(-1 - value)).integer() == -1 - value
    for end in range(len(data)):
        with pytest.raises(EndsTooSoon):
            Reader(data[:end]).unsigned()


@given(st.binary(max_size=300), st.binary(max_size=3))
def test_octets(value, behind):
    reader = Reader(cbor2.dumps(value) + behind)
    assert reader.octets() == value
    inside = Reader(cbor2.dumps(value) + behind).inside()
    assert inside.data[inside.at : inside.end] == value
    if behind:
        with pytest.raises(CborError, match="bytes behind the end"):
            reader.done()
    else:
        reader.done()


@given(st.text(max_size=60))
def test_text(value):
    assert Reader(cbor2.dumps(value)).text(240) == value


@pytest.mark.parametrize(
    "data",
    [
        "1817",  # 23 in two bytes
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "1b0000000100000000",  # right, but larger than anything here
        "1c", "1d", "1e", "1f",
        "5f4101ff",  # indefinite lengths
        "9f01ff",
        "bf0101ff",
        "f97e00",  # floats
        "5818" + "00" * 23,  # longer than what there is
    ],
)  # fmt: skip
def test_what_is_refused(data):
    reader = Reader(bytes.fromhex(data))
    with pytest.raises(CborError):
        if reader.peek() == cbor.UNSIGNED:
            reader.unsigned()
        elif reader.peek() == cbor.OCTETS:
            reader.octets()
        elif reader.peek() == cbor.ARRAY:
            reader.array(1)
        elif reader.peek() == cbor.MAP:
            reader.map(5)
        else:
            reader.simple(cbor.NULL)


def test_another_type_or_value():
    for data, read in (
        (1, lambda r: r.octets()),
        (b"ab", lambda r: r.octets(3)),
        ("abc", lambda r: r.text(2)),
        ([1, 2], lambda r: r.array(3)),
        ({1: 2, 3: 4}, lambda r: r.map(1)),
        (5, lambda r: r.exactly(6)),
        (5, lambda r: r.unsigned(4)),
        (True, lambda r: r.simple(cbor.NULL)),
        (cbor2.CBORTag(18, 0), lambda r: r.tag(107)),
    ):
        with pytest.raises(CborError) as caught:
            read(Reader(cbor2.dumps(data)))
        assert not isinstance(caught.value, EndsTooSoon)
    with pytest.raises(CborError, match="UTF-8"):
        Reader(b"\x62\xff\xff").text(5)


@given(st.lists(st.one_of(st.integers(-600, 600), st.binary(max_size=3)), min_size=2, max_size=6))
def test_order_of_keys(keys):
    encoded = [cbor2.dumps(key) for key in keys]
    order = cbor.Order()
    rises = all(a < b for a, b in zip(encoded, encoded[1:]))
    try:
        for one in encoded:
            order.note(one)
        assert rises
    except CborError:
        assert not rises
