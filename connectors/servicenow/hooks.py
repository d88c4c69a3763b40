"""
Take what ServiceNow's business rules tell, if it is proved to come from them.

ServiceNow signs nothing by itself. The rule that ATOM ships (`business_rule.js`) posts
ids and names of fields, never a value, with two headers: `X-ATOM-Timestamp`, in seconds
since 1970, and `X-ATOM-Signature: v1=` with the HMAC-SHA256 of the timestamp, a dot and
the raw body, in hexadecimal. A secret in the address counts for nothing.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import BadInput, NotAllowed
from bridge.records.model import (
    NEVER,
    ChangeKind,
    RecordChange,
    RecordRef,
    Revision,
    System,
)
from connectors.servicenow.tables import BY_NAME, SYS_ID

_APART = 300.0  # seconds that a call may be old, or ahead
_LARGEST = 65_536  # bytes of a body; the rule's are some hundred
_SHORTEST = 16  # characters of a secret
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})", re.ASCII)
_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}", re.ASCII)
_OPS = {
    "insert": ChangeKind.CREATED,
    "update": ChangeKind.CHANGED,
    "delete": ChangeKind.DELETED,
}
_JOURNALS = frozenset({"comments", "work_notes"})


@dataclass(frozen=True, slots=True)
class Hooks:
    """
    Reads one instance's calls. `secrets` are those in force: two while one is replaced.

    `ours` says whether a state of a row came of our own write.
    """

    instance: str
    secrets: Sequence[str]
    ours: Callable[[str, int], bool]

    def __post_init__(self) -> None:
        if any(0 < len(secret) < _SHORTEST for secret in self.secrets):
            raise BadInput(f"a webhook secret has at least {_SHORTEST} characters")

    def heard(
        self, headers: Mapping[str, str], body: bytes, now: float
    ) -> Sequence[RecordChange]:
        """Return what a call says. Raises `NotAllowed`, `BadInput`."""
        self._proved({name.lower(): text for name, text in headers.items()}, body, now)
        try:
            told = json.loads(body)
        except ValueError:
            raise BadInput("the call’s body is no JSON") from None
        if not isinstance(told, dict):
            raise BadInput("the call’s body is no object")
        return [self._change(told)]

    def _proved(self, headers: Mapping[str, str], body: bytes, now: float) -> None:
        if len(body) > _LARGEST:
            raise BadInput("the call is too long")
        stamp = headers.get("x-atom-timestamp", "")
        signature = _SIGNATURE.fullmatch(headers.get("x-atom-signature", ""))
        given = signature[1] if signature else "0" * 64
        raw = stamp.encode("ascii", "replace") + b"." + body
        # Every secret is tried, so that how long it takes says nothing.
        proofs = [
            hmac.compare_digest(
                hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest(), given
            )
            for secret in self.secrets
            if secret
        ]
        fresh = _STAMP.fullmatch(stamp) and abs(now - int(stamp)) <= _APART
        if not any(proofs) or not fresh:
            raise NotAllowed("the call is not proved to be ServiceNow’s")

    def _change(self, told: Mapping[str, Any]) -> RecordChange:
        table, id_ = BY_NAME.get(str(told.get("table"))), str(told.get("sys_id"))
        event, op = str(told.get("event_id") or ""), str(told.get("op"))
        count = told.get("sys_mod_count")
        known = table is not None and SYS_ID.fullmatch(id_) and op in _OPS
        if not known or table is None or not 0 < len(event) <= 200:  # noqa: PLR2004
            raise BadInput("the call names no record that is followed here")
        changed = told.get("changed")
        fields = tuple(
            each
            for each in (changed if isinstance(changed, list) else ())
            if isinstance(each, str) and _NAME.fullmatch(each)
        )[:100]
        kind = _OPS[op]
        if kind is ChangeKind.CHANGED and fields and set(fields) <= _JOURNALS:
            kind = ChangeKind.COMMENTED
        # Approvals and items change what a card shows, and not always its row's count.
        beside = bool({"approvals", "items"} & set(fields))
        counted = isinstance(count, int) and count >= 0 and not beside
        return RecordChange(
            System.SERVICENOW,
            self.instance,
            kind,
            event,
            RecordRef(System.SERVICENOW, self.instance, table.kind, id_),
            Revision(count, str(count))
            if counted and isinstance(count, int)
            else NEVER,
            ours=counted and isinstance(count, int) and self.ours(id_, count),
            actor=str(told.get("sys_updated_by") or "")[:100],
            fields=fields,
        )
