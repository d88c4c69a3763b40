"""Replies to what never crossed have their roots looked for, once each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bots.fetching_roots import Rooted, RootFetcher
from bridge.errors import ServiceUnavailable
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, EventKind, Person, Platform
from bridge.parents import Parents
from bridge.ports import Receipt
from bridge.recent import Known, Words
from tests.events import ALICE, FALCON, PROJECT, message
from tests.fakes import FakeLinkBook
from tests.unit.bridge.stage import FakeCopies, copied
from tests.unit.bridge.test_relay import FakeTenants

ROOT, REPLY = message("1.0"), message("1.2", thread="1.0")


@dataclass
class FakePlatform:
    """What a platform shows of roots, if it answers."""

    standing: dict[str, list[Event]] = field(default_factory=lambda: {"1.0": [ROOT]})
    asked: list[str] = field(default_factory=list)
    failures: int = 0

    async def root(self, channel: Channel, message: str) -> Sequence[Event]:
        self.asked.append(message)
        if self.failures:
            self.failures -= 1
            raise ServiceUnavailable("away")
        return self.standing.get(message, [])


@dataclass
class FakeRecord:
    authors: dict[str, Person] = field(default_factory=dict)

    async def author(
        self, tenant: str, channel: Channel, message: str
    ) -> Person | None:
        return self.authors.get(message)

    async def known(
        self, tenant: str, channel: Channel, since_us: int
    ) -> dict[str, Known]:
        return {}

    async def of(self, tenant: str, channel: Channel, message: str) -> Known | None:
        return None

    async def says(self, tenant: str, channel: Channel, message: str) -> Words | None:
        return None


@dataclass
class FakeLate:
    queued: list[str] = field(default_factory=list)

    async def queue(self, links: Sequence[Link], channel: Channel, root: str) -> int:
        self.queued.append(root)
        return len(links)


@dataclass
class FakeIntake:
    """Knows the events that it has `taken`; the same one again is a duplicate."""

    taken: list[Event] = field(default_factory=list)

    async def receive(self, event: Event) -> Receipt:
        duplicate = event in self.taken
        self.taken.append(event)
        return Receipt(len(self.taken), duplicate)


@dataclass
class Scene:
    platform: FakePlatform = field(default_factory=FakePlatform)
    record: FakeRecord = field(default_factory=FakeRecord)
    late: FakeLate = field(default_factory=FakeLate)
    intake: FakeIntake = field(default_factory=FakeIntake)
    copies: FakeCopies = field(default_factory=FakeCopies)
    links: FakeLinkBook = field(
        default_factory=lambda: FakeLinkBook([Link("acme", "L1", (FALCON, PROJECT))])
    )

    async def hears(self, *events: Event) -> None:
        """Take events in, and let everything be looked for that is going to be."""
        parents = Parents(
            {Platform.SLACK: self.platform},
            self.intake,
            self.record,
            self.copies,
            self.links,
            self.late,
        )
        fetcher = RootFetcher(FakeTenants(), parents)
        intake = Rooted(self.intake, fetcher)
        task = asyncio.create_task(fetcher.run())
        for event in events:
            await intake.receive(event)
            await asyncio.sleep(0.01)
        task.cancel()


async def test_an_unknown_root_is_read_and_taken_in_like_what_was_missed() -> None:
    scene = Scene()

    await scene.hears(REPLY)

    assert scene.intake.taken == [REPLY, replace(ROOT, via="catchup")]


async def test_a_root_is_looked_for_once_however_many_replies_it_gets() -> None:
    scene = Scene()

    await scene.hears(REPLY, message("1.3", thread="1.0"))

    assert scene.platform.asked == ["1.0"]


async def test_a_reply_that_was_caught_up_with_before_it_was_pushed_counts() -> None:
    scene = Scene(intake=FakeIntake([REPLY]))

    await scene.hears(REPLY)

    assert scene.platform.asked == ["1.0"]


async def test_a_platform_that_was_away_is_asked_at_the_next_reply() -> None:
    scene = Scene(platform=FakePlatform(failures=1))

    await scene.hears(REPLY, message("1.3", thread="1.0"))

    assert scene.platform.asked == ["1.0", "1.0"]
    assert scene.intake.taken[-1].message == "1.0"


async def test_a_root_on_record_is_queued_from_there() -> None:
    scene = Scene(record=FakeRecord({"1.0": ALICE}))

    await scene.hears(REPLY)

    assert (scene.late.queued, scene.platform.asked) == (["1.0"], [])


async def test_what_was_heard_has_copies_or_is_a_copy_is_not_looked_for() -> None:
    heard, bridged, ours = Scene(), Scene(), Scene()
    bridged.copies.copies.append(copied("1.0"))
    mirrored = replace(copied(remote="1.0"), source=PROJECT, target=FALCON)
    ours.copies.copies.append(mirrored)

    await heard.hears(ROOT, REPLY)
    await bridged.hears(REPLY)
    await ours.hears(REPLY)

    asked = [scene.platform.asked for scene in (heard, bridged, ours)]
    assert asked == [[], [], []]


@pytest.mark.parametrize("via", ["catchup", "reconcile", "spool"])
async def test_what_was_read_or_came_late_has_its_root_looked_for_as_well(
    via: str,
) -> None:
    scene = Scene()

    await scene.hears(replace(REPLY, via=via))

    assert scene.platform.asked == ["1.0"]


async def test_edits_history_and_unlinked_channels_look_for_nothing() -> None:
    scene, unlinked = Scene(), Scene()
    [link] = unlinked.links.links
    unlinked.links.links = [replace(link, state=LinkState.REMOVED)]

    await scene.hears(
        replace(REPLY, kind=EventKind.MESSAGE_EDIT), replace(REPLY, via="backfill")
    )
    await unlinked.hears(REPLY)

    assert scene.platform.asked == unlinked.platform.asked == []
