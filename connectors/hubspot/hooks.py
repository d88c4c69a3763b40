"""
What HubSpot's webhooks say, once it is proved that HubSpot says it.

Sources: HubSpot, "Validating requests": signature v3 is over method, address, body and
time, the address with some of its escapes undone; nothing older than five minutes is
taken. "Webhooks API": events come in lists, in no order, more than once.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bridge.errors import BadInput, NotAllowed
from bridge.records.model import ChangeKind, RecordChange, Revision, System
from connectors.hubspot.portal import KINDS, NUMBERS, Kind, Portal

_OLDEST_MS = 5 * 60 * 1000
_UNDONE = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
_WHAT: Mapping[str, ChangeKind] = MappingProxyType(
    {
        "creation": ChangeKind.CREATED,
        "propertyChange": ChangeKind.CHANGED,
        "associationChange": ChangeKind.CHANGED,
        "merge": ChangeKind.CHANGED,
        "deletion": ChangeKind.DELETED,
        "privacyDeletion": ChangeKind.DELETED,
        "restore": ChangeKind.RESTORED,
    }
)


def heard(
    headers: Mapping[str, str], url: str, body: bytes, now: float, portal: Portal
) -> list[RecordChange]:
    """Return what a call says. Raises `NotAllowed` if it is not proved HubSpot's."""
    told = {name.casefold(): value for name, value in headers.items()}
    if not _signed(told, url, body, now, portal):
        raise NotAllowed("the call is not signed by HubSpot, or is an old one")
    try:
        events = json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("HubSpot's call cannot be read") from None
    if not isinstance(events, list):
        raise BadInput("HubSpot's call cannot be read")
    changes = (_change(each, portal) for each in events if isinstance(each, dict))
    return [each for each in changes if each is not None]


def _signed(
    told: Mapping[str, str], url: str, body: bytes, now: float, portal: Portal
) -> bool:
    stamp = told.get("x-hubspot-request-timestamp", "")
    given = told.get("x-hubspot-signature-v3", "")
    if not portal.client_secret or not stamp.isdecimal() or len(stamp) > 15:  # noqa: PLR2004 - digits
        return False
    if abs(now * 1000 - int(stamp)) > _OLDEST_MS:
        return False
    source = b"POST" + _undone(url).encode() + body + stamp.encode()
    digest = hmac.new(portal.client_secret.encode(), source, hashlib.sha256).digest()
    # Of bytes: texts that are not ASCII cannot be compared.
    return hmac.compare_digest(base64.b64encode(digest), given.encode())


def _undone(url: str) -> str:
    for escape, character in _UNDONE.items():
        url = url.replace(escape, character).replace(escape.lower(), character)
    return url


def _change(event: Mapping[str, Any], portal: Portal) -> RecordChange | None:
    named, _, what = str(event.get("subscriptionType", "")).partition(".")
    kind = _kind(named, event)
    id_ = str(event.get("objectId", ""))
    ours = event.get("portalId") == portal.portal_id
    if kind is None or what not in _WHAT or not id_.isdecimal() or not ours:
        return None
    occurred = event.get("occurredAt")
    moment = occurred if isinstance(occurred, int) else 0
    name = str(event.get("propertyName", ""))
    # An event's id alone is not always its own.
    parts = (event.get("eventId"), named, what, id_, name, moment)
    source = str(event.get("sourceId", ""))
    return RecordChange(
        System.HUBSPOT,
        portal.instance,
        _WHAT[what],
        "-".join(str(part) for part in parts)[:200],
        portal.ref(kind, id_),
        Revision(moment * 1000, str(moment)),
        ours=bool(portal.app_id) and source == str(portal.app_id),
        actor=source[:128],
        fields=(name,) if name else (),
    )


def _kind(named: str, event: Mapping[str, Any]) -> Kind | None:
    if named == "object":
        return NUMBERS.get(str(event.get("objectTypeId", "")))
    return KINDS.get(named)
