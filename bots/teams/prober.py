"""Ask Teams whether ATOM can read and post in a channel."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bots.teams.closed import channel_closed
from bots.teams.connector import Connector, activities, in_path
from bots.teams.graph import Graph
from bots.teams.groups import grouped
from bots.teams.wire import mappings, text_of
from bridge.errors import (
    AtomError,
    CannotTell,
    Refused,
    ServiceUnavailable,
    StoreUnavailable,
)
from bridge.holds import Cause, Condition
from bridge.messages import Channel
from bridge.places import Place, PlaceBook

_PAGES = 50
_PAGE = 200
_LIMITS = {
    "private": "Teams may not tell ATOM what is said in a private channel: add ATOM "
    "to the channel itself, and let Graph tell it (ATOM_TEAMS_NOTICE_URL).",
    "shared": "Teams does not tell bots what is said in a shared channel: let Graph "
    "tell ATOM (ATOM_TEAMS_NOTICE_URL), or it hears nothing there.",
}
_UNREAD = (
    "Graph does not let ATOM read this channel, and Teams does not tell bots what is "
    "said there: grant ATOM's app ChannelMessage.Read.All, or it hears nothing."
)


@dataclass(frozen=True, slots=True)
class TeamsProber:
    """
    Implements `bridge.holds.Prober`.

    That ATOM types is what nobody sees, and is refused wherever a post is. `graph` is
    there if it tells of what Teams keeps from bots.
    """

    connector: Connector
    places: PlaceBook
    graph: Graph | None = None

    async def condition(self, channel: Channel) -> Condition:
        try:
            place = await self.places.find(channel)
            if place is None or not place.service_url:
                return Condition(frozenset({Cause.UNINSTALLED}))
            return await self._asked(channel, place)
        except Refused as refused:
            if not refused.cause:
                raise ServiceUnavailable(str(refused)) from refused
            return Condition(frozenset({Cause(refused.cause)}), vague=True)
        except (ServiceUnavailable, StoreUnavailable):
            raise
        except AtomError as error:
            raise ServiceUnavailable(str(error)) from error

    async def _asked(self, channel: Channel, place: Place) -> Condition:
        with channel_closed():
            path = activities(channel.id)
            typing = {"type": "typing"}
            await self.connector.call("POST", place.service_url, path, typing)
        limit = await self._limit(place)
        limits = (limit,) if limit else ()
        if place.kind == "shared" and await self._has_guests(channel, place):
            return Condition(frozenset({Cause.EXTERNAL}), limits)
        return Condition(limits=limits)

    async def _limit(self, place: Place) -> str:
        """Return why ATOM may hear nothing there, or nothing."""
        if place.kind not in _LIMITS or self.graph is None:
            return _LIMITS.get(place.kind, "")
        try:
            whole = await grouped(self.connector, self.places, place)
            group, channel = in_path(whole.group_id), in_path(whole.channel)
            path = f"teams/{group}/channels/{channel}/messages?$top=1"
            await self.graph.page(whole.account, path)
        except CannotTell:
            return _UNREAD
        return ""

    async def _has_guests(self, channel: Channel, place: Place) -> bool:
        """Say whether a shared channel has members from other tenants."""
        async for member in self._members(channel, place):
            tenant = text_of(member.get("tenantId"))
            if tenant and tenant.lower() != place.account.lower():
                return True
        return False

    async def _members(
        self, channel: Channel, place: Place
    ) -> AsyncIterator[Mapping[str, Any]]:
        path = f"v3/conversations/{in_path(channel.id)}/pagedmembers?pageSize={_PAGE}"
        token = ""
        for _ in range(_PAGES):
            more = f"&continuationToken={quote(token, safe='')}" if token else ""
            page = await self.connector.call("GET", place.service_url, path + more)
            for member in mappings(page.get("members")):
                yield member
            if not (token := text_of(page.get("continuationToken"))):
                return
