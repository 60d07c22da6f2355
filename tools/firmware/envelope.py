"""Builds firmware envelopes (firmware/update/SPEC.md): the manifest of a payload, and around both the signed envelope.

Encoding is cbor2's, not the firmware's: what builds and what reads share no code.  The same arguments give the same manifest.
"""

import hashlib
import uuid

import cbor2

from tools.firmware import signing

VENDOR = "printwright.example"
URGENCIES = ("bugfix", "feature", "security")
COMPONENTS = ("app", "image")
_PROTECTED = cbor2.dumps({1: -46}, canonical=True)
_REPORT = 15


def vendor_id(domain=VENDOR):
    """UUID of the vendor (RFC 9124; version 5 in the DNS namespace), 16 bytes."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, domain).bytes


def board_id(board, domain=VENDOR):
    """UUID of a kind of board, the manifest's class identifier: version 5 in the vendor's namespace, 16 bytes."""
    return uuid.uuid5(uuid.UUID(bytes=vendor_id(domain)), board).bytes


def _dumps(value):
    return cbor2.dumps(value, canonical=True)


def _suit_digest(data):
    return _dumps([-16, hashlib.sha256(data).digest()])


def manifest(payload, *, board, sequence, version, component="app", abi_min=1, floor=0, urgency="feature", uri="#app", info_uri=None,
             description="", domain=VENDOR):  # fmt: skip
    """The manifest's bytes.  board: name of the PCB, whose UUID is the class identifier; floor: sequence below which nothing may be
    installed any more.  ValueError for what SPEC.md does not allow."""
    if component not in COMPONENTS:
        raise ValueError("component: one of %s expected, not %s" % (", ".join(COMPONENTS), component))
    if not 0 < sequence < 1 << 32 or not 0 <= floor <= sequence:
        raise ValueError("sequence and floor: 0 <= floor <= sequence < 2^32 expected, not %s and %s" % (floor, sequence))
    if not payload:
        raise ValueError("the payload is empty")
    identity = {1: vendor_id(domain), 2: board_id(board, domain), 3: _suit_digest(payload), 14: len(payload)}
    shared = [20, identity, 1, _REPORT, 2, _REPORT]
    fetch = {21: uri, -257: abi_min, -258: floor, -259: URGENCIES.index(urgency)}
    install = [20, fetch, -257, _REPORT, 21, _REPORT, 3, _REPORT]
    about: dict = {(component.encode(),): {6: version}}
    if description:
        about[2] = description
    members = {
        1: 1,
        2: sequence,
        3: _dumps({2: [[component.encode()]], 4: _dumps(shared)}),
        7: _dumps([3, _REPORT]),
        20: _dumps(install),
        23: _dumps({"en": about}),
    }
    if info_uri:
        members[4] = info_uri
    return _dumps(members)


def signed_bytes(manifest):
    """What the signature of an envelope is over (RFC 9052 section 4.4), and the digest in it."""
    digest = _suit_digest(_dumps(manifest))
    return _dumps(["Signature1", _PROTECTED, b"", digest]), digest


def envelope(manifest, signature, public_key, payload=None, name="#app"):
    """The envelope's bytes; payload: put inside under its name, last, so that all else comes first."""
    _, digest = signed_bytes(manifest)
    key_id = hashlib.sha256(public_key).digest()[:8]
    block = _dumps(cbor2.CBORTag(18, [_PROTECTED, {4: key_id}, None, signature]))
    members: dict = {2: _dumps([digest, block]), 3: manifest}
    if payload is not None:
        members[name] = payload
    return _dumps(cbor2.CBORTag(107, members))


def build(payload, key_name, inside=True, **about):
    """(envelope, manifest) of a payload, signed with the key of that name.  about: of manifest().  ValueError, SigningError, OSError."""
    made = manifest(payload, **about)
    message, digest = signed_bytes(made)
    signature = signing.sign(key_name, message, digest.hex())
    return envelope(made, signature, signing.public_key(key_name), payload if inside else None, about.get("uri", "#app")), made
