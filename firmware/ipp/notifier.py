"""Where notifications begin: all of them that a printer holds which nobody watches.

With the first subscription comes `active` (notifying.Active: table, events, a task); after the last it goes.  Subscriptions without end and
those of jobs are kept over a restart (subscription_store.py), as far as there is room; a leased one ends with the restart, and its client
subscribes again, which RFC 3995 section 5.3.8 leaves to the printer.
"""

from firmware.config import FIRST_SUBSCRIPTION, SUBSCRIPTIONS_MAX
from hal.compat import seldom


class Notifier:
    """config: firmware/config.Config; may_store(): flash may be written now; roomy: a machine with memory for many; spawn(run): starts a
    task.  start(printer) comes before anything else."""

    def __init__(self, config, may_store, roomy, spawn):
        self.config = config
        self.may_store = may_store
        self.roomy = roomy
        self.printer = None
        self.active = None
        self.next_id = 0  # what the last table has left off with
        self.stale = []  # places of subscriptions in flash that are over
        self._spawn = spawn

    def start(self, printer):
        """Subscriptions that were kept are there again."""
        self.printer = printer
        if self.config.has_records(FIRST_SUBSCRIPTION, SUBSCRIPTIONS_MAX):
            seldom("firmware.ipp.subscription_store", "load")(self)

    @property
    def table(self):
        """The subscriptions.Table; None while nobody subscribes."""
        return self.active.table if self.active is not None else None

    def open(self):
        """The Table, made when there is none: for somebody who subscribes."""
        if self.active is None:
            self.active = seldom("firmware.ipp.notifying", "Active")(self)
            self._spawn(self.active.run)
        return self.active.table

    def look(self):
        """Events up to now are in the table, what is over is not: to be called before the table is asked."""
        if self.active is not None:
            self.active.look()

    def let_go(self, subscription):
        """A subscription is over: flash need not keep it."""
        if subscription.place is not None:
            self.stale.append(subscription.place)
            subscription.place = None
