"""A message that Graph tells of and nobody heard makes its channel catch up."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from bots.second_feed import SecondFeed
from bots.teams.notices import Noticed
from bridge.delivery import Copy
from bridge.errors import CannotTell, ServiceUnavailable
from bridge.messages import Channel, Platform
from bridge.recent import Known
from tests.events import ALICE, FALCON, PROJECT
from tests.unit.bots.test_catching_up import Stage
from tests.unit.bridge.stage import FakeCopies
from tests.unit.bridge.test_catchup import FakeRecord

MESSAGE = "1700000000123"
SAID = Noticed(PROJECT.id, MESSAGE, MESSAGE)
CHANGED = replace(SAID, changed=True)


@dataclass
class Scene:
    stage: Stage = field(default_factory=Stage)
    record: FakeRecord = field(default_factory=FakeRecord)
    copies: FakeCopies = field(default_factory=FakeCopies)
    kept: list[Collection[Channel]] = field(default_factory=list)
    silent: list[Channel] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, sweep: float = 900.0) -> AsyncIterator[SecondFeed]:
        async def keep(channels: Collection[Channel]) -> list[Channel]:
            self.kept.append(channels)
            return self.silent

        feed = SecondFeed(
            self.stage.catching_up,
            self.record,
            self.copies,
            keep,
            self.stage.clock,
            grace=0.02,
            beat=0.02,
            sweep=sweep,
        )
        async with self.stage.running():
            await self.stage.until(lambda: len(self.stage.watermarks.marks) == 2)
            job = asyncio.create_task(feed.run())
            await self.stage.until(lambda: self.kept)
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
        feed.noticed(SAID)
        await scene.compared(feed)
        await scene.stage.until(lambda: len(scene.stage.recent.asked) == 3)

    assert scene.stage.recent.channels[2] == PROJECT


async def test_a_message_is_given_time_to_be_heard(scene: Scene) -> None:
    async with scene.running() as feed:
        feed.noticed(SAID)
        scene.record.messages[MESSAGE] = Known()
        scene.record.authors[MESSAGE] = ALICE
        await scene.compared(feed)

    assert len(scene.stage.recent.asked) == 2


async def test_a_change_of_what_is_known_is_read_by_itself(scene: Scene) -> None:
    scene.record.authors[MESSAGE] = ALICE
    async with scene.running() as feed:
        feed.noticed(CHANGED)
        await scene.compared(feed)
        await scene.stage.until(lambda: scene.stage.single.asked)

    assert scene.stage.single.asked == [MESSAGE]
    assert len(scene.stage.recent.asked) == 2


async def test_of_a_silent_channel_the_message_alone_is_read(scene: Scene) -> None:
    scene.silent = [PROJECT]
    async with scene.running() as feed:
        feed.noticed(SAID)
        await scene.compared(feed)
        await scene.stage.until(lambda: scene.stage.single.asked)

    assert scene.stage.single.asked == [MESSAGE]
    assert len(scene.stage.recent.asked) == 2


async def test_what_could_not_be_read_is_read_again(scene: Scene) -> None:
    scene.silent = [PROJECT]
    scene.stage.single.failures = [ServiceUnavailable("down"), CannotTell("no")]
    async with scene.running() as feed:
        feed.noticed(SAID)
        scene.stage.clock.advance(1)
        await scene.stage.until(lambda: scene.stage.single.asked)
        scene.stage.clock.advance(10)
        await scene.stage.until(lambda: len(scene.stage.single.asked) == 2)
        # What may not be read will not be read the next time either.
        scene.stage.clock.advance(10)
        await scene.stage.until(lambda: not feed._due)

    assert len(scene.stage.single.asked) == 2


async def test_a_silent_channel_is_read_now_and_then(scene: Scene) -> None:
    scene.silent = [PROJECT]
    async with scene.running(sweep=0.01):
        await scene.stage.until(lambda: len(scene.stage.recent.asked) > 3)

    assert {*scene.stage.recent.channels[2:]} == {PROJECT}


async def test_atoms_own_copies_are_no_news(scene: Scene) -> None:
    copy = Copy("acme", "L1", FALCON, "1.0", PROJECT, MESSAGE, "", 0)
    scene.copies.copies.append(copy)

    async with scene.running() as feed:
        feed.noticed(SAID)
        feed.noticed(CHANGED)
        await scene.compared(feed)

    assert len(scene.stage.recent.asked) == 2
    assert scene.stage.single.asked == []


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
