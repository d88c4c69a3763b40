"""Whoever asked for something that was cut short hears of it, once and alone."""

from dataclasses import replace

import pytest

from bridge.cards import Card
from bridge.errors import NotSent
from bridge.messages import Person, Platform
from bridge.records.cards import RecordCard
from bridge.records.model import System
from bridge.records.ports import NotConnected
from bridge.records.saga import NEXT, Step
from tests.records_world import (
    ALICE,
    CAROL,
    TENANT,
    FakeShown,
    FakeSystem,
    World,
    asker,
    refused,
    said,
    unavailable,
)

LONG = 300.0


class Died(BaseException):
    """The process was killed."""


async def die() -> None:
    raise Died


def drawn(card: RecordCard | Card) -> RecordCard:
    assert isinstance(card, RecordCard)
    return card


async def with_steps() -> tuple[World, FakeSystem, list[Step]]:
    jira = FakeSystem(System.JIRA, kinds=("issue",))
    world = World(others=(jira,))
    change, issue = world.system.add("CHG1"), jira.add("WEB-1")
    steps = [
        Step(change.ref, "edit", "Edit CHG1", (("priority", "1"),)),
        Step(issue.ref, "comment", "Comment on WEB-1", (("comment", "done"),)),
        Step(change.ref, "stage", "Move CHG1", (("status", "Won"),)),
    ]
    return world, jira, steps


@pytest.mark.parametrize("who", [ALICE, CAROL], ids=["slack", "teams"])
async def test_steps_that_were_cut_short_go_on_from_the_persons_own_chat(
    who: Person,
) -> None:
    world, jira, steps = await with_steps()
    act = await world.saga.offered(asker(who), steps)
    jira.waits = die
    with pytest.raises(Died):
        await world.desk.clicked(asker(who), act.token, FakeShown())
    jira.waits = None

    assert await world.unfinished.tell(TENANT) == 0  # it may still be under way
    world.clock.pass_(LONG)
    assert await world.unfinished.tell(TENANT) == 1
    assert await world.unfinished.tell(TENANT) == 0

    place = world.slack if who.platform is Platform.SLACK else world.teams
    [(_, told, card)] = place.own
    assert told.id == who.id
    card = drawn(card)
    assert card.fields[0].text == "done"
    assert "may be done or not" in str(card.fields[1].text)
    assert card.fields[2].text == "waiting"
    assert [e.detail["act"] for e in world.log.of("record.left")] == ["steps"]

    alone = replace(asker(who), channel=None)
    then = FakeShown()
    await world.desk.clicked(alone, world.token(card, "steps"), then)

    assert "✓ Edit CHG1: That is recorded already." in then.texts[0]
    assert [deed.act for _, deed in world.system.written] == ["edit", "stage"]
    assert [deed.act for _, deed in jira.written] == ["comment"]


async def test_taking_back_that_was_cut_short_goes_on_with_that() -> None:
    world, jira, steps = await with_steps()
    deal = world.system.add("CHG2")
    steps.insert(0, Step(deal.ref, "edit", "Edit CHG2", (("priority", "1"),)))
    jira.faults["perform"].append(unavailable())
    shown = FakeShown()
    await world.saga.begin(asker(ALICE), steps, shown)

    async def die_at_the_second() -> None:
        if len(world.system.written) == 3:
            raise Died

    world.system.waits = die_at_the_second
    with pytest.raises(Died):
        await world.desk.submitted(
            asker(ALICE), shown.forms[0][1], {NEXT: "back"}, FakeShown()
        )
    world.system.waits = None
    world.clock.pass_(LONG)
    await world.unfinished.tell(TENANT)

    [(_, _, card)] = world.slack.own
    card = drawn(card)
    assert [f.text for f in card.fields] == ["done", "taken back", "failed", "waiting"]
    then = FakeShown()
    await world.desk.clicked(asker(ALICE), world.token(card, "steps"), then)

    assert "↩ Edit CHG1: taken back" in then.texts[0]
    assert "↩ Edit CHG2: taken back" in then.texts[0]
    written = [(d.ref, dict(d.values)) for _, d in world.system.written]
    first = world.system.records["id-CHG1"].ref
    assert written == [
        (deal.ref, {"priority": "1"}),
        (first, {"priority": "1"}),
        (first, {"priority": "3"}),
        (deal.ref, {"priority": "3"}),
    ]
    assert not jira.written


