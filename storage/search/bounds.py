"""What a part of a search becomes, and what has to be known before it can."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.search.syntax import Condition
from bridge.search.words import Element


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    `sure` implies the part, and the part implies `maybe`.

    `match` is the question to FTS5 that says the same, where there is one, and `unless`
    the one that says the opposite.
    """

    sure: str
    maybe: str
    match: str = ""
    unless: str = ""

    @classmethod
    def exact(cls, sql: str, match: str = "") -> "Bounds":
        return cls(sql, sql, match)

    @property
    def decided(self) -> bool:
        return self.sure == self.maybe


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How a whole search is asked: what FTS5 finds, and what is to hold of that.

    Without `words` everything is looked at. An empty condition always holds.
    """

    sure: str
    maybe: str
    words: str = ""

    @property
    def decided(self) -> bool:
        return self.sure == self.maybe


@dataclass(frozen=True, slots=True)
class Known:
    """
    What has to be known before a search can be SQL.

    `people`, `places` and `messages` are the numbers that a condition's value stands
    for, `words` those that a pattern does. `huge` says that there are texts whose
    words PostgreSQL keeps without their places.
    """

    people: Mapping[Condition, Sequence[int]] = field(default_factory=dict)
    places: Mapping[Condition, Sequence[int]] = field(default_factory=dict)
    messages: Mapping[Condition, Sequence[int]] = field(default_factory=dict)
    words: Mapping[Element, Sequence[str]] = field(default_factory=dict)
    huge: bool = False
