"""Approvals are given by who has to, once, and changes move only where they can."""

import asyncio
from dataclasses import replace

import pytest

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.ports import NotYours, Rejected, Unsure
from connectors.sandbox.servicenow import seed
from tests.stand_ins import Account
from tests.unit.connectors.servicenow.world import ANY_OF, WAITING, World, deed, ref

STANDARD = ref("change", seed.sys_id("CHG0030353"))
APPROVALS = f"/api/sn_chg_rest/change/{WAITING.id}/approvals"


def states(snow: World, change: str) -> dict[str, str]:
    names = {user.id: name for name, user in snow.stand_in.users.items()}
    return {
        names[row["approver"]]: row["state"]
        for row in snow.stand_in.instance.rows["sysapproval_approver"].values()
        if row["sysapproval"] == change
    }


async def test_an_approver_approves_as_themselves(snow: World) -> None:
    done = await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))

    assert states(snow, WAITING.id) == {
        "alice": "approved",
        "erin": "requested",
        "dave": "requested",
    }
    fact = done.record.fact("approvals")
    assert fact is not None
    assert fact.text == "1 of 3 · waiting on Erin Park, Dave O'Neil (CAB)"
    assert snow.writes() == [f"PATCH {APPROVALS}"]
    assert not done.again
    assert not done.note


async def test_an_employee_may_approve_what_waits_for_them(snow: World) -> None:
    await snow.records.perform(snow.as_("dave"), deed("approve", WAITING))

    assert states(snow, WAITING.id)["dave"] == "approved"


async def test_who_is_no_approver_learns_who_is_waited_for(snow: World) -> None:
    with pytest.raises(NotYours, match="waiting on Alice Wong, Erin Park, Dave O'Neil"):
        await snow.records.perform(snow.as_("carol"), deed("approve", WAITING))

    assert snow.writes() == []


async def test_a_second_click_finds_it_recorded(snow: World) -> None:
    asked = deed("approve", WAITING)

    await snow.records.perform(snow.as_("alice"), asked)
    again = await snow.records.perform(snow.as_("alice"), replace(asked, key="k2"))

    assert again.again
    assert len(snow.writes()) == 1


async def test_two_clicks_at_once_are_one_approval(snow: World) -> None:
    asked = deed("approve", WAITING)

    outcomes = await asyncio.gather(
        *(snow.records.perform(snow.as_("alice"), asked) for _ in range(5))
    )

    assert sorted(each.again for each in outcomes) == [False, True, True, True, True]
    assert len(snow.writes()) == 1


async def test_two_approvers_at_once_are_both_on_record(snow: World) -> None:
    await asyncio.gather(
        snow.records.perform(snow.as_("alice"), deed("approve", WAITING)),
        snow.records.perform(snow.as_("dave"), deed("approve", WAITING)),
    )

    approved = states(snow, WAITING.id)
    assert (approved["alice"], approved["dave"]) == ("approved", "approved")


@pytest.mark.parametrize(
    "kind", ["drop_after_effect", "truncate", "status_after_effect"]
)
async def test_an_approval_whose_answer_is_lost_is_found_again(
    snow: World, kind: str
) -> None:
    snow.told.fault(kind, f"PATCH {APPROVALS}", arg=502)

    done = await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))

    assert states(snow, WAITING.id)["alice"] == "approved"
    assert done.after == {"approval": "approved"}
    assert len(snow.writes()) == 1


async def test_an_approval_that_never_arrived_is_not_claimed(snow: World) -> None:
    snow.told.fault("drop", f"PATCH {APPROVALS}")

    with pytest.raises(Unsure):
        await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))
    assert states(snow, WAITING.id)["alice"] == "requested"

    done = await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))
    assert not done.again
    assert states(snow, WAITING.id)["alice"] == "approved"


async def test_a_token_that_runs_out_approves_once(snow: World) -> None:
    snow.told.fault("expire_token", f"PATCH {APPROVALS}")

    await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))

    assert states(snow, WAITING.id)["alice"] == "approved"
    assert len(snow.writes()) == 2
    assert snow.as_("alice").renewals == 1


async def test_rejecting_needs_a_reason(snow: World) -> None:
    form = await snow.records.form(snow.as_("alice"), "reject", WAITING)
    (reason,) = form.inputs
    assert reason.required

    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(snow.as_("alice"), deed("reject", WAITING))
    assert list(rejected.value.fields) == ["comments"]

    done = await snow.records.perform(
        snow.as_("alice"), deed("reject", WAITING, comments="Not in December.")
    )
    assert states(snow, WAITING.id) == {
        "alice": "rejected",
        "erin": "not_required",
        "dave": "not_required",
    }
    fact = done.record.fact("approvals")
    assert fact is not None
    assert fact.text == "0 of 1 · rejected by Alice Wong"
    assert done.record.status.text == "New – rejected"


async def test_the_form_to_reject_is_for_approvers(snow: World) -> None:
    with pytest.raises(NotYours):
        await snow.records.form(snow.as_("carol"), "reject", WAITING)


async def test_who_approved_cannot_reject_after(snow: World) -> None:
    await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))

    with pytest.raises(NotYours, match="You approved this before"):
        await snow.records.perform(
            snow.as_("alice"), deed("reject", WAITING, comments="No.")
        )


