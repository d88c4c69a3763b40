"""What commands about records answer with: a card that the platforms draw themselves."""

from dataclasses import dataclass

from bridge.cards import Card
from bridge.records.cards import RecordCard
from bridge.records.desk import Found


@dataclass(frozen=True, slots=True)
class RecordAnswer(Card):
    """
    A record, or a list of what was found, in place of the card's own text.

    It is drawn already for whoever reads the answer. Whoever cannot draw records shows
    the text, which names none.
    """

    record: RecordCard | None = None
    found: Found | None = None
