"""Previews of links to records: while they are written, and when they were posted."""

import asyncio
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from bots.record_talks import Talks
from bots.slack.clients import Clients
from bots.slack.payload import mapping, mappings, string
from bots.slack.record_place import unfurled
from bots.slack.work_objects import WorkObjects
from bridge.errors import AtomError, Throttled
from bridge.messages import Event
from bridge.ports import Tenants
from bridge.records.cards import RecordCard
from bridge.records.desk import Asker, RecordDesk

log = structlog.get_logger()

_MOST = 20  # links of one message
_COMPOSER = "composer"
_LONGEST_WAIT = 30.0


@dataclass(slots=True)
class Previews:
    """Answers `link_shared` events that are on record already."""

    desk: RecordDesk
    tenants: Tenants
    clients: Clients
    objects: WorkObjects = field(default_factory=WorkObjects)
    talks: Talks = field(default_factory=Talks)

    def begin(self, event: Event, body: Mapping[str, Any]) -> None:
        """Go about it in the background: Slack has its answer meanwhile."""
        _ = self.talks.hold(self._run(event, mapping(body, "event")))

    async def aclose(self) -> None:
        await self.talks.aclose()

    async def _run(self, event: Event, shared: Mapping[str, Any]) -> None:
        """The outermost frame of a preview: without one, people see the bare link."""
        try:
            await self._show(event, shared)
        except AtomError as error:
            reason = getattr(error, "code", type(error).__name__)
            log.warning("link not previewed", platform="slack", reason=reason)
        except Exception:
            log.exception("link not previewed", platform="slack")

    async def _show(self, event: Event, shared: Mapping[str, Any]) -> None:
        tenant = await self.tenants.tenant_of(event.platform, event.account)
        told = [string(link, "url") for link in mappings(shared, "links")]
        # Slack tells links with `&` escaped, and wants them back so.
        links = {html.unescape(url): url for url in filter(None, told[:_MOST])}
        if tenant is None or not links:
            return
        composing = string(shared, "source") == _COMPOSER
        where = _where(shared)
        asker = Asker(tenant, event.author, event.account, event.channel)
        previews = await self.desk.preview(
            asker,
            list(links),
            composing=composing,
            cause="" if composing else f"{event.channel}/{event.message}",
            unfurl={} if composing else where,
        )
        cards = {
            links.get(one.url, one.url): one.card
            for one in previews
            if one.card is not None
        }
        if cards:
            await self._unfurl(event, where, cards)

    async def _unfurl(
        self, event: Event, where: Mapping[str, str], cards: Mapping[str, RecordCard]
    ) -> None:
        client = await self.clients.of(event.account)
        shown = event.account, cards
        try:
            await unfurled(client, self.objects, shown, where)
        except Throttled as throttled:
            await asyncio.sleep(min(throttled.retry_after, _LONGEST_WAIT))
            await unfurled(client, self.objects, shown, where)


def _where(shared: Mapping[str, Any]) -> dict[str, str]:
    """Return what Slack needs to change a preview, as it told it."""
    found = {
        "channel": string(shared, "channel"),
        "ts": string(shared, "message_ts"),
        "thread_ts": string(shared, "thread_ts"),
        "unfurl_id": string(shared, "unfurl_id"),
        "source": string(shared, "source"),
    }
    return {name: value for name, value in found.items() if value}
