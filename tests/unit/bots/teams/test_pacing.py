"""What ATOM says in Teams by itself takes turns with the deliveries of a channel."""

from dataclasses import dataclass, field, replace

import pytest

from bots.teams.pacing import Pacing
from bridge.errors import Throttled
from bridge.limits import Limits
from bridge.messages import Channel, Platform
from storage.limiter import LocalLimiter
from tests.fakes import FakeClock

TENANT, ACCOUNT = "acme", "7e4a4700-0000-4000-8000-000000000001"
HERE = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:falcon@thread.tacv2")
ELSEWHERE = replace(HERE, id="19:random@thread.tacv2")
LIMITS = Limits(teams_channel="2/1 3/5", teams_tenant="100/1", margin_us=0)


@dataclass
class Owners:
    """Knows one company."""

    async def tenant_of(self, _platform: Platform, account: str) -> str | None:
        return TENANT if account == ACCOUNT else None


@dataclass
class Teams:
    """Takes what is said, and notes when; answers with the `refusals` first."""

    clock: FakeClock = field(default_factory=FakeClock)
    refusals: list[Throttled] = field(default_factory=list)
    said: list[int] = field(default_factory=list)
    limiter: LocalLimiter = field(init=False)
    pacing: Pacing = field(init=False)

    def __post_init__(self) -> None:
        self.limiter = LocalLimiter(self.clock)
        self.began = self.clock()
        self.pacing = Pacing(Owners(), self.seconds, self.sleep, self.limiter, LIMITS)

    def seconds(self) -> float:
        return self.clock() / 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def say(
        self, where: Channel = HERE, account: str = ACCOUNT, within: float = 10.0
    ) -> str:
        return await self.pacing.turn(account, where, self._hear, within)

    async def deliver(self) -> bool:
        """Count a delivery, as a worker does; says whether there was room for it."""
        return await self.limiter.reserve(LIMITS.spoken(TENANT, HERE)) is None

    async def _hear(self) -> str:
        if self.refusals:
            raise self.refusals.pop()
        self.said.append((self.clock() - self.began) // 1_000_000)
        return "stands"


async def test_answers_and_deliveries_count_together() -> None:
    teams = Teams()

    assert await teams.deliver()
    assert [await teams.say() for _ in range(3)] == ["stands"] * 3
    assert [await teams.deliver() for _ in range(2)] == [True, False]

    assert teams.said == [0, 1, 5]
    await teams.say(ELSEWHERE)
    assert teams.said == [0, 1, 5, 5]


async def test_what_would_wait_for_long_is_not_sent() -> None:
    teams = Teams()
    for _ in range(3):
        await teams.say()

    with pytest.raises(Throttled) as asked:
        await teams.say(within=1.0)

    assert asked.value.retry_after == pytest.approx(4.0)
    assert len(teams.said) == 3


async def test_a_channel_that_asks_for_a_pause_is_left_alone_by_everybody() -> None:
    teams = Teams(refusals=[Throttled("wait", 3.0)])

    assert await teams.say() == "stands"

    assert teams.said == [3]
    teams.refusals.append(Throttled("wait", 60.0))
    with pytest.raises(Throttled):
        await teams.say()
    assert not await teams.deliver()
    teams.clock.advance(30)
    with pytest.raises(Throttled):
        await teams.say()
    assert teams.said == [3]


async def test_who_is_no_companys_is_answered_at_once() -> None:
    teams = Teams()

    assert [await teams.say(account="strange") for _ in range(4)] == ["stands"] * 4
    assert teams.said == [0] * 4
