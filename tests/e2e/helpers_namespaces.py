"""Two computers and a switch, as network namespaces that a test makes and takes away again (iproute2; needs root).

with Lan() as lan: lan.run("a", [...]); lan.link("a", False)
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOSTS = {"a": "10.77.0.1", "b": "10.77.0.2"}


def not_permitted():
    """Why namespaces cannot be made here, or None."""
    name = "pw%d-try" % os.getpid()
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "ip is missing: install iproute2"
    if made.returncode:
        return "network namespaces are not permitted here: " + (made.stderr.strip() or "ip netns add failed")
    try:
        tried = subprocess.run(
            ["ip", "netns", "exec", name, "ip", "link", "add", "x0", "type", "veth", "peer", "name", "x1"],
            capture_output=True,
            text=True,
            check=False,
        )
        return None if tried.returncode == 0 else "network namespaces are of no use here: " + tried.stderr.strip()
    finally:
        ip("netns", "del", name)


def ip(*words):
    """Its output."""
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class Lan:
    """a and b, each with eth0 on one bridge: 10.77.0.1/24 and .2, and IPv6 addresses of the link."""

    def __init__(self):
        self._prefix = "pw%d" % os.getpid()
        self._switch = self._prefix + "-s"

    def name(self, host):
        return "%s-%s" % (self._prefix, host)

    def __enter__(self):
        ip("netns", "add", self._switch)
        ip("-n", self._switch, "link", "add", "br0", "type", "bridge")
        ip("-n", self._switch, "link", "set", "br0", "up")
        for host, address in HOSTS.items():
            space = self.name(host)
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
            ip("link", "add", "eth0", "netns", space, "type", "veth", "peer", "name", "port-" + host, "netns", self._switch)
            ip("-n", self._switch, "link", "set", "port-" + host, "master", "br0")
            self.link(host, True)
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "addr", "add", address + "/24", "dev", "eth0")
        for host in HOSTS:
            self.wait_for_addresses(host)
        return self

    def wait_for_addresses(self, host):
        """Until IPv6 has found that its addresses are free, which takes it a second or two."""
        for _ in range(100):
            if not ip("-n", self.name(host), "addr", "show", "tentative").strip():
                return
            time.sleep(0.1)
        raise AssertionError("IPv6 addresses stay tentative")

    def __exit__(self, *what):
        for space in [self.name(host) for host in HOSTS] + [self._switch]:
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)

    def link(self, host, up):
        """Plugs the cable in or out."""
        ip("-n", self._switch, "link", "set", "port-" + host, "up" if up else "down")

    def start(self, host, command, **how):
        """A process there."""
        return subprocess.Popen(["ip", "netns", "exec", self.name(host), *command], cwd=ROOT, text=True, **how)

    def run(self, host, command, timeout_s=40):
        """A program there, to its end: CompletedProcess with text."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name(host), *command], cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def cli(self, host, *args):
        """printwright ARGS there."""
        return self.run(host, [sys.executable, "-m", "tools.cli.main", *args])
