"""
How a search becomes SQL.

Each part becomes two conditions: one that holds only where the part does (`sure`), and
one that holds wherever it may (`maybe`). Where a database decides exactly they are the
same. Where it cannot, what lies between is decided on the words themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.search.matching import asks_for_words, elements, named
from bridge.search.syntax import (
    And,
    Anything,
    Condition,
    Expression,
    Near,
    Not,
    Or,
    Phrase,
    Span,
    Wild,
)
from bridge.search.words import Element, Elements
from storage.search.bounds import Bounds, Known, Plan
from storage.search.facts import FLAGS
from storage.search.tables import FOREVER, Tables

_MOST_STEPS = 64  # of distance that PostgreSQL is asked for one by one
_AT_ONCE = 400  # words in one question to a text index
_MOST_NESTED = 60  # parentheses in one; FTS5 reads no deeper than 100
NEVER, ALWAYS = "(1=0)", "(1=1)"


@dataclass(slots=True)
class Asking:
    """Makes SQL for one company's tables; `parameters` fill as it goes."""

    tables: Tables
    known: Known
    parameters: dict[str, object] = field(default_factory=dict)
    one_by_one: bool = False

    def plan(self, expression: Expression) -> Plan:
        """Return how a whole search is asked; it begins with its words, if it can."""
        parts = expression.parts if isinstance(expression, And) else (expression,)
        # Few messages are left by words: their marks are looked at one by one. Without
        # words everything that has a mark is looked up at once.
        self.one_by_one = self.tables.sqlite and any(map(asks_for_words, parts))
        bounds = self._merged(" AND ", [self.bounds(part) for part in parts])
        first = next((each for each in bounds if each.match), None)
        rest = [each for each in bounds if each is not first]
        return Plan(
            " AND ".join(each.sure for each in rest),
            " AND ".join(each.maybe for each in rest),
            first.match if first else "",
        )

    def bounds(self, expression: Expression) -> Bounds:
        match expression:
            case And(parts):
                return self._joined(" AND ", parts)
            case Or(parts):
                return self._joined(" OR ", parts)
            case Not(part):
                inner = self.bounds(part)
                return Bounds(
                    f"NOT {inner.maybe}", f"NOT {inner.sure}", unless=inner.match
                )
            case Anything():
                return Bounds.exact(ALWAYS)
            case Span(start_us, end_us):
                start, end = self._given(start_us), self._given(end_us)
                return Bounds.exact(f"(d.sent_us >= {start} AND d.sent_us < {end})")
            case Condition() if not asks_for_words(expression):
                return Bounds.exact(self._condition(expression))
        return self.words(expression)

    def words(self, leaf: Expression) -> Bounds:
        """Return the bounds of a leaf that asks for words."""
        match leaf:
            case Phrase() | Wild():
                return self._standing(elements(leaf), ("words", "names"))
            case Condition(_, value, literal):
                return self._standing(named(value, literal=literal), ("names",))
            case Near():
                return self._near(leaf)
        raise TypeError(f"no words are asked for by {type(leaf).__name__}")

    def _joined(self, word: str, parts: Sequence[Expression]) -> Bounds:
        bounds = self._merged(word, [self.bounds(part) for part in parts])
        if len(bounds) == 1:
            return bounds[0]
        return Bounds(
            f"({word.join(each.sure for each in bounds)})",
            f"({word.join(each.maybe for each in bounds)})",
        )

    def _merged(self, word: str, bounds: Sequence[Bounds]) -> Sequence[Bounds]:
        """
        Make one question of those that FTS5 answers.

        It goes through lists side by side; SQL would make a table of each of them.
        """
        asked = [each for each in bounds if each.match]
        refused = [each for each in bounds if each.unless and word == " AND "]
        if not asked or len(asked) + len(refused) < 2:  # noqa: PLR2004
            return bounds
        query = word.join(f"({each.match})" for each in asked)
        if refused:
            without = " OR ".join(f"({each.unless})" for each in refused)
            query = f"({query}) NOT ({without})"
        if query.count("(") > _MOST_NESTED:
            return bounds
        rest = [each for each in bounds if each not in asked + refused]
        return [self._found_by(query), *rest]

    def _found_by(self, query: str) -> Bounds:
        return Bounds.exact(self._match(query, ("words", "names")), query)

    def inside(self, places: Sequence[int]) -> str:
        """Return the condition that a message or a copy of it stands in a place."""
        return self._in(places)

    def deleted(self) -> str:
        return self._marked("deleted")

    # Words

    def _standing(self, asked: Elements, columns: Sequence[str]) -> Bounds:
        patterns = [place for place in asked.places if place.pattern]
        if not patterns and (self._has_prefix_last(asked) or not self.tables.sqlite):
            query = self._phrase(asked)
            return self._placed(asked, query, columns)
        if len(asked.places) == 1:
            words = self.known.words[patterns[0]]
            if self.tables.sqlite and 0 < len(words) <= _AT_ONCE:
                query = " OR ".join(self._one(Element(word)) for word in words)
                return self._found_by(_within(query, columns))
            return Bounds.exact(self._any_of(words, columns))
        return Bounds(NEVER, self._all_of(asked.places, columns))

    def _placed(self, asked: Elements, query: str, columns: Sequence[str]) -> Bounds:
        if self.tables.sqlite:
            return self._found_by(_within(query, columns))
        sure = self._match(query, columns)
        if not self.known.huge:
            return Bounds.exact(sure)
        return self._huge(sure, asked.places, columns)

    def _huge(
        self, sure: str, places: Sequence[Element], columns: Sequence[str]
    ) -> Bounds:
        together = self._all_of(places, columns)
        return Bounds(
            f"(d.huge = 0 AND {sure})",
            f"({sure} OR (d.huge > 0 AND (d.huge = 2 OR {together})))",
        )

    def _near(self, near: Near) -> Bounds:
        left, right = elements(near.left), elements(near.right)
        both = (*left.places, *right.places)
        columns = ("words", "names")
        if any(place.pattern for place in both):
            return Bounds(NEVER, self._all_of(both, columns))
        if self.tables.sqlite:
            return self._near_in_file(near, left, right)
        if near.distance > _MOST_STEPS:
            together = self._all_of(both, columns)
            either = f"({together} OR d.huge = 2)" if self.known.huge else together
            return Bounds(NEVER, either)
        ways = [(left, right)] if near.ordered else [(left, right), (right, left)]
        query = " | ".join(
            f"(({self._phrase(one)}) <{1 + one.tail + gap}> ({self._phrase(other)}))"
            for one, other in ways
            for gap in range(near.distance + 1)
        )
        sure = self._match(query, columns)
        if not self.known.huge:
            return Bounds.exact(sure)
        return self._huge(sure, both, columns)

    def _near_in_file(self, near: Near, left: Elements, right: Elements) -> Bounds:
        columns = ("words", "names")
        if not (self._has_prefix_last(left) and self._has_prefix_last(right)):
            together = self._all_of((*left.places, *right.places), columns)
            return Bounds(NEVER, together)
        reach = near.distance + max(left.tail, right.tail)
        query = f"NEAR({self._phrase(left)} {self._phrase(right)}, {reach})"
        maybe = self._match(query, columns)
        # FTS5 knows no order, and lets one word stand for both.
        clear = not near.ordered and reach == near.distance
        if clear and not _may_share(left.places, right.places):
            return self._found_by(query)
        if left == right == Elements((word := left.places[0],)) and not word.prefix:
            return Bounds.exact(self._twice(word.text, near.distance))
        return Bounds(NEVER, maybe)

    def _twice(self, word: str, distance: int) -> str:
        """Return the condition that a word stands twice with so few others between."""
        t = self.tables
        return (
            "d.seq IN (SELECT doc FROM (SELECT doc, offset - lag(offset) OVER (PARTITION "
            f"BY doc, col ORDER BY offset) AS apart FROM {t.spots} WHERE term = "
            f"{self._given(word)}) WHERE apart <= {distance + 1})"
        )

    def _has_prefix_last(self, asked: Elements) -> bool:
        """Whether there is no prefix, or only as the last word: FTS5 takes no other."""
        return not any(place.prefix for place in asked.places[:-1])

    def _phrase(self, asked: Elements) -> str:
        if self.tables.sqlite:
            words = " ".join(place.text for place in asked.places)
            return f'"{words}"{" *" if asked.places[-1].prefix else ""}'
        return " <-> ".join(map(self._one, asked.places))

    def _one(self, place: Element) -> str:
        if self.tables.sqlite:
            return f'"{place.text}"{" *" if place.prefix else ""}'
        return f"'{place.text}'{':*' if place.prefix else ''}"

    def _all_of(self, places: Sequence[Element], columns: Sequence[str]) -> str:
        """Return the condition that every place's word is there, wherever."""
        parts = []
        for place in dict.fromkeys(places):
            if place.pattern:
                parts.append(self._any_of(self.known.words[place], columns))
            else:
                parts.append(self._match(self._one(place), columns))
        return f"({' AND '.join(parts)})"

    def _any_of(self, words: Sequence[str], columns: Sequence[str]) -> str:
        if not words:
            return NEVER
        join = " OR " if self.tables.sqlite else " | "
        parts = [
            self._match(
                join.join(self._one(Element(w)) for w in words[n : n + _AT_ONCE]),
                columns,
            )
            for n in range(0, len(words), _AT_ONCE)
        ]
        return f"({' OR '.join(parts)})"

    def _match(self, query: str, columns: Sequence[str]) -> str:
        t = self.tables
        if t.sqlite:
            asked = f"SELECT rowid FROM {t.text} WHERE {t.text} MATCH"
            return f"d.seq IN ({asked} {self._given(_within(query, columns))})"
        given = self._given(query)
        parts = (f"d.{column} @@ {given}::text::tsquery" for column in columns)
        return f"({' OR '.join(parts)})"

    # Everything else

    def _condition(self, condition: Condition) -> str:  # noqa: C901 - one a field
        field_, value = condition.field, condition.value
        if flag := FLAGS.get((field_, value)):
            return f"(d.flags & {flag} > 0)"
        match field_:
            case "from":
                return _among("d.who", self.known.people[condition])
            case "mentions" | "to":
                return self._mentions(condition)
            case "with":
                who = _among("d.who", self.known.people[condition])
                return f"({who} OR {self._mentions(condition)})"
            case "in" | "team":
                return self._in(self.known.places[condition])
            case "platform":
                return _among("d.place", self.known.places[condition])
            case "label" | "hold":
                return _among("d.message", self.known.messages[condition])
            case "ext" | "type" | "policy":
                return self._value(field_, value.lstrip("."))
            case "dlp":
                return self._marked("dlp", value, now=False)
            case "eid":
                return f"(d.eid = {self._given(value)})"
            case "seq":
                return self._positions(value)
        return self._state(field_, value, condition)

    def _state(self, field_: str, value: str, condition: Condition) -> str:
        match (field_, value):
            case ("is", "deleted"):
                return self._marked("deleted")
            case ("was", "deleted"):
                return self._marked("deleted", now=False)
            case ("is" | "was", "edited"):
                return self._marked("edited", now=False)
            case ("is", "bridged"):
                return self._marked("copied", now=False)
            case ("has", "reaction"):
                return self._marked("reaction")
            case ("has", "pin"):
                return self._marked("pin")
            case ("is", "held"):
                return _among("d.message", self.known.messages[condition])
        raise TypeError(f"{field_}: is not known to the index")

    def _marked(self, kind: str, value: str = "", *, now: bool = True) -> str:
        """Return the condition that a mark was there; with `now`, that it still is."""
        t = self.tables
        also = f"AND m.value = {self._given(value)} " if value else ""
        still = "AND m.until_seq >= :size" if now else ""
        if self.one_by_one:
            return (
                f"(EXISTS (SELECT 1 FROM {t.mark} m WHERE m.message = d.message "
                f"AND m.kind = '{kind}' {also}AND m.from_seq < :size {still}))"
            )
        return (
            f"(d.message IN (SELECT m.message FROM {t.mark} m WHERE {t.of('m')}"
            f"m.kind = '{kind}' {also}AND m.from_seq < :size {still}))"
        )

    def _mentions(self, condition: Condition) -> str:
        people = self.known.people[condition]
        return self._valued("mention", [str(n) for n in people])

    def _value(self, kind: str, value: str) -> str:
        return self._valued(kind, [value])

    def _valued(self, kind: str, values: Sequence[str]) -> str:
        if not values:
            return NEVER
        t = self.tables
        return (
            f"(d.seq IN (SELECT v.seq FROM {t.value} v WHERE {t.of('v')}"
            f"v.kind = '{kind}' AND v.value IN ({self._list(values)})))"
        )

    def _in(self, places: Sequence[int]) -> str:
        """A message is in the channel where it was said, and in those of its copies."""
        if not places:
            return NEVER
        t = self.tables
        copies = (
            f"SELECT m.message FROM {t.mark} m WHERE {t.of('m')}m.kind = 'copy' "
            f"AND m.value IN ({self._list([str(n) for n in places])}) "
            "AND m.from_seq < :size AND m.until_seq >= :size"
        )
        return f"({_among('d.place', places)} OR d.message IN ({copies}))"

    def _positions(self, value: str) -> str:
        first, dots, last = value.partition("..")
        if not dots:
            return f"(d.seq = {int(first)})"
        return f"(d.seq BETWEEN {int(first or 0)} AND {int(last or FOREVER)})"

    def _list(self, values: Sequence[str]) -> str:
        return ", ".join(self._given(value) for value in values)

    def _given(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return (
            f":{name}"
            if self.tables.sqlite or isinstance(value, str)
            else f":{name}::bigint"
        )


def _within(query: str, columns: Sequence[str]) -> str:
    """Return FTS5's question within columns."""
    return query if len(columns) > 1 else f"{{{columns[0]}}} : ({query})"


def _among(column: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return NEVER
    return f"({column} IN ({', '.join(map(str, numbers))}))"


def _may_share(left: Sequence[Element], right: Sequence[Element]) -> bool:
    """Whether one word could be a part of both."""
    return any(
        one.fits(other.text) or other.fits(one.text) for one in left for other in right
    )
