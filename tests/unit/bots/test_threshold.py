"""A channel is looked at before it becomes part of a link."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from bots.threshold import Threshold
from bridge.errors import Refused
from bridge.holds import Cause, Condition
from bridge.messages import Channel
from tests.events import FALCON, PROJECT
from tests.fakes import FakeAnnouncer


@dataclass
class FakeProber:
    answer: Condition = field(default_factory=Condition)

    async def condition(self, channel: Channel) -> Condition:
        return self.answer


@dataclass
class FakeHolds:
    standing: dict[Channel, set[Cause]] = field(default_factory=dict)

    async def place(self, tenant: str, channel: Channel, cause: Cause) -> None:
        self.standing.setdefault(channel, set()).add(cause)

    async def settle(
        self, tenant: str, channel: Channel, causes: Collection[Cause]
    ) -> None:
        self.standing[channel] = set(causes)


@dataclass
class Stage:
    holds: FakeHolds = field(default_factory=FakeHolds)
    announcer: FakeAnnouncer = field(
        default_factory=lambda: FakeAnnouncer({FALCON: "#falcon"})
    )

    async def check(self, answer: Condition, channel: Channel = FALCON) -> set[Cause]:
        platform = channel.platform
        threshold = Threshold(
            {platform: FakeProber(answer)}, {platform: self.announcer}, self.holds
        )
        await threshold.check("acme", channel)
        return self.holds.standing[channel]


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_a_channel_that_takes_posts_may_be_linked(stage: Stage) -> None:
    assert await stage.check(Condition()) == set()


async def test_a_channel_that_cannot_be_read_is_refused_in_one_line(
    stage: Stage,
) -> None:
    with pytest.raises(Refused) as archived:
        await stage.check(Condition(frozenset({Cause.ARCHIVED})))
    with pytest.raises(Refused) as hidden:
        await stage.check(Condition(frozenset({Cause.ABSENT}), vague=True))

    said = "Nothing was linked: #falcon (Slack) is archived."
    assert str(archived.value) == said
    assert "ATOM is not in #falcon (Slack)" in str(hidden.value)


async def test_a_channel_that_atom_may_join_is_no_obstacle(stage: Stage) -> None:
    assert await stage.check(Condition(frozenset({Cause.ABSENT}))) == set()


async def test_outsiders_hold_a_channel_before_it_is_linked(stage: Stage) -> None:
    shared = Condition(frozenset({Cause.EXTERNAL}))

    assert await stage.check(shared) == {Cause.EXTERNAL}


async def test_what_works_less_well_is_said_at_once(stage: Stage) -> None:
    await stage.check(Condition(limits=("ATOM hears little here.",)), PROJECT)

    [(channel, card)] = stage.announcer.announced
    assert (channel, card.text) == (PROJECT, "ATOM hears little here.")
