"""The hard cases of records, on ServiceNow: numbered as in the project's list."""

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.model import Absence, ChangeKind, Record
from bridge.records.ports import EditConflict, NotConnected, NotYours, Spent
from connectors.sandbox.servicenow import seed
from tests.stand_ins import Account
from tests.unit.connectors.servicenow.world import (
    ANY_OF,
    INC1,
    INC2,
    WAITING,
    World,
    deed,
    edit,
    ref,
    tried,
)


async def test_1_a_stale_update_writes_nothing_not_even_within_one_second(
    snow: World,
) -> None:
    snow.stand_in.clock.stop()
    record = await snow.one(INC1)
    mine = edit(record, {"urgency": "2"}, urgency="1")
    snow.stand_in.instance.update("incident", INC1.id, {"urgency": "3"}, "bob")

    with pytest.raises(EditConflict):
        await snow.records.perform(snow.as_("erin"), mine)

    assert snow.writes() == []
    row = snow.row("incident", INC1.id)
    assert row["sys_updated_on"] == row["sys_created_on"]


async def test_2_twenty_calls_renew_once_and_a_write_goes_out_twice_at_most(
    snow: World,
) -> None:
    erin = snow.as_("erin")
    await erin.token()
    erin.run_out()

    await asyncio.gather(
        *(snow.records.read(erin, [INC1]) for _ in range(19)),
        snow.records.perform(erin, deed("take", INC1)),
    )

    assert erin.renewals == 1
    assert 1 <= len(snow.writes()) <= 2


async def test_2_a_refused_renewal_never_falls_back_on_the_integration(
    snow: World,
) -> None:
    erin = snow.as_("erin")
    await erin.token()
    erin.run_out()
    erin.renewable = False

    with pytest.raises(NotConnected):
        await snow.records.perform(erin, deed("take", INC1))

    users = {entry.user for entry in snow.stand_in.journal.all()}
    assert users <= {""}
    assert snow.row("incident", INC1.id)["assigned_to"] == ""


async def test_3_a_limit_is_kept_for_the_account_that_met_it(snow: World) -> None:
    snow.told.fault("ratelimit", times=1, arg=42)

    found = await snow.records.read(snow.as_("erin"), [INC1])
    other = await snow.records.read(snow.as_("alice"), [INC1])

    assert found[INC1] is Absence.SPENT
    assert isinstance(other[INC1], Record)
    assert snow.budget.paused == {("servicenow:acme", "erin"): 42.0}


async def test_3_a_limit_in_a_write_says_how_long(snow: World) -> None:
    snow.told.fault("ratelimit", f"PATCH */{INC1.id}", arg=42)

    with pytest.raises(Spent) as spent:
        await snow.records.perform(snow.as_("erin"), deed("take", INC1))

    assert spent.value.retry_after == 42.0
    assert snow.row("incident", INC1.id)["assigned_to"] == ""


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(max_size=60))
@example("x' OR Name != '")
@example("INC1^ORactive=true")
@example("^NQactive=true")
@example("javascript:gs.getUser()")
@example('"} RETURNING User')
@example("../../User/005")
@example("//evil.example")
@example("a\x00b")
@example("x" * 10_000)
async def test_4_nothing_that_is_typed_becomes_a_query(snow: World, text: str) -> None:
    snow.stand_in.journal.clear()
    for asked in (
        snow.records.find(snow.as_("dave"), text, 10),
        snow.records.resolve(snow.as_("dave"), snow.records.recognise(text)),
    ):
        try:
            found = await asked
        except BadInput:
            continue
        if isinstance(found, list):
            assert all(one.ref not in {INC1, INC2} for one in found)
    assert not snow.stand_in.instance.scripts
    for entry in snow.stand_in.journal.all():
        for part in json.loads(entry.body or "{}").get("rest_requests", ()):
            query = part["url"].partition("sysparm_query=")[2].partition("&")[0]
            assert "%5ENQ" not in query
            assert query.count("%5E") <= 2  # the words, and their order


