"""Asking a platform that wants to be asked slowly."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bridge.errors import ServiceUnavailable, Throttled

_TRIES = 60

T = TypeVar("T")


async def patiently(
    ask: Callable[[], Awaitable[T]], sleep: Callable[[float], Awaitable[None]]
) -> T:
    """
    Ask, wait as long as the platform says, and ask again.

    `sleep` waits seconds. Raises what `ask` raises, and `ServiceUnavailable` when
    the platform never stops asking to wait.
    """
    for _ in range(_TRIES):
        try:
            return await ask()
        except Throttled as throttled:
            await sleep(throttled.retry_after)
    raise ServiceUnavailable("the platform keeps asking to wait")
