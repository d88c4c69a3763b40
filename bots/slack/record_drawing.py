"""The modals and messages that people are shown when they ask something of records."""

import html
from typing import Any

from bots.record_talks import BEGIN_AGAIN
from bots.slack import cards
from bots.slack.block_kit import Block, plain
from bots.slack.record_asked import AGAIN, kept_in_view
from bots.slack.record_cards import card_view, render, working_view
from bots.slack.record_forms import form_view
from bridge.cards import Card
from bridge.messages import Channel
from bridge.records.asking import BLANK, Filled
from bridge.records.cards import RecordCard
from bridge.records.forms import Form

_TITLE = "ATOM"


def message_of(card: RecordCard, objects: list[Block] | None = None) -> dict[str, Any]:
    """Return a card, and its objects, as chat.postMessage and chat.update take it."""
    rendered = render(card)
    more = {"entities": objects} if objects else {}
    return {
        "text": rendered.text,
        "blocks": rendered.blocks,
        "metadata": rendered.metadata | more,
    }


def alone(card: RecordCard | Card) -> dict[str, Any]:
    """Return a card as a message that one person sees."""
    if isinstance(card, RecordCard):
        rendered = render(card)
        return {"text": rendered.text, "blocks": rendered.blocks}
    text, blocks = cards.render(card)
    return {"text": text, "blocks": blocks}


def line(text: str) -> dict[str, Any]:
    """Return a line that is nobody's markup, as a message."""
    return {"text": html.escape(text, quote=False)}


def shown(card: RecordCard | Card) -> Block:
    """Return the modal that shows a card."""
    if isinstance(card, RecordCard):
        return card_view(card)
    _, blocks = cards.render(card)
    return working_view(_TITLE) | {"blocks": blocks}


def form(asked: Form, token: str, filled: Filled = BLANK) -> Block:
    """Return the modal that asks for input."""
    return form_view(asked, token, filled)


def text(said: str) -> Block:
    return working_view(_TITLE, text=said)


def working() -> Block:
    """Return the modal that is shown until there is something to show."""
    return working_view(_TITLE, text=f"Working…\n{BEGIN_AGAIN}")


def keeping(view: Block, channel: Channel | None, token: str) -> Block:
    """Return a modal that brings back where it was opened, and for which form."""
    return view | {"private_metadata": kept_in_view(channel, token)}


def again(token: str) -> dict[str, Any]:
    """Return the message that offers to open a modal for which it was too late."""
    said = "That took too long to open."
    if not token:
        return {"text": f"{said} Please try again."}
    button = {
        "type": "button",
        "action_id": AGAIN,
        "value": token,
        "text": plain("Open again"),
    }
    section = {"type": "section", "text": plain(said)}
    actions = {"type": "actions", "elements": [button]}
    return {"text": said, "blocks": [section, actions]}
