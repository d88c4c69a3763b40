"""Bring histories across in the background, one at a time and company by company."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import AtomError, CannotTell, Refused
from bridge.history import Historian, Wish, Wishes

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Backfilling:
    """
    Runs until cancelled. `companies` returns the companies' ids.

    It looks for wishes every `beat` seconds; one that cannot be fulfilled now is
    taken up again when its lease has run out, by whichever process is first.
    """

    historian: Historian
    wishes: Wishes
    companies: Callable[[], Awaitable[Sequence[str]]]
    beat: float = 1.0

    async def run(self) -> None:
        while True:
            try:
                for company in await self.companies():
                    while wish := await self.wishes.claim(
                        company, self.historian.lease_us
                    ):
                        await self._bring(wish)
            except AtomError as error:
                log.warning("histories not looked for", reason=str(error))
            await asyncio.sleep(self.beat)

    async def _bring(self, wish: Wish) -> None:
        told = {"platform": wish.source.platform, "channel": wish.source.id}
        try:
            outcome = await self.historian.bring(wish)
        except (CannotTell, Refused) as error:
            log.warning("history cannot be read", **told, reason=str(error))
            outcome = f"cannot be read: {error}"
        except AtomError as error:
            log.warning("history interrupted", **told, reason=str(error))
            return
        await self.wishes.close(wish, outcome)
        log.info("history brought across", **told)
