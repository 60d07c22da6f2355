"""Group commit: any number of tasks wait for what they wrote, one flush and one sync serve them all."""

import asyncio


class GroupCommit:
    """For one RecordLog."""

    def __init__(self, log):
        self._log = log
        self._busy = False
        self._turn = asyncio.Event()
        self.durable = 0  # log.sequence up to which everything is durable

    def pending(self):
        """True when something put is not durable yet."""
        return self.durable != self._log.sequence

    async def wait(self):
        """Returns when everything put so far is durable.  Raises StorageError when flash fails (what waits may be tried again)."""
        want = self._log.sequence
        while self.durable < want:
            if self._busy:
                # somebody else's sync began before: what it leaves is done by one of those who waited for it
                await self._turn.wait()
                continue
            self._busy = True
            self._turn.clear()
            try:
                upto = self._log.flush()
                number = self._log.number
                await self._log.flash.sync()
                self._log.synced(number)
                self.durable = upto
            finally:
                self._busy = False
                self._turn.set()
