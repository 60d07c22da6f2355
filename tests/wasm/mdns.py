# Program for tests/wasm/host.mjs: the responder in MicroPython, datagrams handed in by the test.
#     mdns.py FILE    lines "MS HEX" (a datagram that comes then) or "MS"
# JSON lines: {"ms","hex","to"} for what is sent, at last {"live_bytes","code_bytes"}.

import asyncio
import gc
import json
import sys


async def collected():
    gc.collect()  # asks for it; made when this call from JavaScript is over
    await asyncio.sleep(0)
    return gc.mem_alloc()


async def main():
    before = await collected()
    from firmware.net import dnsrecords, dnssd

    code = await collected()
    responder = dnssd.Responder("printwright-1a2b3c", "Printwright", lambda n: 0)
    txt = dnsrecords.text([("txtvers", "1"), ("rp", "ipp/print3d"), ("ty", "A printer")])
    responder.set_services([("_ipps-3d._tcp", 631, txt), ("_https._tcp", 631, b"\0"), ("_ipps-system._tcp", 631, txt)], 0)
    responder.set_links({"wlan": [(bytes([10, 0, 0, 1]), 24)]}, 0)

    def tell(now):
        for data, _, to in responder.poll(now):
            print(json.dumps({"ms": now, "hex": data.hex(), "to": to and to[1]}))

    with open(sys.argv[1]) as file:
        for line in file:
            words = line.split()
            end = int(words[0])
            while True:
                now = responder.next_ms(0)
                if now is None or now > end:
                    break
                tell(now)
                await asyncio.sleep(0)
            if len(words) > 1:
                responder.receive(bytes.fromhex(words[1]), "wlan", bytes([10, 0, 0, 9]), 5353, end)
            await asyncio.sleep(0)
    live = await collected()
    print(json.dumps({"live_bytes": live - code, "code_bytes": code - before}))


asyncio.run(main())
