"""The log is followed for records by one process, and nothing on it is missed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bots.records.log_follower import LogFollower
from bots.records.polling import Told
from bridge.errors import StoreUnavailable
from bridge.messages import Channel, EventKind, Person
from bridge.ports import Commitment
from bridge.records.hints import HintingJournal, Unnaming
from bridge.records.model import RecordChange
from bridge.records.subscribing import Topic
from storage.compliance.acts import Acts
from storage.compliance.keys import Keyring
from storage.records.following import StoredFollowing
from storage.records.log import StoredRecordLog
from tests.contract.conftest import TENANT, Store
from tests.events import message
from tests.records_world import ALICE, SLACK, World, asker


@dataclass
class Followed:
    store: Store
    world: World
    following: StoredFollowing
    moved: list[Channel]
    unnaming: Unnaming = field(default_factory=Unnaming)
    holding: bool = True

    def follower(self, owner: str = "one") -> LogFollower:
        world = self.world

        async def tenants() -> list[str]:
            return [TENANT]

        async def account_of(_person: Person, _channel: Channel) -> str:
            return "T1"

        return LogFollower(
            self.store.reader,
            self.following,
            tenants,
            owner,
            world.mentions,
            world.live,
            world.subscribing,
            world.posting,
            account_of,
            world.clock,
            lambda: 0.0,
            self.moved.append,
            self.unnaming,
        )

    async def say(self, ts: str, text: str, **more: object) -> None:
        sent_us = self.world.clock.us
        event = message(
            ts,
            text,
            channel=SLACK,
            author=ALICE,
            event_id=f"Ev{ts}{text}{len(more)}",
            **({"sent_us": sent_us} | more),
        )
        journal = HintingJournal(
            self.store.journal, self.unnaming, lambda _: self.holding
        )
        await journal.append(Commitment(TENANT, event, (), ()))


@pytest.fixture
async def followed(store: Store) -> Followed:
    world = World()
    following = StoredFollowing(store.database.hot, world.clock)
    made = Followed(store, world, following, [])
    await made.follower().catch_up(TENANT)
    return made


async def test_a_message_on_record_gets_its_card(followed: Followed) -> None:
    followed.world.system.add("CHG1")
    await followed.say("1700000000.000100", "look at CHG1")

    await followed.follower().turn(TENANT)

    [card] = followed.world.slack.shown
    assert card.key == "CHG1"
    [thread] = followed.world.slack.threads.values()
    assert thread == "1700000000.000100"


async def test_what_was_said_before_it_began_is_left_alone(store: Store) -> None:
    world = World()
    world.system.add("CHG1")
    made = Followed(store, world, StoredFollowing(store.database.hot, world.clock), [])
    await made.say("1700000000.000100", "look at CHG1")

    await made.follower().turn(TENANT)

    assert not world.slack.posts


async def test_what_is_said_before_its_first_turn_is_not_left_out(store: Store) -> None:
    world = World()
    world.system.add("CHG1")
    made = Followed(store, world, StoredFollowing(store.database.hot, world.clock), [])
    await made.follower("one").begin()
    await made.say("1700000000.000100", "look at CHG1")
    await made.follower("two").begin()  # begins later, and changes nothing

    await made.follower("two").turn(TENANT)

    assert len(world.slack.posts) == 1


async def test_who_knows_itself_alone_does_not_wait_for_who_was_killed(
    followed: Followed,
) -> None:
    following = followed.following
    assert await following.hold(TENANT, "left", "killed", 30.0)
    assert not await following.hold(TENANT, "left", "one", 30.0)

    await following.seize()

    assert await following.hold(TENANT, "left", "one", 30.0)
    assert await following.position(TENANT) is not None


async def test_after_a_crash_it_goes_on_where_it_was_and_doubles_nothing(
    followed: Followed,
) -> None:
    followed.world.system.add("CHG1")
    followed.world.system.add("CHG2")
    await followed.say("1700000000.000100", "look at CHG1")
    before = await followed.following.position(TENANT)
    assert before is not None
    await followed.follower().turn(TENANT)
    await followed.following.reached(TENANT, before)  # the crash came before the note
    await followed.say("1700000000.000200", "and CHG2")

    await followed.follower().turn(TENANT)

    keys = sorted(card.key for card in followed.world.slack.shown)
    assert keys == ["CHG1", "CHG2"]


async def test_one_process_follows_until_its_right_ends(followed: Followed) -> None:
    followed.world.system.add("CHG1")
    first, second = followed.follower("one"), followed.follower("two")
    await first.turn(TENANT)
    await followed.say("1700000000.000100", "look at CHG1")

    await second.turn(TENANT)
    assert not followed.world.slack.posts

    followed.world.clock.pass_(60)
    await second.turn(TENANT)
    assert len(followed.world.slack.posts) == 1
    await first.turn(TENANT)
    assert not first._holding


async def test_what_cannot_name_a_record_is_not_opened(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    keys = followed.store.reader.keys
    ask = type(keys).opened

    async def watched(self: Keyring, tenant: str, asked: Mapping[str, Any]) -> object:
        opened.extend(asked)
        return await ask(self, tenant, asked)

    monkeypatch.setattr(type(keys), "opened", watched)
    followed.world.system.add("CHG1")
    for number in range(5):
        await followed.say(f"1700000000.00010{number}", "nothing of the kind")

    await followed.follower().turn(TENANT)
    assert opened == []

    await followed.say("1700000000.000200", "look at CHG1")
    await followed.say("1700000000.000300", "that was all")
    await followed.follower().turn(TENANT)

    assert len(opened) == 1
    assert [card.key for card in followed.world.slack.shown] == ["CHG1"]


async def test_what_another_process_took_in_is_opened(followed: Followed) -> None:
    followed.world.system.add("CHG1")
    followed.holding = False
    await followed.say("1700000000.000100", "nothing of the kind")
    await followed.say("1700000000.000200", "look at CHG1")

    await followed.follower().turn(TENANT)

    assert followed.unnaming.among(TENANT, 0, 99) == []
    assert [card.key for card in followed.world.slack.shown] == ["CHG1"]


async def test_a_number_that_an_edit_brings_is_found(followed: Followed) -> None:
    followed.world.system.add("CHG1")
    ts = "1700000000.000100"
    await followed.say(ts, "look at this")
    await followed.say(
        ts,
        "look at CHG1",
        kind=EventKind.MESSAGE_EDIT,
        version_us=followed.world.clock.us,
    )

    await followed.follower().turn(TENANT)

    assert [card.key for card in followed.world.slack.shown] == ["CHG1"]


async def test_old_and_imported_messages_get_no_cards(followed: Followed) -> None:
    followed.world.system.add("CHG1")
    long_ago = followed.world.clock.us - 3 * 3600 * 1_000_000
    await followed.say("1700000000.000100", "CHG1", sent_us=long_ago)
    await followed.say("1700000000.000200", "CHG1", via="backfill")

    await followed.follower().turn(TENANT)

    assert not followed.world.slack.posts


async def test_what_systems_told_is_followed_from_the_record(
    followed: Followed,
) -> None:
    world = followed.world
    record = world.system.add("CHG1")
    await followed.say("1700000000.000100", "look at CHG1")
    await followed.follower().turn(TENANT)
    await world.subscribing.subscribe(asker(ALICE), Topic("change_request"))
    world.clock.pass_(10)
    told = Told(StoredRecordLog(Acts(followed.store.journal, world.clock)))
    change = world.system.change(record.ref, "Scheduled")

    await told.keep(TENANT, world.system, [change, change])
    await followed.follower().turn(TENANT)
    await world.settle()

    [card] = world.slack.shown
    assert card.rev == "2"
    assert len(world.teller.told) == 1


@dataclass
class Stirred:
    """Implements `bots.records.log_follower.Stirs`."""

    store: Store
    changes: list[RecordChange] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def heard(self, tenant: str, change: RecordChange) -> None:
        self.changes.append(change)

    async def keep(self, tenant: str) -> None:
        self.kept.append(len(self.changes))


async def test_what_reads_after_changes_hears_before_they_count_as_followed(
    followed: Followed,
) -> None:
    world, stirred = followed.world, Stirred(followed.store)
    told = Told(StoredRecordLog(Acts(followed.store.journal, world.clock)))
    change = world.system.change(world.system.add("CHG1").ref, "Scheduled")
    await told.keep(TENANT, world.system, [change])
    follower = replace(followed.follower(), stirs=stirred)

    await follower.turn(TENANT)

    assert stirred.changes == [change]
    assert stirred.kept == [1]


async def test_whoever_comes_or_goes_has_cards_looked_at(followed: Followed) -> None:
    await followed.say(
        "", "", kind=EventKind.MEMBER_JOIN, message="", detail=(("joined", "U9"),)
    )

    await followed.follower().turn(TENANT)

    assert followed.moved == [SLACK]


async def test_one_entry_that_breaks_does_not_hold_up_the_others(
    followed: Followed,
) -> None:
    world = followed.world
    world.system.add("CHG1")
    world.system.add("CHG2")
    world.system.faults["resolve"].append(ValueError("broken"))  # type: ignore[arg-type]
    await followed.say("1700000000.000100", "look at CHG1")
    await followed.say("1700000000.000200", "and CHG2")

    await followed.follower().turn(TENANT)

    assert [card.key for card in world.slack.shown] == ["CHG2"]


async def test_what_meets_a_store_that_is_away_comes_again(
    followed: Followed,
) -> None:
    world = followed.world
    for number in (1, 2):
        world.system.add(f"CHG{number}")
        await followed.say(f"1700000000.00010{number}", f"look at CHG{number}")
    world.system.faults["resolve"].append(StoreUnavailable("away"))

    with pytest.raises(StoreUnavailable, match="away"):
        await followed.follower().turn(TENANT)
    await followed.follower().turn(TENANT)

    assert {card.key for card in world.slack.shown} == {"CHG1", "CHG2"}


async def test_a_right_to_work_alone_is_one_processes(store: Store) -> None:
    world = World()
    following = StoredFollowing(store.database.hot, world.clock)

    assert await following.hold(TENANT, "poll", "one", 10.0)
    assert not await following.hold(TENANT, "poll", "two", 10.0)
    assert await following.hold(TENANT, "poll", "one", 10.0)
    assert await following.hold("other", "poll", "two", 10.0)
    world.clock.pass_(11)
    assert await following.hold(TENANT, "poll", "two", 10.0)
