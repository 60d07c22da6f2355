"""A browser of the network by the zeroconf library, for tests: `python -m tests.e2e.browser` tells JSON lines until its input ends."""

import json
import sys

from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

TYPES = ["_ipps-3d._tcp.local.", "_https._tcp.local."]


class Told(ServiceListener):
    def add_service(self, zc, type_, name):
        info = zc.get_service_info(type_, name)
        facts = {}
        if info is not None:
            texts = {key.decode(): (value or b"").decode() for key, value in info.properties.items()}
            facts = {"host": info.server, "port": info.port, "addresses": info.parsed_addresses(), "texts": texts}
        print(json.dumps({"event": "add", "name": name, **facts}), flush=True)

    def remove_service(self, zc, type_, name):
        print(json.dumps({"event": "remove", "name": name}), flush=True)

    def update_service(self, zc, type_, name):
        print(json.dumps({"event": "update", "name": name}), flush=True)


def main():
    zeroconf = Zeroconf()
    ServiceBrowser(zeroconf, TYPES, Told())
    sys.stdin.read()
    zeroconf.close()


if __name__ == "__main__":
    main()
