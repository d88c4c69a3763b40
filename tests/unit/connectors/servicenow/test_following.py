"""What was written since is found, repeated rather than missed, and storms are short."""

import json

import pytest

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.model import ChangeKind, RecordRef
from connectors.sandbox.servicenow import seed
from connectors.servicenow import following
from connectors.servicenow.rows import written
from tests.unit.connectors.servicenow.world import (
    INC1,
    INC2,
    WAITING,
    World,
    deed,
    ref,
)


async def start(snow: World) -> str:
    """Follow from now on, with what was seeded an hour ago."""
    snow.stand_in.clock.stop()
    _changes, position = await snow.records.changed(snow.as_(seed.INTEGRATION), "")
    snow.stand_in.clock.move(3600)
    now = written(snow.stand_in.clock.now())
    return json.dumps(dict.fromkeys(json.loads(position), now))


def touch(snow: World, ref_: RecordRef, text: str = "x") -> None:
    table = "incident" if ref_.kind == "incident" else "change_request"
    snow.stand_in.instance.update(table, ref_.id, {"description": text}, "bob")


async def test_at_first_nothing_is_new(snow: World) -> None:
    changes, position = await snow.records.changed(snow.as_(seed.INTEGRATION), "")

    assert changes == []
    assert set(json.loads(position)) == {
        "incident",
        "change_request",
        "sc_request",
        "sc_req_item",
        "sysapproval_approver",
    }


async def test_what_was_written_is_told_with_its_state(snow: World) -> None:
    position = await start(snow)
    touch(snow, INC1)

    changes, after = await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    (change,) = changes
    assert (change.ref, change.kind, change.actor) == (INC1, ChangeKind.CHANGED, "bob")
    assert change.rev.order == 1
    snow.stand_in.clock.move(120)
    quiet, _ = await snow.records.changed(snow.as_(seed.INTEGRATION), after)
    assert [each.event for each in quiet] == [change.event]


async def test_two_changes_in_one_second_are_both_found(snow: World) -> None:
    position = await start(snow)
    touch(snow, INC1)
    first, position = await snow.records.changed(snow.as_(seed.INTEGRATION), position)
    touch(snow, INC2)

    second, _ = await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    events = {change.event for change in second} - {change.event for change in first}
    assert len(events) == 1
    assert INC2 in {change.ref for change in second}


async def test_what_commits_late_is_found(snow: World) -> None:
    position = await start(snow)
    touch(snow, INC1)
    _changes, position = await snow.records.changed(
        snow.as_(seed.INTEGRATION), position
    )
    touch(snow, INC2)
    late = snow.row("incident", INC2.id)
    late["sys_updated_on"] = written(snow.stand_in.clock.now() - 20)

    changes, _ = await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    assert INC2 in {change.ref for change in changes}


async def test_an_approval_and_an_item_are_changes_of_their_record(snow: World) -> None:
    position = await start(snow)
    await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))
    screen = ref("item", seed.item_id("Second screen"))
    done = await snow.records.perform(snow.as_("bob"), deed("order", screen))

    changes, _ = await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    refs = [change.ref for change in changes]
    assert WAITING in refs
    assert refs.count(done.record.ref) == 3  # itself, its item, and its approval


async def test_our_own_writes_are_known(snow: World) -> None:
    position = await start(snow)
    await snow.records.perform(snow.as_("erin"), deed("take", INC1))

    changes, _ = await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    assert [(change.ref, change.ours) for change in changes] == [(INC1, True)]


async def test_short_pages_are_no_last_pages(
    snow: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit counts rows that an account may not see."""
    monkeypatch.setattr(following, "_PAGE", 1)
    position = await start(snow)
    for each in (INC1, INC2):
        touch(snow, each)
        snow.stand_in.clock.move(1)

    changes, _ = await snow.records.changed(snow.as_("dana"), position)

    assert [change.ref for change in changes] == [INC2]


async def test_a_storm_is_one_word_and_leads_past_itself(
    snow: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_PAGE", 1)
    monkeypatch.setattr(following, "_PAGES", 2)
    position = await start(snow)
    for number in range(5):
        values = {"short_description": f"storm {number}"}
        snow.stand_in.instance.insert("incident", values, "bob")
        snow.stand_in.clock.move(1)

    changes, after = await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    assert changes[-1].kind is ChangeKind.MISSED
    assert changes[-1].ref is None
    snow.stand_in.clock.move(120)
    rest, _ = await snow.records.changed(snow.as_(seed.INTEGRATION), after)
    assert json.loads(after)["incident"] > json.loads(position)["incident"]
    assert all(change.actor == "bob" for change in rest if change.ref)


@pytest.mark.parametrize("since", ["x", "[]", "1", '"a"'])
async def test_a_position_that_is_none_is_refused(snow: World, since: str) -> None:
    with pytest.raises(BadInput):
        await snow.records.changed(snow.as_(seed.INTEGRATION), since)


async def test_an_instance_that_ignores_the_time_tells_nothing(snow: World) -> None:
    position = await start(snow)
    snow.stand_in.instance.blind.add("sys_updated_on")

    with pytest.raises(ServiceUnavailable):
        await snow.records.changed(snow.as_(seed.INTEGRATION), position)

    assert ("query_ignored", "incident") in snow.alerts


async def test_an_instance_that_is_down_keeps_the_position(snow: World) -> None:
    position = await start(snow)
    snow.told.fault("status", times=5, arg=503)

    with pytest.raises(ServiceUnavailable):
        await snow.records.changed(snow.as_(seed.INTEGRATION), position)
