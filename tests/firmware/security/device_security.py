"""Passwords, accounts, roles and access, on both Pythons."""

import asyncio
import binascii
import hashlib
import unittest

from firmware.ipp import status
from firmware.ipp.checks import PLAIN
from firmware.security import access, passwords, roles
from firmware.security.accounts import AccountError, Accounts
from firmware.security.basic import Basic, split
from hal import compat, kdf

LOOPBACK, NETWORK = "127.0.0.1", "192.0.2.7"
GET_PRINTER, CREATE, CANCEL, GET_JOB, PAUSE, SET_PRINTER = 0x0B, 0x05, 0x08, 0x09, 0x10, 0x13


class Store:
    """What Accounts needs of firmware/config.Config."""

    def __init__(self):
        self.records = {}
        self.saved = 0

    def account(self, place):
        return self.records.get(place)

    def set_account(self, place, record):
        if record is None:
            del self.records[place]
        else:
            self.records[place] = bytes(record)

    async def save(self):
        self.saved += 1


class Request:
    method = "POST"
    path = "/ipp/print3d"
    query = ""
    host = b"printer.local:8631"

    def __init__(self, operation=GET_PRINTER, method="POST"):
        self.operation = operation
        self.method = method


class Job:
    def __init__(self, user):
        self.user = user


class Ctx:
    def __init__(self, operation, identity, tls=True, job=None, said="somebody", peer=NETWORK):
        self.request = Request(operation)
        self.auth_user = identity.name
        self.user = identity.name or said
        self.role = identity.role
        self.tls = tls
        self.job = job
        self.peer = peer


def credentials(name, password):
    return binascii.b2a_base64((name + ":" + password).encode()).strip()


def field(name, password):
    return b"Basic " + credentials(name, password)


def refused(call, *args):
    """HTTP status of the Refusal, IPP status of the IppError, or 0."""
    try:
        result = call(*args)
        if hasattr(result, "send") or hasattr(result, "__await__"):
            asyncio.run(result)
    except status.Refusal as e:
        return e.status
    except status.IppError as e:
        return e.status
    return 0


def made(required=False, tls=True, users=(), lines=None):
    """(Access, Accounts, {name: password})"""
    log = None if lines is None else lines.append
    accounts = Accounts(Store(), 3, log)
    known = {}
    for name, role in users:
        known[name] = asyncio.run(accounts.put(name, role))
    return access.Access(accounts, [Basic(accounts, 2)], tls, required, log), accounts, known


EVERYBODY = (("ann", roles.USER), ("bob", roles.OPERATOR), ("eve", roles.ADMINISTRATOR))


class TestPasswords(unittest.TestCase):
    def test_key_derivation(self):
        # RFC 7914 section 11: the first 32 octets
        known = b"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        self.assertEqual(binascii.hexlify(asyncio.run(compat.pbkdf2(b"passwd", b"salt", 1))), known)
        for password in (b"", b"p" * 64, b"p" * 65):
            out = bytearray(32)
            for _ in kdf.steps(password, b"salt", 20, out):
                pass
            self.assertEqual(bytes(out), asyncio.run(compat.pbkdf2(password, b"salt", 20)))
        if hasattr(hashlib, "pbkdf2_hmac"):
            self.assertEqual(bytes(out), hashlib.pbkdf2_hmac("sha256", b"p" * 65, b"salt", 20))

    def test_generated_ones_differ_and_have_100_bits(self):
        seen = {passwords.generate() for _ in range(50)}
        self.assertEqual(len(seen), 50)
        for password in seen:
            letters = password.replace("-", "")
            self.assertEqual(len(letters), 20)
            self.assertTrue(all(letter in "0123456789abcdefghjkmnpqrstvwxyz" for letter in letters))
        self.assertTrue(len(set("".join(seen))) > 25)

    def test_a_sealed_password_is_known_again(self):
        for kind in (passwords.GENERATED, passwords.CHOSEN):
            sealed = asyncio.run(passwords.seal("g\u00e4nsefu\u00df", kind, 3))
            self.assertEqual(len(sealed), passwords.SEAL_BYTES)
            self.assertNotEqual(sealed, asyncio.run(passwords.seal("g\u00e4nsefu\u00df", kind, 3)))
            self.assertTrue(asyncio.run(passwords.matches("g\u00e4nsefu\u00df".encode(), sealed)))
            for wrong in (b"", b"gans", "g\u00e4nsefu\u00df ".encode()):
                self.assertFalse(asyncio.run(passwords.matches(wrong, sealed)))

    def test_comparison(self):
        self.assertTrue(passwords.equal(b"abc", b"abc"))
        for other in (b"abd", b"ab", b"", b"abcd", b"Abc"):
            self.assertFalse(passwords.equal(b"abc", other))


