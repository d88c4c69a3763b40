"""Asks Cedar, about as little as can matter: one action's policies, two entities."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cedarpy

from policy.cedar.bundle import Bundle, canonical
from policy.cedar.facts import Facts, Principal, Resource
from policy.cedar.schema import groups_of, schema_of

_NUMBERED = re.compile(r"\bpolicy\d+\b")
_MOST_PLACES = 20_000


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

    Only the policies of an action are asked, and of these only those that can be about
    that type of principal. Cedar takes a microsecond for each; reading the two entities
    takes most of the time, so what is done to is kept as Cedar reads it: there are fewer
    places than people, and they are longer. `checked` has every question held against
    the schema as well. The facts are written to fit it, which tests look at; checking
    each again takes as long as deciding.
    """

    bundle: Bundle
    checked: bool = False
    facts: Facts = field(init=False)
    known: frozenset[str] = field(init=False)
    _slices: dict[tuple[str, str], "_Slice"] = field(default_factory=dict)
    _places: dict[tuple[str, str], cedarpy.Entities] = field(default_factory=dict)
    _order: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.facts = Facts(self.bundle)
        self.known = frozenset(self.bundle.actions)
        self._order = {p.id: n for n, p in enumerate(self.bundle.policies)}

    def ask(
        self, principal: Principal, action: str, resource: Resource, context: str
    ) -> Verdict:
        """Decide. Whatever goes wrong inside Cedar is an error, and denies."""
        sliced = self._slices.get((action, principal.type))
        if sliced is None:
            sliced = _Slice.of(self.bundle, action, principal.type)
            self._slices[action, principal.type] = sliced
        try:
            entities = self._place(action, resource, sliced).with_added_json_str(
                f"[{principal.json}]"
            )
        except ValueError as error:
            return Verdict(allowed=False, rules=(), errors=(_one_line(error),))
        return asked_of_cedar(
            request_of(principal, action, resource, context),
            sliced.policies,
            entities,
            schema_of(action) if self.checked else None,
            (sliced.ids, self._order),
        )

    def _place(
        self, action: str, resource: Resource, sliced: "_Slice"
    ) -> cedarpy.Entities:
        """Return the resource and the action as Cedar keeps them. Raises `ValueError`."""
        key = (action, resource.json)
        kept = self._places.get(key)
        if kept is None:
            kept = cedarpy.Entities.from_json_str(f"[{resource.json},{sliced.action}]")
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            self._places[key] = kept
        return kept


def asked_of_cedar(
    request: Mapping[str, Any],
    policies: cedarpy.PolicySet,
    entities: cedarpy.Entities | str,
    schema: cedarpy.Schema | None,
    named: tuple[Mapping[str, str], Mapping[str, int]],
) -> Verdict:
    """
    Ask Cedar, and let it allow nothing when anything could not be worked out.

    `named` are the policies' own ids by Cedar's, and the order of ids in the bundle.
    """
    ids, order = named
    try:
        result = cedarpy.is_authorized(dict(request), policies, entities, schema)
    except (ValueError, TypeError) as error:
        return Verdict(allowed=False, rules=(), errors=(_one_line(error),))
    errors = tuple(
        _NUMBERED.sub(lambda m: ids.get(m[0], m[0]), _one_line(each))
        for each in result.diagnostics.errors
    )
    if result.decision is cedarpy.Decision.NoDecision and not errors:
        errors = ("Cedar came to no decision",)
    rules = [ids.get(each, each) for each in result.diagnostics.reasons]
    rules.sort(key=lambda rule: order.get(rule, 0))
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


@dataclass(frozen=True)
class _Slice:
    """The policies of one action, for one type of principal, parsed once."""

    policies: cedarpy.PolicySet
    ids: Mapping[str, str]  # Cedar numbers policies as they stand in a text
    action: str  # with the groups that it is in, as an entity

    @classmethod
    def of(cls, bundle: Bundle, action: str, type_: str) -> "_Slice":
        groups, named = frozenset(groups_of(action)), {"", f"Atom::{type_}"}
        mine = [
            p
            for p in bundle.policies
            if p.principal_type in named and p.concerns(action, groups)
        ]
        # A text is parsed ten times as fast as the same policies in JSON.
        text = "\n".join(p.text for p in mine)
        return cls(
            cedarpy.PolicySet.from_str(text),
            {f"policy{number}": p.id for number, p in enumerate(mine)},
            canonical(
                {
                    "uid": _action(action),
                    "attrs": {},
                    "parents": [_action(group) for group in sorted(groups)],
                }
            ),
        )


def _action(name: str) -> dict[str, str]:
    return {"type": "Atom::Action", "id": name}


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
