"""The printer's names on the local network: DNS-SD over multicast DNS (RFC 6762, RFC 6763), the responder's side.

Datagrams and time go in, datagrams and the next time come out; no socket, no clock.  A *link* is one network interface and one of IPv4
and IPv6, by whatever key the caller likes: each probes, announces and answers for itself, names are the same on all.  Times are
milliseconds that only grow; the caller picks where they begin.

    Responder.set_services, set_links    what there is to tell
    receive(data, key, address, port, now)    a datagram that came: address in 4 or 16 octets
    poll(now) -> [(data, key, None or (address, port)), ...]    to be sent: None is to the link's multicast group
    next_ms(now) -> int or None    poll() again by then
    stop(now) -> as poll(): the good-byes

Not here: asking (nobody on the board wants to know), reverse mapping of addresses, unicast DNS.
"""

import struct

from firmware.net import dnsmessage, dnsrecords
from firmware.net.dnsmessage import AAAA, ADDITIONAL, ANSWER, ANY, AUTHORITY, CACHE_FLUSH, IN, NSEC, PTR, RESPONSE, SRV, TXT, A
from hal.compat import const, crc32

PORT = const(5353)
LINKS_MAX = const(16)
ADDRESSES_MAX = const(8)  # of one link that are told

_TTL_HOST_S = const(120)  # records that hold a host's name or address (RFC 6762 section 10)
_TTL_S = const(4500)
_TTL_LEGACY_S = const(10)
_PAYLOAD_OCTETS = const(1440)  # of an Ethernet frame, IPv6 and UDP headers off

# states of a link
_PROBING = const(0)
_ANNOUNCING = const(1)
_READY = const(2)

_PROBES = const(3)
_PROBE_MS = const(250)
_ANNOUNCEMENTS = const(2)
_SECOND_MS = const(1000)
_SHARED_MIN_MS = const(20)  # RFC 6762 section 6: answers that others may give, too
_SHARED_SPREAD_MS = const(100)
_TRUNCATED_MIN_MS = const(400)  # RFC 6762 section 7.2: more known answers follow
_TRUNCATED_SPREAD_MS = const(100)
_PENDING_MAX = const(8)  # answers of a link that wait; what comes beyond goes with the youngest of them
_ECHOES = const(16)  # own datagrams that are known when they come back

# RFC 6762 section 8.1: after 15 conflicts (within 10 s) 5 s before every further attempt; longer and longer here, for somebody may mean it
_STRIKES = const(15)
_PATIENCE_MS = const(5000)
_PATIENCE_MAX_MS = const(300000)
_CALM_MS = const(600000)
_NUMBER_MAX = const(99)

_SERVICES = "_services"
_PROBED = (A, AAAA, SRV, TXT)


class _Link:
    def __init__(self, addresses, now, delay):
        self.addresses = addresses
        self.begin(now + delay)

    def begin(self, at):
        """Probing from `at` on."""
        self.state = _PROBING
        self.step = 0
        self.next = at
        self.pending = []
        self.sent = {}  # record's number: when it was multicast

    def announce(self, at):
        self.state = _ANNOUNCING
        self.step = 0
        self.next = at
        self.sent = {}


class _Pending:
    """Answers that wait: numbers of records as bits, for the group (source None) or for one querier."""

    def __init__(self, due, mask, source, gap):
        self.due = due
        self.mask = mask
        self.source = source
        self.asker = None  # whose further known answers count
        self.gap = gap  # ms since a record was multicast, below which it is not again


