"""Answer somebody in Slack after their command is acknowledged, or long after."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ConnectionTimeoutError,
    InvalidURL,
)

from bots.slack.block_kit import MESSAGE_BLOCKS, context, plain
from bots.slack.cards import render
from bots.slack.clients import Clients, done, pause_asked_for
from bots.slack.payload import mapping, string
from bridge.cards import Card
from bridge.errors import Ambiguous, NotSent, Refused, Throttled
from bridge.unanswered import AskedFor


@dataclass(frozen=True, slots=True)
class SlackLate:
    """
    Implements `bridge.unanswered.LateWay`.

    A response_url takes five answers within half an hour. Without one, or after that,
    people are answered in their own chat with ATOM.
    """

    clients: Clients

    async def tell(self, asked: AskedFor, card: Card, note: str) -> None:
        if url := response_url(asked.raw):
            try:
                await to_response_url(self.clients.session, url, card, note)
            except Refused:
                pass  # its time is over
            else:
                return
        client = await self.clients.of(asked.account)
        # Slack takes a person's id for the conversation with them alone.
        await done(
            client.chat_postMessage(channel=asked.person.id, **_noted(card, note))
        )


def ephemeral(card: Card, note: str = "") -> dict[str, Any]:
    """Return what shows a card to the one who asked, and to nobody else."""
    return {"response_type": "ephemeral", **_noted(card, note)}


def _noted(card: Card, note: str) -> dict[str, Any]:
    text, blocks = render(card)
    if note:
        above = context("late", plain(note))
        text, blocks = f"{note} {text}", [above, *blocks][:MESSAGE_BLOCKS]
    return {"text": text, "blocks": blocks}


async def to_response_url(
    session: ClientSession,
    url: str,
    card: Card,
    note: str = "",
    *,
    replacing: bool = False,
) -> None:
    """
    Show a card by a response_url.

    `replacing` puts it in the place of the message that was clicked. A command's answer
    cannot be replaced in Slack: there it stands below as a message of its own.

    Raises what `answered` does.
    """
    body = ephemeral(card, note) | {"replace_original": replacing}
    await answered(session, url, body)


async def answered(session: ClientSession, url: str, body: Mapping[str, Any]) -> None:
    """
    Post to a response_url. Asks once: Slack's library would ask again.

    Raises `Throttled`, `NotSent`, `Ambiguous` or `Refused`.
    """
    try:
        async with session.post(url, json=body, allow_redirects=False) as answer:
            status = answer.status
    except (ClientConnectorError, ConnectionTimeoutError, InvalidURL):
        raise NotSent("Slack cannot be reached.") from None
    except (ClientError, TimeoutError, OSError):
        raise Ambiguous("Slack did not answer.") from None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled("Slack asks to wait.", pause_asked_for(answer.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Ambiguous(f"Slack says: {status}")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(f"Slack says: {status}")


def response_url(raw: bytes) -> str:
    """Return where Slack takes answers to a command or a click, if it does."""
    try:
        text = raw.decode()
        if not text.startswith("{"):
            form = parse_qs(text)
            if "payload" not in form:
                return next(iter(form.get("response_url", ())), "")
            text = form["payload"][0]
        return string(mapping({"said": json.loads(text)}, "said"), "response_url")
    except (RecursionError, ValueError):
        return ""
