"""Where a message in Slack can be looked at."""

from dataclasses import dataclass

from bots.slack.clients import Clients, asked
from bots.slack.payload import string
from bridge.errors import AtomError
from bridge.messages import Channel


@dataclass(frozen=True, slots=True)
class SlackAddresses:
    """Implements `bridge.composing.Addresses`."""

    clients: Clients

    async def of(self, channel: Channel, message: str) -> str:
        try:
            client = await self.clients.of(channel.team)
            call = client.chat_getPermalink(channel=channel.id, message_ts=message)
            return string(await asked(call), "permalink")
        except AtomError:
            return ""  # a way there is a nicety; the message crosses without
