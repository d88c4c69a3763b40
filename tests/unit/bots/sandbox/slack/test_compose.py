"""What the composer makes of what people type, and apps of what they send."""

from typing import Any

import pytest

from bots.sandbox.slack import compose


def leaves(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The leaves of the first element."""
    elements: list[dict[str, Any]] = blocks[0]["elements"][0]["elements"]
    return elements


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "*bold* and _italic_ and ~gone~ and `code`",
        "*_both_*",
        "<@U01ALICE> in <#C02FALCON> <!here> <!subteam^S01ENG>",
        "see <https://acme.example/a?b=1&amp;c=2|the page> or <https://acme.example>",
        ":tada: :wave::skin-tone-3:",
        "&gt; quoted\n&gt; twice",
        "```\ncode *not bold*\n```".replace("\n", ""),
        "a &lt;b&gt; &amp; c",
    ],
)
def test_mrkdwn_survives_rich_text_and_back(text: str) -> None:
    assert compose.text_of(compose.blocks_of(text)) == text


def test_rich_text_is_raw_where_text_is_escaped() -> None:
    blocks = compose.typed("a <b> & `c<d`")

    assert leaves(blocks) == [
        {"type": "text", "text": "a <b> & "},
        {"type": "text", "text": "c<d", "style": {"code": True}},
    ]
    assert compose.text_of(blocks) == "a &lt;b&gt; &amp; `c&lt;d`"


def test_typed_lines_become_lists_that_nest() -> None:
    blocks = compose.typed("do:\n- one\n  - inner\n1. first")

    kinds = [
        (element["type"], element.get("style"), element.get("indent"))
        for element in blocks[0]["elements"]
    ]
    assert kinds == [
        ("rich_text_section", None, None),
        ("rich_text_list", "bullet", 0),
        ("rich_text_list", "bullet", 1),
        ("rich_text_list", "ordered", 0),
    ]
    assert compose.text_of(blocks) == "do:\n• one\n    • inner\n1. first"


def test_apps_get_no_lists_from_text() -> None:
    blocks = compose.blocks_of("- one\n- two")

    assert leaves(blocks) == [{"type": "text", "text": "- one\n- two"}]


@pytest.mark.parametrize(
    "text", ["2*3*4", "snake_case_name", "a * spaced *", "~", "a*b*", "``", "::"]
)
def test_marks_that_mark_nothing_stay(text: str) -> None:
    assert leaves(compose.typed(text)) == [{"type": "text", "text": text}]


def test_fences_keep_everything() -> None:
    blocks = compose.typed("before\n```\n*x* <@U01ALICE>\n```\nafter")

    assert [element["type"] for element in blocks[0]["elements"]] == [
        "rich_text_section",
        "rich_text_preformatted",
        "rich_text_section",
    ]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a & b", "a &amp; b"),
        ("a &amp; b", "a &amp; b"),
        ("<script>", "&lt;script&gt;"),
        ("<!channel>", "<!channel>"),
        ("<https://acme.example|x>", "<https://acme.example|x>"),
        ("https://acme.example/.", "<https://acme.example/>."),
    ],
)
def test_apps_texts_are_stored_escaped(sent: str, stored: str) -> None:
    assert compose.normalised(sent) == stored


@pytest.mark.parametrize("unit", ["*a", "<@", "`", "&lt;", "_*~", "- x\n", "&gt;"])
def test_long_nonsense_takes_no_longer_than_it_is(unit: str) -> None:
    blocks = compose.typed(unit * 5_000)

    assert compose.text_of(blocks)
