"""Erasures while ATOM serves: those cut short, those of backups, and ends of holds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import AtomError
from storage.compliance.erasure.erasing import Eraser

log = structlog.get_logger()

_EVERY = 3600.0  # seconds; a hold's grace is counted in days


@dataclass(frozen=True, slots=True)
class Erasing:
    """Runs until cancelled. `before_serving` is to be called first."""

    eraser: Eraser
    companies: Callable[[], Awaitable[Sequence[str]]]
    every: float = _EVERY

    async def before_serving(self) -> None:
        """Let nothing be read that is on record as erased. Raises if that fails."""
        for company in await self.companies():
            if back := await self.eraser.replay(company):
                log.error("destroyed keys came back", company=company, keys=len(back))

    async def run(self) -> None:
        while True:
            for company in await self._known():
                try:
                    await self.eraser.resume(company)
                    await self.eraser.end_matters(company)
                except AtomError as error:
                    log.warning("erasure waits", company=company, reason=str(error))
            await asyncio.sleep(self.every)

    async def _known(self) -> Sequence[str]:
        try:
            return await self.companies()
        except AtomError as error:
            log.warning("erasure waits", reason=str(error))
            return ()
