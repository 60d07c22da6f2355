import gzip
import json
import signal
import socket
import threading

import click
import pytest
from click.testing import CliRunner

from firmware.ipp import codec, status, tags
from tests.tools.helpers_printer import ScriptedPrinter, job
from tools import documents, ipp, ipp_http
from tools.cli import cancel, identify, jobs, pause
from tools.cli import print as print_command
from tools.cli import status as status_command

GCODE = b"G28\nG1 X10 Y10 F3000\n"


def state_is(value):
    return (tags.PRINTER_GROUP, [codec.attribute(tags.ENUM, "printer-state", [value])])


def idle(peer):
    request, _ = peer.request()
    peer.answer(request, groups=[state_is(3)])


def silent(peer):
    peer.request()


def test_a_request_and_its_answer():
    def script(peer):
        for chunked in (False, True):
            request, _ = peer.request()
            peer.answer(request, message="Fine.", groups=[state_is(4)], chunked=chunked)

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri, "alice") as printer:
        answer = printer.request(ipp.GET_PRINTER_ATTRIBUTES)
        assert (answer.status, answer.message, answer.group(tags.PRINTER_GROUP)) == (0, "Fine.", {"printer-state": "processing"})
        assert printer.printer_attributes(["printer-state"]) == {"printer-state": "processing"}
        request, _ = scripted.requests[0]
        assert [name for name, _ in request.groups[0][1]] == [
            "attributes-charset",
            "attributes-natural-language",
            "printer-uri",
            "requesting-user-name",
        ]
        assert [request.request_id for request, _ in scripted.requests] == [1, 2]


def test_values_as_json_has_them():
    decoded = [
        ("printer-state", [(tags.ENUM, 5)]),
        ("job-state", [(tags.ENUM, 99)]),
        ("printer-state-reasons", [(tags.KEYWORD, b"none")]),
        ("vendor-one", [(tags.INTEGER, 1)]),
        ("vendor-many", [(tags.INTEGER, 1), (tags.INTEGER, 2)]),
        ("range", [(tags.RANGE, (1, 2))]),
        ("resolution", [(tags.RESOLUTION, (300, 600, 3))]),
        ("date", [(tags.DATETIME, b"\x07\xea\x0b\x18\x0e\x0f\x07\x05+\x01\x1e")]),
        ("language", [(tags.NAME_LANG, (b"de", "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n".encode()))]),
        ("octets", [(tags.OCTETS, b"\x01\xff")]),
        ("broken", [(tags.TEXT, b"\xff")]),
        ("nothing", [(tags.NO_VALUE, None)]),
        ("collection", [(tags.COLLECTION, [("a", [(tags.BOOLEAN, True)])])]),
        ("other", [(tags.EXTENSION, b"\x01\x02\x03\x04")]),
    ]
    assert ipp.as_dict(decoded) == {
        "printer-state": "stopped",
        "job-state": 99,
        "printer-state-reasons": ["none"],
        "vendor-one": 1,
        "vendor-many": [1, 2],
        "range": [1, 2],
        "resolution": "300x600dpi",
        "date": "2026-11-24T14:15:07.5+01:30",
        "language": "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n",
        "octets": "01ff",
        "broken": "\N{REPLACEMENT CHARACTER}",
        "nothing": None,
        "collection": {"a": True},
        "other": "01020304",
    }


def test_a_refusal_has_status_reason_and_attributes():
    def script(peer):
        request, _ = peer.request()
        odd = codec.attribute(tags.KEYWORD, "materials-col", ["x"])
        peer.answer(request, status.NOT_SUPPORTED, "No such material.", unsupported=[odd])

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri) as printer:
        with pytest.raises(ipp.Refused) as caught:
            printer.create_job("x")
        assert caught.value.status == status.NOT_SUPPORTED
        assert str(caught.value) == "No such material. (client-error-attributes-or-values-not-supported): materials-col"
        assert caught.value.unsupported == {"materials-col": ["x"]}


def test_a_connection_that_was_closed_while_idle_is_opened_again():
    with ScriptedPrinter([idle, idle]) as scripted, ipp.Printer(scripted.uri) as printer:
        for _ in range(2):
            assert printer.printer_attributes()["printer-state"] == "idle"


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with ipp.Printer(f"ipp://127.0.0.1:{port}/x") as printer, pytest.raises(ipp.Unreachable, match="connection refused"):
        printer.printer_attributes()


