"""
Webhooks: those of administrators are signed, those of apps carry a token of theirs.

Source: Atlassian, "Webhooks" (Jira Cloud platform): `X-Hub-Signature` with the method's
name before the digest, `X-Atlassian-Webhook-Identifier` equal for all tries of one
event, and an app's webhooks with a JSON web token signed with its secret, for 30 days.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt

from connectors.sandbox.jira.jql import parsed
from connectors.sandbox.jira.shapes import Shapes
from connectors.sandbox.jira.state import AdminHook, Comment, DynamicHook, Issue, Site
from connectors.sandbox.posting import Poster
from connectors.sandbox.users import User

_TYPES = {
    "jira:issue_created": "issue_created",
    "jira:issue_updated": "issue_updated",
    "comment_created": "issue_commented",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an issue."""

    name: str
    issue: Issue
    user: User
    items: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    comment: Comment | None = None


@dataclass(slots=True)
class Hooks:
    """Tells everybody who wants to hear. `secrets` are apps' secrets by client id."""

    site: Site
    poster: Poster
    secrets: Mapping[str, str]

    def tell(self, event: Event) -> None:
        body = self._body(event)
        flow = "Primary"
        for hook in self.site.admin_hooks:
            if event.name in hook.events:
                self._signed(hook, event, body, flow)
        for one in self.site.dynamic_hooks:
            if event.name in one.events and self._wanted(one, event):
                told = {**body, "matchedWebhookIds": [one.id]}
                self._with_token(one, event, told, flow)

    def _body(self, event: Event) -> dict[str, Any]:
        shapes = Shapes(self.site, event.user)
        told: dict[str, Any] = {
            "timestamp": int(event.issue.updated * 1000),
            "webhookEvent": event.name,
            "user": shapes.person(event.user.id),
            "issue": shapes.issue(event.issue, ["*navigable"]),
        }
        if event.name in _TYPES:
            told["issue_event_type_name"] = _TYPES[event.name]
        if event.items:
            items = [dict(each) for each in event.items]
            told["changelog"] = {"id": self.site.number(), "items": items}
        if event.comment is not None:
            told["comment"] = shapes.comment(event.comment)
        return told

    def _wanted(self, hook: DynamicHook, event: Event) -> bool:
        if hook.expires <= self.site.now():
            return False
        document = self.site.document(event.issue, current=True) or {}
        return parsed(hook.jql, event.user.id, self.site.now()).test(document)

    def _signed(
        self, hook: AdminHook, event: Event, body: Mapping[str, Any], flow: str
    ) -> None:
        raw = json.dumps(body).encode()
        digest = hmac.new(hook.secret.encode(), raw, hashlib.sha256).hexdigest()
        signed = {"X-Hub-Signature": f"sha256={digest}"} if hook.secret else {}
        self._post(event, hook.url, raw, signed, flow)

    def _with_token(
        self, hook: DynamicHook, event: Event, body: Mapping[str, Any], flow: str
    ) -> None:
        now = int(self.site.now())
        claims = {"iss": hook.app, "iat": now, "exp": now + 180}
        token = jwt.encode(claims, self.secrets[hook.app], algorithm="HS256")
        signed = {"Authorization": f"Bearer {token}"}
        self._post(event, hook.url, json.dumps(body).encode(), signed, flow)

    def _post(
        self, event: Event, url: str, raw: bytes, signed: Mapping[str, str], flow: str
    ) -> None:
        identifier = str(uuid4())

        def headers(attempt: int) -> Mapping[str, str]:
            again = {"X-Atlassian-Webhook-Retry": str(attempt)} if attempt else {}
            return {
                **signed,
                **again,
                "X-Atlassian-Webhook-Identifier": identifier,
                "X-Atlassian-Webhook-Flow": flow,
            }

        self.poster.tell(event.name, url, raw, headers)
