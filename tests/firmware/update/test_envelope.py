"""Envelopes and manifests: what tools/firmware builds is read and trusted; whatever differs from it by anything is not."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.update import envelope, manifest
from tests.firmware.update import helpers_vectors as vectors
from tools.firmware import envelope as builder

KEYS = [vectors.ENVELOPE_KEY]
ABOUT = {"board": "sim-cartesian", "sequence": 1790000000, "version": "1.2.0"}


def verified(data, keys=KEYS):
    """(head, manifest) of an envelope that is read and trusted; EnvelopeError, ManifestError."""
    head = envelope.read(data, True)
    assert head is not None
    for _ in head.verify(keys):
        pass
    return head, manifest.read(head.data, *head.manifest)


def test_what_is_in_it():
    head, found = verified(vectors.ENVELOPE)
    assert vectors.ENVELOPE[head.payload_at :] == vectors.PAYLOAD and head.payload_bytes == len(vectors.PAYLOAD)
    assert vars(found) == {
        "sequence": 1790000000,
        "vendor": builder.vendor_id(),
        "board": builder.board_id("sim-cartesian"),
        "component": "app",
        "digest": found.digest,
        "bytes": len(vectors.PAYLOAD),
        "uri": "#app",
        "version": "1.2.0",
        "abi_min": 1,
        "floor": 1700000000,
        "urgency": "feature",
        "info_uri": "https://printwright.example/1.2.0",
        "description": "A test",
    }


def test_the_same_arguments_give_the_same_manifest():
    again = builder.manifest(
        vectors.PAYLOAD, **ABOUT, floor=1700000000, description="A test", info_uri="https://printwright.example/1.2.0"
    )
    head = envelope.read(vectors.ENVELOPE, True)
    assert head is not None and vectors.ENVELOPE[slice(*head.manifest)] == again


def test_signed_bytes_are_those_of_the_standard():
    made = builder.manifest(b"x", **ABOUT)
    message, digest = builder.signed_bytes(made)
    assert message == bytes.fromhex("846a5369676e61747572653144a101382d405824") + digest and len(message) == 56
    assert digest[:4] == bytes.fromhex("822f5820")


def test_every_beginning_wants_more():
    head = envelope.read(vectors.ENVELOPE, True)
    assert head is not None
    for end in range(head.payload_at):
        assert envelope.read(vectors.ENVELOPE[:end], False) is None, end
        with pytest.raises(envelope.EnvelopeError, match="ends before"):
            envelope.read(vectors.ENVELOPE[:end], True)
    assert envelope.read(vectors.ENVELOPE[: head.payload_at], False) is not None


def test_every_byte_of_the_head_matters():
    """One changed bit in each byte before the payload's own name and size: it is refused."""
    head = envelope.read(vectors.ENVELOPE, True)
    assert head is not None
    for at in range(head.manifest[1]):
        data = bytearray(vectors.ENVELOPE)
        data[at] ^= 1 << at % 8
        with pytest.raises(envelope.EnvelopeError):
            verified(bytes(data))


def test_keys():
    other = bytearray(vectors.ENVELOPE_KEY)
    other[30] ^= 1
    with pytest.raises(envelope.EnvelopeError, match="does not trust"):
        verified(vectors.ENVELOPE, [bytes(other)])
    with pytest.raises(envelope.EnvelopeError, match="does not trust"):
        verified(vectors.ENVELOPE, [])
    verified(vectors.ENVELOPE, [bytes(other), vectors.ENVELOPE_KEY])


def members(data):
    """{key: value} of an envelope, for making others of it."""
    return dict(cbor2.loads(data).value)


def wrapped(members):
    return cbor2.dumps(cbor2.CBORTag(107, members), canonical=True)


def resigned(change):
    """The envelope with another wrapper: change(digest bytes, block) -> list of byte strings."""
    found = members(vectors.ENVELOPE)
    digest, block = cbor2.loads(found[2])
    found[2] = cbor2.dumps(change(digest, cbor2.loads(block)), canonical=True)
    return wrapped(found)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"G28\nG1 X1\n",
        cbor2.dumps({2: b"", 3: b""}),
        cbor2.dumps(cbor2.CBORTag(1070, {2: b"", 3: b""})),
        wrapped({2: b""}),
        wrapped({3: members(vectors.ENVELOPE)[3]}),
        wrapped(members(vectors.ENVELOPE) | {20: b""}),
        wrapped(members(vectors.ENVELOPE) | {"#b": b""}),
        resigned(lambda digest, block: [digest]),
        resigned(lambda digest, block: [digest, cbor2.dumps(block), cbor2.dumps(block)]),
        resigned(lambda digest, block: [cbor2.dumps([-44, bytes(32)]), cbor2.dumps(block)]),
        resigned(lambda digest, block: [digest, cbor2.dumps(cbor2.CBORTag(98, block.value))]),
        resigned(lambda digest, block: [digest, cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x26", *block.value[1:]]))]),
        resigned(lambda digest, block: [digest, cbor2.dumps(cbor2.CBORTag(18, [block.value[0], {}, *block.value[2:]]))]),
        resigned(lambda digest, block: [digest, cbor2.dumps(cbor2.CBORTag(18, [block.value[0], {1: -46}, *block.value[2:]]))]),
        resigned(lambda digest, block: [digest, cbor2.dumps(cbor2.CBORTag(18, [*block.value[:2], b"", block.value[3]]))]),
        resigned(lambda digest, block: [digest, cbor2.dumps(block) + b"\0"]),
    ],
)
def test_no_envelopes(data):
    with pytest.raises(envelope.EnvelopeError, match="no firmware envelope|ends before"):
        envelope.read(data, True)


