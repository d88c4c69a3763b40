"""
Show record cards in Teams: as messages and in dialogs.

Whatever a record says stands in runs of a RichTextBlock, where nothing is markup; no
card names entities, so nobody is mentioned. A card keeps to 24 kB of UTF-16 as a whole:
webhooks and workflows take no more, and bots a little.
"""

from collections.abc import Iterator, Sequence

from bots.teams.adaptive import (
    Json,
    attachment,
    column,
    columns,
    line,
    rich,
    run,
    size,
    weigh,
    whole,
)
from bridge.cards import Tone
from bridge.records import wording
from bridge.records.cards import CardButton, CardField, RecordCard, Standing
from bridge.records.model import Look

BUDGET = 24_000  # bytes of UTF-16 of a whole activity with its card
VERB_PREFIX = "rec."  # our buttons' verbs; what follows is the act
TOKEN = "t"  # noqa: S105 - the name under which a button's token comes back
MOST_REFRESHED = 60  # people whose own view Teams fetches by itself

_CARD = BUDGET - 1_000  # what is around a card in an activity has the rest
_HEADING, _STATUS, _KIND, _SHORT = 150, 200, 100, 300
_LABEL, _ROW, _BODY, _LEAST_BODY = 80, 400, 2_900, 600
_NOTE, _FOOTER, _URL, _CONFIRM, _BUTTON = 300, 300, 1_000, 200, 40
_MOST_ROWS, _MOST_LINES, _PRIMARY, _MOST_BUTTONS = 40, 30, 6, 10
_LEFT_OUT = 400  # bytes of the line that says so
_LINE = size(line("")) + 2  # bytes of an empty line
_LEAST_LINE = 40  # bytes of text: less is not worth a line
_STYLES = {Look.PRIMARY: "positive", Look.DANGER: "destructive"}
_COLORS = {
    Tone.PLAIN: "default",
    Tone.GOOD: "good",
    Tone.WARNING: "warning",
    Tone.BAD: "attention",
}


def activity(card: RecordCard, refreshed: Sequence[str] = ()) -> Json:
    """Return the message that shows a card. Cards travel without text beside them."""
    return {
        "type": "message",
        "summary": summary(card),
        "attachments": [attachment(render(card, refreshed))],
    }


def summary(card: RecordCard) -> str:
    """Return what notifications and screen readers say."""
    return wording.line(card.short, _SHORT, weigh) or wording.UNNAMED


def render(card: RecordCard, refreshed: Sequence[str] = ()) -> Json:
    """
    Return an Adaptive Card, as much of the card as the budget holds.

    The heading, where it stands, its buttons and its origin are always there. What is
    left out of the rest is said in its place. `refreshed` are the ids, as Teams gives
    them to the bot, of people in whose client the card becomes their own view by
    itself; others have the button. A card for one person is not refreshed.
    """
    head, foot = list(_head(card)), list(_foot(card))
    made = whole([*head, *foot], summary(card), list(_actions(card)))
    made["body"] = [*head, *_inner(card, _CARD - size(made)), *foot]
    if refresh := _refresh(card, refreshed, _CARD - size(made)):
        made["refresh"] = refresh
    return made


def task(card: Json, title: str) -> Json:
    """Return the answer to `task/fetch` or `task/submit` that shows a card."""
    value = {
        "title": wording.line(title, _HEADING, weigh),
        "width": "medium",
        "height": "large",
        "card": attachment(card),
    }
    return {"task": {"type": "continue", "value": value}}


def _head(card: RecordCard) -> Iterator[Json]:
    heading = wording.heading(card, _HEADING, weigh)
    yield rich([run(heading, size="medium", weight="bolder")])
    if status := wording.line(wording.status_line(card), _STATUS, weigh):
        color = _COLORS[card.status.tone] if card.status else "default"
        yield line(status, weight="bolder", color=color)
    if kind := wording.line(wording.kind_line(card), _KIND, weigh):
        yield line(kind, isSubtle=True)


def _inner(card: RecordCard, room: int) -> Iterator[Json]:
    body = wording.lines(card.body, _BODY, weigh)
    reserve = min(2 * weigh(body) + _LINE * _MOST_LINES, 2 * _LEAST_BODY + _LINE)
    left = room - (reserve if body else 0)
    shown = 0
    for field in card.fields[:_MOST_ROWS]:
        row = _row(field)
        taken = size(row) + 2
        left -= taken
        if left < _LEFT_OUT:
            break
        room -= taken
        shown += 1
        yield row
    if more := len(card.fields) - shown:
        room -= _LEFT_OUT
        yield line(wording.left_out(more), isSubtle=True)
    yield from _lines(body, room)


