"""What tests need to look at rendered cards: are they valid, and what do they say?"""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from bots.sandbox.slack.blocks import check_blocks
from bots.sandbox.slack.entities import problems_of
from bots.sandbox.slack.modals import check_view
from bots.teams.adaptive import size
from bridge.records.cards import RecordCard
from bridge.records.model import PUBLIC, Absence, Record
from bridge.records.redaction import Audience, Frame, card_of, offers_of
from tests.record_fixtures import READ_US
from tests.record_samples import HOSTS

FOLDER = Path(__file__).parent / "fixtures" / "records"
SLACK_TEXT, TEAMS_BYTES, OBJECT_BYTES = 10_000, 24_000, 7_000
FLOOR = Audience(frozenset({PUBLIC}))
ALONE = Audience(
    frozenset(
        {
            PUBLIC,
            "confidential",
            "finance",
            "sales-finance",
            "it-internal",
            "personal",
            "hr",
        }
    ),
    viewer=True,
)
NOW = READ_US + 600_000_000

_MARKED = re.compile(r"<[^|>]*\|([^>]*)>|[*]")
_SCHEMA = Draft202012Validator(
    json.loads((FOLDER / "adaptive_card.schema.json").read_text())
)


def card(
    seen: Record | Absence,
    audience: Audience = FLOOR,
    of: Record | None = None,
    last: Record | None = None,
) -> RecordCard:
    """Return a card with a token for every button that it may have."""
    record = seen if isinstance(seen, Record) else of or last
    assert record
    tokens = {offer.act: f"act_{offer.act}" for offer in offers_of(seen, audience)}
    frame = Frame("crd_01", record.ref, NOW, HOSTS, tokens)
    return card_of(seen, audience, frame, last)


def check_slack(blocks: list[dict[str, Any]]) -> None:
    """Fail for what Slack would refuse, or what says more than the budget holds."""
    json.dumps(blocks, ensure_ascii=False).encode()
    check_blocks(blocks, total=SLACK_TEXT)
    ids = [block["block_id"] for block in blocks]
    assert len(ids) == len(set(ids))
    for block in blocks:
        acts = [one["action_id"] for one in block.get("elements", []) if "value" in one]
        assert len(acts) == len(set(acts))


def check_modal(view: dict[str, Any]) -> None:
    json.dumps(view, ensure_ascii=False).encode()
    check_view(view, "modal")


def check_object(made: dict[str, Any], *, linked: bool = False) -> None:
    """Fail for what is no Work Object to Slack, or too large a one."""
    json.dumps(made, ensure_ascii=False).encode()
    assert list(problems_of(made, "", linked)) == []
    assert len(json.dumps(made)) <= OBJECT_BYTES


def check_teams(made: dict[str, Any]) -> None:
    """Fail for what is no Adaptive Card, or too large a one."""
    json.dumps(made, ensure_ascii=False).encode()
    _SCHEMA.validate(made)
    assert size(made) <= TEAMS_BYTES


def slack_texts(part: Any) -> set[str]:
    """Return what somebody reads in Slack, line by line."""
    return {line for text in _slack(part) for line in text.split("\n") if line}


def teams_texts(part: Any) -> set[str]:
    """Return what somebody reads in Teams, line by line."""
    return {line for text in _teams(part) for line in text.split("\n") if line}


def _slack(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _slack(each)
    elif isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield html.unescape(_MARKED.sub(r"\1", part["text"]))
        elif part.get("type") == "plain_text":
            yield part["text"]
        else:
            for name, each in part.items():
                if name != "deny":
                    yield from _slack(each)


def _teams(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _teams(each)
    elif isinstance(part, dict):
        if part.get("type") == "TextRun":
            yield part["text"]
        for name in ("title", "label"):
            if isinstance(part.get(name), str):
                yield part[name]
        for name in ("body", "items", "columns", "inlines", "actions", "card"):
            yield from _teams(part.get(name))
        yield from _teams(part.get("choices"))
