"""Taking a decision of the log again, with the policy and the facts it was taken with."""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import cedarpy

from bridge.leaving.rules import Deed
from bridge.policy_desk import Replayed
from policy.cedar.bundle import canonical
from policy.cedar.deciding import asked_of_cedar, policy_set
from policy.cedar.engine import NOTHING_ALLOWS, POLICY_ERROR

OF_LEAVING = "dlp"  # how rules for what may leave are called in decisions
_LEAVING = "it was judged by what was found, and values are not kept"

Taken = tuple[bool, tuple[str, ...]]


def replayed(seq: int, told: dict[str, object], body: str | None) -> Replayed:
    """
    Take a decision again: `told` as its entry states it, `body` what its hash names.

    Nothing but the entry and the body is used, neither the directory nor the policy of
    today. A body that is not what the hash says is not used at all.
    """
    rule, policy = str(told.get("rule", "")), str(told.get("policy", ""))
    rules = () if rule == NOTHING_ALLOWS else tuple(rule.split(", "))
    recorded: Taken = (bool(told.get("allowed")), rules)
    evidence = str(told.get("evidence") or "")
    if rule.startswith(f"{OF_LEAVING} "):
        return _not(seq, recorded, _LEAVING)
    if not evidence:
        return _not(seq, recorded, "it was decided without asking the policies")
    if body is None:
        return _not(seq, recorded, f"the policy {policy[:12]} is not kept")
    if sha256(body.encode()).hexdigest() != policy:
        return _not(
            seq, recorded, f"the policy {policy[:12]} was changed where it is kept"
        )
    again = _again(evidence, body)
    if again != recorded:
        return Replayed(seq, recorded, again, "it comes to another answer")
    return Replayed(seq, recorded, again)


def judged(seq: int, told: Mapping[str, object], looked_at: str) -> Replayed:
    """Tell of what was done by the rules for what may leave, as its entry states it."""
    passed = str(told.get("action")) not in {Deed.BLOCK, Deed.QUARANTINE}
    rules = told.get("rules")
    names = tuple(map(str, rules)) if isinstance(rules, list) else ()
    return replace(_not(seq, (passed, names), _LEAVING), looked_at=looked_at)


def _again(evidence: str, body: str) -> Taken:
    facts, bundle = json.loads(evidence), json.loads(body)
    policies = {each["id"]: each["est"] for each in bundle["policies"]}
    verdict = asked_of_cedar(
        {
            "principal": facts["principal"]["uid"],
            "action": {"type": "Atom::Action", "id": facts["action"]},
            "resource": facts["resource"]["uid"],
            "context": canonical(facts["context"]),
        },
        policy_set(policies),
        canonical([facts["principal"], facts["resource"]]),
        cedarpy.Schema.from_str(bundle["schema"]),
        ({}, {id_: number for number, id_ in enumerate(policies)}),
    )
    if verdict.errors:
        return False, (POLICY_ERROR,)
    return verdict.allowed, verdict.rules


def _not(seq: int, recorded: Taken, why: str) -> Replayed:
    return Replayed(seq, recorded, (False, ()), why)
