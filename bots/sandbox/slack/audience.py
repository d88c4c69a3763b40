"""Which installations of the app an event is for."""

from bots.sandbox.slack import grid_seed
from bots.sandbox.slack.events import Setting
from bots.sandbox.slack.grid_install import org_installation
from bots.sandbox.slack.model import Channel, Installation
from bots.sandbox.slack.state import Happening, SlackState


def audience(state: SlackState, happening: Happening) -> list[Installation]:
    """
    Return who is told: each installation once, however many workspaces it covers.

    A channel that workspaces of one organisation share is one channel to the
    organisation's app; how often a Slack Connect channel's events come to an app
    that both companies have is a setting.
    """
    channel = happening.channel
    if channel is None:
        found = _of_workspace(state, happening.team)
        return [found] if found else []
    told: list[Installation] = []
    for team in channel.everywhere:
        found = _of_workspace(state, team)
        if found is None or found.bot_user not in channel.members:
            continue
        if not any(_same(found, other) for other in told):
            told.append(found)
    return told[:1] if _once(state, channel) else told


def setting_of(state: SlackState, me: Installation, channel: Channel | None) -> Setting:
    """Return what an event's envelope says of where it happens."""
    team = me.team or grid_seed.ORG
    return Setting(
        team,
        me.enterprise or state.grid.enterprise_of(team),
        ext_shared=bool(channel and channel.connected),
        org_has_team=bool(state.setting("org_authorization_has_team")),
    )


def _of_workspace(state: SlackState, team: str) -> Installation | None:
    if team == grid_seed.ORG:
        return org_installation(state)
    return state.installations.get(team)


def _once(state: SlackState, channel: Channel) -> bool:
    return bool(channel.connected) and state.setting("connect_events") == "once"


def _same(one: Installation, other: Installation) -> bool:
    return bool(one.enterprise) and one.enterprise == other.enterprise