def test_a_printer_that_does_not_answer():
    gate = threading.Event()

    def script(peer):
        peer.request()
        gate.wait(10)

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri, timeout_s=0.1) as printer:
        with pytest.raises(ipp.Unreachable, match="does not answer in time"):
            printer.printer_attributes()
        gate.set()


@pytest.mark.parametrize(
    "answer, error",
    [
        (b"", ipp.Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Le", ipp.Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", ipp.Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ipp.Unreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ipp.Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", ipp.Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", ipp.BadAnswer),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n404\n", ipp.BadAnswer),
        (b"SSH-2.0-OpenSSH\r\n\r\n", ipp.BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x02\x00\x00\x00\x00\x00\x00\x63\x03", ipp.BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\x02\x00\x00\x00\x00\x00\x00\x01\x01\x21\xff\xff", ipp.BadAnswer),
    ],
)
def test_answers_that_are_none(answer, error):
    def script(peer):
        peer.request()
        peer.send(answer)

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri) as printer, pytest.raises(error):
        printer.printer_attributes()


@pytest.mark.parametrize(
    "uri", ["http://localhost/x", "localhost", "ipp:///x", "https://localhost/ipp/print3d", "ipp://localhost:99999/", ""]
)
def test_uris_that_are_none(uri):
    with pytest.raises(ValueError):
        ipp.Printer(uri)


def test_the_port_and_path_of_a_uri():
    printer = ipp_http.Connection("ipp://printer.local/ipp/print3d", 1)
    assert (printer.host, printer.port, printer.path, printer.netloc) == ("printer.local", 631, "/ipp/print3d", "printer.local")
    printer = ipp_http.Connection("ipp://[::1]:8631/", 1)
    assert (printer.host, printer.port, printer.netloc) == ("::1", 8631, "[::1]:8631")


# Documents


def test_a_document_is_streamed():
    def script(peer):
        request, document = peer.request()
        peer.answer(request, groups=[job(7, 3)])
        assert document == b"abc" * 1000

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri) as printer:
        sent = printer.send_document(7, (b"abc" for _ in range(1000)), "x.gcode", "text/x-gcode", "gzip")
        assert sent["job-state"] == "pending"
        op = dict(scripted.requests[0][0].groups[0][1])
        assert op["job-id"] == [(tags.INTEGER, 7)]
        assert op["last-document"] == [(tags.BOOLEAN, True)]
        assert op["document-format"] == [(tags.MIME, b"text/x-gcode")]
        assert op["compression"] == [(tags.KEYWORD, b"gzip")]
        assert op["document-name"] == [(tags.NAME, b"x.gcode")]


def test_a_printer_that_refuses_before_the_document_gets_none():
    def script(peer):
        _, headers = peer.head()
        assert headers["expect"] == "100-continue"
        peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\nToo much\n")
        assert peer.connection.recv(100) == b""

    def document():
        raise AssertionError("it was asked for")
        yield

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri) as printer:
        with pytest.raises(ipp.BadAnswer, match="413: Too much"):
            printer.send_document(7, document())


def test_a_printer_that_answers_in_the_middle_of_a_document_is_heard():
    told = threading.Event()

    def script(peer):
        _, headers = peer.head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        decoder = codec.Decoder()
        decoder.feed(peer.exactly(int(peer.until(b"\r\n"), 16)))
        peer.answer(decoder.request, status.FORMAT_ERROR, "That is no G-code.")
        told.set()
        while peer.connection.recv(65536):
            pass

    def document():
        yield b"x" * 100
        assert told.wait(10)
        for _ in range(10000):
            yield b"x" * 65536

    with ScriptedPrinter([script]) as scripted, ipp.Printer(scripted.uri) as printer:
        with pytest.raises(ipp.Refused, match="That is no G-code."):
            printer.send_document(7, document())


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("a.gcode", GCODE, ("text/x-gcode", None)),
        ("A.GCO", GCODE, ("text/x-gcode", None)),
        ("a.txt", GCODE, ("text/x-gcode", None)),
        ("a.sgcode", GCODE, ("application/vnd.pwg-safe-gcode", None)),
        ("a.gcode.gz", gzip.compress(GCODE, mtime=0), ("text/x-gcode", "gzip")),
        ("a.gcode", gzip.compress(GCODE, mtime=0), ("text/x-gcode", "gzip")),
        ("a.bin", gzip.compress(GCODE, mtime=0), ("application/octet-stream", "gzip")),
        ("a.3mf", b"PK\x03\x04rest", ("model/3mf", None)),
        ("a.gcode", b"PK\x03\x04rest", ("model/3mf", None)),
        ("a.bin", b"\0\1\2", ("application/octet-stream", None)),
        ("a.bin", b"\xff\xfe\n", ("application/octet-stream", None)),
    ],
)
def test_formats(tmp_path, name, content, expected):
    file = tmp_path / name
    file.write_bytes(content)
    assert documents.describe(file) == expected
    counted = []
    assert b"".join(documents.blocks(file, counted.append)) == content
    assert sum(counted) == len(content)


