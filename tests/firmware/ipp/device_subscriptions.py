"""Subscriptions and their ring of events as a board runs them (both Pythons)."""

import unittest

from firmware.ipp import subscriptions as subs
from firmware.ipp.subscriptions import EVENTS, Event, Subscription, Table, keyword, lease


def bits(*names):
    mask = 0
    for name in names:
        mask |= 1 << EVENTS.index(name)
    return mask


def subscription(table, mask, kind=subs.TO_PRINTER, target=0, lease_s=600, interval_s=0, now_s=1):
    one = Subscription(table.new_id(), b"u" * 16, kind, target, mask, "alice", b"", "en", lease_s, interval_s, ())
    table.add(one, now_s)
    return one


def job_event(job_id=7, mask=subs.JOB_STATE, s=10):
    return Event(mask, s, None, job_id, 5, ("job-printing",), (0, 0))


def printer_event(mask=subs.PRINTER_STATE, s=10):
    return Event(mask, s, None, 0, 3, ("none",), True)


class Events(unittest.TestCase):
    def setUp(self):
        self.table = Table(8, 4, 3)

    def numbers(self, one, first=1):
        return [number for number, _ in self.table.events(one, first)]

    def test_names_fit_the_bits(self):
        self.assertEqual(bits("printer-state-changed"), subs.PRINTER_STATE)
        self.assertEqual(bits("job-progress"), subs.JOB_PROGRESS)
        self.assertEqual(bits("resource-config-changed"), subs.RESOURCE_CONFIG)
        self.assertEqual(subs.OF_PRINTER | subs.OF_JOB | subs.OF_SYSTEM | subs.OF_RESOURCE, (1 << len(EVENTS)) - 1)

    def test_numbered_without_gaps(self):
        jobs = subscription(self.table, bits("job-state-changed"))
        both = subscription(self.table, bits("job-completed", "printer-state-changed"))
        self.assertTrue(self.table.put(job_event()))
        self.assertTrue(self.table.put(printer_event()))
        self.assertFalse(self.table.put(printer_event(subs.PRINTER_CONFIG)))
        self.assertTrue(self.table.put(job_event(mask=subs.JOB_STATE | subs.JOB_COMPLETED)))
        self.assertEqual(self.numbers(jobs), [1, 2])
        self.assertEqual(self.numbers(both), [1, 2])
        self.assertEqual(self.numbers(both, 2), [2])
        self.assertEqual(self.numbers(both, 3), [])
        self.assertEqual(self.numbers(both, 0x7FFFFFFF), [])
        self.assertEqual(keyword(both, self.table.events(both, 2)[0][1]), "job-completed")
        self.assertEqual(keyword(jobs, self.table.events(jobs, 2)[0][1]), "job-state-changed")

    def test_the_oldest_goes_when_the_ring_is_full(self):
        one = subscription(self.table, bits("job-state-changed"))
        for _ in range(10):
            self.table.put(job_event())
        self.assertEqual(self.numbers(one), [7, 8, 9, 10])
        later = subscription(self.table, bits("job-state-changed"))
        self.table.put(job_event())
        self.assertEqual((self.numbers(one), self.numbers(later)), ([8, 9, 10, 11], [1]))

    def test_numbers_wrap(self):
        one = subscription(self.table, bits("job-state-changed"))
        one.count = 0x7FFFFFFF - 1
        for _ in range(3):
            self.table.put(job_event())
        self.assertEqual(one.count, 1)

    def test_old_events_go(self):
        one = subscription(self.table, bits("job-state-changed"))
        self.table.put(job_event(s=10))
        self.table.put(job_event(s=60))
        self.table.purge(10 + subs.EVENT_LIFE_S)
        self.assertEqual(self.numbers(one), [1, 2])
        self.table.purge(11 + subs.EVENT_LIFE_S + subs.GET_INTERVAL_S)
        self.assertEqual(self.numbers(one), [2])

    def test_whose_event_it_is(self):
        every = bits("job-state-changed", "printer-state-changed", "system-state-changed", "resource-state-changed")
        printer = subscription(self.table, every)
        mine = subscription(self.table, every, subs.TO_JOB, 7)
        other = subscription(self.table, every, subs.TO_JOB, 8)
        system = subscription(self.table, every, subs.TO_SYSTEM)
        resource = subscription(self.table, every, subs.TO_RESOURCE, 2)
        self.table.put(job_event(7))
        self.table.put(printer_event())
        self.table.put(printer_event(subs.SYSTEM_STATE))
        self.table.put(Event(subs.RESOURCE_STATE, 1, None, 2, 3, ("none",), None))
        self.assertEqual([one.count for one in (printer, mine, other, system, resource)], [2, 2, 1, 4, 1])
        self.table.ended(subs.TO_JOB, 7, 10)
        self.table.put(printer_event())
        # the printer's events are no concern of a job that has ended
        self.assertEqual((mine.count, other.count), (2, 2))

    def test_progress_is_thinned(self):
        one = subscription(self.table, bits("job-progress"), interval_s=10)
        for s in range(1, 26):
            self.table.put(job_event(mask=subs.JOB_PROGRESS, s=s))
        self.assertEqual(one.count, 3)


class Leases(unittest.TestCase):
    def test_granted(self):
        self.assertEqual(lease(None, False), 3600)
        self.assertEqual((lease(0, True), lease(0, False)), (0, 86400))
        self.assertEqual((lease(-(1 << 31), True), lease(1, True), lease(0x7FFFFFFF, True)), (10, 10, 86400))

    def test_end(self):
        table = Table(8, 4, 3)
        one = subscription(table, 1, lease_s=10, now_s=5)
        forever = subscription(table, 1, lease_s=0)
        self.assertEqual(table.purge(14), [])
        table.renew(one, 20, 14)
        self.assertEqual(table.purge(33), [])
        self.assertEqual(table.purge(34), [one])
        self.assertEqual((table.get(one.id), table.get(forever.id)), (None, forever))

    def test_of_a_job_outlives_it_by_an_event_life(self):
        table = Table(8, 4, 3)
        one = subscription(table, 1, subs.TO_JOB, 7, 0)
        table.ended(subs.TO_JOB, 7, 100)
        self.assertEqual(table.purge(100 + subs.EVENT_LIFE_S), [])
        self.assertEqual(table.purge(101 + subs.EVENT_LIFE_S + subs.GET_INTERVAL_S), [one])

    def test_ids_of_another_start_are_others(self):
        first, second = Table(8, 4, 3), Table(8, 4, 4)
        self.assertNotEqual(subscription(first, 1).id, subscription(second, 1).id)
        for boot in (0, 32767, 65535, 1 << 30):
            self.assertTrue(0 < Table(8, 4, boot).new_id() <= 0x7FFFFFFF)

    def test_full(self):
        table = Table(2, 4, 1)
        subscription(table, 1)
        self.assertFalse(table.is_full())
        subscription(table, 1)
        self.assertTrue(table.is_full())
        self.assertEqual(table.count_of("alice"), 2)


if __name__ == "__main__":
    unittest.main()