def _row(field: CardField) -> Json:
    value = wording.HIDDEN if field.text is None else field.text
    shown = wording.line(value, _ROW, weigh) or wording.EMPTY
    label = wording.line(field.label, _LABEL, weigh) or wording.EMPTY
    return columns(
        column(1, [line(label, weight="bolder")]),
        column(2, [line(shown)]),
        spacing="small",
    )


def _lines(body: str, room: int) -> Iterator[Json]:
    """Yield one block a line, as a break inside a run is not shown everywhere."""
    texts = [text for text in body.split("\n") if text.strip()]
    if len(texts) > _MOST_LINES:
        texts[_MOST_LINES - 1 :] = [" ".join(texts[_MOST_LINES - 1 :])]
    for number, text in enumerate(texts):
        last = number == len(texts) - 1
        # After this line there has to be room to say that something is cut.
        spare = 0 if last else _LINE + _LEAST_LINE
        shown = wording.cut(text, max(room - _LINE - spare, 0) // 2, weigh)
        room -= _LINE + 2 * weigh(shown)
        yield line(shown)
        if shown != text:
            return
        if not last and room < 2 * (_LINE + _LEAST_LINE):
            yield line(wording.CUT, isSubtle=True)
            return


def _foot(card: RecordCard) -> Iterator[Json]:
    if card.note:
        yield line(wording.line(card.note, _NOTE, weigh), isSubtle=True)
    footer = wording.line(wording.footer(card), _FOOTER, weigh)
    yield line(footer, isSubtle=True, size="small")


def _actions(card: RecordCard) -> Iterator[Json]:
    """Yield the buttons; those beyond the first six are behind a menu."""
    for number, button in enumerate(card.buttons[:_MOST_BUTTONS]):
        aside = {"mode": "secondary"} if number >= _PRIMARY else {}
        yield {**_button(button), **aside}
    if card.url and weigh(card.url) <= _URL:
        aside = {"mode": "secondary"} if len(card.buttons) >= _PRIMARY else {}
        title = wording.open_label(card)
        yield {"type": "Action.OpenUrl", "title": title, "url": card.url, **aside}


def _button(button: CardButton) -> Json:
    """Return a button; one that needs to be confirmed asks in a card that unfolds."""
    if not button.confirm:
        return execute(button)
    return {
        "type": "Action.ShowCard",
        "title": _label(button),
        **_style(button),
        "card": {
            "type": "AdaptiveCard",
            "body": [line(wording.line(button.confirm, _CONFIRM, weigh))],
            "actions": [execute(button)],
        },
    }


def _label(button: CardButton) -> str:
    return wording.line(button.label, _BUTTON, weigh) or wording.EMPTY


def execute(button: CardButton) -> Json:
    """Return an action that carries a token alone, for old clients as well."""
    verb = f"{VERB_PREFIX}{button.act}"
    title = _label(button)
    return {
        "type": "Action.Execute",
        "verb": verb,
        "title": title,
        "data": {TOKEN: button.token},
        **_style(button),
        "fallback": {
            "type": "Action.Submit",
            "title": title,
            "data": {"verb": verb, TOKEN: button.token},
        },
    }


def _style(button: CardButton) -> Json:
    return {"style": _STYLES[button.look]} if button.look in _STYLES else {}


def _refresh(card: RecordCard, people: Sequence[str], room: int) -> Json:
    """Name as many people as there is room for: the card comes before them."""
    view = next((each for each in card.buttons if each.act == "view"), None)
    if view is None or card.viewer or card.standing is not Standing.LIVE:
        return {}
    action = {
        "type": "Action.Execute",
        "verb": f"{VERB_PREFIX}{view.act}",
        "title": _label(view),
        "data": {TOKEN: view.token},
    }
    made: Json = {"action": action, "userIds": []}
    room -= size(made) + _LEFT_OUT
    for person in people[:MOST_REFRESHED]:
        room -= size(person) + 2
        if room < 0:
            break
        made["userIds"].append(person)
    return made if made["userIds"] else {}