class TestAccounts(unittest.TestCase):
    def test_they_survive(self):
        store = Store()
        lines = []
        accounts = Accounts(store, 3, lines.append)
        self.assertFalse(accounts.has_administrator())
        password = asyncio.run(accounts.put("eve", roles.ADMINISTRATOR))
        asyncio.run(accounts.put("ann", roles.USER, "correct horse"))
        self.assertEqual(store.saved, 2)
        self.assertEqual(len(lines), 2)
        again = Accounts(store, 3)
        self.assertEqual([(account.name, account.role) for account in again.all()], [("eve", roles.ADMINISTRATOR), ("ann", roles.USER)])
        self.assertTrue(again.has_administrator())
        self.assertTrue(asyncio.run(passwords.matches(password.encode(), again.find("eve").seal)))
        self.assertTrue(asyncio.run(passwords.matches(b"correct horse", again.find("ann").seal)))
        for record in store.records.values():
            self.assertTrue(password.encode() not in record and b"horse" not in record)
        asyncio.run(again.remove("ann"))
        self.assertEqual(Accounts(store, 3).find("ann"), None)

    def test_what_is_refused(self):
        accounts = Accounts(Store(), 3)
        asyncio.run(accounts.put("eve", roles.ADMINISTRATOR))
        for name, role, password in (
            ("", 1, None), ("a:b", 1, None), ("a\n", 1, None), (" a", 1, None), ("x" * 65, 1, None), ("a", 0, None), ("a", 4, None),
            ("a", 1, "short"), ("a", 1, "x" * 200), ("eve", roles.USER, None),
        ):  # fmt: skip
            with self.assertRaises(AccountError):
                asyncio.run(accounts.put(name, role, password))
        for name in ("eve", "nobody"):
            with self.assertRaises(AccountError):
                asyncio.run(accounts.remove(name))
        for i in range(15):
            asyncio.run(accounts.put("u%d" % i, roles.USER))
        with self.assertRaises(AccountError):
            asyncio.run(accounts.put("one too many", roles.USER))
        self.assertEqual(len(accounts.all()), 16)

    def test_a_damaged_record_is_counted(self):
        store = Store()
        asyncio.run(Accounts(store, 3).put("eve", roles.ADMINISTRATOR))
        store.records[3] = b"\x01short"
        store.records[4] = b"\x09" + store.records[0][1:]
        accounts = Accounts(store, 3)
        self.assertEqual((accounts.damaged, [account.name for account in accounts.all()]), (2, ["eve"]))


class TestRoles(unittest.TestCase):
    def test_the_table(self):
        for operation, role in ((GET_PRINTER, 0), (CREATE, 1), (0x06, 1), (0x0A, 1), (CANCEL, 1), (PAUSE, 2), (0x3C, 2), (SET_PRINTER, 3)):
            self.assertEqual(roles.minimum(operation), role)
        # what nobody has thought of is for administrators
        self.assertEqual(roles.minimum(0x4001), roles.ADMINISTRATOR)
        self.assertEqual([roles.number(name) for name in roles.NAMES], [0, 1, 2, 3])


