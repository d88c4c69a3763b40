"""
Who would gain and lose what: the old and the new asked about all who are concerned.

A change of the policy concerns those whom a changed rule names, or everybody, if it
names nobody or changes whom channels belong to. A change of the directory concerns the
people whom it changes.
"""

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

from bridge.access import Label
from bridge.directory.model import Subject
from bridge.messages import Channel
from bridge.what_if import Change, Report, counted
from policy.cedar.bundle import Bundle, canonical
from policy.cedar.deciding import Decider
from policy.cedar.facts import Principal
from policy.cedar.policies import Policy
from policy.cedar.schema import groups_of
from policy.cedar.sweeping import (
    Ask,
    Seen,
    Situation,
    Sweep,
    Where,
    kinds,
    places,
)

MOST_PAIRS = 250_000
MOST_NAMED = 20_000
T = TypeVar("T")
_BREATH = 20  # questions after which other work may go on


@dataclass(frozen=True)
class Scene:
    """Everything that could be concerned: links, and people before and after."""

    links: Sequence[tuple[str, Sequence[Channel]]]
    before: Sequence[Subject]
    after: Sequence[Subject]
    directory: str


@dataclass(frozen=True, slots=True)
class _Person:
    subject: Subject
    before: Seen[Principal]
    after: Seen[Principal]


@dataclass(frozen=True, slots=True)
class _Place:
    where: Where
    situation: Situation
    before: Seen[Ask]
    after: Seen[Ask]


@dataclass
class _Found:
    """Changes of one direction: how many, and the first of them by name."""

    total: int = 0
    named: list[Change] = field(default_factory=list)
    by_person: dict[str, int] = field(default_factory=dict)
    by_place: dict[str, int] = field(default_factory=dict)
    by_action: dict[str, int] = field(default_factory=dict)

    def add(self, people: Sequence[_Person], at: Sequence[_Place]) -> None:
        self.total += len(people) * len(at)
        for one in people:
            name = one.subject.name or one.subject.id
            self.by_person[name] = self.by_person.get(name, 0) + len(at)
        for place in at:
            where, action = place.where.shown, place.where.action
            self.by_place[where] = self.by_place.get(where, 0) + len(people)
            self.by_action[action] = self.by_action.get(action, 0) + len(people)
        for one in people:
            for place in at:
                if len(self.named) >= MOST_NAMED:
                    return
                self.named.append(_change(one, place))


async def what_if(
    what: str, old: Bundle, new: Bundle, scene: Scene, *, most: int = MOST_PAIRS
) -> Report:
    """
    Compare two policies over one directory, or two directories under one policy.

    Above `most` comparisons some kinds of people are left out by lot, and the report
    says so. Other work goes on meanwhile.
    """
    before = Sweep(Decider(old))
    after = before if new.hash == old.hash else Sweep(Decider(new))
    people = await _gathered(_people(old, new, scene, before, after))
    at = await _gathered(_places(old, new, scene, before, after))
    gained, lost = _Found(), _Found()
    person_kinds = kinds([f"{p.before.key}|{p.after.key}" for p in people])
    place_kinds = kinds([f"{p.before.key}|{p.after.key}" for p in at])
    total = len(person_kinds) * len(place_kinds)
    asked_kinds, sampled = person_kinds, 0
    if total > most:
        lot = random.Random(old.hash + new.hash)  # noqa: S311 - the same lot each time
        number = max(1, most // len(place_kinds))
        asked_kinds, sampled = lot.sample(person_kinds, number), total
    count = 0
    for who in asked_kinds:
        for place in place_kinds:
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0)
            one, there = people[who.members[0]], at[place.members[0]]
            was = before.allowed(one.before, there.before)
            will = after.allowed(one.after, there.after)
            if was != will:
                found = gained if will else lost
                found.add(
                    [people[n] for n in who.members], [at[n] for n in place.members]
                )
    numbers = (len(people), count, sampled)
    return _report(what, (old, new), scene, (gained, lost), numbers)


async def _gathered(items: Iterator[T]) -> list[T]:
    """Make a list while other work goes on."""
    found: list[T] = []
    for item in items:
        found.append(item)
        if len(found) % _BREATH == 0:
            await asyncio.sleep(0)
    return found


def _people(
    old: Bundle, new: Bundle, scene: Scene, before: Sweep, after: Sweep
) -> Iterator[_Person]:
    was = {subject.id: subject for subject in scene.before}
    will = {subject.id: subject for subject in scene.after}
    if old.hash == new.hash:
        chosen = [i for i in was.keys() | will.keys() if was.get(i) != will.get(i)]
    else:
        named = concerned(old, new)
        chosen = [
            subject.id
            for subject in scene.after
            if named is None or _refs(subject, after, before) & named
        ]
    for id_ in sorted(chosen):
        first, second = was.get(id_) or will[id_], will.get(id_) or was[id_]
        yield _Person(second, before.person(first), after.person(second))