class Responder:
    """host, instance: names as people read them, without numbers.  random(n): 0 to n - 1.  numbers: (of the host, of the instance),
    as `numbers` was before the last restart: 1 is the plain name, others are told behind it."""

    def __init__(self, host, instance, random, numbers=(1, 1)):
        self._host = host
        self._instance = instance
        self._random = random
        self._number = list(numbers)
        self._services = []
        self._links = {}
        self._out = []
        self._echoes = []
        self._lost = 0  # conflicts without a calm time between
        self._lost_at = 0
        self._make_names()

    # --- what there is to tell

    @property
    def numbers(self):
        """(host's, instance's): to be kept, so that a printer keeps its name over restarts."""
        return tuple(self._number)

    @property
    def host(self):
        """The host's name as it is now, with domain, as str."""
        return str(self.host_name[1 : 1 + self.host_name[0]], "utf-8") + ".local"

    @property
    def instance(self):
        """The name of the services as it is now, as str."""
        return str(self._label, "utf-8")

    @property
    def settled(self):
        """True when the names are ours on every link."""
        for link in self._links.values():
            if link.state == _PROBING:
                return False
        return True

    def rename(self, host, instance, numbers, now):
        """Other names from now on; good-byes to the old ones come with the next poll()."""
        if (host, instance) != (self._host, self._instance):
            self._leave()
            self._host = host
            self._instance = instance
            self._number = list(numbers)
            self._make_names()
            self._probe_again(now, self._random(_PROBE_MS))

    def set_services(self, services, now):
        """services: [(type as "_ipps-3d._tcp", TCP port, TXT rdata), ...].  What changed is announced."""
        services = list(services)
        if services == self._services:
            return
        before = [service[0] for service in self._services]
        gone = [service for service in self._services if service[0] not in [one[0] for one in services]]
        if gone:
            self._services = gone
            self._make_names()
            self._leave(True)
        self._services = services
        self._make_names()
        fresh = [service for service in services if service[0] not in before]
        for link in self._links.values():
            link.pending = []
            if fresh:
                link.begin(now + self._random(_PROBE_MS))
            elif link.state != _PROBING:
                link.announce(now)

    def set_links(self, links, now):
        """links: {key: [(address in 4 or 16 octets, bits of its network), ...]}, those of the interface whatever the link's family.
        Links that are new probe; those whose addresses changed tell the new ones."""
        for key in list(self._links):
            if not links.get(key):
                del self._links[key]
        for key, addresses in links.items():
            addresses = sorted(addresses)[:ADDRESSES_MAX]
            link = self._links.get(key)
            if link is not None:
                if link.addresses != addresses:
                    link.addresses = addresses
                    link.pending = []
                    if link.state == _PROBING:
                        link.begin(now)
                    else:
                        link.announce(now)
            elif addresses and len(self._links) < LINKS_MAX:
                self._links[key] = _Link(addresses, now, self._random(_PROBE_MS))

    def _make_names(self):
        host = self._host if self._number[0] == 1 else "%s-%d" % (self._host, self._number[0])
        tail = "" if self._number[1] == 1 else " (%d)" % self._number[1]
        self._label = dnsmessage.label(self._instance, dnsmessage.LABEL_OCTETS_MAX - len(tail)) + tail.encode()
        self.host_name = dnsmessage.name(dnsmessage.label(host), "local")
        self._types = []
        self._owned = [self.host_name.lower()]
        for service in self._services:
            kind = dnsmessage.name(*(service[0].split(".") + ["local"]))
            self._types.append(kind)
            self._owned.append((bytes([len(self._label)]) + self._label + kind).lower())

    def _records(self, link):
        """[(name, type, unique, ttl, rdata), ...]; numbers of records are places in it.  Made when needed: a board's heap is small."""
        host = self.host_name
        found = []
        kinds = []
        for address, _ in link.addresses:
            kind = A if len(address) == 4 else AAAA
            found.append((host, kind, True, _TTL_HOST_S, address))
            if kind not in kinds:
                kinds.append(kind)
        found.append((host, NSEC, True, _TTL_HOST_S, dnsrecords.denial(host, kinds)))
        for i in range(len(self._services)):
            _, port, txt = self._services[i]
            kind = self._types[i]
            instance = bytes([len(self._label)]) + self._label + kind
            found.append((dnsmessage.name(_SERVICES, "_dns-sd", "_udp", "local"), PTR, False, _TTL_S, kind))
            found.append((kind, PTR, False, _TTL_S, instance))
            found.append((instance, SRV, True, _TTL_HOST_S, struct.pack(">HHH", 0, 0, port) + host))
            found.append((instance, TXT, True, _TTL_S, txt))
            found.append((instance, NSEC, True, _TTL_S, dnsrecords.denial(instance, (TXT, SRV))))
        return found

    # --- time

    def next_ms(self, now):
        """When poll() has something to do, at the earliest `now`; None: not before a datagram comes."""
        if self._out:
            return now
        soon = None
        for link in self._links.values():
            if link.state != _READY:
                soon = link.next if soon is None else min(soon, link.next)
            for pending in link.pending:
                soon = pending.due if soon is None else min(soon, pending.due)
        return soon if soon is None else max(soon, now)

    def poll(self, now):
        """What is to be sent now: [(data, key, None for the group or (address, port)), ...]."""
        for key, link in self._links.items():
            if not self._services:
                break
            if link.state == _PROBING and link.next <= now:
                self._probe(key, link, now)
            elif link.state == _ANNOUNCING and link.next <= now:
                self._announce(key, link, now)
            if link.state != _PROBING:
                self._answer(key, link, now)
        out = self._out
        self._out = []
        return out

    def stop(self, now):
        """Good-byes; nothing is answered from now on."""
        out = self.poll(now)
        self._leave()
        out.extend(self._out)
        self._out = []
        self._links = {}
        return out

    def _probe(self, key, link, now):
        if link.step == _PROBES:
            link.announce(now)
            self._announce(key, link, now)
            return
        link.step += 1
        link.next = now + _PROBE_MS
        writer = dnsmessage.Writer(_PAYLOAD_OCTETS)
        records = self._records(link)
        asked = [self.host_name]
        for record in records:
            if record[1] == SRV:
                asked.append(record[0])
        for owner in asked:
            # RFC 6762 section 8.1: a unicast answer gives the sooner news, and disturbs nobody
            writer.question(owner, ANY, IN | CACHE_FLUSH)
        for owner, kind, _, ttl, rdata in records:
            if kind in _PROBED:
                writer.record(AUTHORITY, owner, kind, IN, ttl, rdata)
        self._send(writer.bytes(), key, None)

    def _announce(self, key, link, now):
        link.step += 1
        if link.step < _ANNOUNCEMENTS:
            link.next = now + _SECOND_MS
        else:
            link.state = _READY
        records = self._records(link)
        self._write(key, None, records, (1 << len(records)) - 1, 0)
        for i in range(len(records)):
            link.sent[i] = now

    def _leave(self, shared_only=False):
        """Good-byes to all that was announced: TTL 0 (RFC 6762 section 10.1)."""
        for key, link in self._links.items():
            if link.state == _PROBING:
                continue
            records = []
            for owner, kind, unique, _, rdata in self._records(link):
                if kind == NSEC or (shared_only and owner == self.host_name):
                    continue
                # the list of types may have other printers' entries with the same bytes
                if kind == PTR and owner[0] == len(_SERVICES) and owner[1:10] == b"_services":
                    continue
                records.append((owner, kind, unique, 0, rdata))
            self._write(key, None, records, (1 << len(records)) - 1, 0)

    def _probe_again(self, now, delay):
        for link in self._links.values():
            link.begin(now + delay)

    def _conflict(self, which, link, now):
        """which: 0 the host's name is somebody else's, 1 the instance's."""
        self._lost = 1 if now - self._lost_at > _CALM_MS else self._lost + 1
        self._lost_at = now
        delay = self._random(_PROBE_MS)
        if self._lost >= _STRIKES:
            delay += min(_PATIENCE_MS << min((self._lost - _STRIKES) // 4, 8), _PATIENCE_MAX_MS)
        if link.state != _PROBING:
            # RFC 6762 section 9: it was ours; whether it still is will be seen
            link.begin(now + delay)
            return
        self._leave()
        number = self._number[which] + 1
        # names of all numbers taken: somebody plays, and gets less to read
        self._number[which] = number if number <= _NUMBER_MAX else 100 + self._random(9900)
        self._make_names()
        self._probe_again(now, delay)

    # --- what comes

    def receive(self, data, key, address, port, now):
        """A datagram from `address` (octets) and `port` that came by the link `key`; anything but a good message is nothing."""
        link = self._links.get(key)
        if link is None or not self._services or (len(data), crc32(data)) in self._echoes:
            return
        if not dnsrecords.near(address, link.addresses):
            return  # RFC 6762 section 11: from elsewhere
        try:
            reader = dnsmessage.Reader(data)
            if reader.is_query:
                self._query(link, key, reader, address, port, now)
            elif reader.is_response and port == PORT:
                self._response(link, reader, now)
        except dnsmessage.DnsError:
            pass

    def _query(self, link, key, reader, address, port, now):
        questions = reader.questions()
        records = self._records(link)
        asked = 0
        direct = 0
        for owner, kind, cls in questions:
            if cls & ~CACHE_FLUSH not in (IN, ANY):
                continue
            mask = self._matching(records, owner.lower(), kind)
            if cls & CACHE_FLUSH:
                direct |= mask
            else:
                asked |= mask
        known, theirs = self._known(reader, records, bool(asked | direct))
        if theirs and link.state == _PROBING:
            self._tiebreak(link, records, theirs, now)
        if link.state == _PROBING:
            return
        if port != PORT:
            if asked | direct:
                self._legacy(key, reader.id, questions, records, asked | direct, (address, port))
            return
        if not questions:
            for pending in link.pending:
                if pending.asker == address:
                    pending.mask &= ~known
                    if reader.truncated:
                        pending.due = now + _TRUNCATED_MIN_MS + self._random(_TRUNCATED_SPREAD_MS)
            return
        gap = _PROBE_MS if theirs else _SECOND_MS
        direct &= ~asked & ~known
        asked &= ~known
        delay = 0
        if reader.truncated:
            delay = _TRUNCATED_MIN_MS + self._random(_TRUNCATED_SPREAD_MS)
        elif not theirs and dnsrecords.has_shared(records, asked | direct):
            delay = _SHARED_MIN_MS + self._random(_SHARED_SPREAD_MS)
        if direct:
            # RFC 6762 section 5.4: what was not told to all for a quarter of its life is told to all
            for i in range(len(records)):
                if direct & 1 << i and (i not in link.sent or now - link.sent[i] > records[i][3] * 250):
                    direct &= ~(1 << i)
                    asked |= 1 << i
        for mask, source in ((asked, None), (direct, (address, port))):
            if mask:
                self._later(link, _Pending(now + delay, mask, source, gap), address)

    def _later(self, link, pending, address):
        pending.asker = address
        for other in link.pending:
            if pending.source is None and other.source is None and len(link.pending) >= _PENDING_MAX:
                other.mask |= pending.mask
                return
        if len(link.pending) < _PENDING_MAX:
            link.pending.append(pending)

    def _matching(self, records, owner, kind):
        mask = denial = 0
        for i in range(len(records)):
            record = records[i]
            if record[0].lower() != owner:
                continue
            if record[1] == NSEC and kind != NSEC:
                denial = 1 << i
            elif kind == ANY or kind == record[1]:
                mask |= 1 << i
        return mask or denial

    def _known(self, reader, records, wanted):
        """(numbers of records that the querier has, [(name, type, rdata) of our names that it wants for itself])."""
        known = 0
        theirs = []
        for section, owner, kind, cls, ttl, rdata in reader.records():
            if section == ANSWER:
                if not wanted and reader.asks:
                    continue
                i = self._same(records, owner, kind, rdata)
                if i is not None and ttl >= records[i][3] // 2:
                    known |= 1 << i
            elif section == AUTHORITY and owner.lower() in self._owned:
                theirs.append((owner.lower(), cls & ~CACHE_FLUSH, kind, rdata))
        return known, theirs

    def _same(self, records, owner, kind, rdata):
        lower = owner.lower()
        for i in range(len(records)):
            record = records[i]
            if record[1] == kind and record[0].lower() == lower and dnsrecords.equal(kind, record[4], rdata):
                return i
        return None

    def _tiebreak(self, link, records, theirs, now):
        """RFC 6762 section 8.2: of two that probe for a name at once, the one whose records come later in order goes on."""
        for owner in self._owned:
            other = sorted([entry[1:] for entry in theirs if entry[0] == owner])
            if not other:
                continue
            mine = sorted([(IN, record[1], record[4]) for record in records if record[0].lower() == owner and record[1] in _PROBED])
            if mine < other:
                link.begin(now + _SECOND_MS)
                return

    def _response(self, link, reader, now):
        records = None
        again = 0
        for _, owner, kind, cls, ttl, rdata in reader.records():
            lower = owner.lower()
            if kind == PTR:
                # others' answers to what we were about to answer, too
                if link.pending and ttl:
                    records = records or self._records(link)
                    self._answered(link, self._same(records, owner, kind, rdata), records, ttl)
                continue
            if lower not in self._owned or cls & ~CACHE_FLUSH != IN:
                continue
            records = records or self._records(link)
            i = self._same(records, owner, kind, rdata)
            if i is not None:
                if ttl < records[i][3] // 2 and link.state == _READY:
                    again |= 1 << i  # RFC 6762 section 6.6: nobody shall forget it
                continue
            if ttl and kind in _PROBED and (link.state == _PROBING or self._matching(records, lower, kind) & ~dnsrecords.denials(records)):
                self._conflict(0 if lower == self._owned[0] else 1, link, now)
                return
        if again:
            self._later(link, _Pending(now + _SHARED_MIN_MS, again, None, _SECOND_MS), None)

    def _answered(self, link, i, records, ttl):
        if i is not None and ttl >= records[i][3]:
            for pending in link.pending:
                if pending.source is None:
                    pending.mask &= ~(1 << i)

    # --- what goes

    def _answer(self, key, link, now):
        due = [pending for pending in link.pending if pending.due <= now]
        if not due:
            return
        link.pending = [pending for pending in link.pending if pending.due > now]
        records = self._records(link)
        for pending in due:
            mask = pending.mask
            if pending.source is None:
                mask = self._fresh(link, mask, pending.gap, now)
            if not mask:
                continue
            more = dnsrecords.going_with(records, mask)
            if pending.source is None:
                more = self._fresh(link, more, pending.gap, now)
            told = self._write(key, pending.source, records, mask, more)
            if pending.source is None:
                for i in range(len(records)):
                    if told & 1 << i:
                        link.sent[i] = now

    def _fresh(self, link, mask, gap, now):
        for i, at in link.sent.items():
            if mask & 1 << i and now - at < gap:
                mask &= ~(1 << i)
        return mask

    def _write(self, key, destination, records, mask, more):
        """Sends the records of `mask`, in as many messages as it takes, with those of `more` that fit; returns what was told."""
        writer = dnsmessage.Writer(_PAYLOAD_OCTETS, RESPONSE)
        told = mask
        for section, wanted in ((ANSWER, mask), (ADDITIONAL, more)):
            for i in range(len(records)):
                if not wanted & 1 << i:
                    continue
                owner, kind, unique, ttl, rdata = records[i]
                cls = IN | CACHE_FLUSH if unique else IN
                if writer.record(section, owner, kind, cls, ttl, rdata):
                    told |= 1 << i
                elif section == ANSWER:
                    self._send(writer.bytes(), key, destination)
                    writer = dnsmessage.Writer(_PAYLOAD_OCTETS, RESPONSE)
                    writer.record(section, owner, kind, cls, ttl, rdata)
        if not writer.empty:
            self._send(writer.bytes(), key, destination)
        return told

    def _legacy(self, key, id, questions, records, mask, destination):
        """RFC 6762 section 6.7: an answer as plain DNS has it, for a resolver that does not know better."""
        writer = dnsmessage.Writer(_PAYLOAD_OCTETS, RESPONSE, id)
        for owner, kind, cls in questions:
            writer.question(owner, kind, cls & ~CACHE_FLUSH)
        for section, wanted in ((ANSWER, mask), (ADDITIONAL, dnsrecords.going_with(records, mask))):
            for i in range(len(records)):
                if wanted & 1 << i:
                    owner, kind, _, ttl, rdata = records[i]
                    writer.record(section, owner, kind, IN, min(ttl, _TTL_LEGACY_S), rdata)
        self._send(writer.bytes(), key, destination)

    def _send(self, data, key, destination):
        if destination is None:
            self._echoes.append((len(data), crc32(data)))
            if len(self._echoes) > _ECHOES:
                self._echoes.pop(0)
        self._out.append((data, key, destination))
