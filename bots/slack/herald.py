"""Tell one person something in Slack, where only they see it."""

import html
from dataclasses import dataclass

from bots.slack.clients import Clients, done
from bridge.notices import Notice


@dataclass(frozen=True, slots=True)
class SlackHerald:
    """
    Implements `bridge.notices.Herald` with ephemeral messages.

    Slack keeps none of them: who is not there when it comes does not see it later.
    """

    clients: Clients

    async def whisper(self, notice: Notice, text: str) -> None:
        client = await self.clients.of(notice.channel.team)
        await done(
            client.chat_postEphemeral(
                channel=notice.channel.id,
                user=notice.person.id,
                thread_ts=notice.thread or None,
                text=html.escape(text, quote=False),
            )
        )