# Commands


def run(command, *arguments):
    """(exit status, standard output's lines, standard error) as tools.cli.main makes them."""
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    code = result.exit_code
    if result.exception is not None:
        if isinstance(result.exception, click.Abort):
            code = 130
        elif isinstance(result.exception, click.ClickException):
            code = result.exception.exit_code
        else:
            raise result.exception
    text = result.stderr + (str(result.exception) if result.exception else "")
    return code, result.stdout.splitlines(), text


@pytest.fixture
def gcode(tmp_path):
    file = tmp_path / "part.gcode"
    file.write_bytes(GCODE)
    return str(file)


def accepting(*states, refuse=None):
    """A printer that takes a job, number 7, which then passes through the states; refuse: (operation, status)."""

    def script(peer):
        left = list(states)
        while True:
            request, _ = peer.request()
            if refuse and request.operation == refuse[0]:
                peer.answer(request, refuse[1], "I will not.")
            elif request.operation == ipp.GET_JOB_ATTRIBUTES:
                peer.answer(request, groups=[left.pop(0) if len(left) > 1 else left[0]])
            elif request.operation in (ipp.CREATE_JOB, ipp.SEND_DOCUMENT):
                peer.answer(request, groups=[job(7, 3)])
            else:
                peer.answer(request)

    return script


def test_print(gcode):
    with ScriptedPrinter([accepting(job(7, 3))]) as scripted:
        code, out, _ = run(print_command.command, gcode, "--printer", scripted.uri, "--material", "pla", "--name", "A part")
        assert (code, out) == (0, ["7"])
        assert [request.operation for request, _ in scripted.requests] == [ipp.VALIDATE_JOB, ipp.CREATE_JOB, ipp.SEND_DOCUMENT]
        assert scripted.requests[2][1] == GCODE
        create = scripted.requests[1][0]
        assert dict(create.groups[0][1])["job-name"] == [(tags.NAME, b"A part")]
        assert create.group(tags.JOB_GROUP) == [("materials-col", [(tags.COLLECTION, [("material-key", [(tags.KEYWORD, b"pla")])])])]


def supports(*compressions, script):
    """A printer that is asked for its compressions first."""

    def first(peer):
        request, _ = peer.request()
        assert request.operation == ipp.GET_PRINTER_ATTRIBUTES
        listed = codec.attribute(tags.KEYWORD, "compression-supported", list(compressions))
        peer.answer(request, groups=[(tags.PRINTER_GROUP, [listed])])
        script(peer)

    return first


@pytest.mark.parametrize("compressions, inflated", [(["none", "gzip"], False), (["none"], True)])
def test_print_of_a_compressed_file(tmp_path, compressions, inflated):
    file = tmp_path / "part.gcode.gz"
    file.write_bytes(gzip.compress(GCODE * 1000))
    with ScriptedPrinter([supports(*compressions, script=accepting(job(7, 3)))]) as scripted:
        code, _, _ = run(print_command.command, str(file), "--printer", scripted.uri)
        assert code == 0
        request, document = scripted.requests[-1]
        op = dict(request.groups[0][1])
        assert op["document-format"] == [(tags.MIME, b"text/x-gcode")]
        assert document == (GCODE * 1000 if inflated else file.read_bytes())
        assert op.get("compression") == (None if inflated else [(tags.KEYWORD, b"gzip")])


