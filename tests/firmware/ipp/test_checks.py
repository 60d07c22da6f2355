import asyncio

import pytest

from firmware.ipp import attributes, checks, codec, registry_request, status, tags
from firmware.ipp.checks import JOB, PRINTER, PRINTER_OR_JOB
from firmware.ipp.dispatch import Context, Dispatcher
from firmware.ipp.status import BodyError, IppError
from tests.firmware.helpers_ipp import VERSION, decode, operation_group

SYNTAXES = {row[attributes.NAME]: row[attributes.SYNTAX] for row in attributes.rows(registry_request.ROWS)}
GET, SEND, CANCEL, CURRENT, FORBIDDEN, FAULT, GONE = 0x0B, 0x06, 0x08, 0x2D, 0x10, 0x11, 0x12
JOBS = {7: "job seven"}


def dispatcher(**options):
    async def see(ctx):
        seen.append(ctx)
        return codec.Response()

    async def refuse(ctx):
        raise IppError(status.BUSY, "Not now.", [codec.attribute(tags.UNSUPPORTED, "job-name", [])])

    async def fault(ctx):
        raise ZeroDivisionError

    async def gone(ctx):
        raise BodyError(400, "gone")

    seen = []
    table = {
        GET: (see, PRINTER),
        SEND: (see, JOB),
        CANCEL: (see, JOB),
        CURRENT: (see, PRINTER_OR_JOB),
        FORBIDDEN: (refuse, PRINTER),
        FAULT: (fault, PRINTER),
        GONE: (gone, PRINTER),
    }
    made = Dispatcher(table, "the printer", JOBS.get, SYNTAXES, **options)
    made.seen = seen
    return made


def ask(operation=GET, groups=None, version=VERSION, request_id=1, raw=None, auth_user=None, asked=None, **options):
    """(decoded answer, the context that the operation saw or None); groups: of the request, else the usual group with `options`."""
    data = raw or codec.message(version, operation, request_id, [operation_group(**options)] if groups is None else groups)
    decoder = codec.Decoder(codec.Limits(65536, 1000))
    error = None
    try:
        if not decoder.feed(data):
            decoder.end()
    except IppError as e:
        error = e
    asked = asked or dispatcher()
    ctx = Context("127.0.0.1", False, "localhost:8631", None, auth_user)
    response = asyncio.run(asked.answer(ctx, decoder.request, error))
    answer = decode(b"".join(response.pieces(asked.version(decoder.request), decoder.request.request_id)))
    assert [name for name, _ in answer.groups[0][1][:2]] == ["attributes-charset", "attributes-natural-language"]
    return answer, asked.seen[0] if asked.seen else None


def code(*args, **options):
    """The answer's status; a refused request has seen no operation, and says why."""
    answer, ctx = ask(*args, **options)
    if answer.operation > 0xFF:
        assert ctx is None
        assert dict(answer.groups[0][1])["status-message"]
    return answer.operation


def group(*members):
    return [(tags.OPERATION_GROUP, list(members))]


CHARSET = ("attributes-charset", [(tags.CHARSET, b"utf-8")])
LANGUAGE = ("attributes-natural-language", [(tags.LANGUAGE, b"en")])
URI = ("printer-uri", [(tags.URI, b"ipp://localhost/ipp/print3d")])
USER = ("requesting-user-name", [(tags.NAME, b"alice")])


def with_(*members):
    return group(CHARSET, LANGUAGE, URI, USER, *members)


def test_a_good_request_reaches_its_operation():
    answer, ctx = ask()
    assert answer.operation == status.OK
    assert ctx.printer == "the printer" and ctx.user == "alice" and ctx.job is None
    assert ctx.uri == ("ipp", "localhost:8631", "/ipp/print3d")
    assert ctx.op["printer-uri"] == [(tags.URI, b"ipp://localhost/ipp/print3d")]


# Version, operation, request-id, in this order


