"""Signing checkpoints while ATOM serves: soon after something is new, and at times."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from bots.metrics import SIGNED
from bridge.delivery import Delivery
from bridge.errors import AtomError, StoreUnavailable
from storage.compliance.proofs.publisher import Publisher
from storage.courtesy import Courtesy

log = structlog.get_logger()

_MANY = 1000
_HOUR = 3600.0


@dataclass(slots=True)
class Checkpointing:
    """
    Runs until cancelled. `committed` is to be called after each commit.

    A log that grew is signed within `soon` seconds, or once it grew by a thousand
    entries; one that did not is signed again every `heartbeat` seconds, so that
    silence means that nobody signs. It steps aside for events, as `courtesy` has it.
    """

    publisher: Publisher
    companies: Callable[[], Awaitable[Sequence[str]]]
    courtesy: Courtesy = field(default_factory=Courtesy)
    soon: float = 1.0
    heartbeat: float = 30.0
    _signed: dict[str, tuple[int, float]] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)
    _many: asyncio.Event = field(default_factory=asyncio.Event)
    _tidied: float = -_HOUR

    def committed(
        self, tenant: str, _first: int, size: int, _queued: tuple[Delivery, ...]
    ) -> None:
        self._sizes[tenant] = size
        if size - self._signed.get(tenant, (0, 0.0))[0] >= _MANY:
            self._many.set()

    async def run(self) -> None:
        while True:
            try:
                await self.round()
            except AtomError as error:
                log.warning("no checkpoints", reason=str(error))
            try:
                async with asyncio.timeout(self.soon):
                    await self._many.wait()
                self._many.clear()
                await asyncio.sleep(self.soon / 5)
            except TimeoutError:
                continue

    async def round(self) -> None:
        """Sign each company's log, if it is time to."""
        heads = await self.publisher.heads()
        tidy = monotonic() - self._tidied >= _HOUR
        for tenant in await self.companies():
            if tidy:
                await self.publisher.thin(tenant)
            size, at = self._signed.get(tenant, (-1, 0.0))
            due = monotonic() - at >= self.heartbeat
            if due or heads.get(tenant, 0) != size:
                await self.courtesy.turn()
                await self._sign(tenant)
        if tidy:
            self._tidied = monotonic()
        if not self._refused:
            SIGNED.set_to_current_time()

    async def _sign(self, tenant: str) -> None:
        refused = ""
        try:
            seen = await self.publisher.publish(tenant)
            self._signed[tenant] = (seen.checkpoint.size, monotonic())
        except StoreUnavailable:
            raise
        except AtomError as error:
            refused = str(error)
        before = self._refused.pop(tenant, "")
        if refused:
            self._refused[tenant] = refused
        if refused and refused != before:
            log.error("checkpoint refused", company=tenant, reason=refused)
        elif before and not refused:
            log.info("checkpoints are signed again", company=tenant)
