"""Invariant: whatever datagrams come, nothing but datagrams leaves the responder of DNS-SD, not too many, and afterwards it is sound.

Mutations of good messages, by a seed that a failure prints; FUZZ_SECONDS=60 runs longer (`make fuzz`).
"""

import os
import random
import time

from firmware.net.dnsmessage import ANY, PTR, SRV, TXT, A, name
from tests.firmware.net.helpers_mdns import Host, Network, query, response, v4

SECONDS = float(os.environ.get("FUZZ_SECONDS", "1"))
ROUNDS = 2000
TYPE = name("_ipps-3d", "_tcp", "local")
PRINTER = name("Printer", "_ipps-3d", "_tcp", "local")
HOST = name("pw", "local")
GOOD = [
    query((TYPE, PTR), (PRINTER, ANY, 0x8001), known=[(TYPE, PTR, 4500, PRINTER)], truncated=True),
    query((HOST, ANY), authority=[(HOST, A, 120, v4(7)), (PRINTER, SRV, 120, bytes(6) + HOST)]),
    query((name("_services", "_dns-sd", "_udp", "local"), PTR), id=5),
    response((PRINTER, TXT, 4500, b"\4ty=z"), (HOST, A, 120, v4(7)), (TYPE, PTR, 4500, PRINTER)),
]


def mutate(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(data))
        kind = rng.randrange(5)
        if kind == 0:
            data[at] = rng.choice((0, 0xFF, 0xC0, rng.randrange(256)))
        elif kind == 1 and len(data) > 8:
            del data[at : at + rng.choice((1, 4))]
        elif kind == 2:
            data[at:at] = data[at : at + rng.choice((1, 12, 60))]
        elif kind == 3:
            data[at] ^= 1 << rng.randrange(8)
        else:
            other = rng.choice(GOOD)
            data[at:at] = other[rng.randrange(len(other)) :]
    return bytes(data)


def test_mutations():
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    end = time.monotonic() + SECONDS
    rounds = 0
    while rounds < ROUNDS or time.monotonic() < end:
        host = Host("pw", "Printer", 1, random=lambda n: n // 3)
        network = Network(host)
        host.up(0)
        network.run(20000)
        for _ in range(500):
            rounds += 1
            data = mutate(rng.choice(GOOD), rng)
            try:
                host.responder.receive(data, "eth0", v4(9), rng.choice((5353, 99)), network.now)
                network.run(rng.choice((0, 1, 500)))
            except Exception:
                print("seed", seed, data.hex())
                raise
        assert len(network.log) < 2000, seed
        network.run(10_000_000)
        assert host.responder.settled, seed
