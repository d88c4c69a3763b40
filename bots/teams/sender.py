"""How copies come to stand in Teams."""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from bots.teams.closed import channel_closed
from bots.teams.connector import Connector, Gone, activities
from bots.teams.content import comparable, content, plain_name
from bots.teams.graph import Graph, GraphRefused
from bots.teams.places import place_of, threaded
from bots.teams.resemblance import resembles
from bots.teams.wire import text_of
from bridge.delivery import Post
from bridge.errors import (
    Ambiguous,
    CannotTell,
    NotSent,
    ServiceUnavailable,
)
from bridge.holds import Cause
from bridge.places import PlaceBook


@dataclass(frozen=True, slots=True)
class TeamsSender:
    """Implements `bridge.ports.Sender`. Without `graph` no lost answer can be found."""

    connector: Connector
    places: PlaceBook
    app_id: str
    graph: Graph | None = None

    async def post(self, post: Post) -> str:
        try:
            return await self._post(post)
        except Gone:
            if not post.thread:
                raise
        # Its root is no more: not deleted, which leaves a thread, but done away with.
        return await self._post(post.outside_thread())

    async def _post(self, post: Post) -> str:
        conversation = threaded(post.target.id, post.thread)
        body = body_of(post)
        if post.names.pings:
            # Bots cannot call a channel by its name; they can raise its bell. An edit
            # does not: who was called once is not called again.
            data = {**body.get("channelData", {}), "notification": {"alert": True}}
            body["channelData"] = data
        with channel_closed(post.thread):
            answer = await self._call("POST", post, activities(conversation), body)
        if remote := text_of(answer.get("id")):
            return remote
        raise Ambiguous("Teams took the message but gave it no id")

    def weight(self, post: Post) -> int:
        """Count bytes of UTF-16, mentions and markup included, as Teams does."""
        body = body_of(post)
        counted = json.dumps([body["text"], body["entities"]], ensure_ascii=False)
        return 2 * len(counted) + 2 * sum(c > "\uffff" for c in counted)

    async def edit(self, remote: str, post: Post) -> None:
        try:
            await self._edit(remote, post)
        except Gone:
            if not post.thread:
                raise
            await self._edit(remote, post.outside_thread())

    async def delete(self, remote: str, post: Post) -> None:
        for each in (post, post.outside_thread()) if post.thread else (post,):
            with suppress(Gone):
                await self._call("DELETE", each, _standing(each, remote))
                return

    async def find(
        self, post: Post, since_us: int, known: Collection[str]
    ) -> str | None:
        """Look through Graph for a post of ours that says the same."""
        if self.graph is None:
            raise CannotTell("the answer was lost, and ATOM may not look into Graph")
        place = await place_of(self.places, post.target, Cause.UNINSTALLED)
        if not place.group_id:
            raise CannotTell("the answer was lost, and the team's group is not known")
        try:
            candidates = await self.graph.posted_by(
                self.app_id, place, post.thread, since_us
            )
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        except GraphRefused as refused:
            if not post.thread or refused.status != HTTPStatus.NOT_FOUND:
                raise
            return await self.find(post.outside_thread(), since_us, known)

        free = [c for c in candidates if c.id not in known]
        said = {comparable(html) for html in versions(post)}
        same = [c for c in free if not c.deleted and comparable(c.html) in said]
        if same:
            return min(same, key=lambda c: c.created_us).id
        if any(c.deleted for c in free):
            raise CannotTell("the answer was lost, and a message of ATOM's was deleted")
        if any(resembles(candidate.html, post) for candidate in free):
            # It may be this one, sent while other names were known.
            raise CannotTell(
                "the answer was lost, and a message of ATOM's resembles it"
            )
        return None

    async def _edit(self, remote: str, post: Post) -> None:
        body = {**body_of(post), "id": remote}
        await self._call("PUT", post, _standing(post, remote), body)

    async def _call(
        self, method: str, post: Post, path: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        place = await place_of(self.places, post.target, Cause.UNINSTALLED)
        return await self.connector.call(method, place.service_url, path, body)


def body_of(post: Post) -> dict[str, Any]:
    """Return the activity that carries a post."""
    html, entities = content(post, post.document)
    body: dict[str, Any] = {
        "type": "message",
        "textFormat": "xml",
        "text": html,
        "entities": entities,
    }
    if post.account:
        # Teams shows the person "via ATOM", where it honours that at all.
        speaker = {"itemId": 0, "mentionType": "person", "mri": post.account}
        speaker["displayName"] = plain_name(post.author.name)
        body["channelData"] = {"onBehalfOf": [speaker]}
    return body


def versions(post: Post) -> list[str]:
    """Return what the post says, and what it may have said when it was sent."""
    documents = (post.document, *post.earlier)
    return [content(post, document)[0] for document in documents]


def _standing(post: Post, remote: str) -> str:
    """Return the path of a copy: inside its thread, or its own thread for a root."""
    return activities(threaded(post.target.id, post.thread or remote), remote)
