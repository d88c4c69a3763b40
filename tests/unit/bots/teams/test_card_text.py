"""The words of cards are read, however deep they stand; odd cards say nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.teams.card_text import card_blocks
from bridge.document import Document
from bridge.plain import plain_text

ADAPTIVE = "application/vnd.microsoft.card.adaptive"
CARD = {
    "type": "AdaptiveCard",
    "fallbackText": "Build",
    "body": [
        {"type": "TextBlock", "text": "Build 7", "weight": "Bolder"},
        {
            "type": "ColumnSet",
            "columns": [
                {"items": [{"type": "TextBlock", "text": "left"}]},
                {"type": "Column", "items": [{"type": "TextBlock", "text": "right"}]},
            ],
        },
        {"type": "FactSet", "facts": [{"title": "State:", "value": "green"}]},
        {
            "type": "RichTextBlock",
            "inlines": ["by ", {"type": "TextRun", "text": "Alice"}],
        },
        {"type": "TextBlock", "text": "hidden", "isVisible": False},
        {"type": "ActionSet", "actions": [{"type": "Action.Execute", "title": "Go"}]},
    ],
}


def read(content: Any, kind: str = ADAPTIVE) -> list[str]:
    attachments = [{"contentType": kind, "content": content}]
    blocks = tuple(card_blocks({"attachments": attachments}))
    return [line for line in plain_text(Document(blocks)).splitlines() if line]


@pytest.mark.parametrize("wire", [CARD, json.dumps(CARD)], ids=["object", "string"])
def test_an_adaptive_card_says_what_it_shows(wire: Any) -> None:
    assert read(wire) == ["Build 7", "left", "right", "State: green", "by Alice"]


def test_where_a_card_shows_no_words_its_fallback_counts() -> None:
    assert read({"type": "AdaptiveCard", "fallbackText": "Build", "body": []}) == [
        "Build"
    ]


def test_a_hero_card_says_title_and_text() -> None:
    hero = {"title": "Build 7", "subtitle": "main", "text": "green"}

    assert read(hero, "application/vnd.microsoft.card.hero") == [
        "Build 7",
        "main",
        "green",
    ]


def test_a_connector_card_says_its_sections() -> None:
    card = {
        "summary": "Build",
        "sections": [
            {
                "activityTitle": "Build 7",
                "text": "on main",
                "facts": [{"name": "State", "value": "green"}],
            }
        ],
    }

    assert read(card, "application/vnd.microsoft.teams.card.o365connector") == [
        "Build",
        "Build 7",
        "on main",
        "State: green",
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "body", "items", "facts", "columns", "card"]
            ),
            inner | st.sampled_from(["TextBlock", "FactSet", "Container"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_no_card_breaks_the_reader(content: Any) -> None:
    read(content)
    read(json.dumps(content))


def test_a_card_without_end_is_read_to_some_depth() -> None:
    deep: dict[str, Any] = {"type": "TextBlock", "text": "bottom"}
    for _ in range(200):
        deep = {"type": "Container", "items": [deep]}

    assert read(deep) == []
