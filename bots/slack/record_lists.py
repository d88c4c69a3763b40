"""Show several records in Slack: what a search found."""

from collections.abc import Iterator

from bots.slack.block_kit import HEADER, Block, context, escaped, plain, weigh
from bots.slack.record_cards import Rendered, button, links
from bridge.records import wording
from bridge.records.cards import RecordCard
from bridge.records.desk import Found

MOST_RESULTS = 10

_RESULT, _KIND, _URL, _LINE = 150, 100, 400, 150


def results(found: Found) -> Rendered:
    """Return a list of records as one person may see them, and how each system did."""
    title = wording.line(f"Found for {found.words}", HEADER, weigh)
    blocks: list[Block] = [{"type": "header", "block_id": "h", "text": plain(title)}]
    for number, card in enumerate(found.cards[:MOST_RESULTS]):
        blocks += _result(number, card)
    if not found.cards:
        blocks.append(context("none", plain("Nothing found.")))
    if (left := len(found.cards) - MOST_RESULTS) > 0:
        blocks.append(context("more", plain(f"… and {left} more: say more words")))
    for number, line in enumerate(found.lines[:MOST_RESULTS]):
        told = wording.line(f"{line.system}: {line.text}", _LINE, weigh)
        blocks.append(context(f"l{number}", plain(told)))
    return Rendered(escaped(title), blocks, {})


def _result(number: int, card: RecordCard) -> Iterator[Block]:
    said = [wording.heading(card, _RESULT, weigh)]
    said.append(wording.line(wording.status_line(card), _RESULT, weigh))
    section: Block = {
        "type": "section",
        "block_id": f"r{number}",
        "text": plain("\n".join(filter(None, said))),
    }
    simple = [each for each in card.buttons if not each.confirm]
    if simple:
        section["accessory"] = button(simple[0])
    yield section
    origin = " · ".join(filter(None, (card.source, wording.kind_line(card))))
    about = plain(wording.line(origin, _KIND, weigh))
    yield context(f"o{number}", about, *links(card, _URL))