@pytest.mark.parametrize(
    "version, answered",
    [((1, 0), (1, 1)), ((1, 1), (1, 1)), ((1, 2), (1, 1)), ((2, 0), (2, 0)), ((2, 1), (2, 0)), ((2, 2), (2, 0)), ((2, 9), (2, 0))],
)
def test_any_minor_version_of_a_known_major_one(version, answered):
    answer, _ = ask(version=version)
    assert (answer.operation, answer.version) == (status.OK, answered)


@pytest.mark.parametrize("version", [(0, 0), (0, 1), (3, 0), (255, 255)])
def test_other_versions(version):
    answer, ctx = ask(version=version)
    assert (answer.operation, answer.version, ctx) == (status.VERSION_NOT_SUPPORTED, (2, 0), None)


@pytest.mark.parametrize("operation", [0, 1, 2, 3, 0x4000, 0x7FFF, 0xFFFF])
def test_operations_that_are_not_offered(operation):
    assert code(operation) == status.OPERATION_NOT_SUPPORTED


@pytest.mark.parametrize("request_id", [0, 0x80000000, 0xFFFFFFFF])
def test_request_ids_out_of_range_are_echoed(request_id):
    answer, ctx = ask(request_id=request_id)
    assert (answer.operation, answer.request_id, ctx) == (status.BAD_REQUEST, request_id, None)


def test_the_first_failure_wins():
    broken = b"\x01\x21\xff"
    assert code(raw=b"\x03\x00\xff\xff\0\0\0\0" + broken) == status.VERSION_NOT_SUPPORTED
    assert code(raw=b"\x02\x00\xff\xff\0\0\0\0" + broken) == status.OPERATION_NOT_SUPPORTED
    assert code(raw=b"\x02\x00\x00\x0b\0\0\0\1" + broken) == status.BAD_REQUEST
    wrong_charset = ("attributes-charset", [(tags.CHARSET, b"koi8-r")])
    other_printer = ("printer-uri", [(tags.URI, b"ipp://localhost/other")])
    bad_limit = ("limit", [(tags.INTEGER, 0)])
    assert code(groups=group(wrong_charset, LANGUAGE, other_printer, bad_limit)) == status.CHARSET_NOT_SUPPORTED
    assert code(groups=group(CHARSET, LANGUAGE, other_printer, bad_limit)) == status.NOT_FOUND
    assert code(groups=group(CHARSET, LANGUAGE, URI, bad_limit)) == status.NOT_SUPPORTED


# Groups


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [(1, [])],
        [(2, [])],
        [(2, [])] + with_(),
        with_() + with_(),
        with_() + [(2, []), (2, [])],
        with_() + [(4, []), (2, [])],
        with_() + [(5, [])],
    ],
)
def test_groups_out_of_order(groups):
    assert code(groups=groups) == status.BAD_REQUEST


@pytest.mark.parametrize(
    "groups", [with_() + [(2, [])], with_() + [(2, []), (6, []), (6, [])], with_() + [(0x0F, [("x", [(0x7F, b"abcdef")])])]]
)
def test_groups_in_order(groups):
    assert code(groups=groups) == status.OK


def test_names_are_unique_in_a_group():
    name = ("job-name", [(tags.NAME, b"a")])
    assert code(groups=with_(name, name)) == status.BAD_REQUEST
    assert code(groups=with_() + [(2, [name, name])]) == status.BAD_REQUEST
    assert code(groups=with_(name) + [(2, [name])]) == status.OK


# Charset and language


@pytest.mark.parametrize(
    "groups",
    [
        group(),
        group(URI),
        group(LANGUAGE, URI),
        group(CHARSET, URI),
        group(LANGUAGE, CHARSET, URI),
        group(URI, CHARSET, LANGUAGE),
        group(CHARSET, URI, LANGUAGE),
        group(("attributes-charset", [(tags.KEYWORD, b"utf-8")]), LANGUAGE, URI),
        group(("attributes-charset", [(tags.CHARSET, b"utf-8"), (tags.CHARSET, b"utf-8")]), LANGUAGE, URI),
        group(CHARSET, ("attributes-natural-language", [(tags.KEYWORD, b"en")]), URI),
        group(CHARSET, ("attributes-natural-language", [(tags.NO_VALUE, None)]), URI),
    ],
)
def test_charset_and_language_come_first(groups):
    assert code(groups=groups) == status.BAD_REQUEST


