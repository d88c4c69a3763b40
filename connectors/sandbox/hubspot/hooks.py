"""
Webhooks: lists of events without order, signed with the app's secret.

Source: HubSpot, "Webhooks API" and "Validating requests" (signature v3): method,
address, body and timestamp under HMAC SHA-256, in base 64.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.hubspot.state import Portal, Thing
from connectors.sandbox.posting import Poster
from connectors.sandbox.users import User

_OBJECTS = {
    "contacts": "contact",
    "companies": "company",
    "deals": "deal",
    "tickets": "ticket",
}


@dataclass(slots=True)
class Hooks:
    """Tells one address of everything. `urls` are by topic; `*` hears all."""

    portal: Portal
    poster: Poster
    secret: str
    app: int
    urls: Callable[[], Mapping[str, str]]

    def tell(
        self,
        thing: Thing,
        what: str,
        user: User,
        name: str = "",
        value: str | None = None,
    ) -> None:
        url = self.urls().get("*")
        if url is None or thing.kind not in _OBJECTS:
            return
        event: dict[str, Any] = {
            "eventId": int(self.portal.new_id()),
            "subscriptionId": 3_000_000 + len(what),
            "portalId": self.portal.id,
            "appId": self.app,
            "occurredAt": int(thing.updated * 1000),
            "subscriptionType": f"{_OBJECTS[thing.kind]}.{what}",
            "attemptNumber": 0,
            "objectId": int(thing.id),
            "changeSource": "CRM_UI",
            "sourceId": f"userId:{user.id}",
        }
        if name:
            event |= {"propertyName": name, "propertyValue": value or ""}
        topic = event["subscriptionType"]
        body = json.dumps([event]).encode()
        self.poster.tell(topic, url, body, lambda _: self.signed(url, body))

    def signed(self, url: str, body: bytes) -> dict[str, str]:
        stamp = str(int(self.portal.now() * 1000))
        told = b"POST" + url.encode() + body + stamp.encode()
        digest = hmac.new(self.secret.encode(), told, hashlib.sha256).digest()
        return {
            "X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
            "X-HubSpot-Request-Timestamp": stamp,
        }
