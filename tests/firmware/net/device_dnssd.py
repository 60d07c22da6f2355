"""DNS-SD as a board runs it (both Pythons): the message codec and the responder, in a network without sockets."""

import unittest

from firmware.net import dnsmessage
from firmware.net.dnsmessage import AAAA, ANY, NSEC, PTR, SRV, TXT, A, name
from tests.firmware.net.helpers_mdns import PRINTERS, Host, Network, answers, query, records, response, services, v4

TYPE = name("_ipps-3d", "_tcp", "local")
PRINTER = name("Printer", "_ipps-3d", "_tcp", "local")
SECOND = name("Printer (2)", "_ipps-3d", "_tcp", "local")
HOST = name("pw", "local")
META = name("_services", "_dns-sd", "_udp", "local")


def settled(*hosts):
    network = Network(*hosts)
    for host in hosts:
        host.up(0)
    network.run(60000)
    return network


class Messages(unittest.TestCase):
    def test_compressed(self):
        writer = dnsmessage.Writer(500)
        writer.question(TYPE, PTR, 1)
        writer.record(0, TYPE, PTR, 1, 4500, PRINTER)
        writer.record(2, PRINTER, SRV, 0x8001, 120, b"\0\0\0\0\x21\xb7" + HOST)
        data = writer.bytes()
        self.assertEqual(data.count(b"_ipps-3d"), 1)
        reader = dnsmessage.Reader(data)
        self.assertEqual(reader.questions(), [(TYPE, PTR, 1)])
        found = list(reader.records())
        self.assertEqual(found[0], (0, TYPE, PTR, 1, 4500, PRINTER))
        self.assertEqual(found[1], (2, PRINTER, SRV, 0x8001, 120, b"\0\0\0\0\x21\xb7" + HOST))

    def test_full(self):
        writer = dnsmessage.Writer(60)
        self.assertTrue(writer.record(0, TYPE, TXT, 1, 1, b"\0" * 20))
        self.assertFalse(writer.record(0, PRINTER, TXT, 1, 1, b"\0" * 20))
        self.assertEqual(len(records(writer.bytes())), 1)

    def test_loops(self):
        for tail in (b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\x20", b"\xc0\x00", b"\x01a\xc0\x0e", b"\xc0", b"\x40", b"\x80a", b"\x3fa"):
            reader = dnsmessage.Reader(b"\0\0\0\0\0\1\0\0\0\0\0\0" + tail + b"\0\1\0\1")
            with self.assertRaises(dnsmessage.DnsError):
                reader.questions()

    def test_label(self):
        self.assertEqual(dnsmessage.label("\xe4" * 40), "\xe4".encode() * 31)
        self.assertEqual(dnsmessage.label(""), b"-")


class Names(unittest.TestCase):
    def test_probed_then_announced(self):
        network = settled(Host("pw", "Printer", 1))
        times = [ms for ms, _, _, _ in network.log]
        self.assertEqual(times, [0, 250, 500, 750, 1750])
        probe = dnsmessage.Reader(network.log[0][2])
        self.assertEqual([(n, k, c) for n, k, c in probe.questions()][0], (HOST, ANY, 0x8001))
        self.assertEqual({kind for section, _, kind, _, _, _ in probe.records()}, {A, SRV, TXT})
        told = records(network.log[3][2])
        for _, owner, kind, cls, ttl, _ in told:
            self.assertEqual(cls, 1 if kind == PTR else 0x8001)
            self.assertEqual(ttl, 120 if kind in (A, SRV) or owner == HOST else 4500)
        self.assertIn((META, PTR), answers(network.log[3][2]))
        self.assertTrue(network.hosts[0].responder.settled)

    def test_two_of_one_name(self):
        first = Host("pw-a", "Printer", 1)
        network = settled(first)
        second = Host("pw-b", "Printer", 2, told="b")
        network.hosts.append(second)
        second.up(network.now)
        network.run(20000)
        self.assertEqual((first.responder.instance, second.responder.instance), ("Printer", "Printer (2)"))
        self.assertEqual(second.responder.numbers, (1, 2))
        self.assertTrue(second.responder.settled)
        # and it would begin with that name after a restart
        third = Host("pw-b", "Printer", 2, numbers=(1, 2), told="b")
        network.hosts[1] = third
        third.up(network.now)
        network.run(5000)
        self.assertEqual(third.responder.instance, "Printer (2)")

    def test_both_at_once(self):
        for hosts in ((Host("pw-a", "Printer", 1), Host("pw-b", "Printer", 2, told="b")), (Host("pw", "A", 1), Host("pw", "B", 2))):
            network = settled(*hosts)
            one, two = [host.responder for host in hosts]
            self.assertTrue(one.settled and two.settled)
            self.assertNotEqual(one.host + one.instance, two.host + two.instance)
            self.assertEqual(sorted(one.numbers + two.numbers), [1, 1, 1, 2])
            self.assertTrue(len(network.log) < 40)

    def test_own_datagram_by_another_link(self):
        # a computer with two interfaces in one network hears itself with the other's address
        host = Host("pw", "Printer", 1)
        host.responder.set_services(services(), 0)
        host.responder.set_links({"a": [(v4(1), 24)], "b": [(v4(2), 24)]}, 0)
        now = 0
        while now < 5000:
            for data, key, _ in host.responder.poll(now):
                host.responder.receive(data, "b" if key == "a" else "a", v4(1 if key == "a" else 2), 5353, now)
            now += 50
        self.assertTrue(host.responder.settled)
        self.assertEqual(host.responder.numbers, (1, 1))

    def test_long_name(self):
        host = Host("pw", "\xe4" * 100, 1, numbers=(1, 12))
        settled(host)
        self.assertEqual(host.responder.instance, "\xe4" * 29 + " (12)")

    def test_spoofed_conflict(self):
        # it defends its name first; when somebody insists it takes another
        host = Host("pw", "Printer", 1)
        network = settled(host)
        spoof = response((PRINTER, SRV, 120, b"\0\0\0\0\0\1" + HOST))
        host.responder.receive(spoof, "eth0", v4(66), 5353, network.now)
        network.run(3000)
        self.assertEqual((host.responder.settled, host.responder.instance), (True, "Printer"))
        host.responder.receive(spoof, "eth0", v4(66), 5353, network.now)
        network.run(100)
        host.responder.receive(spoof, "eth0", v4(66), 5353, network.now)
        network.run(3000)
        self.assertEqual((host.responder.settled, host.responder.instance), (True, "Printer (2)"))

    def test_goodbye(self):
        host = Host("pw", "Printer", 1)
        network = settled(host)
        gone = host.responder.stop(network.now)
        ttls = {(owner, kind): ttl for _, owner, kind, _, ttl, _ in records(gone[0][0])}
        self.assertEqual(set(ttls.values()), {0})
        self.assertIn((TYPE, PTR), ttls)
        self.assertEqual(host.responder.poll(network.now + 1), [])
        self.assertEqual(host.responder.next_ms(network.now), None)

    def test_renamed_by_its_owner(self):
        host = Host("pw", "Printer", 1)
        network = settled(host)
        count = len(network.log)
        host.responder.rename("pw", "Other", (1, 1), network.now)
        network.run(5000)
        first = records(network.log[count][2])
        self.assertEqual({ttl for _, _, _, _, ttl, _ in first}, {0})
        self.assertIn((TYPE, PTR, PRINTER), [(owner, kind, rdata) for _, owner, kind, _, _, rdata in first])
        self.assertEqual(host.responder.instance, "Other")

    def test_link_comes_back(self):
        host = Host("pw", "Printer", 1)
        network = settled(host)
        host.responder.set_links({}, network.now)
        self.assertEqual(network.ask(query((TYPE, PTR))), [])
        host.up(network.now)
        count = len(network.log)
        network.run(5000)
        self.assertEqual(len(network.log) - count, 5)

    def test_new_address_is_told(self):
        host = Host("pw", "Printer", 1)
        network = settled(host)
        host.up(network.now, [(b"\xfe\x80" + b"\0" * 13 + b"\1", 64)])
        (_, _, data, _), *_ = network.log[-1:]
        network.run(50)
        kinds = [kind for _, owner, kind, _, _, _ in records(network.log[-1][2]) if owner == HOST]
        self.assertEqual(kinds, [A, AAAA, NSEC])


class Answers(unittest.TestCase):
    def setUp(self):
        self.host = Host("pw", "Printer", 1, random=lambda n: n // 2)
        self.network = settled(self.host)

    def ask(self, *questions, **how):
        port = how.pop("port", 5353)
        return self.network.ask(query(*questions, **how), port=port)

    def test_shared_waits_unique_does_not(self):
        ((ms, data, destination),) = self.ask((TYPE, PTR))
        self.assertEqual((ms, destination), (70, None))
        self.assertEqual(answers(data), {(TYPE, PTR)})
        more = {kind for section, _, kind, _, _, _ in records(data) if section == 2}
        self.assertEqual(more, {SRV, TXT, A, NSEC})
        self.network.run(2000)
        ((ms, data, _),) = self.ask((PRINTER, SRV))
        self.assertEqual((ms, answers(data)), (0, {(PRINTER.lower(), SRV)}))

    def test_names_in_any_case(self):
        ((_, data, _),) = self.ask((name("PRINTER", "_IPPS-3D", "_TCP", "LOCAL"), TXT))
        self.assertEqual(answers(data), {(PRINTER.lower(), TXT)})

    def test_known_answers(self):
        self.assertEqual(self.ask((TYPE, PTR), known=[(TYPE, PTR, 2250, PRINTER)]), [])
        self.assertEqual(len(self.ask((TYPE, PTR), known=[(TYPE, PTR, 2249, PRINTER)])), 1)

    def test_known_answers_in_further_messages(self):
        host = self.host.responder
        for last in (8, 9):
            host.receive(query((TYPE, PTR), truncated=True), "eth0", v4(last), 5353, self.network.now)
            self.network.run(100)
        more = query(known=[(TYPE, PTR, 4500, PRINTER)])
        host.receive(more, "eth0", v4(8), 5353, self.network.now)
        count = len(self.network.log)
        self.network.run(1000)
        # 9 has not said that it knows
        self.assertEqual(len(self.network.log), count + 1)

    def test_unicast(self):
        ((ms, data, destination),) = self.ask((PRINTER, TXT, 0x8001))
        self.assertEqual((ms, destination), (0, (v4(99), 5353)))
        # what was not told to all for long is told to all
        self.network.run(40000)
        ((_, _, destination),) = self.ask((PRINTER, SRV, 0x8001))
        self.assertEqual(destination, None)

    def test_once_a_second(self):
        self.assertEqual(len(self.ask((PRINTER, TXT))), 1)
        self.assertEqual(self.ask((PRINTER, TXT)), [])
        self.network.run(400)
        self.assertEqual(len(self.ask((PRINTER, TXT))), 1)

    def test_probe_is_answered_at_once(self):
        theirs = [(PRINTER, SRV, 120, b"\0\0\0\0\0\1" + name("x", "local"))]
        told = self.ask((PRINTER, ANY, 0x8001), authority=theirs)
        self.assertEqual({ms for ms, _, _ in told}, {0})
        found = set()
        for _, data, _ in told:
            found |= answers(data)
        self.assertEqual(found, {(PRINTER.lower(), SRV), (PRINTER.lower(), TXT)})

    def test_absent_types(self):
        ((_, data, _),) = self.ask((HOST, AAAA))
        ((section, owner, kind, _, ttl, rdata),) = records(data)
        self.assertEqual((owner, kind, ttl, rdata), (HOST, NSEC, 120, HOST + b"\0\1\x40"))
        ((_, data, _),) = self.ask((PRINTER, A))
        self.assertEqual(answers(data), {(PRINTER.lower(), NSEC)})

    def test_plain_resolver(self):
        ((ms, data, destination),) = self.ask((TYPE, PTR), port=40000, id=77)
        self.assertEqual((ms, destination), (0, (v4(99), 40000)))
        reader = dnsmessage.Reader(data)
        self.assertEqual((reader.id, reader.questions()), (77, [(TYPE, PTR, 1)]))
        for _, _, _, cls, ttl, _ in reader.records():
            self.assertEqual((cls, ttl), (1, 10))

    def test_far_senders_and_foreign_names(self):
        data = query((TYPE, PTR))
        self.host.responder.receive(data, "eth0", bytes([192, 168, 1, 1]), 5353, self.network.now)
        self.host.responder.receive(data, "eth1", v4(9), 5353, self.network.now)
        self.host.responder.receive(query((name("x", "local"), ANY)), "eth0", v4(9), 5353, self.network.now)
        self.assertTrue(self.host.responder.next_ms(self.network.now) is None)

    def test_others_goodbye_to_ours(self):
        count = len(self.network.log)
        self.network.ask(response((PRINTER, TXT, 0, b"\x04ty=a")))
        self.assertEqual(len(self.network.log), count + 1)

    def test_others_answer_is_ours_too(self):
        # somebody else tells that there are such services, before we do
        self.host.responder.receive(query((META, PTR)), "eth0", v4(9), 5353, self.network.now)
        self.network.run(10)
        count = len(self.network.log)
        theirs = response((META, PTR, 4500, TYPE), (META, PTR, 4500, name("_https", "_tcp", "local")))
        self.host.responder.receive(theirs, "eth0", v4(8), 5353, self.network.now)
        self.network.run(1000)
        self.assertEqual(len(self.network.log), count)

    def test_changed_text_is_told(self):
        self.host.responder.set_services(services("b"), self.network.now)
        count = len(self.network.log)
        self.network.run(3000)
        self.assertEqual(len(self.network.log), count + 2)
        self.assertTrue(any(rdata == b"\x04ty=b" for _, _, _, _, _, rdata in records(self.network.log[-1][2])))

    def test_service_that_ends(self):
        self.host.responder.set_services(services()[:1], self.network.now)
        gone = self.host.responder.poll(self.network.now)
        told = {(owner, ttl) for _, owner, _, _, ttl, _ in records(gone[0][0])}
        self.assertEqual(told, {(name("_https", "_tcp", "local"), 0), (name("Printer", "_https", "_tcp", "local"), 0)})
        self.assertEqual(PRINTERS, services()[0][0])

    def test_many_queriers(self):
        for last in range(2, 200):
            self.host.responder.receive(query((TYPE, PTR)), "eth0", v4(last), 5353, self.network.now)
        count = len(self.network.log)
        self.network.run(500)
        self.assertEqual(len(self.network.log), count + 1)


if __name__ == "__main__":
    unittest.main()
