"""ATOM's cards as Adaptive Cards."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bots.teams.cards import LARGEST, adaptive, card_activity
from bridge.cards import Button, Card, Field, Section, Tone
from tests.teams_world import FOLDER

STATUS = Card(
    "Links of this channel",
    "One link carries messages.\nType `@ATOM help` for more.",
    Tone.GOOD,
    (
        Section(
            "#project-falcon",
            "healthy",
            (Field("Queued", "0"), Field("Last error", "none")),
        ),
    ),
    (Button("Pause", "pause L1"), Button("Help", "help")),
)


def runs(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [run for item in node for run in runs(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "TextRun" else []
    return own + [run for value in node.values() for run in runs(value)]


def test_card_is_shown_as_recorded() -> None:
    recorded = json.loads((FOLDER / "card_status.json").read_text())

    assert card_activity(STATUS) == recorded


def test_backticks_show_code_and_an_odd_one_stands_for_itself() -> None:
    shown = runs(adaptive(Card("t", "run `a *b*` or `c"))["body"])[1:]

    assert [(run["text"], run.get("fontType")) for run in shown] == [
        ("run ", None),
        ("a *b*", "monospace"),
        (" or `c", None),
    ]


@given(st.text(max_size=100))
def test_no_text_is_read_as_markdown(text: str) -> None:
    made = adaptive(Card(text, text, sections=(Section(text, text),)))

    assert "TextBlock" not in set(_types(made["body"]))


def _types(part: Any) -> Iterator[str]:
    """Every element's type, however deep it stands."""
    if isinstance(part, list):
        for each in part:
            yield from _types(each)
    elif isinstance(part, dict):
        yield str(part.get("type"))
        for each in part.values():
            yield from _types(each)


def test_large_card_loses_whole_sections_and_says_so() -> None:
    sections = tuple(Section(f"Link {n}", "x" * 900) for n in range(60))

    made = adaptive(Card("Links", sections=sections))

    assert len(json.dumps(made).encode()) <= LARGEST
    assert runs(made["body"])[-1]["text"].endswith(" more")
    assert runs(made["body"])[1]["text"] == "Link 0"


def test_long_text_is_cut() -> None:
    made = adaptive(Card("t", "é" * 50_000))

    assert runs(made["body"])[-1]["text"].endswith("…")


def test_button_runs_its_command() -> None:
    (action,) = adaptive(Card("t", buttons=(Button("Help", "help"),)))["actions"]

    assert action == {
        "type": "Action.Execute",
        "title": "Help",
        "verb": "atom",
        "data": {"command": "help"},
    }
