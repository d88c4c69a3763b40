"""Accounts and budgets of business systems, each small enough to trust by reading."""

import asyncio
from dataclasses import dataclass, field

from bridge.records.ports import NotConnected, Spent


@dataclass
class FakeAccess:
    """
    An account whose tokens are listed: the next one is given when one is refused.

    Renewing takes a moment, so that others ask meanwhile; `renewals` counts what was
    really renewed.
    """

    account: str = "slack:U02BOB"
    tokens: list[str] = field(default_factory=lambda: ["token-1"])
    renewals: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self) -> str:
        return self.tokens[0]

    async def renewed(self, refused: str) -> str:
        async with self._lock:
            if self.tokens[0] != refused:
                return self.tokens[0]
            await asyncio.sleep(0)
            if len(self.tokens) == 1:
                raise NotConnected("connect the account again")
            self.tokens.pop(0)
            self.renewals += 1
            return self.tokens[0]


@dataclass
class FakeBudget:
    """Counts calls, and refuses them while a pause lasts or when none are left."""

    left: int = 1_000_000
    spent: int = 0
    paused: dict[tuple[str, str], float] = field(default_factory=dict)
    quotas: dict[str, tuple[int, int]] = field(default_factory=dict)

    async def spend(
        self, bucket: str, account: str, *, urgent: bool, calls: int = 1
    ) -> None:
        seconds = self.paused.get((bucket, account), 0.0)
        if seconds or calls > self.left:
            raise Spent("no calls are left", seconds or 60.0)
        self.left -= calls
        self.spent += calls

    async def told(self, bucket: str, used: int, most: int) -> None:
        self.quotas[bucket] = (used, most)

    async def pause(self, bucket: str, account: str, seconds: float) -> None:
        self.paused[bucket, account] = seconds
