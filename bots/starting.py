"""A start waits for a database that is there, and in which somebody holds a lock."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

import structlog

from bridge.errors import StoreUnavailable

log = structlog.get_logger()

T = TypeVar("T")

_PATIENCE = 60.0  # seconds
_PAUSE = 0.5


async def once_it_answers(step: Callable[[], Awaitable[T]]) -> T:
    """
    Take a step of the start, which may be taken again if the database did not answer.

    Another process may have been frozen while it held a lock. Whoever starts meanwhile
    is not to end for that: nobody might start it again. After a minute it raises
    `StoreUnavailable`.
    """
    until = monotonic() + _PATIENCE
    while True:
        try:
            return await step()
        except StoreUnavailable as error:
            if monotonic() > until:
                raise
            log.warning("the start waits for the database", reason=str(error))
        await asyncio.sleep(_PAUSE)
