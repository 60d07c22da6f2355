"""The envelope around a manifest and its payload: what stands before the payload, and whether it is signed (SPEC.md sections 1 and 2).

The head comes first in the stream and is verified in RAM, before anything is erased; nothing inside the manifest is looked at before.
"""

from firmware.update import cbor, lms
from hal.compat import const, sha256

HEAD_BYTES_MAX = const(8192)
KEY_ID_BYTES = const(8)
PAYLOAD_NAME_CHARS_MAX = const(16)
_ENVELOPE = const(107)
_SIGN1 = const(18)
_WRAPPER = const(2)
_MANIFEST = const(3)
_KID = const(4)
_SHA256 = const(-16)
_PROTECTED = b"\xa1\x01\x38\x2d"  # {alg: HSS-LMS}, RFC 8778
# COSE Sig_structure for this protected header and a SUIT_Digest, up to the digest's 32 bytes (RFC 9052 section 4.4)
_SIGNED = b"\x84\x6aSignature1\x44" + _PROTECTED + b"\x40\x58\x24\x82\x2f\x58\x20"
_DIGEST_BYTES = const(36)


class EnvelopeError(ValueError):
    """It is no envelope of this kind, or not from whom it has to be; the message is a sentence."""


def key_id(key):
    """How an envelope names the HSS public key that it was signed for."""
    return sha256(key).digest()[:KEY_ID_BYTES]


class Head:
    """What stands before the payload.  data: all bytes from the start of the envelope; manifest: (start, end) in it; payload_name,
    payload_bytes: None without a payload inside; payload_at: where its content starts, or where the envelope ends."""

    def __init__(self, data):
        reader = cbor.Reader(data)
        reader.tag(_ENVELOPE)
        count = reader.map(3)
        if count < 2:
            raise cbor.CborError("no signature or no manifest")
        reader.exactly(_WRAPPER)
        wrapper = reader.inside()
        reader.exactly(_MANIFEST)
        item = reader.at
        inside = reader.inside()
        self.data = data
        self.manifest = (inside.at, inside.end)
        self.payload_name = self.payload_bytes = None
        if count == 3:
            self.payload_name = reader.text(PAYLOAD_NAME_CHARS_MAX)
            self.payload_bytes = reader.take(cbor.OCTETS)
        self.payload_at = reader.at
        self._item = (item, inside.end)
        try:
            self._wrapper(wrapper)
        except cbor.EndsTooSoon:
            # all of the wrapper is there: more bytes make it no better
            raise cbor.CborError("the signature's wrapper ends too soon")

    def _wrapper(self, wrapper):
        wrapper.array(2)
        digest = wrapper.inside()
        if digest.end - digest.at != _DIGEST_BYTES:
            raise cbor.CborError("the manifest's digest is not of SHA-256")
        digest.array(2)
        digest.exactly(_SHA256)
        self._digest = digest.octets(32)
        block = wrapper.inside()
        wrapper.done()
        block.tag(_SIGN1)
        block.array(4)
        if block.octets() != _PROTECTED:
            raise cbor.CborError("another signature algorithm than HSS-LMS, or other headers")
        if block.map(1) != 1:
            raise cbor.CborError("no key identifier")
        block.exactly(_KID)
        self.key_id = block.octets(KEY_ID_BYTES)
        block.simple(cbor.NULL)
        self.signature = block.octets()
        block.done()

    def verify(self, keys):
        """Generator: yields while it works, and ends when the manifest is signed by one of the keys (HSS public keys, 60 bytes).
        EnvelopeError when it is not."""
        start, end = self._item
        if sha256(memoryview(self.data)[start:end]).digest() != self._digest:
            raise EnvelopeError("The manifest is not the one that was signed.")
        chosen = None
        for key in keys:
            if key_id(key) == self.key_id:
                chosen = key
        if chosen is None:
            raise EnvelopeError("It is signed with a key that this printer does not trust.")
        try:
            verification = lms.Verification(chosen, _SIGNED + self._digest, self.signature)
            while not verification.step():
                yield
        except lms.SignatureError as e:
            raise EnvelopeError("The signature is not valid: %s." % e)

    def manifest_digest(self):
        """SHA-256 of the manifest as it was signed: tells two manifests apart."""
        return self._digest


def read(data, whole):
    """The Head in the first bytes of an envelope, or None when more of them are needed; whole: no more will come.  EnvelopeError."""
    try:
        return Head(data)
    except cbor.EndsTooSoon:
        if whole:
            raise EnvelopeError("It ends before its payload.")
        if len(data) >= HEAD_BYTES_MAX:
            raise EnvelopeError("Signature and manifest take more than %d bytes." % HEAD_BYTES_MAX)
        return None
    except cbor.CborError as e:
        raise EnvelopeError("It is no firmware envelope: %s." % e)
