"""Answer people who speak to ATOM in Slack, where only they see it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog
from aiohttp import ClientError
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_sdk.errors import SlackClientError

from bots.commands.base import Request
from bots.slack.cards import render
from bots.slack.clients import Clients, done
from bridge.cards import Card, Tone
from bridge.errors import AtomError
from bridge.messages import Event
from bridge.ports import Tenants

log = structlog.get_logger()

Kept = TypeVar("Kept")

_ACK_WITHIN = 2.5  # seconds; Slack shows an error after 3
_ANSWER_WITHIN = 60.0
_SEND_WITHIN = 30.0

NOT_SET_UP = Card(
    "ATOM is not set up for this workspace",
    "Ask the people who run ATOM to add this workspace to your company.",
    Tone.WARNING,
)
FAILED = Card("That did not work", "Something went wrong inside ATOM.", Tone.BAD)
TOO_SLOW = Card("That takes too long", "ATOM gave up waiting.", Tone.BAD)


class Commands(Protocol):
    """What answers a command: `bots.commands.base.Commands`."""

    async def answer(self, request: Request) -> Card: ...


@dataclass(slots=True)
class Answers:
    """Runs commands that are captured already, and brings the cards back."""

    tenants: Tenants
    commands: Commands
    clients: Clients
    ack_within: float = _ACK_WITHIN
    answer_within: float = _ANSWER_WITHIN
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def to_command(
        self, event: Event, ack: AsyncAck, respond: AsyncRespond, *, left: float
    ) -> None:
        """Answer a slash command in the acknowledgement, or later if it takes long."""
        answer = self._hold(self._card(event))
        finished, _ = await asyncio.wait({answer}, timeout=max(left, 0))
        if finished:
            await ack(**_ephemeral(answer.result()))
            return
        await ack()
        await _respond(respond, await answer)

    async def to_click(
        self, event: Event, ack: AsyncAck, respond: AsyncRespond
    ) -> None:
        """Answer a click. Slack shows nothing that comes in its acknowledgement."""
        await ack()
        await _respond(respond, await self._card(event))

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
        card = await self._card(event)
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                await self._whisper(event, card)
        except (AtomError, TimeoutError) as error:
            log.warning("answer not shown", platform="slack", reason=str(error))

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

    async def _card(self, event: Event) -> Card:
        """The outermost frame of a command: whatever happens, people get an answer."""
        try:
            async with asyncio.timeout(self.answer_within):
                return await self._answered(event)
        except TimeoutError:
            return TOO_SLOW
        except Exception:
            log.exception("command failed", platform="slack", event_id=event.event_id)
            return FAILED

    async def _answered(self, event: Event) -> Card:
        tenant = await self.tenants.tenant_of(event.platform, event.account)
        if tenant is None or event.channel is None:
            return NOT_SET_UP
        words = dict(event.detail).get("command", "")
        return await self.commands.answer(
            Request(tenant, event.channel, event.author, words, event.account)
        )


def _ephemeral(card: Card) -> dict[str, Any]:
    text, blocks = render(card)
    return {"response_type": "ephemeral", "text": text, "blocks": blocks}


async def _respond(respond: AsyncRespond, card: Card) -> None:
    try:
        async with asyncio.timeout(_SEND_WITHIN):
            await respond(**_ephemeral(card), replace_original=False)
    except (ClientError, SlackClientError, TimeoutError) as error:
        kind = type(error).__name__
        log.warning("answer not shown", platform="slack", reason=kind)
