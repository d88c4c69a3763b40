"""
How a decision of the policy stands in the log, to be explained years later.

`rule` names what decided and why, `policy` is SHA-256 of the policy's text, `directory`
the version of the directory, `action` what was asked for. `inputs` commits to what the
policy was asked, under a salt beside it: shown alone it tells nobody anything, and with
the salt whoever knows the question can show that it was this one. Both go with the
entry's key. `evidence` is what a policy that follows a directory was asked on, from
which it can be asked again; `reason` and `duties` are the rule's own.
"""

import hmac
from collections.abc import Mapping
from secrets import token_bytes
from typing import Any

from bridge.access import Decision
from bridge.messages import Event, EventKind
from storage.rows import canonical_body

_SALT_BYTES = 16
_PURPOSE = b"atom/inputs/v1\x00"


def as_json(tenant: str, event: Event, decision: Decision) -> dict[str, object]:
    """Return a decision on an event as its entry states it."""
    told: dict[str, object] = {
        "allowed": decision.allowed,
        "rule": decision.rule,
        "policy": decision.policy,
        "directory": decision.directory,
        "action": decision.action,
    }
    if decision.target:
        told["target"] = decision.target
    if decision.reason:
        told["reason"] = decision.reason
    if decision.duties:
        told["duties"] = list(decision.duties)
    if decision.evidence:
        told["evidence"] = decision.evidence
    if event.kind is EventKind.HISTORY_POST:  # it was asked of each author in it
        return told
    salt = token_bytes(_SALT_BYTES)
    cmt = commitment(salt, inputs(tenant, event, decision))
    return told | {"inputs": {"salt": salt.hex(), "cmt": cmt}}


def inputs(tenant: str, event: Event, decision: Decision) -> Mapping[str, Any]:
    """Return what the policy was asked."""
    place = {"target": decision.target} if decision.target else {}
    return place | {
        "tenant": tenant,
        "person": f"{event.author.platform}|{event.author.id}",
        "kind": event.author.kind,
        "action": decision.action,
        "channel": str(event.channel) if event.channel else "",
    }


def commitment(salt: bytes, asked: Mapping[str, Any]) -> str:
    """Return HMAC-SHA256(salt, "atom/inputs/v1" 0x00 canonical JSON) in hexadecimal."""
    return hmac.digest(salt, _PURPOSE + canonical_body(asked), "sha256").hex()
