"""Long answers do not hold up the other tasks: neither while jobs are looked for nor while they are sent."""

import asyncio

from firmware.ipp import attributes, registry_request, tags
from firmware.ipp.dispatch import Dispatcher
from firmware.net.server import Server, desktop_settings
from tests.firmware.helpers_ipp import FakeStream, answers, http_post, ipp_request
from tests.firmware.ipp.helpers_objects import make_printer

JOBS = 200


def turns(*extra):
    """(answer, how often another task ran while it was made) of Get-Jobs on a printer with a long queue and a long history."""
    printer = make_printer(jobs=JOBS, history=JOBS)
    for _ in range(JOBS):
        printer.queue.create("part", "alice", {})
    for job in printer.queue.active()[: JOBS // 2]:
        printer.queue.cancel(job)
    dispatcher = Dispatcher(printer.table, printer, printer.queue.get, attributes.syntaxes(registry_request.ROWS))
    server = Server(dispatcher, desktop_settings(), ("localhost",))
    stream = FakeStream(http_post(ipp_request(0x0A, *extra)))
    counted = 0

    async def other():
        nonlocal counted
        while True:
            counted += 1
            await asyncio.sleep(0)

    async def main():
        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        await server.handle(stream, "127.0.0.1", False)
        task.cancel()

    asyncio.run(main())
    return answers(bytes(stream.sent))[0].ipp, counted


def keyword(name, value):
    return (name, [(tags.KEYWORD, value)])


def test_all_attributes_of_all_jobs():
    answer, counted = turns(keyword("which-jobs", "all"), keyword("requested-attributes", "all"))
    assert len([tag for tag, _ in answer.groups if tag == tags.JOB_GROUP]) == JOBS
    assert counted > JOBS // 4


def test_a_search_that_finds_nothing():
    answer, counted = turns(keyword("which-jobs", "aborted"))
    assert [tag for tag, _ in answer.groups] == [tags.OPERATION_GROUP]
    assert counted >= JOBS // 2 // 16
