"""The state of the sandbox's Teams, and every way in which it changes."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

from bots.sandbox.changes import Changes
from bots.sandbox.settings import Settings
from bots.sandbox.teams import seed
from bots.sandbox.teams.defaults import DEFAULTS
from bots.sandbox.teams.directory import Directory
from bots.sandbox.teams.errors import no_activity, no_conversation
from bots.sandbox.teams.model import (
    Channel,
    Content,
    File,
    Kind,
    Message,
    Person,
    Team,
    Tenant,
)
from bots.sandbox.teams.shown import state_json

T = TypeVar("T")


class TeamsState:
    """The tenants. Message ids are unique and increase, per tenant."""

    def __init__(self, settings: Settings, changes: Changes) -> None:
        settings.declare(DEFAULTS)
        self.settings = settings
        self.generation = 0
        self._changes = changes
        self._last_ms: dict[str, int] = {}
        self._orders = count(1)
        self.on_card: list[Callable[[Message], None]] = []
        self.reset()

    def reset(self) -> None:
        """Go back to the seed. Ids go on: nothing is given out twice."""
        self.generation += 1
        self.tenants = {one.id: one for one in seed.tenants()}
        self.people = {one.id: one for one in seed.people()}
        self.teams = {one.id: one for one in seed.teams()}
        self.channels = {one.id: one for one in seed.channels()}
        self.files: dict[str, File] = {}
        self.directory = Directory(self)

    def as_json(self) -> dict[str, Any]:
        """Everything, the deleted too, as tests and the page read it."""
        declared = {
            "extension_commands": self.setting("extension_commands"),
            "link_domains": self.setting("link_domains"),
        }
        return {**state_json(self), **declared}

    def setting(self, name: str) -> Any:
        return self.settings.get(f"teams.{name}")

    def now(self) -> float:
        """Return what Microsoft's clock says, in seconds since 1970."""
        ahead: float = self.setting("clock")
        return time.time() + ahead

    def next_ms(self, tenant: str) -> int:
        """Return a millisecond that nothing in the tenant has had before."""
        now = max(self._last_ms.get(tenant, 0) + 1, int(self.now() * 1000))
        self._last_ms[tenant] = now
        return now

    def tenant(self, tenant: str) -> Tenant:
        return _found(self.tenants, tenant)

    def person(self, person: str) -> Person:
        return _found(self.people, person)

    def team(self, team: str) -> Team:
        return _found(self.teams, team)

    def team_of_group(self, group_id: str) -> Team:
        groups = {team.group_id: team for team in self.teams.values()}
        return _found(groups, group_id)

    def channel(self, channel: str) -> Channel:
        """Return a channel that stands; a deleted one is not found."""
        found = _found(self.channels, channel)
        if found.deleted:
            raise no_conversation()
        return found

    def message(self, channel: Channel, message: str) -> Message:
        try:
            return channel.messages[message]
        except KeyError:
            raise no_activity() from None

    def members(self, channel: Channel) -> list[Person]:
        """Return who is in a channel: its team, or its own members."""
        shared = channel.kind is Kind.STANDARD
        ids = self.teams[channel.team].members if shared else channel.members
        return [self.people[one] for one in ids if one in self.people]

    def mentionable(self, channel: Channel) -> dict[str, str]:
        """Return the names, by id, that a mention in the channel may be of."""
        names = {one.id: one.name for one in self.members(channel)}
        for other in self.channels.values():
            if channel.team and other.team == channel.team:
                names[other.id] = other.name
        return names

    def direct(self, app: str, person: Person) -> Channel:
        """Return the chat of a bot with a person, made if need be."""
        bot = f"28:{app}"
        for channel in self.channels.values():
            if channel.kind is Kind.PERSONAL and channel.members == [person.id, bot]:
                return channel
        members = [person.id, bot]
        made = Channel(
            f"a:{uuid4().hex}", person.tenant, "", person.name, Kind.PERSONAL, members
        )
        self.channels[made.id] = made
        self.publish("channel", made)
        return made

    def post(
        self,
        channel: Channel,
        author: str,
        content: Content,
        *,
        root: str = "",
        target: str = "",
    ) -> Message:
        """Put a message into a channel; without a root it starts a thread."""
        ms = self.next_ms(channel.tenant)
        at, order = stamp(ms), next(self._orders)
        message = Message(
            str(ms), channel.id, root or str(ms), author, content, at, at, order, target
        )
        channel.messages[message.id] = message
        self.publish("ephemeral" if target else "message", channel, message)
        self._show_card(message)
        return message

    def edit(self, message: Message, content: Content) -> None:
        """Replace what a message says."""
        message.versions.append(message.content)
        message.content, message.views = content, {}
        message.edited = self._touch(message)
        self._tell("edited", message)
        self._show_card(message)

    def delete(self, message: Message) -> None:
        message.deleted = self._touch(message)
        self._tell("deleted", message)

    def restore(self, message: Message) -> None:
        message.deleted = ""
        self._touch(message)
        self._tell("restored", message)

    def react(self, message: Message, who: str, reaction: str) -> bool:
        """Add a reaction; return False when it is there already."""
        people = message.reactions.setdefault(reaction, [])
        if who in people:
            return False
        people.append(who)
        self._touch(message)
        self._tell("reaction", message)
        return True

    def unreact(self, message: Message, who: str, reaction: str) -> bool:
        """Take a reaction away; return False when there is none."""
        people = message.reactions.get(reaction, [])
        if who not in people:
            return False
        people.remove(who)
        if not people:
            del message.reactions[reaction]
        self._touch(message)
        self._tell("reaction", message)
        return True

    def show(self, message: Message, person: str, card: dict[str, Any]) -> None:
        """Show one person another card in a message's place."""
        message.views[person] = card
        self._tell("view", message)

    def publish(
        self, kind: str, channel: Channel, message: Message | None = None
    ) -> None:
        """Tell whoever watches the sandbox that something changed."""
        change = {"side": "teams", "kind": kind, "tenant": channel.tenant}
        change |= {"team": channel.team, "channel": channel.id}
        if message is not None:
            change |= {"id": message.id, "root": message.root}
        self._changes.publish(change)

    def publish_member(
        self, kind: str, team: Team, channel: Channel | None, person: Person
    ) -> None:
        """Tell that somebody is in a team or a channel now, or is not any more."""
        change = {"side": "teams", "kind": kind, "tenant": team.tenant}
        place = channel.id if channel else ""
        self._changes.publish(
            change | {"team": team.id, "channel": place, "person": person.id}
        )

    def publish_directory(self, kind: str, tenant: str, oid: str) -> None:
        """Tell that a user or a group of the directory is not what it was."""
        what = "group" if self.directory.is_group(tenant, oid) else "user"
        change = {"side": "teams", "kind": kind, "tenant": tenant}
        self._changes.publish(change | {"entry": what, "oid": oid})

    def publish_team(self, kind: str, team: Team) -> None:
        self._changes.publish(
            {"side": "teams", "kind": kind, "tenant": team.tenant, "team": team.id}
        )

    def _show_card(self, message: Message) -> None:
        """Clients draw a card when it is new or another one, in whosever message."""
        if message.content.attachments:
            for listener in self.on_card:
                listener(message)

    def _tell(self, kind: str, message: Message) -> None:
        self.publish(kind, self.channels[message.channel], message)

    def _touch(self, message: Message) -> str:
        tenant = self.channels[message.channel].tenant
        message.modified = stamp(self.next_ms(tenant))
        message.order = next(self._orders)
        return message.modified


def stamp(ms: int) -> str:
    """Return a time as Teams writes it: 2023-11-14T22:13:20.123Z."""
    at = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _found(known: Mapping[str, T], key: str) -> T:
    try:
        return known[key]
    except KeyError:
        raise no_conversation() from None
