"""A policy taken apart into the single things that it asks for."""

from collections.abc import Mapping
from typing import Any

from policy.cedar.policies import Policy

Body = Mapping[str, Any]


def atoms(policy: Policy) -> list[Body]:
    """Return what has to be so for a policy to hold, the action apart."""
    found = [*_scope("principal", policy.est), *_scope("resource", policy.est)]
    for condition in policy.est["conditions"]:
        body = condition["body"]
        wanted = body if condition["kind"] == "when" else _not(body)
        found += _both(wanted)
    return found


def probe(body: Body) -> dict[str, Any]:
    """Return a policy that holds if, and only if, this one thing is so."""
    return {
        "effect": "permit",
        "principal": {"op": "All"},
        "action": {"op": "All"},
        "resource": {"op": "All"},
        "conditions": [{"kind": "when", "body": body}],
    }


def _scope(variable: str, est: Mapping[str, Any]) -> list[Body]:
    scope = est[variable]
    var = {"Var": variable}
    match scope["op"]:
        case "All":
            return []
        case "is":
            test = {"is": {"left": var, "entity_type": scope["entity_type"]}}
            within = scope.get("in")
            return [test, _within("in", var, within["entity"])] if within else [test]
        case operator:
            return [_within(operator, var, scope["entity"])]


def _within(operator: str, var: Body, entity: Mapping[str, str]) -> Body:
    return {operator: {"left": var, "right": {"Value": {"__entity": dict(entity)}}}}


def _both(body: Body) -> list[Body]:
    """Return the parts of what is joined by "and"."""
    if "&&" in body:
        return [*_both(body["&&"]["left"]), *_both(body["&&"]["right"])]
    if "!" in body and "||" in (inner := body["!"]["arg"]):
        sides = inner["||"]
        return [*_both(_not(sides["left"])), *_both(_not(sides["right"]))]
    return [body]


def _not(body: Body) -> Body:
    return body["!"]["arg"] if "!" in body else {"!": {"arg": body}}
