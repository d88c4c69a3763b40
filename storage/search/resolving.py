"""What has to be looked up before a search can be SQL: people, places, patterns."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Protocol

from bridge.errors import BadInput
from bridge.messages import Channel, Platform
from bridge.search.matching import asks_for_words, elements, named
from bridge.search.syntax import (
    And,
    Condition,
    Expression,
    Near,
    Not,
    Or,
    Wild,
    both,
    either,
    leaves,
    opposite,
)
from bridge.search.words import Element, Elements, index_words
from storage.hot import Statement
from storage.search.bounds import Known
from storage.search.facts import Where, Who
from storage.search.index import SearchIndex
from storage.search.tables import Tables

_PEOPLE = frozenset({"from", "to", "with", "mentions"})
_PLACES = frozenset({"in", "team", "platform"})
_BATCH = 500

Names = Callable[[Sequence[Channel]], Awaitable[Mapping[Channel, str]]]
"""Returns what channels are called, by their address; the unknown are left out."""


async def nameless(_channels: Sequence[Channel]) -> Mapping[Channel, str]:
    """Know no channel's name: they can be asked for by their ids alone."""
    return {}


class Matters(Protocol):
    """What is held, as searches: what holds are about, in the words of a search."""

    async def queries(self, tenant: str) -> Mapping[str, Expression]:
        """Return what each matter that still holds is about, by its id."""
        ...


class Labels(Protocol):
    """Which messages have a label."""

    async def labelled(self, tenant: str, label: str) -> Sequence[tuple[str, str]]:
        """Return the channel ids and message ids under a label."""
        ...


@dataclass(frozen=True, slots=True)
class _Person:
    number: int
    who: Who
    words: list[str]


