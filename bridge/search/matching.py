"""Whether words stand in a text: what a search asks, of one text at a time."""

from functools import lru_cache

from bridge.errors import BadInput
from bridge.search.syntax import Condition, Expression, Near, Operand, Phrase, Wild
from bridge.search.words import Elements, is_near


def asks_for_words(leaf: Expression) -> bool:
    """Whether the leaf is about words, and not about who, where or when."""
    if isinstance(leaf, Condition):
        return leaf.field == "filename"
    return isinstance(leaf, Phrase | Wild | Near)


def holds(leaf: Expression, text: list[str], names: list[str]) -> bool:
    """Say whether a leaf that asks for words is true of a text and its files' names."""
    match leaf:
        case Phrase() | Wild():
            found = elements(leaf)
            return any(next(found.starts(row), -1) >= 0 for row in (text, names))
        case Near(left, right, distance, ordered):
            one, other = elements(left), elements(right)
            return any(
                is_near(one, other, row, distance, ordered=ordered)
                for row in (text, names)
            )
        case Condition("filename", value, literal):
            found = named(value, literal=literal)
            return next(found.starts(names), -1) >= 0
    raise BadInput("this does not ask for words")


@lru_cache(maxsize=512)
def elements(operand: Operand) -> Elements:
    """Return an operand place by place."""
    if isinstance(operand, Wild):
        return Elements.of(operand.pattern, wild=True)
    return Elements.of(operand.text)


@lru_cache(maxsize=512)
def named(value: str, *, literal: bool) -> Elements:
    """Return what `filename:` asks for, place by place."""
    return Elements.of(value, wild=not literal and ("*" in value or "?" in value))
