"""What people are shown of records in Slack, put together from what renderers make."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.slack import cards
from bots.slack.record_asked import AGAIN, CHOICE_PREFIX, FORM, SHOWN, kept_in_view
from bridge.cards import Card
from bridge.messages import Channel
from bridge.records.cards import RecordCard
from bridge.records.forms import Form, Input, InputKind

METADATA = "atom_record_card"

_TITLE = 24
_TEXT = 2_900

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with what was entered."""

    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def message_of(card: RecordCard) -> dict[str, Any]:
    """Return a card as chat.postMessage and chat.update take it."""
    payload = {"card_id": card.card_id, "rev": card.rev}
    return {
        "text": html.escape(card.short, quote=False),
        "blocks": _blocks(card),
        "metadata": {"event_type": METADATA, "event_payload": payload},
    }


def preview_of(card: RecordCard) -> dict[str, Any]:
    return {"blocks": _blocks(card)}


def card(shown: RecordCard | Card) -> dict[str, Any]:
    """Return the modal that shows a card."""
    if isinstance(shown, RecordCard):
        return _modal(shown.key or shown.source, _blocks(shown))
    _, blocks = cards.render(shown)
    return _modal("ATOM", blocks)


def form(
    asked: Form,
    _token: str,
    values: Mapping[str, str] | None = None,
    wrong: Wrong | None = None,
) -> dict[str, Any]:
    """Return the modal that asks for input."""
    controllers = {each.controller for each in asked.inputs if each.controller}
    blocks = [_input(one, values or {}, one.id in controllers) for one in asked.inputs]
    if wrong and (wrong.reason or wrong.fields):
        said = "\n".join([wrong.reason, *wrong.fields.values()]).strip()
        blocks.insert(0, _section(f"⚠️ {said}"))
    made = _modal(asked.title, blocks)
    return made | {"callback_id": FORM, "submit": _plain(asked.submit[:_TITLE])}


def text(said: str) -> dict[str, Any]:
    return _modal("ATOM", [_section(said)])


def working() -> dict[str, Any]:
    """Return the modal that is shown until there is something to show."""
    return _modal("ATOM", [_section("Working…")])


def keeping(
    view: dict[str, Any], channel: Channel | None, token: str
) -> dict[str, Any]:
    """Return a modal that brings back where it was opened, and for which form."""
    return view | {
        "private_metadata": kept_in_view(channel, token),
        "notify_on_close": False,
    }


def again(token: str) -> dict[str, Any]:
    """Return the message that offers to open a modal for which it was too late."""
    said = "That took too long to open."
    if not token:
        return {"text": f"{said} Please try again."}
    button = {
        "type": "button",
        "action_id": AGAIN,
        "value": token,
        "text": _plain("Open again"),
    }
    blocks = [_section(said), {"type": "actions", "elements": [button]}]
    return {"text": said, "blocks": blocks}


def _modal(title: str, blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": SHOWN,
        "title": _plain(title[:_TITLE] or "ATOM"),
        "close": _plain("Close"),
        "blocks": blocks,
    }


def _blocks(card: RecordCard) -> list[Block]:
    buttons = [
        {
            "type": "button",
            "action_id": f"rec.{button.act}.{number}",
            "value": button.token,
            "text": _plain(button.label),
        }
        for number, button in enumerate(card.buttons)
    ]
    lines = [card.short, *(f"{one.label}: {one.text or '-'}" for one in card.fields)]
    shown = [_section("\n".join(lines))]
    return [*shown, {"type": "actions", "elements": buttons}] if buttons else shown


def _input(one: Input, values: Mapping[str, str], decides: bool) -> Block:  # noqa: FBT001
    element: Block = {"type": "plain_text_input", "action_id": "in"}
    value = values.get(one.id, one.value)
    if one.kind is InputKind.CHOICE:
        options = [
            {"text": _plain(choice.label), "value": choice.value}
            for choice in one.choices
            if not one.controller
            or choice.value in one.fitting.get(values.get(one.controller, ""), ())
        ]
        if not options:
            return {**_section(f"{one.label}: nothing to choose"), "block_id": one.id}
        name = f"{CHOICE_PREFIX}{one.id}" if decides else "in"
        element = {"type": "static_select", "action_id": name, "options": options}
        chosen = [option for option in options if option["value"] == value]
        element |= {"initial_option": chosen[0]} if chosen else {}
    elif value:
        element["initial_value"] = value
    return {
        "type": "input",
        "block_id": one.id,
        "optional": not one.required,
        "dispatch_action": decides,
        "label": _plain(one.label),
        "element": element,
    }


def _section(said: str) -> Block:
    return {"type": "section", "text": _plain(said[:_TEXT])}


def _plain(said: str) -> Block:
    return {"type": "plain_text", "text": said or "-", "emoji": False}
