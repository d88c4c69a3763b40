"""
Why: the rules behind a decision, the way of groups to them, and the nearest miss.

Cedar does not say why nothing allows something. So every permit for the action is taken
apart into what it asks for, all parts are asked at once, and the rules that lack least
are told together with what they lack.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cedarpy

from bridge.access import Asked, Decision, Label
from bridge.directory.held import Ending, Lost
from bridge.directory.model import Grace, Kind, Subject
from bridge.directory.ports import Names
from bridge.explaining import Explanation, NearMiss, RuleHit, Way
from bridge.retention_words import day
from policy.cedar.atoms import Body, atoms, probe
from policy.cedar.bundle import Bundle
from policy.cedar.deciding import policy_set
from policy.cedar.engine import Engine
from policy.cedar.naming import KINDS
from policy.cedar.policies import Policy
from policy.cedar.schema import groups_of
from policy.cedar.wording import worded

MOST_MISSES = 3
MOST_LOST = 5


@dataclass(frozen=True)
class _Parts:
    """What the permits of an action ask for, and one set of policies to ask it all."""

    policies: tuple[tuple[Policy, tuple[Body, ...]], ...]
    probes: cedarpy.PolicySet


Losses = Callable[[str, str], Awaitable[Sequence[Lost]]]
"""What somebody is directly in no more, by ATOM's id of them, the newest first."""


async def nothing_lost(_tenant: str, _subject: str) -> Sequence[Lost]:
    """The default: nobody remembers what somebody was in."""
    return ()


