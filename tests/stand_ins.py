"""Stand-ins of business systems on a port of their own, and the accounts that ask."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bridge.records.ports import EVERYBODY, NotConnected, Spent
from connectors.sandbox.app import create_app
from connectors.sandbox.stand_in import StandIn


@dataclass
class Told:
    """A running stand-in: what is ordered here happens inside the same process."""

    stand_in: StandIn
    url: str

    def fault(self, kind: str, match: str = "*", **more: Any) -> None:
        self.stand_in.faults.order({"kind": kind, "match": match, **more})

    def calls(self, start: str = "") -> list[str]:
        """Return what was asked so far, as `GET /path`."""
        entries = self.stand_in.journal.all()
        return [each.call for each in entries if each.call.startswith(start)]

    def wire(self) -> str:
        """Return everything that was sent, for searching."""
        return json.dumps(self.stand_in.journal.as_json())


@asynccontextmanager
async def running(stand_in: StandIn) -> AsyncIterator[Told]:
    """Serve a stand-in on loopback, below its name, for as long as the block lasts."""
    runner = web.AppRunner(create_app([stand_in]), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Told(stand_in, f"http://127.0.0.1:{port}/{stand_in.name}")
    finally:
        await runner.cleanup()


@dataclass
class Account:
    """
    Implements `bridge.records.ports.Access` with tokens of a stand-in.

    `renewable` is whether the system still knows the refresh token.
    """

    stand_in: StandIn
    user: str
    account: str = ""
    renewable: bool = True
    renewals: int = 0
    _token: str = ""
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.account = self.account or self.user

    async def token(self) -> str:
        if not self._token:
            self._token = self.stand_in.tokens.issue(self.user).access
        return self._token

    async def renewed(self, refused: str) -> str:
        async with self._alone:
            if refused != self._token:
                return self._token
            if not self.renewable:
                raise NotConnected("connect your account again")
            self.renewals += 1
            self._token = self.stand_in.tokens.issue(self.user).access
            return self._token

    def run_out(self) -> None:
        """Let the token be good no more, without anybody knowing."""
        self.stand_in.tokens.expire(self._token)


@dataclass
class CountingBudget:
    """Implements `bridge.records.ports.Budget` in memory; `left` None is no limit."""

    left: int | None = None
    spent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    quota: dict[str, tuple[int, int]] = field(default_factory=dict)
    paused: dict[tuple[str, str], float] = field(default_factory=dict)

    async def spend(
        self, bucket: str, account: str, *, urgent: bool, calls: int = 1
    ) -> None:
        for who in (account, EVERYBODY):
            if (seconds := self.paused.get((bucket, who))) is not None:
                raise Spent("no more calls for now", seconds)
        if self.left is not None:
            if self.left < calls:
                raise Spent("no more calls today", 3600.0)
            self.left -= calls
        self.spent[account] += calls

    async def search(self, bucket: str, *, urgent: bool) -> float:
        return 0.0

    async def told(self, bucket: str, used: int, most: int) -> None:
        self.quota[bucket] = (used, most)

    async def pause(self, bucket: str, account: str, seconds: float) -> None:
        self.paused[bucket, account] = seconds
