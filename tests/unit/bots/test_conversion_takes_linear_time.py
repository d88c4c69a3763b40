"""
Whatever people type, four times as much of it takes about four times the work.

Work is counted in calls, which are the same on every machine; what a regular expression
does in one call shows in the tests of 100,000 characters, which would not end.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from bots.slack import mrkdwn, rich_text
from bots.teams import html_in, html_out
from bridge.document import NOBODY, Document
from bridge.plain import markdown, plain_text

FROM_SLACK = [
    "*", "_*~`", "*a* ", "```", "```\n", "<", "<@", "<@U1>", "<!date^1^{date}^", "<#C1|",
    "<http://a|", "http://a ", "&", "&amp;", "&gt;\n", "• a\n", "  - a\n", ":", ":a:",
    "\u200d", "\u0301", "👨‍👩‍👧", "[a](", "|a|b|\n",
]  # fmt: skip
FROM_TEAMS = [
    "<", "<b>", "</b>", "<b>a", "<div><p>", "</p>", "<ul><li>", "<ol start='9'><li>",
    "<table><tr><td>", "<blockquote>", "<pre>", "<at>", "<at>a</at>", "<a ", "<!--", "&",
    "&nbsp;", "\n", "<br>", "<img src='http://a'>", "<attachment id='1'></attachment>",
    "<span itemtype='http://schema.skype.com/Mention' itemid='0'>",
]  # fmt: skip


def from_slack(text: str) -> None:
    written(mrkdwn.parse(text))


def from_teams(text: str) -> None:
    document, _ = html_in.parse_html(text)
    written(document)


def written(document: Document) -> None:
    html_out.render(document, NOBODY)
    rich_text.render(document, NOBODY)
    plain_text(document, NOBODY)
    markdown(document, NOBODY)


ALL = [
    *(pytest.param(from_slack, piece, id=f"slack {piece!r}") for piece in FROM_SLACK),
    *(pytest.param(from_teams, piece, id=f"teams {piece!r}") for piece in FROM_TEAMS),
]


@pytest.mark.parametrize(("convert", "piece"), ALL)
def test_four_times_as_much_takes_no_more_than_four_times_the_calls(
    convert: Callable[[str], None], piece: str
) -> None:
    few = calls(convert, piece * (1_500 // len(piece)))
    many = calls(convert, piece * (6_000 // len(piece)))

    assert many < 5 * few + 1_000


@pytest.mark.parametrize(
    ("convert", "piece"),
    [
        (from_slack, "_*~`"),
        (from_slack, "<http://a|"),
        (from_slack, "http://a"),
        (from_teams, "<b>"),
        (from_teams, "<a "),
        (from_teams, " "),
    ],
)
def test_a_hundred_thousand_characters_are_converted(
    convert: Callable[[str], None], piece: str
) -> None:
    convert(piece * (100_000 // len(piece)))


def calls(work: Callable[[str], None], text: str) -> int:
    """Count what is called, in Python and in C."""
    counted = 0

    def seen(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work(text)
    finally:
        sys.setprofile(before)
    return counted
