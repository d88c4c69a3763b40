"""Answer people who speak to ATOM in Slack, where only they see it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog
from slack_bolt.async_app import AsyncAck, AsyncRespond

from bots.commands.answering import Answering, Turn
from bots.commands.record_answers import Later, RecordAnswer
from bots.slack.cards import render
from bots.slack.clients import Clients, done
from bots.slack.late import ephemeral, to_response_url
from bridge.cards import Card
from bridge.errors import AtomError, Fenced, NotSent, Refused, Throttled
from bridge.messages import Event

log = structlog.get_logger()

Kept = TypeVar("Kept")
Show = Callable[[Card], Coroutine[Any, Any, None]]

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
                self._fill(card, _by(self.clients, respond.response_url))
            else:
                await ack()
                await turn.not_shown()

    async def to_click(
        self, event: Event, ack: AsyncAck, respond: AsyncRespond
    ) -> None:
        """
        Answer a click. Slack shows nothing that comes in its acknowledgement.

        Whoever looks again at what was found finds it in the same place.
        """
        await ack()
        async with self.answering.turn(event, _words(event)) as turn:
            card = await turn.ready()
            again = isinstance(card, RecordAnswer) and card.found is not None
            await self._later(turn, respond, card, replacing=again)

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
                    self._fill(card, partial(self._whisper, event))
        except AtomError as error:
            log.warning("answer not shown", platform="slack", reason=str(error))

    async def _later(
        self,
        turn: Turn,
        respond: AsyncRespond,
        card: Card | None,
        *,
        replacing: bool = False,
    ) -> None:
        show = _by(self.clients, respond.response_url, replacing=replacing)
        if card is not None and show:
            await _sent(turn, show(card))
            self._fill(card, show)

    def _fill(self, card: Card, show: Show | None) -> None:
        """
        Show an answer again when what was late has come, once.

        Slack lets ATOM put it in the place of a message that was clicked. An answer to
        a command, which the person alone sees, cannot be changed: there it follows.
        """
        if isinstance(card, RecordAnswer) and card.later and show:
            _ = self._hold(self._filled(card.later, show))

    async def _filled(self, later: Later, show: Show) -> None:
        try:
            async for fuller in later(each=False):
                async with asyncio.timeout(_SEND_WITHIN):
                    await show(fuller)
        except (AtomError, TimeoutError) as error:
            kind = type(error).__name__
            log.warning("late results not shown", platform="slack", reason=kind)

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


def _by(clients: Clients, url: str | None, *, replacing: bool = False) -> Show | None:
    """Return what shows a card by a response_url, if there is one."""
    if not url:
        return None
    return lambda card: to_response_url(clients.session, url, card, replacing=replacing)


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
