"""Who is let in: TLS, passwords and roles as ipptool, our own commands and raw sockets see them."""

import base64
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess

import pytest

from firmware.ipp import tags
from tests.e2e.helpers_sim import PATIENCE_S, ROOT, SLICED, Sim, cli, ended, submit, until
from tests.firmware.helpers_ipp import HttpAnswer, http_post, ipp_request
from tools import ipp
from tools.sim import AUDIT_LOG, FIRST_PASSWORD, FIRST_USER

CUBE = SLICED / "prusa_cube.gcode"
GET_PRINTER, CREATE, PAUSE, SET_PRINTER = 0x0B, 0x05, 0x10, 0x13
QUERY = "{ OPERATION Get-Printer-Attributes GROUP operation-attributes-tag ATTR charset attributes-charset utf-8\n\
ATTR naturalLanguage attributes-natural-language en ATTR uri printer-uri $uri STATUS successful-ok\n%s }\n"
TLS_FIRST = "EXPECT uri-security-supported WITH-VALUE tls EXPECT printer-uri-supported WITH-ALL-VALUES /^ipps:/"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Certificates are remembered in a place of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PRINTWRIGHT_PASSWORD", raising=False)


def own_address():
    """An address of this computer that is not loopback, or None: what the kernel would send from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            address = socket.gethostbyname(socket.gethostname())
    return None if address.startswith("127.") else address


def password_of(sim, state):
    path = state / FIRST_PASSWORD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    password = path.read_text().strip()
    assert sim.said.count(password) == 1 and FIRST_USER in sim.said
    return password


def basic(user, password):
    return "Authorization: Basic %s\r\n" % base64.b64encode(f"{user}:{password}".encode()).decode()


def raw(sim, data, tls=True, host="localhost"):
    """The HTTP answer to these bytes on a connection of their own, or None when there is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, sim.port), timeout=PATIENCE_S) as plain:
        link = context.wrap_socket(plain) if tls else plain
        link.sendall(data)
        got = b""
        try:
            while True:
                try:
                    answer = HttpAnswer(got)
                    if "content-length" in answer.headers or "transfer-encoding" in answer.headers:
                        return answer
                except (AssertionError, ValueError):
                    pass
                piece = link.recv(65536)
                if not piece:
                    return HttpAnswer(got) if got else None
                got += piece
        except ConnectionError:
            return None


def ask(sim, operation, extra="", tls=True, host="localhost", user="tester"):
    """(HTTP status, IPP status or None)"""
    answer = raw(sim, http_post(ipp_request(operation, user=user), host=f"{host}:{sim.port}", extra=extra), tls, host)
    return answer.status, answer.ipp.operation if answer.status == 200 else None


