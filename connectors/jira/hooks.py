"""
What Jira's webhooks say, once it is proved that Jira says it.

Sources: Atlassian, "Webhooks" of Jira Cloud: what an administrator set up is signed with
its secret in `X-Hub-Signature`; what an app registered carries a JSON web token signed
with the app's secret (HS256). `X-Atlassian-Webhook-Identifier` stays the same when a
delivery is tried again.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jwt

from bridge.errors import BadInput, NotAllowed
from bridge.records.model import ChangeKind, RecordChange, Revision, System
from connectors.jira.issues import moment_us
from connectors.jira.site import Site

_KINDS: Mapping[str, ChangeKind] = MappingProxyType(
    {
        "jira:issue_created": ChangeKind.CREATED,
        "jira:issue_updated": ChangeKind.CHANGED,
        "jira:issue_deleted": ChangeKind.DELETED,
        "comment_created": ChangeKind.COMMENTED,
        "comment_updated": ChangeKind.COMMENTED,
        "comment_deleted": ChangeKind.COMMENTED,
    }
)
_LEEWAY = 60.0  # seconds that clocks may differ


def heard(
    headers: Mapping[str, str], body: bytes, now: float, site: Site
) -> list[RecordChange]:
    """Return what a call says. Raises `NotAllowed` if it is not proved to be Jira's."""
    told = {name.casefold(): value for name, value in headers.items()}
    if not (_signed(told, body, site) or _by_app(told, now, site)):
        raise NotAllowed("the call is not signed by Jira")
    event = _parsed(body)
    kind = _KINDS.get(str(event.get("webhookEvent")))
    issue = event.get("issue")
    if kind is None or not isinstance(issue, Mapping):
        return []
    project = str(issue.get("key", "")).rpartition("-")[0]
    if project not in site.projects:
        return []
    identifier = told.get("x-atlassian-webhook-identifier", "")[:128]
    return [
        RecordChange(
            System.JIRA,
            site.instance,
            kind,
            identifier or hashlib.sha256(body).hexdigest(),
            site.ref(str(issue.get("id", ""))),
            _revision(issue, event),
            actor=_actor(event),
            fields=_fields(event),
        )
    ]


def _signed(told: Mapping[str, str], body: bytes, site: Site) -> bool:
    given = told.get("x-hub-signature", "")
    if not site.hook_secret or not given.startswith("sha256="):
        return False
    digest = hmac.new(site.hook_secret.encode(), body, hashlib.sha256).hexdigest()
    # Of bytes: texts that are not ASCII cannot be compared.
    return hmac.compare_digest(digest.encode(), given[7:].encode())


def _by_app(told: Mapping[str, str], now: float, site: Site) -> bool:
    scheme, _, token = told.get("authorization", "").partition(" ")
    if not site.client_secret or scheme.casefold() not in {"bearer", "jwt"}:
        return False
    try:
        claims = jwt.decode(
            token,
            site.client_secret,
            algorithms=["HS256"],
            # Times are looked at below, by the clock that was given.
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
        until = float(claims["exp"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return False
    return until + _LEEWAY > now


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("Jira's call cannot be read") from None
    if not isinstance(event, dict):
        raise BadInput("Jira's call cannot be read")
    return event


def _revision(issue: Mapping[str, Any], event: Mapping[str, Any]) -> Revision:
    fields = issue.get("fields")
    written = str(fields.get("updated") or "") if isinstance(fields, Mapping) else ""
    moment = moment_us(written)
    if moment:
        return Revision(moment, written)
    # Events of comments have few of the issue's fields.
    stamp = event.get("timestamp")
    return Revision(stamp * 1000 if isinstance(stamp, int) else -1)


def _actor(event: Mapping[str, Any]) -> str:
    user = event.get("user")
    if not isinstance(user, Mapping):
        comment = event.get("comment")
        user = comment.get("author") if isinstance(comment, Mapping) else None
    return str(user.get("accountId", ""))[:128] if isinstance(user, Mapping) else ""


def _fields(event: Mapping[str, Any]) -> tuple[str, ...]:
    log = event.get("changelog")
    items = log.get("items") if isinstance(log, Mapping) else None
    if not isinstance(items, list):
        return ()
    names = [
        each.get("fieldId") or each.get("field")
        for each in items
        if isinstance(each, dict)
    ]
    return tuple(str(name) for name in names if name)
