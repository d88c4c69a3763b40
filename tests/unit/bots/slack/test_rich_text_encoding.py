"""What people typed is read, whether Slack encodes rich text or not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.mrkdwn_tokens import escape
from bots.slack.rich_text import parse_message
from bots.slack.rich_text_encoding import raw
from bridge.plain import plain_text

pieces = st.sampled_from(["a", " ", "\n", "&", "<", ">", "amp;", "&lt;", "&amp;"])
typed = st.lists(pieces, min_size=1, max_size=12).map("".join)


def message(words: str, *, encoded: bool) -> dict[str, Any]:
    leaf = {"type": "text", "text": escape(words) if encoded else words}
    section = {"type": "rich_text_section", "elements": [leaf]}
    bullets = {"type": "rich_text_list", "style": "bullet", "elements": [section]}
    return {
        "text": escape(words),
        "blocks": [{"type": "rich_text", "elements": [section, bullets]}],
    }


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("words", ["1 < 2 & 3", "&lt;", "AT&amp;T", "a&&b", "<&lt;>"])
def test_what_was_typed_is_read_either_way(words: str, *, encoded: bool) -> None:
    read = plain_text(parse_message(message(words, encoded=encoded)))

    assert words in read
    assert escape(words) not in read.replace(words, "")


@given(typed)
def test_what_is_raw_is_never_decoded(words: str) -> None:
    said = message(words, encoded=False)

    assert raw(said["blocks"], said["text"]) == said["blocks"]


@given(st.lists(st.sampled_from(["a", "<b", "c&d", "e>"]), min_size=1, max_size=6))
def test_what_is_encoded_is_decoded(words: list[str]) -> None:
    line = " ".join(words)
    said = message(line, encoded=True)

    found = raw(said["blocks"], said["text"])

    assert found == message(line, encoded=False)["blocks"]


def test_an_apps_text_that_is_about_something_else_tells_nothing() -> None:
    said = message("AT&amp;T", encoded=False) | {"text": "a & b"}

    assert raw(said["blocks"], said["text"]) == said["blocks"]


@pytest.mark.parametrize("elements", [None, 5, "x", [None, 5, {"elements": {}}]])
def test_whatever_stands_there_is_passed_on(elements: object) -> None:
    block: dict[str, Any] = {"type": "rich_text", "elements": elements}

    assert raw([block], "a &amp; b") == [block]


@pytest.mark.parametrize(
    "words",
    ["a" * 300_000, "".join(f"{n:x}&lt;" for n in range(60_000)), "&lt;" * 75_000],
    ids=["no-entity", "others", "same"],
)
def test_long_texts_are_looked_at_once(words: str) -> None:
    """They would take minutes if each word was looked for in all of the text."""
    said = message(words, encoded=False) | {"text": "b" * 500_000 + "&"}

    assert raw(said["blocks"], said["text"]) == said["blocks"]
