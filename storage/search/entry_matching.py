"""Whether a search finds one entry of the log, asked of the entry alone."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from bridge.errors import BadInput
from bridge.search.fields import DATES, resolved
from bridge.search.grammar import read
from bridge.search.matching import asks_for_words, holds
from bridge.search.syntax import (
    And,
    Anything,
    Condition,
    Expression,
    Not,
    Or,
    Query,
    Span,
    leaves,
)
from bridge.search.words import Elements, index_words
from storage.search.facts import FLAGS, Facts, Who, facts_of

# What only other entries can tell, or what may have another answer tomorrow.
_ELSEWHERE = frozenset({"hold", "label", "dlp"})
_LATER = frozenset({"deleted", "bridged", "held", "reaction", "pin"})


class EntryMatches:
    """
    Implements `bridge.compliance.Matches` with the whole language of the search.

    An entry tells nothing of what came after it, so a query that asks for that is
    refused, and so are dates that move, such as `-7d`: what a hold keeps must not
    depend on when it is asked. A message's entries are asked one by one.
    """

    def check(self, query: str) -> None:
        for leaf in leaves(read(query).expression):
            if isinstance(leaf, Condition):
                _check(leaf)

    def matches(
        self, query: str, row: Mapping[str, Any], body: Mapping[str, Any]
    ) -> bool:
        return _true(_read(query).expression, facts_of(row, body))


def _check(leaf: Condition) -> None:
    said = f"{leaf.field}:{leaf.value}"
    if leaf.field in _ELSEWHERE or (
        leaf.field in {"is", "was", "has"} and leaf.value in _LATER
    ):
        raise BadInput(f"{said} cannot be asked here: it may be otherwise tomorrow")
    if leaf.field in DATES:
        query = Query(leaf)
        if resolved(query, 0) != resolved(query, 10**15):
            raise BadInput(f"{said} cannot be asked here: write the date itself")


@lru_cache(maxsize=256)
def _read(query: str) -> Query:
    return resolved(read(query), 0)


def _true(expression: Expression, facts: Facts) -> bool:
    match expression:
        case And(parts):
            return all(_true(part, facts) for part in parts)
        case Or(parts):
            return any(_true(part, facts) for part in parts)
        case Not(part):
            return not _true(part, facts)
        case Anything():
            return True
        case Span(start_us, end_us):
            return start_us <= facts.sent_us < end_us
        case Condition() if not asks_for_words(expression):
            return _condition(expression, facts)
    return holds(expression, list(facts.words), list(facts.names))


def _condition(  # noqa: C901 - one a field
    condition: Condition, facts: Facts
) -> bool:
    field, value = condition.field, condition.value
    if flag := FLAGS.get((field, value)):
        return bool(facts.flags & flag)
    folded = value.casefold()
    match field:
        case "from":
            return _is_called(condition, facts.author)
        case "to" | "mentions":
            return any(_is_called(condition, who) for who in facts.mentions)
        case "with":
            people = (facts.author, *facts.mentions)
            return any(_is_called(condition, who) for who in people)
        case "in":
            place = folded.removeprefix("#")
            return place in {facts.where.conv.casefold(), str(facts.where).casefold()}
        case "team":
            return folded == facts.where.team.casefold()
        case "platform":
            return value == facts.where.platform
        case "ext" | "type" | "policy":
            return (field, value.lstrip(".")) in facts.values
        case "eid":
            return value == facts.eid
        case "seq":
            first, dots, last = value.partition("..")
            if not dots:
                return facts.seq == int(first)
            return int(first or 0) <= facts.seq <= int(last or facts.seq)
    return (value == "edited") and (facts.rev > 0 or facts.etype == "message.edit")


def _is_called(condition: Condition, who: Who) -> bool:
    value = condition.value.removeprefix("@")
    if value.casefold() in {who.id.casefold(), f"{who.platform}:{who.id}".casefold()}:
        return True
    wild = not condition.literal and ("*" in value or "?" in value)
    try:
        asked = Elements.of(value, wild=wild)
    except BadInput:
        return False
    return next(asked.starts(index_words(who.name)), -1) >= 0