@dataclass(slots=True)
class Resolver:
    """
    Looks up what a search names, in one company's index.

    `expansions` say, after `known`, how many words each pattern stood for.
    """

    index: SearchIndex
    names: Names = nameless
    matters: Matters | None = None
    labels: Labels | None = None
    _people: dict[str, dict[int, _Person]] = field(default_factory=dict)

    async def known(
        self, tenant: str, expression: Expression
    ) -> tuple[Known, Mapping[str, int]]:
        """Return what the expression's leaves stand for, and its patterns' counts."""
        people: dict[Condition, Sequence[int]] = {}
        places: dict[Condition, Sequence[int]] = {}
        messages: dict[Condition, Sequence[int]] = {}
        words: dict[Element, Sequence[str]] = {}
        counts: dict[str, int] = {}
        for leaf in dict.fromkeys(leaves(expression)):
            if asks_for_words(leaf):
                await self._patterns(tenant, leaf, words, counts)
            elif not isinstance(leaf, Condition):
                continue
            elif leaf.field in _PEOPLE:
                people[leaf] = await self._whom(tenant, leaf)
            elif leaf.field in _PLACES:
                places[leaf] = await self._where(tenant, leaf)
            elif leaf.field == "label":
                messages[leaf] = await self._labelled(tenant, leaf.value)
        huge = await self._huge(tenant)
        return Known(people, places, messages, words, huge=huge), counts

    async def unfolded(self, tenant: str, expression: Expression) -> Expression:
        """Return the expression with what is held in place of `is:held` and `hold:`."""
        if not any(_about_holds(leaf) for leaf in leaves(expression)):
            return expression
        if self.matters is None:
            raise BadInput("holds are not known here: leave is:held and hold: out")
        held = await self.matters.queries(tenant)
        return _unfolded(expression, held)

    def forget(self, tenant: str) -> None:
        """Keep no names that the index may have forgotten."""
        self._people.pop(tenant, None)

    async def numbers(self, tenant: str, channels: Sequence[Channel]) -> list[int]:
        """Return the index's numbers of channels; one without messages has none."""
        wanted = {str(channel) for channel in channels}
        return [
            n for n, where in await self._all_places(tenant) if str(where) in wanted
        ]

    async def _whom(self, tenant: str, leaf: Condition) -> Sequence[int]:
        wild = not leaf.literal and ("*" in leaf.value or "?" in leaf.value)
        value = leaf.value.removeprefix("@")
        try:
            asked = Elements.of(value, wild=wild)
        except BadInput:
            if wild:
                raise
            asked = None
        exact = value.casefold()
        found = []
        for person in await self._everybody(tenant):
            who = person.who
            if exact in {who.id.casefold(), f"{who.platform}:{who.id}".casefold()} or (
                asked and next(asked.starts(person.words), -1) >= 0
            ):
                found.append(person.number)
        return found

    async def _everybody(self, tenant: str) -> Sequence[_Person]:
        t, known = self._tables(tenant), self._people.setdefault(tenant, {})
        newest = max(known, default=0)
        rows = await self.index.ask(
            Statement(
                f"SELECT w.n, w.platform, w.id, w.name FROM {t.who} w WHERE {t.of('w')}"
                "w.n > :newest",
                {"tenant": tenant, "newest": newest},
            )
        )
        for n, platform, id_, name in rows:
            known[n] = _Person(n, Who(platform, id_, name), index_words(name))
        return list(known.values())

    async def _where(self, tenant: str, leaf: Condition) -> Sequence[int]:
        places = await self._all_places(tenant)
        value = leaf.value.casefold()
        match leaf.field:
            case "platform":
                return [n for n, where in places if where.platform == value]
            case "team":
                return [n for n, where in places if where.team.casefold() == value]
        value = value.removeprefix("#")
        found = [
            n
            for n, where in places
            if value in {where.conv.casefold(), str(where).casefold()}
        ]
        return found or await self._called(places, leaf)

    async def _called(
        self, places: Sequence[tuple[int, Where]], leaf: Condition
    ) -> Sequence[int]:
        channels = {
            Channel(Platform(where.platform), where.team, where.conv): n
            for n, where in places
            if where.platform in set(Platform)
        }
        names = await self.names(list(channels))
        wild = not leaf.literal and ("*" in leaf.value or "?" in leaf.value)
        value = leaf.value.removeprefix("#").casefold()
        fits = re.compile(translate(value)) if wild else None
        return [
            channels[channel]
            for channel, name in names.items()
            if (
                fits.fullmatch(name.removeprefix("#").casefold())
                if fits
                else name.removeprefix("#").casefold() == value
            )
        ]

    async def _all_places(self, tenant: str) -> Sequence[tuple[int, Where]]:
        t = self._tables(tenant)
        rows = await self.index.ask(
            Statement(
                "SELECT p.n, p.platform, p.team, p.conv "
                f"FROM {t.place} p WHERE {t.of('p')}1 = 1",
                {"tenant": tenant},
            )
        )
        return [(n, Where(platform, team, conv)) for n, platform, team, conv in rows]

    async def _labelled(self, tenant: str, label: str) -> Sequence[int]:
        if self.labels is None:
            raise BadInput("labels are not known here: leave label: out")
        t, found = self._tables(tenant), await self.labels.labelled(tenant, label)
        messages: list[int] = []
        for first in range(0, len(found), _BATCH):
            some = found[first : first + _BATCH]
            given = {f"c{n}": conv for n, (conv, _) in enumerate(some)}
            given |= {f"m{n}": msg for n, (_, msg) in enumerate(some)}
            pairs = ", ".join(f"(:c{n}, :m{n})" for n in range(len(some)))
            rows = await self.index.ask(
                Statement(
                    f"SELECT DISTINCT d.message FROM {t.doc} d JOIN {t.place} p ON "
                    f"{t.of('p')}p.n = d.place WHERE {t.of('d')}(p.conv, d.msg) IN "
                    f"(VALUES {pairs})",
                    {"tenant": tenant, **given},
                )
            )
            messages += [message for (message,) in rows]
        return messages

    async def _patterns(
        self,
        tenant: str,
        leaf: Expression,
        words: dict[Element, Sequence[str]],
        counts: dict[str, int],
    ) -> None:
        for said, element in _wildcards(leaf):
            if element.pattern and element not in words:
                words[element] = await self._fitting(tenant, element)
            if element.pattern:
                counts[said] = len(words[element])
            else:
                counts[said] = await self._beginning(tenant, element.text)

    async def _fitting(self, tenant: str, element: Element) -> Sequence[str]:
        start = re.split(r"[*?]", element.text, maxsplit=1)[0]
        words = await self._between(tenant, start)
        return [word for word in words if element.fits(word)]

    async def _between(self, tenant: str, start: str) -> Sequence[str]:
        table, column = self._vocabulary(tenant)
        t = self._tables(tenant)
        rows = await self.index.ask(
            Statement(
                f"SELECT w.{column} FROM {table} w WHERE {t.of('w')}w.{column} >= :first "
                f"AND w.{column} < :last",
                {"tenant": tenant, "first": start, "last": after(start)},
            )
        )
        return [word for (word,) in rows]

    async def _beginning(self, tenant: str, start: str) -> int:
        table, column = self._vocabulary(tenant)
        t = self._tables(tenant)
        rows = await self.index.ask(
            Statement(
                f"SELECT count(*) FROM {table} w WHERE {t.of('w')}w.{column} >= :first "
                f"AND w.{column} < :last",
                {"tenant": tenant, "first": start, "last": after(start)},
            )
        )
        return int(rows[0][0])

    def _vocabulary(self, tenant: str) -> tuple[str, str]:
        t = self._tables(tenant)
        return (t.words, "term") if t.sqlite else (t.word, "word")

    async def _huge(self, tenant: str) -> bool:
        t = self._tables(tenant)
        if t.sqlite:
            return False  # FTS5 keeps every place of every word
        rows = await self.index.ask(
            Statement(
                f"SELECT 1 FROM {t.doc} d WHERE {t.of('d')}d.huge > 0 LIMIT 1",
                {"tenant": tenant},
            )
        )
        return bool(rows)

    def _tables(self, tenant: str) -> Tables:
        return self.index.keeper.tables(tenant)


def after(start: str) -> str:
    """Return the first text that follows everything that begins with `start`."""
    return start + "\U0010ffff"


def _wildcards(leaf: Expression) -> Sequence[tuple[str, Element]]:
    match leaf:
        case Wild(pattern):
            places = elements(leaf).places
        case Near(left, right):
            return [*_wildcards(left), *_wildcards(right)]
        case Condition("filename", value, literal):
            pattern, places = value, named(value, literal=literal).places
        case _:
            return []
    return [(pattern, place) for place in places if place.prefix or place.pattern]


def _about_holds(leaf: Expression) -> bool:
    return isinstance(leaf, Condition) and (
        leaf.field == "hold" or (leaf.field, leaf.value) == ("is", "held")
    )


def _unfolded(expression: Expression, held: Mapping[str, Expression]) -> Expression:
    match expression:
        case And(parts):
            return both(*(_unfolded(part, held) for part in parts))
        case Or(parts):
            return either(*(_unfolded(part, held) for part in parts))
        case Not(part):
            return opposite(_unfolded(part, held))
        case Condition("is", "held"):
            return either(*held.values()) if held else _NOTHING
        case Condition("hold", value):
            return held.get(value, _NOTHING)
    return expression


_NOTHING: Expression = Condition("seq", "1..0")
