"""
Keep Graph telling ATOM of what happens in channels: a second feed beside the bot's.

Notices name a message and say nothing of what is in it. They are there to notice that
something was not heard; what is in it is read as everything that was missed is.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bots.teams.connector import Connector, in_path
from bots.teams.graph import Graph
from bots.teams.groups import grouped
from bots.teams.wire import iso, microseconds, text_of
from bridge.errors import AtomError, CannotTell
from bridge.messages import Channel
from bridge.places import Place, PlaceBook

log = structlog.get_logger()

_KINDS = "created,updated,deleted"
_LASTS_US = 4_300 * 60 * 1_000_000  # Graph allows 4,320 minutes

Subscription = Mapping[str, Any]

SILENT = frozenset({"private", "shared"})


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """
    Subscriptions for channels, made where missing and renewed at half of their life.

    Graph calls `url`, and repeats `secret` by which it is known.
    """

    graph: Graph
    connector: Connector
    places: PlaceBook
    url: str
    secret: str
    clock: Callable[[], int]

    async def keep(self, channels: Collection[Channel]) -> list[Channel]:
        """
        Look after the channels' subscriptions; one that fails waits for the next.

        Returns private and shared channels: of those Teams may tell bots nothing.
        """
        silent: list[Channel] = []
        standing: dict[str, dict[str, Subscription]] = {}
        for channel in channels:
            try:
                place = await self._place(channel)
                if place is None:
                    continue
                if place.kind in SILENT:
                    silent.append(channel)
                if place.account not in standing:
                    standing[place.account] = await self._standing(place.account)
                await self._keep(place, standing[place.account])
            except AtomError as error:
                log.warning("not subscribed", channel=channel.id, reason=str(error))
        return silent

    async def _place(self, channel: Channel) -> Place | None:
        place = await self.places.find(channel)
        if place is None or not place.service_url:
            return None
        place = await grouped(self.connector, self.places, place)
        return place if place.kind else await self._described(place)

    async def _described(self, place: Place) -> Place:
        """Ask of what kind a channel is that no activity told of."""
        path = f"teams/{in_path(place.group_id)}/channels/{in_path(place.channel)}"
        try:
            told = await self.graph.one(place.account, path)
        except CannotTell as error:
            log.warning("kind not known", channel=place.channel, reason=str(error))
            return place
        described = replace(place, kind=text_of(told.get("membershipType")))
        await self.places.remember(described)
        return described

    async def _standing(self, account: str) -> dict[str, Subscription]:
        """Return our own subscriptions, by what they are of."""
        found: dict[str, Subscription] = {}
        async for page in self.graph.pages(account, "subscriptions"):
            for one in page:
                if one.get("notificationUrl") == self.url:
                    found[text_of(one.get("resource")).strip("/")] = one
        return found

    async def _keep(self, place: Place, standing: Mapping[str, Subscription]) -> None:
        resource = f"teams/{place.group_id}/channels/{place.channel}/messages"
        until = iso(self.clock() + _LASTS_US)
        one = standing.get(resource)
        if one is None:
            wish = {
                "changeType": _KINDS,
                "notificationUrl": self.url,
                "lifecycleNotificationUrl": self.url,
                "resource": resource,
                "expirationDateTime": until,
                "clientState": self.secret,
            }
            await self.graph.change("POST", place.account, "subscriptions", wish)
            return
        left = (microseconds(one.get("expirationDateTime")) or 0) - self.clock()
        if left < _LASTS_US // 2:
            path = f"subscriptions/{in_path(text_of(one.get('id')))}"
            renewed = {"expirationDateTime": until}
            await self.graph.change("PATCH", place.account, path, renewed)
