"""Who asked to hear of a change is told, and nobody is told what they may not see."""

from dataclasses import replace

import pytest

from bridge.access import Action
from bridge.errors import BadInput, NotFound, NotSent
from bridge.records.books import Quiet
from bridge.records.model import PUBLIC, Record
from bridge.records.subscribing import Topic, is_quiet
from tests.records_world import ALICE, SLACK, TENANT, FakeShown, World, asker, said

INCIDENT = "change_request"


async def subscribed(topic: Topic | None = None) -> tuple[World, Record]:
    world = World()
    record = world.system.add("CHG1")
    await world.subscribing.subscribe(asker(ALICE), topic or Topic(INCIDENT))
    return world, record


def told(world: World) -> list[str]:
    return [card.text for _, card in world.teller.told]


async def test_a_channel_hears_what_its_filter_lets_through() -> None:
    world, record = await subscribed(Topic(INCIDENT, "priority = 1"))

    await world.subscribing.heard(TENANT, world.system.change(record.ref, priority="2"))
    await world.subscribing.heard(TENANT, world.system.change(record.ref, priority="1"))

    assert told(world) == ["CHG1 Increase memory – Authorize: Priority changed"]
    assert len(world.log.of("record.told")) == 1


async def test_the_same_event_is_told_once() -> None:
    world, record = await subscribed()
    change = world.system.change(record.ref, "Review")

    for _ in range(3):
        await world.subscribing.heard(TENANT, change)

    assert len(told(world)) == 1


async def test_secured_records_are_never_told_to_a_channel() -> None:
    world, record = await subscribed()
    world.system.records[record.ref.id] = replace(record, secured=True)

    await world.subscribing.heard(TENANT, world.system.told(record.ref))

    assert not world.teller.told


async def test_a_person_hears_of_secured_records_if_they_choose_to() -> None:
    world, record = await subscribed(Topic(INCIDENT, mine=True, secured=True))
    await world.subscribing.subscribe(asker(ALICE), Topic(INCIDENT, mine=True))
    world.system.records[record.ref.id] = replace(record, secured=True)

    await world.subscribing.heard(TENANT, world.system.told(record.ref))

    assert len(world.teller.told) == 1


async def test_a_channel_cannot_choose_secured_records() -> None:
    with pytest.raises(BadInput, match="never hears of secured records"):
        await subscribed(Topic(INCIDENT, secured=True))


async def test_a_filter_asks_nothing_that_the_room_does_not_see() -> None:
    world, record = await subscribed(Topic(INCIDENT, 'amount = "4711 EUR"'))
    world.policy.denied.add(("bob", Action.RECORD_VIEW, "finance"))

    await world.subscribing.heard(TENANT, world.system.told(record.ref))

    assert not world.teller.told


async def test_a_room_where_somebody_may_not_see_it_hears_nothing() -> None:
    world, record = await subscribed()
    world.policy.denied.add(("bob", Action.RECORD_VIEW, PUBLIC))

    await world.subscribing.heard(TENANT, world.system.told(record.ref))

    assert not world.teller.told


async def test_a_person_hears_only_what_their_own_account_sees() -> None:
    world, record = await subscribed(Topic(INCIDENT, mine=True))
    world.system.unseen.add(("p-alice", record.ref.id))

    await world.subscribing.heard(TENANT, world.system.told(record.ref))

    assert not world.teller.told
    reads = [who for name, who, _ in world.system.calls if name == "read"]
    assert "p-alice" in reads


async def test_a_digest_gathers_what_happened() -> None:
    world, record = await subscribed(Topic(INCIDENT, every=60))
    for status in ("Assess", "Review"):
        await world.subscribing.heard(TENANT, world.system.change(record.ref, status))
    assert not world.teller.told

    world.clock.pass_(3600)
    await world.subscribing.tick(TENANT)
    await world.subscribing.tick(TENANT)

    [text] = told(world)
    assert len(text.splitlines()) == 2
    assert "Assess" in text
    assert "Review" in text


