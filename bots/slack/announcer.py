"""Speak for ATOM itself in a Slack channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bots.remembered import Remembered
from bots.slack.cards import render
from bots.slack.clients import Clients, SlackRefused, asked, done
from bots.slack.payload import mapping, string
from bridge.cards import Card
from bridge.errors import AtomError
from bridge.messages import Channel

_NAMES_ARE_FRESH = 300.0  # seconds


@dataclass(slots=True)
class SlackAnnouncer:
    """Implements `bridge.ports.Announcer`."""

    clients: Clients
    _last: dict[Channel, str] = field(default_factory=dict)
    _names: Remembered[Channel, str] = field(init=False)

    def __post_init__(self) -> None:
        self._names = Remembered(self._name, seconds=_NAMES_ARE_FRESH)

    async def announce(self, channel: Channel, card: Card) -> None:
        """Post a card, and join the channel first if ATOM may and has not yet."""
        client = await self.clients.of(channel.team)
        try:
            await _post(client, channel, card)
        except SlackRefused as refused:
            if refused.code != "not_in_channel":
                raise
            await done(client.conversations_join(channel=channel.id))
            await _post(client, channel, card)

    async def channel_name(self, channel: Channel) -> str:
        try:
            name = await self._names.get(channel)
        except AtomError:
            # It may be out of reach by now; people know it by the name that it had.
            return self._last.get(channel, channel.id)
        if name:
            self._last[channel] = name
        return name or channel.id

    def forget(self, channel: Channel) -> None:
        self._names.forget(channel)

    async def aclose(self) -> None:
        await self._names.aclose()

    async def _name(self, channel: Channel) -> str:
        client = await self.clients.of(channel.team)
        answer = await asked(client.conversations_info(channel=channel.id))
        name = string(mapping(answer, "channel"), "name")
        return f"#{name}" if name else ""


async def _post(
    client: AsyncWebClient, channel: Channel, card: Card
) -> Mapping[str, Any]:
    text, blocks = render(card)
    return await done(
        client.chat_postMessage(
            channel=channel.id,
            text=text,
            blocks=blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
    )
