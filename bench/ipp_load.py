"""A client process for bench/ipp.py: kept-alive connections that ask for attributes of a printer as fast as it answers.

    python -m bench.ipp_load HOST PORT PATH CONNECTIONS SECONDS [ATTRIBUTE...]      (all without a name)

prints {"answers": n, "wall_s": s, "bytes": octets of one answer, "p50_ms": .., "p99_ms": ..}.
"""

import asyncio
import json
import sys
import time

from firmware.ipp import codec, tags


def get_printer_attributes(uri, names):
    """The request of ipptool's get-printer-attributes test, as bytes."""
    group = [
        ("attributes-charset", [(tags.CHARSET, "utf-8")]),
        ("attributes-natural-language", [(tags.LANGUAGE, "en")]),
        ("printer-uri", [(tags.URI, uri)]),
        ("requesting-user-name", [(tags.NAME, "bench")]),
        ("requested-attributes", [(tags.KEYWORD, name) for name in names or ("all",)]),
    ]
    return codec.message((2, 0), 0x000B, 1, [(tags.OPERATION_GROUP, group)])


class _Asker(asyncio.Protocol):
    """One connection: a request as soon as the last was answered, until the end."""

    def __init__(self, request, end, times, done):
        self.request = request
        self.end = end
        self.times = times
        self.done = done
        self.buffer = b""
        self.size = 0

    def connection_made(self, transport):
        self.transport = transport
        self._ask()

    def _ask(self):
        self.asked = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data):
        self.buffer += data
        size = self._whole()
        if not size:
            return
        if b" 200 " not in self.buffer[:20]:
            raise SystemExit("the printer refuses: %r" % self.buffer[:200])
        self.size = size
        self.buffer = self.buffer[size:]
        now = time.perf_counter()
        self.times.append(now - self.asked)
        if now < self.end:
            self._ask()
        else:
            self.transport.close()

    def _whole(self):
        """Octets of the answer in the buffer when it is complete."""
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return 0
        at = self.buffer[:head].lower().find(b"content-length:")
        if at >= 0:
            size = head + 4 + int(self.buffer[at + 15 : self.buffer.index(b"\r", at)])
            return size if len(self.buffer) >= size else 0
        end = self.buffer.find(b"\r\n0\r\n\r\n", head)
        return end + 7 if end >= 0 else 0

    def connection_lost(self, _):
        self.done.set_result(self.size)


async def _load(host, port, path, connections, seconds, names):
    body = get_printer_attributes("ipp://%s:%d%s" % (host, port, path), names)
    head = "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/ipp\r\nContent-Length: %d\r\n\r\n"
    request = (head % (path, host, port, len(body))).encode() + body
    loop = asyncio.get_running_loop()
    times = []
    begun = time.perf_counter()
    ends = []
    for _ in range(connections):
        done = loop.create_future()
        ends.append(done)
        await loop.create_connection(lambda done=done: _Asker(request, begun + seconds, times, done), host, port)
    sizes = await asyncio.gather(*ends)
    wall_s = time.perf_counter() - begun
    times.sort()
    return {
        "answers": len(times),
        "wall_s": round(wall_s, 3),
        "bytes": max(sizes),
        "p50_ms": round(times[len(times) // 2] * 1000, 3),
        "p99_ms": round(times[len(times) * 99 // 100] * 1000, 3),
    }


if __name__ == "__main__":
    host, port, path, connections, seconds = sys.argv[1:6]
    print(json.dumps(asyncio.run(_load(host, int(port), path, int(connections), float(seconds), sys.argv[6:]))))
