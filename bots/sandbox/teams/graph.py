"""The part of Microsoft Graph that reads teams, channels and messages."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.errors import Refusal
from bots.sandbox.teams.graph_shapes import (
    channel_told,
    member_told,
    message_told,
    user_told,
)
from bots.sandbox.teams.login import Login
from bots.sandbox.teams.model import Channel, File, Kind, Message, Team
from bots.sandbox.world import World

_PAGE, _PAGE_AT_MOST = 20, 50
_RSC_ROLE = "Group.Selected"

_MESSAGES = ("ChannelMessage.Read.Group", "ChannelMessage.Read.All")
_CHANNELS = (
    "ChannelSettings.Read.Group",
    "ChannelSettings.ReadWrite.Group",
    "Channel.ReadBasic.All",
    "ChannelSettings.Read.All",
)
_MEMBERS = ("TeamMember.Read.Group", "TeamMember.Read.All", "TeamMember.ReadWrite.All")
_TEAM = ("TeamSettings.Read.Group", "Team.ReadBasic.All", "TeamSettings.Read.All")
_USERS = ("User.ReadBasic.All", "User.Read.All", "Directory.Read.All")
_FILES = ("File.Read.Group", "Files.Read.All", "Sites.Read.All")


class Graph:
    """Answers what the token's roles allow, and the team's own grants."""

    def __init__(self, world: World, login: Login) -> None:
        self._world = world
        self._state = world.teams
        self._login = login

    async def team(self, request: Request) -> Response:
        team = self._team(request, _TEAM)
        return json_response(
            {
                "id": team.group_id,
                "displayName": team.name,
                "internalId": team.id,
                "isArchived": team.archived,
            }
        )

    async def members(self, request: Request) -> Response:
        team = self._team(request, _MEMBERS)
        told = [
            member_told(team, self._state.people[one])
            for one in team.members
            if one in self._state.people
        ]
        return self._page(request, told)

    async def channels(self, request: Request) -> Response:
        team = self._team(request, _CHANNELS)
        told = [
            channel_told(one)
            for one in self._state.channels.values()
            if one.team == team.id and not one.deleted
        ]
        return json_response({"value": told})

    async def channel(self, request: Request) -> Response:
        return json_response(channel_told(self._channel(request, _CHANNELS)))

    async def messages(self, request: Request) -> Response:
        """List the roots, newest first."""
        channel = self._channel(request, _MESSAGES)
        roots = [one for one in self._visible(channel) if one.is_root]
        return self._page(request, self._told(channel, self._newest_first(roots)))

    async def message(self, request: Request) -> Response:
        channel = self._channel(request, _MESSAGES)
        message = self._message(channel, request.match_info["message"])
        return json_response(self._shape(channel, message))

    async def replies(self, request: Request) -> Response:
        channel = self._channel(request, _MESSAGES)
        root = self._message(channel, request.match_info["message"])
        replies = [
            one
            for one in self._visible(channel)
            if one.root == root.id and not one.is_root
        ]
        return self._page(request, self._told(channel, self._newest_first(replies)))

    async def reply(self, request: Request) -> Response:
        channel = self._channel(request, _MESSAGES)
        message = self._message(channel, request.match_info["reply"])
        if message.root != request.match_info["message"]:
            raise _not_found()
        return json_response(self._shape(channel, message))

    async def delta(self, request: Request) -> Response:
        """List the roots that changed since the token was given, and a new token."""
        channel = self._channel(request, _MESSAGES)
        since = _number(request.query.get("$deltatoken", ""))
        after = _after(request.query.get("$filter", ""))
        changed = [
            one
            for one in sorted(self._visible(channel), key=lambda one: one.order)
            if one.is_root and one.order > since and _at(one.modified) > after
        ]
        latest = max((one.order for one in channel.messages.values()), default=since)
        told = self._told(channel, changed)
        return self._page(request, told, last=_token(max(since, latest)))

    async def user(self, request: Request) -> Response:
        _, roles = self._login.roles(request)
        if not set(roles) & set(_USERS):
            raise _forbidden(_USERS, roles, "Authorization_RequestDenied")
        wanted = request.match_info["user"]
        for person in self._state.people.values():
            if wanted in {person.directory_id, person.email}:
                return json_response(user_told(person))
        raise Refusal(404, "Request_ResourceNotFound", "Resource does not exist.")

    async def shared_file(self, request: Request) -> Response:
        """Give the bytes of a file on a team's site, by its encoded address."""
        app, roles = self._login.roles(request)
        file = self._shared(request.match_info["share"])
        team = self._state.teams[self._state.channels[file.channel].team]
        self._allow(team, app, roles, _FILES)
        return Response(body=file.content, content_type=file.media_type)

    def _team(self, request: Request, one_of: Sequence[str]) -> Team:
        app, roles = self._login.roles(request)
        group = request.match_info["team"]
        for team in self._state.teams.values():
            if team.group_id == group:
                self._allow(team, app, roles, one_of)
                return team
        raise _not_found()

    def _allow(
        self, team: Team, app: str, roles: Sequence[str], one_of: Sequence[str]
    ) -> None:
        """Let through what a role in the token allows, or a grant of this team."""
        grants = self._state.setting("graph_grants") if app in team.apps else []
        held = set(roles) | (set(grants) if _RSC_ROLE in roles else set())
        if not held & set(one_of):
            raise _forbidden(one_of, roles, "Forbidden")

    def _channel(self, request: Request, one_of: Sequence[str]) -> Channel:
        team = self._team(request, one_of)
        channel = self._state.channels.get(request.match_info["channel"])
        if channel is None or channel.team != team.id or channel.deleted:
            raise _not_found()
        if channel.kind is not Kind.STANDARD and one_of is _MESSAGES:
            self._no_grant_suffices(request, one_of)
        return channel

    def _no_grant_suffices(self, request: Request, one_of: Sequence[str]) -> None:
        """A team's grants do not reach into its private channels."""
        _, roles = self._login.roles(request)
        if not set(roles) & set(one_of):
            raise _forbidden(one_of, roles, "Forbidden")

    def _visible(self, channel: Channel) -> list[Message]:
        """What can be read by now: reading is behind by a while, if so set."""
        delay = self._state.setting("graph_delay")
        until = (time.time() - delay) * 1000
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
        raise _not_found()

    def _newest_first(self, messages: list[Message]) -> list[Message]:
        if self._state.setting("graph_order") == "modified":
            return sorted(messages, key=lambda one: one.order, reverse=True)
        return sorted(messages, key=lambda one: int(one.id), reverse=True)

    def _told(
        self, channel: Channel, messages: Sequence[Message]
    ) -> list[dict[str, Any]]:
        return [self._shape(channel, one) for one in messages]

    def _shape(self, channel: Channel, message: Message) -> dict[str, Any]:
        keeps = self._state.setting("graph_keeps_deleted_text")
        team = self._state.teams[channel.team]
        return message_told(self._state.people, team, message, keeps_text=keeps)

    def _page(
        self, request: Request, told: list[dict[str, Any]], last: str = ""
    ) -> Response:
        """Answer one page; the links are to this very host, to be followed as is."""
        size = _page_size(request.query.get("$top", ""))
        start = _number(request.query.get("$skiptoken", ""))
        answer: dict[str, Any] = {"value": told[start : start + size]}
        answer["@odata.count"] = len(answer["value"])
        if start + size < len(told):
            answer["@odata.nextLink"] = self._link(
                request, {"$skiptoken": _token(start + size)}, keep=True
            )
        elif last:
            answer["@odata.deltaLink"] = self._link(request, {"$deltatoken": last})
        return json_response(answer)

    def _link(
        self, request: Request, query: dict[str, str], *, keep: bool = False
    ) -> str:
        url = request.url.with_query(None)
        kept = dict(request.query) if keep else {}
        return str(url.with_query({**kept, **query}))

    def _shared(self, share: str) -> File:
        encoded = share.removeprefix("u!")
        try:
            url = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        except ValueError:
            raise _not_found() from None
        _, _, path = url.partition("/teams/sharepoint/")
        file = self._state.files.get(path.partition("/")[0])
        if file is None or file.pasted:
            raise _not_found()
        return file


