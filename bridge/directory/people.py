"""
Who is who: entries of several sources that are one person, and what is true of them.

Entries are joined by ids that systems give each other, never by an address or a name.
A person's own id is made once from the first entry, is kept with every entry that ever
was theirs, and so is never anybody else's.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from bridge.directory.difference import severity
from bridge.directory.held import Kept, Ref
from bridge.directory.model import Kind, Standing


@dataclass(frozen=True, slots=True)
class Join:
    """
    Two sources' attributes that name the same person if they have the same value.

    `id` is the entry's own id. A source `*` stands for any.
    """

    left: str
    left_attribute: str
    right: str
    right_attribute: str


@dataclass(frozen=True, slots=True)
class Precedence:
    """
    Which source's word counts.

    `order` names all sources, the weightiest first; `by_attribute` those of single
    attributes. `advisory` sources say nothing about who is disabled or gone.
    """

    order: tuple[str, ...] = ()
    by_attribute: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    advisory: frozenset[str] = frozenset()

    def rank(self, source: str, attribute: str = "") -> tuple[int, str]:
        """Return what sorts sources, the weightiest first."""
        order = self.by_attribute.get(attribute, self.order)
        place = order.index(source) if source in order else len(order)
        return (place, source)


@dataclass(frozen=True, slots=True)
class Merged:
    """A person, as all sources together tell."""

    name: str
    standing: Standing
    guest: bool
    attributes: Mapping[str, str]


def person_id(ref: Sequence[str]) -> str:
    """Return the id of the person who is first known by an entry."""
    text = "\0".join(ref)
    return f"p-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def identified(
    entries: Mapping[Ref, Kept], known: Mapping[Ref, str], joins: Sequence[Join]
) -> dict[Ref, str]:
    """
    Return the person of every entry of one, as far as it differs from what is known.

    Entries that are gone keep whom they had, and join nobody new: a second person with
    the same number or address inherits nothing.
    """
    people = sorted(ref for ref, k in entries.items() if k.entry.kind is Kind.PERSON)
    if not joins:
        return {ref: person_id(ref) for ref in people if ref not in known}
    living = [ref for ref in people if not entries[ref].life.gone]
    clusters = _clusters(entries, living, joins)
    after = {ref: known.get(ref) or person_id(ref) for ref in people}
    for cluster, whose in zip(clusters, _named(clusters, known), strict=True):
        after |= dict.fromkeys(cluster, whose)
    return {ref: whose for ref, whose in after.items() if known.get(ref) != whose}


def _named(
    clusters: Sequence[Sequence[Ref]], known: Mapping[Ref, str]
) -> Sequence[str]:
    """
    Give each cluster an id: one that its entries had, and that no other one has.

    Of several clusters that had the same, because what joined them is no longer so, it
    stays with the entry that it was made from.
    """
    wishes = []
    for place, cluster in enumerate(clusters):
        for whose in {known[ref] for ref in cluster if ref in known}:
            own = any(person_id(ref) == whose for ref in cluster)
            count = sum(known.get(ref) == whose for ref in cluster)
            wishes.append((not own, -count, whose, place))
    names: dict[int, str] = {}
    taken: set[str] = set()
    for _, _, whose, place in sorted(wishes):
        if place not in names and whose not in taken:
            names[place] = whose
            taken.add(whose)
    return [names.get(n) or _fresh(c, taken) for n, c in enumerate(clusters)]


def _fresh(cluster: Sequence[Ref], taken: AbstractSet[str]) -> str:
    """Make an id; one that went to others with an earlier join is not made again."""
    free = (person_id(ref) for ref in cluster)
    return next((one for one in free if one not in taken), person_id(("", *cluster[0])))


def joined_by(entries: Iterable[Kept], joins: Sequence[Join]) -> set[Ref]:
    """Return which of the entries have a value that could join them with others."""
    return {
        kept.ref
        for kept in entries
        if any(_values(kept, join) != ("", "") for join in joins)
    }


def _clusters(
    entries: Mapping[Ref, Kept], people: Sequence[Ref], joins: Sequence[Join]
) -> list[list[Ref]]:
    """Put together what is one person, never two entries of one source."""
    cluster_of: dict[Ref, list[Ref]] = {ref: [ref] for ref in people}
    for join in joins:
        left: dict[str, list[Ref]] = {}
        right: dict[str, list[Ref]] = {}
        for ref in people:
            if entries[ref].life.gone:
                continue
            first, second = _values(entries[ref], join)
            if first:
                left.setdefault(first, []).append(ref)
            if second:
                right.setdefault(second, []).append(ref)
        for value in sorted(left.keys() & right.keys()):
            _unite(left[value], right[value], cluster_of)
    seen: dict[int, list[Ref]] = {id(c): c for c in cluster_of.values()}
    return [sorted(cluster) for cluster in seen.values()]


def _unite(
    left: Sequence[Ref], right: Sequence[Ref], cluster_of: dict[Ref, list[Ref]]
) -> None:
    together = sorted({*left, *right})
    if len({source for source, _ in together}) < len(together):
        return  # one source gives the value to two: it tells nobody apart
    for other in together[1:]:
        one, two = cluster_of[together[0]], cluster_of[other]
        if one is two or {s for s, _ in one} & {s for s, _ in two}:
            continue
        one += two
        for ref in two:
            cluster_of[ref] = one


def _values(kept: Kept, join: Join) -> tuple[str, str]:
    return (
        _value(kept, join.left, join.left_attribute),
        _value(kept, join.right, join.right_attribute),
    )


def _value(kept: Kept, source: str, attribute: str) -> str:
    if source not in {"*", kept.source}:
        return ""
    if attribute == "id":
        return kept.entry.id.strip()
    return kept.entry.attributes.get(attribute, "").strip()


def merged(entries: Iterable[Kept], precedence: Precedence) -> Merged:
    """
    Say what is true of a person, whatever order the entries come in.

    The strictest standing counts. Of a source that has another living entry of theirs,
    what is gone says nothing.
    """
    known = sorted(entries, key=lambda k: (precedence.rank(k.source), k.entry.id))
    living = [kept for kept in known if not kept.life.gone]
    told = living or known
    attributes: dict[str, str] = {}
    if len(told) == 1:
        attributes = {k: v for k, v in told[0].entry.attributes.items() if v}
    for name in _names(told):
        ranked = sorted(
            (precedence.rank(kept.source, name), n)
            for n, kept in enumerate(told)
            if kept.entry.attributes.get(name)
        )
        if ranked:
            attributes[name] = told[ranked[0][1]].entry.attributes[name]
    return Merged(
        name=next((k.entry.name for k in told if k.entry.name), ""),
        standing=_standing(known, living, precedence),
        guest=any(kept.entry.guest for kept in told),
        attributes=attributes,
    )


def _names(told: Sequence[Kept]) -> Sequence[str]:
    """Return the attributes that several sources may have a word on."""
    if len(told) == 1:
        return ()
    return sorted({name for kept in told for name in kept.entry.attributes})


def _standing(
    known: Sequence[Kept], living: Sequence[Kept], precedence: Precedence
) -> Standing:
    heard = {kept.source for kept in living}
    standings = [
        kept.entry.standing for kept in living if kept.source not in precedence.advisory
    ]
    standings += [
        Standing.LEFT
        for kept in known
        if kept.life.gone
        and kept.source not in heard
        and (kept.source not in precedence.advisory or not living)
    ]
    return max(standings, key=severity, default=Standing.ACTIVE)