class TestBasic(unittest.TestCase):
    def test_the_field(self):
        self.assertEqual(split(credentials("ann", "a:b")), ("ann", b"a:b"))
        self.assertEqual(split(credentials("", "")), ("", b""))
        for bad in (b"", b"!!!!", binascii.b2a_base64(b"no colon").strip(), binascii.b2a_base64(b"\xff:x").strip(), b"QUFB" * 200):
            self.assertEqual(split(bad), (None, None))

    def test_what_was_verified_is_remembered_until_it_changes(self):
        accounts = Accounts(Store(), 3)
        password = asyncio.run(accounts.put("ann", roles.USER))
        basic = Basic(accounts, 2)
        right = credentials("ann", password)
        self.assertEqual(basic.recall(right), None)
        self.assertEqual(asyncio.run(basic.identify(right)).name, "ann")
        self.assertEqual(basic.recall(right).name, "ann")
        self.assertEqual(asyncio.run(basic.identify(credentials("ann", "wrong"))), None)
        self.assertEqual(asyncio.run(basic.identify(credentials("nobody", password))), None)
        for name in ("x", "y"):
            asyncio.run(basic.identify(credentials(name, asyncio.run(accounts.put(name, roles.USER)))))
        asyncio.run(accounts.put("ann", roles.USER))
        self.assertEqual(basic.recall(right), None)
        self.assertEqual(asyncio.run(basic.identify(right)), None)


