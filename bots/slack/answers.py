"""Answer people who speak to ATOM in Slack, where only they see it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from slack_bolt.async_app import AsyncAck, AsyncRespond

from bots.commands.answering import Answering, Turn
from bots.slack.cards import render
from bots.slack.clients import Clients, done
from bots.slack.late import ephemeral, to_response_url
from bridge.cards import Card
from bridge.errors import AtomError, Fenced, NotSent, Refused, Throttled
from bridge.messages import Event

log = structlog.get_logger()

Kept = TypeVar("Kept")

_ACK_WITHIN = 2.5  # seconds; Slack shows an error after 3
_SEND_WITHIN = 30.0


@dataclass(slots=True)
class Answers:
    """Runs commands that are captured already, and brings the cards back."""

    answering: Answering
    clients: Clients
    ack_within: float = _ACK_WITHIN
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def to_command(
        self, event: Event, ack: AsyncAck, respond: AsyncRespond, *, left: float
    ) -> None:
        """Answer a slash command in the acknowledgement, or later if it takes long."""
        async with self.answering.turn(event, _words(event)) as turn:
            answer = self._hold(turn.ready())
            finished, _ = await asyncio.wait({answer}, timeout=max(left, 0))
            if not finished:
                await ack()
                await self._later(turn, respond, await answer)
            elif (card := answer.result()) and turn.stands:
                await ack(**ephemeral(card))
                await turn.shown()
            else:
                await ack()
                await turn.not_shown()

    async def to_click(
        self, event: Event, ack: AsyncAck, respond: AsyncRespond
    ) -> None:
        """Answer a click. Slack shows nothing that comes in its acknowledgement."""
        await ack()
        async with self.answering.turn(event, _words(event)) as turn:
            await self._later(turn, respond, await turn.ready())

    def to_mention(self, event: Event) -> None:
        """Answer a mention in the background: the event is acknowledged meanwhile."""
        _ = self._hold(self._mentioned(event))

    async def aclose(self) -> None:
        """Give up what is not answered yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _hold(self, work: Coroutine[Any, Any, Kept]) -> asyncio.Task[Kept]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _mentioned(self, event: Event) -> None:
        try:
            async with self.answering.turn(event, _words(event)) as turn:
                if card := await turn.ready():
                    await _sent(turn, self._whisper(event, card))
        except AtomError as error:
            log.warning("answer not shown", platform="slack", reason=str(error))

    async def _later(
        self, turn: Turn, respond: AsyncRespond, card: Card | None
    ) -> None:
        url = respond.response_url
        if card is not None and url:
            await _sent(turn, to_response_url(self.clients.session, url, card))

    async def _whisper(self, event: Event, card: Card) -> None:
        if event.channel is None:
            return
        client = await self.clients.of(event.channel.team)
        text, blocks = render(card)
        await done(
            client.chat_postEphemeral(
                channel=event.channel.id,
                user=event.author.id,
                thread_ts=event.thread or None,
                text=text,
                blocks=blocks,
            )
        )


def _words(event: Event) -> str:
    return dict(event.detail).get("command", "")


async def _sent(turn: Turn, sending: Coroutine[Any, Any, None]) -> None:
    """Send an answer; what certainly did not arrive is sent late, another way."""
    try:
        async with asyncio.timeout(_SEND_WITHIN):
            with turn.showing():
                await sending
    except (Fenced, NotSent, Refused, Throttled) as error:
        log.warning("answer not shown", platform="slack", reason=str(error))
        await turn.not_shown()
        return
    except (AtomError, TimeoutError) as error:
        kind = type(error).__name__
        log.warning("answer not shown", platform="slack", reason=kind)
    await turn.shown()
