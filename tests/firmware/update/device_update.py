"""Signatures, envelopes and manifests as a board verifies them (both Pythons), within its heap."""

import asyncio
import unittest

from firmware.update import envelope, lms, manifest
from hal.compat import sha256
from tests.firmware.update import helpers_vectors as vectors

STEPS = 8  # between two turns of the others: some 60 hashes


async def worked(generator):
    """Runs a verification as the firmware does, with turns for others; how many steps it took."""
    steps = 0
    for _ in generator:
        steps += 1
        if steps % STEPS == 0:
            await asyncio.sleep(0)
    return steps


def stepped(key, message, signature):
    verification = lms.Verification(key, message, signature)
    while not verification.step():
        yield verification.hashes


class Signatures(unittest.TestCase):
    async def test_of_the_rfc(self):
        await worked(stepped(vectors.RFC8554_KEY, vectors.RFC8554_MESSAGE, vectors.RFC8554_SIGNATURE))

    async def test_of_two_levels(self):
        await worked(stepped(vectors.CRYPTECH_KEY, vectors.CRYPTECH_MESSAGE, vectors.CRYPTECH_SIGNATURE))

    async def test_of_another_message(self):
        try:
            await worked(stepped(vectors.RFC8554_KEY, vectors.RFC8554_MESSAGE + b"x", vectors.RFC8554_SIGNATURE))
        except lms.SignatureError:
            return
        self.fail("it was accepted")


class Envelopes(unittest.TestCase):
    async def test_head_manifest_and_payload(self):
        data = bytearray()
        head = None
        for at in range(0, len(vectors.ENVELOPE), 100):
            data.extend(vectors.ENVELOPE[at : at + 100])
            head = envelope.read(data, False)
            if head is not None:
                break
        if head is None:
            self.fail("no head was found")
            return
        await worked(head.verify([bytes(60), vectors.ENVELOPE_KEY]))
        found = manifest.read(head.data, *head.manifest)
        self.assertEqual((found.component, found.version, found.sequence), ("app", "1.2.0", 1790000000))
        self.assertEqual((found.bytes, found.uri, head.payload_name), (len(vectors.PAYLOAD), "#app", "#app"))
        self.assertEqual(found.digest, sha256(vectors.PAYLOAD).digest())
        self.assertEqual(vectors.ENVELOPE[head.payload_at :], vectors.PAYLOAD)

    async def test_a_changed_manifest(self):
        data = bytearray(vectors.ENVELOPE)
        at = vectors.ENVELOPE.find(b"1.2.0")
        data[at] ^= 1
        head = envelope.read(data, True)
        self.assertIsNotNone(head)
        try:
            await worked(head.verify([vectors.ENVELOPE_KEY]))  # pyright: ignore[reportOptionalMemberAccess]
        except envelope.EnvelopeError:
            return
        self.fail("it was accepted")