class TestAccess(unittest.TestCase):
    def test_who_needs_no_credentials(self):
        for required, peer, role in (
            (False, LOOPBACK, 3), (False, "::1", 3), (False, NETWORK, 0), (False, "fe80::1", 0), (False, "", 0),
            (True, LOOPBACK, 0), (True, NETWORK, 0),
        ):  # fmt: skip
            who = asyncio.run(made(required)[0].identify(None, peer, True))
            self.assertEqual((who.name, who.role), (None, role))

    def test_credentials(self):
        lines = []
        gate, _, known = made(True, users=EVERYBODY, lines=lines)
        for name, role in EVERYBODY:
            who = asyncio.run(gate.identify(field(name, known[name]), NETWORK, True))
            self.assertEqual((who.name, who.role), (name, role))
        self.assertEqual(refused(gate.identify, field("ann", known["ann"]), NETWORK, False), 426)
        del lines[:]
        for bad in (field("ann", known["bob"]), field("zoe", known["ann"]), b"Basic", b"basic !", b"Bearer abc", b""):
            self.assertEqual(refused(gate.identify, bad, NETWORK, True), 401)
        self.assertTrue(NETWORK in lines[0] and known["bob"] not in "".join(lines))

    def test_too_many_failures(self):
        gate, _, known = made(users=EVERYBODY)
        right = field("ann", known["ann"])
        other = field("bob", known["bob"])
        self.assertEqual(refused(gate.identify, right, NETWORK, True), 0)
        codes = [refused(gate.identify, field("ann", str(i)), NETWORK, True) for i in range(8)]
        self.assertEqual(codes, [401] * 5 + [429] * 3)
        # not even with the right one; but who was known before still is, and others are not concerned
        self.assertEqual(refused(gate.identify, other, NETWORK, True), 429)
        self.assertEqual(refused(gate.identify, right, NETWORK, True), 0)
        self.assertEqual(refused(gate.identify, other, "192.0.2.8", True), 0)

    def test_waiting_grows_and_ends(self):
        attempts = access.Attempts()
        now = [1000]
        ticks, access.ticks_ms = access.ticks_ms, lambda: now[0]
        try:
            for _ in range(5):
                self.assertEqual(attempts.begin(NETWORK), 0)
            for wait_ms in (1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000):
                self.assertEqual(attempts.begin(NETWORK), wait_ms)
                now[0] += wait_ms
                self.assertEqual(attempts.begin(NETWORK), 0)
            now[0] += 600001
            self.assertEqual([attempts.begin(NETWORK) for _ in range(5)], [0] * 5)
            self.assertTrue(attempts.begin(NETWORK) > 0)
            attempts.succeeded(NETWORK)
            self.assertEqual(attempts.begin(NETWORK), 0)
            for i in range(300):
                attempts.begin("198.51.100.%d" % i)
            self.assertTrue(len(attempts._peers) <= 64)
        finally:
            access.ticks_ms = ticks
        for i in range(5):
            attempts.begin("2001:db8:1:2::%d" % i)
        self.assertTrue(attempts.begin("2001:db8:1:2::99") > 0)

    def test_operations(self):
        gate, _, _ = made(users=EVERYBODY)
        nobody = access.Identity(None, roles.NONE)
        for operation, codes in (
            (GET_PRINTER, (0, 0, 0, 0)),
            (CREATE, (401, 0, 0, 0)),
            (PAUSE, (401, 0x0403, 0, 0)),
            (SET_PRINTER, (401, 0x0403, 0x0403, 0)),
        ):
            for role, code in enumerate(codes):
                who = access.Identity("x", role) if role else nobody
                self.assertEqual(refused(gate.authorize, Ctx(operation, who)), code)
        self.assertEqual(refused(gate.authorize, Ctx(CREATE, nobody, False)), 426)
        self.assertEqual(refused(made()[0].authorize, Ctx(SET_PRINTER, nobody)), 403)
        self.assertEqual(refused(made()[0].authorize, Ctx(CREATE, nobody)), 401)

    def test_owners(self):
        gate, _, _ = made(users=EVERYBODY)
        for name, role, job, code in (("ann", 1, "ann", 0), ("ann", 1, "bob", 0x0403), ("bob", 2, "ann", 0), ("eve", 3, "ann", 0)):
            self.assertEqual(refused(gate.authorize, Ctx(CANCEL, access.Identity(name, role), job=Job(job))), code)
        self.assertEqual(refused(gate.authorize, Ctx(GET_JOB, access.Identity("ann", 1), job=Job("bob"))), 0)
        # what the request says of its user counts for nothing without a role
        self.assertEqual(refused(gate.authorize, Ctx(CANCEL, access.Identity(None, 0), job=Job("ann"), said="ann")), 401)

    def test_how_the_printer_can_be_reached(self):
        gate = made()[0]
        self.assertEqual([offer[0] for offer in gate.offers(LOOPBACK, False)], ["ipps", "ipp"])
        self.assertEqual(gate.offers(LOOPBACK, True), (("ipps", "tls", "requesting-user-name"),))
        self.assertEqual(gate.offers(NETWORK, True), (("ipps", "tls", "basic"),))
        self.assertEqual(made(True)[0].offers(LOOPBACK, True), (("ipps", "tls", "basic"),))
        self.assertEqual(made(tls=False)[0].offers(LOOPBACK, False), PLAIN)

    def test_plain_text_is_for_this_computer(self):
        gate = made()[0]
        cases = ((LOOPBACK, False, 0), ("::ffff:127.0.0.1", False, 0), (NETWORK, True, 0), (NETWORK, False, 426), ("", False, 426))
        for peer, tls, code in cases:
            self.assertEqual(refused(gate.check_transport, Request(), peer, tls), code)
        try:
            gate.check_transport(Request(method="GET"), NETWORK, False)
            self.fail()
        except status.Refusal as e:
            self.assertEqual((e.status, e.headers), (301, [("Location", "https://printer.local:8631/ipp/print3d")]))

    def test_what_is_written_down(self):
        lines = []
        gate, _, _ = made(lines=lines)
        ann = access.Identity("ann", 2)
        for operation in (GET_PRINTER, CREATE, CANCEL):
            gate.note(Ctx(operation, ann), 0)
        self.assertEqual(lines, [])
        gate.note(Ctx(PAUSE, ann), 0)
        gate.note(Ctx(SET_PRINTER, access.Identity(None, 3), said="x\ny"), 0x0403)
        self.assertEqual(len(lines), 2)
        self.assertTrue("'ann'" in lines[0] and "0x0010 done" in lines[0] and "verified" not in lines[0])
        self.assertTrue("not verified" in lines[1] and "0x0013 refused" in lines[1] and "\n" not in lines[1])


if __name__ == "__main__":
    unittest.main()
