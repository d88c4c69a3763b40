"""What runs for records: turns of each system, rooms as platforms list them, polling."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bots.records.live_loop import LiveLoop
from bots.records.places import Announcing, CopyThreads, ListedRooms
from bots.records.polling import Polling, Told
from bridge.cards import Card
from bridge.delivery import Copy
from bridge.errors import Refused, ServiceUnavailable
from bridge.holds import Cause, Hold
from bridge.links import Link, LinkState
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.records.books import Subscription
from bridge.records.entries import changes_in
from bridge.records.model import RecordChange, System
from tests.fakes import FakeAnnouncer
from tests.records_world import (
    ALICE,
    BOB,
    SLACK,
    TEAMS,
    TENANT,
    FakeChanges,
    FakeLog,
    FakePlace,
    FakeSystem,
    World,
    said,
)

PLENTY = 30.0


async def test_a_slow_system_does_not_hold_up_another() -> None:
    slow = FakeSystem(System.JIRA, kinds=("issue",))
    world = World(others=(slow,))
    one, other = world.system.add("CHG1"), slow.add("WEB-1")
    await world.mentions.noticed(said("CHG1 WEB-1"))
    world.clock.pass_(10)
    never = asyncio.Event()
    slow.waits = never.wait  # type: ignore[assignment]
    loop = asyncio.create_task(LiveLoop(world.live).run())

    world.live.heard(TENANT, slow.change(other.ref, "Done"))
    world.live.heard(TENANT, world.system.change(one.ref, "Scheduled"))
    async with asyncio.timeout(PLENTY):
        while world.slack.edits < 1:
            await asyncio.sleep(0.01)

    assert {card.rev for card in world.slack.shown} == {"1", "2"}
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


async def test_what_is_due_later_is_done_then() -> None:
    world = World()
    record = world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    loop = asyncio.create_task(LiveLoop(world.live).run())

    world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))
    await asyncio.sleep(0.2)
    early = world.slack.edits
    world.clock.pass_(10)
    async with asyncio.timeout(PLENTY):
        while not world.slack.edits:
            await asyncio.sleep(0.01)

    assert early == 0
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


@dataclass
class Listed:
    """The people of channels, as a platform lists them."""

    people_: dict[Channel, tuple[Person, ...]] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()
    down: bool = False
    asked: int = 0

    async def of(self, channel: Channel) -> frozenset[str]:
        self.asked += 1
        if self.down:
            raise ServiceUnavailable("away")
        return frozenset(p.id for p in self.people_[channel]) | self.strangers

    async def people(self, channel: Channel) -> tuple[Person, ...]:
        return self.people_[channel]

    async def invite(self, channel: Channel, user: str) -> None:
        """Nobody is invited here."""

    async def remove(self, channel: Channel, user: str) -> None:
        """Nobody is taken out here."""


@dataclass
class Linked:
    links: Sequence[Link] = ()

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        return [link for link in self.links if channel in link.channels]


def rooms(listed: Listed, *links: Link) -> tuple[ListedRooms, list[float]]:
    now = [0.0]
    both = dict.fromkeys(Platform, listed)
    return ListedRooms(Linked(links), both, both, lambda: now[0]), now


LINK = Link(TENANT, "L1", (SLACK, TEAMS))


async def test_a_room_is_who_its_platform_lists_and_is_kept_for_a_while() -> None:
    listed = Listed({SLACK: (ALICE, BOB)})
    made, now = rooms(listed)

    for _ in range(3):
        await made.present(TENANT, SLACK)
    present = await made.present(TENANT, SLACK)
    assert present.people == (ALICE, BOB)
    assert not present.unknown
    assert listed.asked == 1

    now[0] = 61.0
    await made.present(TENANT, SLACK)
    made.forget(SLACK)
    await made.present(TENANT, SLACK)
    assert listed.asked == 3


async def test_who_cannot_be_named_makes_a_room_unknown() -> None:
    made, _ = rooms(Listed({SLACK: (ALICE,)}, frozenset({"U-nobody"})))

    assert (await made.present(TENANT, SLACK)).unknown


async def test_a_platform_that_is_away_makes_a_room_unknown() -> None:
    made, _ = rooms(Listed({SLACK: (ALICE,)}, down=True))

    present = await made.present(TENANT, SLACK)

    assert present.unknown
    assert not present.people


async def test_guests_and_those_of_whom_a_link_knows_read_along() -> None:
    guest = Person(Platform.SLACK, "gus", kind=PersonKind.GUEST)
    with_guest, _ = rooms(Listed({SLACK: (ALICE, guest)}))
    held = Link(TENANT, "L1", (SLACK, TEAMS), holds=(Hold(SLACK, Cause.EXTERNAL),))
    with_hold, _ = rooms(Listed({SLACK: (ALICE,)}), held)
    alone, _ = rooms(Listed({SLACK: (ALICE,)}), LINK)

    assert (await with_guest.present(TENANT, SLACK)).outsiders
    assert (await with_hold.present(TENANT, SLACK)).outsiders
    assert not (await alone.present(TENANT, SLACK)).outsiders


async def test_linked_are_only_channels_that_carry() -> None:
    paused = Link(TENANT, "L2", (SLACK, TEAMS), LinkState.PAUSED)
    carrying, _ = rooms(Listed(), LINK)
    resting, _ = rooms(Listed(), paused)

    assert await carrying.linked(TENANT, SLACK) == [TEAMS]
    assert await resting.linked(TENANT, SLACK) == []


@dataclass
class Copied:
    copies: Sequence[Copy]

    async def copies_of(
        self, tenant: str, source: Channel, message: str
    ) -> Sequence[Copy]:
        mine = (source, message)
        return [copy for copy in self.copies if (copy.source, copy.message) == mine]


async def test_a_card_stands_under_the_copy_of_its_message() -> None:
    root = Copy(TENANT, "L1", SLACK, "1.1", TEAMS, "900", "", 0)
    reply = Copy(TENANT, "L1", SLACK, "1.2", TEAMS, "901", "900", 0)
    gone = Copy(TENANT, "L1", SLACK, "1.3", TEAMS, "902", "", 0, deleted=True)
    threads = CopyThreads(Copied([root, reply, gone]))  # type: ignore[arg-type]

    async def under(message: str, room: Channel = TEAMS) -> str | None:
        return await threads.root(TENANT, f"{SLACK}/{message}", room)

    assert await under("1.1") == "900"
    assert await under("1.2") == "900"
    assert await under("1.3") is None
    assert await under("1.4") is None
    assert await under("1.1", SLACK) is None
    assert await threads.root(TENANT, "nonsense", TEAMS) is None


async def test_followers_are_told_where_they_follow() -> None:
    voices = {p: FakeAnnouncer({}) for p in Platform}
    places = {p: FakePlace(p) for p in Platform}
    teller = Announcing(voices, places)
    card = Card("ServiceNow", "INC1 changed")

    def subscription(channel: Channel | None, by: str) -> Subscription:
        whose = "" if channel else "p-alice"
        return Subscription(
            "s", TENANT, System.JIRA, "acme", "issue", by, channel, whose
        )

    await teller.tell(subscription(TEAMS, "slack:T1/alice"), card)
    await teller.tell(subscription(None, "slack:T1/alice"), card)
    await teller.tell(subscription(None, "teams:tid/29:alice"), card)
    with pytest.raises(Refused):
        await Announcing({}, {}).tell(subscription(None, "slack:T1/alice"), card)

    assert [c for c, _ in voices[Platform.TEAMS].announced] == [TEAMS]
    assert not voices[Platform.SLACK].announced
    told = {p: [(a, who.id) for a, who, _ in each.own] for p, each in places.items()}
    assert told == {
        Platform.SLACK: [("T1", "alice")],
        Platform.TEAMS: [("tid", "29:alice")],
    }


@dataclass
class Holding:
    mine: bool = True

    async def hold(self, tenant: str, name: str, owner: str, seconds: float) -> bool:
        return self.mine


@dataclass
class Noted(FakeChanges):
    """Notes positions, and how much was on record by then."""

    log: FakeLog = field(default_factory=FakeLog)
    reached_: list[tuple[str, int]] = field(default_factory=list)

    async def reached(
        self, tenant: str, system: System, instance: str, position: str
    ) -> None:
        self.reached_.append((position, len(self.log.of("record.heard"))))


class Changing(FakeSystem):
    """A system that has to be asked what changed."""

    async def changed(
        self, access: object, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        self.calls.append(("changed", since, ()))
        return [self.told(record.ref) for record in self.records.values()], "p2"


async def test_what_a_system_answers_goes_on_record_first() -> None:
    system = Changing()
    world = World(system)
    system.add("CHG1")
    noted = Noted(log=world.log)
    polling = Polling(
        TENANT,
        system,
        world.accesses,
        noted,
        Holding(),
        Told(world.log),
        "one",
        60.0,
    )

    assert await polling.ask() == 1

    assert noted.reached_ == [("p2", 1)]
    [entry] = world.log.of("record.heard")
    [change] = changes_in(entry.detail)
    assert change.ref is not None
    assert change.event == "e1"


async def test_what_a_system_said_the_last_time_is_no_news() -> None:
    system = Changing()
    world = World(system)
    system.add("CHG1")
    polling = Polling(
        TENANT,
        system,
        world.accesses,
        world.changes,
        Holding(),
        Told(world.log),
        "one",
        60.0,
    )
    told = system.told(next(iter(system.records.values())).ref)
    answers = [[told], [told], [told, replace(told, event="later")], []]
    system.changed = lambda *_: _answer(answers.pop(0))  # type: ignore[method-assign]

    assert [await polling.ask() for _ in range(4)] == [1, 0, 1, 0]

    assert len(world.log.of("record.heard")) == 2


async def _answer(
    changes: Sequence[RecordChange],
) -> tuple[Sequence[RecordChange], str]:
    return changes, "p2"


async def test_another_process_asks_meanwhile() -> None:
    system = Changing()
    world = World(system)
    polling = Polling(
        TENANT,
        system,
        world.accesses,
        world.changes,
        Holding(mine=False),
        Told(world.log),
        "two",
        60.0,
    )

    assert await polling.ask() == 0
    assert not system.calls
