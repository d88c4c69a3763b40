"""Too many echoes raise an alarm, once as long as it goes on; a few do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bridge.echo_alarm import EchoAlarm
from bridge.errors import StoreUnavailable
from bridge.messages import Channel
from tests.events import FALCON, PROJECT
from tests.fakes import FakeClock


@dataclass
class FakeCut:
    """What was cut, with when; it can be away."""

    clock: FakeClock
    at: dict[Channel, list[int]] = field(default_factory=dict)
    away: bool = False

    async def since(
        self, tenant: str, channels: Sequence[Channel], since_us: int
    ) -> Mapping[Channel, int]:
        if self.away:
            raise StoreUnavailable("down")
        counts = {
            c: [at for at in self.at.get(c, ()) if at > since_us] for c in channels
        }
        return {channel: len(times) for channel, times in counts.items() if times}


@dataclass
class Room:
    """An alarm that remembers what it said."""

    limit: str = "3/60 10/600"
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[tuple[Channel, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cut = FakeCut(self.clock)
        self.alarm = EchoAlarm(
            self.cut,
            self.limit,
            self.clock,
            lambda _tenant, channel, what: self.told.append((channel, what)),
        )

    async def cuts(self, count: int, channel: Channel = FALCON) -> None:
        for _ in range(count):
            self.cut.at.setdefault(channel, []).append(self.clock())
            await self.alarm.heard("acme", channel)


async def test_a_few_echoes_are_nothing_to_speak_of() -> None:
    room = Room()

    await room.cuts(3)
    await room.cuts(3, PROJECT)
    room.clock.advance(120)
    await room.cuts(3)

    assert room.told == []


async def test_too_many_are_told_once_while_it_goes_on_and_again_later() -> None:
    room = Room()

    await room.cuts(8)
    assert room.told == [(FALCON, "4 echoes within 60 seconds")]

    room.clock.advance(120)
    await room.cuts(4)

    assert len(room.told) == 2


async def test_a_slow_drip_is_told_by_the_longer_time() -> None:
    room = Room()

    for _ in range(11):
        await room.cuts(1)
        room.clock.advance(30)

    assert room.told == [(FALCON, "11 echoes within 600 seconds")]


async def test_a_database_that_is_away_keeps_no_message_from_being_taken() -> None:
    room = Room()
    room.cut.away = True
    await room.cuts(4)
    room.cut.away = False

    await room.cuts(1)

    assert room.told == [(FALCON, "5 echoes within 60 seconds")]


@pytest.mark.parametrize(
    ("limit", "count", "found"),
    [("3/60", 3, False), ("3/60", 4, True), ("none", 9, False)],
)
async def test_status_says_whether_they_are_too_many(
    limit: str,
    count: int,
    found: bool,  # noqa: FBT001
) -> None:
    room = Room(limit)

    assert room.alarm.too_many(count) is found
    await room.cuts(count)
    expected = {} if limit == "none" else {FALCON: count}
    assert await room.alarm.lately("acme", [FALCON, PROJECT]) == expected
