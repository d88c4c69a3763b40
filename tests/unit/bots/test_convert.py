"""The known answers, and what holds for every text whatsoever."""

import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from lxml import html

from bots.convert import convert
from bridge.errors import BadInput
from bridge.text import clean
from tests.documents import anything, calls_made, json_values, tempting

_FIXTURE = Path(__file__).parents[2] / "fixtures" / "format_vectors.json"
_KNOWN = json.loads(_FIXTURE.read_text(encoding="utf-8"))
_CONTEXT = _KNOWN["context"]
_TO_TEAMS = [v for v in _KNOWN["vectors"] if v["direction"] == "slack_to_teams"]
_TO_SLACK = [v for v in _KNOWN["vectors"] if v["direction"] == "teams_to_slack"]


def _to_teams(given_: Mapping[str, Any]) -> dict[str, Any]:
    return convert("slack_to_teams", {"input": given_, "context": _CONTEXT})


def _to_slack(given_: Mapping[str, Any]) -> dict[str, Any]:
    return convert("teams_to_slack", {"input": given_, "context": _CONTEXT})


def _rich(text: str) -> dict[str, Any]:
    leaf = {"type": "text", "text": text}
    section = {"type": "rich_text_section", "elements": [leaf]}
    return {"blocks": [{"type": "rich_text", "elements": [section]}]}


def _tree(text: str) -> Any:
    def node(element: Any) -> Any:
        inner = [(node(child), child.tail or "") for child in element]
        return element.tag, dict(element.attrib), element.text or "", inner

    return node(html.fragment_fromstring(text, create_parent="div"))


def _tags(text: str) -> set[str]:
    root = html.fragment_fromstring(text, create_parent="div")
    return {str(element.tag) for element in root.iterdescendants()}


def _leaves(blocks: Any) -> list[dict[str, Any]]:
    if isinstance(blocks, list):
        return [leaf for each in blocks for leaf in _leaves(each)]
    return _leaves(blocks["elements"]) if "elements" in blocks else [blocks]


@pytest.mark.parametrize("vector", _TO_TEAMS, ids=lambda vector: vector["id"])
def test_slack_message_becomes_the_known_html(vector: dict[str, Any]) -> None:
    converted = _to_teams(vector["input"])

    expected = vector["expected"]
    assert _tree(converted["text"]) == _tree(expected["text"])
    assert converted.get("entities") == expected.get("entities")
    assert converted["textFormat"] == expected["textFormat"]


@pytest.mark.parametrize("vector", _TO_SLACK, ids=lambda vector: vector["id"])
def test_teams_message_becomes_the_known_blocks(vector: dict[str, Any]) -> None:
    converted = _to_slack(vector["input"])

    for key, expected in vector["expected"].items():
        assert converted[key] == expected
    assert isinstance(converted["text"], str)
    assert isinstance(converted["blocks"], list)


@given(tempting)
def test_words_typed_in_slack_are_words_in_teams(text: str) -> None:
    converted = _to_teams(_rich(text))

    root = html.fragment_fromstring(converted["text"], create_parent="div")
    shown = "".join(root.itertext())
    assert _tags(converted["text"]) <= {"br"}
    assert "entities" not in converted
    assert _squeezed(shown) == _squeezed(text)


@given(tempting)
def test_text_typed_in_slack_calls_and_links_nobody(text: str) -> None:
    encoded = escape(text, quote=False)

    converted = _to_teams({"text": encoded})

    styling = {"strong", "em", "s", "code", "pre", "blockquote", "br"}
    assert _tags(converted["text"]) <= styling
    assert "entities" not in converted


@given(tempting)
def test_words_typed_in_teams_are_words_in_slack(text: str) -> None:
    converted = _to_slack({"html": f"<p>{escape(clean(text))}</p>"})

    leaves = _leaves(converted["blocks"])
    assert {leaf["type"] for leaf in leaves} <= {"text"}
    assert not any("style" in leaf for leaf in leaves)
    assert "<" not in converted["text"]
    shown = "".join(leaf["text"] for leaf in leaves)
    assert _squeezed(shown) == _squeezed(text)


