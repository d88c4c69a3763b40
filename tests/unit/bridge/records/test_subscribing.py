"""Who asked to hear of a change is told, and nobody is told what they may not see."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access import Action
from bridge.errors import (
    AtomError,
    BadInput,
    NotFound,
    NotSent,
    ServiceUnavailable,
)
from bridge.records.books import MOST_UNJUDGED, Quiet
from bridge.records.model import PUBLIC, Fact, Record, RecordChange
from bridge.records.ports import Spent
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


AWAY = [ServiceUnavailable("away"), Spent("used up", 900.0)]


@pytest.mark.parametrize("fault", AWAY, ids=["away", "spent"])
@pytest.mark.parametrize("mine", [False, True], ids=["channel", "person"])
async def test_what_could_not_be_read_is_told_when_it_can_be(
    fault: AtomError, *, mine: bool
) -> None:
    world, record = await subscribed(Topic(INCIDENT, "priority = 1", mine=mine))
    change = world.system.change(record.ref, priority="1")
    world.system.faults["read"] += [fault, fault]

    await world.subscribing.heard(TENANT, change)
    await world.subscribing.tick(TENANT)
    assert not world.teller.told

    await world.subscribing.tick(TENANT)
    once = ["CHG1 Increase memory – Authorize: Priority changed"]
    assert told(world) == once

    await world.subscribing.heard(TENANT, change)
    await world.subscribing.tick(TENANT)
    assert told(world) == once


async def test_what_is_judged_late_is_judged_like_everything_else() -> None:
    world, record = await subscribed(Topic(INCIDENT, "priority = 1"))
    other = world.system.add("CHG2")
    secret = world.system.add("CHG3", secured=True)
    changes = [
        world.system.change(record.ref, priority="2"),
        world.system.change(other.ref, priority="1"),
        world.system.change(secret.ref, priority="1"),
    ]
    world.system.faults["read"].append(AWAY[0])
    await world.subscribing.heard(TENANT, *changes)

    await world.subscribing.tick(TENANT)

    assert told(world) == ["CHG2 Increase memory – Authorize: Priority changed"]
    assert not await world.subscriptions.due(
        next(iter(world.subscriptions.kept.values())), 10**18
    )


async def test_a_digest_keeps_what_cannot_be_read_when_it_is_due() -> None:
    world, record = await subscribed(Topic(INCIDENT, every=7 * 24 * 60))
    await world.subscribing.heard(TENANT, world.system.change(record.ref, "Review"))
    world.clock.pass_(7 * 24 * 3600)
    world.system.faults["read"].append(AWAY[1])
    await world.subscribing.tick(TENANT)
    assert not world.teller.told

    await world.subscribing.tick(TENANT)

    assert told(world) == ["CHG1 Increase memory – Review: Status changed"]


async def test_many_changes_of_a_record_read_late_are_one_line() -> None:
    world, record = await subscribed()
    changes = [world.system.change(record.ref, priority=str(n)) for n in range(5)]
    world.system.faults["read"].append(AWAY[0])
    await world.subscribing.heard(TENANT, *changes)
    before = world.system.count("read")

    await world.subscribing.tick(TENANT)

    assert told(world) == ["CHG1 Increase memory – Authorize: Priority changed"]
    assert world.system.count("read") == before + 1


async def test_what_nobody_could_check_for_two_days_is_given_up_and_said() -> None:
    world, record = await subscribed()
    world.system.faults["read"] += [AWAY[1]] * 2
    await world.subscribing.heard(TENANT, world.system.change(record.ref, "Review"))
    world.clock.pass_(2 * 24 * 3600 + 1)

    await world.subscribing.tick(TENANT)
    await world.subscribing.tick(TENANT)

    [text] = told(world)
    assert "could not be asked for too long" in text
    assert "Increase memory" not in text
    [entry] = world.log.of("record.told")
    assert entry.detail["unchecked"] == 1


async def test_where_more_waited_than_is_kept_that_is_said() -> None:
    world, record = await subscribed()
    changes = [world.system.told(record.ref) for _ in range(MOST_UNJUDGED + 5)]
    world.system.faults["read"].append(AWAY[0])
    await world.subscribing.heard(TENANT, *changes)

    await world.subscribing.tick(TENANT)

    [text] = told(world)
    assert "CHG1 Increase memory – Authorize: changed" in text
    assert "There may be changes that nobody is told of" in text


async def test_a_followed_record_that_went_before_it_was_told_is_not_told_of() -> None:
    world = World()
    record = world.system.add("CHG1", "Secret name")
    await world.subscribing.follow_record(asker(ALICE), "p-alice", record.ref)
    world.teller.faults.append(NotSent("not reached"))
    await world.subscribing.heard(TENANT, world.system.told(record.ref))
    world.system.gone.add(record.ref.id)

    await world.subscribing.tick(TENANT)

    [text] = told(world)
    assert "gone, or no longer visible" in text
    assert "Secret name" not in text


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["CHG1", "CHG2", "CHG3"]),
        st.booleans(),  # whether the system answers
        st.sampled_from(["heard", "again", "tick", "unsent"]),
    ),
    max_size=30,
)


@given(steps=STEPS, mine=st.booleans())
async def test_whatever_is_away_everything_is_told_once_and_in_order(
    steps: list[tuple[str, bool, str]], *, mine: bool
) -> None:
    world = World()
    records = {key: world.system.add(key) for key in ("CHG1", "CHG2", "CHG3")}
    await world.subscribing.subscribe(asker(ALICE), Topic(INCIDENT, mine=mine))
    happened: list[RecordChange] = []
    for number, (key, answers, what) in enumerate(steps):
        world.clock.pass_(1)
        world.teller.faults[:] = [NotSent("not reached")] * (what == "unsent")
        world.system.faults["read"] = [] if answers else list(AWAY)
        if what == "tick":
            await world.subscribing.tick(TENANT)
        elif what == "again" and happened:
            await world.subscribing.heard(TENANT, happened[number % len(happened)])
        else:
            # The name of its field tells one change of a record from the others.
            field = Fact(f"f{number}", f"F{number}", "x")
            old = world.system.records[records[key].ref.id]
            more = replace(old, facts=(*old.facts, field))
            world.system.records[old.ref.id] = more
            change = world.system.told(old.ref, fields=(f"f{number}",))
            happened.append(change)
            await world.subscribing.heard(TENANT, change)
    world.teller.faults.clear()
    world.system.faults["read"] = []
    await world.subscribing.tick(TENANT)

    lines = [line for text in told(world) for line in text.splitlines()]
    for key, record in records.items():
        own = [line for line in lines if line.startswith(key)]
        assert own == [
            f"{key} Increase memory – Authorize: {c.fields[0].upper()} changed"
            for c in happened
            if c.ref == record.ref
        ]


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
