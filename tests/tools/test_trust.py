"""The client's side of TLS and of passwords: certificates remembered at first use, credentials sent only when asked and only encrypted."""

import contextlib
import ssl
import threading

import pytest

from firmware.ipp import codec, tags
from tests.tools.helpers_printer import ScriptedPrinter
from tools import certificates, ipp, ipp_http, pins
from tools.link import Link

UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "printwright" / "certificates"


class SecurePrinter(ScriptedPrinter):
    """A scripted printer behind TLS.  folder: of its certificate."""

    def __init__(self, scripts, folder):
        context = certificates.context(str(folder))

        def secured(script):
            def run(peer):
                with context.wrap_socket(peer.connection.dup(), server_side=True) as peer.connection:
                    peer.connection.settimeout(10)
                    script(peer)
                    # until the client ends it, or what was sent may be lost
                    while peer.connection.recv(1000):
                        pass

            return run

        super().__init__([secured(script) for script in scripts])
        self.uri = self.uri.replace("ipp:", "ipps:")


def idle(peer):
    request, _ = peer.request()
    peer.answer(request, groups=[(tags.PRINTER_GROUP, [codec.attribute(tags.ENUM, "printer-state", [3])])])


def ask(printer):
    return printer.printer_attributes(["printer-state"])["printer-state"]


def test_a_certificate_is_remembered(tmp_path, config):
    with SecurePrinter([idle, idle], tmp_path / "a") as secure:
        for _ in range(2):
            with ipp.Printer(secure.uri) as printer:
                assert ask(printer) == "idle"
        [line] = config.read_text().splitlines()
        assert line.startswith(f"127.0.0.1:{secure.port} ") and len(line.split()[1]) == 64
        assert config.stat().st_mode & 0o777 == 0o600


def test_another_certificate_is_refused(tmp_path, config):
    with SecurePrinter([idle], tmp_path / "a") as secure:
        place = f"127.0.0.1:{secure.port}"
        pins.check("127.0.0.1", secure.port, b"another one")
        with ipp.Printer(secure.uri, "ann", password=lambda: "secret") as printer, pytest.raises(ipp_http.Untrusted) as error:
            ask(printer)
        assert place in str(error.value) and str(config) in str(error.value) and "\n" not in str(error.value)
        assert secure.requests == []


def test_the_list_has_an_end(config):
    for port in range(pins.MAX_PINS + 5):
        pins.check("h", port, b"c")
    lines = config.read_text().splitlines()
    assert len(lines) == pins.MAX_PINS and lines[-1].startswith(f"h:{pins.MAX_PINS + 4} ")
    with pytest.raises(pins.Changed):
        pins.check("H", pins.MAX_PINS, b"d")


def test_where_nothing_can_be_remembered(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with SecurePrinter([idle, idle], tmp_path / "a") as secure:
        with ipp.Printer(secure.uri) as printer:
            assert ask(printer) == "idle"
        monkeypatch.setattr(ipp_http, "_is_loopback", lambda host: False)
        with ipp.Printer(secure.uri) as printer, pytest.raises(ipp_http.Untrusted, match="cannot be remembered"):
            ask(printer)


def test_no_tls_where_it_was_asked_for():
    def plain(peer):
        peer.connection.recv(100)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with ScriptedPrinter([plain]) as scripted:
        with ipp.Printer(scripted.uri.replace("ipp:", "ipps:")) as printer, pytest.raises(ipp.Unreachable, match="TLS"):
            ask(printer)


def with_authorization(seen):
    """A script that wants credentials at first and notes what it gets."""

    def script(peer):
        for answer in (UNAUTHORIZED, None):
            _, headers = peer.head()
            seen.append(headers.get("authorization"))
            decoder = codec.Decoder(codec.Limits(1 << 20, 10000))
            decoder.feed(peer.body(headers))
            if answer:
                peer.send(answer)
            else:
                peer.answer(decoder.request, groups=[(tags.PRINTER_GROUP, [codec.attribute(tags.ENUM, "printer-state", [3])])])

    return script


def test_a_password_is_sent_when_asked_for(tmp_path):
    seen = []
    with SecurePrinter([with_authorization(seen)], tmp_path / "a") as secure:
        with ipp.Printer(secure.uri, "ann", password=lambda: "secret") as printer:
            assert ask(printer) == "idle"
    assert seen == [None, "Basic YW5uOnNlY3JldA=="]


@pytest.mark.parametrize("secure, password", [(True, None), (True, lambda: None), (False, lambda: "secret")])
def test_without_a_password_or_without_tls_none_is_sent(tmp_path, secure, password):
    seen = []

    def script(peer):
        with contextlib.suppress(EOFError):
            with_authorization(seen)(peer)

    printer = SecurePrinter([script], tmp_path / "a") if secure else ScriptedPrinter([script])
    with printer, ipp.Printer(printer.uri, "ann", password=password) as client, pytest.raises(ipp.NotAuthenticated, match="wants a user"):
        ask(client)
    assert seen == [None]


def test_a_wrong_password_is_said_to_be_so(tmp_path):
    def script(peer):
        for _ in range(2):
            peer.request()
            peer.send(UNAUTHORIZED)

    with SecurePrinter([script], tmp_path / "a") as secure:
        with ipp.Printer(secure.uri, "ann", password=lambda: "secret") as printer:
            with pytest.raises(ipp.NotAuthenticated, match="does not know"):
                ask(printer)


@pytest.mark.parametrize(
    "head, error, word",
    [
        ("429 Too Many Requests\r\nRetry-After: 7", ipp.NotAuthenticated, "7 s"),
        ("426 Upgrade Required\r\nUpgrade: TLS/1.2, HTTP/1.1", ipp.BadAnswer, "ipps:"),
    ],
)
def test_other_refusals(head, error, word):
    def script(peer):
        peer.request()
        peer.send(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri) as printer, pytest.raises(error, match=word):
        ask(printer)


def test_a_session_ticket_is_no_answer(tmp_path):
    """Other printers send TLS 1.3 session tickets, which make a socket readable although nothing was said."""
    context = certificates.context(str(tmp_path / "a"))
    context.num_tickets = 2
    said = threading.Event()

    def script(peer):
        with context.wrap_socket(peer.connection.dup(), server_side=True) as link:
            assert link.version() == "TLSv1.3"
            assert said.wait(10)
            link.sendall(b"line\nrest")
            with contextlib.suppress(OSError):
                link.recv(1)

    with ScriptedPrinter([script]) as scripted:
        link = Link("127.0.0.1", scripted.port, 10, True)
        assert ssl.DER_cert_to_PEM_cert(link.certificate()).startswith("-----BEGIN")
        assert not link.answered(0.3)
        said.set()
        assert link.answered(10) and link.answered(0)
        assert link.readline(100) == b"line\n" and link.read(4) == b"rest"
        link.close()
