"""Subscriptions and their events (RFC 3995, RFC 3996): a table and one ring of events that all subscriptions share; both bounded.

Each subscription numbers its events from 1 without gaps; which events of the ring are its own is a bit for each, the newest lowest, so an
event costs a subscription one bit.  Events nobody subscribed to are not kept.  No I/O; times are printer-up-time in seconds.

Not here: what happens at the printer (event_watch.py), requests and answers (subscription_ops.py, notification_ops.py).
"""

from hal.compat import const

# Keywords of notify-events by their bits, which flash keeps: new ones go to the end.  Main events come before their sub-events.
EVENTS = (
    "printer-state-changed",
    "printer-stopped",
    "printer-restarted",
    "printer-config-changed",
    "printer-queue-order-changed",
    "job-state-changed",
    "job-created",
    "job-completed",
    "job-stopped",
    "job-config-changed",
    "job-progress",
    "system-state-changed",
    "system-stopped",
    "system-config-changed",
    "resource-state-changed",
    "resource-created",
    "resource-installed",
    "resource-canceled",
    "resource-config-changed",
)
PRINTER_STATE = const(0x1)
PRINTER_STOPPED = const(0x2)
PRINTER_RESTARTED = const(0x4)
PRINTER_CONFIG = const(0x8)
QUEUE_ORDER = const(0x10)
JOB_STATE = const(0x20)
JOB_CREATED = const(0x40)
JOB_COMPLETED = const(0x80)
JOB_STOPPED = const(0x100)
JOB_CONFIG = const(0x200)
JOB_PROGRESS = const(0x400)
SYSTEM_STATE = const(0x800)
SYSTEM_STOPPED = const(0x1000)
SYSTEM_CONFIG = const(0x2000)
RESOURCE_STATE = const(0x4000)
RESOURCE_CREATED = const(0x8000)
RESOURCE_INSTALLED = const(0x10000)
RESOURCE_CANCELED = const(0x20000)
RESOURCE_CONFIG = const(0x40000)
OF_PRINTER = const(0x1F)
OF_JOB = const(0x7E0)
OF_SYSTEM = const(0x3800)
OF_RESOURCE = const(0x7C000)

# What a subscription is of
TO_PRINTER = const(1)
TO_JOB = const(2)
TO_SYSTEM = const(3)
TO_RESOURCE = const(4)

EVENT_LIFE_S = const(60)  # ippget-event-life: RFC 3996 section 8.1 recommends it
GET_INTERVAL_S = const(10)  # notify-get-interval; events are kept so much longer than their life
LEASE_DEFAULT_S = const(3600)
LEASE_MAX_S = const(86400)
LEASE_MIN_S = const(10)
USER_DATA_OCTETS = const(63)
EVENTS_MAX = const(16)  # notify-max-events-supported: keywords of one subscription
_KEPT_S = EVENT_LIFE_S + GET_INTERVAL_S
_SEQUENCE_MAX = const(0x7FFFFFFF)
_ID_STEP = const(65536)


class Subscription:
    """kind TO_*; target: job-id or resource-id, 0 for the others; mask: bits of EVENTS; owner: str; user_data: bytes; language: str;
    lease_s: as granted, 0 for ever; expires: up-time, 0 never; interval_s: notify-time-interval; extras: tuple of notify-attributes;
    place: where flash keeps it, or None.  count: notify-sequence-number."""

    def __init__(self, id, uuid, kind, target, mask, owner, user_data, language, lease_s, interval_s, extras):
        self.id = id
        self.uuid = uuid
        self.kind = kind
        self.target = target
        self.mask = mask
        self.owner = owner
        self.user_data = user_data
        self.language = language
        self.lease_s = lease_s
        self.interval_s = interval_s
        self.extras = extras
        self.expires = 0
        self.place: int | None = None
        self.count = 0
        self.taken = 0
        self.progress_s = None  # when it was told of progress last
        self.over_s = None  # since when its job or resource has ended


class Event:
    """mask: every keyword that it is an event of; target: job-id or resource-id, 0 without; state, reasons (tuple of str): the object's
    then; detail: printer-is-accepting-jobs of a printer, (progress, layer) of a job; s, unix_s: when."""

    def __init__(self, mask, s, unix_s, target, state, reasons, detail):
        self.mask = mask
        self.s = s
        self.unix_s = unix_s
        self.target = target
        self.state = state
        self.reasons = reasons
        self.detail = detail


