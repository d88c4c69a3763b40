"""Approvals that wait are listed with whose they are, and handed on by who may."""

import asyncio

import pytest

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.orphans import APPROVAL, FROM, GIVE, TO, Waiting
from bridge.records.ports import NotYours, Unsure
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.instance import id_of
from tests.unit.connectors.servicenow.world import ANY_OF, WAITING, World, deed

APPROVALS = "/api/now/table/sysapproval_approver"


def approval(number: str, name: str) -> str:
    return id_of("approval", number + name)


MINE = approval(seed.WAITING, "alice")


def giving(to: str, from_: str = "alice", id_: str = MINE) -> Deed:
    values = {APPROVAL: id_, FROM: seed.user_id(from_), TO: seed.user_id(to)}
    return deed(GIVE, WAITING, **values)


def approver(snow: World, id_: str = MINE) -> str:
    names = {user.id: name for name, user in snow.stand_in.users.items()}
    return names[snow.row("sysapproval_approver", id_)["approver"]]


async def test_what_waits_is_listed_with_whose_it_is(snow: World) -> None:
    found = await snow.records.waiting(snow.as_(seed.INTEGRATION))

    assert len(found) == 5
    assert (
        Waiting(
            approval(seed.ANY_OF, "alice"),
            ANY_OF,
            seed.user_id("alice"),
            "alice@acme.example",
            "carol@acme.example",
        )
        in found
    )
    assert {each.keeper for each in found if each.ref == WAITING} == {
        "",
        "carol@acme.example",
    }


async def test_pages_that_access_rules_emptied_end_no_list(snow: World) -> None:
    for number in range(450):
        row = {"approver": seed.user_id("bob"), "sysapproval": WAITING.id}
        row |= {"source_table": "change_request", "state": "requested"}
        snow.stand_in.instance.insert(
            "sysapproval_approver", row, "system", id_of("more", str(number))
        )

    found = await snow.records.waiting(snow.as_("dave"))

    assert [each.approver for each in found] == [seed.user_id("dave")]
    assert len(await snow.records.waiting(snow.as_(seed.INTEGRATION))) == 455


async def test_an_instance_that_answers_another_question_is_not_believed(
    snow: World,
) -> None:
    snow.stand_in.instance.blind.add("state")
    snow.stand_in.instance.row("sysapproval_approver", MINE)["state"] = "approved"

    with pytest.raises(ServiceUnavailable):
        await snow.records.waiting(snow.as_(seed.INTEGRATION))


async def test_deputies_are_those_of_today(snow: World) -> None:
    for name, starts, ends, approves in (
        ("bob", "2000-01-01 00:00:00", "2000-02-01 00:00:00", "true"),
        ("chen", "2000-01-01 00:00:00", "", "false"),
        ("carol", "2000-01-01 00:00:00", "2999-01-01 00:00:00", "true"),
    ):
        row = {"user": seed.user_id("alice"), "delegate": seed.user_id(name)}
        row |= {"starts": starts, "ends": ends, "approvals": approves}
        snow.stand_in.instance.insert("sys_user_delegate", row, "alice")

    found = await snow.records.deputies(
        snow.as_(seed.INTEGRATION), [seed.user_id("alice"), seed.user_id("erin")]
    )

    assert found == {seed.user_id("alice"): ["carol@acme.example"]}


async def test_an_address_is_known_if_it_is_one_active_accounts(snow: World) -> None:
    twice = {"name": "Bob", "user_name": "bob2", "email": "bob@acme.example"}
    snow.stand_in.instance.insert("sys_user", twice, "system")
    snow.row("sys_user", seed.user_id("chen"))["active"] = "false"
    asked = ["dana@acme.example", "bob@acme.example", "chen@acme.example", "a^b", "x,y"]

    found = await snow.records.accounts_of(snow.as_(seed.INTEGRATION), asked)

    assert found == {"dana@acme.example": seed.user_id("dana")}


async def test_an_admin_of_approvals_hands_one_on_once(snow: World) -> None:
    given = await asyncio.gather(
        *(snow.records.perform(snow.as_("erin"), giving("dana")) for _ in range(3))
    )

    assert approver(snow) == "dana"
    assert sorted(each.again for each in given) == [False, True, True]
    assert snow.writes() == [f"PATCH {APPROVALS}/{MINE}"]
    done = next(each for each in given if not each.again)
    assert done.before == {"approver": seed.user_id("alice")}
    assert done.after == {"approver": seed.user_id("dana")}
    fact = done.record.fact("approvals")
    assert fact is not None
    assert "waiting on Dana Fox, Erin Park" in fact.text
    assert seed.user_id("dana") in fact.raw.split()
    assert seed.user_id("alice") not in fact.raw.split()


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("carol", "does not let you"),  # sees it, and may not write it
        ("dave", "role approval_admin"),  # their own: the field is dropped
        ("bob", "does not show you"),
    ],
)
async def test_who_may_not_hand_it_on_is_told_why(
    snow: World, who: str, why: str
) -> None:
    theirs = approval(seed.WAITING, "dave")

    with pytest.raises(NotYours, match=why):
        await snow.records.perform(snow.as_(who), giving("dana", "dave", theirs))

    assert approver(snow, theirs) == "dave"


async def test_what_waits_on_somebody_else_meanwhile_stays_theirs(snow: World) -> None:
    row = snow.row("sysapproval_approver", MINE)
    row["approver"] = seed.user_id("chen")
    with pytest.raises(NotYours, match="waiting on Chen Li meanwhile"):
        await snow.records.perform(snow.as_("erin"), giving("dana"))
    row["state"] = "approved"
    with pytest.raises(NotYours, match="nobody is waited for"):
        await snow.records.perform(snow.as_("erin"), giving("dana"))

    assert snow.writes() == []


async def test_what_names_no_approval_of_the_record_is_refused(snow: World) -> None:
    other = giving("dana", id_=approval(seed.ANY_OF, "alice"))
    for wrong in (other, deed(GIVE, WAITING), giving("dana", id_="../sys_user")):
        with pytest.raises(BadInput):
            await snow.records.perform(snow.as_("erin"), wrong)

    assert snow.writes() == []


@pytest.mark.parametrize(
    "kind", ["drop_after_effect", "truncate", "status_after_effect"]
)
async def test_a_hand_over_whose_answer_is_lost_is_found_again(
    snow: World, kind: str
) -> None:
    snow.told.fault(kind, f"PATCH {APPROVALS}/*", arg=502)

    done = await snow.records.perform(snow.as_("erin"), giving("dana"))

    assert approver(snow) == "dana"
    assert done.after == {"approver": seed.user_id("dana")}
    assert len(snow.writes()) == 1


async def test_a_hand_over_that_never_arrived_is_not_claimed(snow: World) -> None:
    snow.told.fault("drop", f"PATCH {APPROVALS}/*")

    with pytest.raises(Unsure):
        await snow.records.perform(snow.as_("erin"), giving("dana"))

    assert approver(snow) == "alice"
