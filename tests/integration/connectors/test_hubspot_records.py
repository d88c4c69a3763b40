"""HubSpot's objects as records, against a HubSpot that fails like the real one."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from yarl import URL

from bridge.errors import BadInput, NotAllowed
from bridge.records.budgets import USUAL
from bridge.records.forms import Deed
from bridge.records.knowing import asked, is_shown_by
from bridge.records.model import Absence, ChangeKind, Record, RecordRef, System
from bridge.records.ports import EditConflict, NotYours, Rejected, Unsure
from connectors.hubspot.api import MANNER
from connectors.hubspot.portal import Portal
from connectors.hubspot.records import HubSpotRecords
from connectors.rest import Rest
from connectors.sandbox.hubspot.app import HubSpot
from connectors.sandbox.hubspot.seed import CLIENT_SECRET, PORTAL
from storage.limiter import RedisLimiter
from storage.records.budget import RecordBudget, rates_of
from tests.hooked import Heard, listening
from tests.stand_ins import Account, CountingBudget, Told, running


def ref(kind: str, id_: str) -> RecordRef:
    return RecordRef(System.HUBSPOT, "acme", kind, id_)


DEAL = ref("deal", "30101")


@dataclass
class World:
    hubspot: HubSpot
    told: Told
    records: HubSpotRecords
    budget: CountingBudget
    slept: list[float]

    def person(self, name: str = "bob") -> Account:
        return Account(self.hubspot, name)

    async def one(self, ref: RecordRef = DEAL, who: str = "bob") -> Record:
        read = (await self.records.read(self.person(who), [ref]))[ref]
        assert isinstance(read, Record)
        return read

    def posts(self, path: str) -> int:
        calls = self.told.calls("POST ")
        return sum(each.endswith(path) for each in calls)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hubspot, budget = HubSpot(), CountingBudget()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        hubspot.clock.move(seconds)

    portal = Portal(
        "acme", PORTAL, URL("https://app.hubspot.com"), client_secret=CLIENT_SECRET
    )
    async with running(hubspot) as told:
        rest = Rest(
            ClientSession(),
            "HubSpot",
            URL(told.url),
            portal.bucket,
            budget,
            MANNER,
            clock=hubspot.clock.now,
        )
        records = HubSpotRecords(portal, rest, sleep)
        yield World(hubspot, told, records, budget, slept)
        await hubspot.poster.idle()
        await records.aclose()


async def test_a_deal_is_a_record(world: World) -> None:
    record = await world.one()

    assert (record.title, record.status.text) == (
        "Globex renewal FY27",
        "Contract Sent · 90%",
    )
    shown = {each.label: (each.text, each.cls) for each in record.facts}
    assert shown == {
        "Company": ("Globex", "public"),
        "Pipeline": ("Sales Pipeline", "public"),
        "Owner": ("Bob Stone", "public"),
        "Close date": ("2026-12-15", "public"),
        "Amount": ("84,000 EUR", "finance"),
        "Last activity": ("2026-11-20", "public"),
        "Next activity": ("", "public"),
    }
    assert record.url == f"https://app.hubspot.com/contacts/{PORTAL}/record/0-3/30101"


async def test_addresses_and_numbers_of_people_are_personal(world: World) -> None:
    record = await world.one(ref("contact", "10101"))

    classes = {each.label: each.cls for each in record.facts}
    assert (classes["Email"], classes["Phone"]) == ("personal", "personal")
    assert record.status.text == "Customer"


async def test_an_address_finds_the_contact_that_has_it(world: World) -> None:
    """So somebody in chat leads to their contact without any book."""
    wanted = asked("Grace@Globex.example")

    found = await world.records.find(world.person(), "grace@globex.example", 8)

    of_address = [
        one
        for one in found
        if one.ref.kind == "contact" and is_shown_by(one, wanted, one.classes)
    ]
    assert len(of_address) == 1


async def test_words_find_all_kinds(world: World) -> None:
    found = await world.records.find(world.person(), "globex", 10)

    assert {each.ref.kind for each in found} == {"company", "contact", "deal", "ticket"}
    assert "Globex" in found[0].title


async def test_searches_wait_for_their_turn(world: World) -> None:
    world.hubspot.portal.searches = 2
    world.hubspot.clock.stop()

    found = await world.records.find(world.person(), "globex", 10)

    assert found
    assert world.slept
    # Searches have a limit of their own: nothing else waits for it.
    assert world.budget.paused == {}


async def test_what_the_ten_seconds_allow_stops_the_account(world: World) -> None:
    world.told.fault("ratelimit", "*", times=5, arg=10)

    found = await world.records.read(world.person(), [DEAL])

    assert {str(each) for each in found.values()} == {"spent"}
    assert world.budget.paused == {("hubspot:acme", "bob"): 10.0}


async def test_the_days_quota_is_told_to_the_budget(world: World) -> None:
    await world.one()

    used, most = world.budget.quota["hubspot:acme"]
    assert (most, used > 0) == (250_000, True)


async def test_a_deal_moves_along_its_own_pipeline(world: World) -> None:
    form = await world.records.form(world.person(), "stage", DEAL)
    [stage] = form.inputs
    assert [each.label for each in stage.choices][-2:] == ["Closed Won", "Closed Lost"]

    deed = Deed(
        "stage",
        "k1",
        DEAL,
        values={"dealstage": "closedwon"},
        seen={"dealstage": stage.value},
        base=form.rev,
    )
    done = await world.records.perform(world.person(), deed)
    again = await world.records.perform(world.person(), deed)

    assert done.record.status.text == "Closed Won"
    assert (done.again, again.again) == (False, True)
    with pytest.raises(EditConflict):
        await world.records.perform(
            world.person("dana"),
            Deed(
                "stage",
                "k2",
                DEAL,
                values={"dealstage": "closedlost"},
                seen={"dealstage": stage.value},
                base=form.rev,
            ),
        )


async def test_a_stage_of_another_pipeline_is_refused(world: World) -> None:
    deed = Deed("stage", "k1", DEAL, values={"dealstage": "87011"})

    with pytest.raises(Rejected) as raised:
        await world.records.perform(world.person(), deed)

    assert set(raised.value.fields) == {"dealstage"}


async def test_what_is_hidden_is_not_in_a_form_and_not_written(world: World) -> None:
    carol = world.person("carol")
    form = await world.records.form(carol, "edit", DEAL)

    assert "amount" not in {each.id for each in form.inputs}
    with pytest.raises(Rejected):
        await world.records.perform(
            carol, Deed("edit", "k1", DEAL, values={"amount": "1"})
        )
    with pytest.raises(NotYours):
        await world.records.perform(
            world.person("frank"), Deed("note", "k2", DEAL, values={"text": "x"})
        )


@pytest.mark.parametrize(
    "kind", ["drop_after_effect", "truncate", "status_after_effect"]
)
@pytest.mark.parametrize(
    ("act", "values", "match"),
    [
        ("note", {"text": "Grace <b>asks</b>\nagain"}, "POST */notes"),
        ("task", {"subject": "Call Grace", "due": "2026-12-01"}, "POST */tasks"),
        (
            "create",
            {"dealname": "Once", "dealstage": "contractsent", "pipeline": "default"},
            "POST */objects/deals",
        ),
        ("stage", {"dealstage": "closedwon"}, "PATCH *"),
    ],
)
async def test_a_deed_whose_answer_was_lost_is_done_once(
    world: World, kind: str, act: str, values: dict[str, str], match: str
) -> None:
    world.told.fault(kind, match, arg=502)
    deed = Deed(act, "k1", None if act == "create" else DEAL, "deal", values)

    try:
        await world.records.perform(world.person(), deed)
    except Unsure:
        assert (await world.records.perform(world.person(), deed)).again
    await world.records.perform(world.person(), deed)

    method, _, path = match.partition(" *")
    calls = [each for each in world.told.calls(f"{method} ") if each.endswith(path)]
    assert len(calls) == 1


async def test_companies_are_named_by_one_call_for_all_kinds(world: World) -> None:
    found = await world.records.find(world.person(), "globex", 20)
    refs = [each.ref for each in found if each.ref.kind != "company"]
    assert len({each.kind for each in refs}) > 1
    before = world.posts("/objects/companies/batch/read")

    read = await world.records.read(world.person(), refs)

    assert all(isinstance(each, Record) for each in read.values())
    assert world.posts("/objects/companies/batch/read") == before + 1


async def test_while_companies_cannot_be_named_their_records_say_why(
    world: World,
) -> None:
    world.told.fault(
        "ratelimit", "POST */objects/companies/batch/read", times=9, arg=10
    )

    read = await world.records.read(world.person(), [DEAL])

    assert read[DEAL] in {Absence.SPENT, Absence.UNREACHABLE}


async def test_a_note_belongs_to_its_deal_and_is_text(world: World) -> None:
    await world.records.perform(
        world.person(), Deed("note", "k1", DEAL, values={"text": "<script>\n&"})
    )

    [note] = world.hubspot.portal.things["notes"].values()
    body = str(note.values["hs_note_body"])
    assert body.startswith("<p>&lt;script&gt;<br>&amp;</p>")
    assert world.hubspot.portal.linked("deals", "30101", "notes") == [note.id]


async def test_without_a_marking_property_a_second_try_waits_for_the_index(
    world: World,
) -> None:
    del world.hubspot.portal.properties["tickets"]["atom_deed"]
    world.hubspot.portal.lag = 5
    world.told.fault("drop_after_effect", "POST */objects/tickets")
    values = {"subject": "Once", "hs_pipeline": "0", "hs_pipeline_stage": "1"}
    deed = Deed("create", "k1", None, "ticket", values)

    for _ in range(2):
        with pytest.raises(Unsure):
            await world.records.perform(world.person(), deed)
    world.hubspot.clock.move(6)

    assert (await world.records.perform(world.person(), deed)).again
    assert world.posts("/objects/tickets") == 1


async def test_a_contact_that_is_there_already_is_told(world: World) -> None:
    values = {"lastname": "Hill", "email": "grace@globex.example"}

    with pytest.raises(Rejected) as raised:
        await world.records.perform(
            world.person(), Deed("create", "k1", None, "contact", values)
        )

    assert raised.value.fields == {"email": "belongs to another contact"}


async def test_changes_are_told_since_a_position(world: World) -> None:
    _, position = await world.records.changed(world.person("atom"), "")
    world.hubspot.clock.move(1)
    await world.records.perform(
        world.person(), Deed("stage", "k1", DEAL, values={"dealstage": "closedwon"})
    )

    changes, after = await world.records.changed(world.person("atom"), position)
    again, same = await world.records.changed(world.person("atom"), after)

    assert [(each.ref, each.ours) for each in changes] == [(DEAL, True)]
    assert [each.event for each in again] == [each.event for each in changes]
    assert same == after
    with pytest.raises(BadInput):
        await world.records.changed(world.person("atom"), "yesterday")


async def told_of_a_change(world: World) -> list[Heard]:
    async with listening() as ear:
        world.hubspot.hook(ear.url)
        await world.records.perform(
            world.person(), Deed("stage", "k1", DEAL, values={"dealstage": "closedwon"})
        )
        await world.hubspot.poster.idle()
    return ear.heard


async def test_webhooks_are_believed_if_signed_and_fresh(world: World) -> None:
    [call] = await told_of_a_change(world)
    now = world.hubspot.clock.now()

    [change] = world.records.heard(call.headers, call.url, call.body, now)

    assert (change.kind, change.ref, change.fields) == (
        ChangeKind.CHANGED,
        DEAL,
        ("dealstage",),
    )
    assert "closedwon" not in repr(change)
    for headers, url, body, at in (
        (call.headers, call.url, call.body, now + 6 * 60),
        (call.headers, call.url, call.body, now - 6 * 60),
        (call.headers, f"{call.url}x", call.body, now),
        (
            call.headers,
            call.url,
            json.dumps(json.loads(call.body), indent=1).encode(),
            now,
        ),
        ({**call.headers, "X-HubSpot-Signature-v3": "é"}, call.url, call.body, now),
        ({}, call.url, call.body, now),
    ):
        with pytest.raises(NotAllowed):
            world.records.heard(headers, url, body, at)


async def test_escapes_in_the_address_are_undone_before_it_is_signed(
    world: World,
) -> None:
    event = {
        "eventId": 1,
        "portalId": PORTAL,
        "subscriptionType": "object.deletion",
        "objectTypeId": "0-1",
        "objectId": 10101,
        "occurredAt": 1_767_225_600_000,
    }
    body, stamp = json.dumps([event, {"portalId": 1}, 7]).encode(), "1767225600000"
    source = f"POSThttps://acme.example/hooks?a=b:c{body.decode()}{stamp}".encode()
    digest = hmac.new(CLIENT_SECRET.encode(), source, hashlib.sha256).digest()
    headers = {
        "x-hubspot-signature-v3": base64.b64encode(digest).decode(),
        "x-hubspot-request-timestamp": stamp,
    }

    changes = world.records.heard(
        headers, "https://acme.example/hooks?a=b%3Ac", body, 1_767_225_600.0
    )

    assert [(each.kind, each.ref) for each in changes] == [
        (ChangeKind.DELETED, ref("contact", "10101"))
    ]


async def test_what_is_told_twice_is_one_event(world: World) -> None:
    world.told.fault("dup_event", "EVENT deal.propertyChange")

    calls = await told_of_a_change(world)
    events = {
        change.event
        for call in calls
        for change in world.records.heard(
            call.headers, call.url, call.body, world.hubspot.clock.now()
        )
    }

    assert (len(calls), len(events)) == (2, 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"https://app.hubspot.com/contacts/{PORTAL}/record/0-3/30101", [DEAL]),
        (f"<https://app.hubspot.com/contacts/{PORTAL}/deal/30101|it>.", [DEAL]),
        (f"https://app.hubspot.com/contacts/{PORTAL}/record/0-3/30101/?a=b", [DEAL]),
        ("https://app.hubspot.com/contacts/1/record/0-3/30101", []),
        (f"https://app.hubspot.com/contacts/{PORTAL}/record/0-9/30101", []),
        (f"https://app.hubspot.com.evil.example/contacts/{PORTAL}/deal/1", []),
        (f"https://app.hubspot.com@evil.example/contacts/{PORTAL}/deal/1", []),
        (f"https://app.hubspot.com/contacts/{PORTAL}/deal/1%2F..", []),
    ],
)
async def test_links_name_objects(
    world: World, text: str, found: list[RecordRef]
) -> None:
    assert [each.ref for each in world.records.recognise(text)] == found


async def test_no_search_is_made_that_would_be_refused(world: World) -> None:
    for words in ("globex", "falcon", "renewal"):
        await world.records.find(world.person(), words, 8)

    assert world.posts("/search") == 12  # four kinds each, and none of them twice
    assert world.slept


async def test_two_processes_make_no_search_that_would_be_refused(
    world: World, redis_url: str
) -> None:
    clock = world.hubspot.clock
    clock.stop()
    bucket = "hubspot:acme"

    def now_us() -> int:
        return int(clock.now() * 1_000_000)

    async def sleep(seconds: float) -> None:
        clock.move(seconds)
        await asyncio.sleep(seconds)  # Redis has a clock of its own

    async with AsyncExitStack() as stack:
        both = []
        for _ in range(2):
            limiter = RedisLimiter.at(redis_url, now_us, lambda: 2, 0)
            stack.push_async_callback(limiter.aclose)
            budget = RecordBudget("acme", limiter, rates_of({}, USUAL), now_us)
            url = URL(world.told.url)
            rest = Rest(
                ClientSession(), "HubSpot", url, bucket, budget, MANNER, clock=clock.now
            )
            portal = Portal("acme", PORTAL, URL("https://app.hubspot.com"))
            both.append(HubSpotRecords(portal, rest, sleep))
            stack.push_async_callback(both[-1].aclose)

        for records in both * 2:
            await records.find(world.person(), "globex", 8)

    assert world.posts("/search") == 16  # four kinds each, and none of them twice


def reads(world: World) -> list[str]:
    """Return which calls were made to read, by their ends."""
    calls = [each.path for each in world.hubspot.journal.all()]
    return sorted(call.split("/crm/")[1] for call in calls if "batch/read" in call)


async def test_records_of_all_kinds_take_one_call_a_kind(world: World) -> None:
    """Which company something belongs to is in it, and its name was just read."""
    refs = [DEAL, ref("company", "20101"), ref("contact", "10101")]
    refs.append(ref("ticket", "40101"))

    found = await world.records.read(world.person(), refs)

    shown = [one for one in found.values() if isinstance(one, Record)]
    named = [fact.text for one in shown if (fact := one.fact("company"))]
    assert named == ["Globex"] * 3
    assert len(reads(world)) == 4
    assert not [call for call in reads(world) if "associations" in call]


async def test_a_companys_name_is_asked_for_once_in_a_minute_and_account(
    world: World,
) -> None:
    for _ in range(2):
        await world.records.read(world.person(), [DEAL])
    assert len([call for call in reads(world) if "companies/" in call]) == 1

    await world.records.read(world.person("frank"), [DEAL])
    assert len([call for call in reads(world) if "companies/" in call]) == 2


async def test_where_no_company_is_told_associations_are_asked_for(
    world: World,
) -> None:
    """A property that an account may not see is not there, which is not empty."""
    kinds = world.hubspot.portal.properties
    del kinds["deals"]["hs_primary_associated_company"]

    record = await world.one()

    fact = record.fact("company")
    assert fact is not None
    assert fact.text == "Globex"
    assert len([call for call in reads(world) if "associations" in call]) == 1
