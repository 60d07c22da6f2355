"""Hostile and broken datagrams: whatever comes, only DnsError leaves the codec, nothing leaves the responder, and work is bounded."""

import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.net import dnsmessage
from firmware.net.dnsmessage import ANY, PTR, SRV, TXT, A, name
from tests.firmware.net.helpers_mdns import Host, Network, query, response, v4

TYPE = name("_ipps-3d", "_tcp", "local")
PRINTER = name("Printer", "_ipps-3d", "_tcp", "local")
HOST = name("pw", "local")

labels = st.binary(min_size=1, max_size=63)
names = st.lists(labels, min_size=0, max_size=3).map(lambda parts: name(*parts))
ours = st.sampled_from([TYPE, PRINTER, HOST, PRINTER.upper()]) | names
rdata = {
    PTR: ours,
    SRV: st.tuples(st.binary(min_size=6, max_size=6), ours).map(b"".join),
    TXT: st.binary(max_size=300),
    A: st.binary(min_size=4, max_size=4),
}
any_record = st.sampled_from(sorted(rdata)).flatmap(lambda kind: st.tuples(ours, st.just(kind), st.integers(0, 2**32 - 1), rdata[kind]))


def read(data):
    reader = dnsmessage.Reader(data)
    return reader.questions(), list(reader.records())


@given(st.lists(st.tuples(ours, st.sampled_from([PTR, ANY, 1000])), max_size=5), st.lists(any_record, max_size=8))
def test_what_is_written_is_read(questions, told):
    asked, found = read(query(*questions, known=told))
    assert [one[:2] for one in asked] == [(owner, kind) for owner, kind in questions] or asked  # names keep the case of the first
    assert [owner.lower() for owner, _, _ in asked] == [owner.lower() for owner, _ in questions]
    assert [(owner.lower(), kind, ttl) for _, owner, kind, _, ttl, _ in found] == [
        (owner.lower(), kind, ttl) for owner, kind, ttl, _ in told
    ]
    for (_, _, kind, _, _, data), (_, _, _, before) in zip(found, told, strict=True):
        assert data == before or (kind in (PTR, SRV) and data.lower() == before.lower())


def fresh():
    host = Host("pw", "Printer", 1, random=lambda n: n // 3)
    network = Network(host)
    host.up(0)
    network.run(20000)
    return network


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.binary(max_size=600) | st.builds(lambda h, t: h + t, st.binary(min_size=12, max_size=12), st.binary(max_size=200)), max_size=20
    )
)
def test_noise(datagrams):
    network = fresh()
    for data in datagrams:
        network.hosts[0].responder.receive(data, "eth0", v4(9), 5353, network.now)
        network.run(10)
    assert len(network.log) < 5 + 3 * len(datagrams) + 12


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.lists(any_record, max_size=6), st.booleans(), st.booleans()), max_size=12), st.integers(0, 300))
def test_any_records_leave_it_sound(messages, step):
    """Queries, probes, responses and spoofs with any records; the printer is found under some name in the end."""
    network = fresh()
    responder = network.hosts[0].responder
    for told, is_query, truncated in messages:
        data = query((TYPE, PTR), known=told, authority=told, truncated=truncated) if is_query else response(*told)
        responder.receive(data, "eth0", v4(9), 5353, network.now)
        network.run(step)
    network.run(400000)
    assert responder.settled and responder.next_ms(network.now) is None
    assert any(PTR in {kind for _, _, kind, _, _, _ in read(data)[1]} for _, data, _ in network.ask(query((TYPE, PTR))))


def loops():
    """Compression loops, and pointers that name the same labels again and again."""
    yield struct.pack(">6H", 0, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1"
    yield struct.pack(">6H", 0, 0, 1, 0, 0, 0) + b"\x01a\xc0\x0e\0\1\0\1"
    long = name(*[b"a"] * 126)
    yield (
        struct.pack(">6H", 0, 0x8400, 0, 0xFFFF, 0, 0)
        + long
        + struct.pack(">HHIH", 1, 1, 1, 0)
        + (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 0)) * 700
    )


def test_ten_thousand_records():
    """The header promises them, and as many come as a datagram holds: little of it is looked at."""
    record = b"\0" + struct.pack(">HHIH", A, 1, 120, 0)
    most = (dnsmessage.MESSAGE_OCTETS_MAX - 12) // len(record)
    for flags in (0, 0x8400):
        data = struct.pack(">6H", 0, flags, 0, 10000, 10000, 10000) + record * most
        reader = dnsmessage.Reader(data)
        seen = 0
        with pytest.raises(dnsmessage.DnsError):
            for _ in reader.records():
                seen += 1
        assert seen == dnsmessage.RECORDS_MAX
    with pytest.raises(dnsmessage.DnsError):
        dnsmessage.Reader(b"\0" * (dnsmessage.MESSAGE_OCTETS_MAX + 1))


def calls(work):
    """Functions, built-in ones too, that are called."""
    count = [0]

    def seen(frame, event, argument):
        count[0] += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count[0]


def test_work_is_bounded():
    network = fresh()
    responder = network.hosts[0].responder
    hostile = list(loops())
    hostile.append(struct.pack(">6H", 0, 0, 0xFFFF, 0, 0, 0) + (TYPE + struct.pack(">HH", ANY, 1)) * 300)
    hostile.append(query(*[(PRINTER, ANY)] * 64))
    for data in hostile:
        assert calls(lambda data=data: responder.receive(data, "eth0", v4(9), 5353, network.now)) < 20000
    network.run(5000)
    assert responder.settled


def test_spoofed_conflicts():
    """6,000 within ten minutes: it holds back, says little, and comes back when they end."""
    host = Host("pw", "Printer", 1, random=lambda n: n // 2)
    network = Network(host)
    host.up(0)
    network.run(20000)
    sent = len(network.log)
    for _ in range(6000):
        mine = [host.responder.host_name, name(host.responder.instance, "_ipps-3d", "_tcp", "local")]
        spoof = response((mine[0], A, 120, v4(200)), (mine[1], SRV, 120, bytes(6) + HOST))
        host.responder.receive(spoof, "eth0", v4(66), 5353, network.now)
        network.run(100)
    assert len(network.log) - sent < 150
    network.run(600000)
    assert host.responder.settled


def test_pending_is_bounded():
    network = fresh()
    responder = network.hosts[0].responder
    for i in range(2000):
        data = query((TYPE, PTR, 0x8001), (PRINTER, TXT), truncated=i % 2 == 0)
        responder.receive(data, "eth0", v4(2 + i % 200), 5353, network.now)
    count = len(network.log)
    network.run(1000)
    assert len(network.log) - count <= 10