def test_print_of_a_broken_compressed_file(tmp_path):
    file = tmp_path / "part.gcode.gz"
    file.write_bytes(gzip.compress(GCODE * 1000)[:-20])
    with ScriptedPrinter([supports("none", script=accepting(job(7, 3))), accepting(job(7, 3))]) as scripted:
        code, _, err = run(print_command.command, str(file), "--printer", scripted.uri)
        assert code == 1 and "part.gcode.gz" in err
        assert scripted.requests[-1][0].operation == ipp.CANCEL_JOB


def test_print_watch_as_json(gcode):
    states = (job(7, 3), job(7, 5, 50, ["job-printing"]), job(7, 5, 50, ["job-printing"]), job(7, 9, 100, ["job-completed-successfully"]))
    with ScriptedPrinter([accepting(*states)]) as scripted:
        code, out, _ = run(print_command.command, gcode, "--printer", scripted.uri, "--watch", "--json")
        assert code == 0
        lines = [json.loads(line) for line in out]
        assert [(line["event"], line["state"], line["progress"], line["layer"]) for line in lines] == [
            ("job", "pending", 0, 0),
            ("job", "processing", 50, 5),
            ("job", "completed", 100, 10),
            ("end", "completed", 100, 10),
        ]
        assert {line["job_id"] for line in lines} == {7}
        assert lines[1]["reasons"] == ["job-printing"]


def test_print_of_a_job_that_does_not_complete(gcode):
    states = (job(7, 8, 10, ["aborted-by-system", "document-format-error"], "line 3: G92 X is refused"),)
    with ScriptedPrinter([accepting(*states)]) as scripted:
        code, out, err = run(print_command.command, gcode, "--printer", scripted.uri, "--watch", "--json")
        assert code == 1 and "job 7 aborted (aborted-by-system, document-format-error): line 3: G92 X is refused" in err
        assert json.loads(out[-1])["event"] == "end"


@pytest.mark.parametrize("operation, sent", [(ipp.VALIDATE_JOB, 1), (ipp.CREATE_JOB, 2)])
def test_print_of_a_job_that_is_refused(gcode, operation, sent):
    with ScriptedPrinter([accepting(job(7, 3), refuse=(operation, status.NOT_ACCEPTING))]) as scripted:
        code, out, err = run(print_command.command, gcode, "--printer", scripted.uri)
        assert (code, out) == (1, []) and "I will not. (server-error-not-accepting-jobs)" in err
        assert len(scripted.requests) == sent