async def test_5_a_widened_question_gives_none_and_an_alert(snow: World) -> None:
    for blind in ("number", "correlation_id", "sysapproval", "cat_item", "email"):
        snow.stand_in.instance.blind.add(blind)
    screen = ref("item", seed.item_id("Second screen"))
    other = {"request": "a" * 32, "opened_by": seed.user_id("bob")}
    snow.stand_in.instance.insert("sc_req_item", other, "bob")

    refs = await snow.records.resolve(
        snow.as_("erin"), snow.records.recognise("INC0010003")
    )
    new = Deed("create", "k", kind="incident", values={"short_description": "x"})
    with pytest.raises(ServiceUnavailable):
        await snow.records.perform(snow.as_("erin"), new)
    with pytest.raises(ServiceUnavailable):
        await snow.records.perform(snow.as_("carol"), deed("approve", WAITING))
    with pytest.raises(ServiceUnavailable):
        await snow.records.perform(snow.as_("bob"), tried(deed("order", screen)))

    assert refs == {}
    assert {table for _what, table in snow.alerts} >= {"incident", "sc_req_item"}
    assert snow.writes() == []


async def test_9_deleted_and_forbidden_look_alike(snow: World) -> None:
    gone = ref("incident", "e" * 32)

    found = await snow.records.read(snow.as_("dave"), [gone, INC1])

    assert found[gone] is found[INC1] is Absence.GONE


async def test_10_a_double_click_and_two_platforms_are_one_approval(
    snow: World,
) -> None:
    slack, teams = snow.as_("alice"), Account(snow.stand_in, "alice")
    asked = deed("approve", ANY_OF)

    outcomes = await asyncio.gather(
        snow.records.perform(slack, asked),
        snow.records.perform(teams, asked),
        snow.records.perform(slack, replace(asked, key="k2")),
    )

    assert sum(not each.again for each in outcomes) == 1
    assert len(snow.writes()) == 1


async def test_10_siblings_are_told_to_have_nothing_to_decide(snow: World) -> None:
    await snow.records.perform(snow.as_("carol"), deed("approve", ANY_OF))

    record = await snow.one(ANY_OF, "alice")

    assert "approve" not in {offer.act for offer in record.offers}
    fact = record.fact("approvals")
    assert fact is not None
    assert fact.text == "1 of 1"


async def test_11_who_is_no_approver_is_stopped_before_the_system_is_asked(
    snow: World,
) -> None:
    with pytest.raises(NotYours, match="waiting on"):
        await snow.records.perform(snow.as_("chen"), deed("approve", WAITING))

    assert not [call for call in snow.told.calls() if call.endswith("/approvals")]
    assert snow.row("change_request", WAITING.id)["sys_mod_count"] == "0"


async def test_13_a_system_that_hangs_is_told_of_and_the_rest_goes_on(
    snow: World,
) -> None:
    snow.records._line.limits = replace(snow.records._line.limits, deadline=1.0)
    snow.told.fault("delay", "POST /api/now/v1/batch", arg=30)

    with pytest.raises(ServiceUnavailable):
        await snow.records.find(snow.as_("erin"), "vpn", 5)
    snow.records._line.limits = replace(snow.records._line.limits, deadline=30.0)
    found = await snow.records.find(snow.as_("erin"), "vpn", 5)

    assert found


async def test_15_events_in_any_order_carry_the_count_that_orders_them(
    snow: World,
) -> None:
    counts = []
    for number in (1, 2, 3):
        snow.stand_in.instance.update(
            "incident", INC1.id, {"short_description": f"n{number}"}, "bob"
        )
        counts.append((await snow.one(INC1)).rev)

    assert counts == sorted(counts)
    assert len(set(counts)) == 3


async def test_16_a_storm_ends_with_the_state_as_it_is(snow: World) -> None:
    snow.stand_in.clock.stop()
    _none, position = await snow.records.changed(snow.as_(seed.INTEGRATION), "")
    for number in range(1_200):
        snow.stand_in.instance.insert("incident", {"description": f"{number}"}, "bob")

    changes, _ = await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    assert changes[-1].kind is ChangeKind.MISSED
    assert len(changes) <= 1_100


async def test_17_a_secret_in_the_address_proves_nothing(snow: World) -> None:
    with pytest.raises(Exception, match="not proved"):
        snow.records.heard({}, "https://atom/hooks?secret=x", b"{}", 0.0)


async def test_19_the_count_before_the_rights_is_never_shown(snow: World) -> None:
    found = await snow.records.find(snow.as_("dave"), "vpn", 10)

    assert [record.ref.kind for record in found] == ["article"]


async def test_a_hostile_record_is_read_whole_and_harmless(snow: World) -> None:
    text = "<!channel> @everyone \u202e \u200b 😀 [x](https://evil.example) " * 4_000
    values = {"short_description": text[:160], "description": text}
    snow.stand_in.instance.update("incident", INC1.id, values, "bob")

    record = await snow.one(INC1)

    assert record.body is not None
    assert len(record.body.text) <= 20_000
    assert record.title == text[:160]
