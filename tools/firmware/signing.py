"""Signing keys for firmware: HSS/LMS, one level, LMS_SHA256_M32_H10 with LMOTS_SHA256_N32_W4 (RFC 8554), 1,024 signatures a key.

A leaf of such a key signs once: two signatures by one leaf allow forgeries.  So the key file that is kept is past a leaf, durably, before
that leaf signs; a leaf that was passed and did not sign is lost, which is harmless.  Files of a key `NAME`, all in one folder:

    NAME.key      the private key with its next leaf, as pyhsslms writes it; replaced as a whole
    NAME.pub      the public key, 60 bytes
    NAME.ledger   one JSON line for each leaf that may have signed: {"leaf", "digest", "time"}; tells a key file that came from a copy
"""

import fcntl
import json
import os
import time

import pyhsslms
from pyhsslms.pyhsslms import HssPrivateKey

PUBLIC_BYTES = 60
HEIGHTS = {5: pyhsslms.lms_sha256_m32_h5, 10: pyhsslms.lms_sha256_m32_h10}


class SigningError(Exception):
    """The text is one line for a user."""


def generate(name, height=10):
    """Makes NAME.key and NAME.pub; returns the public key.  SigningError where one of them is there already; OSError."""
    for suffix in (".key", ".pub", ".ledger"):
        if os.path.exists(name + suffix):
            raise SigningError("%s%s is there already; a key is never replaced: choose another name" % (name, suffix))
    key = HssPrivateKey(levels=1, lms_type=HEIGHTS[height], lmots_type=pyhsslms.lmots_sha256_n32_w4)
    public = key.publicKey().serialize()
    _replace(name + ".key", key.serialize(), 0o600)
    _replace(name + ".pub", public, 0o644)
    return public


def public_key(name):
    """The 60 bytes of NAME.pub.  SigningError, OSError."""
    with open(name + ".pub", "rb") as file:
        public = file.read(PUBLIC_BYTES + 1)
    if len(public) != PUBLIC_BYTES:
        raise SigningError("%s.pub: not a public key of %d bytes" % (name, PUBLIC_BYTES))
    return public


def left(name):
    """How many signatures the key has left.  SigningError, OSError."""
    return _load(name).prv[0].remaining()


def sign(name, message, digest, clock=time.time):
    """Signs once with the next leaf; digest: what is signed, for the ledger (hexadecimal).  Returns the signature.

    Raises SigningError: no leaf left, a key that is older than its ledger, a foreign public key; OSError.
    """
    public = public_key(name)
    with open(name + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        key = _load(name)
        if key.publicKey().serialize() != public:
            raise SigningError("%s.key and %s.pub do not belong together" % (name, name))
        lms = key.prv[0]
        leaf = lms.q
        used = [entry["leaf"] for entry in _ledger(name)]
        if used and leaf <= max(used):
            raise SigningError(
                "%s.key is older than %s.ledger (leaf %d was used): it came from a copy, and to sign with it again could break the key;"
                " make a new key" % (name, name, max(used))
            )
        if not lms.remaining():
            raise SigningError("%s.key has signed %d times and can not any more; make a new key" % (name, lms.maxSignatures()))
        lms.q = leaf + 1
        _replace(name + ".key", key.serialize(), 0o600)
        _append(name + ".ledger", {"leaf": leaf, "digest": digest, "time": int(clock())})
        lms.q = leaf
        signature = key.sign(message)
    if int.from_bytes(signature[4:8], "big") != leaf:
        raise SigningError("internal error: leaf %d was reserved, another one signed; nothing was released" % leaf)
    return signature


def _load(name):
    with open(name + ".key", "rb") as file:
        data = file.read()
    try:
        key = HssPrivateKey.deserialize(data)
    except (ValueError, IndexError, KeyError):
        raise SigningError("%s.key: not a signing key" % name) from None
    if key.levels != 1:
        raise SigningError("%s.key: a key of %d levels; one is expected" % (name, key.levels))
    return key


def _ledger(name):
    try:
        with open(name + ".ledger", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError):
        raise SigningError("%s.ledger: damaged; without it nobody knows which leaves have signed: make a new key" % name) from None


def _append(path, entry):
    with open(path, "a+b") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        # what a crash left of a line: that leaf did not sign
        file.truncate(whole)
        file.write(json.dumps(entry).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path)


def _replace(path, data, mode):
    """Puts a whole file in place of another, durably."""
    part = path + ".new"
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    _sync_folder(path)


def _sync_folder(path):
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