@dataclass
class Explainer:
    """
    Implements `bridge.explaining.Explains` on the engine.

    `losses` is asked about whoever is denied something: it may be what they left.
    """

    engine: Engine
    names: Names
    losses: Losses = nothing_lost
    _parts: dict[tuple[str, str], _Parts] = field(default_factory=dict)

    async def why(self, asked: Asked) -> Explanation:
        tenant = asked.tenant
        decision = await self.engine.decide(asked)
        subject = None
        bundle = self.engine.bundle(tenant)
        if self.engine.directory.configured(tenant):
            subject = self.engine.directory.subject(tenant, asked.person, asked.account)
        if bundle is None or not decision.evidence:
            return Explanation(asked, decision, _name(subject), (), ())
        rules = [bundle.policy(rule) for rule in decision.rule.split(", ")]
        hits = tuple(self._hit(r, bundle, subject) for r in rules if r is not None)
        near = () if decision.allowed or hits else self._near(bundle, decision, tenant)
        facts = self._facts(asked, bundle, subject)
        if subject and not decision.allowed:
            facts += await self._lost(tenant, subject)
        return Explanation(asked, decision, _name(subject), facts, hits, near)

    def _hit(self, policy: Policy, bundle: Bundle, subject: Subject | None) -> RuleHit:
        ways: list[Way] = []
        for anchor in sorted(policy.anchors or ()) if subject else ():
            entity, _, id_ = anchor.partition("::")
            if entity == "Role":
                for member in sorted(bundle.roles.get(id_, ())):
                    ways += self._way(bundle.tenant, subject, member, f"role {id_}")
            else:
                ways += self._way(bundle.tenant, subject, anchor, "")
        return RuleHit(policy.id, policy.allows, policy.reason, tuple(ways))

    def _way(
        self, tenant: str, subject: Subject | None, anchor: str, into: str
    ) -> list[Way]:
        entity, _, id_ = anchor.partition("::")
        kind = KINDS.get(entity)
        if subject is None or kind is None:
            return []
        name = self.names.name_of(tenant, kind, id_) or id_
        if kind is Kind.PERSON:
            return [Way(into or name, (name,))] if id_ == subject.id else []
        ancestor = f"{kind.value}:{id_}"
        if ancestor not in subject.ancestors:
            return []
        until = next((g.until_us for g in subject.kept if g.ancestor == ancestor), 0)
        if until:
            return [Way(into or f"{kind.value} {name}", (f"kept until {day(until)}",))]
        way = self.engine.directory.path(tenant, subject.id, ancestor)
        return [Way(into or f"{kind.value} {name}", tuple(way) or (name,))]

    def _facts(
        self, asked: Asked, bundle: Bundle, subject: Subject | None
    ) -> tuple[str, ...]:
        told: list[str] = []
        if subject:
            told.append(f"In the directory: {subject.standing.value}")
            if subject.guest:
                told.append("A guest")
            told.append(f"Account link: confidence {subject.confidence} of 3")
            told += [self._kept(asked.tenant, grace) for grace in subject.kept]
        for what, channel in (("Said in", asked.channel), ("Seen in", asked.target)):
            if channel:
                place = bundle.place(str(channel))
                spaces = (
                    f", space {', '.join(sorted(place.spaces))}" if place.spaces else ""
                )
                label = Label(place.classification).name.lower()
                told.append(f"{what} {channel}: {label}{spaces}")
        return tuple(told)

    async def _lost(self, tenant: str, subject: Subject) -> tuple[str, ...]:
        """Return what somebody left lately, when, and who told of it."""
        told: list[str] = []
        for each in await self.losses(tenant, subject.id):
            for ancestor, name in self._called(tenant, each):
                if ancestor in subject.ancestors:
                    continue
                what, when = f"{ancestor.partition(':')[0]} {name}", day(each.at_us)
                if each.how is Ending.CUT:
                    told.append(f"Kept {what} until {each.by} ended that {when}")
                else:
                    told.append(f"Left {what} {when}, as {each.by} told")
        return tuple(dict.fromkeys(told))[:MOST_LOST]

    def _called(self, tenant: str, lost: Lost) -> Iterator[tuple[str, str]]:
        """Return what something may be, as `Subject.ancestors` has it, with its name."""
        for kind in [lost.kind] if lost.kind else [k for k in Kind if k != Kind.PERSON]:
            # A department may be told by its name, or be no more than a word.
            ids = [lost.thing]
            if kind is Kind.DEPARTMENT and lost.kind:
                ids = [*self.names.named(tenant, kind, lost.thing)] or ids
            for id_ in ids:
                name = self.names.name_of(tenant, kind, id_)
                if name or lost.kind:
                    yield f"{kind}:{id_}", name or lost.thing

    def _kept(self, tenant: str, grace: Grace) -> str:
        kind, _, id_ = grace.ancestor.partition(":")
        name = self.names.name_of(tenant, Kind(kind), id_) or id_
        since, until = day(grace.since_us), day(grace.until_us)
        return f"Left {kind} {name} {since} and keeps it until {until}"

    def _near(
        self, bundle: Bundle, decision: Decision, tenant: str
    ) -> tuple[NearMiss, ...]:
        told = json.loads(decision.evidence)
        parts = self._parts_of(bundle, str(told["action"]))
        if not parts.policies:
            return ()
        held = _held(parts.probes, told)
        type_ = str(told["principal"]["uid"]["type"])

        def name_of(kind: Kind, id_: str) -> str | None:
            return self.names.name_of(tenant, kind, id_)

        ranked: list[tuple[int, bool, int, NearMiss]] = []
        for number, (policy, asked_for) in enumerate(parts.policies):
            if policy.principal_type not in {"", type_}:
                continue
            lacks = [
                worded(body, name_of)
                for n, body in enumerate(asked_for)
                if f"{number}.{n}" not in held
            ]
            unique = tuple(dict.fromkeys(lacks))
            miss = NearMiss(policy.id, policy.reason, unique)
            ranked.append((len(unique), policy.default_grant, number, miss))
        ranked.sort(key=lambda each: each[:3])
        return tuple(miss for *_, miss in ranked[:MOST_MISSES])

    def _parts_of(self, bundle: Bundle, action: str) -> _Parts:
        known = self._parts.get((bundle.hash, action))
        if known:
            return known
        groups = frozenset(groups_of(action))
        permits = [
            p for p in bundle.policies if p.allows and p.concerns(action, groups)
        ]
        taken = tuple((policy, tuple(atoms(policy))) for policy in permits)
        probes = {
            f"{number}.{n}": probe(body)
            for number, (_, bodies) in enumerate(taken)
            for n, body in enumerate(bodies)
        }
        made = _Parts(taken, policy_set(probes))
        if len(self._parts) > len(bundle.actions):
            self._parts.clear()
        self._parts[bundle.hash, action] = made
        return made


def _held(probes: cedarpy.PolicySet, told: Mapping[str, dict[str, object]]) -> set[str]:
    """Return which parts are so; what cannot be worked out is not."""
    result = cedarpy.is_authorized(
        {
            "principal": told["principal"]["uid"],
            "action": {"type": "Atom::Action", "id": str(told["action"])},
            "resource": told["resource"]["uid"],
            "context": told["context"],
        },
        probes,
        [dict(told["principal"]), dict(told["resource"])],
    )
    return set(result.diagnostics.reasons)


def _name(subject: Subject | None) -> str:
    return subject.name if subject else ""
