"""Everything that one Slack holds, and who is told when it changes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from bots.sandbox.changes import Changes
from bots.sandbox.settings import Settings
from bots.sandbox.slack import grid_seed, seed
from bots.sandbox.slack.audit_log import AuditLog
from bots.sandbox.slack.defaults import DEFAULTS
from bots.sandbox.slack.discovery import Discovery
from bots.sandbox.slack.errors import SlackRefusal, missing_scope
from bots.sandbox.slack.grid import Grid
from bots.sandbox.slack.legal_holds import LegalHolds
from bots.sandbox.slack.limits import Limits
from bots.sandbox.slack.model import (
    Channel,
    File,
    Installation,
    Kind,
    Message,
    User,
    Usergroup,
    Workspace,
)
from bots.sandbox.slack.tickets import Tickets

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Happening:
    """An event for the app. Without a channel it concerns the whole workspace."""

    team: str
    event: Mapping[str, Any]
    channel: Channel | None = None


class SlackState:
    """The workspaces. Every id is unique across them, as in Slack."""

    def __init__(self, settings: Settings, changes: Changes) -> None:
        settings.declare(DEFAULTS)
        self.settings = settings
        self.generation = 0
        self._changes = changes
        self._listeners: list[Callable[[Happening], None]] = []
        self._ids = count(1)
        self._last_us = 0
        self.tickets = Tickets()
        self.limits = Limits(settings)
        self.grid = Grid(settings)
        self.audit = AuditLog()
        self.legal_holds = LegalHolds()
        self.discovery = Discovery()
        self.reset()

    def reset(self) -> None:
        """Go back to the seed. Times and ids go on: nothing is given out twice."""
        self.generation += 1
        self.workspaces = {
            one.id: one for one in (*seed.workspaces(), *grid_seed.workspaces())
        }
        self.users = {one.id: one for one in (*seed.users(), *grid_seed.users())}
        self.channels = {
            one.id: one for one in (*seed.channels(), *grid_seed.channels())
        }
        self.installations = {one.team: one for one in seed.installations()}
        self.usergroups = {one.id: one for one in seed.usergroups()}
        self.files: dict[str, File] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.unfurls: dict[str, tuple[str, str]] = {}
        self.drafts: dict[str, dict[str, Any]] = {}
        self.flexpanes: dict[str, dict[str, Any]] = {}  # one a person
        self.ephemerals: list[dict[str, Any]] = []
        self.tickets.clear()
        self.limits.clear()
        self.grid.reset()
        self.audit.clear()
        self.legal_holds.clear()
        self.discovery.clear()

    def listen(self, listener: Callable[[Happening], None]) -> None:
        self._listeners.append(listener)

    def emit(
        self, team: str, event: Mapping[str, Any], channel: Channel | None = None
    ) -> None:
        """Tell the app that something happened."""
        self.discovery.heard(event)
        for listener in self._listeners:
            listener(Happening(team, event, channel))

    def publish(self, kind: str, team: str, **facts: Any) -> None:
        """Tell whoever watches the sandbox that something changed."""
        self._changes.publish(
            {"side": "slack", "kind": kind, "workspace": team, **facts}
        )

    def now(self) -> float:
        """Return what Slack's clock says, in seconds since 1970."""
        ahead: float = self.setting("clock")
        return time.time() + ahead

    def next_ts(self) -> str:
        """Return a time that no message or event has had before."""
        self._last_us = max(self._last_us + 1, int(self.now() * 1_000_000))
        seconds, micros = divmod(self._last_us, 1_000_000)
        return f"{seconds}.{micros:06d}"

    def next_id(self, letter: str) -> str:
        return f"{letter}{next(self._ids):08X}"

    def setting(self, name: str) -> Any:
        return self.settings.get(f"slack.{name}")

    def workspace(self, team: str) -> Workspace:
        return _found(self.workspaces, team, "team_not_found")

    def user(self, user: str) -> User:
        return _found(self.users, user, "user_not_found")

    def usergroup(self, group: str) -> Usergroup:
        return _found(self.usergroups, group, "no_such_subteam")

    def file(self, file: str) -> File:
        found = _found(self.files, file, "file_not_found")
        if found.deleted:
            raise SlackRefusal("file_deleted")
        return found

    def channel(self, channel: str) -> Channel:
        return _found(self.channels, channel, "channel_not_found")

    def message(self, channel: Channel, ts: str) -> Message:
        """Return a message that stands; one that is gone is not found."""
        message = channel.messages.get(ts)
        if message is None or message.deleted:
            raise SlackRefusal("message_not_found")
        return message

    def by_token(self, token: str) -> Installation | None:
        for installation in self.installations.values():
            if installation.token == token:
                return installation
        return None

    def reachable(self, me: Installation, channel: str, right: str) -> Channel:
        """
        Return a channel as the app sees it, or refuse as if there were none.

        `right` is "read", "history" or "", the scope's second half.
        """
        if channel[:1] in {"U", "W"} and channel in self.users:
            return self.direct(me, [channel])
        found = self.channels.get(channel) or self._by_name(me, channel)
        if found is None or me.team not in found.everywhere:
            raise SlackRefusal("channel_not_found")
        if found.private and me.bot_user not in found.members:
            raise SlackRefusal("channel_not_found")
        scopes = self.setting("scopes")
        if right and f"{found.kind.family}:{right}" not in scopes:
            raise missing_scope(f"{found.kind.family}:{right}", scopes)
        return found

    def direct(self, me: Installation, users: list[str]) -> Channel:
        """Return the conversation of the bot with these people, made if need be."""
        members = sorted({*users, me.bot_user})
        for channel in self.channels.values():
            if channel.kind in {Kind.DIRECT, Kind.GROUP} and channel.members == members:
                return channel
        kind = Kind.DIRECT if len(members) == 2 else Kind.GROUP  # noqa: PLR2004 - a pair
        letter = "D" if kind is Kind.DIRECT else "G"
        made = Channel(
            self.next_id(letter), me.team, "", kind, me.bot_user, members=members
        )
        self.channels[made.id] = made
        self.publish("channel", me.team, channel=made.id)
        return made

    def as_json(self) -> dict[str, Any]:
        """Everything, the deleted too, as tests and the page read it."""
        return {
            "app_id": seed.APP_ID,
            "workspaces": [
                self._workspace_json(one)
                for one in self.workspaces
                if not self.grid.hides(one)
            ],
        }

    def _workspace_json(self, team: str) -> dict[str, Any]:
        workspace = self.workspaces[team]
        bot = self.installations.get(team)
        return {
            "id": team,
            "enterprise": self.grid.enterprise_of(team),
            "name": workspace.name,
            "domain": workspace.domain,
            "emoji": workspace.emoji,
            "bot": bot
            and {"user": bot.bot_user, "bot_id": bot.bot_id, "active": bot.active},
            "users": [one.wire("") for one in self.users.values() if team in one.teams],
            "usergroups": [
                {"id": one.id, "handle": one.handle, "users": one.users}
                for one in self.usergroups.values()
                if one.team == team
            ],
            "channels": [
                _channel_json(one)
                for one in self.channels.values()
                if team in one.everywhere
            ],
            "ephemerals": [one for one in self.ephemerals if one["team"] == team],
            "files": [
                _file_json(one) for one in self.files.values() if one.team == team
            ],
            "views": [one for one in self.views.values() if one["team_id"] == team],
            "flexpanes": [
                one for one in self.flexpanes.values() if one["team"] == team
            ],
            "drafts": [one for one in self.drafts.values() if one["team"] == team],
            "shortcuts": self.setting("shortcuts"),
        }

    def _by_name(self, me: Installation, name: str) -> Channel | None:
        for channel in self.channels.values():
            if me.team in channel.everywhere and channel.name == name.removeprefix("#"):
                return channel if name else None
        return None


def message_json(message: Message) -> dict[str, Any]:
    """One message as tests and the page read it."""
    return {
        **message.body,
        "deleted": message.deleted,
        "metadata": message.metadata,
        "replies": message.replies,
        "reply_count": len(message.replies),
        "reactions": [
            {"name": name, "users": users, "count": len(users)}
            for name, users in message.reactions.items()
        ],
        "versions": message.versions,
    }


def _channel_json(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind.value,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "topic": channel.topic,
        "purpose": channel.purpose,
        "members": channel.members,
        "workspaces": channel.internal,
        "connected": channel.connected,
        "org_wide": channel.org_wide,
        "groups": channel.groups,
        "messages": [message_json(one) for one in channel.messages.values()],
    }


def _file_json(file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "size": file.length,
        "user": file.user,
        "deleted": file.deleted,
        "completed": file.completed,
        "shares": [{"channel": channel, "ts": ts} for channel, ts in file.shares],
    }


def _found(known: Mapping[str, T], key: str, otherwise: str) -> T:
    try:
        return known[key]
    except KeyError:
        raise SlackRefusal(otherwise) from None
