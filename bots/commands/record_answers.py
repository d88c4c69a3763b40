"""What commands about records answer with: a card that the platforms draw themselves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from bridge.cards import Card
from bridge.records.cards import RecordCard
from bridge.records.desk import Found


class Later(Protocol):
    """Gives an answer again, fuller."""

    def __call__(self, *, each: bool) -> AsyncIterator[Card]:
        """With `each`, every time that something comes; else once, at the end."""
        ...


@dataclass(frozen=True, slots=True)
class RecordAnswer(Card):
    """
    A record, or a list of what was found, in place of the card's own text.

    It is drawn already for whoever reads the answer. Whoever cannot draw records shows
    the text, which names none. Where some system is still searching, `later` gives what
    is to stand in the answer's place, for as long as somebody may wait for it.
    """

    record: RecordCard | None = None
    found: Found | None = None
    later: Later | None = field(default=None, compare=False)
