"""The simulated printer on a network of namespaces: found by zeroconf, avahi and ippfind; two of one name; a cable pulled; good-byes."""

import contextlib
import json
import queue
import re
import signal
import subprocess
import sys
import threading

import pytest

from tests.e2e.helpers_namespaces import HOSTS, ROOT, Lan, not_permitted
from tests.e2e.helpers_sim import PATIENCE_S

PRINTER = "Printwright._ipps-3d._tcp.local."
SECOND = "Printwright (2)._ipps-3d._tcp.local."


@pytest.fixture(scope="module")
def lan():
    reason = not_permitted()
    if reason:
        pytest.skip(reason)
    with Lan() as made:
        yield made


class Lines:
    """JSON lines of a process, to be waited for."""

    def __init__(self, process):
        self.process = process
        self.seen = []
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def until(self, wanted):
        """The next line for which wanted(line) is true."""
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            assert line is not None, "it ended: " + repr(self.seen)
            self.seen.append(line)
            if wanted(line):
                return line

    def end(self):
        if self.process.stdin:
            self.process.stdin.close()
        else:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0


@contextlib.contextmanager
def printer(lan, host, state, *args):
    """`printwright sim` on a computer of the LAN."""
    command = [sys.executable, "-m", "tools.cli.main", "sim", "--host", "0.0.0.0", "--host", "::", "--state", str(state), *args]
    process = lan.start(host, command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lines = Lines(process)
    try:
        lines.until(lambda line: line["event"] == "ready")
        yield lines
    finally:
        if process.poll() is None:
            lines.end()
        process.stdout.close()


@contextlib.contextmanager
def browser(lan, host):
    process = lan.start(host, [sys.executable, "-m", "tests.e2e.browser"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lines = Lines(process)
    try:
        yield lines
    finally:
        lines.end()
        process.stdout.close()


def event(kind, name):
    return lambda line: line["event"] == kind and line["name"] == name


def test_found_renamed_and_gone(lan, tmp_path):
    with browser(lan, "b") as seen, printer(lan, "a", tmp_path / "a") as first:
        found = seen.until(event("add", PRINTER))
        assert re.fullmatch(r"printwright-[0-9a-f]{6}\.local\.", found["host"]) and found["port"] == 8631
        assert HOSTS["a"] in found["addresses"] and any(":" in address for address in found["addresses"])
        texts = found["texts"]
        assert texts["rp"] == "ipp/print3d" and "model/3mf" in texts["pdl"] and texts["UUID"][-6:] == found["host"][12:18]
        assert texts["adminurl"] == "https://%s:8631/" % found["host"][:-1]

        # another one of the same name takes another name, and keeps it
        with printer(lan, "b", tmp_path / "b"):
            second = seen.until(event("add", SECOND))
            assert HOSTS["b"] in second["addresses"]
            listed = lan.cli("a", "discover", "--json", "--timeout", "3")
            assert listed.returncode == 0, listed.stderr
            printers = {line["name"]: line for line in map(json.loads, listed.stdout.splitlines())}
            assert printers.keys() == {"Printwright", "Printwright (2)"}
            uri = printers["Printwright (2)"]["uri"]
            assert uri == "ipps://%s:8631/ipp/print3d" % HOSTS["b"]
            asked = lan.cli("b", "status", "--all", "--json", "--printer", "ipp://localhost:8631/ipp/print3d")
            assert json.loads(asked.stdout)["printer-dns-sd-name"] == "Printwright (2)", asked.stderr
            judged = lan.run("a", ["unshare", "-m", "bash", str(ROOT / "tests/e2e/avahi.sh")])
        seen.until(event("remove", SECOND))
        assert_avahi(judged)

        with printer(lan, "b", tmp_path / "b"):
            seen.until(event("add", SECOND))
        seen.until(event("remove", SECOND))
        first.end()
        seen.until(event("remove", PRINTER))
        assert not [line for line in seen.seen if line["name"].startswith("Printwright (3)")]


def assert_avahi(judged):
    assert judged.returncode == 0, judged.stderr
    out = judged.stdout
    resolved = [line.split(";") for line in out.splitlines() if line.startswith("browse =")]
    found = {(fields[2], fields[3]) for fields in resolved}
    assert set(HOSTS.values()) <= {fields[7] for fields in resolved}, out
    for family in ("IPv4", "IPv6"):
        assert {name for kind, name in found if kind == family} == {"Printwright", r"Printwright\032\0402\041"}, out
    assert all('"rp=ipp/print3d"' in fields[9] for fields in resolved), out
    assert set(re.findall(r"^ippfind (.*)$", out, re.MULTILINE)) == {"Printwright", "Printwright (2)"}, out
    assert len(set(re.findall(r"^https https://printwright-[0-9a-f]{6}\.local:8631/$", out, re.MULTILINE))) == 2, out
    assert "wrong found" not in out


def test_cable_pulled(lan, tmp_path):
    with printer(lan, "a", tmp_path / "a"):
        with browser(lan, "b") as seen:
            seen.until(event("add", PRINTER))
        lan.link("a", False)
        assert lan.cli("b", "discover", "--timeout", "1").returncode == 1
        with browser(lan, "b") as seen:
            lan.link("a", True)
            # the browser's own questions may have been heard by nobody; what the printer tells by itself was
            assert seen.until(event("add", PRINTER))["port"] == 8631


def test_names_changed_by_the_administrator(lan, tmp_path):
    with browser(lan, "b") as seen, printer(lan, "a", tmp_path / "a"):
        seen.until(event("add", PRINTER))
        test = tmp_path / "name.test"
        test.write_text(
            "{ OPERATION Set-Printer-Attributes GROUP operation-attributes-tag ATTR charset attributes-charset utf-8 "
            "ATTR language attributes-natural-language en ATTR uri printer-uri $uri GROUP printer-attributes-tag "
            'ATTR name printer-name "M\u00fcllers Drucker" STATUS successful-ok }',
            encoding="utf-8",
        )
        done = lan.run("a", ["ipptool", "-q", "ipp://127.0.0.1:8631/ipp/print3d", str(test)])
        assert done.returncode == 0, done.stdout + done.stderr
        seen.until(event("add", "M\u00fcllers Drucker._ipps-3d._tcp.local."))
        if not any(map(event("remove", PRINTER), seen.seen)):
            seen.until(event("remove", PRINTER))


def test_quiet_on_loopback(lan, tmp_path):
    """A printer that only this computer reaches is told to nobody, unless that is asked for; then to this computer."""
    command = [sys.executable, "-m", "tools.cli.main", "sim", "--state", str(tmp_path / "a")]
    for extra, found in ((), 1), (("--advertise",), 0):
        lines = Lines(lan.start("a", command + list(extra), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        lines.until(lambda line: line["event"] == "ready")
        listed = lan.cli("a", "discover", "--timeout", "3", "--json")
        elsewhere = lan.cli("b", "discover", "--timeout", "0.5")
        lines.end()
        lines.process.stdout.close()
        assert (listed.returncode, elsewhere.returncode) == (found, 1)
        if not found:
            assert json.loads(listed.stdout)["addresses"][0] in ("127.0.0.1", "::1")
