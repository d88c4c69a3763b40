"""Work that goes on whether somebody still waits for it or not."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bridge.errors import AtomError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended(Generic[T]):
    """How a piece of work ended: with a value, or with an error raised on purpose."""

    value: T | None = None
    error: AtomError | None = None


class Errands(Protocol):
    """Runs pieces of work side by side. `bots.records.errands` does it with tasks."""

    async def all(
        self,
        works: Mapping[str, Callable[[], Awaitable[T]]],
        within: float,
        *,
        some: bool = False,
    ) -> Mapping[str, Ended[T]]:
        """
        Run all of them at once and return those that ended within so many seconds.

        With `some`, it returns as soon as one of them has ended.
        What did not end goes on. Work that is under a key already, or ended well under
        it within the last minute, is not begun again: its value is returned.
        """
        ...

    def forget(self, key: str) -> None:
        """Let go of how a piece of work ended: whoever comes now begins it anew."""
        ...
