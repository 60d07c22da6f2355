"""Group commit: one sync for many, and what a cancelled or failing one means for the others."""

import asyncio

import pytest

from firmware.jobs.commit import GroupCommit
from firmware.jobs.records import RecordLog
from hal.errors import StorageError
from tests.firmware.jobs.helpers_flash import FakeFlash


class SlowFlash(FakeFlash):
    """sync() takes a few turns; `durable` is what it has made safe."""

    def __init__(self):
        super().__init__(16384, 2048, 64)
        self.durable = bytes(self.data)
        self.sync_error = None

    async def sync(self):
        now = bytes(self.data)
        for _ in range(5):
            await asyncio.sleep(0)
        self.syncs += 1
        if self.sync_error is not None:
            error, self.sync_error = self.sync_error, None
            raise error
        self.durable = now

    def safe(self, key):
        flash = FakeFlash(16384, 2048, 64)
        flash.data[:] = self.durable
        log = RecordLog(flash, 0, flash.size, 500)
        log.mount()
        return log.get(key)


def make():
    flash = SlowFlash()
    log = RecordLog(flash, 0, flash.size, 500)
    log.mount()
    return flash, log, GroupCommit(log)


async def put(log, group, key):
    log.put(key, b"%d" % key)
    await group.wait()


def test_nothing_to_do():
    flash, log, group = make()
    asyncio.run(group.wait())
    assert flash.syncs == 0 and not group.pending()


def test_many_share_a_sync():
    async def body():
        flash, log, group = make()

        async def one(key):
            for _ in range(key % 7):
                await asyncio.sleep(0)
            await put(log, group, key)
            assert flash.safe(key) == b"%d" % key

        await asyncio.gather(*[one(key) for key in range(1, 101)])
        assert flash.syncs <= 4
        assert not group.pending()

    asyncio.run(body())


def test_whoever_is_cancelled_takes_nothing_from_the_others():
    async def body():
        flash, log, group = make()
        first = asyncio.create_task(put(log, group, 1))
        await asyncio.sleep(0)
        second = asyncio.create_task(put(log, group, 2))
        await asyncio.sleep(0)
        first.cancel()
        await second
        assert flash.safe(1) == b"1" and flash.safe(2) == b"2"

    asyncio.run(body())


def test_a_failing_sync_is_told_and_tried_again():
    async def body():
        flash, log, group = make()
        flash.sync_error = StorageError("broken")
        first = asyncio.create_task(put(log, group, 1))
        await asyncio.sleep(0)
        second = asyncio.create_task(put(log, group, 2))
        with pytest.raises(StorageError):
            await first
        await second
        assert flash.safe(2) == b"2"
        assert not group.pending()
        await group.wait()

    asyncio.run(body())
