"""
Asking about everybody everywhere, without asking the same thing twice.

Two people of whom policies can tell no difference get the same answers, and so do two
places. So people and places are put together by what policies see of them, and one of
each kind is asked: ten thousand people are seldom more than some hundred kinds.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Generic, TypeVar

from bridge.access import Action, Asked, Label
from bridge.directory.model import Subject
from bridge.messages import Channel, Person, Platform
from bridge.proofs import Proof
from policy.cedar.bundle import canonical
from policy.cedar.deciding import Decider, Verdict
from policy.cedar.facts import Principal, Resource, context
from policy.cedar.schema import family

_UNNAMED = ""


@dataclass(frozen=True, slots=True)
class Where:
    """One place that is asked about: the question without the person."""

    action: str
    asked: Asked
    shown: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds at the moment, and how it is told; nothing for the everyday."""

    label: Label = Label.PUBLIC
    outsiders: bool = False
    field_class: str = ""

    @property
    def shown(self) -> str:
        parts = [f"labelled {self.label.name.lower()}"] if self.label else []
        parts += ["before outsiders"] if self.outsiders else []
        parts += [f"fields {self.field_class}"] if self.field_class else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Kind:
    """People, or places, that no policy tells apart; the first stands for all."""

    key: str
    members: tuple[int, ...]


@dataclass
class Sweep:
    """Asks one decider about kinds of people in kinds of places, each once."""

    decider: Decider
    _known: dict[tuple[str, str], Verdict] = field(default_factory=dict)

    def person(self, subject: Subject) -> "Seen[Principal]":
        """Return somebody, by all that policies can see of them."""
        principal = self.decider.facts.principal(subject, NOBODY)
        if f"User::{principal.id}" in self.decider.facts.named:
            return Seen(principal.json, principal)
        tree: dict[str, object] = json.loads(principal.json)
        return Seen(canonical({**tree, "uid": _UNNAMED}), principal)

    def place(self, where: Where, situation: Situation) -> "Seen[Ask] | None":
        """Return a place at a moment, by all that policies can see of it."""
        asked = with_situation(where.asked, situation)
        resource = self.decider.facts.resource(asked, where.action)
        if resource is None:
            return None
        said = context(asked, 0, 1, Proof())
        key = f"{where.action} {said} {self._resource_key(resource)}"
        return Seen(key, Ask(where.action, resource, said))

    def allowed(self, person: "Seen[Principal]", place: "Seen[Ask]") -> bool:
        """Say whether the person may do it there."""
        return self.verdict(person, place).allowed

    def verdict(self, person: "Seen[Principal]", place: "Seen[Ask]") -> Verdict:
        """Return what is decided, kept by the kinds of both."""
        key = (person.key, place.key)
        kept = self._known.get(key)
        if kept is None:
            ask = place.what
            kept = self.decider.ask(person.what, ask.action, ask.resource, ask.context)
            self._known[key] = kept
        return kept

    def _resource_key(self, resource: Resource) -> str:
        tree = json.loads(resource.json)
        named = self.decider.facts.named
        if f"{resource.type}::{resource.id}" not in named:
            tree["uid"]["id"] = _UNNAMED
        for end in ("source", "target", "place"):
            place = tree["attrs"].get(end)
            if place and f"Channel::{place['channel']['__entity']['id']}" not in named:
                place["channel"]["__entity"]["id"] = _UNNAMED
        return canonical(tree)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of everybody: an action on a resource at a moment."""

    action: str
    resource: Resource
    context: str


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """Something with the key that it shares with all that looks the same."""

    key: str
    what: T


NOBODY = Person(Platform.SLACK, "")


def with_situation(asked: Asked, situation: Situation) -> Asked:
    return replace(
        asked,
        label=situation.label,
        outsiders=situation.outsiders,
        field=situation.field_class,
    )


def places(
    tenant: str,
    links: Iterable[tuple[str, Sequence[Channel]]],
    records: Iterable[str],
    actions: Sequence[str],
) -> list[Where]:
    """Return every place that there is, for the actions: links both ways, and so on."""
    ends = [
        (link, one, other)
        for link, channels in links
        for one in channels
        for other in channels
        if one != other
    ]
    alone = sorted({one for _, one, _ in ends})
    found: list[Where] = []
    for action in actions:
        match family(action):
            case "bridge":
                found += [
                    Where(
                        action,
                        Asked(tenant, NOBODY, Action(action), one, other, link),
                        f"{one} to {other}",
                    )
                    for link, one, other in ends
                ]
            case "channel":
                found += [
                    Where(action, Asked(tenant, NOBODY, Action(action), one), str(one))
                    for one in alone
                ]
            case "record":
                found += [
                    Where(
                        action,
                        Asked(tenant, NOBODY, Action(action), thing=f"{name}/*"),
                        name,
                    )
                    for name in records
                ]
            case "admin":
                thing = action.removeprefix("admin.")
                asked = Asked(tenant, NOBODY, Action.COMMAND, thing=thing)
                found.append(Where(action, asked, "commands"))
            case _:
                found.append(
                    Where(action, Asked(tenant, NOBODY, Action(action)), "the record")
                )
    return found


def kinds(keys: Sequence[str]) -> list[Kind]:
    """Put together what has the same key."""
    ordered = sorted(range(len(keys)), key=lambda n: (keys[n], n))
    return [
        Kind(key, tuple(group))
        for key, group in groupby(ordered, key=lambda n: keys[n])
    ]
