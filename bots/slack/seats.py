"""Who is in a Slack channel, and how they come in and go: by the bot's own rights."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.members import SlackMembers
from bots.slack.people import SlackPeople
from bridge.errors import Refused
from bridge.messages import Channel, Person
from bridge.patience import patiently

_IN = "already_in_channel"
_OUT = "not_in_channel"


@dataclass(frozen=True, slots=True)
class SlackSeats:
    """Implements `bridge.keeping.Seats`. `sleep` waits seconds."""

    clients: Clients
    members: SlackMembers
    known: SlackPeople
    sleep: Callable[[float], Awaitable[None]]

    async def people(self, channel: Channel) -> tuple[Person, ...]:
        everybody = await self.members.of(channel)
        known = await self.known.lookup(channel, sorted(everybody))
        return tuple(known[user] for user in sorted(known))

    async def invite(self, channel: Channel, user: str) -> None:
        async def ask() -> None:
            client = await self.clients.of(channel.team)
            await done(client.conversations_invite(channel=channel.id, users=user))

        await self._unless(_IN, ask)

    async def remove(self, channel: Channel, user: str) -> None:
        async def ask() -> None:
            client = await self.clients.of(channel.team)
            await done(client.conversations_kick(channel=channel.id, user=user))

        await self._unless(_OUT, ask)

    async def _unless(self, code: str, ask: Callable[[], Awaitable[None]]) -> None:
        try:
            await patiently(ask, self.sleep)
        except SlackRefused as refused:
            if refused.code == "missing_scope":
                raise Refused(
                    "ATOM's bot may not change who is in channels yet: install it "
                    "again, so that it gets channels:manage and groups:write."
                ) from refused
            if refused.code != code:
                raise
