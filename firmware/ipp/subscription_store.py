"""Subscriptions that outlive a restart: those without end, and those of jobs, which outlive it themselves.  Records in the settings' part
of the flash, at most SUBSCRIPTIONS_MAX.  Sequence numbers begin anew: what had happened before is lost, and so are its numbers.

Called by seldom(); no state here.
"""

from firmware.config import FIRST_SUBSCRIPTION, SUBSCRIPTIONS_MAX
from firmware.jobs import packing
from firmware.jobs.states import ended
from hal.compat import print_exception
from hal.errors import StorageError

_VERSION = 1


def keep(notifier, one):
    """Finds a place in flash for it; durable after config.save().  False when there is none, or nothing may be written now."""
    if not notifier.may_store():
        return False
    taken = [other.place for other in notifier.table.all()]
    for place in range(SUBSCRIPTIONS_MAX):
        if place not in taken and place not in notifier.stale:
            out = bytearray()
            extras = tuple(one.extras)
            fields = (_VERSION, one.id, one.uuid, one.kind, one.target, one.mask, one.owner, one.user_data, one.language)
            packing.pack_into(out, fields + (one.lease_s, one.interval_s, extras))
            try:
                notifier.config.set_record(FIRST_SUBSCRIPTION + place, bytes(out))
            except StorageError as error:
                print_exception(error)
                return False
            one.place = place
            return True
    return False


def load(notifier):
    """All that are kept, into the table; those of jobs that are gone are let go."""
    from firmware.ipp.subscriptions import PRINTER_RESTARTED, TO_JOB, Subscription

    printer = notifier.printer
    for place in range(SUBSCRIPTIONS_MAX):
        record = notifier.config.record(FIRST_SUBSCRIPTION + place)
        if record is None:
            continue
        try:
            fields = packing.unpack(record, 0)[0]
            if fields[0] != _VERSION:
                raise packing.PackingError("version")
            one = Subscription(*fields[1:])
        except (packing.PackingError, TypeError, IndexError, ValueError):
            notifier.open()
            notifier.stale.append(place)
            continue
        table = notifier.open()
        one.place = place
        table.add(one, printer.up_time())
        if one.kind == TO_JOB:
            job = printer.queue.get(one.target)
            if job is None or ended(job.state):
                one.over_s = printer.up_time()
    notifier.look()
    status = printer.runner.status
    if notifier.active is not None:
        notifier.active.put(PRINTER_RESTARTED | 1, 0, status.printer_state, status.state_reasons, printer.accepting())


async def clean(notifier):
    """Removes from flash what is over."""
    while notifier.stale:
        try:
            notifier.config.set_record(FIRST_SUBSCRIPTION + notifier.stale[-1], None)
            notifier.stale.pop()
            if not notifier.stale:
                await notifier.config.save()
        except StorageError as error:
            print_exception(error)
            return