async def clicked_and_died(world: World, act: str) -> None:
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    token = world.token(world.slack.shown[0], act)
    world.system.waits = die
    with pytest.raises(Died):
        await world.desk.clicked(asker(ALICE), token, FakeShown())
    world.system.waits = None
    world.clock.pass_(LONG)


async def test_an_act_that_was_cut_short_is_told_with_the_record_as_it_is() -> None:
    world = World()
    await clicked_and_died(world, "take")

    assert await world.unfinished.tell(TENANT) == 1

    [(account, told, card)] = world.slack.own
    card = drawn(card)
    assert (account, told.id, card.key) == ("T1", "alice", "CHG1")
    assert "“Take it”" in card.note
    assert "not known" in card.note
    assert world.log.of("record.view")
    [entry] = world.log.of("record.left")
    assert entry.detail["done"] is False

    # The same deed as the first click: it is looked up, and done once.
    await world.desk.clicked(
        replace(asker(ALICE), channel=None), world.token(card, "take"), FakeShown()
    )
    assert len(world.system.written) == 1


async def test_what_was_written_before_the_end_is_told_as_done() -> None:
    world = World()
    await clicked_and_died(world, "take")
    [left] = await world.acts.left(TENANT, world.clock())
    await world.changes.finish(TENANT, left.deed, "req-1")

    await world.unfinished.tell(TENANT)

    assert "It is done, and on record." in drawn(world.slack.own[0][2]).note


async def test_who_may_not_see_the_record_any_more_is_told_nothing_of_it() -> None:
    world = World()
    await clicked_and_died(world, "take")
    world.accesses.connected.clear()

    assert await world.unfinished.tell(TENANT) == 1

    card = world.slack.own[0][2]
    assert isinstance(card, Card)
    assert "CHG1" not in card.text + card.title


async def test_a_form_that_was_cut_short_is_not_sent_again_blindly() -> None:
    world = World()
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    shown = FakeShown()
    token = world.token(world.slack.shown[0], "edit")
    await world.desk.clicked(asker(ALICE), token, shown)
    world.system.waits = die
    with pytest.raises(Died):
        await world.desk.submitted(
            asker(ALICE), shown.forms[0][1], {"priority": "1"}, FakeShown()
        )
    world.system.waits = None
    world.clock.pass_(LONG)

    await world.unfinished.tell(TENANT)

    assert "look before you enter it again" in drawn(world.slack.own[0][2]).note


async def test_a_platform_that_is_away_is_tried_again_and_a_refusal_is_not() -> None:
    world = World()
    await clicked_and_died(world, "take")
    world.slack.faults["alone"] += [NotSent("away"), refused()]

    assert [await world.unfinished.tell(TENANT) for _ in range(3)] == [0, 0, 0]
    assert not world.slack.faults["alone"]
    assert not world.slack.own


async def test_who_is_not_known_any_more_is_told_nothing() -> None:
    world = World()
    await clicked_and_died(world, "take")
    world.keys.clear()

    assert await world.unfinished.tell(TENANT) == 0

    assert not world.slack.own
    assert not await world.acts.left(TENANT, world.clock())


async def test_what_came_to_its_end_is_not_told() -> None:
    world = World()
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    token = world.token(world.slack.shown[0], "take")
    world.system.faults["perform"].append(NotConnected("connect again"))
    for _ in range(2):  # refused, and then done
        await world.desk.clicked(asker(ALICE), token, FakeShown())
    world.clock.pass_(LONG)

    assert len(world.system.written) == 1
    assert await world.unfinished.tell(TENANT) == 0
