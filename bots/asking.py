"""Ask a platform what is not urgent, without being a burden to it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from bridge.errors import Ambiguous, NotSent, ServiceUnavailable, Throttled

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Asking:
    """
    Asks `at_once` questions at a time, and none of whom asked to wait.

    Who did not answer for another reason is left alone for `rest` seconds.
    """

    rest: float = 0.0
    at_once: int = 8
    now: Callable[[], float] = monotonic
    _until: dict[Hashable, float] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.at_once)

    async def ask(
        self, whom: Hashable, question: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """
        Return the answer to a question, which may be asked again at will.

        `whom` is what shares a limit, such as one method in one workspace. Raises
        `ServiceUnavailable` if there is none, and what else the question raises.
        """
        async with self._turns:
            if self._until.get(whom, 0.0) > self.now():
                raise ServiceUnavailable("It did not answer a moment ago.")
            try:
                return await question()
            except Throttled as error:
                self._until[whom] = self.now() + error.retry_after
                raise ServiceUnavailable(str(error)) from error
            except (NotSent, Ambiguous, ServiceUnavailable) as error:
                self._until[whom] = self.now() + self.rest
                raise ServiceUnavailable(str(error)) from error
