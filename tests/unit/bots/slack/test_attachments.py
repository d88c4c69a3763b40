"""What apps say in blocks and attachments is read; previews of links are not."""

from typing import Any

import pytest

from bots.slack.attachments import app_document
from bridge.document import Link, Paragraph
from bridge.plain import plain_text

ALERT = {
    "color": "#d00",
    "pretext": "*Production*",
    "author_name": "Pager",
    "title": "CPU &gt; 90 %",
    "title_link": "https://status.example/7",
    "text": "on <https://h.example|host 7>",
    "fields": [
        {"title": "Since", "value": "10:02", "short": True},
        {"title": "", "value": "no title"},
    ],
    "footer": "Pager 2",
    "fallback": "CPU is high",
}


def read(**message: Any) -> list[str]:
    return [line for line in plain_text(app_document(message)).splitlines() if line]


def test_an_attachment_says_all_that_it_shows() -> None:
    assert read(text="", attachments=[ALERT]) == [
        "Production",
        "Pager",
        "CPU > 90 % (https://status.example/7)",
        "on host 7 (https://h.example)",
        "Since: 10:02",
        "no title",
        "Pager 2",
    ]


def test_a_title_keeps_its_link() -> None:
    found = app_document(
        {"attachments": [{"title": "Run 7", "title_link": "https://x.example/"}]}
    )

    [block] = found.blocks
    assert isinstance(block, Paragraph)
    assert isinstance(block.content[0], Link)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "file:///etc/passwd"])
def test_a_title_without_a_safe_address_is_words(url: str) -> None:
    assert read(attachments=[{"title": "Run 7", "title_link": url}]) == ["Run 7"]


def test_where_nothing_else_is_said_the_fallback_counts() -> None:
    assert read(attachments=[{"fallback": "CPU is high", "color": "#d00"}]) == [
        "CPU is high"
    ]


def test_blocks_are_read_before_the_text_that_only_repeats_them() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Deploy"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "to *production*"},
            "fields": [{"type": "mrkdwn", "text": "by Alice"}],
        },
        {"type": "actions", "elements": [{"type": "button"}]},
    ]

    assert read(text="Deploy", blocks=blocks) == ["Deploy", "to production", "by Alice"]


def test_blocks_in_an_attachment_are_read() -> None:
    section = {"type": "section", "text": {"type": "plain_text", "text": "inside"}}

    assert read(text="outside", attachments=[{"blocks": [section]}]) == [
        "outside",
        "inside",
    ]


@pytest.mark.parametrize("mark", ["from_url", "original_url"])
def test_a_preview_of_a_link_is_nobodys_words(mark: str) -> None:
    preview = {mark: "https://x.example/", "title": "A page", "text": "about"}

    assert read(text="see x.example", attachments=[preview]) == ["see x.example"]


@pytest.mark.parametrize("odd", [None, "text", [1], [{"fields": ["x", {"value": 3}]}]])
def test_what_is_odd_says_nothing(odd: Any) -> None:
    assert read(text="hello", attachments=odd) == ["hello"]
