"""
Watching the machine's clock: if it is set, that is an entry of every log.

The time that passes is known from a clock that nobody sets. If the date moves by more
or less than that, somebody, or NTP, has set it. Nothing depends on it (the log's order
is that of its positions, and its times never go back), but readers of times must know.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import AtomError
from storage.compliance.acts import Act, Acts

log = structlog.get_logger()

_MICRO = 1_000_000
_NOTICEABLE_US = 2 * _MICRO


@dataclass(slots=True)
class ClockWatch:
    """Runs until cancelled. `steady` counts microseconds whatever the date is."""

    acts: Acts
    companies: Callable[[], Awaitable[Sequence[str]]]
    clock: Callable[[], int]
    steady: Callable[[], int]
    every: float = 1.0
    _apart: int | None = None

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except AtomError as error:
                log.warning("a clock's step not written down", reason=str(error))
            await asyncio.sleep(self.every)

    async def look(self) -> None:
        """Compare the clocks; a step that could not be written down is seen again."""
        apart = self.clock() - self.steady()
        step = 0 if self._apart is None else apart - self._apart
        if abs(step) >= _NOTICEABLE_US:
            log.warning("the clock was set", seconds=step // _MICRO)
            word = "forward" if step > 0 else "back"
            text = f"the clock was set {word} by {abs(step) / _MICRO:.0f} s"
            for tenant in await self.companies():
                act = Act(tenant, "clock.step", "atom", text, {"step_us": step})
                await self.acts.note(act)
        self._apart = apart  # what drifts, and is drawn back, is no step
