"""Verification of HSS/LMS: signatures of others, and everything that is nearly one."""

import pyhsslms
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.update import lms
from firmware.update.lms import SignatureError
from tests.firmware.update import helpers_vectors as vectors

GIVEN = {
    "rfc8554": (vectors.RFC8554_KEY, vectors.RFC8554_MESSAGE, vectors.RFC8554_SIGNATURE),
    "cryptech": (vectors.CRYPTECH_KEY, vectors.CRYPTECH_MESSAGE, vectors.CRYPTECH_SIGNATURE),
}


def hashes(key, message, signature):
    """Verifies and returns how many hashes that took; SignatureError."""
    verification = lms.Verification(key, message, signature)
    while not verification.step():
        pass
    return verification.hashes


@pytest.mark.parametrize("name, levels, height", [("rfc8554", 1, 10), ("cryptech", 2, 5)])
def test_signatures_of_others(name, levels, height):
    key, message, signature = GIVEN[name]
    assert len(signature) == lms.signature_bytes(key)
    took = hashes(key, message, signature)
    assert levels * (67 + height) < took < levels * (67 * 15 + height + 3)


@pytest.fixture(scope="module", params=[(1, 5), (2, 5), (1, 10)])
def signer(request):
    levels, height = request.param
    lms_type = {5: pyhsslms.lms_sha256_m32_h5, 10: pyhsslms.lms_sha256_m32_h10}[height]
    return pyhsslms.HssPrivateKey(levels=levels, lms_type=lms_type, lmots_type=pyhsslms.lmots_sha256_n32_w4)


def test_signatures_of_a_library(signer):
    key = signer.publicKey().serialize()
    for message in (b"", b"firmware", bytes(1000)):
        signature = signer.sign(message)
        hashes(key, message, signature)
        with pytest.raises(SignatureError):
            hashes(key, message + b"\0", signature)


@pytest.mark.parametrize("name", GIVEN)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bit_matters(name, data):
    key, message, signature = GIVEN[name]
    which = data.draw(st.sampled_from(("key", "message", "signature")))
    changed = {"key": bytearray(key), "message": bytearray(message), "signature": bytearray(signature)}
    bit = data.draw(st.integers(0, len(changed[which]) * 8 - 1))
    changed[which][bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        hashes(bytes(changed["key"]), bytes(changed["message"]), bytes(changed["signature"]))


@pytest.mark.parametrize("name", GIVEN)
def test_each_field_of_a_signature(name):
    """The first and the last byte of everything that is told apart in a signature of one level."""
    key, message, signature = GIVEN[name]
    for at in (0, 3, 4, 7, 8, 11, 12, 43, 44, 44 + 67 * 32 - 1, 44 + 67 * 32, 47 + 67 * 32, 48 + 67 * 32, len(signature) - 1):
        wrong = bytearray(signature)
        wrong[at] ^= 1
        with pytest.raises(SignatureError):
            hashes(key, message, bytes(wrong))


def test_a_leaf_outside_of_the_tree():
    key, message, signature = GIVEN["rfc8554"]
    wrong = bytearray(signature)
    wrong[4:8] = (1024).to_bytes(4, "big")
    with pytest.raises(SignatureError, match="outside of the tree"):
        hashes(key, message, bytes(wrong))


@pytest.mark.parametrize("size", [0, 3, 4, 59, 2511, 2513, 5000])
def test_lengths(size):
    key, message, signature = GIVEN["rfc8554"]
    with pytest.raises(SignatureError, match="bytes where"):
        hashes(key, message, (signature + bytes(5000))[:size])
    with pytest.raises(SignatureError, match="where 60"):
        hashes((key + bytes(10))[: 61 if size % 2 else 59], message, signature)


@pytest.mark.parametrize("at, value", [(3, 0), (3, 3), (3, 8), (0, 1), (7, 7), (7, 4), (7, 10), (11, 1), (11, 4), (11, 7), (4, 1), (8, 1)])
def test_keys_of_other_kinds(at, value):
    key, message, signature = GIVEN["rfc8554"]
    wrong = bytearray(key)
    wrong[at] = value
    with pytest.raises(SignatureError, match="levels|parameter set"):
        hashes(bytes(wrong), message, signature)
