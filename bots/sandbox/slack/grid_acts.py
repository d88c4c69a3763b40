"""What Org Admins do in Slack's windows, and what an organisation brings about."""

from collections.abc import Callable, Mapping
from typing import Any

from bots.sandbox.slack import grid_install
from bots.sandbox.slack.admin_channel import tell_shared
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Channel
from bots.sandbox.world import World

Wish = Mapping[str, Any]
Result = dict[str, Any]


class GridActs:
    """Acts that concern the whole organisation, as {"action": …} says them."""

    def __init__(self, world: World) -> None:
        self._state = world.slack
        self.actions: Mapping[str, Callable[[Wish], Result]] = {
            "install_org": self._install,
            "grant_access": self._grant,
            "revoke_access": self._withdraw,
            "sign_in": self._sign_in,
            "connect": self._connect,
            "disconnect_channel": self._disconnect,
            "change_channel_id": self._change_id,
            "change_org_admin": self._change_org_admin,
            "audit": self._audit,
        }

    def _install(self, wish: Wish) -> Result:
        user = str(wish.get("user", "U01ALICE"))
        return grid_install.install(self._state, user, "")

    def _grant(self, wish: Wish) -> Result:
        grid_install.grant(self._state, list(wish.get("workspaces", ())))
        return {}

    def _withdraw(self, wish: Wish) -> Result:
        grid_install.withdraw(self._state, list(wish.get("workspaces", ())))
        return {}

    def _sign_in(self, wish: Wish) -> Result:
        user = self._state.user(str(wish.get("user", "")))
        team = str(wish.get("workspace") or user.team)
        made = self._state.grid.sign_in(user, team, mobile=bool(wish.get("mobile")))
        return {"session": made.id}

    def _connect(self, wish: Wish) -> Result:
        """Share a channel with another company, as Slack Connect does."""
        channel, other = self._channel(wish), str(wish.get("with", ""))
        self._state.workspace(other)
        if other not in channel.everywhere:
            channel.connected.append(other)
            for user in wish.get("members", ()):
                channel.members.append(self._state.user(str(user)).id)
            tell_shared(self._state, channel, "channel_shared", other)
        return {}

    def _disconnect(self, wish: Wish) -> Result:
        channel, other = self._channel(wish), str(wish.get("with", ""))
        if other not in channel.connected:
            raise SlackRefusal("leaving_team_not_in_channel")
        tell_shared(self._state, channel, "channel_unshared", other)
        channel.connected.remove(other)
        return {}

    def _change_id(self, wish: Wish) -> Result:
        """Give a channel another id, as sharing it does now and then."""
        channel = self._channel(wish)
        old, new = channel.id, self._state.next_id("C")
        del self._state.channels[old]
        channel.id = new
        self._state.channels[new] = channel
        event = {
            "type": "channel_id_changed",
            "old_channel_id": old,
            "new_channel_id": new,
            "event_ts": self._state.next_ts(),
        }
        self._state.emit(channel.team, event, channel)
        self._state.publish("channel", channel.team, channel=new)
        return {"channel": new}

    def _change_org_admin(self, wish: Wish) -> Result:
        user = self._state.user(str(wish.get("user", "")))
        user.is_org_admin = bool(wish.get("is_org_admin"))
        return {}

    def _audit(self, wish: Wish) -> Result:
        """Let something stand in the organisation's audit log."""
        entity = wish.get("entity") or {"type": "enterprise", "enterprise": {}}
        return self._state.audit.note(
            str(wish.get("name", "user_login")),
            str(wish.get("user", "U01ALICE")),
            entity,
            at=int(wish.get("at", 0)),
        )

    def _channel(self, wish: Wish) -> Channel:
        return self._state.channel(str(wish.get("channel", "")))
