"""Let ATOM react in Slack."""

from dataclasses import dataclass

from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.emoji_reactions import names_for
from bridge.reactions import Spot

# What stands as wanted already, and what Slack does not take at all.
_DONE = frozenset({"already_reacted", "no_reaction"})
_NOT_TAKEN = frozenset({"invalid_name", "too_many_emoji", "too_many_reactions"})
_NAMES_TRIED = 3


@dataclass(frozen=True, slots=True)
class SlackReactor:
    """Implements `bridge.reacting.Reactor`."""

    clients: Clients

    async def react(self, spot: Spot, emoji: str, *, standing: bool) -> bool:
        for name in names_for(emoji)[:_NAMES_TRIED]:
            code = await self._set(spot, name, standing=standing)
            if not code:
                return True
            if code != "invalid_name":
                break
        # What Slack does not know, or has no room for, does not stand there.
        return not standing

    async def _set(self, spot: Spot, name: str, *, standing: bool) -> str:
        """Return Slack's reason not to take it, or nothing if it is as wanted."""
        client = await self.clients.of(spot.channel.team)
        call = client.reactions_add if standing else client.reactions_remove
        place = {"channel": spot.channel.id, "timestamp": spot.message}
        try:
            await done(call(name=name, **place))
        except SlackRefused as refused:
            if refused.code in _NOT_TAKEN:
                return refused.code
            if refused.code not in _DONE:
                raise
        return ""