def _not_found() -> Refusal:
    return Refusal(404, "NotFound", "The resource could not be found.")


def _forbidden(one_of: Sequence[str], roles: Sequence[str], code: str) -> Refusal:
    wanted, held = ", ".join(one_of), ", ".join(roles)
    return Refusal(
        403,
        code,
        "Missing role permissions on the request. API requires one of "
        f"'{wanted}'. Roles on the request '{held}'.",
    )


def _page_size(asked: str) -> int:
    if not asked:
        return _PAGE
    if not asked.isdecimal() or not 0 < int(asked) <= _PAGE_AT_MOST:
        raise Refusal(400, "BadRequest", "The limit for $top is 50.")
    return int(asked)


def _token(number: int) -> str:
    return urlsafe_b64encode(f"sandbox {number}".encode()).decode()


def _number(token: str) -> int:
    if not token:
        return 0
    try:
        return int(urlsafe_b64decode(token).decode().removeprefix("sandbox "))
    except ValueError:
        raise Refusal(400, "BadRequest", "The token is not valid.") from None


def _after(asked: str) -> float:
    if not asked:
        return 0.0
    try:
        return _at(asked.removeprefix("lastModifiedDateTime gt ").strip())
    except ValueError:
        raise Refusal(400, "BadRequest", "The filter is not supported.") from None


def _at(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()