@pytest.mark.parametrize(
    "charset, expected", [("utf-8", 0), ("UTF-8", 0), ("us-ascii", 0), ("koi8-r", 0x040D), ("", 0x040D), ("utf-16", 0x040D)]
)
def test_charsets(charset, expected):
    assert code(charset=charset) == expected


@pytest.mark.parametrize("language", ["en", "de-CH", "tlh", ""])
def test_any_language_is_taken(language):
    assert code(language=language) == status.OK


# Target


@pytest.mark.parametrize(
    "uri, expected",
    [
        ("ipp://localhost/ipp/print3d", 0),
        ("ipp://localhost:8631/ipp/print3d", 0),
        ("ipps://other.example.com/ipp/print3d", 0),
        ("http://[::1]:631/ipp/print3d", 0),
        ("IPP://LOCALHOST/ipp/print3d", 0),
        ("ipp://localhost/ipp/print3d/", 0),
        ("ipp://localhost/ipp/print3d?query", 0),
        ("ipp://localhost/ipp/print", 0x0406),
        ("ipp://localhost/IPP/PRINT3D", 0x0406),
        ("ipp://localhost/ipp/print3d/7", 0x0406),
        ("ipp://localhost", 0x0406),
        ("ipp://localhost/", 0x0406),
        ("/ipp/print3d", 0x0400),
        ("ipp:///ipp/print3d", 0x0400),
        ("ftp://localhost/ipp/print3d", 0x0400),
        ("ipp:/localhost/ipp/print3d", 0x0400),
        ("ipp://local host/ipp/print3d", 0x0400),
        ("ipp://localhost/ipp/print3d\0", 0x0400),
        (b"\xff\xfe://x/y", 0x0400),
        (" ", 0x0400),
    ],
)
def test_printer_uris(uri, expected):
    assert code(uri=uri) == expected


def test_the_target_may_stand_anywhere_but_must_be_one_uri():
    assert code(groups=group(CHARSET, LANGUAGE, USER, URI)) == status.OK
    assert code(groups=group(CHARSET, LANGUAGE, USER)) == status.BAD_REQUEST
    assert code(groups=group(CHARSET, LANGUAGE, ("printer-uri", [(tags.KEYWORD, b"ipp://localhost/ipp/print3d")]))) == status.BAD_REQUEST
    assert code(groups=group(CHARSET, LANGUAGE, ("printer-uri", URI[1] * 2))) == status.BAD_REQUEST


def job(uri=None, number=None, printer=True):
    members = [CHARSET, LANGUAGE]
    if printer:
        members.append(URI)
    if uri is not None:
        members.append(("job-uri", [(tags.URI, uri)]))
    if number is not None:
        members.append(("job-id", number))
    return group(*members)


