"""Cards in Block Kit, within Slack's limits and with nothing to inject."""

import json
from typing import Any

import pytest

from bots.slack.cards import render
from bridge.cards import Button, Card, Field, Section, Tone

FULL = Card(
    "Linked",
    "Say `/atom status` to see how it does.",
    Tone.GOOD,
    (Section("Here", "Two channels", (Field("Lag", "2 s"), Field("Queue", "0"))),),
    (Button("Status", "status"), Button("Help", "help")),
)


def blocks(card: Card, kind: str) -> list[dict[str, Any]]:
    return [block for block in render(card)[1] if block["type"] == kind]


def leaves(card: Card) -> list[dict[str, Any]]:
    texts = blocks(card, "rich_text")
    return [leaf for block in texts for leaf in block["elements"][0]["elements"]]


def test_card_shows_all_its_parts() -> None:
    text, shown = render(FULL)

    assert text.startswith("✅ Linked")
    assert [block["type"] for block in shown] == [
        "header",
        "rich_text",
        "rich_text",
        "rich_text",
        "section",
        "actions",
    ]


def test_backticks_show_code() -> None:
    assert {"type": "text", "text": "/atom status", "style": {"code": True}} in leaves(
        FULL
    )


@pytest.mark.parametrize("text", ["a ` b", "`a` and ` alone"])
def test_lone_backtick_is_only_a_backtick(text: str) -> None:
    shown = "".join(leaf["text"] for leaf in leaves(Card("x", text)))

    assert shown.count("`") == 1


@pytest.mark.parametrize(
    "typed", ["<!channel>", "<@U01ALICE>", "*bold*", "<https://evil.example|here>", "&"]
)
def test_nothing_in_a_card_is_markup(typed: str) -> None:
    card = Card(
        typed, typed, Tone.BAD, (Section(typed, typed, (Field(typed, typed),)),)
    )

    text, shown = render(card)

    assert "<" not in text
    for cell in blocks(card, "section")[0]["fields"]:
        if cell["type"] == "mrkdwn":
            assert "<" not in cell["text"]
            assert cell["text"].count("*") == 2
    assert {leaf["type"] for leaf in leaves(card)} == {"text"}
    assert json.dumps(shown)


def test_buttons_carry_their_command() -> None:
    (actions,) = blocks(FULL, "actions")

    assert [(b["action_id"], b["value"]) for b in actions["elements"]] == [
        ("atom:status", "status"),
        ("atom:help", "help"),
    ]


def test_two_buttons_never_share_an_id() -> None:
    card = Card("x", buttons=(Button("One", "help"), Button("Two", "help")))

    (actions,) = blocks(card, "actions")

    assert len(actions["elements"]) == 1


def test_huge_card_stays_within_slacks_limits() -> None:
    fields = tuple(Field("label" * 100, "v" * 5_000) for _ in range(30))
    sections = tuple(Section("t" * 9_000, "x" * 9_000, fields) for _ in range(20))
    buttons = tuple(Button("b" * 200, f"command {n}") for n in range(60))
    huge = Card("h" * 500, "x" * 9_000, Tone.PLAIN, sections, buttons)

    text, shown = render(huge)

    assert len(text) <= 4_000
    assert len(shown) <= 50
    assert len(shown[0]["text"]["text"]) <= 150
    assert shown[-1]["type"] == "actions"
    assert len(shown[-1]["elements"]) <= 25
    assert "more" in json.dumps(shown[-2])


def test_many_small_sections_are_cut_with_a_word() -> None:
    many = Card("x", sections=tuple(Section(f"s{n}") for n in range(80)))

    _, shown = render(many)

    assert len(shown) == 50
    assert "more" in json.dumps(shown[-1])


def test_empty_texts_make_no_empty_objects() -> None:
    card = Card("", "", Tone.PLAIN, (Section("", "", (Field("", ""),)),))

    assert '"text": ""' not in json.dumps(render(card)[1])
