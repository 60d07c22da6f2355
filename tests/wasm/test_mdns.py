"""Discovery in MicroPython, in a heap of 64 KiB of which a board's network takes its part: datagrams that the zeroconf library makes are
handed in, and what comes out is read by it."""

import json
import random

from zeroconf import DNSIncoming, DNSOutgoing, DNSQuestion, const

from tests.wasm.helpers_wasm import ROOT, run

HEAP_KIB = 64
LIVE_MAX = 6 * 1024  # what the responder keeps, in bytes
TYPE = "_ipps-3d._tcp.local."


def question(name, kind):
    out = DNSOutgoing(const._FLAGS_QR_QUERY)
    out.add_question(DNSQuestion(name, kind, const._CLASS_IN))
    return out.packets()[0].hex()


def test_asked_by_zeroconf(tmp_path):
    rng = random.Random(3)
    noise = ["%d %s" % (4000 + i, rng.randbytes(rng.randrange(1, 400)).hex()) for i in range(40)]
    script = [
        "3000",
        *noise,
        "5000 " + question(TYPE, const._TYPE_PTR),
        "7000 " + question("printwright-1a2b3c.local.", const._TYPE_AAAA),
        "9000 " + question("Other._ipps-3d._tcp.local.", const._TYPE_SRV),
        "12000",
    ]
    (tmp_path / "script").write_text("\n".join(script) + "\n")
    done = run(ROOT / "tests/wasm/mdns.py", "/script", heap_kib=HEAP_KIB, trees=[(tmp_path / "script", "/script")])
    assert done.status == 0, done.out + done.err
    *sent, memory = [json.loads(line) for line in done.out.splitlines()]
    assert [line["ms"] for line in sent[:5]] == [0, 250, 500, 750, 1750]
    told = [(line["ms"], DNSIncoming(bytes.fromhex(line["hex"]))) for line in sent]
    assert all(message.valid for _, message in told)

    (ms, answer), (later, denial) = told[5:]
    assert ms == 5020 and later == 7000
    records = {(record.type, record.name): record for record in answer.answers()}
    assert records[(const._TYPE_PTR, TYPE)].alias == "Printwright." + TYPE
    service = records[(const._TYPE_SRV, "Printwright." + TYPE)]
    assert (service.server, service.port) == ("printwright-1a2b3c.local.", 631)
    assert records[(const._TYPE_A, "printwright-1a2b3c.local.")].address == bytes([10, 0, 0, 1])
    assert [record.rdtypes for record in denial.answers()] == [[const._TYPE_A]]
    assert memory["live_bytes"] < LIVE_MAX, memory