@pytest.mark.parametrize(
    "operation, groups, expected, target",
    [
        (CANCEL, job("ipp://localhost/ipp/print3d/7", printer=False), 0, "job seven"),
        (CANCEL, job("ipp://localhost/ipp/print3d/7"), 0, "job seven"),
        (CANCEL, job(number=[(tags.INTEGER, 7)]), 0, "job seven"),
        (CANCEL, job(number=[(tags.INTEGER, 8)]), 0x0406, None),
        (CANCEL, job(number=[(tags.INTEGER, 0)]), 0x0406, None),
        (CANCEL, job(number=[(tags.INTEGER, -7)]), 0x0406, None),
        (CANCEL, job(number=[(tags.ENUM, 7)]), 0x0400, None),
        (CANCEL, job(number=[(tags.INTEGER, 7), (tags.INTEGER, 7)]), 0x0400, None),
        (CANCEL, job(), 0x0400, None),
        (CANCEL, job(number=[(tags.INTEGER, 7)], printer=False), 0x0400, None),
        (CANCEL, job("ipp://localhost/ipp/print3d/8", printer=False), 0x0406, None),
        (CANCEL, job("ipp://localhost/ipp/print3d/07", printer=False), 0x0406, None),
        (CANCEL, job("ipp://localhost/ipp/print3d/x", printer=False), 0x0406, None),
        (CANCEL, job("ipp://localhost/ipp/print3d", printer=False), 0x0406, None),
        (CANCEL, job("ipp://localhost/elsewhere/7", printer=False), 0x0406, None),
        (CANCEL, job("ipp://localhost/ipp/print3d/99999999999999999999", printer=False), 0x0406, None),
        (CANCEL, job("nonsense", printer=False), 0x0400, None),
        (GET, job("ipp://localhost/ipp/print3d/7", printer=False), 0x0400, None),
        (CURRENT, job(), 0, None),
        (CURRENT, job(number=[(tags.INTEGER, 7)]), 0, "job seven"),
        (CURRENT, job(number=[(tags.INTEGER, 8)]), 0x0406, None),
    ],
)
def test_jobs(operation, groups, expected, target):
    answer, ctx = ask(operation, groups)
    assert answer.operation == expected
    assert target is None or ctx.job == target


def test_several_paths():
    asked = dispatcher(paths=("/ipp/print3d", "/ipp/print3d/left"))
    answer, ctx = ask(uri="ipp://localhost/ipp/print3d/left", asked=asked)
    assert answer.operation == status.OK and ctx.uri[2] == "/ipp/print3d/left"


# Users and rights


@pytest.mark.parametrize(
    "values, expected, name",
    [
        (None, 0, "anonymous"),
        ([(tags.NAME, b"")], 0, "anonymous"),
        ([(tags.NAME, b"  ")], 0, "anonymous"),
        ([(tags.NAME, "J\N{LATIN SMALL LETTER O WITH DIAERESIS}rg".encode())], 0, "J\N{LATIN SMALL LETTER O WITH DIAERESIS}rg"),
        ([(tags.NAME_LANG, (b"de", b"Eva"))], 0, "Eva"),
        ([(tags.KEYWORD, b"alice")], 0x0400, None),
        ([(tags.NAME, b"a"), (tags.NAME, b"b")], 0x0400, None),
        ([(tags.NAME, b"\xff")], 0x0400, None),
        ([(tags.NAME, b"a\nb")], 0x0400, None),
    ],
)
def test_users(values, expected, name):
    answer, ctx = ask(groups=group(CHARSET, LANGUAGE, URI, *([("requesting-user-name", values)] if values else [])))
    assert answer.operation == expected
    assert name is None or ctx.user == name


def test_an_authenticated_name_wins():
    assert ask(auth_user="bob")[1].user == "bob"


def test_rights_come_after_the_target_and_before_the_values():
    def nobody(ctx):
        raise IppError(status.NOT_AUTHORIZED, "Not you, %s." % ctx.user)

    bad_limit = with_(("limit", [(tags.INTEGER, 0)]))
    assert code(groups=bad_limit, asked=dispatcher(authorize=nobody)) == status.NOT_AUTHORIZED
    assert code(uri="ipp://localhost/other", asked=dispatcher(authorize=nobody)) == status.NOT_FOUND


# Values


def unsupported(answer):
    return answer.group(tags.UNSUPPORTED_GROUP)


def test_values_out_of_range_are_given_back():
    answer, ctx = ask(groups=with_(("limit", [(tags.INTEGER, 0)])))
    assert (answer.operation, ctx) == (status.NOT_SUPPORTED, None)
    assert unsupported(answer) == [("limit", [(tags.INTEGER, 0)])]
    assert [tag for tag, _ in answer.groups] == [tags.OPERATION_GROUP, tags.UNSUPPORTED_GROUP]


