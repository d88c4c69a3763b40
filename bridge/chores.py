"""
What deliveries do that carry no content of their own.

They bring about what the log says by then, so they may be repeated, and come late or
out of order.
"""

from typing import Protocol, TypeVar

from bridge.delivery import Copy, Delivery, Post
from bridge.ports import History, Outcome


class Change(Protocol):
    """What is to be brought about. If it shows in the text of `copy`, that is set."""

    @property
    def copy(self) -> Copy | None: ...

    @property
    def story(self) -> History: ...

    @property
    def about(self) -> Delivery:
        """The delivery, as if it were one of the original message's content."""
        ...


Wanted = TypeVar("Wanted", bound=Change)


class Chore(Protocol[Wanted]):
    """A use case of its own behind a kind of delivery."""

    async def plan(self, delivery: Delivery) -> Wanted | str | None:
        """Return what to do, why there is nothing to do, or None to look again."""
        ...

    def ready_us(self, change: Wanted) -> int:
        """Return when to act, in microseconds; the past means now."""
        ...

    async def make(self, change: Wanted, post: Post | None) -> Outcome:
        """Bring it about. `post` is what `change.copy` is to say, if there is one."""
        ...
