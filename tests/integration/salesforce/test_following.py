"""What changed in the org reaches ATOM: events, lost events, lists, messages, copies."""

import asyncio
from collections.abc import Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridge.errors import BadInput, NotAllowed, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.model import ChangeKind, RecordChange
from connectors.salesforce import Salesforce, Setup
from connectors.salesforce.outbound import ACKNOWLEDGED
from connectors.sandbox.salesforce import outbound
from tests.integration.salesforce.conftest import Acme


async def follow(acme: Acme, since: str) -> tuple[Sequence[RecordChange], str]:
    return await acme.records.changed(acme.account("atom"), since)


def change(acme: Acme, step: str = "Sign", who: str = "alice") -> None:
    user, id_ = acme.org.users[who], acme.org.ids["renewal"]
    acme.org.rows.update(user, "Opportunity", id_, {"NextStep": step})


async def test_a_change_is_told_with_its_fields(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    change(acme)

    (told,), after = await follow(acme, since)

    assert told.kind is ChangeKind.CHANGED
    assert told.ref == acme.ref("opportunity", "renewal")
    assert "NextStep" in told.fields
    assert told.actor == acme.org.users["alice"].id
    assert not told.ours
    record = await acme.record("bob", "opportunity", "renewal")
    assert told.rev == record.rev
    assert (await follow(acme, after))[0] == []


async def test_a_poll_waits_for_something_to_happen(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    acme.org.events.patience = 30.0
    waiting = asyncio.create_task(follow(acme, since))
    await asyncio.sleep(0.3)  # whether it waits by now or not, it is told

    change(acme)

    (told,), _after = await waiting
    assert told.ref == acme.ref("opportunity", "renewal")


async def test_our_own_change_is_known_as_ours(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    ref = acme.ref("opportunity", "renewal")
    deed = Deed("edit", "k", ref, values={"NextStep": "Ours"})
    await acme.records.perform(acme.account("bob"), deed)
    change(acme, "Theirs")

    told, _after = await follow(acme, since)

    assert [one.ours for one in told] == [True, False]


async def test_a_stage_change_a_comment_a_deletion_and_a_return(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    store, atom = acme.org.rows, acme.org.users["atom"]
    deal, case = acme.ref("opportunity", "pilot"), acme.ref("case", "crash")
    store.update(atom, "Opportunity", deal.id, {"StageName": "Closed Lost"})
    body = {"ParentId": case.id, "CommentBody": "Hello"}
    store.create(atom, "CaseComment", body)
    store.delete(atom, "Case", case.id)
    store.undelete("Case", case.id)
    store.create(atom, "Task", {"Subject": "x", "WhatId": deal.id})

    told, _after = await follow(acme, since)

    assert [(one.kind, one.ref) for one in told] == [
        (ChangeKind.CHANGED, deal),
        (ChangeKind.COMMENTED, case),
        (ChangeKind.DELETED, case),
        (ChangeKind.RESTORED, case),
    ]
    assert "StageName" in told[0].fields


async def test_repeated_events_have_one_name(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    acme.told.fault("dup_event", "EVENT *")
    change(acme)

    told, _after = await follow(acme, since)

    assert len(told) == 2
    assert len({one.event for one in told}) == 1


async def test_events_out_of_order_tell_which_is_newer(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    acme.told.fault("reorder", "EVENT *")
    change(acme, "one")
    acme.org.clock.move(5)
    change(acme, "two")

    told, _after = await follow(acme, since)

    assert [one.rev for one in told] == sorted((one.rev for one in told), reverse=True)


async def test_a_gap_says_what_to_read_anew(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    acme.org.events.gap("Case", acme.org.ids["crash"])

    (told,), _after = await follow(acme, since)

    assert told.kind is ChangeKind.MISSED
    assert told.ref == acme.ref("case", "crash")


async def test_lost_events_are_listed_instead(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    replay = acme.org.events._replay
    acme.org.clock.move(120)  # lists are complete up to the minute
    change(acme)
    acme.org.events.gather()
    acme.org.events.forget()
    old = f"{replay}@{since.partition('@')[2]}"
    again = Salesforce(Setup("acme", acme.told.url), acme.budget)

    told, after = await again.changed(acme.account("atom"), old)

    assert told[0].kind is ChangeKind.MISSED
    assert told[0].ref is None
    assert after.startswith("-1@")
    await again.aclose()


async def test_a_stream_goes_on_after_a_restart(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    change(acme, "one")
    (_one,), reached = await follow(acme, since)
    change(acme, "two")
    again = Salesforce(Setup("acme", acme.told.url), acme.budget)

    told, _after = await again.changed(acme.account("atom"), reached)

    assert len(told) == 1
    await again.aclose()


async def test_a_stream_that_the_org_forgot_begins_anew(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    change(acme, "one")
    (_one,), reached = await follow(acme, since)
    acme.org.events._clients.clear()
    change(acme, "two")

    with pytest.raises(ServiceUnavailable, match="ended the stream"):
        await follow(acme, reached)
    told, _after = await follow(acme, reached)

    assert len(told) == 1


@pytest.mark.parametrize("how", ["not set up", "denied"])
async def test_without_events_changes_are_listed_in_one_call(
    acme: Acme, how: str
) -> None:
    acme.org.events.enabled = False
    setup = Setup("acme", acme.told.url, events=how == "denied")
    plain = Salesforce(setup, acme.budget)
    atom = acme.account("atom")
    await plain.changed(atom, "")
    since = f"-1@{acme.org.clock.moment():%Y-%m-%dT%H:%M:%SZ}"
    user, deal = acme.org.users["atom"], acme.ref("opportunity", "renewal")
    case = acme.ref("case", "crash")
    acme.org.rows.update(user, "Opportunity", deal.id, {"NextStep": "x"})
    acme.org.rows.delete(user, "Case", case.id)
    await asyncio.sleep(2.1)  # the window has an end in the past

    told, _after = await plain.changed(atom, since)

    assert {(one.kind, one.ref) for one in told} == {
        (ChangeKind.CHANGED, deal),
        (ChangeKind.DELETED, case),
    }
    assert acme.told.calls()[-1] == "POST /services/data/v62.0/composite"
    await plain.aclose()


async def test_what_happened_before_the_first_event_is_listed(acme: Acme) -> None:
    since = f"-1@{acme.org.clock.moment():%Y-%m-%dT%H:%M:%SZ}"
    change(acme)
    acme.org.events.gather()
    await asyncio.sleep(2.1)

    told, after = await follow(acme, since)
    assert [one.ref for one in told] == [acme.ref("opportunity", "renewal")]

    change(acme, "again")
    (event,), _after = await follow(acme, after)
    assert event.fields


async def test_a_position_that_is_none_is_refused(acme: Acme) -> None:
    with pytest.raises(BadInput, match="position"):
        await follow(acme, "yesterday")


async def test_an_outbound_message_is_heard_and_acknowledged(acme: Acme) -> None:
    heard: list[RecordChange] = []

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        heard.extend(acme.records.heard(request.headers, str(request.url), body, 0.0))
        return web.Response(text=ACKNOWLEDGED, content_type="text/xml")

    app = web.Application()
    app.router.add_post("/hooks/salesforce/{secret}", hook)
    async with TestServer(app) as server:
        url = str(server.make_url("/hooks/salesforce/hush"))
        taken = await acme.org.emit(
            {"outbound": url, "kind": "Case", "id": acme.org.ids["crash"]}
        )

    assert taken is True
    assert [one.ref for one in heard] == [acme.ref("case", "crash")]


@pytest.mark.parametrize(
    "url", ["/hooks/salesforce/wrong", "/hooks/salesforce/?secret=hush", "/hooks/"]
)
async def test_a_message_without_the_secret_is_refused(acme: Acme, url: str) -> None:
    body = outbound.message("00D5g000000Acme", "Case", acme.org.ids["crash"]).encode()

    with pytest.raises(NotAllowed):
        acme.records.heard({}, f"https://atom.example{url}", body, 0.0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    ],
)
async def test_a_message_that_is_none_is_refused(acme: Acme, body: bytes) -> None:
    with pytest.raises(BadInput):
        acme.records.heard({}, "https://atom.example/hooks/hush", body, 0.0)


async def test_an_event_in_an_answer_that_was_lost_is_told_again(acme: Acme) -> None:
    _none, since = await follow(acme, "")
    change(acme, "one")
    (_one,), reached = await follow(acme, since)
    change(acme, "two")
    acme.told.fault("truncate", "POST /cometd*")

    with pytest.raises(ServiceUnavailable):
        await follow(acme, reached)
    told, _after = await follow(acme, reached)

    assert len(told) == 1
