"""Runs what looks for approvals of people who left: one process of all does it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from bots.records.log_follower import Holding
from bots.records.rounds import Rounds
from bridge.records.rerouting import Rerouting

_LOOK = 5.0  # seconds
_LEASE = 30.0
_WITHIN = 25.0
_EVERY = 300.0  # approvals may come to wait for somebody who left long ago


@dataclass(frozen=True, slots=True)
class Leaving:
    """
    The directory, as far as it says when to look: its version, None without one, and
    who is gone.
    """

    version: Callable[[str], str | None]
    gone: Callable[[str], frozenset[str]]


@dataclass(slots=True)
class ReroutingLoop:
    """
    Runs until cancelled. `owner` names this process.

    Systems are asked when somebody else has left than before, after a start, until
    everybody was told, and every `every` seconds.
    """

    rerouting: Rerouting
    following: Holding
    tenants: Callable[[], Awaitable[Sequence[str]]]
    leaving: Leaving
    owner: str
    every: float = _EVERY
    steady: Callable[[], float] = monotonic
    _seen: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    _again: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        fault = "approvals of leavers are not looked for"
        await Rounds(self.tenants, self.turn, _LOOK, fault).run()

    async def turn(self, tenant: str) -> None:
        """Look at a company's systems, if it is time, and this process's to do."""
        version = self.leaving.version(tenant)
        if version is None:
            return  # nobody can be told to have left
        if not await self.following.hold(tenant, "orphans", self.owner, _LEASE):
            self._seen.pop(tenant, None)  # whoever takes over looks at everything
            return
        known = self._seen.get(tenant)
        waits = self.steady() < self._again.get(tenant, 0.0)
        if known and known[0] == version and waits:
            return
        gone = self.leaving.gone(tenant)
        if known and known[1] == gone and waits:
            self._seen[tenant] = (version, gone)
            return
        async with asyncio.timeout(_WITHIN):
            whole = await self.rerouting.look(tenant)
        if whole:
            self._seen[tenant] = (version, gone)
            self._again[tenant] = self.steady() + self.every
