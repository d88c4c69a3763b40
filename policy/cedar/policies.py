"""One policy, with what can be told from its form before it is asked."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cedarpy

_SCOPED = {"==", "in"}


class Origin(StrEnum):
    """Whose a policy is."""

    ATOM = "atom"
    CEDAR = "cedar"  # the company's own text
    RULE = "rule"  # a rule of its front


@dataclass(frozen=True)
class Policy:
    """
    A policy of a bundle.

    `anchors` are the entities one of which the principal has to be in or to be, as
    `Group::id`, for the policy to say anything; None if that cannot be told.
    `actions` are the actions and groups that it names, None for all. `est` is the
    policy as Cedar writes it in JSON.
    """

    id: str
    text: str
    origin: Origin
    allows: bool
    reason: str
    duties: tuple[str, ...]
    default_grant: bool
    anchors: frozenset[str] | None
    principal_type: str
    actions: frozenset[str] | None
    est: Mapping[str, Any]

    def concerns(self, action: str, groups: frozenset[str]) -> bool:
        """Return whether the policy is about an action that is in those groups."""
        return self.actions is None or bool(self.actions & (groups | {action}))


def parsed(text: str, origin: Origin, fallback: str) -> Policy:
    """Read one policy that is known to parse; `fallback` is its id if it has none."""
    whole: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(text))
    [est] = list(whole["staticPolicies"].values())
    notes = est.get("annotations") or {}
    return Policy(
        id=notes.get("id") or fallback,
        text=text,
        origin=origin,
        allows=est["effect"] == "permit",
        reason=notes.get("reason") or "",
        duties=tuple(each for each in (notes.get("duty") or "").split() if each),
        default_grant=origin is Origin.ATOM and notes.get("default") == "grant",
        anchors=_anchors(est),
        principal_type=str(est["principal"].get("entity_type", "")),
        actions=_actions(est["action"]),
        est=est,
    )


def uids(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield the type and id of every entity that a policy in JSON names."""
    if isinstance(tree, Mapping):
        if set(tree) == {"type", "id"}:
            yield str(tree["type"]), str(tree["id"])
            return
        for value in tree.values():
            yield from uids(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from uids(value)


def anchor(entity_type: str, id_: str) -> str:
    """Return how an entity is written in `Policy.anchors`."""
    return f"{entity_type.removeprefix('Atom::')}::{id_}"


def _anchors(est: Mapping[str, Any]) -> frozenset[str] | None:
    scope = est["principal"]
    if scope["op"] in _SCOPED:
        entity = scope.get("entity")
        return frozenset({_uid(entity)}) if entity else None
    if scope["op"] == "is" and "in" in scope:
        entity = scope["in"].get("entity")
        return frozenset({_uid(entity)}) if entity else None
    for condition in est["conditions"][:1]:
        if condition["kind"] == "when":
            return _leftmost(condition["body"])
    return None


def _leftmost(body: Mapping[str, Any]) -> frozenset[str] | None:
    """
    Return what the first test of a body asks the principal to be in.

    Only the first: what stands before a test may be an error, and an error denies.
    """
    while "&&" in body:
        body = body["&&"]["left"]
    if "||" in body:
        sides = (_leftmost(body["||"]["left"]), _leftmost(body["||"]["right"]))
        if sides[0] is None or sides[1] is None:
            return None
        return sides[0] | sides[1]
    for operator in ("in", "=="):
        test = body.get(operator)
        if test and test["left"] == {"Var": "principal"}:
            named = list(uids(test["right"]))
            return frozenset(anchor(*uid) for uid in named) if named else None
    return None


def _uid(entity: Mapping[str, str]) -> str:
    return anchor(entity["type"], entity["id"])


def _actions(scope: Mapping[str, Any]) -> frozenset[str] | None:
    if scope["op"] == "All":
        return None
    return frozenset(id_ for _, id_ in uids(scope))