@pytest.mark.parametrize(
    "name, values, expected",
    [
        ("limit", [(tags.KEYWORD, b"ten")], 0x0400),
        ("limit", [(tags.INTEGER, 1), (tags.INTEGER, 2)], 0x0400),
        ("limit", [(tags.NO_VALUE, None)], 0x0400),
        ("my-jobs", [(tags.INTEGER, 1)], 0x0400),
        ("job-name", [(tags.NAME, b"\xc3")], 0x0400),
        ("job-name", [(tags.NAME, b"a\x01")], 0x0400),
        ("message", [(tags.TEXT, b"line\r\n\tline")], 0),
        ("message", [(tags.TEXT, b"x" * 127)], 0),
        ("message", [(tags.TEXT, b"x" * 128)], 0x0409),
        ("message", [(tags.TEXT_LANG, (b"en", b"x" * 128))], 0x0409),
        ("message", [(tags.TEXT_LANG, (b"en", b"x" * 127))], 0),
        ("job-name", [(tags.NAME, b"x" * 255)], 0),
        ("job-ids", [(tags.INTEGER, 1), (tags.INTEGER, 2)], 0),
        ("job-ids", [(tags.INTEGER, 1), (tags.INTEGER, 0)], 0x040B),
    ],
)
def test_values(name, values, expected):
    assert code(groups=with_((name, values))) == expected


@pytest.mark.parametrize(
    "name, tag, length", [("job-name", tags.NAME, 256), ("document-format", tags.MIME, 300), ("which-jobs", tags.KEYWORD, 300)]
)
def test_values_longer_than_their_syntax_are_named(name, tag, length):
    answer, ctx = ask(groups=with_((name, [(tag, b"x" * length)])))
    assert (answer.operation, ctx) == (status.VALUE_TOO_LONG, None)
    assert unsupported(answer) == [(name, [(tags.UNSUPPORTED, None)])]


def test_a_uri_longer_than_its_syntax():
    assert code(uri="ipp://localhost/" + "x" * 1500) == status.VALUE_TOO_LONG


def test_operation_attributes_that_are_not_known_are_ignored_and_listed():
    answer, ctx = ask(groups=with_(("odd", [(tags.INTEGER, 1)]), ("even", [(0x2F, b"raw")])))
    assert answer.operation == status.OK_IGNORED and ctx is not None
    assert unsupported(answer) == [("odd", [(tags.UNSUPPORTED, None)]), ("even", [(tags.UNSUPPORTED, None)])]


def test_they_are_listed_beside_an_error_too():
    answer, _ = ask(FORBIDDEN, with_(("odd", [(tags.INTEGER, 1)])))
    assert answer.operation == status.BUSY
    assert [name for name, _ in unsupported(answer)] == ["odd", "job-name"]


def test_text_in_the_other_groups_is_utf_8():
    bad = [(tags.NAME, b"\xff")]
    assert code(groups=with_() + [(2, [("job-sheets", bad)])]) == status.BAD_REQUEST
    nested = [(tags.COLLECTION, [("a", [(tags.COLLECTION, [("b", bad)])])])]
    assert code(groups=with_() + [(2, [("materials-col", nested)])]) == status.BAD_REQUEST


# Faults of operations


def test_what_an_operation_refuses_or_breaks(capfd):
    answer, _ = ask(FORBIDDEN)
    assert answer.operation == status.BUSY
    assert dict(answer.groups[0][1])["status-message"] == [(tags.TEXT, b"Not now.")]
    answer, _ = ask(FAULT)
    assert answer.operation == status.INTERNAL_ERROR
    assert "ZeroDivisionError" in capfd.readouterr().err
    with pytest.raises(BodyError):
        ask(GONE)


def test_uris_come_apart():
    assert checks.split_uri(b"IPPS://Host.Local:631/a/b?c#d") == ("ipps", "host.local:631", "/a/b")
    assert checks.split_uri(b"ipp://h") == ("ipp", "h", "")
    assert checks.job_number("2147483647") == 2147483647
    for text in ("", "0", "01", "-1", "+1", "1_0", "\N{ARABIC-INDIC DIGIT ONE}", "12345678901"):
        assert checks.job_number(text) is None