async def test_one_of_several_is_enough_and_the_others_need_not(snow: World) -> None:
    done = await snow.records.perform(snow.as_("carol"), deed("approve", ANY_OF))

    assert states(snow, ANY_OF.id) == {"alice": "not_required", "carol": "approved"}
    assert done.record.status.text == "Scheduled"
    assert "approve" not in {offer.act for offer in done.record.offers}
    with pytest.raises(NotYours, match="nobody’s approval is asked for"):
        await snow.records.perform(snow.as_("alice"), deed("approve", ANY_OF))


def stand_in_for(
    snow: World, user: str, delegate: str, starts: str, ends: str, **more: str
) -> None:
    values = {"user": seed.user_id(user), "delegate": seed.user_id(delegate)}
    values |= {"starts": starts, "ends": ends} | more
    snow.stand_in.instance.insert("sys_user_delegate", values, "system")


async def test_a_delegate_approves_and_is_named(snow: World) -> None:
    stand_in_for(snow, "dave", "frank", "2020-01-01 00:00:00", "2999-01-01 00:00:00")

    done = await snow.records.perform(snow.as_("frank"), deed("approve", WAITING))

    assert states(snow, WAITING.id)["dave"] == "approved"
    assert done.note == "as delegate of Dave O'Neil"
    said = [
        row["value"]
        for row in snow.stand_in.instance.rows["sys_journal_field"].values()
        if row["name"] == "sysapproval_approver"
    ]
    assert said == ["Approved by Frank Moss as delegate of Dave O'Neil."]


@pytest.mark.parametrize(
    ("starts", "ends", "more"),
    [
        ("2999-01-01 00:00:00", "2999-02-01 00:00:00", {}),
        ("2020-01-01 00:00:00", "2020-02-01 00:00:00", {}),
        ("2020-01-01 00:00:00", "2999-02-01 00:00:00", {"approvals": "false"}),
    ],
)
async def test_a_delegate_outside_their_time_is_none(
    snow: World, starts: str, ends: str, more: dict[str, str]
) -> None:
    stand_in_for(snow, "alice", "carol", starts, ends, **more)

    with pytest.raises(NotYours):
        await snow.records.perform(snow.as_("carol"), deed("approve", WAITING))


async def test_moving_asks_which_states_are_next(snow: World) -> None:
    done = await snow.records.perform(snow.as_("chen"), deed("move--1", STANDARD))

    assert snow.row("change_request", STANDARD.id)["state"] == "-1"
    assert done.record.status.text == "Implement"
    assert done.before == {"state": "-2"}
    assert not done.unsaved


async def test_a_state_that_is_not_next_is_refused_with_what_is_missing(
    snow: World,
) -> None:
    with pytest.raises(Rejected, match="Change is approved"):
        await snow.records.perform(snow.as_("chen"), deed("move--2", WAITING))
    with pytest.raises(Rejected):
        await snow.records.perform(snow.as_("chen"), deed("move-3", STANDARD))

    assert snow.writes() == []


async def test_moving_twice_is_once(snow: World) -> None:
    await snow.records.perform(snow.as_("chen"), deed("move--1", STANDARD))
    again = await snow.records.perform(snow.as_("chen"), deed("move--1", STANDARD))

    assert again.again
    assert len(snow.writes()) == 1


async def test_a_change_can_be_commented(snow: World) -> None:
    done = await snow.records.perform(
        snow.as_("chen"), deed("comment", WAITING, comments="Moved to Saturday.")
    )

    fact = done.record.fact("comments")
    assert fact is not None
    assert fact.text == "Moved to Saturday."


async def test_an_account_that_is_not_named_cannot_approve(snow: World) -> None:
    snow.stand_in.instance.properties.current_user = False

    with pytest.raises(ServiceUnavailable, match="whose account"):
        await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))


async def test_who_connects_anew_as_somebody_else_is_somebody_else(
    snow: World,
) -> None:
    account = snow.as_("carol")
    with pytest.raises(NotYours):
        await snow.records.perform(account, deed("approve", WAITING))
    anew = Account(snow.stand_in, "alice", account="carol")

    await snow.records.perform(anew, deed("approve", WAITING))

    assert states(snow, WAITING.id)["alice"] == "approved"


async def test_the_integration_approves_nothing(snow: World) -> None:
    with pytest.raises(NotYours):
        await snow.records.perform(snow.as_(seed.INTEGRATION), deed("approve", WAITING))

    assert snow.writes() == []


async def test_what_cannot_be_done_with_a_change_is_refused(snow: World) -> None:
    with pytest.raises(BadInput):
        await snow.records.perform(snow.as_("chen"), deed("resolve", WAITING))
    with pytest.raises(BadInput):
        await snow.records.perform(snow.as_("chen"), deed("approve", None))


async def test_a_new_change_is_made_once_as_the_person(snow: World) -> None:
    form = await snow.records.form(snow.as_("chen"), "create", kind="change")
    assert [each.id for each in form.inputs if each.cls != "public"] == [
        "justification",
        "backout_plan",
        "test_plan",
    ]
    values = {"short_description": "Patch the proxies", "backout_plan": "Roll back."}
    new = Deed("create", "k7", kind="change", values=values)

    done = await snow.records.perform(snow.as_("chen"), new)
    again = await snow.records.perform(snow.as_("chen"), new)

    row = snow.row("change_request", done.record.ref.id)
    assert (row["type"], row["state"]) == ("normal", "-5")
    assert row["requested_by"] == seed.user_id("chen")
    assert again.again
    assert again.record.ref == done.record.ref
    assert not [c for c in snow.told.calls() if "Patch" in c]
