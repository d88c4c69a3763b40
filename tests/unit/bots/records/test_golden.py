"""
Every kind of record as both platforms show it, compared with what was recorded.

`ATOM_RECORD_CARDS=1 pytest tests/unit/bots/records/test_golden.py` records them anew;
look at the difference before you commit it.
"""

import json
import os
from typing import Any

import pytest

from bots.slack import record_cards as slack
from bots.teams import record_cards as teams
from bridge.records.model import Absence, Record
from bridge.records.redaction import Audience, Frame, superseded
from tests.record_rendering import (
    ALONE,
    FLOOR,
    FOLDER,
    NOW,
    card,
    check_slack,
    check_teams,
)
from tests.record_samples import HOSTS, RECORDS, secrets_of

RECORDING = bool(os.environ.get("ATOM_RECORD_CARDS"))
MEMBERS = ("29:1AliceMRI", "29:1BobMRI")
NOBODY = Audience(frozenset())
OPPORTUNITY, ISSUE = RECORDS["opportunity"], RECORDS["issue"]
FRAME = Frame("crd_01", OPPORTUNITY.ref, NOW, HOSTS, {})
STANDINGS = {
    "stale": card(Absence.UNREACHABLE, last=OPPORTUNITY),
    "gone": card(Absence.GONE, of=OPPORTUNITY),
    "forbidden": card(OPPORTUNITY, NOBODY),
    "unavailable": card(Absence.SPENT, of=ISSUE),
    "unconnected": card(Absence.UNCONNECTED, ALONE, of=ISSUE),
    "superseded": superseded(FLOOR, FRAME, OPPORTUNITY),
}


def compare(name: str, made: dict[str, Any]) -> None:
    path = FOLDER / f"{name}.json"
    if RECORDING:
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    assert made == json.loads(path.read_text()), (
        "not as recorded; if that is meant, record it anew with ATOM_RECORD_CARDS=1"
    )


@pytest.mark.parametrize(("name", "record"), RECORDS.items(), ids=RECORDS)
def test_slack_shows_it_as_recorded(name: str, record: Record) -> None:
    room = slack.render(card(record))
    alone = slack.card_view(card(record, ALONE), "act_card")

    check_slack(room.blocks)
    check_slack(alone["blocks"])
    made = {"text": room.text, "blocks": room.blocks, "metadata": room.metadata}
    compare(f"slack/{name}", {"room": made, "viewer": alone})


@pytest.mark.parametrize(("name", "record"), RECORDS.items(), ids=RECORDS)
def test_teams_shows_it_as_recorded(name: str, record: Record) -> None:
    room = teams.render(card(record), MEMBERS)
    alone = teams.render(card(record, ALONE), MEMBERS)

    check_teams(room)
    check_teams(alone)
    compare(f"teams/{name}", {"room": room, "viewer": alone})


@pytest.mark.parametrize("name", STANDINGS)
def test_every_standing_is_shown_as_recorded(name: str) -> None:
    shown = slack.render(STANDINGS[name])
    made = teams.render(STANDINGS[name], MEMBERS)

    check_slack(shown.blocks)
    check_teams(made)
    assert "refresh" not in made
    compare(f"slack/standing_{name}", {"text": shown.text, "blocks": shown.blocks})
    compare(f"teams/standing_{name}", made)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_no_byte_of_what_is_hidden_leaves(record: Record) -> None:
    room = card(record)
    sent = [
        slack.render(room),
        slack.unfurl(room),
        slack.card_view(room, "t"),
        teams.activity(room, MEMBERS),
        teams.task(teams.render(room), room.title),
    ]

    told = repr(sent) + json.dumps(sent[1:], ensure_ascii=False)
    assert [secret for secret in secrets_of(record) if secret in told] == []


def test_there_is_no_recorded_card_of_nothing() -> None:
    names = {*RECORDS, *(f"standing_{name}" for name in STANDINGS)}

    for platform in ("slack", "teams"):
        recorded = {path.stem for path in (FOLDER / platform).glob("*.json")}
        assert recorded == names