def test_a_head_that_never_ends():
    found = members(vectors.ENVELOPE)
    found[3] = bytes(9000)
    data = wrapped(found)
    assert envelope.read(data[:8191], False) is None
    with pytest.raises(envelope.EnvelopeError, match="more than 8192"):
        envelope.read(data[:8192], False)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes(data, tagged):
    """Whatever comes: more is wanted, or it is refused."""
    try:
        assert envelope.read(b"\xd8\x6b" + data if tagged else data, False) is None
    except envelope.EnvelopeError:
        pass


def parsed(members):
    data = cbor2.dumps(members, canonical=True)
    return manifest.read(data, 0, len(data))


def loaded():
    return cbor2.loads(builder.manifest(b"payload", **ABOUT))


def test_manifests_without_what_is_optional():
    found = parsed(loaded())
    assert found.info_uri is None and found.description == "" and found.floor == 0 and found.urgency == "feature"


def replaced(key, change):
    found = loaded()
    found[key] = cbor2.dumps(change(cbor2.loads(found[key])), canonical=True)
    return found


def common(change):
    def of(members):
        members[4] = cbor2.dumps(change(cbor2.loads(members[4])), canonical=True)
        return members

    return replaced(3, of)


def without(members, key):
    return {name: value for name, value in members.items() if name != key}


@pytest.mark.parametrize(
    "members",
    [
        loaded() | {1: 2},
        loaded() | {2: -1},
        loaded() | {5: 0},
        loaded() | {9: cbor2.dumps([23, 15])},
        loaded() | {16: b""},
        *[without(loaded(), key) for key in (1, 2, 3, 7, 20, 23)],
        loaded() | {20: [-16, bytes(32)]},  # severed
        replaced(7, lambda sequence: []),
        replaced(7, lambda sequence: [3, 15, 3, 15]),
        replaced(7, lambda sequence: [3, 0]),
        replaced(20, lambda sequence: [19, *sequence[1:]]),
        replaced(20, lambda sequence: sequence[:6]),
        replaced(20, lambda sequence: [*sequence, 23, 15]),
        replaced(20, lambda sequence: [20, without(sequence[1], -257), *sequence[2:]]),
        replaced(20, lambda sequence: [20, sequence[1] | {-258: 1790000001}, *sequence[2:]]),
        replaced(20, lambda sequence: [20, sequence[1] | {-259: 3}, *sequence[2:]]),
        replaced(20, lambda sequence: [20, sequence[1] | {21: "x" * 300}, *sequence[2:]]),
        replaced(23, lambda text: {}),
        replaced(23, lambda text: text | {"de": text["en"]}),
        replaced(23, lambda text: {"en": {(b"image",): {6: "1"}}}),
        replaced(3, lambda members: members | {2: [[b"app"], [b"image"]]}),
        replaced(3, lambda members: members | {2: [[b"boot"]]}),
        replaced(3, lambda members: members | {1: {}}),
        common(lambda shared: [20, without(shared[1], 14), *shared[2:]]),
        common(lambda shared: [20, without(shared[1], 3), *shared[2:]]),
        common(lambda shared: [20, shared[1] | {1: b"short"}, *shared[2:]]),
        common(lambda shared: [20, shared[1] | {3: cbor2.dumps([-44, bytes(64)])}, *shared[2:]]),
        common(lambda shared: [20, shared[1], 1, 15]),
        common(lambda shared: [20, shared[1], 2, 15, 1, 15]),
    ],
)
def test_manifests_of_another_shape(members):
    with pytest.raises(manifest.ManifestError):
        parsed(members)


def test_keys_of_a_manifest_come_in_order():
    data = builder.manifest(b"payload", **ABOUT)
    assert data[1:5] == b"\x01\x01\x02\x1a"
    swapped = data[:1] + data[3:9] + data[1:3] + data[9:]
    with pytest.raises(manifest.ManifestError):
        manifest.read(swapped, 0, len(swapped))
    with pytest.raises(manifest.ManifestError):
        manifest.read(data + b"\0", 0, len(data) + 1)
    for end in range(len(data)):
        with pytest.raises(manifest.ManifestError):
            manifest.read(data, 0, end)


@pytest.mark.parametrize(
    "name, value", [("sequence", 0), ("sequence", 1 << 32), ("floor", 1790000001), ("component", "boot"), ("urgency", "now")]
)
def test_what_is_not_built(name, value):
    with pytest.raises(ValueError):
        builder.manifest(b"payload", **(ABOUT | {name: value}))
