"""Whatever a record holds, its cards are valid, within their budgets, and harmless."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack import record_cards as slack
from bots.slack import record_lists as slack_lists
from bots.slack.block_kit import text_weight
from bots.teams import record_cards as teams
from bots.teams import record_lists as teams_lists
from bots.teams.adaptive import size
from bridge.records.cards import RecordCard
from bridge.records.desk import Found, SystemLine
from bridge.records.model import PUBLIC, Fact, Offer, Record, Status
from bridge.records.redaction import Audience
from tests.record_hostility import TRICKS, hostile
from tests.record_rendering import (
    ALONE,
    SLACK_TEXT,
    TEAMS_BYTES,
    card,
    check_slack,
    check_teams,
    slack_texts,
    teams_texts,
)
from tests.record_samples import CHANGE, HOSTS

MEMBERS = [f"29:1{'x' * 80}{number}" for number in range(100)]
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_LINK = re.compile(r"<https://([^/|>]+)/[^|>]*[|]Open in [A-Za-z]+>")
_LABEL = re.compile(r"[*][^*<>]*[*]")


def check(shown: RecordCard) -> None:
    """Fail for anything that either platform refuses, or that does something."""
    posted = slack.render(shown)
    check_slack(posted.blocks)
    assert text_weight(posted.blocks) <= SLACK_TEXT
    assert "<" not in posted.text
    for text in marked(posted.blocks):
        link = _LINK.fullmatch(text)
        assert link is None or link[1] in HOSTS
        assert link or _LABEL.fullmatch(text)

    said = teams.activity(shown, MEMBERS)
    made = said["attachments"][0]["content"]
    check_teams(made)
    assert size(said) <= TEAMS_BYTES
    assert "entities" not in json.dumps(said)
    for told in (repr(posted), json.dumps(said, ensure_ascii=False)):
        assert not _UNSEEN.search(told.encode("utf-8").decode())


def marked(part: Any) -> Iterator[str]:
    """Yield every text in which Slack looks for markup."""
    if isinstance(part, list):
        for each in part:
            yield from marked(each)
    elif isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield part["text"]
        for each in part.values():
            yield from marked(each)


@pytest.mark.parametrize("trick", TRICKS, ids=range(len(TRICKS)))
@pytest.mark.parametrize("times", [1, 1_000])
def test_trick_does_nothing_wherever_it_stands(trick: str, times: int) -> None:
    text = trick * times
    record = replace(
        CHANGE,
        what=text,
        title=text,
        key=text,
        status=Status(text),
        facts=(Fact("a", text, text), Fact("b", text, text)),
        body=Fact("body", "Body", text),
        offers=(Offer("act", text, confirm=text),),
    )

    check(card(record))
    check(card(record, ALONE))


@pytest.mark.parametrize("number", range(30))
def test_hostile_record_makes_valid_cards(number: int) -> None:
    record = hostile(random.Random(number))

    check(card(record))
    check(card(record, ALONE))


TEXTS = st.one_of(
    st.text(st.characters(), max_size=300),
    st.sampled_from(TRICKS),
    st.builds(
        lambda text, times: text * times, st.text(min_size=1), st.integers(1, 500)
    ),
)


@given(TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_texts_make_valid_cards(
    title: str, body: str, rows: list[tuple[str, str]]
) -> None:
    facts = tuple(Fact(f"f{n}", *row) for n, row in enumerate(rows))
    record = replace(
        CHANGE, title=title, key="", facts=facts, body=Fact("b", "Body", body)
    )

    check(card(record))


def test_description_of_200_kb_is_cut_and_says_so() -> None:
    record = replace(CHANGE, body=Fact("d", "D", "long " * 40_000))

    check(card(record))

    for texts in (
        slack_texts(slack.render(card(record)).blocks),
        teams_texts(teams.render(card(record))),
    ):
        (cut,) = [text for text in texts if text.startswith("long")]
        assert cut.endswith(" … cut")
        assert len(cut) > 2_000


@pytest.mark.parametrize("count", [60, 10_000])
def test_many_fields_are_left_out_and_counted(count: int) -> None:
    facts = tuple(Fact(f"f{n}", f"Label {n}", f"Value {n}") for n in range(count))
    record = replace(CHANGE, facts=facts, body=None)

    check(card(record))

    for texts in (
        slack_texts(slack.render(card(record)).blocks),
        teams_texts(teams.render(card(record))),
    ):
        shown = sum(text.startswith("Value ") for text in texts)
        assert shown >= 20
        assert f"… and {count - shown} more fields" in texts


def test_long_description_leaves_room_for_fields_and_fields_for_it() -> None:
    facts = tuple(Fact(f"f{n}", f"Label {n}", "v" * 400) for n in range(60))
    record = replace(CHANGE, facts=facts, body=Fact("d", "D", "long " * 40_000))

    for texts in (
        slack_texts(slack.render(card(record)).blocks),
        teams_texts(teams.render(card(record))),
    ):
        assert any(text.startswith("Label ") for text in texts)
        assert any(text.startswith("long long") for text in texts)


def test_card_comes_before_the_people_in_whose_client_it_is_refreshed() -> None:
    small = teams.render(card(CHANGE), MEMBERS)
    facts = tuple(Fact(f"f{n}", "L" * 80, "v" * 400) for n in range(60))
    large = teams.render(card(replace(CHANGE, facts=facts)), MEMBERS)

    assert len(small["refresh"]["userIds"]) == 60
    assert len(large.get("refresh", {"userIds": []})["userIds"]) < 60
    assert large["body"] == teams.render(card(replace(CHANGE, facts=facts)))["body"]


@pytest.mark.parametrize("number", range(10))
def test_hostile_results_are_valid_lists(number: int) -> None:
    lot = random.Random(number)
    cards = tuple(card(hostile(lot), ALONE) for _ in range(12))
    lines = tuple(SystemLine(lot.choice(TRICKS), lot.choice(TRICKS)) for _ in range(12))
    found = Found(lot.choice(TRICKS) * 50, cards, lines)

    there, here = slack_lists.results(found), teams_lists.results(found)

    check_slack(there.blocks)
    assert text_weight(there.blocks) <= SLACK_TEXT
    check_teams(here)


CLASSES = st.sampled_from([PUBLIC, "a", "b"])
SECRETS = st.builds(
    Fact,
    st.uuids().map(str),
    st.uuids().map(lambda id_: f"Label {id_}"),
    st.uuids().map(lambda id_: f"Value {id_} <&> \u202e"),
    CLASSES,
    st.booleans(),
)


@given(st.lists(SECRETS, max_size=20), st.frozensets(CLASSES))
@settings(max_examples=60, deadline=None)
def test_no_byte_of_what_is_hidden_is_in_what_is_sent(
    facts: list[Fact], classes: frozenset[str]
) -> None:
    record: Record = replace(CHANGE, facts=tuple(facts))
    shown = card(record, Audience(classes))
    alone = slack.card_view(shown, "t")
    sent = repr([slack.render(shown), slack.unfurl(shown), alone])
    sent += json.dumps(teams.activity(shown, MEMBERS), ensure_ascii=False)

    for fact in facts:
        if fact.cls not in classes:
            assert fact.text[6:42] not in sent
            assert fact.id not in sent
            assert not fact.secretive or fact.label not in sent