class Table:
    """limit: subscriptions at a time; ring: events kept; boot: number of this start, for ids that an earlier start did not give; next_id:
    what another table of this start has left off with, or 0."""

    def __init__(self, limit, ring, boot, next_id=0):
        self._limit = limit
        self._ring_max = ring
        self._ring_mask = (1 << ring) - 1
        self._ring = []  # Events, the oldest first
        self._by_id = {}
        self.next_id = next_id or boot % (_SEQUENCE_MAX // _ID_STEP) * _ID_STEP + 1

    def __len__(self):
        return len(self._by_id)

    def is_full(self):
        """True when add() may not be called."""
        return len(self._by_id) >= self._limit

    def count_of(self, owner):
        """Subscriptions of one user."""
        return len([one for one in self._by_id.values() if one.owner == owner])

    def new_id(self):
        """An id that no subscription has."""
        while self.next_id in self._by_id:
            self.next_id += 1
        id = self.next_id
        self.next_id = id + 1 if id < _SEQUENCE_MAX else 1
        return id

    def add(self, subscription, now_s):
        """Keeps it; its lease begins."""
        self._by_id[subscription.id] = subscription
        self.renew(subscription, subscription.lease_s, now_s)

    def renew(self, subscription, lease_s, now_s):
        """The lease begins anew; 0: for ever."""
        subscription.lease_s = lease_s
        subscription.expires = now_s + lease_s if lease_s else 0

    def remove(self, id):
        """With all its events."""
        self._by_id.pop(id, None)

    def get(self, id):
        """The Subscription, or None."""
        return self._by_id.get(id)

    def all(self):
        """A list of them, by id."""
        return [self._by_id[id] for id in sorted(self._by_id)]

    def wanted(self):
        """Bits of the events that anybody wants."""
        mask = 0
        for one in self._by_id.values():
            mask |= one.mask
        return mask

    def purge(self, now_s):
        """Ends what is over: leases, subscriptions of objects whose last events are no longer kept; old events.  Returns what ended."""
        gone = []
        for one in self.all():
            expired = one.expires and one.expires <= now_s
            if expired or (one.over_s is not None and now_s - one.over_s > _KEPT_S):
                gone.append(one)
                del self._by_id[one.id]
        while self._ring and now_s - self._ring[0].s > _KEPT_S:
            self._ring.pop(0)
        return gone

    def put(self, event):
        """Something has happened.  True when somebody subscribed to it."""
        takers = [one for one in self._by_id.values() if one.mask & event.mask and _concerns(one, event)]
        if not takers:
            return False
        ring = self._ring
        ring.append(event)
        if len(ring) > self._ring_max:
            ring.pop(0)
        for one in self._by_id.values():
            one.taken = one.taken << 1 & self._ring_mask
        for one in takers:
            one.taken |= 1
            one.count = one.count + 1 if one.count < _SEQUENCE_MAX else 0
            if event.mask & JOB_PROGRESS:
                one.progress_s = event.s
        return True

    def ended(self, kind, target, now_s):
        """The job or resource has ended, its last event is put."""
        for one in self._by_id.values():
            if one.kind == kind and one.target == target and one.over_s is None:
                one.over_s = now_s

    def events(self, subscription, first):
        """[(sequence number, Event), ...] from number `first` on, oldest first, as far as they are kept."""
        found = []
        number = subscription.count
        taken = subscription.taken
        for i in range(len(self._ring) - 1, -1, -1):
            if taken & 1:
                if number < first:
                    break
                found.append((number, self._ring[i]))
                number = number - 1 if number else _SEQUENCE_MAX
            taken >>= 1
        found.reverse()
        return found


def _concerns(one, event):
    """RFC 3995 section 5.3.3.5: whose event it is."""
    kind = one.kind
    if event.mask & OF_JOB:
        if kind == TO_RESOURCE or (kind == TO_JOB and one.target != event.target):
            return False
        if event.mask & JOB_PROGRESS and one.interval_s and one.progress_s is not None:
            return event.s - one.progress_s >= one.interval_s
        return True
    if event.mask & OF_PRINTER:
        return kind == TO_PRINTER or kind == TO_SYSTEM or (kind == TO_JOB and one.over_s is None)
    if event.mask & OF_RESOURCE:
        return kind == TO_SYSTEM or (kind == TO_RESOURCE and one.target == event.target)
    return kind == TO_SYSTEM


def keyword(subscription, event):
    """notify-subscribed-event: what was subscribed to, the sub-event where both were."""
    both = subscription.mask & event.mask
    found = None
    for i in range(len(EVENTS)):
        if both & 1 << i:
            found = EVENTS[i]
    return found


def lease(asked, endless):
    """The lease granted for one that is asked for (None: the default); endless: 0, for ever, is allowed.  RFC 3995 section 5.3.8: the
    nearest that is supported."""
    if asked is None:
        return LEASE_DEFAULT_S
    if asked == 0 and endless:
        return 0
    return LEASE_MAX_S if asked == 0 else min(max(asked, LEASE_MIN_S), LEASE_MAX_S)