def ipptool(uri, path):
    tool = shutil.which("ipptool")
    assert tool, "ipptool is missing: install the package cups-ipp-utils"
    return subprocess.run([tool, "-tf", str(CUBE), uri, str(path)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_ipptool_prints_over_tls(tmp_path):
    with Sim(tmp_path / "state") as sim:
        assert sim.secure_uri.startswith("ipps:")
        (tmp_path / "query.test").write_text(QUERY % TLS_FIRST)
        for path in (tmp_path / "query.test", ROOT / "tests/e2e/print.test"):
            done = ipptool(sim.secure_uri, path)
            assert done.returncode == 0 and "[PASS]" in done.stdout, done.stdout + done.stderr
        # no administrator is made where nobody needs one
        assert not (tmp_path / "state" / FIRST_PASSWORD).exists()
        assert "Traceback" not in sim.said


def test_uris_follow_the_connection(tmp_path):
    with Sim(tmp_path / "state") as sim:
        for uri, schemes, security in ((sim.uri, ["ipps", "ipp"], ["tls", "none"]), (sim.secure_uri, ["ipps"], ["tls"])):
            with ipp.Printer(uri) as client:
                told = client.printer_attributes()
                assert [found.split(":")[0] for found in told["printer-uri-supported"]] == schemes
                assert all(f"//localhost:{sim.port}/ipp/print3d" in found for found in told["printer-uri-supported"])
                assert told["uri-security-supported"] == security
                assert told["uri-authentication-supported"] == ["requesting-user-name"] * len(schemes)
                assert [xri["xri-uri"] for xri in told["printer-xri-supported"]] == told["printer-uri-supported"]
                job = client.job_attributes(submit(client, CUBE.read_bytes()), ("job-uri",))
                assert job["job-uri"].startswith(uri + "/")


def test_required_credentials(tmp_path):
    state = tmp_path / "state"
    with Sim(state, "--auth", "required") as sim:
        password = password_of(sim, state)
        right, wrong = basic(FIRST_USER, password), basic(FIRST_USER, password + "x")
        # who asks what is wanted, learns it
        assert ask(sim, GET_PRINTER) == (200, 0) and ask(sim, GET_PRINTER, tls=False) == (200, 0)
        answer = raw(sim, http_post(ipp_request(CREATE)))
        assert answer.status == 401 and answer.headers["www-authenticate"].startswith('Basic realm="')
        assert ask(sim, CREATE, right) == (200, 0) and ask(sim, PAUSE, right) == (200, 0)
        assert ask(sim, CREATE, wrong) == (401, None) and ask(sim, GET_PRINTER, wrong) == (401, None)
        # never in the clear, whether right or wrong
        answer = raw(sim, http_post(ipp_request(CREATE), extra=right), tls=False)
        assert answer.status == 426 and "TLS" in answer.headers["upgrade"]
        assert ask(sim, CREATE, tls=False) == (426, None)
        codes = [ask(sim, CREATE, basic(FIRST_USER, str(i)))[0] for i in range(8)]
        assert codes[-1] == 429 and 401 in codes
        # who was known before is not shut out by others' attempts
        assert ask(sim, CREATE, right) == (200, 0)
        audit = (state / AUDIT_LOG).read_text()
        assert "failed" in audit and "0x0010 done" in audit and password not in audit
        assert stat.S_IMODE((state / AUDIT_LOG).stat().st_mode) == 0o600
    # the account stays, and nothing is told a second time
    with Sim(state, "--auth", "required") as sim:
        assert ask(sim, CREATE, right) == (200, 0)
        assert sim.said.count(password) == 1


def test_clients_with_a_password(tmp_path):
    state = tmp_path / "state"
    with Sim(state, "--auth", "required", "--pace", "max") as sim:
        password = password_of(sim, state)
        host = f"localhost:{sim.port}/ipp/print3d"
        done = ipptool(f"ipps://{FIRST_USER}:{password}@{host}", ROOT / "tests/e2e/print.test")
        assert done.returncode == 0 and "[PASS]" in done.stdout, done.stdout + done.stderr
        done = ipptool(f"ipps://{FIRST_USER}:wrong@{host}", ROOT / "tests/e2e/print.test")
        assert done.returncode != 0
        command = ["print", str(CUBE), "--printer", sim.secure_uri, "--user", FIRST_USER, "--watch"]
        done = cli(*command, env=dict(os.environ, PRINTWRIGHT_PASSWORD=password))
        assert done.returncode == 0, done.stderr
        done = cli(*command, env=dict(os.environ, PRINTWRIGHT_PASSWORD="wrong"))
        assert done.returncode == 1 and "does not know" in done.stderr and done.stderr.count("\n") == 1
        done = cli(*command, stdin=subprocess.DEVNULL)
        assert done.returncode == 1 and "PRINTWRIGHT_PASSWORD" in done.stderr and done.stderr.count("\n") == 1
        # the owner is who proved to be it, not who is named
        with ipp.Printer(sim.secure_uri, FIRST_USER, password=lambda: password) as client:
            jobs = client.jobs("all", ("job-originating-user-name",))
            assert {job["job-originating-user-name"] for job in jobs} == {FIRST_USER}


def test_a_changed_certificate(tmp_path):
    state = tmp_path / "state"
    with Sim(state) as sim:
        port = sim.port
        assert cli("status", "--printer", sim.secure_uri).returncode == 0
    for name in ("key.pem", "certificate.pem"):
        (state / name).unlink()
    with Sim(state, "--port", str(port)) as sim:
        done = cli("status", "--printer", sim.secure_uri)
        assert done.returncode == 1 and "certificate" in done.stderr and f"localhost:{port}" in done.stderr
        assert done.stderr.count("\n") == 1
        (tmp_path / "config" / "printwright" / "certificates").write_text("")
        assert cli("status", "--printer", sim.secure_uri).returncode == 0


def test_other_computers(tmp_path):
    address = own_address()
    assert address, "this test needs a network address that is not loopback"
    state = tmp_path / "state"
    with Sim(state, "--host", "0.0.0.0") as sim:
        password = password_of(sim, state)
        right = basic(FIRST_USER, password)
        # plain text: not for others
        answer = raw(sim, http_post(ipp_request(GET_PRINTER), host=address), False, address)
        assert answer.status == 426 and answer.headers["upgrade"].startswith("TLS/")
        page = f"GET /?a=b HTTP/1.1\r\nHost: {address}:{sim.port}\r\n\r\n".encode()
        answer = raw(sim, page, False, address)
        assert answer.status == 301 and answer.headers["location"] == f"https://{address}:{sim.port}/?a=b"
        assert raw(sim, page, True, address).status == 200
        # a name that is not ours gets nothing, not even that
        foreign = page.replace(address.encode(), b"evil.example")
        assert raw(sim, foreign, False, address).status == 400 and raw(sim, foreign, True, address).status == 400
        assert ask(sim, GET_PRINTER, host=address) == (200, 0)
        assert ask(sim, CREATE, host=address) == (401, None)
        assert ask(sim, CREATE, right, host=address) == (200, 0)
        with ipp.Printer(f"ipps://{address}:{sim.port}/ipp/print3d", FIRST_USER, password=lambda: password) as client:
            told = client.printer_attributes()
            assert told["uri-authentication-supported"] == ["basic"] and told["uri-security-supported"] == ["tls"]
            assert told["printer-uri-supported"] == [f"ipps://{address}:{sim.port}/ipp/print3d"]
            assert ended(client, submit(client, CUBE.read_bytes()))["job-state"] == "completed"
        # on this computer everything is as before
        assert ask(sim, PAUSE, tls=False) == (200, 0)
        assert "Traceback" not in sim.said


def test_rubbish_and_a_rush_do_not_hurt_a_print(tmp_path):
    with Sim(tmp_path / "state", "--record", str(tmp_path / "record.steps"), pace="200") as sim, sim.client() as client:
        job_id = submit(client, CUBE.read_bytes())
        for i in range(300):
            with socket.create_connection(("127.0.0.1", sim.port), timeout=PATIENCE_S) as link:
                link.sendall((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(100), b"\x16", b"\x16\x03\x01\x00\x00")[i % 3])
        job = ended(client, job_id)
        assert job["job-state"] == "completed", job
        assert "Traceback" not in sim.said and not re.search("starv", sim.said)
        with ipp.Printer(sim.secure_uri) as secure:
            until(lambda: secure.printer_attributes(("printer-state",)), lambda told: told["printer-state"] == "idle", "the end")
            assert secure.request(GET_PRINTER).group(tags.PRINTER_GROUP)["printer-up-time"] > 0
