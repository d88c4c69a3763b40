"""Asks Cedar, about as little as can matter: one action's policies, two entities."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cedarpy

from policy.cedar.bundle import Bundle, canonical
from policy.cedar.facts import Facts, Principal, Resource
from policy.cedar.policies import Policy
from policy.cedar.schema import groups_of, schema_of

_MOST_SETS = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What Cedar said. `rules` are those that made it so, in the bundle's order; none for
    a denial because nothing allows. `errors` are what could not be worked out: with any
    of them nothing is allowed.
    """

    allowed: bool
    rules: tuple[str, ...]
    errors: tuple[str, ...] = ()


@dataclass
class Decider:
    """
    One bundle, at the speed of decisions.

    Policies whose principal the asker is not and is not in cannot say anything, and
    are not asked. The sets that are left over are few, and kept parsed.
    """

    bundle: Bundle
    facts: Facts = field(init=False)
    known: frozenset[str] = field(init=False)
    _by_action: dict[str, "_Slice"] = field(default_factory=dict)
    _order: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.facts = Facts(self.bundle)
        self.known = frozenset(self.bundle.actions)
        self._order = {p.id: n for n, p in enumerate(self.bundle.policies)}

    def ask(
        self, principal: Principal, action: str, resource: Resource, context: str
    ) -> Verdict:
        """Decide. Whatever goes wrong inside Cedar is an error, and denies."""
        sliced = self._by_action.get(action)
        if sliced is None:
            sliced = _Slice.of(self.bundle, action)
            self._by_action[action] = sliced
        return asked_of_cedar(
            request_of(principal, action, resource, context),
            sliced.for_principal(principal),
            f"[{principal.json},{resource.json}]",
            schema_of(action),
            self._order,
        )


def asked_of_cedar(
    request: Mapping[str, Any],
    policies: cedarpy.PolicySet,
    entities: str,
    schema: cedarpy.Schema,
    order: Mapping[str, int],
) -> Verdict:
    """Ask Cedar, and let it allow nothing when anything could not be worked out."""
    try:
        result = cedarpy.is_authorized(dict(request), policies, entities, schema)
    except (ValueError, TypeError) as error:
        return Verdict(allowed=False, rules=(), errors=(_one_line(error),))
    errors = tuple(_one_line(each) for each in result.diagnostics.errors)
    if result.decision is cedarpy.Decision.NoDecision and not errors:
        errors = ("Cedar came to no decision",)
    rules = sorted(result.diagnostics.reasons, key=lambda rule: order.get(rule, 0))
    return Verdict(
        allowed=result.allowed and not errors, rules=tuple(rules), errors=errors
    )


def request_of(
    principal: Principal, action: str, resource: Resource, context: str
) -> dict[str, Any]:
    return {
        "principal": {"type": f"Atom::{principal.type}", "id": principal.id},
        "action": {"type": "Atom::Action", "id": action},
        "resource": {"type": f"Atom::{resource.type}", "id": resource.id},
        "context": context,
    }


def evidence(
    principal: Principal, action: str, resource: Resource, context: str
) -> str:
    """Return what a decision was taken on, canonical JSON, to take it again from."""
    named = json.dumps(action)
    return (
        f'{{"action":{named},"context":{context},'
        f'"principal":{principal.json},"resource":{resource.json}}}'
    )


def policy_set(policies: Mapping[str, Mapping[str, Any]]) -> cedarpy.PolicySet:
    """Make a set of policies in JSON, by their own ids."""
    whole = {"staticPolicies": policies, "templates": {}, "templateLinks": []}
    return cedarpy.PolicySet.from_json_str(canonical(whole))


@dataclass
class _Slice:
    """The policies of one action: those that everybody is asked, and the others."""

    always: tuple[Policy, ...]
    anchored: tuple[tuple[frozenset[str], Policy], ...]
    by_anchor: Mapping[str, frozenset[int]]
    sets: dict[tuple[str, frozenset[int]], cedarpy.PolicySet] = field(
        default_factory=dict
    )

    @classmethod
    def of(cls, bundle: Bundle, action: str) -> "_Slice":
        groups = frozenset(groups_of(action))
        mine = [p for p in bundle.policies if p.concerns(action, groups)]
        anchored = tuple((p.anchors, p) for p in mine if p.anchors is not None)
        by_anchor: dict[str, set[int]] = {}
        for number, (anchors, _) in enumerate(anchored):
            for each in anchors:
                by_anchor.setdefault(each, set()).add(number)
        return cls(
            always=tuple(p for p in mine if p.anchors is None),
            anchored=anchored,
            by_anchor={a: frozenset(numbers) for a, numbers in by_anchor.items()},
        )

    def for_principal(self, principal: Principal) -> cedarpy.PolicySet:
        found = self.by_anchor
        numbers: frozenset[int] = frozenset().union(
            *(found[ref] for ref in principal.refs if ref in found)
        )
        key = (principal.type, numbers)
        kept = self.sets.get(key)
        if kept is None:
            kept = self._made(principal.type, numbers)
            if len(self.sets) >= _MOST_SETS:
                self.sets.clear()
            self.sets[key] = kept
        return kept

    def _made(self, type_: str, numbers: frozenset[int]) -> cedarpy.PolicySet:
        chosen = [*self.always, *(self.anchored[n][1] for n in sorted(numbers))]
        named = f"Atom::{type_}"
        return policy_set(
            {p.id: p.est for p in chosen if p.principal_type in {"", named}}
        )


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
