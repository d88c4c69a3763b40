"""The connector's REST API for who and what is in a team, and for pictures."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.connector import Connector
from bots.sandbox.teams.errors import Refusal, bad_argument, no_conversation
from bots.sandbox.teams.login import Login
from bots.sandbox.teams.model import Channel, File, Kind, Team
from bots.sandbox.teams.state import TeamsState
from bots.sandbox.teams.throttle import Throttle

_PAGE = 200
_PAGE_AT_MOST = 500


class Roster:
    """What bots may read: members, teams, channels, attachments."""

    def __init__(
        self, state: TeamsState, login: Login, throttle: Throttle, connector: Connector
    ) -> None:
        self._state = state
        self._login = login
        self._throttle = throttle
        self._connector = connector

    async def paged_members(self, request: Request) -> Response:
        channel = self._read(request, "members", "read")
        accounts = [one.account() for one in self._state.members(channel)]
        start = _position(request.query.get("continuationToken", ""))
        size = _page_size(request.query.get("pageSize", ""))
        answer: dict[str, Any] = {"members": accounts[start : start + size]}
        if start + size < len(accounts):
            answer["continuationToken"] = _token(start + size)
        return json_response(answer)

    async def members(self, request: Request) -> Response:
        """Answer the old call, which is allowed rarely."""
        channel = self._read(request, "old_members", "old_members")
        return json_response([one.account() for one in self._state.members(channel)])

    async def member(self, request: Request) -> Response:
        channel = self._read(request, "members", "read")
        wanted = request.match_info["member"]
        for one in self._state.members(channel):
            if wanted in {one.id, one.directory_id, one.principal}:
                return json_response(one.account())
        raise Refusal(
            404, "MemberNotFoundInConversation", "The member is not in the roster."
        )

    async def team(self, request: Request) -> Response:
        team = self._team(request)
        return json_response(
            {
                "id": team.id,
                "name": team.name,
                "aadGroupId": team.group_id,
                "type": "standard",
                "channelCount": len(self._channels(team)),
                "memberCount": len(team.members),
            }
        )

    async def channels(self, request: Request) -> Response:
        """List the channels; the General channel tells no name."""
        told = [
            {
                "id": one.id,
                "name": None if one.is_general else one.name,
                "type": one.kind.value,
            }
            for one in self._channels(self._team(request))
        ]
        return json_response({"conversations": told})

    async def attachment(self, request: Request) -> Response:
        file = self._file(request)
        return json_response(
            {
                "name": file.name,
                "type": file.media_type,
                "views": [
                    {"viewId": view, "size": file.size}
                    for view in ("original", "thumbnail")
                ],
            }
        )

    async def attachment_view(self, request: Request) -> Response:
        file = self._file(request)
        return Response(body=file.content, content_type=file.media_type)

    def _read(self, request: Request, bucket: str, windows: str) -> Channel:
        app = self._login.app(request)
        channel, _ = self._connector.place(request, app)
        self._throttle.spend([((app, channel.id, bucket), windows)])
        return channel

    def _team(self, request: Request) -> Team:
        app = self._login.app(request)
        team = self._state.team(request.match_info["team"])
        general = self._connector.reachable(request, app, team.id)
        self._throttle.spend([((app, general.id, "conversations"), "read")])
        return team

    def _channels(self, team: Team) -> list[Channel]:
        return [
            one
            for one in self._state.channels.values()
            if one.team == team.id and not one.deleted and one.kind is Kind.STANDARD
        ]

    def _file(self, request: Request) -> File:
        app = self._login.app(request)
        file = self._state.files.get(request.match_info["attachment"])
        if file is None or not file.pasted:
            raise no_conversation()
        self._connector.reachable(request, app, file.channel)
        return file


def _page_size(asked: str) -> int:
    if asked and not asked.isdecimal():
        raise bad_argument("pageSize is not a number.")
    return max(1, min(int(asked or _PAGE), _PAGE_AT_MOST))


def _token(position: int) -> str:
    return urlsafe_b64encode(f"from {position}".encode()).decode()


def _position(token: str) -> int:
    if not token:
        return 0
    try:
        return int(urlsafe_b64decode(token).decode().removeprefix("from "))
    except ValueError:
        raise bad_argument("The continuation token is not valid.") from None
