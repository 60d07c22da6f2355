"""The task of notifications: looks for events while somebody subscribes, ends what is over, wakes those who wait for events.

Table and watch are loaded with the first subscription and forgotten after the last: a printer that nobody watches has this module only.
Subscriptions without end and those of jobs are kept over a restart (subscription_store.py), as far as there is room; a leased one ends with
the restart, and its client subscribes again (RFC 3995 section 5.3.8 leaves that to the printer).
"""

import asyncio

from hal.compat import TimeoutError, const, seldom, sleep_ms, wait_for_ms

LIMIT = const(8)
RING = const(32)
LIMIT_ROOMY = const(256)
RING_ROOMY = const(1024)
WAITERS_ROOMY = const(64)  # requests that may wait for events at a time; on a board none: a connection is dear
_LOOK_MS = const(200)  # between two looks when nothing tells of itself
_PAUSE_MS = const(20)  # at least, so that a thousand small changes are one look


class Notifier:
    """roomy: a machine with memory for many; may_store(): flash may be written now; start(printer) comes before run()."""

    def __init__(self, config, may_store, roomy):
        self.limit = LIMIT_ROOMY if roomy else LIMIT
        self.waiters_left = WAITERS_ROOMY if roomy else 0
        self.config = config
        self.may_store = may_store
        self._ring = RING_ROOMY if roomy else RING
        self.printer = None
        self._table = None
        self._watch = None
        self._wanted = asyncio.Event()
        self._news = asyncio.Event()
        self.stale = []  # places of subscriptions in flash that are over

    def start(self, printer):
        """Subscriptions that were kept are there again."""
        self.printer = printer
        if self.config.has_subscriptions():
            seldom("firmware.ipp.subscription_store", "load")(self)

    @property
    def table(self):
        """The Table; None while nobody subscribes."""
        return self._table

    def open(self):
        """The Table, made when there is none: for somebody who subscribes."""
        if self._table is None:
            from firmware.ipp.event_watch import Watch
            from firmware.ipp.subscriptions import Table

            assert self.printer is not None
            self._table = Table(self.limit, self._ring, self.printer.queue.journal.boot)
            self._watch = Watch(self._table, self.printer)
            self._wanted.set()
        return self._table

    def look(self):
        """Events up to now are in the table, what is over is not: to be called before the table is asked."""
        if self._table is None:
            return
        gone = self._table.purge(self.printer.up_time())  # pyright: ignore[reportOptionalMemberAccess]
        for one in gone:
            self.let_go(one)
        if self._watch.look():  # pyright: ignore[reportOptionalMemberAccess]
            self.wake()

    def put(self, mask, target, state, reasons, detail):
        """Something of another object (Resource) has happened."""
        if self._table is not None:
            self.look()
            if self._watch.put(mask, target, state, reasons, detail):  # pyright: ignore[reportOptionalMemberAccess]
                self.wake()

    def wake(self):
        """Those who wait look again."""
        self._news.set()
        self._news = asyncio.Event()

    def let_go(self, subscription):
        """A subscription is over: flash need not keep it."""
        if subscription.place is not None:
            self.stale.append(subscription.place)
            subscription.place = None

    async def wait(self, ms):
        """Until there are news, at most so long."""
        try:
            await wait_for_ms(self._news.wait(), ms)
        except TimeoutError:
            pass

    async def run(self):
        """The task; never ends."""
        while True:
            await self._wanted.wait()
            changed = self.printer.queue.changed  # pyright: ignore[reportOptionalMemberAccess]
            try:
                # cleared by others, who wait for it, too
                await wait_for_ms(changed.wait(), _LOOK_MS)
                await sleep_ms(_PAUSE_MS)
            except TimeoutError:
                pass
            self.look()
            if self.stale and self.may_store():
                await seldom("firmware.ipp.subscription_store", "clean")(self)
            if self._table is not None and not len(self._table) and not self.stale:
                self._table = self._watch = None
                self._wanted.clear()
