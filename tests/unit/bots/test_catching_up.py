"""When ATOM catches up, and when the marks rise."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from bots.catching_up import Attentive, CatchingUp
from bridge.catchup import MARGIN_US, CatchUp
from bridge.errors import AtomError, CannotTell, ServiceUnavailable
from bridge.links import LinkState
from bridge.messages import Channel, Event, EventKind, Platform
from bridge.recent import Gap
from tests.events import FALCON, PROJECT, message
from tests.fakes import FakeClock, FakeLinkBook
from tests.unit.bridge.test_catchup import (
    FakeIntake,
    FakeRecord,
    FakeWatermarks,
)

OFTEN = 0.01


@dataclass
class FakeRecent:
    """Remembers which channels it was asked for, and fails as it is told."""

    asked: list[Gap] = field(default_factory=list)
    failures: list[AtomError] = field(default_factory=list)
    events: tuple[Event, ...] = ()

    async def within(self, gap: Gap) -> AsyncIterator[Event]:
        self.asked.append(gap)
        if self.failures:
            raise self.failures.pop(0)
        for event in self.events:
            yield event

    @property
    def channels(self) -> list[Channel]:
        return [gap.channel for gap in self.asked]


@dataclass
class FakeSingle:
    """Remembers which messages it was asked for, and fails as it is told."""

    asked: list[str] = field(default_factory=list)
    failures: list[AtomError] = field(default_factory=list)

    async def one(self, _gap: Gap, _root: str, message: str) -> Sequence[Event]:
        self.asked.append(message)
        if self.failures:
            raise self.failures.pop(0)
        return []


@dataclass
class Stage:
    single: FakeSingle = field(default_factory=FakeSingle)
    recent: FakeRecent = field(default_factory=FakeRecent)
    links: FakeLinkBook = field(default_factory=FakeLinkBook)
    watermarks: FakeWatermarks = field(default_factory=FakeWatermarks)
    intake: FakeIntake = field(default_factory=FakeIntake)
    clock: FakeClock = field(default_factory=FakeClock)
    catching_up: CatchingUp = field(init=False)

    def __post_init__(self) -> None:
        catch_up = CatchUp(
            {Platform.SLACK: self.recent, Platform.TEAMS: self.recent},
            self.intake,
            FakeRecord(),
            self.watermarks,
            self.links,
            self.clock,
            single={Platform.TEAMS: self.single},
        )

        async def companies() -> list[str]:
            return ["acme"]

        self.catching_up = CatchingUp(
            catch_up,
            self.links,
            self.watermarks,
            companies,
            self.clock,
            beat=OFTEN,
            again=OFTEN,
        )

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        job = asyncio.create_task(self.catching_up.run())
        yield
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


@pytest.fixture
async def stage() -> Stage:
    made = Stage()
    await made.links.add("acme", (FALCON, PROJECT), "test")
    return made


async def test_every_linked_channel_catches_up_at_the_start(stage: Stage) -> None:
    async with stage.running():
        await stage.until(lambda: len(stage.watermarks.marks) == 2)

    assert sorted(stage.recent.channels) == [FALCON, PROJECT]


async def test_marks_rise_while_atom_hears(stage: Stage) -> None:
    async with stage.running():
        await stage.until(lambda: len(stage.watermarks.marks) == 2)
        stage.clock.advance(60)
        now = stage.clock.now_us
        await stage.until(lambda: stage.watermarks.marks[FALCON] == now)

    assert len(stage.recent.asked) == 2


async def test_a_link_held_and_let_go_between_two_looks_catches_up(
    stage: Stage,
) -> None:
    [link] = stage.links.links
    async with stage.running():
        await stage.until(lambda: len(stage.watermarks.marks) == 2)
        asked = len(stage.recent.asked)
        # Nothing looks in between: both are told before anybody gets a turn.
        stage.catching_up.link_changed(link.id)
        stage.catching_up.link_changed(link.id)
        await stage.until(lambda: len(stage.recent.asked) == asked + 2)

    assert sorted(stage.recent.channels[asked:]) == [FALCON, PROJECT]


async def test_a_link_that_carries_again_catches_up(stage: Stage) -> None:
    [link] = stage.links.links
    async with stage.running():
        await stage.until(lambda: len(stage.watermarks.marks) == 2)
        paused = await stage.links.change(link, LinkState.PAUSED, "test")
        stage.catching_up.link_changed(link.id)
        await stage.until(lambda: stage.catching_up._waits[link.id] == {"paused"})
        asked = len(stage.recent.asked)
        await stage.links.change(paused, LinkState.ACTIVE, "test")
        stage.catching_up.link_changed(link.id)
        await stage.until(lambda: len(stage.recent.asked) == asked + 2)

    assert sorted(stage.recent.channels[asked:]) == [FALCON, PROJECT]


async def test_dropped_events_are_read_again_from_that_minute_on(stage: Stage) -> None:
    attentive = Attentive(stage.intake, stage.catching_up)
    minute = stage.clock.now_us - 120_000_000
    notice = message(
        kind=EventKind.OTHER,
        channel=None,
        message="",
        sent_us=minute,
        detail=(("type", "app_rate_limited"),),
    )
    async with stage.running():
        await stage.until(lambda: len(stage.watermarks.marks) == 2)
        await attentive.receive(notice)
        await stage.until(lambda: len(stage.recent.asked) == 3)

    assert stage.recent.channels[2] == FALCON
    assert stage.recent.asked[2].since_us == minute - MARGIN_US


async def test_a_platform_that_is_down_is_asked_again(stage: Stage) -> None:
    stage.recent.failures = [ServiceUnavailable("down")] * 3

    async with stage.running():
        await stage.until(lambda: len(stage.watermarks.marks) == 2)

    assert len(stage.recent.asked) == 5


async def test_one_workspace_that_is_down_is_not_asked_for_each_of_its_channels(
    stage: Stage,
) -> None:
    many = [Channel(Platform.SLACK, FALCON.team, f"C{n}") for n in range(40)]
    for n, channel in enumerate(many):
        teams = Channel(Platform.TEAMS, PROJECT.team, f"19:{n}@thread.tacv2")
        await stage.links.add("acme", (channel, teams), "test")
    slack = FakeRecent(failures=[ServiceUnavailable("down")] * 1000)
    stage.catching_up.catch_up = replace(
        stage.catching_up.catch_up,
        recent={**stage.catching_up.catch_up.recent, Platform.SLACK: slack},
    )
    stage.catching_up.again = 0.3

    async with stage.running():
        await stage.until(lambda: len(stage.watermarks.marks) == 41)  # Teams' answer
        while_down = len(slack.asked)
        slack.failures = []
        await stage.until(lambda: len(stage.watermarks.marks) == 82)

    assert while_down <= 8
    assert len(slack.asked) == while_down + 41


async def test_the_mark_of_a_channel_that_cannot_be_read_stays(stage: Stage) -> None:
    stage.recent.failures = [CannotTell("no right")] * 2

    async with stage.running():
        await stage.until(lambda: len(stage.recent.asked) == 2)
        stage.clock.advance(60)
        await stage.links.add("acme", (FALCON, _other()), "test")
        await stage.until(lambda: _other() in stage.watermarks.marks)

    assert FALCON not in stage.watermarks.marks


def _other() -> Channel:
    return Channel(Platform.TEAMS, PROJECT.team, "19:random@thread.tacv2")
