"""Verification of HSS/LMS signatures (RFC 8554) with LMS_SHA256_M32_H5 or H10 and LMOTS_SHA256_N32_W4, of one or two levels.

Nothing but SHA-256 is needed, and no secret is touched.  About 520 hashes a level, so that a Verification is stepped by its caller, who
lets others run in between.
"""

from hal.compat import const, sha256

KEY_BYTES = const(60)  # HSS public key: L, LMS type, LM-OTS type, I, root
LMS_KEY_BYTES = const(56)
LEVELS_MAX = const(2)
_HEIGHTS = {5: 5, 6: 10}  # LMS type: height of the tree
_OTS_W4 = const(3)
_CHAINS = const(67)  # p: 64 digits of the digest, 3 of the checksum
_LAST = const(15)  # 2^w - 1
_N = const(32)
_OTS_BYTES = const(36 + 67 * 32)  # type, C, y
_PBLC = b"\x80\x80"
_MESG = b"\x81\x81"
_LEAF = b"\x82\x82"
_INTR = b"\x83\x83"


class SignatureError(ValueError):
    """The signature does not belong to key and message; the message says at which point that showed."""


def _u32(data, at):
    return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


def _u32_bytes(value):
    return bytes((value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255))


def signature_bytes(key):
    """Length that a signature of this HSS public key has.  SignatureError for a key of another kind."""
    if len(key) != KEY_BYTES:
        raise SignatureError("a key of %d bytes where 60 were expected" % len(key))
    levels = _small(key, 0)
    if not 1 <= levels <= LEVELS_MAX:
        raise SignatureError("levels: %d" % levels)
    # every level of one key has the same parameters (SPEC.md)
    return 4 + levels * _lms_bytes(_height(key, 4)) + (levels - 1) * LMS_KEY_BYTES


def _small(data, at):
    return data[at + 3] if not (data[at] or data[at + 1] or data[at + 2]) else 255


def _height(data, at):
    """Height of the tree of an LMS public key at an offset, whose types must be known."""
    height = _HEIGHTS.get(_small(data, at))
    if height is None or _small(data, at + 4) != _OTS_W4:
        raise SignatureError("a parameter set that is not accepted")
    return height


def _lms_bytes(height):
    return 4 + _OTS_BYTES + 4 + height * _N


class Verification:
    """One signature being verified.  key: HSS public key, 60 bytes; message, signature: bytes.

    step() until it returns True; SignatureError from the constructor or a step means that the signature is not valid.
    """

    def __init__(self, key, message, signature):
        if len(signature) != signature_bytes(key):
            raise SignatureError("a signature of %d bytes where %d were expected" % (len(signature), signature_bytes(key)))
        levels = _small(key, 0)
        if _u32(signature, 0) != levels - 1:
            raise SignatureError("another number of levels than the key's")
        self.hashes = 0
        self._signature = signature
        self._message = message
        self._left = levels
        self._begin(bytes(key[4:]), 4)

    def _begin(self, key, at):
        """The level whose LMS signature stands at an offset."""
        signature = self._signature
        height = _height(key, 0)
        self._left -= 1
        self._key, self._at, self._height = key, at, height
        types = at + 4 + _OTS_BYTES
        if signature[at + 4 : at + 8] != key[4:8] or signature[types : types + 4] != key[:4]:
            raise SignatureError("another parameter set than the key's")
        leaf = _u32(signature, at)
        if leaf >> height:
            raise SignatureError("a leaf outside of the tree")
        self._leaf = leaf
        self._behind = at + _lms_bytes(height)
        message = self._message if not self._left else signature[self._behind : self._behind + LMS_KEY_BYTES]
        hasher = sha256(key[8:24])
        hasher.update(signature[at : at + 4])
        hasher.update(_MESG)
        hasher.update(signature[at + 8 : at + 40])
        hasher.update(message)
        self.hashes += 1
        digest = hasher.digest()
        checksum = 0
        for octet in digest:
            checksum += 2 * _LAST - (octet >> 4) - (octet & 15)
        checksum <<= 4  # ls; leaves 16 bits
        self._digits = digest + bytes((checksum >> 8, checksum & 255))
        self._chain = 0
        self._public = sha256(key[8:24])
        self._public.update(signature[at : at + 4])
        self._public.update(_PBLC)
        block = bytearray(55)
        block[:16] = key[8:24]
        block[16:20] = signature[at : at + 4]
        self._block = block

    def step(self):
        """One chain, or what follows the last one of a level.  True when all is verified."""
        if self._chain < _CHAINS:
            self._walk(self._chain)
            self._chain += 1
            return False
        self._root()
        if not self._left:
            return True
        at = self._behind
        self._begin(self._signature[at : at + LMS_KEY_BYTES], at + LMS_KEY_BYTES)
        return False

    def _walk(self, number):
        digit = self._digits[number >> 1]
        digit = digit & 15 if number & 1 else digit >> 4
        at = self._at + 40 + number * _N
        value = self._signature[at : at + _N]
        block = self._block
        block[20] = 0
        block[21] = number
        for j in range(digit, _LAST):
            block[22] = j
            block[23:] = value
            value = sha256(block).digest()
        self.hashes += _LAST - digit
        self._public.update(value)

    def _root(self):
        signature = self._signature
        tree = self._key[8:24]
        node = (1 << self._height) + self._leaf
        hasher = sha256(tree)
        hasher.update(_u32_bytes(node))
        hasher.update(_LEAF)
        hasher.update(self._public.digest())
        value = hasher.digest()
        at = self._at + 4 + _OTS_BYTES + 4
        while node > 1:
            entry = signature[at : at + _N]
            hasher = sha256(tree)
            hasher.update(_u32_bytes(node >> 1))
            hasher.update(_INTR)
            hasher.update(entry if node & 1 else value)
            hasher.update(value if node & 1 else entry)
            value = hasher.digest()
            node >>= 1
            at += _N
        self.hashes += self._height + 2
        if value != self._key[24:]:
            raise SignatureError("the root of the tree is another one")
