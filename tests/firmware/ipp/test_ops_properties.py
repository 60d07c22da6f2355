"""Whatever a client sends within the syntax of IPP: no operation fails inside, every answer can be decoded and keeps its promises."""

import asyncio

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firmware.ipp import attributes, codec, operations, registry_job, registry_printer, registry_request, status, tags
from firmware.ipp.checks import JOB
from firmware.ipp.dispatch import Context, Dispatcher
from tests.firmware.helpers_ipp import decode, operation_group
from tests.firmware.ipp.helpers_objects import make_printer

MEMBERS = attributes.constants(attributes.find(registry_printer.ROWS, "materials-col-supported")) + ["x-accuracy", "accuracy-units", "odd"]
REQUEST_NAMES = [row[attributes.NAME] for row in attributes.rows(registry_request.ROWS)][2:] + ["no-such-attribute"]
TICKET_NAMES = [row[attributes.NAME] for row in attributes.rows(registry_job.ROWS) if row[attributes.GROUP] == "T"] + ["media"]
WORDS = st.sampled_from(
    [b"", b"pla", b"petg", b"PLA", b"all", b"none", b"text/x-gcode", b"gzip", b"completed", b"job-template", b"um", b"\xc3\xa4", b"display"]
) | st.binary(max_size=20)
INTEGERS = st.sampled_from([-(2**31), -1, 0, 1, 4, 60, 215, 400000, 1750000, 2**31 - 1]) | st.integers(-(2**31), 2**31 - 1)
TEXT_TAGS = [tags.TEXT, tags.NAME, tags.KEYWORD, tags.URI, tags.MIME, tags.CHARSET, tags.LANGUAGE, tags.OCTETS]


def _range(ends):
    return (tags.RANGE, (min(ends), max(ends)))


SIMPLE = st.one_of(
    st.tuples(st.sampled_from([tags.INTEGER, tags.ENUM]), INTEGERS),
    st.tuples(st.just(tags.BOOLEAN), st.booleans()),
    st.tuples(st.sampled_from(TEXT_TAGS), WORDS),
    st.tuples(st.sampled_from([tags.TEXT_LANG, tags.NAME_LANG]), st.tuples(st.just(b"en"), WORDS)),
    st.tuples(INTEGERS, INTEGERS).map(_range),
    st.just((tags.DATETIME, b"\x07\xea\x01\x01\0\0\0\0+\0\0")),
    st.just((tags.RESOLUTION, (300, 300, 3))),
)
OUT_OF_BAND = st.sampled_from([tags.NO_VALUE, tags.UNKNOWN, tags.UNSUPPORTED]).map(lambda tag: [(tag, None)])


def collections(inner):
    member = st.tuples(st.sampled_from(MEMBERS), OUT_OF_BAND | st.lists(inner, min_size=1, max_size=3))
    members = st.lists(member, max_size=4, unique_by=lambda item: item[0])
    return st.tuples(st.just(tags.COLLECTION), members)


VALUE = SIMPLE | collections(SIMPLE | collections(SIMPLE))
VALUES = OUT_OF_BAND | st.lists(VALUE, min_size=1, max_size=3)


def of_tag(tag, low, high):
    """Values of one alternative of a syntax."""
    if tag < 0x20:
        return st.just((tag, None))
    if tag == tags.BOOLEAN:
        return st.tuples(st.just(tag), st.booleans())
    if tag == tags.COLLECTION:
        return collections(SIMPLE)
    if tag in (tags.INTEGER, tags.ENUM):
        numbers = st.sampled_from([1, 2, 4, 60, 210]) | st.integers(low, high or 9)
        return st.tuples(st.just(tag), numbers)
    if tag == tags.DATETIME:
        return st.tuples(st.just(tag), st.binary(min_size=11, max_size=11))
    return st.tuples(st.just(tag), WORDS)


def of_syntax(text):
    many, alternatives = attributes.syntax(text)
    value = st.one_of([of_tag(*alternative) for alternative in alternatives])
    return st.lists(value, min_size=1, max_size=2 if many else 1)


def attribute_lists(names, table):
    """Attributes with values of any type, or of their own."""
    known = {name: attributes.find(table, name) for name in names}
    choices = [st.tuples(st.just(name), VALUES) for name in names]
    choices += [st.tuples(st.just(name), of_syntax(row[attributes.SYNTAX])) for name, row in known.items() if row]
    return st.lists(st.one_of(choices), max_size=4, unique_by=lambda item: item[0])


def _typed(item):
    syntax = attributes.syntaxes(registry_request.ROWS).get(item[0])
    return syntax is None or attributes.problem(syntax, item[1]) is None


class Body:
    def __init__(self, data):
        self.data = data

    async def read(self):
        data, self.data = self.data, b""
        return memoryview(data) if data else b""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(operations.table())),
    attribute_lists(REQUEST_NAMES, registry_request.ROWS),
    attribute_lists(TICKET_NAMES, registry_job.ROWS),
    st.sampled_from([b"", b"G28\n", b"\x1f\x8b\x08", b"PK\x03\x04", b"; x" * 200]),
    st.sampled_from([False, True, True, True]),
)
@example(5, [], [("materials-col", [(tags.COLLECTION, [])])], b"", False)
@example(5, [("ipp-attribute-fidelity", [(tags.NO_VALUE, None)])], [], b"", False)
@example(6, [("last-document", [(tags.BOOLEAN, True)]), ("job-id", [(tags.INTEGER, 1)])], [], b"\x1f\x8b\x08", False)
def test_any_request(operation, extra, ticket, document, typed):
    printer = make_printer("sim-cartesian")
    printer.queue.create("first", "alice", {})
    dispatcher = Dispatcher(printer.table, printer, printer.queue.get, attributes.syntaxes(registry_request.ROWS))
    own = [item for item in extra if item[0] not in ("printer-uri", "requesting-user-name")]
    if typed:
        # with the right types more requests get behind the first checks
        own = [item for item in own if _typed(item)]
        own += [("job-id", [(tags.INTEGER, 1)])] if printer.table[operation][1] == JOB and "job-id" not in dict(own) else []
    data = codec.message((2, 0), operation, 5, [operation_group(*own), (tags.JOB_GROUP, ticket)])

    async def ask():
        ctx = Context("::1", False, "localhost", Body(document))
        response = await dispatcher.answer(ctx, decode(data))
        return response, decode(b"".join(response.pieces((2, 0), 5)))

    response, answer = asyncio.run(ask())
    assert answer.operation != status.INTERNAL_ERROR
    refused = dict(answer.group(tags.UNSUPPORTED_GROUP) or [])
    assert (answer.operation == status.OK) <= (not refused)
    for job in printer.queue.active():
        limits = printer.materials.targets(job.ticket)
        assert limits.nozzle_c is None or limits.material.nozzle_min_c <= limits.nozzle_c <= limits.material.nozzle_max_c
        assert limits.bed_c is None or 0 <= limits.bed_c <= printer.materials.bed_limit_c
    # what is kept can be told
    for tag, group in answer.groups:
        if tag == tags.JOB_GROUP:
            for name, values in group:
                row = attributes.find(registry_job.ROWS, name)
                assert row is not None, name
                assert values[0][0] < 0x20 or attributes.problem(row[attributes.SYNTAX], values) is None, (name, values)
