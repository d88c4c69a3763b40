"""How teams and channels change, whoever changes them, and what the bot hears of it."""

from uuid import uuid4

from bots.sandbox.teams import seed
from bots.sandbox.teams.activities import Activities, member
from bots.sandbox.teams.delivery import Delivery
from bots.sandbox.teams.model import Channel, Kind, Person, Team
from bots.sandbox.world import World


class TeamChanges:
    """
    Changes teams, channels and who is in them.

    `by` is the person who did it; an app's doing is told as an owner's.
    """

    def __init__(self, world: World, delivery: Delivery) -> None:
        self._world = world
        self._state = world.teams
        self._delivery = delivery
        self._activities = Activities(world.teams)

    def create_team(self, team: Team) -> None:
        """Add a team with its General channel. The bot is not in it yet."""
        self._state.teams[team.id] = team
        general = Channel(team.id, team.tenant, team.id, "General")
        self._state.channels[general.id] = general
        self._state.publish_team("team", team)

    def rename_team(self, team: Team, name: str, *, by: str = "") -> None:
        team.name = name
        self._state.publish_team("team", team)
        self.tell(team, None, "teamRenamed", by=by)

    def archive_team(self, team: Team, *, archived: bool, by: str = "") -> None:
        team.archived = archived
        self._state.publish_team("team", team)
        event = "teamArchived" if archived else "teamUnarchived"
        self.tell(team, None, event, by=by)

    def delete_team(self, team: Team, *, by: str = "") -> None:
        self.tell(team, None, "teamDeleted", by=by)
        team.deleted = True
        for channel in self._state.channels.values():
            channel.deleted = channel.deleted or channel.team == team.id
        self._state.publish_team("team", team)

    def create_channel(self, channel: Channel, *, by: str = "") -> None:
        self._state.channels[channel.id] = channel
        self._changed(channel, "channelCreated", by)

    def rename_channel(self, channel: Channel, name: str, *, by: str = "") -> None:
        channel.name = name
        self._changed(channel, "channelRenamed", by)

    def delete_channel(self, channel: Channel, *, by: str = "") -> None:
        channel.deleted = True
        self._changed(channel, "channelDeleted", by)

    def restore_channel(self, channel: Channel, *, by: str = "") -> None:
        channel.deleted = False
        self._changed(channel, "channelRestored", by)

    def share_channel(
        self, channel: Channel, other: Team, people: list[Person], *, shared: bool
    ) -> None:
        """Let people of another team into a shared channel, or take them out again."""
        for person in people:
            if shared and person.id not in channel.members:
                channel.members.append(person.id)
            elif not shared and person.id in channel.members:
                channel.members.remove(person.id)
        self._state.publish("channel", channel)
        team = self._state.teams[channel.team]
        if seed.BOT_APP_ID not in team.apps:
            return
        event = "channelShared" if shared else "channelUnshared"
        activity = self._activities.conversation(
            self._world.base_url, team, team.owners[0], channel, event
        )
        told = {
            "tenantId": other.tenant,
            "aadGroupId": other.group_id,
            "id": other.id,
            "name": other.name,
        }
        field = "sharedWithTeams" if shared else "unsharedFromTeams"
        activity["channelData"][field] = [told]
        self._delivery.send(activity)

    def archive_channel(self, channel: Channel, *, archived: bool) -> None:
        """Close or open a channel for posts. No bot is told of that."""
        channel.archived = archived
        self._state.publish("channel", channel)

    def add_member(
        self, team: Team, person: Person, *, owner: bool = False, by: str = ""
    ) -> None:
        """Put somebody into a team. Who is in it already may become an owner."""
        if owner and person.id not in team.owners:
            team.owners.append(person.id)
        if person.id in team.members:
            return
        team.members.append(person.id)
        self._state.publish_team("team", team)
        self._state.publish_member("member_added", team, None, person)
        self.tell(team, None, "teamMemberAdded", by=by, joined=[member(person)])

    def remove_member(self, team: Team, person: Person, *, by: str = "") -> None:
        """Take somebody out of a team, and so out of its closed channels."""
        if person.id not in team.members:
            return
        team.members.remove(person.id)
        if person.id in team.owners:
            team.owners.remove(person.id)
        for channel in self._state.channels.values():
            if channel.team == team.id and channel.kind is Kind.PRIVATE:
                self.leave_channel(channel, person)
        self._state.publish_team("team", team)
        self._state.publish_member("member_removed", team, None, person)
        self.tell(team, None, "teamMemberRemoved", by=by, left=[member(person)])

    def enter_channel(self, channel: Channel, person: Person, *, owner: bool) -> None:
        """Put somebody into a private or shared channel. No bot is told of that."""
        if person.id not in channel.members:
            channel.members.append(person.id)
        if owner and person.id not in channel.owners:
            channel.owners.append(person.id)
        team = self._state.teams[channel.team]
        self._state.publish("channel", channel)
        self._state.publish_member("member_added", team, channel, person)

    def leave_channel(self, channel: Channel, person: Person) -> None:
        if person.id not in channel.members:
            return
        channel.members.remove(person.id)
        if person.id in channel.owners:
            channel.owners.remove(person.id)
        team = self._state.teams[channel.team]
        self._state.publish("channel", channel)
        self._state.publish_member("member_removed", team, channel, person)

    def tell(
        self,
        team: Team,
        about: Channel | None,
        event: str,
        *,
        by: str = "",
        **people: list[dict[str, str]],
    ) -> None:
        """Tell the bot of a change, if it is in the team."""
        if seed.BOT_APP_ID not in team.apps:
            return
        who = by or team.owners[0]
        activity = self._activities.conversation(
            self._world.base_url, team, who, about, event
        )
        for name, field in (("joined", "membersAdded"), ("left", "membersRemoved")):
            if name in people:
                activity[field] = people[name]
        self._delivery.send(activity)

    def _changed(self, channel: Channel, event: str, by: str) -> None:
        self._state.publish(_PUBLISHED.get(event, "channel"), channel)
        if channel.kind is Kind.STANDARD:
            self.tell(self._state.teams[channel.team], channel, event, by=by)


# The page looks again at "channel"; subscriptions want to know more.
_PUBLISHED = {"channelCreated": "channel_created", "channelDeleted": "channel_deleted"}


def new_conversation() -> str:
    return f"19:{uuid4().hex}@thread.tacv2"
