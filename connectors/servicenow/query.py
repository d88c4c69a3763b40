"""
Encoded queries that hold nothing but what was meant.

ServiceNow has no way to quote a value: `^` starts another condition, `javascript:` is
evaluated on the instance, and a comma or an `@` splits a list. What cannot be said
safely is therefore refused, never cleaned up into another question.

The instance in turn ignores the parts of a query that it does not understand, and
answers what is left of it: more rows, not fewer. So a `Query` can tell whether a row
is one that was asked for (`keeps`), and every row is checked before it is used.
Source: ServiceNow's documentation, "Operators available for filters and queries".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import BadInput

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,79}(?:\.[a-z][a-z0-9_]{0,79}){0,3}")
_LONGEST = 200  # characters of one value; ids, numbers, names and words are shorter
_STEM = 3  # as many letters of a word have to be found as they are


class Op(StrEnum):
    """How a field is compared. The values are ServiceNow's own."""

    IS = "="
    IS_NOT = "!="
    CONTAINS = "LIKE"
    STARTS = "STARTSWITH"
    ENDS = "ENDSWITH"
    IN = "IN"
    ABOVE = ">"
    FROM = ">="
    BELOW = "<"
    TO = "<="
    EMPTY = "ISEMPTY"
    NOT_EMPTY = "ISNOTEMPTY"


_ORDERED = {Op.ABOVE, Op.FROM, Op.BELOW, Op.TO}
_BARE = {Op.EMPTY, Op.NOT_EMPTY}


def value(text: str) -> str:
    """Return a value that can stand in a query as it is. Raises `BadInput`."""
    if not text.strip() or len(text) > _LONGEST:
        raise BadInput(f"give between 1 and {_LONGEST} characters to look for")
    if "^" in text or not text.isprintable():
        raise BadInput("ServiceNow cannot look for ^ or control characters: leave them")
    if "javascript:" in re.sub(r"\s", "", text.casefold()):
        raise BadInput("ServiceNow cannot look for “javascript:”: leave it out")
    return text


@dataclass(frozen=True, slots=True)
class Condition:
    """
    One comparison. Raises `BadInput` for what could be read as something else.

    `or_else` are alternatives to it, joined by `^OR`.
    """

    field: str
    op: Op
    values: tuple[str, ...] = ()
    or_else: tuple["Condition", ...] = ()

    def __post_init__(self) -> None:
        if not _FIELD.fullmatch(self.field):
            raise BadInput("that is no field's name")
        if self.op in _BARE:
            if self.values:
                raise BadInput("that comparison takes no value")
            return
        if not self.values or (len(self.values) > 1 and self.op is not Op.IN):
            raise BadInput("that comparison takes one value")
        for each in self.values:
            value(each)
            if self.op is Op.IN and "," in each:
                raise BadInput("one of several values cannot hold a comma")
            # IN before STANCEOF would be another operator, and so would
            if self.op is Op.IN and each.casefold().startswith("stanceof"):
                raise BadInput("ServiceNow cannot look for a value like that")
            # `>` before a value that starts with `=` would be another operator.
            if self.op in _ORDERED and not each[0].isalnum() and each[0] != "-":
                raise BadInput("that is no number and no time to compare with")

    @property
    def text(self) -> str:
        own = f"{self.field}{self.op}{','.join(self.values)}"
        return "^OR".join([own, *(each.text for each in self.or_else)])

    @property
    def fields(self) -> frozenset[str]:
        return frozenset({self.field}).union(*(each.fields for each in self.or_else))

    def keeps(self, row: Mapping[str, str]) -> bool:
        """Say whether a row's plain values fit; a field that is not there never does."""
        return self._fits(row) or any(each.keeps(row) for each in self.or_else)

    def _fits(self, row: Mapping[str, str]) -> bool:
        has = row.get(self.field)
        if has is None:
            return False
        if self.op in _BARE:
            return (not has) is (self.op is Op.EMPTY)
        if self.op in _ORDERED:
            wanted = self.values[0].casefold()
            return bool(has) and _ordered(self.op, has.casefold(), wanted)
        return _alike(
            self.op, has.casefold(), [each.casefold() for each in self.values]
        )


@dataclass(frozen=True, slots=True)
class Words:
    """
    A search in the table's text index, which finds other forms of a word too.

    A row is kept if the beginning of every word stands in one of `fields`: what the
    index found elsewhere, as in work notes, would not explain itself to who searches.
    """

    words: tuple[str, ...]
    fields: frozenset[str]

    @classmethod
    def of(cls, text: str, fields: Sequence[str]) -> "Words":
        """Take what somebody typed. Raises `BadInput`."""
        words = tuple(re.findall(r"\w[\w.@'-]*", value(text)))
        if not words:
            raise BadInput("give at least one word to look for")
        return cls(words[:10], frozenset(fields))

    @property
    def text(self) -> str:
        return f"123TEXTQUERY321={' '.join(self.words)}"

    def keeps(self, row: Mapping[str, str]) -> bool:
        found = " ".join(row.get(each, "") for each in self.fields).casefold()
        return all(_stem(word) in found for word in self.words)


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions that all hold, and the order of what is found."""

    conditions: tuple[Condition | Words, ...]
    order: str = ""
    latest_first: bool = False

    def __post_init__(self) -> None:
        if not self.conditions:
            raise BadInput("a query without a condition would return everything")
        if self.order and not _FIELD.fullmatch(self.order):
            raise BadInput("that is no field's name")

    @property
    def text(self) -> str:
        """The query as ServiceNow takes it."""
        parts = [each.text for each in self.conditions]
        if self.order:
            parts.append(f"ORDERBY{'DESC' if self.latest_first else ''}{self.order}")
        return "^".join(parts)

    @property
    def fields(self) -> frozenset[str]:
        """The fields that have to be read for the rows to be checked."""
        return frozenset[str]().union(*(each.fields for each in self.conditions))

    def keeps(self, row: Mapping[str, str]) -> bool:
        """Say whether a row, by its plain values, is one that was asked for."""
        return all(each.keeps(row) for each in self.conditions)


def where(field: str, op: Op, *values: str) -> Condition:
    """Return one comparison; a short way to write it."""
    return Condition(field, op, values)


def _alike(op: Op, has: str, wanted: Sequence[str]) -> bool:
    if op is Op.IN:
        return has in wanted
    one = wanted[0]
    if op is Op.IS:
        return has == one
    if op is Op.IS_NOT:
        return has != one
    if op is Op.STARTS:
        return has.startswith(one)
    if op is Op.ENDS:
        return has.endswith(one)
    return one in has


def _ordered(op: Op, has: str, wanted: str) -> bool:
    """Compare numbers as numbers; times are written so that they sort as text."""
    try:
        sign = float(has) - float(wanted)
    except ValueError:
        sign = (has > wanted) - (has < wanted)
    if op is Op.ABOVE:
        return sign > 0
    if op is Op.FROM:
        return sign >= 0
    return sign < 0 if op is Op.BELOW else sign <= 0


def _stem(word: str) -> str:
    word = word.casefold()
    return word[: max(_STEM, len(word) - 2)]