def test_a_job_whose_document_is_refused_is_canceled(gcode):
    script = accepting(job(7, 3), refuse=(ipp.SEND_DOCUMENT, status.FORMAT_ERROR))
    with ScriptedPrinter([script, script]) as scripted:
        code, _, err = run(print_command.command, gcode, "--printer", scripted.uri)
        assert code == 1 and "I will not." in err
        last = scripted.requests[-1][0]
        assert last.operation == ipp.CANCEL_JOB and dict(last.groups[0][1])["job-id"] == [(tags.INTEGER, 7)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_watch_leaves_the_job_alone(gcode, number):
    def script(peer):
        while True:
            request, _ = peer.request()
            if request.operation == ipp.GET_JOB_ATTRIBUTES:
                signal.pthread_kill(threading.main_thread().ident, number)
            peer.answer(request, groups=[job(7, 5)])

    with ScriptedPrinter([script]) as scripted:
        code, out, err = run(print_command.command, gcode, "--printer", scripted.uri, "--watch", "--json")
        assert code == 130
        assert "job 7 goes on" in err
        assert json.loads(out[-1])["event"] == "end"
        assert ipp.CANCEL_JOB not in [request.operation for request, _ in scripted.requests]


def test_print_of_what_is_no_file(tmp_path):
    code, _, err = run(print_command.command, str(tmp_path / "missing.gcode"))
    assert code == 2 and "missing.gcode" in err
    (tmp_path / "empty.gcode").write_bytes(b"")
    code, _, err = run(print_command.command, str(tmp_path / "empty.gcode"))
    assert code == 1 and "empty" in err
    code, _, err = run(print_command.command, str(tmp_path))
    assert code == 2


def test_commands_name_the_printer_that_is_not_there(gcode):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"ipp://127.0.0.1:{listener.getsockname()[1]}/ipp/print3d"
    for command, arguments in (
        (print_command.command, [gcode]),
        (status_command.command, []),
        (jobs.command, []),
        (cancel.command, ["1"]),
        (pause.command, []),
    ):
        code, out, err = run(command, *arguments, "--printer", uri)
        assert (code, out) == (1, []) and f"no printer answers at {uri}: connection refused" in err
        assert "\n" not in err.strip()
    code, _, err = run(status_command.command, "--printer", "https://localhost/ipp/print3d")
    assert code == 2


def test_status():
    def script(peer):
        for _ in range(2):
            request, _ = peer.request()
            temperatures = [
                [("name", [(tags.KEYWORD, "nozzle")]), ("current", [(tags.INTEGER, 214)]), ("target", [(tags.INTEGER, 215)])],
                [("name", [(tags.KEYWORD, "bed")]), ("current", [(tags.UNKNOWN, None)]), ("target", [(tags.INTEGER, 0)])],
            ]
            attributes = [
                codec.attribute(tags.NAME, "printer-name", ["Mine"]),
                codec.attribute(tags.ENUM, "printer-state", [5]),
                codec.attribute(tags.KEYWORD, "printer-state-reasons", ["paused"]),
                codec.attribute(tags.TEXT, "printer-state-message", ["Waiting."]),
                codec.attribute(tags.INTEGER, "printer-up-time", [3725]),
                codec.attribute(tags.COLLECTION, "printwright-temperatures", temperatures),
            ]
            peer.answer(request, groups=[(tags.PRINTER_GROUP, attributes)])

    with ScriptedPrinter([lambda peer: script(peer)] * 2) as scripted:
        code, out, _ = run(status_command.command, "--printer", scripted.uri)
        assert code == 0
        assert out[0] == "Mine: stopped (paused)" and out[1] == "  Waiting."
        assert any("1 h 02 min" in line for line in out)
        assert any("nozzle" in line and "214" in line and "215" in line for line in out)
        code, out, _ = run(status_command.command, "--printer", scripted.uri, "--json")
        assert code == 0
        [line] = out
        assert json.loads(line)["printer-state"] == "stopped"
        assert json.loads(line)["printwright-temperatures"][1] == {"name": "bed", "current": None, "target": 0}


def test_jobs_and_cancel():
    def list_jobs(peer):
        request, _ = peer.request()
        peer.answer(request, groups=[job(7, 5, 40), job(8, 3)])

    def no_jobs(peer):
        request, _ = peer.request()
        peer.answer(request)

    def cancels(peer):
        for code in (0, status.NOT_POSSIBLE):
            request, _ = peer.request()
            peer.answer(request, code, "It has ended." if code else None)

    with ScriptedPrinter([list_jobs, list_jobs, no_jobs, cancels, no_jobs]) as scripted:
        code, out, _ = run(jobs.command, "--printer", scripted.uri, "--json", "--all")
        assert [json.loads(line)["job-id"] for line in out] == [7, 8]
        assert json.loads(out[0])["job-state"] == "processing"
        assert dict(scripted.requests[0][0].groups[0][1])["which-jobs"] == [(tags.KEYWORD, b"all")]
        code, out, _ = run(jobs.command, "--printer", scripted.uri)
        assert code == 0 and "7  processing 40 %" in out[0] and "8  pending" in out[1]
        code, out, _ = run(jobs.command, "--printer", scripted.uri)
        assert (code, out) == (0, [])
        code, out, err = run(cancel.command, "7", "9", "--printer", scripted.uri, "--json")
        assert code == 1
        assert [json.loads(line)["event"] for line in out] == ["canceled", "refused"]
        assert "job 9: It has ended." in err
        code, out, _ = run(cancel.command, "--all", "--printer", scripted.uri)
        assert code == 0 and scripted.requests[-1][0].operation == ipp.CANCEL_MY_JOBS
    assert run(cancel.command)[0] == 2
    assert run(cancel.command, "7", "--all")[0] == 2
    assert run(cancel.command, "0")[0] == 2


def test_pause_and_identify():
    def any_request(peer):
        request, _ = peer.request()
        peer.answer(request)

    with ScriptedPrinter([any_request] * 2) as scripted:
        assert run(pause.command, "--printer", scripted.uri, "--json")[:2] == (0, ['{"event": "paused"}'])
        assert run(identify.command, "--printer", scripted.uri, "--action", "sound", "--message", "here")[0] == 0
        op = dict(scripted.requests[1][0].groups[0][1])
        assert op["identify-actions"] == [(tags.KEYWORD, b"sound")] and op["message"] == [(tags.TEXT, b"here")]
