"""The part of Microsoft Graph that reads messages."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.errors import GraphRefusal
from bots.sandbox.teams.graph_access import Access, bad_request, not_found
from bots.sandbox.teams.graph_paging import paged, remembered, token
from bots.sandbox.teams.graph_shapes import message_told
from bots.sandbox.teams.model import Channel, Message
from bots.sandbox.world import World

GRAPH = "/teams/graph/v1.0"
_FILTER = re.compile(
    r"lastModifiedDateTime gt (?P<after>\S+)"
    r"(?: and lastModifiedDateTime lt (?P<before>\S+))?"
)


class Graph:
    """Shows what stands in channels, to whom the token allows it."""

    def __init__(self, world: World, access: Access) -> None:
        self._world = world
        self._state = world.teams
        self._access = access

    async def messages(self, request: Request) -> Response:
        """List the roots, newest first; their replies too, if so asked."""
        channel = self._access.channel(request, "graph.messages")
        roots = [one for one in self._visible(channel) if one.is_root]
        told = self._told(channel, self._newest_first(roots))
        if request.query.get("$expand", "") == "replies":
            for one in told:
                self._expand(request, channel, one)
        return paged(request, told)

    async def message(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.message")
        message = self._message(channel, request.match_info["message"])
        return json_response(self.shape(channel, message))

    async def replies(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.replies")
        root = self._message(channel, request.match_info["message"])
        replies = self._newest_first(self._below(channel, root.id))
        return paged(request, self._told(channel, replies))

    async def reply(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.reply")
        message = self._message(channel, request.match_info["reply"])
        if message.root != request.match_info["message"]:
            raise not_found()
        return json_response(self.shape(channel, message))

    async def delta(self, request: Request) -> Response:
        """
        List the roots that changed, oldest first, and a token to go on with.

        What was asked for is baked into the token. The last months are all there is.
        """
        channel = self._access.channel(request, "graph.delta")
        if self._state.setting("graph_delta_refused"):
            raise bad_request(
                "Invalid request. Delta query is not supported by this resource."
            )
        latest = max((one.order for one in channel.messages.values()), default=0)
        if request.query.get("$deltatoken") == "latest":
            return paged(request, [], last=token(since=latest))
        if "$expand" in request.query:
            raise bad_request("Parameter 'Expand' not supported for this request.")
        baked = dict(remembered(request, "$deltatoken"))
        since = int(baked.get("since", 0))
        asked = request.query.get("$filter") or str(baked.get("filter", ""))
        after, before = _span(asked)
        horizon = timedelta(days=self._state.setting("graph_delta_days"))
        oldest = self._state.now() - horizon.total_seconds()
        span = (max(after, oldest), before)
        changes = self._changes(channel)
        changed = [
            one
            for one in sorted(self._visible(channel), key=lambda one: changes[one.root])
            if one.is_root
            and changes[one.id][0] > since
            and span[0] < changes[one.id][1] < span[1]
        ]
        told = self._told(channel, changed)
        return paged(request, told, last=token(since=latest, filter=asked))

    async def refused_post(self, request: Request) -> Response:
        """Apps may not write here: that is for migrations, and there is none."""
        self._access.channel(request, "graph.post_message")
        raise GraphRefusal(403, "Forbidden", "The channel is not in migration mode.")

    async def hosted_contents(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.hosted_contents")
        message = self._message(channel, request.match_info["message"])
        told = [
            {"id": one, "contentType": self._state.files[one].media_type}
            for one in self._pictures(message)
        ]
        return json_response({"value": told})

    async def hosted_content(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.hosted_content")
        message = self._message(channel, request.match_info["message"])
        wanted = request.match_info["content"]
        if wanted not in self._pictures(message):
            raise not_found()
        file = self._state.files[wanted]
        return Response(body=file.content, content_type=file.media_type)

    def shape(self, channel: Channel, message: Message) -> dict[str, Any]:
        """Return a message as Graph tells it, here and in notices."""
        keeps = self._state.setting("graph_keeps_deleted_text")
        team = self._state.teams[channel.team]
        told = message_told(self._state.people, team, message, keeps_text=keeps)
        if self._state.setting("graph_hosted_contents"):
            self._host(told, channel, message)
        return told

    def _expand(self, request: Request, channel: Channel, root: dict[str, Any]) -> None:
        """Put a root's replies with it, and where the rest is if there are many."""
        replies = self._newest_first(self._below(channel, root["id"]))
        most = self._state.setting("graph_expanded_replies")
        root["replies"] = self._told(channel, replies[:most])
        if len(replies) > most:
            below = request.url.with_path(f"{request.path}/{root['id']}/replies")
            more = below.with_query({"$skiptoken": token(at=most)})
            root["replies@odata.nextLink"] = str(more)

    def _host(self, told: dict[str, Any], channel: Channel, message: Message) -> None:
        """Let pasted pictures lie where Graph serves them, and be no attachments."""
        team = self._state.teams[channel.team]
        path = f"teams/{team.group_id}/channels/{quote(channel.id)}/messages/"
        if message.is_root:
            path += f"{message.id}/hostedContents"
        else:
            path += f"{message.root}/replies/{message.id}/hostedContents"
        pictures = self._pictures(message)
        kept = []
        for attachment in told["attachments"]:
            address = str(attachment["contentUrl"] or "")
            found = [one for one in pictures if f"/attachments/{one}/" in address]
            if not found:
                kept.append(attachment)
                continue
            hosted = f"{self._world.base_url}{GRAPH}/{path}/{found[0]}/$value"
            body = told["body"]
            body["content"] = body["content"].replace(address, hosted)
        told["attachments"] = kept

    def _pictures(self, message: Message) -> list[str]:
        addresses = [
            str(one.get("contentUrl") or "") for one in message.content.attachments
        ]
        return [
            file.id
            for file in self._state.files.values()
            if file.pasted and any(f"/attachments/{file.id}/" in a for a in addresses)
        ]

    def _visible(self, channel: Channel) -> list[Message]:
        """What can be read by now: reading is behind by a while, if so set."""
        delay = self._state.setting("graph_delay")
        until = (self._state.now() - delay) * 1000
        return [
            one
            for one in channel.messages.values()
            # Ids may run ahead of the clock, so without a delay none is compared.
            if not one.target and (not delay or int(one.id) <= until)
        ]

    def _message(self, channel: Channel, wanted: str) -> Message:
        for one in self._visible(channel):
            if one.id == wanted:
                return one
        raise not_found()

    def _below(self, channel: Channel, root: str) -> list[Message]:
        return [
            one
            for one in self._visible(channel)
            if one.root == root and not one.is_root
        ]

    def _changes(self, channel: Channel) -> dict[str, tuple[int, float]]:
        """Return when each root changed last; whether by a reply too is a setting."""
        touched = self._state.setting("graph_replies_touch_root")
        last: dict[str, tuple[int, float]] = {}
        for one in channel.messages.values():
            if one.is_root or touched:
                change = (one.order, _at(one.modified))
                last[one.root] = max(last.get(one.root, change), change)
        return last

    def _newest_first(self, messages: list[Message]) -> list[Message]:
        if self._state.setting("graph_order") == "modified":
            return sorted(messages, key=lambda one: one.order, reverse=True)
        return sorted(messages, key=lambda one: int(one.id), reverse=True)

    def _told(
        self, channel: Channel, messages: Sequence[Message]
    ) -> list[dict[str, Any]]:
        return [self.shape(channel, one) for one in messages]


def _span(asked: str) -> tuple[float, float]:
    """Return the times between which changes are asked for."""
    if not asked:
        return 0.0, float("inf")
    found = _FILTER.fullmatch(asked.strip())
    if found is None:
        raise bad_request("The filter is not supported.")
    try:
        before = _at(found["before"]) if found["before"] else float("inf")
        return _at(found["after"]), before
    except ValueError:
        raise bad_request("The filter is not supported.") from None


def _at(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()
