"""`printwright account`: accounts made, changed and removed by IPP while the printer runs."""

import json
import os

import pytest

from firmware.ipp import tags
from firmware.security import account_ops, account_table
from tests.e2e.helpers_sim import Sim, cli
from tools import ipp
from tools.sim import AUDIT_LOG, FIRST_PASSWORD, FIRST_USER


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PRINTWRIGHT_PASSWORD", raising=False)


def account(sim, *words, password=None, user=None, say=None, uri=None):
    """(exit status, standard output, standard error) of the command."""
    options = ["--printer", uri or sim.secure_uri, *(["--user", user] if user else [])]
    env = {**os.environ, **({"PRINTWRIGHT_PASSWORD": password} if password else {})}
    done = cli("account", words[0], *words[1:], *options, env=env, **({"input": say} if say is not None else {}))
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def may(sim, user, password, operation):
    try:
        with ipp.Printer(sim.secure_uri, user, password=lambda: password) as client:
            client.request(operation)
            return True
    except (ipp.NotAuthenticated, ipp.Refused):
        return False


def test_a_life_of_accounts(tmp_path):
    state = tmp_path / "state"
    with Sim(state, "--auth", "required") as sim:
        root = {"user": FIRST_USER, "password": (state / FIRST_PASSWORD).read_text().strip()}
        assert account(sim, "list")[0] == 1, "nobody may look without saying who it is"
        assert account(sim, "list", **root)[1] == "admin  administrator\n"
        status, made, _ = account(sim, "add", "olga", "operator", **root)
        assert status == 0 and len(made.strip()) >= 23
        assert may(sim, "olga", made.strip(), ipp.PAUSE_PRINTER) and may(sim, "olga", made.strip(), ipp.RESUME_PRINTER)
        status, out, said = account(sim, "add", "olga", "user", **root)
        assert status == 1 and "already" in said and not out
        # an operator manages nobody
        status, _, said = account(sim, "add", "eve", "administrator", user="olga", password=made.strip())
        assert status == 1 and "not-authorized" in said
        assert account(sim, "role", "olga", "user", **root)[0] == 0
        assert not may(sim, "olga", made.strip(), ipp.PAUSE_PRINTER) and may(sim, "olga", made.strip(), ipp.GET_JOBS)
        # a chosen one, at once
        assert account(sim, "password", "olga", "--ask", say="eight or more\n", **root)[:2] == (0, "")
        assert not may(sim, "olga", made.strip(), ipp.GET_JOBS) and may(sim, "olga", "eight or more", ipp.GET_JOBS)
        status, _, said = account(sim, "password", "olga", "--ask", say="short\n", **root)
        assert status == 1 and "at least 8 characters" in said
        for words, what in (
            (("remove", "admin"), "only administrator"),
            (("role", "admin", "user"), "only administrator"),
            (("remove", "nobody"), "not-found"),
            (("role", "nobody", "user"), "not-found"),
            (("add", "a:b", "user"), "colon"),
            (("password", "nobody"), "no account"),
        ):
            status, _, said = account(sim, *words, **root)
            assert status == 1 and what in said, (words, said)
        found = [json.loads(line) for line in account(sim, "list", "--json", **root)[1].splitlines()]
        assert found == [{"name": "admin", "role": "administrator"}, {"name": "olga", "role": "user"}]
        assert json.loads(account(sim, "remove", "olga", "--json", **root)[1]) == {"name": "olga", "removed": True}
        assert not may(sim, "olga", "eight or more", ipp.GET_JOBS)
    log = (state / AUDIT_LOG).read_text()
    for line in ("'olga' has role operator", "'olga' has role user", "'olga' is removed"):
        assert line in log, line
    assert made.strip() not in log and "eight or more" not in log
    # what was stored holds after a restart
    with Sim(state, "--auth", "required") as sim:
        assert account(sim, "list", **root)[1] == "admin  administrator\n"


def test_on_the_printers_own_computer(tmp_path):
    with Sim(tmp_path / "state") as sim:
        assert account(sim, "add", "anna", "administrator")[0] == 0
        # never in clear text, not even here
        status, _, said = account(sim, "add", "bert", "user", uri=sim.uri)
        assert status == 1 and "TLS" in said
        group = [(account_ops.NAME, [(tags.NAME, "bert")]), (account_ops.ROLE, [(tags.KEYWORD, "user")])]
        with sim.client() as client:
            with pytest.raises(ipp.ClientError, match="encrypted"):
                client.request(account_table.PUT, groups=[(tags.PRINTER_GROUP, group)])
        with ipp.Printer(sim.secure_uri) as client:
            for members, code in (
                ([], 0x0400),
                (group[:1], 0x0400),
                ([group[0], (account_ops.ROLE, [(tags.KEYWORD, "god")])], 0x040B),
                ([(account_ops.NAME, [(tags.INTEGER, 7)]), group[1]], 0x0400),
                ([(account_ops.NAME, [(tags.NAME, "a"), (tags.NAME, "b")]), group[1]], 0x0400),
                ([*group, (account_ops.PASSWORD, [(tags.TEXT, b"\xff" * 12)])], 0x0400),
                ([(account_ops.NAME, [(tags.NAME, "x" * 65)]), group[1]], 0x0404),
            ):
                with pytest.raises(ipp.Refused) as refused:
                    client.request(account_table.PUT, groups=[(tags.PRINTER_GROUP, members)])
                assert refused.value.status == code
        assert account(sim, "list")[1] == "anna  administrator\n"
        assert "Traceback" not in sim.said
