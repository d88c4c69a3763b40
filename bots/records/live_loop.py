"""Runs what keeps cards up to date: each business system by itself, so none holds up another."""

import asyncio
from dataclasses import dataclass, field

import structlog

from bridge.errors import AtomError, StoreUnavailable
from bridge.records.agenda import Part
from bridge.records.live import Live

log = structlog.get_logger()

_REST = 1.0  # seconds after which it looks unasked


@dataclass(slots=True)
class LiveLoop:
    """Runs until cancelled. At most one turn of each system is under way."""

    live: Live
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _turns: dict[Part, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.live.wake = self._news.set

    async def run(self) -> None:
        try:
            while True:
                self._news.clear()
                await self._begin()
                try:
                    async with asyncio.timeout(_REST):
                        await self._news.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(0.05)  # what comes together is read together
        finally:
            for turn in self._turns.values():
                turn.cancel()
            await asyncio.gather(*self._turns.values(), return_exceptions=True)

    async def _begin(self) -> None:
        try:
            parts = await self.live.gather()
        except StoreUnavailable as error:
            log.warning("cards are not looked at", reason=str(error))
            return
        now = self.live.clock()
        for part in parts:
            due = self.live.agenda.next_us(part)
            if part in self._turns or due is None or due > now:
                continue
            turn = asyncio.create_task(self._turn(part))
            self._turns[part] = turn
            turn.add_done_callback(lambda _, part=part: self._over(part))  # type: ignore[misc]

    def _over(self, part: Part) -> None:
        self._turns.pop(part, None)
        self._news.set()

    async def _turn(self, part: Part) -> None:
        try:
            await self.live.turn(part)
        except AtomError as error:
            _, system, instance = part
            kind = type(error).__name__
            log.warning("cards wait", system=system, instance=instance, reason=kind)
            await asyncio.sleep(_REST)
        except Exception:  # the outermost frame of this task
            log.exception("cards not looked at")
            await asyncio.sleep(_REST)
