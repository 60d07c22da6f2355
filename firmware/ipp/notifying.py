"""Notifications while somebody subscribes: a task looks for events, ends what is over, and wakes those who wait for events.

Loaded with the first subscription, gone after the last (notifier.py).
"""

import asyncio

from firmware.ipp.event_watch import Watch
from firmware.ipp.subscriptions import Table
from hal.compat import TimeoutError, const, seldom, sleep_ms, wait_for_ms

LIMIT = const(4)
RING = const(32)
LIMIT_ROOMY = const(256)
RING_ROOMY = const(1024)
WAITERS_ROOMY = const(64)  # requests that may wait for events at a time; on a board none: a connection is dear
_LOOK_MS = const(200)  # between two looks when nothing tells of itself
_PAUSE_MS = const(20)  # at least, so that a thousand small changes are one look


class Active:
    """table: subscriptions.Table; limit: how many it takes; waiters_left: requests that may wait for events beside those that do."""

    def __init__(self, notifier):
        self.limit = LIMIT_ROOMY if notifier.roomy else LIMIT
        self.waiters_left = WAITERS_ROOMY if notifier.roomy else 0
        self.table = Table(self.limit, RING_ROOMY if notifier.roomy else RING, notifier.printer.queue.journal.boot, notifier.next_id)
        self._notifier = notifier
        self._watch = Watch(self.table, notifier.printer)
        self._news = asyncio.Event()

    def look(self):
        """As Notifier.look()."""
        for one in self.table.purge(self._notifier.printer.up_time()):
            self._notifier.let_go(one)
        if self._watch.look():
            self._wake()

    def put(self, mask, target, state, reasons, detail):
        """Something of another object than job or printer has happened, now."""
        self.look()
        if self._watch.put(mask, target, state, reasons, detail):
            self._wake()

    def _wake(self):
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self, ms):
        """Until there are news, at most so long."""
        try:
            await wait_for_ms(self._news.wait(), ms)
        except TimeoutError:
            pass

    async def run(self):
        """The task, until there is no subscription any more."""
        notifier = self._notifier
        while True:
            if notifier.stale and notifier.may_store():
                await seldom("firmware.ipp.subscription_store", "clean")(notifier)
            if not len(self.table) and not notifier.stale:
                notifier.next_id = self.table.next_id
                notifier.active = None
                return
            try:
                # cleared by others, who wait for it, too
                await wait_for_ms(notifier.printer.queue.changed.wait(), _LOOK_MS)
                await sleep_ms(_PAUSE_MS)
            except TimeoutError:
                pass
            self.look()