def _refs(subject: Subject, after: Sweep, before: Sweep) -> frozenset[str]:
    return before.person(subject).what.refs | after.person(subject).what.refs


def changed(old: Bundle, new: Bundle) -> list[Policy]:
    """Return the policies that are in just one of two bundles, or not the same."""
    first = {p.id: canonical(p.est) for p in old.policies}
    second = {p.id: canonical(p.est) for p in new.policies}
    return [p for p in old.policies if second.get(p.id) != first[p.id]] + [
        p for p in new.policies if first.get(p.id) != second[p.id]
    ]


def concerned(old: Bundle, new: Bundle) -> frozenset[str] | None:
    """Return in what those are whom a change concerns, None if it may be everybody."""
    if _places_of(old) != _places_of(new):
        return None
    named: set[str] = set()
    for policy in changed(old, new):
        if policy.anchors is None:
            return None
        named |= policy.anchors
    for role in old.roles.keys() | new.roles.keys():
        if old.roles.get(role) != new.roles.get(role):
            named |= old.roles.get(role, frozenset()) | new.roles.get(role, frozenset())
    return frozenset(named)


def _places_of(bundle: Bundle) -> tuple[Any, ...]:
    return (
        bundle.places,
        bundle.records,
        bundle.governed,
        bundle.front.classification,
    )


def _places(
    old: Bundle, new: Bundle, scene: Scene, before: Sweep, after: Sweep
) -> Iterator[_Place]:
    differing = changed(old, new) if old.hash != new.hash else list(new.policies)
    actions = _actions(old, new, differing)
    records = {*old.records, *new.records, *old.governed.records, *new.governed.records}
    named = sorted(name for name in records if "/" in name) or ["system/record"]
    for where in places(new.tenant, scene.links, named, actions):
        for situation in _situations(differing):
            first = before.place(where, situation)
            second = after.place(where, situation)
            if first and second:
                yield _Place(where, situation, first, second)


def _actions(old: Bundle, new: Bundle, differing: Sequence[Policy]) -> list[str]:
    known = sorted({*old.actions, *new.actions})
    if old.hash == new.hash or _places_of(old) != _places_of(new):
        return known
    if old.roles != new.roles:
        return known
    return [
        action
        for action in known
        if any(p.concerns(action, frozenset(groups_of(action))) for p in differing)
    ]


def _situations(differing: Iterable[Policy]) -> list[Situation]:
    """Return the moments that could make a difference to the changed policies."""
    attributes: set[str] = set()
    texts: set[str] = set()
    for policy in differing:
        if not policy.default_grant and not policy.id.startswith("atom-"):
            attributes |= set(_context(policy.est))
            texts |= set(_texts(policy.est))
    labels = list(Label) if "label" in attributes else [Label.PUBLIC]
    before = [False, True] if "outsiders" in attributes else [False]
    fields = sorted({"", *texts}) if "fieldClass" in attributes else [""]
    return [Situation(lb, out, fc) for lb in labels for out in before for fc in fields]


def _context(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        inner = tree.get(".")
        if isinstance(inner, Mapping) and inner.get("left") == {"Var": "context"}:
            yield str(inner["attr"])
        for value in tree.values():
            yield from _context(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _context(value)


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        value = tree.get("Value")
        if isinstance(value, str):
            yield value
        for each in tree.values():
            yield from _texts(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from _texts(each)


def _change(one: _Person, place: _Place) -> Change:
    return Change(
        one.subject.id,
        one.subject.name or one.subject.id,
        place.where.action,
        place.where.shown,
        place.situation.shown,
    )


def _report(
    what: str,
    bundles: tuple[Bundle, Bundle],
    scene: Scene,
    found: tuple[_Found, _Found],
    numbers: tuple[int, int, int],
) -> Report:
    old, new = bundles
    gained, lost = found
    people, pairs, sampled = numbers
    named = tuple(sorted(gained.named)), tuple(sorted(lost.named))
    told = canonical(
        {
            "tenant": new.tenant,
            "what": what,
            "policy": old.hash,
            "candidate": new.hash,
            "directory": scene.directory,
            "gains": gained.total,
            "losses": lost.total,
            "named": [[list(_cells(c)) for c in each] for each in named],
        }
    )
    return Report(
        hash=sha256(told.encode()).hexdigest(),
        what=what,
        policy=old.hash,
        candidate=new.hash,
        directory=scene.directory,
        people=people,
        pairs=pairs,
        gains=gained.total,
        losses=lost.total,
        gained=named[0],
        lost=named[1],
        by_person=counted(list(gained.by_person.items()), list(lost.by_person.items())),
        by_place=counted(list(gained.by_place.items()), list(lost.by_place.items())),
        by_action=counted(list(gained.by_action.items()), list(lost.by_action.items())),
        sampled=sampled,
    )


def _cells(change: Change) -> tuple[str, ...]:
    return (change.person, change.action, change.where, change.when)
