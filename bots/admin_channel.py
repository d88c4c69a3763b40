"""The channel in which admins are told of what waits for them."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.errors import AtomError
from bridge.messages import Channel

log = structlog.get_logger()

LOOK = 5.0  # seconds


async def keep_telling(
    channel: str, tell: Callable[[Channel], Awaitable[None]], look: float
) -> None:
    """Tell of what is new every `look` seconds; with no channel there is nothing to do."""
    if not channel:
        return
    where = Channel.parse(channel)
    while True:
        try:
            await tell(where)
        except AtomError as error:
            log.warning("admins were not told", reason=str(error))
        await asyncio.sleep(look)
