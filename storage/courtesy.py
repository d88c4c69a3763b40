"""Letting those go first who wait for an answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

_MOMENT = 0.01  # seconds
_QUIET = 3  # moments in a row in which nobody has to wait


@dataclass(slots=True)
class Courtesy:
    """
    What work in the background asks before each stretch of it.

    As long as `busy` says that somebody waits for an answer it steps aside, though not
    for longer than `most` seconds.
    """

    busy: Callable[[], bool] = lambda: False
    most: float = 2.0

    async def turn(self, most: float | None = None) -> bool:
        """
        Return when it is quiet, or when it has been waited for long enough.

        False means that somebody waits still: then a short stretch is enough.
        """
        quiet = 0
        for _ in range(int((self.most if most is None else most) / _MOMENT)):
            quiet = 0 if self.busy() else quiet + 1
            if quiet == _QUIET:
                return True
            await asyncio.sleep(_MOMENT)
        return False