@given(tempting)
def test_plain_words_typed_in_teams_are_words_in_slack(text: str) -> None:
    converted = _to_slack({"text": text, "textFormat": "plain"})

    leaves = _leaves(converted["blocks"])
    assert {leaf["type"] for leaf in leaves} <= {"text"}
    assert "<" not in converted["text"]
    assert _squeezed("".join(leaf["text"] for leaf in leaves)) == _squeezed(text)


@given(tempting)
def test_words_come_back_from_a_round_trip(text: str) -> None:
    there = _to_teams(_rich(text))

    back = _to_slack({"html": there["text"]})

    leaves = _leaves(back["blocks"])
    assert all(leaf.keys() == {"type", "text"} for leaf in leaves)
    assert _lines("".join(leaf["text"] for leaf in leaves)) == _lines(text)


@given(anything | tempting, json_values)
def test_no_text_raises_in_either_direction(text: str, value: Any) -> None:
    entities = [{"type": "mention", "text": text, "mentioned": value}, value]
    converted = [
        _to_teams({"text": text, "blocks": value}),
        _to_teams(_rich(text)),
        _to_slack({"html": text, "entities": entities}),
        _to_slack({"text": text, "entities": value, "attachments": value}),
    ]

    for each in converted:
        json.dumps(each, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "piece",
    [
        *("*", "_", "~", "`", "<", "&gt;\n", "```", ":", "*a ", "` `a`b", " *a*b"),
        *("(*", "*_~", "<@U1>", "<https://e|", "::", ">>>", "~_*a*_~\n", "\n", " "),
    ],
)
def test_work_for_mrkdwn_grows_with_its_length(piece: str) -> None:
    _to_teams({"text": piece})

    small = calls_made(lambda: _to_teams({"text": piece * 1000}))
    large = calls_made(lambda: _to_teams({"text": piece * 4000}))

    assert large < small * 4.5 + 100


@pytest.mark.parametrize(
    "piece",
    [
        *("<", "<b>", "<div>", "<ul><li>", "<blockquote>", "<table><tr><td>", "</i>"),
        *("<a href='https://e.com'>x", "<at>", "<p>&nbsp;", "<br>", "&nbsp;", "<pre>"),
        *("<li>", "<b>x</i>", "<p><a href=https://x>y<p>", "<ol><li>x</ol>", "<b>"),
        *("<blockquote>a</blockquote>", "<at>A</at> ", "<!--", "&", "<td>", "<img>"),
    ],
)
def test_work_for_html_grows_with_its_length(piece: str) -> None:
    _to_slack({"html": piece})

    small = calls_made(lambda: _to_slack({"html": piece * 1000}))
    large = calls_made(lambda: _to_slack({"html": piece * 4000}))

    assert large < small * 4.5 + 100


@pytest.mark.parametrize("piece", ["<http://a|", "http://a", "<a ", " "])
def test_a_hundred_thousand_characters_are_converted(piece: str) -> None:
    """What a regular expression does in one call does not count above: it would hang."""
    text = piece * (100_000 // len(piece))

    assert _to_teams({"text": text}).keys() >= {"text"}
    assert _to_slack({"html": text}).keys() >= {"text"}


@pytest.mark.parametrize("case", [{}, {"input": 1}, {"input": {}, "context": 1}])
def test_case_without_input_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        convert("slack_to_teams", case)


def test_unknown_direction_is_refused() -> None:
    with pytest.raises(BadInput, match="sideways"):
        convert("sideways", {"input": {}})


def _squeezed(text: str) -> str:
    return "".join(clean(text).split())


def _lines(text: str) -> list[str]:
    """The text as HTML shows it: no space at line ends, no blank lines around."""
    spaced = clean(text).replace("\t", " " * 4).replace("\u00a0", " ")
    lines = [re.sub("^ (?! )", "", line.rstrip()) for line in spaced.split("\n")]
    return "\n".join(lines).strip("\n").split("\n")
