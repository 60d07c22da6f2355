"""A network of responders without sockets: what one sends to the group, all others on the link get."""

from firmware.net import dnsmessage, dnsrecords
from firmware.net.dnssd import Responder

PRINTERS = "_ipps-3d._tcp"
GROUP_PORT = 5353


def services(text="a", port=8631):
    return [(PRINTERS, port, dnsrecords.text([("ty", text)])), ("_https._tcp", port, b"\0")]


def v4(last):
    return bytes([10, 0, 0, last])


class Host:
    """A responder with an address on the link `key`."""

    def __init__(self, host, instance, last, random=lambda n: 0, numbers=(1, 1), told="a", key="eth0"):
        self.responder = Responder(host, instance, random, numbers)
        self.address = v4(last)
        self.key = key
        self.told = told

    def up(self, now, extra=()):
        self.responder.set_services(services(self.told), now)
        self.responder.set_links({self.key: [(self.address, 24)] + list(extra)}, now)


class Network:
    """Hosts on one link, and what went over it: [(ms, sender, data, destination), ...]."""

    def __init__(self, *hosts):
        self.hosts = list(hosts)
        self.log = []
        self.now = 0
        self.begin = 0

    def run(self, ms):
        end = self.now + ms
        while True:
            due = [at for at in [host.responder.next_ms(self.now) for host in self.hosts] if at is not None]
            if not due or min(due) > end:
                break
            self.now = min(due)
            for host in self.hosts:
                self.deliver(host, host.responder.poll(self.now))
        self.now = end

    def deliver(self, sender, datagrams):
        for data, key, destination in datagrams:
            assert len(data) <= 1440
            self.log.append((self.now, sender, data, destination))
            for host in self.hosts:
                if destination is None or (host.address, GROUP_PORT) == destination:
                    # its own, too, as with IP_MULTICAST_LOOP
                    host.responder.receive(data, key, sender.address, GROUP_PORT, self.now)

    def ask(self, data, last=99, port=GROUP_PORT, key="eth0"):
        """Somebody's datagram to all; returns what was answered within 700 ms: [(ms after, data, destination), ...]."""
        begin = len(self.log)
        at = self.now
        for host in self.hosts:
            host.responder.receive(data, key, v4(last), port, self.now)
        self.run(700)
        return [(ms - at, answer, destination) for ms, _, answer, destination in self.log[begin:]]


def query(*questions, known=(), truncated=False, authority=(), id=0):
    """A query; questions: (name, type[, class]); known, authority: (name, type, ttl, rdata)."""
    writer = dnsmessage.Writer(9000, dnsmessage.TRUNCATED if truncated else 0, id)
    for question in questions:
        writer.question(question[0], question[1], question[2] if len(question) > 2 else 1)
    for section, records in ((dnsmessage.ANSWER, known), (dnsmessage.AUTHORITY, authority)):
        for owner, kind, ttl, rdata in records:
            writer.record(section, owner, kind, 1, ttl, rdata)
    return writer.bytes()


def response(*records):
    """A response of (name, type, ttl, rdata), all with the cache-flush bit."""
    writer = dnsmessage.Writer(9000, dnsmessage.RESPONSE)
    for owner, kind, ttl, rdata in records:
        writer.record(dnsmessage.ANSWER, owner, kind, 0x8001, ttl, rdata)
    return writer.bytes()


def records(data):
    """[(section, name, type, class, ttl, rdata), ...] of a message."""
    reader = dnsmessage.Reader(data)
    reader.questions()
    return list(reader.records())


def answers(data):
    """{(name in lower case, type)} of its answer section."""
    return {(name.lower(), kind) for section, name, kind, _, _, _ in records(data) if section == 0}
