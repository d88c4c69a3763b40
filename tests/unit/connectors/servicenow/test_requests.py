"""What was ordered waits for somebody, and is decided on once, with a reason against."""

import pytest

from bridge.cards import Tone
from bridge.errors import BadInput
from bridge.records.model import RecordRef
from bridge.records.ports import NotYours, Rejected
from connectors.sandbox.servicenow import seed
from tests.unit.connectors.servicenow.world import World, deed, ref

SCREEN = ref("item", seed.item_id("Second screen"))


async def ordered(snow: World) -> RecordRef:
    """Return bob's request, which alice has to approve."""
    done = await snow.records.perform(snow.as_("bob"), deed("order", SCREEN))
    snow.stand_in.journal.clear()
    return done.record.ref


async def test_a_request_says_who_is_waited_for(snow: World) -> None:
    record = await snow.one(await ordered(snow))

    fact = record.fact("approvals")
    assert fact is not None
    assert fact.text == "0 of 1 · waiting on Alice Wong"
    assert record.status.text == "Pending Approval"
    assert record.status.tone is Tone.WARNING
    assert [offer.act for offer in record.offers] == ["approve", "reject", "comment"]


async def test_an_approved_request_goes_on(snow: World) -> None:
    request = await ordered(snow)

    done = await snow.records.perform(snow.as_("alice"), deed("approve", request))
    again = await snow.records.perform(snow.as_("alice"), deed("approve", request))

    assert done.record.status.text == "Approved"
    line = done.record.fact("item-1")
    assert line is not None
    assert line.text == "Second screen – Fulfillment"
    assert again.again
    assert len(snow.writes()) == 1
    assert not [call for call in snow.told.calls() if "sn_chg_rest" in call]


async def test_a_rejected_request_ends_with_a_reason(snow: World) -> None:
    request = await ordered(snow)
    form = await snow.records.form(snow.as_("alice"), "reject", request)
    assert form.inputs[0].required

    with pytest.raises(Rejected):
        await snow.records.perform(snow.as_("alice"), deed("reject", request))
    done = await snow.records.perform(
        snow.as_("alice"), deed("reject", request, comments="Use the old one.")
    )

    assert done.record.status.text == "Closed Rejected"
    assert done.record.status.tone is Tone.BAD
    said = [
        row["value"]
        for row in snow.stand_in.instance.rows["sys_journal_field"].values()
    ]
    assert "Use the old one." in said


async def test_who_ordered_does_not_approve(snow: World) -> None:
    request = await ordered(snow)

    with pytest.raises(NotYours, match="not an approver"):
        await snow.records.perform(snow.as_("bob"), deed("approve", request))

    assert snow.writes() == []


@pytest.mark.parametrize(
    "kind", ["drop_after_effect", "truncate", "status_after_effect"]
)
async def test_a_lost_answer_is_looked_up(snow: World, kind: str) -> None:
    request = await ordered(snow)
    snow.told.fault(kind, "PATCH /api/now/table/sysapproval_approver/*", arg=502)

    done = await snow.records.perform(snow.as_("alice"), deed("approve", request))

    assert done.record.status.text == "Approved"
    assert len(snow.writes()) == 1


async def test_who_ordered_may_comment(snow: World) -> None:
    request = await ordered(snow)
    form = await snow.records.form(snow.as_("bob"), "comment", request)
    assert form.inputs[0].id == "comments"

    done = await snow.records.perform(
        snow.as_("bob"), deed("comment", request, comments="It is urgent.")
    )

    fact = done.record.fact("comments")
    assert fact is not None
    assert fact.text == "It is urgent."


async def test_an_approval_is_followed_as_a_change_of_its_request(snow: World) -> None:
    request = await ordered(snow)
    integration = snow.as_(seed.INTEGRATION)
    _none, position = await snow.records.changed(integration, "")

    await snow.records.perform(snow.as_("alice"), deed("approve", request))
    changes, _ = await snow.records.changed(integration, position)

    assert request in {change.ref for change in changes}
    assert {change.ref.kind for change in changes if change.ref} <= {
        "incident",
        "change",
        "request",
    }
    told = [each.ref for each in changes if each.ref and each.ref.id == request.id]
    assert set(told) == {request}


async def test_what_cannot_be_done_with_a_request_is_refused(snow: World) -> None:
    request = await ordered(snow)

    for act in ("resolve", "order", "move-1"):
        with pytest.raises(BadInput):
            await snow.records.perform(snow.as_("alice"), deed(act, request))
    with pytest.raises(BadInput):
        await snow.records.form(snow.as_("bob"), "create", kind="request")
