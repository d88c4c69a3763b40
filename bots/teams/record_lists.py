"""Show several records in Teams: what a search found."""

from bots.teams.adaptive import Json, line, weigh, whole
from bots.teams.record_cards import execute
from bridge.records import wording
from bridge.records.cards import RecordCard
from bridge.records.desk import Found

MOST_RESULTS = 10

_TITLE, _RESULT, _KIND, _LINE, _URL = 150, 150, 100, 150, 500


def results(found: Found) -> Json:
    """Return a list of records as one person may see them, and how each system did."""
    title = wording.line(f"Found for {found.words}", _TITLE, weigh)
    body = [line(title, size="medium", weight="bolder")]
    body += [_result(card) for card in found.cards[:MOST_RESULTS]]
    if not found.cards:
        body.append(line("Nothing found."))
    if (left := len(found.cards) - MOST_RESULTS) > 0:
        body.append(line(f"… and {left} more: say more words", isSubtle=True))
    for told in found.lines[:MOST_RESULTS]:
        text = wording.line(f"{told.system}: {told.text}", _LINE, weigh)
        body.append(line(text, isSubtle=True, size="small"))
    return whole(body, title)


def _result(card: RecordCard) -> Json:
    heading = wording.heading(card, _RESULT, weigh)
    origin = " · ".join(filter(None, (card.source, wording.kind_line(card))))
    items = [line(heading, weight="bolder")]
    if status := wording.line(wording.status_line(card), _RESULT, weigh):
        items.append(line(status))
    items.append(line(wording.line(origin, _KIND, weigh), isSubtle=True, size="small"))
    simple = [each for each in card.buttons if not each.confirm]
    actions = [execute(each) for each in simple[:1]]
    if card.url and weigh(card.url) <= _URL:
        title = wording.open_label(card)
        actions.append({"type": "Action.OpenUrl", "title": title, "url": card.url})
    if actions:
        items.append({"type": "ActionSet", "actions": actions})
    return {"type": "Container", "separator": True, "items": items}
