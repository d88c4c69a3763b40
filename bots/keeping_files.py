"""Keep what people share on record, in the background: no event waits for a file."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from bridge.errors import AtomError
from storage.compliance.blobs.keeper import FileKeeper
from storage.compliance.blobs.kept import Blobs
from storage.courtesy import Courtesy

log = structlog.get_logger()

_SWEEP = 6 * 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class KeepingFiles:
    """
    Runs until cancelled. `companies` returns the companies' ids.

    It looks for work every `beat` seconds, and has `at_once` files under way.
    """

    keeper: FileKeeper
    blobs: Blobs
    companies: Callable[[], Awaitable[Sequence[str]]]
    courtesy: Courtesy = field(default_factory=Courtesy)
    beat: float = 1.0
    at_once: int = 2

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._work())
            group.create_task(self._tidy())

    async def _work(self) -> None:
        while True:
            try:
                await self.courtesy.turn()
                while await self.keeper.next():
                    await self.courtesy.turn()
            except (AtomError, OSError) as error:
                log.warning("files not kept", reason=type(error).__name__)
            except Exception:
                # One file that breaks us must not take the others down with it; it
                # comes up again when its lease ends.
                log.exception("keeping a file broke")
            await asyncio.sleep(self.beat)

    async def _tidy(self) -> None:
        last = monotonic()
        while True:
            await asyncio.sleep(max(last + _SWEEP - monotonic(), 0))
            last = monotonic()
            try:
                for company in await self.companies():
                    await self.blobs.sweep(company)
            except (AtomError, OSError) as error:
                log.warning("files not swept", reason=type(error).__name__)