async def test_a_digest_leaves_out_what_may_not_be_told_any_more() -> None:
    world, record = await subscribed(Topic(INCIDENT, every=60))
    await world.subscribing.heard(TENANT, world.system.told(record.ref))
    world.policy.denied.add(("bob", Action.RECORD_VIEW, PUBLIC))

    world.clock.pass_(3600)
    await world.subscribing.tick(TENANT)

    assert not world.teller.told


async def test_at_night_nothing_is_told_until_the_morning() -> None:
    world, record = await subscribed(
        Topic(INCIDENT, quiet=Quiet(22 * 60, 7 * 60, "Europe/Berlin"))
    )
    world.clock.us = 1_900_018_800_000_000  # 2030-03-17, 23:20 in Berlin
    await world.subscribing.heard(TENANT, world.system.told(record.ref))
    assert not world.teller.told

    world.clock.pass_(8 * 3600)
    await world.subscribing.tick(TENANT)

    assert len(world.teller.told) == 1


async def test_what_could_not_be_told_is_told_later() -> None:
    world, record = await subscribed()
    world.teller.faults.append(NotSent("not reached"))
    await world.subscribing.heard(TENANT, world.system.told(record.ref))
    assert not world.teller.told

    await world.subscribing.tick(TENANT)

    assert len(world.teller.told) == 1


async def test_a_followed_record_that_is_gone_is_said_to_be() -> None:
    world = World()
    record = world.system.add("CHG1", "Secret name")
    await world.subscribing.follow_record(asker(ALICE), "p-alice", record.ref)
    world.system.gone.add(record.ref.id)

    await world.subscribing.heard(TENANT, world.system.told(record.ref, kind="deleted"))

    [text] = told(world)
    assert "gone, or no longer visible" in text
    assert "Secret name" not in text


async def test_following_from_a_card_and_ending_it() -> None:
    world = World()
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    token = world.token(world.slack.shown[0], "follow")
    first = FakeShown()
    await world.desk.clicked(asker(ALICE), token, first)
    again = FakeShown()
    await world.desk.clicked(asker(ALICE), token, again)
    [one] = await world.subscribing.here(asker(ALICE))

    ended = await world.subscribing.unfollow(asker(ALICE), one.id)

    assert "It is followed here" in first.texts[0]
    assert "followed here already" in again.texts[0]
    assert ended.channel == SLACK
    assert not await world.subscribing.here(asker(ALICE))
    assert len(world.log.of("record.follow")) == 1
    assert len(world.log.of("record.unfollow")) == 1


async def test_what_is_not_there_cannot_be_ended() -> None:
    world = World()

    with pytest.raises(NotFound, match="no subscription sub_x here"):
        await world.subscribing.unfollow(asker(ALICE), "sub_x")


@pytest.mark.parametrize("filter_", ["priority =", "a b"])
async def test_a_filter_that_cannot_be_read_is_not_kept(filter_: str) -> None:
    world = World()

    with pytest.raises(BadInput, match="priority = 1"):
        await world.subscribing.subscribe(asker(ALICE), Topic(INCIDENT, filter_))

    assert not world.subscriptions.kept


@pytest.mark.parametrize(
    ("start", "end", "minute", "quiet"),
    [
        (0, 0, 100, False),
        (60, 120, 60, True),
        (60, 120, 120, False),
        (22 * 60, 6 * 60, 23 * 60, True),
        (22 * 60, 6 * 60, 5 * 60, True),
        (22 * 60, 6 * 60, 12 * 60, False),
    ],
)
def test_quiet_hours_may_go_past_midnight(
    start: int, end: int, minute: int, *, quiet: bool
) -> None:
    midnight = 1_900_022_400 * 1_000_000 // 86_400_000_000 * 86_400_000_000

    assert is_quiet(Quiet(start, end), midnight + minute * 60_000_000) is quiet
