"""The organisation's workspaces, channels and people, read with the admin app."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.slack.admin_errors import ordered
from bots.slack.clients import Clients, SlackRefused, asked
from bots.slack.payload import mapping, string
from bridge.errors import Conflict, NotFound, NotSent, Refused, ServiceUnavailable
from bridge.messages import Channel, Person, Platform
from bridge.workspaces import ManagedChannel, NewChannel, Workspace

# Slack gives 20 channels a page and 20 pages a minute; more is nobody's reading.
_PAGES = 10
_PEOPLE_PAGES = 60
_MENTION = re.compile(r"<([#@])([A-Z0-9]+)(?:\|([^>]*))?>")
_MAIL = re.compile(r"<mailto:([^|>]+)(?:\|[^>]*)?>")
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{6,}")
_PERSON_ID = re.compile(r"[UW][A-Z0-9]{5,}")

Ask = Callable[[str], Awaitable[AsyncSlackResponse]]


@dataclass(frozen=True, slots=True)
class SlackOrganisation:
    """Implements `bridge.workspaces.Organisation`. `clients` are the bridge's bots."""

    admin: AsyncWebClient
    clients: Clients

    async def workspaces(self) -> Sequence[Workspace]:
        def ask(cursor: str) -> Awaitable[AsyncSlackResponse]:
            return self.admin.admin_teams_list(cursor=cursor)

        return [
            Workspace(string(one, "id"), string(one, "name"), _address(one))
            async for one in listed(ask, "teams", _PAGES)
        ]

    async def may_manage(self, person: Person, here: Channel) -> bool:
        """
        Ask the bridge's own bot, not the admin token: that one says what the app may.
        """
        if person.platform is not Platform.SLACK or not person.id:
            return False
        try:
            client = await self.clients.of(here.team)
            answer = await asked(client.users_info(user=person.id))
        except SlackRefused as refused:
            if refused.code in {"user_not_found", "user_not_visible"}:
                return False
            raise ServiceUnavailable(str(refused)) from refused
        except (NotSent, Refused) as failure:
            raise ServiceUnavailable(str(failure)) from failure
        user = mapping(answer, "user")
        rights = mapping(user, "enterprise_user")
        if user.get("deleted") or user.get("is_bot"):
            return False
        return any(rights.get(right) is True for right in ("is_admin", "is_owner"))


@dataclass(frozen=True, slots=True)
class SlackChannelBook:
    """Implements `bridge.workspaces.ChannelBook`."""

    admin: AsyncWebClient

    async def channels(self, workspace: Workspace | None) -> Sequence[ManagedChannel]:
        within = [workspace.id] if workspace else None

        def ask(cursor: str) -> Awaitable[AsyncSlackResponse]:
            return self.admin.admin_conversations_search(
                team_ids=within,
                sort="name",
                sort_dir="asc",
                limit=20,
                cursor=cursor or None,
            )

        return [_channel(one) async for one in listed(ask, "conversations", _PAGES)]

    async def channel(self, word: str) -> ManagedChannel:
        mention = _MENTION.fullmatch(word)
        id_ = mention[2] if mention else word
        name = (mention[3] or "") if mention else word.removeprefix("#")
        if not _CHANNEL_ID.fullmatch(id_):
            return self._only(name, await self._named(name.lower()))
        if name and name != id_:
            for found in await self._named(name):
                if found.id == id_:
                    return found
        return await self._by_id(id_)

    async def create(self, new: NewChannel) -> ManagedChannel:
        if new.shared:
            raise Refused("In Slack, make the channel first and share it then.")
        answer = await ordered(
            self.admin.admin_conversations_create(
                name=new.name, is_private=new.private, team_id=new.workspace.id
            )
        )
        id_ = string(answer, "channel_id")
        return ManagedChannel(id_, new.name, (new.workspace.id,), private=new.private)

    async def _named(self, name: str) -> list[ManagedChannel]:
        def ask(cursor: str) -> Awaitable[AsyncSlackResponse]:
            return self.admin.admin_conversations_search(
                query=name, limit=20, cursor=cursor or None
            )

        found = listed(ask, "conversations", _PAGES)
        return [_channel(one) async for one in found if string(one, "name") == name]

    def _only(self, name: str, found: Sequence[ManagedChannel]) -> ManagedChannel:
        if not found:
            raise NotFound(f"There is no channel {name} in this organisation.")
        if len(found) > 1:
            ids = ", ".join(f"{one.id} ({', '.join(one.workspaces)})" for one in found)
            raise Conflict(f"Several channels are called {name}; name one by id: {ids}")
        return found[0]

    async def _by_id(self, id_: str) -> ManagedChannel:
        """Slack finds channels by name only; that there is one is told all the same."""
        teams = await workspaces_of(self.admin, id_)
        return ManagedChannel(id_, id_, tuple(teams))


async def find_person(admin: AsyncWebClient, word: str) -> Person:
    """Return who is meant: a mention, an id, an address or a user name."""
    mention, mail = _MENTION.fullmatch(word), _MAIL.fullmatch(word)
    plain = mention[2] if mention else (mail[1] if mail else word.removeprefix("@"))
    if _PERSON_ID.fullmatch(plain):
        return Person(Platform.SLACK, plain)

    def ask(cursor: str) -> Awaitable[AsyncSlackResponse]:
        return admin.admin_users_list(cursor=cursor, limit=100)

    async for user in listed(ask, "users", _PEOPLE_PAGES):
        if plain.lower() in {string(user, "email").lower(), string(user, "username")}:
            return Person(
                Platform.SLACK, string(user, "id"), name=string(user, "full_name")
            )
    raise NotFound(f"There is nobody called {plain} in this organisation.")


async def workspaces_of(admin: AsyncWebClient, channel: str) -> list[str]:
    """Return every workspace that sees a channel: all pages, for setTeams replaces."""

    def ask(cursor: str) -> Awaitable[AsyncSlackResponse]:
        return admin.admin_conversations_getTeams(
            channel_id=channel, cursor=cursor or None
        )

    teams: list[str] = []
    cursor = ""
    while True:
        answer = await ordered(ask(cursor))
        teams += [one for one in answer.get("team_ids") or () if isinstance(one, str)]
        cursor = string(mapping(answer, "response_metadata"), "next_cursor")
        if not cursor:
            return teams


async def listed(ask: Ask, key: str, pages: int) -> AsyncIterator[Mapping[str, Any]]:
    """Yield what a list holds, page after page; a server that never ends is left."""
    cursor = ""
    for _ in range(pages):
        answer = await ordered(ask(cursor))
        for one in answer.get(key) or ():
            if isinstance(one, Mapping):
                yield one
        below = string(mapping(answer, "response_metadata"), "next_cursor")
        cursor = below or string(answer, "next_cursor")
        if not cursor:
            return


def _address(team: Mapping[str, Any]) -> str:
    """The part of `https://acme-labs.slack.com/` that people know."""
    host = string(team, "team_url").partition("//")[2]
    return host.partition(".")[0]


def _channel(found: Mapping[str, Any]) -> ManagedChannel:
    teams = found.get("internal_team_ids") or ()
    count = found.get("member_count")
    return ManagedChannel(
        string(found, "id"),
        string(found, "name"),
        tuple(one for one in teams if isinstance(one, str)),
        private=found.get("is_private") is True,
        archived=found.get("is_archived") is True,
        external=found.get("is_ext_shared") is True,
        everywhere=found.get("is_global_shared") is True,
        members=count if isinstance(count, int) and count >= 0 else None,
    )
