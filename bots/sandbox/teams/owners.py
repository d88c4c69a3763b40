"""What owners and admins do: apps, channels, members, teams."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bots.sandbox.teams import seed
from bots.sandbox.teams.activities import Activities
from bots.sandbox.teams.changing import TeamChanges, new_conversation
from bots.sandbox.teams.delivery import Delivery
from bots.sandbox.teams.errors import bad_argument, no_conversation
from bots.sandbox.teams.model import Channel, Kind, Person, Team
from bots.sandbox.world import World

Asked = Mapping[str, Any]
Done = dict[str, Any]


class Owners:
    """Changes teams as their owners do, and tells the bot if it is in them."""

    def __init__(self, world: World, delivery: Delivery, changes: TeamChanges) -> None:
        self._world = world
        self._state = world.teams
        self._delivery = delivery
        self._activities = Activities(world.teams)
        self._changes = changes
        self._actions: Mapping[str, Callable[[Asked], Awaitable[Done]]] = {
            "install": self._install,
            "uninstall": self._uninstall,
            "create_channel": self._create_channel,
            "rename_channel": self._rename_channel,
            "delete_channel": self._delete_channel,
            "restore_channel": self._restore_channel,
            "archive_channel": self._archive_channel,
            "unarchive_channel": self._archive_channel,
            "share_channel": self._share_channel,
            "unshare_channel": self._share_channel,
            "add_member": self._add_member,
            "remove_member": self._remove_member,
            "enroll": self._enroll,
            "directory": self._directory,
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
            self._changes.tell(
                team, None, "teamMemberAdded", by=self._by(asked, team), joined=[_bot()]
            )
        return {"team": team.id}

    async def _uninstall(self, asked: Asked) -> Done:
        team = self._team(asked)
        if seed.BOT_APP_ID not in team.apps:
            raise bad_argument("the app is not installed")
        self._changes.tell(
            team, None, "teamMemberRemoved", by=self._by(asked, team), left=[_bot()]
        )
        self._installation(asked, team, "remove")
        team.apps.remove(seed.BOT_APP_ID)
        self._state.publish_team("uninstalled", team)
        return {"team": team.id}

    async def _create_channel(self, asked: Asked) -> Done:
        kind = Kind(str(asked.get("kind") or Kind.STANDARD))
        members = [] if kind is Kind.STANDARD else [str(asked.get("user"))]
        made = Channel(
            new_conversation(),
            self._team(asked).tenant,
            self._team(asked).id,
            str(asked.get("name") or "New channel"),
            kind,
            members,
            owners=list(members),
        )
        self._changes.create_channel(made, by=str(asked.get("user") or ""))
        return {"channel": made.id}

    async def _rename_channel(self, asked: Asked) -> Done:
        channel = self._state.channel(str(asked.get("channel")))
        name = str(asked.get("name") or channel.name)
        self._changes.rename_channel(channel, name, by=str(asked.get("user") or ""))
        return {"channel": channel.id}

    async def _delete_channel(self, asked: Asked) -> Done:
        channel = self._state.channel(str(asked.get("channel")))
        if channel.is_general:
            raise bad_argument("the General channel stays")
        self._changes.delete_channel(channel, by=str(asked.get("user") or ""))
        return {"channel": channel.id}

    async def _restore_channel(self, asked: Asked) -> Done:
        channel = self._state.channels.get(str(asked.get("channel")))
        if channel is None:
            raise no_conversation()
        self._changes.restore_channel(channel, by=str(asked.get("user") or ""))
        return {"channel": channel.id}

    async def _archive_channel(self, asked: Asked) -> Done:
        channel = self._state.channel(str(asked.get("channel")))
        archived = asked["action"] == "archive_channel"
        self._changes.archive_channel(channel, archived=archived)
        return {"channel": channel.id}

    async def _share_channel(self, asked: Asked) -> Done:
        """Share a shared channel with a team, {"with": …, "members": […]}, or stop."""
        channel = self._state.channel(str(asked.get("channel")))
        if channel.kind is not Kind.SHARED:
            raise bad_argument("only shared channels are shared with other teams")
        people = [self._state.person(str(one)) for one in asked.get("members", ())]
        other, shared = (
            self._state.team(str(asked.get("with"))),
            asked["action"] == "share_channel",
        )
        self._changes.share_channel(channel, other, people, shared=shared)
        return {"channel": channel.id}

    async def _add_member(self, asked: Asked) -> Done:
        team, person = self._team(asked), self._state.person(str(asked.get("member")))
        self._changes.add_member(team, person, by=str(asked.get("user") or ""))
        return {"team": team.id}

    async def _directory(self, asked: Asked) -> Done:
        """Change the directory; see `Directory.change`. Who subscribed is told."""
        tenant = str(asked.get("tenant") or seed.ACME)
        wishes = asked.get("many") or [asked]
        for wish in wishes:
            oid = self._state.directory.change(tenant, wish)
            gone = wish.get("do") in {"delete", "purge"}
            kind = "directory_deleted" if gone else "directory"
            self._state.publish_directory(kind, tenant, oid)
        return {}

    async def _enroll(self, asked: Asked) -> Done:
        """Give somebody an account in the tenant, and let them into the team."""
        team, number = self._team(asked), len(self._state.people) + 1
        person = Person(
            str(asked.get("member")),
            team.tenant,
            str(asked.get("name") or "New Person"),
            "",
            str(asked.get("email") or ""),
            f"c0000000-0000-4000-8000-{number:012d}",
            str(asked.get("signs_in_as") or ""),
            str(asked.get("role") or "user"),
        )
        self._state.people[person.id] = person
        return await self._add_member(asked)

    async def _remove_member(self, asked: Asked) -> Done:
        team, person = self._team(asked), self._state.person(str(asked.get("member")))
        self._changes.remove_member(team, person, by=str(asked.get("user") or ""))
        return {"team": team.id}

    async def _change_team(self, asked: Asked) -> Done:
        team, action = self._team(asked), str(asked["action"])
        by = str(asked.get("user") or "")
        if action == "rename_team":
            self._changes.rename_team(team, str(asked.get("name") or team.name), by=by)
        else:
            self._changes.archive_team(team, archived=action == "archive_team", by=by)
        return {"team": team.id}

    def _team(self, asked: Asked) -> Team:
        return self._state.team(str(asked.get("team")))

    def _installation(self, asked: Asked, team: Team, action: str) -> None:
        selected = self._state.channel(str(asked.get("channel") or team.id))
        self._delivery.send(
            self._activities.installation(
                self._world.base_url, team, self._by(asked, team), selected, action
            )
        )

    def _by(self, asked: Asked, team: Team) -> str:
        return str(asked.get("user") or team.owners[0])


def _bot() -> dict[str, str]:
    return {"id": f"28:{seed.BOT_APP_ID}"}
