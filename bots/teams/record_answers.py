"""What Teams is answered when somebody asks something of a record, ready for JSON."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from bots.record_talks import (
    BEGIN_AGAIN,
    ShowCard,
    ShowForm,
    Showing,
    ShowText,
    ShowWrong,
    Talk,
)
from bots.teams.adaptive import CONTENT_TYPE, Json, attachment, line, whole
from bots.teams.cards import adaptive
from bots.teams.record_asked import WAIT, WAITED, Surface
from bots.teams.record_cards import render, summary, task
from bots.teams.record_forms import form_card
from bridge.cards import Card
from bridge.messages import Person, Platform
from bridge.records import wording
from bridge.records.asking import Filled
from bridge.records.cards import RecordCard
from bridge.records.desk import Found, Preview
from bridge.records.forms import Form

_THUMBNAIL = "application/vnd.microsoft.card.thumbnail"
_MESSAGE = "application/vnd.microsoft.activity.message"
_ERROR = "application/vnd.microsoft.error"
_TITLE = "ATOM"
_MOST = 25  # results; Teams shows no more at once
_TEXT, _HEADING = 300, 150


def drawn(showing: Showing, surface: Surface) -> Json | str:
    """Return the card that shows it, or the line that says it."""
    dialog = surface is Surface.DIALOG
    match showing:
        case ShowForm(asked, token):
            return form_card(asked, token, dialog=dialog)
        case ShowCard(card) if isinstance(card, RecordCard):
            return render(card)
        case ShowCard(card) if isinstance(card, Card):
            return adaptive(card)
        case ShowWrong(reason, fields):
            return " ".join(filter(None, [reason, *fields.values()]))
        case ShowText(text):
            return text
        case _:
            return ""


def wrong_form(form: Form, token: str, surface: Surface, filled: Filled) -> Json:
    """Return a form with what was entered, and what is wrong with it."""
    return form_card(form, token, filled, dialog=surface is Surface.DIALOG)


def working(talk: Talk) -> Json:
    """Return the card that is shown until there is an answer."""
    action = {
        "type": "Action.Execute",
        "verb": WAIT,
        "title": "Show the answer",
        "data": {WAITED: talk.id},
    }
    return whole([line("Working…", weight="bolder"), line(_SLOW)], "Working…", [action])


def loading(talk: Talk) -> Json:
    """Return the same for a dialog, where only one kind of button works."""
    action = {
        "type": "Action.Submit",
        "title": "Retry",
        "data": {"verb": WAIT, WAITED: talk.id},
    }
    return whole([line("Still loading…", weight="bolder"), line(_SLOW)], "…", [action])


_SLOW = f"The system behind this takes its time. {BEGIN_AGAIN}"


def answer(shown: Json | str, surface: Surface) -> Json:
    """Return the body of an answer. In a list nothing is shown by this."""
    if surface is Surface.DIALOG:
        if isinstance(shown, str):
            # Without a task the dialog is closed.
            return {"task": {"type": "message", "value": shown}} if shown else {}
        return task(shown, _TITLE)
    if isinstance(shown, str):
        return _told(HTTPStatus.OK, _MESSAGE, shown)
    return _told(HTTPStatus.OK, CONTENT_TYPE, shown)


def malformed() -> Json:
    """Return the error for what no client of Teams sends."""
    said = {"code": "BadRequest", "message": "This was not sent by a card of ATOM's."}
    return _told(HTTPStatus.BAD_REQUEST, _ERROR, said)


def refused() -> Json:
    said = {"code": "Forbidden", "message": "ATOM shows records to its users alone."}
    return _told(HTTPStatus.FORBIDDEN, _ERROR, said)


def results(found: Found) -> Json:
    """
    Return what a search found, as the searching person may see it.

    What is chosen stands in their message for everybody, so a result holds nothing but
    its address: the card for the room is asked for when it is chosen.
    """
    shown = [_result(card) for card in found.cards if card.url][:_MOST]
    told = [
        _item(f"{one.system}: {one.text}", "", {})
        for one in found.lines
        if not one.complete or not found.cards
    ]
    return _extension([*shown, *told])


def previews(found: Sequence[Preview]) -> Json:
    """
    Return cards that everybody may see, to stand in the person's message.

    ATOM cannot change them there. So the clients of those who read along ask for the
    card anew whenever it comes in sight, each for its own person.
    """
    shown = [(one.card, one.readers) for one in found if one.card is not None]
    return _extension([_preview(card, readers) for card, readers in shown])


def said(text: str) -> Json:
    """Return a line where a list or a preview was asked for."""
    return {"composeExtension": {"type": "message", "text": text}}


def _extension(attachments: list[Json]) -> Json:
    listed = {
        "type": "result",
        "attachmentLayout": "list",
        "attachments": attachments,
        # What people may see changes: Teams is not to show it again by itself.
        "suggestedActions": {"actions": []},
    }
    return {"composeExtension": listed}


def _result(card: RecordCard) -> Json:
    text = [wording.status_line(card), wording.kind_line(card), card.source]
    heading = wording.line(wording.heading(card), _HEADING)
    told = wording.line(" · ".join(filter(None, text)), _TEXT)
    tap = {"type": "invoke", "value": {"url": card.url}}
    return _item(heading, told, {"tap": tap})


def _item(title: str, text: str, more: Json) -> Json:
    content = {"title": wording.line(title, _HEADING), "text": _escaped(text), **more}
    return {
        "contentType": _THUMBNAIL,
        "content": {"title": _TITLE},  # nothing of the record: it may be posted
        "preview": {"contentType": _THUMBNAIL, "content": content},
    }


def _preview(card: RecordCard, readers: Sequence[Person]) -> Json:
    content = {"title": summary(card)}
    shown = {"contentType": _THUMBNAIL, "content": content}
    people = [one.id for one in readers if one.platform is Platform.TEAMS]
    return {**attachment(render(card, people)), "preview": shown}


def _escaped(text: str) -> str:
    """A thumbnail's text is read as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _told(status: HTTPStatus, kind: str, value: Any) -> Json:
    return {"statusCode": int(status), "type": kind, "value": value}
