"""A message that Graph tells of and nobody heard makes its channel catch up."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bots.second_feed import SecondFeed
from bridge.delivery import Copy
from bridge.messages import Channel, Platform
from bridge.recent import Known
from tests.events import ALICE, FALCON, PROJECT
from tests.unit.bots.test_catching_up import Stage
from tests.unit.bridge.stage import FakeCopies
from tests.unit.bridge.test_catchup import FakeRecord

MESSAGE = "1700000000123"


@dataclass
class Scene:
    stage: Stage = field(default_factory=Stage)
    record: FakeRecord = field(default_factory=FakeRecord)
    copies: FakeCopies = field(default_factory=FakeCopies)
    kept: list[Collection[Channel]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SecondFeed]:
        async def keep(channels: Collection[Channel]) -> None:
            self.kept.append(channels)

        feed = SecondFeed(
            self.stage.catching_up,
            self.record,
            self.copies,
            keep,
            self.stage.clock,
            grace=0.02,
            beat=0.02,
        )
        async with self.stage.running():
            await self.stage.until(lambda: len(self.stage.watermarks.marks) == 2)
            job = asyncio.create_task(feed.run())
            yield feed
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)

    async def compared(self, feed: SecondFeed) -> None:
        """Let the grace pass, and wait until what was noticed is looked at."""
        self.stage.clock.advance(1)
        await self.stage.until(lambda: not feed._due)


@pytest.fixture
async def scene() -> Scene:
    made = Scene()
    await made.stage.links.add("acme", (FALCON, PROJECT), "test")
    return made


async def test_a_message_that_was_not_heard_is_read(scene: Scene) -> None:
    async with scene.running() as feed:
        feed.noticed(PROJECT.id, MESSAGE)
        await scene.compared(feed)
        await scene.stage.until(lambda: len(scene.stage.recent.asked) == 3)

    assert scene.stage.recent.channels[2] == PROJECT


async def test_a_message_is_given_time_to_be_heard(scene: Scene) -> None:
    async with scene.running() as feed:
        feed.noticed(PROJECT.id, MESSAGE)
        scene.record.messages[MESSAGE] = Known()
        scene.record.authors[MESSAGE] = ALICE
        await scene.compared(feed)

    assert len(scene.stage.recent.asked) == 2


async def test_atoms_own_copies_are_no_news(scene: Scene) -> None:
    copy = Copy("acme", "L1", FALCON, "1.0", PROJECT, MESSAGE, "", 0)
    scene.copies.copies.append(copy)

    async with scene.running() as feed:
        feed.noticed(PROJECT.id, MESSAGE)
        await scene.compared(feed)

    assert len(scene.stage.recent.asked) == 2


async def test_what_graph_missed_is_read_from_hours_ago(scene: Scene) -> None:
    async with scene.running() as feed:
        feed.missed(PROJECT.id)
        await scene.stage.until(lambda: len(scene.stage.recent.asked) == 3)

    assert scene.stage.recent.asked[2].since_us < scene.stage.clock.now_us - 14_400_000


async def test_the_linked_teams_channels_are_subscribed_to(scene: Scene) -> None:
    async with scene.running():
        await scene.stage.until(lambda: scene.kept)

    assert [[*channels] for channels in scene.kept[:1]] == [[PROJECT]]
    assert all(c.platform is Platform.TEAMS for c in scene.kept[0])
