"""Registering webhooks: apps for themselves, for 30 days; administrators for good."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox.http import answer, body_of
from connectors.sandbox.jira.jql import JqlError, parsed
from connectors.sandbox.jira.refusals import Refusal
from connectors.sandbox.jira.shapes import Shapes
from connectors.sandbox.jira.state import AdminHook, DynamicHook, Json, Site, iso

LIFE = 30 * 86_400.0
_EVENTS = frozenset(
    {
        "jira:issue_created",
        "jira:issue_updated",
        "jira:issue_deleted",
        "comment_created",
        "comment_updated",
        "comment_deleted",
    }
)


class Webhooks:
    """One site's registered webhooks. Apps are told apart by their client id."""

    def __init__(self, site: Site, app: str) -> None:
        self._site, self._app = site, app

    async def register(self, request: web.Request, shapes: Shapes) -> web.Response:
        body = await body_of(request)
        results = [
            self._registered(each, str(body.get("url", "")), shapes)
            for each in body.get("webhooks", ())
        ]
        return answer({"webhookRegistrationResult": results})

    async def listed(self, request: web.Request, shapes: Shapes) -> web.Response:  # noqa: ARG002
        told = [
            {
                "id": each.id,
                "jqlFilter": each.jql,
                "events": list(each.events),
                "expirationDate": iso(each.expires),
                "url": each.url,
            }
            for each in self._mine()
        ]
        page = {"startAt": 0, "maxResults": 100, "total": len(told), "isLast": True}
        return answer({**page, "values": told})

    async def refresh(self, request: web.Request, shapes: Shapes) -> web.Response:  # noqa: ARG002
        wanted = (await body_of(request)).get("webhookIds", ())
        expires = self._site.now() + LIFE
        for each in self._mine():
            if each.id in wanted:
                each.expires = expires
        return answer({"expirationDate": iso(expires)})

    async def delete(self, request: web.Request, shapes: Shapes) -> web.Response:  # noqa: ARG002
        wanted = (await body_of(request)).get("webhookIds", ())
        gone = [each for each in self._mine() if each.id in wanted]
        for each in gone:
            self._site.dynamic_hooks.remove(each)
        return web.Response(status=202)

    async def by_admin(self, request: web.Request, shapes: Shapes) -> web.Response:
        if "it" not in shapes.user.groups:
            raise Refusal(403, "Only Jira administrators can register webhooks.")
        body = await body_of(request)
        events = tuple(body.get("events", ()))
        hook = AdminHook(str(body["url"]), str(body.get("secret", "")), events)
        self._site.admin_hooks.append(hook)
        return answer({"name": body.get("name", ""), "url": hook.url}, 201)

    def _mine(self) -> list[DynamicHook]:
        """What has expired is gone."""
        now = self._site.now()
        kept = [each for each in self._site.dynamic_hooks if each.expires > now]
        self._site.dynamic_hooks[:] = kept
        return [each for each in kept if each.app == self._app]

    def _registered(self, wish: Mapping[str, Any], url: str, shapes: Shapes) -> Json:
        events = tuple(wish.get("events", ()))
        jql = str(wish.get("jqlFilter", ""))
        if not events or not set(events) <= _EVENTS:
            return {"errors": ["The events are not supported."]}
        try:
            query = parsed(jql, shapes.user.id, self._site.now())
        except JqlError as error:
            return {"errors": [str(error)]}
        if not query.bounded:
            return {"errors": ["The JQL filter is missing."]}
        taken = [each.url for each in self._mine() if each.url != url]
        if taken:
            return {"errors": [f"Only a single URL per app is allowed: {taken[0]}"]}
        number = int(self._site.number())
        hook = DynamicHook(number, self._app, url, jql, events, self._site.now() + LIFE)
        self._site.dynamic_hooks.append(hook)
        return {"createdWebhookId": number}
