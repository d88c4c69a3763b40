"""
The webhooks that ATOM registers for itself at Jira, which end after 30 days.

Source: Jira Cloud REST API v3, "Webhooks": registered webhooks expire after 30 days and
are extended by "Extend webhook life"; an app has one URL for all of its webhooks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import ServiceUnavailable
from bridge.records.ports import Access
from connectors.jira.api import Api, objects
from connectors.jira.issues import moment_us
from connectors.jira.jql import one_of
from connectors.jira.site import Site

EVENTS = (
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
)
_EARLY = 10 * 86_400.0  # seconds before its end that a webhook is extended
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Tending:
    """Keeps one webhook alive for the projects that ATOM speaks of."""

    site: Site
    api: Api

    async def tend(self, access: Access, url: str) -> float:
        """
        See to it that there is one webhook to `url`, and that it lives.

        Returns the seconds after which to come again. Doing it twice changes nothing.
        """
        wanted = one_of("project", self.site.projects)
        told = objects(
            (await self.api.get(access, "webhook", urgent=False)).get("values")
        )
        ours = [
            each
            for each in told
            if each.get("jqlFilter") == wanted and _hears_all(each)
        ]
        right = [each for each in ours if each.get("url", url) == url][:1]
        wrong = [each["id"] for each in told if each not in right]
        if wrong:
            await self.api.write(access, "DELETE", ("webhook",), {"webhookIds": wrong})
        if not right:
            await self._register(access, url, wanted)
            return _DAY
        ends = moment_us(str(right[0].get("expirationDate", ""))) / 1_000_000
        if ends - self.api.rest.clock() < _EARLY:
            body = {"webhookIds": [right[0]["id"]]}
            await self.api.write(access, "PUT", ("webhook", "refresh"), body)
        return _DAY

    async def _register(self, access: Access, url: str, jql: str) -> None:
        hook = {"jqlFilter": jql, "events": list(EVENTS)}
        body = {"url": url, "webhooks": [hook]}
        answer = await self.api.write(access, "POST", ("webhook",), body)
        results = objects(answer.object.get("webhookRegistrationResult"))
        if not any("createdWebhookId" in each for each in results):
            raise ServiceUnavailable("Jira did not take ATOM's webhook")


def _hears_all(hook: Mapping[str, Any]) -> bool:
    return set(EVENTS) <= set(hook.get("events") or ())
