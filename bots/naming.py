"""Put together what names people and things across platforms, in little time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from bridge.delivery import Delivery
from bridge.document import Document, Names
from bridge.errors import AtomError
from bridge.identities import Identities, WhoIsWho
from bridge.messages import Person, Platform
from bridge.naming import Naming, NamingBook, Signs, Vocabulary, unasked
from bridge.ports import AccessPolicy, LinkBook
from policy.people import PeopleByAddress

_PATIENCE = 2.0  # seconds that a message waits for what it names
_GLANCE = 0.05  # where somebody kept one waiting just now
_REST = 30.0


class Side(Protocol):
    """What a platform's side has for it."""

    @property
    def identities(self) -> Identities: ...

    @property
    def signs(self) -> Signs: ...

    @property
    def vocabulary(self) -> Vocabulary | None: ...


def naming(
    sides: Mapping[Platform, Side],
    links: LinkBook,
    policy: AccessPolicy | None = None,
    linked: Callable[[WhoIsWho], WhoIsWho] = lambda others: others,
) -> Naming:
    """Return what a courier asks; `linked` is told of people who are linked for sure."""
    who = linked(PeopleByAddress({p: side.identities for p, side in sides.items()}))
    signs = {p: side.signs for p, side in sides.items()}
    words = {p: side.vocabulary for p, side in sides.items() if side.vocabulary}
    return Prompt(NamingBook(who, signs, words, links, policy))


@dataclass(slots=True)
class Prompt:
    """
    Implements `bridge.naming.Naming`: another's answer, or what can be said without.

    Who asked may not wait longer, but the questions go on: what comes of them is there
    for the next message. While a direction is slow, its messages do not wait.
    """

    naming: Naming
    patience: float = _PATIENCE
    now: Callable[[], float] = monotonic
    _slow: dict[tuple[str, str], float] = field(default_factory=dict)

    async def names(
        self,
        delivery: Delivery,
        document: Document,
        people: Mapping[str, Person],
        author: Person,
    ) -> Names:
        direction = (str(delivery.source), str(delivery.target))
        slow = self._slow.get(direction, 0.0) > self.now()
        try:
            async with asyncio.timeout(_GLANCE if slow else self.patience):
                found = await self.naming.names(delivery, document, people, author)
        except TimeoutError:
            self._slow[direction] = self.now() + _REST
        except AtomError:
            pass
        else:
            self._slow.pop(direction, None)
            return found
        return unasked(document, people)
