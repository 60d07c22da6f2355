"""Signing keys: no leaf signs twice, whatever happens in between."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.firmware import signing
from tools.firmware.signing import SigningError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def key(tmp_path):
    name = str(tmp_path / "release")
    signing.generate(name, 5)
    return name


def leaf(signature):
    return int.from_bytes(signature[4:8], "big")


def ledger(name):
    return [json.loads(line)["leaf"] for line in Path(name + ".ledger").read_text().splitlines()]


def test_each_signature_has_its_own_leaf(key):
    assert [leaf(signing.sign(key, b"m", "d%d" % n)) for n in range(3)] == [0, 1, 2]
    assert ledger(key) == [0, 1, 2] and signing.left(key) == 29
    assert os.stat(key + ".key").st_mode & 0o777 == 0o600


def test_a_key_is_never_replaced(key):
    before = Path(key + ".key").read_bytes()
    with pytest.raises(SigningError, match="there already"):
        signing.generate(key, 5)
    assert Path(key + ".key").read_bytes() == before


def test_a_key_ends(key):
    for n in range(32):
        signing.sign(key, b"m", str(n))
    with pytest.raises(SigningError, match="signed 32 times"):
        signing.sign(key, b"m", "more")
    assert ledger(key) == list(range(32))


def test_a_restored_copy_does_not_sign(key):
    copy = Path(key + ".key").read_bytes()
    signing.sign(key, b"m", "a")
    Path(key + ".key").write_bytes(copy)
    with pytest.raises(SigningError, match="older than"):
        signing.sign(key, b"n", "b")
    assert ledger(key) == [0]


@pytest.mark.parametrize("number", range(12))
def test_a_crash_at_any_step_wastes_a_leaf_at_most(key, monkeypatch, number):
    """The process ends at the n-th call that touches the disk; a leaf that may have signed is never used again."""
    signing.sign(key, b"m", "first")
    calls = 0

    class Ended(BaseException):
        pass

    def counted(function):
        def call(*args):
            nonlocal calls
            calls += 1
            if calls == number + 1:
                raise Ended
            return function(*args)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(os, "replace", counted(os.replace))
        patch.setattr(os, "open", counted(os.open))
        released = None
        try:
            released = signing.sign(key, b"m", "second")
        except Ended:
            pass
    assert released is not None or calls == number + 1
    used = {0} | ({leaf(released)} if released else set())
    assert leaf(signing.sign(key, b"n", "third")) not in used
    noted = ledger(key)
    assert noted == sorted(set(noted)) and used <= set(noted)


def test_what_a_crash_left_of_a_line(key):
    signing.sign(key, b"m", "a")
    with open(key + ".ledger", "a") as file:
        file.write('{"leaf": 1, "dig')
    signing.sign(key, b"m", "b")
    assert ledger(key) == [0, 1]


def test_two_processes_at_once(key):
    code = "from tools.firmware import signing; print(int.from_bytes(signing.sign(%r, b'm', 'x')[4:8], 'big'))" % key
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    leaves = [int(one.communicate(timeout=60)[0]) for one in running]
    assert sorted(leaves) == [0, 1, 2, 3] == sorted(ledger(key))


def test_damaged_files(key):
    Path(key + ".ledger").write_text("{}\nx\n")
    with pytest.raises(SigningError, match="damaged"):
        signing.sign(key, b"m", "a")
    os.remove(key + ".ledger")
    other = key + "-other"
    signing.generate(other, 5)
    Path(key + ".pub").write_bytes(Path(other + ".pub").read_bytes())
    with pytest.raises(SigningError, match="do not belong together"):
        signing.sign(key, b"m", "a")
    Path(key + ".pub").write_bytes(b"short")
    with pytest.raises(SigningError, match="not a public key"):
        signing.sign(key, b"m", "a")
    Path(other + ".key").write_bytes(b"nothing")
    with pytest.raises(SigningError, match="not a signing key"):
        signing.sign(other, b"m", "a")
