"""Subscriptions and Get-Notifications through dispatch on the real queue (RFC 3995, RFC 3996)."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.config import FIRST_SUBSCRIPTION
from firmware.ipp import codec, status, subscriptions, tags
from firmware.ipp.dispatch import Context
from firmware.ipp.notifier import Notifier
from firmware.jobs import states
from firmware.security import roles
from tests.firmware.helpers_ipp import decode, operation_group
from tests.firmware.ipp.test_job_ops import CREATE, VALIDATE, Body, Client, integer, keywords

CREATE_PRINTER, CREATE_JOB, GET_ATTRIBUTES, GET_ALL, RENEW, CANCEL, GET = range(0x16, 0x1D)
IPPGET = ("notify-pull-method", [(tags.KEYWORD, "ippget")])
EVENTS = keywords("notify-events", "printer-state-changed", "job-state-changed")


@pytest.fixture
def client():
    return Client()


def subscribe(client, *members, operation=CREATE_PRINTER, extra=(), role=roles.USER, user="alice", groups=1):
    return ask(client, operation, [(tags.SUBSCRIPTION_GROUP, [IPPGET, *members])] * groups, *extra, role=role, user=user)


def ask(client, operation, groups=(), *extra, role=roles.USER, user="alice", uri="ipp://localhost/ipp/print3d"):
    """The decoded answer; whatever comes back is well formed."""
    message = codec.message((2, 0), operation, 7, [operation_group(*extra, user=user, uri=uri), *groups])

    async def run():
        ctx = Context("127.0.0.1", True, "printer.local:631", Body())
        ctx.identified(user, role)
        response = await client.dispatcher.answer(ctx, decode(message))
        return decode(b"".join(response.pieces((2, 0), 7)))

    answer = asyncio.run(run())
    assert answer.operation != status.INTERNAL_ERROR
    return answer


def groups_of(answer, tag=tags.SUBSCRIPTION_GROUP):
    return [{name: [value for _, value in values] for name, values in group} for found, group in answer.groups if found == tag]


def id_of(answer):
    (group,) = groups_of(answer)
    return group["notify-subscription-id"][0]


def events(client, *ids, first=(), code=status.OK, **how):
    extra = [("notify-subscription-ids", [(tags.INTEGER, id) for id in ids])]
    if first:
        extra.append(("notify-sequence-numbers", [(tags.INTEGER, number) for number in first]))
    answer = ask(client, GET, (), *extra, **how)
    assert answer.operation == code, answer.groups
    return groups_of(answer, tags.EVENT_GROUP)


def refused(client, *members):
    """(status of the answer, notify-status-code) of one subscription that is not made."""
    answer = ask(client, CREATE_PRINTER, [(tags.SUBSCRIPTION_GROUP, list(members))])
    (group,) = groups_of(answer)
    assert "notify-subscription-id" not in group
    return answer.operation, group["notify-status-code"][0]


# -- making


def test_made_with_defaults(client):
    answer = subscribe(client)
    assert answer.operation == status.OK
    (group,) = groups_of(answer)
    assert group["notify-lease-duration"] == [3600] and "notify-status-code" not in group
    told = groups_of(ask(client, GET_ATTRIBUTES, (), integer("notify-subscription-id", id_of(answer))))[0]
    assert told["notify-events"] == [b"job-completed"] and told["notify-sequence-number"] == [0]
    assert told["notify-lease-expiration-time"] == [100 + 3600] and told["notify-printer-up-time"] == [100]
    assert told["notify-subscriber-user-name"] == [b"alice"] and told["notify-subscription-uuid"][0].startswith(b"urn:uuid:")
    assert told["notify-printer-uri"] == [b"ipps://printer.local:631/ipp/print3d"]


def test_what_makes_one_impossible(client):
    all_refused = status.IGNORED_ALL_SUBSCRIPTIONS
    uri = ("notify-recipient-uri", [(tags.URI, "mailto:a@example.org")])
    assert refused(client, uri) == (all_refused, status.URI_SCHEME_NOT_SUPPORTED)
    assert refused(client, uri, IPPGET) == (all_refused, status.CONFLICTING)
    assert refused(client, EVENTS) == (all_refused, status.BAD_REQUEST)
    assert refused(client, keywords("notify-pull-method", "push")) == (all_refused, status.NOT_SUPPORTED)
    assert refused(client, IPPGET, keywords("notify-events", "no-such", "other")) == (all_refused, status.NOT_SUPPORTED)
    assert refused(client, IPPGET, ("notify-user-data", [(tags.OCTETS, b"x" * 64)])) == (all_refused, status.VALUE_TOO_LONG)
    assert refused(client, IPPGET, ("notify-user-data", [(tags.INTEGER, 1)])) == (all_refused, status.BAD_REQUEST)
    assert ask(client, CREATE_PRINTER).operation == status.BAD_REQUEST
    assert client.printer.notifier.table is None or not len(client.printer.notifier.table)


def test_what_is_unknown_is_told_and_left_out(client):
    answer = subscribe(client, keywords("notify-events", "job-created", "no-such"), ("x-odd", [(tags.INTEGER, 1)]))
    (group,) = groups_of(answer)
    assert group["notify-status-code"] == [status.OK_IGNORED] and group["notify-events"] == [b"no-such"] and group["x-odd"] == [None]
    told = groups_of(ask(client, GET_ATTRIBUTES, (), integer("notify-subscription-id", group["notify-subscription-id"][0])))[0]
    assert told["notify-events"] == [b"job-created"]


def test_some_are_made_some_not(client):
    bad = (tags.SUBSCRIPTION_GROUP, [keywords("notify-pull-method", "push")])
    good = (tags.SUBSCRIPTION_GROUP, [IPPGET])
    answer = ask(client, CREATE_PRINTER, [bad, good])
    assert answer.operation == status.OK_IGNORED_SUBSCRIPTIONS
    assert ["notify-subscription-id" in group for group in groups_of(answer)] == [False, True]


@pytest.mark.parametrize(
    "asked, role, granted",
    [
        (0, roles.USER, 86400),
        (0, roles.OPERATOR, 0),
        (1, roles.USER, 10),
        (86400, roles.USER, 86400),
        (86401, roles.USER, 86400),
        (67108863, roles.OPERATOR, 86400),
        (0x7FFFFFFF, roles.USER, 86400),
        (-0x80000000, roles.USER, 10),  # what 2^31 is on the wire
    ],
)
def test_leases(client, asked, role, granted):
    answer = subscribe(client, integer("notify-lease-duration", asked), role=role)
    (group,) = groups_of(answer)
    assert group["notify-lease-duration"] == [granted]
    assert group.get("notify-status-code") == (None if asked == granted else [status.OK_IGNORED])
    id = integer("notify-subscription-id", group["notify-subscription-id"][0])
    renewed = ask(client, RENEW, (), id, integer("notify-lease-duration", asked), role=role)
    if 0 <= asked <= 67108863:
        assert groups_of(renewed)[0]["notify-lease-duration"] == [granted]
    else:
        assert renewed.operation == status.NOT_SUPPORTED


def test_too_many_events(client):
    names = [name for name in subscriptions.EVENTS[:11]] + ["none"] + ["no-such-%d" % i for i in range(10)]
    (group,) = groups_of(subscribe(client, keywords("notify-events", *names)))
    assert group["notify-status-code"] == [status.OK_IGNORED]
    assert len(group["notify-events"]) == 10


def test_a_flood_fills_half_the_table_and_not_the_operators_half(client):
    notifier = client.printer.notifier
    notifier.open()
    notifier.active.limit = notifier.active.table._limit = 8
    for _ in range(20):
        answer = subscribe(client)
    assert groups_of(answer)[0]["notify-status-code"] == [status.TOO_MANY_SUBSCRIPTIONS]
    assert answer.operation == status.IGNORED_ALL_SUBSCRIPTIONS and len(notifier.table) == 4
    assert subscribe(client, user="bob").operation == status.OK
    for _ in range(10):
        answer = subscribe(client, user="op", role=roles.OPERATOR)
    assert answer.operation == status.IGNORED_ALL_SUBSCRIPTIONS and len(notifier.table) == 8
    # leases end, and there is room again
    client.printer.machine.clock.uptime += 3601
    assert subscribe(client).operation == status.OK and len(notifier.table) == 1


# -- of jobs


def test_with_a_job(client):
    answer = ask(client, CREATE, [(tags.SUBSCRIPTION_GROUP, [IPPGET, keywords("notify-events", "job-completed", "printer-stopped")])])
    assert answer.operation == status.OK
    job_id = groups_of(answer, tags.JOB_GROUP)[0]["job-id"][0]
    id = id_of(answer)
    told = groups_of(ask(client, GET_ATTRIBUTES, (), integer("notify-subscription-id", id)))[0]
    assert told["notify-job-id"] == [job_id] and "notify-lease-duration" not in told
    assert client.send(job_id, b"G28\n").operation == status.OK
    assert events(client, id) == []
    client.print(job_id, states.COMPLETED)
    (event,) = events(client, id, code=status.OK_EVENTS_COMPLETE)
    assert event["notify-subscribed-event"] == [b"job-completed"] and event["job-state"] == [states.COMPLETED]
    assert event["notify-job-id"] == event["job-id"] == [job_id] and event["job-impressions-completed"] == [0]
    # a job can be asked for as long as its events live, then both go
    client.printer.machine.clock.uptime += subscriptions.EVENT_LIFE_S
    assert len(events(client, id, code=status.OK_EVENTS_COMPLETE)) == 1
    client.printer.machine.clock.uptime += 60
    events(client, id, code=status.NOT_FOUND)


def test_job_is_made_whatever_comes_of_its_subscriptions(client):
    groups = [(tags.SUBSCRIPTION_GROUP, [keywords("notify-pull-method", "push")])]
    answer = ask(client, CREATE, groups)
    assert answer.operation == status.OK_IGNORED_SUBSCRIPTIONS and groups_of(answer, tags.JOB_GROUP)
    answer = ask(client, VALIDATE, groups)
    assert answer.operation == status.OK_IGNORED_SUBSCRIPTIONS
    assert groups_of(answer)[0]["notify-status-code"] == [status.NOT_SUPPORTED]
    assert ask(client, VALIDATE, [(tags.SUBSCRIPTION_GROUP, [IPPGET])]).operation == status.OK
    assert client.printer.notifier.table is None or not len(client.printer.notifier.table)


def test_of_a_job_that_is_there(client):
    job_id = client.submit()
    answer = subscribe(client, EVENTS, operation=CREATE_JOB, extra=[integer("notify-job-id", job_id)])
    assert answer.operation == status.OK
    lease = subscribe(client, integer("notify-lease-duration", 5), operation=CREATE_JOB, extra=[integer("notify-job-id", job_id)])
    assert groups_of(lease)[0]["notify-status-code"] == [status.OK_IGNORED]
    renewed = ask(client, RENEW, (), integer("notify-subscription-id", id_of(answer)))
    assert renewed.operation == status.NOT_POSSIBLE
    other = client.submit("other")
    client.print(job_id, states.COMPLETED)
    told = events(client, id_of(answer), code=status.OK_EVENTS_COMPLETE)
    assert {event["notify-job-id"][0] for event in told} == {job_id}
    done = subscribe(client, operation=CREATE_JOB, extra=[integer("notify-job-id", job_id)])
    assert done.operation == status.NOT_POSSIBLE
    assert subscribe(client, operation=CREATE_JOB, extra=[integer("notify-job-id", 99)]).operation == status.NOT_FOUND
    assert subscribe(client, operation=CREATE_JOB).operation == status.BAD_REQUEST
    foreign = subscribe(client, operation=CREATE_JOB, extra=[integer("notify-job-id", other)], user="bob")
    assert foreign.operation == status.NOT_AUTHORIZED
    listed = groups_of(ask(client, GET_ALL, (), integer("notify-job-id", job_id), keywords("requested-attributes", "all")))
    assert [group["notify-job-id"] for group in listed] == [[job_id], [job_id]]
    assert groups_of(ask(client, GET_ALL)) == []


# -- events


def test_a_print_from_the_first_to_the_last_event(client):
    id = id_of(subscribe(client, EVENTS, ("notify-user-data", [(tags.OCTETS, b"\0mine\xff")])))
    job_id = client.submit()
    events(client, id)
    client.queue.set_checked(client.queue.get(job_id), 3, 100, 0)
    client.queue.move(client.queue.get(job_id), states.PROCESSING)
    client.runner.status.printer_state = 4
    events(client, id)
    client.queue.move(client.queue.get(job_id), states.COMPLETED)
    client.runner.status.printer_state = 3
    told = events(client, id)
    assert [event["notify-sequence-number"] for event in told] == [[number] for number in range(1, len(told) + 1)]
    assert [event.get("job-state", event.get("printer-state"))[0] for event in told] == [3, 4, 5, 3, 9]
    for event in told:
        assert event["notify-user-data"] == [b"\0mine\xff"] and event["notify-charset"] == [b"utf-8"]
        assert event["printer-up-time"] == [100] and len(event["printer-current-time"][0]) == 11
        assert event["notify-text"][0] and event["notify-natural-language"] == [b"en"]
        both = "printer-is-accepting-jobs" in event, "job-id" in event
        assert both == (event["notify-subscribed-event"] == [b"printer-state-changed"],) + (both[1],) and both[0] != both[1]
    assert [event["notify-sequence-number"] for event in events(client, id, first=[4])] == [[4], [5]]


@pytest.mark.parametrize("then, wanted", [(None, [3, 5]), (states.COMPLETED, [3, 9])])
def test_a_job_that_prints_before_anybody_looks_was_pending_first(client, then, wanted):
    id = id_of(subscribe(client, keywords("notify-events", "job-state-changed")))
    job_id = client.submit()
    client.queue.set_checked(client.queue.get(job_id), 3, 100, 0)
    client.queue.move(client.queue.get(job_id), states.PROCESSING)
    if then:
        client.queue.move(client.queue.get(job_id), then)
    assert [event["job-state"][0] for event in events(client, id)] == wanted


def test_sequence_numbers_of_the_future_and_surplus_ones(client):
    one, two = [id_of(subscribe(client, EVENTS)) for _ in range(2)]
    client.submit()
    assert events(client, one, first=[0x7FFFFFFF]) == []
    assert len(events(client, one, two, first=[2])) == len(events(client, two))
    assert len(events(client, one, one, first=[1, 1, 1, 1])) == len(events(client, one))
    answer = ask(client, GET, (), integer("notify-subscription-ids", one), integer("notify-sequence-numbers", 0))
    assert answer.operation == status.NOT_SUPPORTED


def test_unknown_subscriptions(client):
    events(client, 5, code=status.NOT_FOUND)
    assert ask(client, GET).operation == status.BAD_REQUEST
    one = id_of(subscribe(client, EVENTS))
    answer = ask(client, GET, (), ("notify-subscription-ids", [(tags.INTEGER, one), (tags.INTEGER, 5)]))
    assert answer.operation == status.OK_IGNORED
    assert dict(answer.group(tags.UNSUPPORTED_GROUP)) == {"notify-subscription-ids": [(tags.INTEGER, 5)]}


def test_what_kinds_of_change_are_told(client):
    everything = [name for name in subscriptions.EVENTS[:11]]
    id = id_of(subscribe(client, keywords("notify-events", *everything)))

    def fresh():
        told = events(client, id, first=[fresh.next])
        fresh.next += len(told)
        return [event["notify-subscribed-event"][0].decode() for event in told]

    fresh.next = 1
    assert fresh() == []
    first, second = client.submit("first"), client.submit("second")
    assert fresh() == ["job-created", "job-created"]
    client.queue.replace(client.queue.get(second), 60, client.queue.get(second).rank)
    assert fresh() == ["printer-queue-order-changed"]
    client.queue.get(first).name = "other"
    assert fresh() == ["job-config-changed"]
    job = client.print(first)
    assert fresh() == ["job-state-changed"]
    client.queue.move(job, states.PROCESSING_STOPPED)
    client.runner.status.printer_state = 5
    client.runner.status.state_reasons = ["paused"]
    assert fresh() == ["printer-stopped", "job-stopped"]
    client.runner.status.job_id = first
    client.runner.status.progress = 10
    client.printer.machine.clock.uptime += 2
    assert fresh() == ["job-progress"]
    asyncio.run(client.printer.change({}))
    assert fresh() == ["printer-config-changed"]
    third = client.create("third")
    client.queue.cancel(client.queue.get(third))
    assert fresh() == ["job-created", "job-completed"]


def test_asked_for_attributes(client):
    id = id_of(subscribe(client, EVENTS, keywords("notify-attributes", "job-name", "printer-state-message", "queued-job-count", "no-such")))
    client.submit("a part")
    (event,) = events(client, id)
    assert event["job-name"] == [b"a part"] and event["queued-job-count"] == [1] and "printer-state-message" in event


@pytest.mark.parametrize("language, text", [("de-AT", "Auftrag 1: Wartet"), ("ja", "ジョブ 1: 待機中"), ("tlh", "Job 1: Pending")])
def test_texts_in_the_clients_language(client, language, text):
    id = id_of(subscribe(client, EVENTS, ("notify-natural-language", [(tags.LANGUAGE, language)])))
    client.submit()
    (event,) = events(client, id)
    assert event["notify-text"][0].decode().startswith(text)
    assert event["notify-natural-language"][0].decode() == (language[:2] if language != "tlh" else "en")


def test_waiting_for_an_event(client):
    id = id_of(subscribe(client, EVENTS))

    async def run():
        message = codec.message(
            (2, 0), GET, 7, [operation_group(integer("notify-subscription-ids", id), ("notify-wait", [(tags.BOOLEAN, True)]))]
        )
        task = asyncio.create_task(client._ask(decode(message), Body()))
        await asyncio.sleep(0.01)
        assert not task.done() and client.printer.notifier.active.waiters_left == 63
        job = client.queue.create("part", "alice", {})
        client.printer.notifier.look()
        answer = await asyncio.wait_for(task, 5)
        return job, answer

    job, answer = asyncio.run(run())
    (event,) = groups_of(answer, tags.EVENT_GROUP)
    assert event["job-id"] == [job.id]
    operation = dict(answer.group(tags.OPERATION_GROUP))
    assert operation["notify-get-interval"] == [(tags.INTEGER, 0)] and operation["printer-up-time"] == [(tags.INTEGER, 100)]
    assert client.printer.notifier.active.waiters_left == 64
    # no room to wait: as without notify-wait
    client.printer.notifier.active.waiters_left = 0
    answer = ask(client, GET, (), integer("notify-subscription-ids", id), ("notify-wait", [(tags.BOOLEAN, True)]))
    assert dict(answer.group(tags.OPERATION_GROUP))["notify-get-interval"] == [(tags.INTEGER, subscriptions.GET_INTERVAL_S)]


# -- rights


def test_others_have_no_say(client):
    id = id_of(subscribe(client, EVENTS))
    which = integer("notify-subscription-id", id)
    for operation in (GET_ATTRIBUTES, RENEW, CANCEL):
        assert ask(client, operation, (), which, user="bob").operation == status.NOT_AUTHORIZED
    events(client, id, user="bob", code=status.NOT_AUTHORIZED)
    assert groups_of(ask(client, GET_ALL, user="bob")) == []
    assert len(groups_of(ask(client, GET_ALL, user="op", role=roles.OPERATOR))) == 1
    mine = ask(client, GET_ALL, (), ("my-subscriptions", [(tags.BOOLEAN, True)]), user="op", role=roles.OPERATOR)
    assert groups_of(mine) == []
    assert ask(client, CANCEL, (), which, user="op", role=roles.OPERATOR).operation == status.OK
    assert ask(client, CANCEL, (), which).operation == status.NOT_FOUND
    events(client, id, code=status.NOT_FOUND)


def test_limit(client):
    for _ in range(5):
        subscribe(client)
    assert len(groups_of(ask(client, GET_ALL, (), integer("limit", 3)))) == 3


# -- over a restart


def restarted(client):
    """The same flash and queue under a new notifier."""
    before = client.printer.notifier
    client.queue.journal.boot += 1
    after = Notifier(before.config, lambda: True, True, lambda run: None)
    client.printer.notifier = after
    after.start(client.printer)
    return after


def test_endless_ones_and_those_of_jobs_outlive_a_restart(client):
    leased = id_of(subscribe(client, EVENTS))
    endless = id_of(subscribe(client, EVENTS, integer("notify-lease-duration", 0), role=roles.OPERATOR, user="op"))
    answer = ask(client, CREATE, [(tags.SUBSCRIPTION_GROUP, [IPPGET, keywords("notify-events", "job-completed")])])
    of_job = groups_of(answer)[0]["notify-subscription-id"][0]
    job_id = groups_of(answer, tags.JOB_GROUP)[0]["job-id"][0]
    client.send(job_id, b"G28\n")
    notifier = restarted(client)
    assert {one.id for one in notifier.table.all()} == {endless, of_job}
    events(client, leased, code=status.NOT_FOUND)
    (event,) = events(client, endless, user="op", role=roles.OPERATOR)
    assert event["notify-subscribed-event"] == [b"printer-state-changed"]
    client.print(job_id, states.COMPLETED)
    assert len(events(client, of_job, code=status.OK_EVENTS_COMPLETE)) == 1
    # and what is canceled stays away
    assert ask(client, CANCEL, (), integer("notify-subscription-id", endless), user="op", role=roles.OPERATOR).operation == status.OK
    asyncio.run(clean(notifier))
    again = restarted(client)
    assert again.table is None or [one.id for one in again.table.all()] == [of_job]


async def clean(notifier):
    from firmware.ipp import subscription_store

    await subscription_store.clean(notifier)


def test_damaged_records_are_let_go(client):
    for record in (b"", b"\xff\xff", b"\x01\x02\x03", bytes(200)):
        client.printer.notifier.config.set_record(FIRST_SUBSCRIPTION, record)
        notifier = restarted(client)
        assert not len(notifier.table) and notifier.stale == [0]
        asyncio.run(notifier.active.run())
        assert notifier.active is None and not client.printer.settings.has_records(FIRST_SUBSCRIPTION, 8)


def test_no_room_in_flash(client):
    for _ in range(8):
        assert groups_of(subscribe(client, integer("notify-lease-duration", 0), role=roles.OPERATOR))[0]["notify-lease-duration"] == [0]
    (group,) = groups_of(subscribe(client, integer("notify-lease-duration", 0), role=roles.OPERATOR))
    assert group["notify-lease-duration"] == [86400]


# -- anything

values = st.one_of(
    st.tuples(st.just(tags.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(tags.KEYWORD), st.sampled_from(["ippget", "job-created", "none", "x"])),
    st.tuples(st.just(tags.OCTETS), st.binary(max_size=70)),
    st.tuples(st.just(tags.LANGUAGE), st.sampled_from(["de", "x-klingon", "en-us"])),
    st.tuples(st.just(tags.COLLECTION), st.just([])),
)
names = st.sampled_from(
    [
        *("notify-pull-method", "notify-events", "notify-attributes", "notify-user-data", "notify-charset", "notify-natural-language"),
        *("notify-lease-duration", "notify-time-interval", "notify-recipient-uri", "notify-job-id", "notify-subscription-id"),
        *("notify-subscription-ids", "notify-sequence-numbers", "my-subscriptions", "limit"),
    ]
)
several = st.lists(values, min_size=1, max_size=3) | st.just([(tags.NO_VALUE, None)])
members = st.dictionaries(names, several, max_size=5).map(lambda found: list(found.items()))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([CREATE, CREATE_PRINTER, CREATE_JOB, GET_ATTRIBUTES, GET_ALL, RENEW, CANCEL, GET]),
    members,
    st.lists(members, max_size=3),
)
def test_any_request(operation, extra, groups):
    client = Client()
    client.create()
    id_of(subscribe(client, EVENTS))
    ask(client, operation, [(tags.SUBSCRIPTION_GROUP, group) for group in groups], *extra, role=roles.OPERATOR)
    client.printer.notifier.look()
    # what is kept can be told
    answer = ask(client, GET_ALL, (), keywords("requested-attributes", "all"), role=roles.OPERATOR)
    assert answer.operation == status.OK
