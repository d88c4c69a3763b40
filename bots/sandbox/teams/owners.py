"""What owners and admins do: apps, channels, members, teams."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

from bots.sandbox.teams import seed
from bots.sandbox.teams.activities import Activities, member
from bots.sandbox.teams.delivery import Delivery
from bots.sandbox.teams.errors import bad_argument, no_conversation
from bots.sandbox.teams.model import Channel, Kind, Team
from bots.sandbox.world import World

Asked = Mapping[str, Any]
Done = dict[str, Any]

_TEAM_EVENTS = {
    "rename_team": "teamRenamed",
    "archive_team": "teamArchived",
    "unarchive_team": "teamUnarchived",
}


class Owners:
    """Changes teams as their owners do, and tells the bot if it is in them."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        self._world = world
        self._state = world.teams
        self._delivery = delivery
        self._activities = Activities(world.teams)
        self._actions: Mapping[str, Callable[[Asked], Awaitable[Done]]] = {
            "install": self._install,
            "uninstall": self._uninstall,
            "create_channel": self._create_channel,
            "rename_channel": self._rename_channel,
            "delete_channel": self._delete_channel,
            "restore_channel": self._restore_channel,
            "add_member": self._add_member,
            "remove_member": self._remove_member,
            "rename_team": self._change_team,
            "archive_team": self._change_team,
            "unarchive_team": self._change_team,
        }

    async def do(self, asked: Asked) -> Done | None:
        """Return what came of an action, or None if it is not an owner's."""
        action = self._actions.get(str(asked.get("action")))
        return None if action is None else {"ok": True, **await action(asked)}

    async def _install(self, asked: Asked) -> Done:
        """Put the bot into a team; again, it is an upgrade."""
        team = self._team(asked)
        again = seed.BOT_APP_ID in team.apps
        if not again:
            team.apps.append(seed.BOT_APP_ID)
        self._state.publish_team("installed", team)
        self._installation(asked, team, "add-upgrade" if again else "add")
        if not again:
            self._tell(asked, team, None, "teamMemberAdded", joined=[_bot()])
        return {"team": team.id}

    async def _uninstall(self, asked: Asked) -> Done:
        team = self._team(asked)
        if seed.BOT_APP_ID not in team.apps:
            raise bad_argument("the app is not installed")
        self._tell(asked, team, None, "teamMemberRemoved", left=[_bot()])
        self._installation(asked, team, "remove")
        team.apps.remove(seed.BOT_APP_ID)
        self._state.publish_team("uninstalled", team)
        return {"team": team.id}

    async def _create_channel(self, asked: Asked) -> Done:
        team = self._team(asked)
        kind = Kind(str(asked.get("kind") or Kind.STANDARD))
        members = [] if kind is Kind.STANDARD else [str(asked.get("user"))]
        named = str(asked.get("name") or "New channel")
        made = Channel(
            f"19:{uuid4().hex}@thread.tacv2", team.tenant, team.id, named, kind, members
        )
        self._state.channels[made.id] = made
        return self._channel_changed(asked, made, "channelCreated")

    async def _rename_channel(self, asked: Asked) -> Done:
        channel = self._state.channel(str(asked.get("channel")))
        channel.name = str(asked.get("name") or channel.name)
        return self._channel_changed(asked, channel, "channelRenamed")

    async def _delete_channel(self, asked: Asked) -> Done:
        channel = self._state.channel(str(asked.get("channel")))
        if channel.is_general:
            raise bad_argument("the General channel stays")
        channel.deleted = True
        return self._channel_changed(asked, channel, "channelDeleted")

    async def _restore_channel(self, asked: Asked) -> Done:
        channel = self._state.channels.get(str(asked.get("channel")))
        if channel is None:
            raise no_conversation()
        channel.deleted = False
        return self._channel_changed(asked, channel, "channelRestored")

    async def _add_member(self, asked: Asked) -> Done:
        team, person = self._team(asked), self._state.person(str(asked.get("member")))
        if person.id not in team.members:
            team.members.append(person.id)
            self._state.publish_team("team", team)
            joined = [member(person)]
            self._tell(asked, team, None, "teamMemberAdded", joined=joined)
        return {"team": team.id}

    async def _remove_member(self, asked: Asked) -> Done:
        team, person = self._team(asked), self._state.person(str(asked.get("member")))
        if person.id in team.members:
            team.members.remove(person.id)
            self._state.publish_team("team", team)
            left = [member(person)]
            self._tell(asked, team, None, "teamMemberRemoved", left=left)
        return {"team": team.id}

    async def _change_team(self, asked: Asked) -> Done:
        team, action = self._team(asked), str(asked["action"])
        if action == "rename_team":
            team.name = str(asked.get("name") or team.name)
        else:
            team.archived = action == "archive_team"
        self._state.publish_team("team", team)
        self._tell(asked, team, None, _TEAM_EVENTS[action])
        return {"team": team.id}

    def _team(self, asked: Asked) -> Team:
        return self._state.team(str(asked.get("team")))

    def _channel_changed(self, asked: Asked, channel: Channel, event: str) -> Done:
        self._state.publish("channel", channel)
        if channel.kind is Kind.STANDARD:
            self._tell(asked, self._state.teams[channel.team], channel, event)
        return {"channel": channel.id}

    def _installation(self, asked: Asked, team: Team, action: str) -> None:
        selected = self._state.channel(str(asked.get("channel") or team.id))
        self._delivery.send(
            self._activities.installation(
                self._world.base_url, team, self._by(asked, team), selected, action
            )
        )

    def _tell(
        self,
        asked: Asked,
        team: Team,
        about: Channel | None,
        event: str,
        **people: list[dict[str, str]],
    ) -> None:
        if seed.BOT_APP_ID not in team.apps:
            return
        activity = self._activities.conversation(
            self._world.base_url, team, self._by(asked, team), about, event
        )
        for name, field in (("joined", "membersAdded"), ("left", "membersRemoved")):
            if name in people:
                activity[field] = people[name]
        self._delivery.send(activity)

    def _by(self, asked: Asked, team: Team) -> str:
        return str(asked.get("user") or team.owners[0])


def _bot() -> dict[str, str]:
    return {"id": f"28:{seed.BOT_APP_ID}"}
