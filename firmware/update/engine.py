"""One update: an envelope comes in pieces, is verified before anything is erased, goes into the slot that is not in use, and starts next.

Whoever brings the bytes (a resource that is sent, a download) calls feed(), finish(), install(); IPP shows `phases.reasons`.  What fails
raises UpdateError, and nothing has to be undone: the slot stays empty, the active one was never touched.
"""

from firmware.update import envelope, manifest
from firmware.update.phases import ACQUISITION, ACTIVATION, CLEANUP, INSTALLATION, VALIDATION, Phases
from firmware.update.slots import SlotError
from hal.compat import const
from hal.errors import StorageError

TRIES = const(3)  # starts that new firmware has to prove itself
_STEPS = const(8)  # of a verification between two turns of the others: some 60 hashes


class UpdateError(Exception):
    """Why an update was refused or failed; the message is a sentence for people."""


class Part:
    """What this printer takes updates for.  vendor, board: 16 bytes each; component: of manifest.COMPONENTS; abi: the core's."""

    def __init__(self, vendor, board, component, abi):
        self.vendor, self.board, self.component, self.abi = vendor, board, component, abi


class Update:
    """writer: slots.SlotWriter; state: boot.record.State; part: Part; keys: HSS public keys that are trusted; pause: coroutine function
    that lets the others run.  `manifest`: once it was verified and accepted, else None."""

    def __init__(self, writer, state, part, keys, pause):
        self._writer = writer
        self._state = state
        self._part = part
        self._keys = keys
        self._pause = pause
        self._head = bytearray()
        self.manifest = None
        self.phases = Phases()
        self.phases.begin()
        self.phases.enter(ACQUISITION)

    async def feed(self, data):
        """The next bytes of the envelope.  UpdateError."""
        try:
            if self.manifest is None:
                data = await self._begun(data)
            if data:
                await self._writer.write(data)
        except (envelope.EnvelopeError, manifest.ManifestError, SlotError) as e:
            raise self._failed(str(e))
        except StorageError as e:
            raise self._failed("The firmware cannot be stored: %s." % e.message)

    async def _begun(self, data):
        """Bytes of the payload that came with the end of the head, b"" while the head is not whole."""
        room = envelope.HEAD_BYTES_MAX - len(self._head)
        self._head.extend(data[:room])
        head = envelope.read(self._head, False)
        if head is None:
            return b""
        await self._stepped(head.verify(self._keys))
        found = manifest.read(head.data, *head.manifest)
        self._judge(found, head)
        await self._writer.begin(found.bytes, found.digest)
        self.manifest = found
        rest = bytes(memoryview(self._head)[head.payload_at :])
        self._head = bytearray()
        if len(data) > room:
            await self._writer.write(rest)
            return data[room:]
        return rest

    def _judge(self, found, head):
        """Raises what speaks against a manifest that is authentic."""
        part = self._part
        state = self._state
        if found.vendor != part.vendor or found.board != part.board:
            raise manifest.ManifestError("The firmware is for another kind of board.")
        if found.component != part.component:
            raise manifest.ManifestError("The firmware is for a part that cannot be updated here.")
        if found.abi_min > part.abi:
            raise manifest.ManifestError("The firmware needs core ABI %d; this core has %d." % (found.abi_min, part.abi))
        if found.sequence < state.floor:
            raise manifest.ManifestError("The firmware is older than what may be installed.")
        if state.active is not None:
            active = state.slots[state.active]
            if found.sequence < active.sequence or (found.sequence == active.sequence and found.digest != active.digest):
                raise manifest.ManifestError("The firmware is not newer than the one that is installed.")
        if head.payload_name is None or head.payload_name != found.uri:
            raise manifest.ManifestError("The envelope does not hold the firmware that its manifest is about.")
        if head.payload_bytes != found.bytes:
            raise manifest.ManifestError(
                "The envelope holds %d bytes of firmware; its manifest says %d." % (head.payload_bytes, found.bytes)
            )

    async def _stepped(self, generator):
        steps = 0
        for _ in generator:
            steps += 1
            if steps % _STEPS == 0:
                await self._pause()

    async def finish(self):
        """All bytes have come: what is in the slot is read back and compared.  UpdateError."""
        if self.manifest is None:
            raise self._failed("The envelope ends before its payload.")
        self.phases.enter(VALIDATION)
        try:
            await self._stepped(self._writer.finish())
        except SlotError as e:
            raise self._failed(str(e))
        except StorageError as e:
            raise self._failed("The firmware cannot be stored: %s." % e.message)

    async def install(self):
        """After finish(): the new firmware starts next; the caller restarts the printer.  UpdateError."""
        self.phases.enter(INSTALLATION)
        found = self.manifest
        try:
            await self._writer.keep(found.sequence, found.floor, TRIES)  # pyright: ignore[reportOptionalMemberAccess]
        except StorageError as e:
            raise self._failed("The firmware cannot be made the next one: %s." % e.message)
        self.phases.enter(ACTIVATION)

    def _failed(self, message):
        self.phases.failed()
        self.phases.enter(CLEANUP)
        self.phases.ended()
        self._head = bytearray()
        return UpdateError(message)
