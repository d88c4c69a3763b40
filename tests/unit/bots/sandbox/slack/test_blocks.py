"""Which blocks Slack refuses."""

from typing import Any

import pytest

from bots.sandbox.slack.blocks import check_blocks
from bots.sandbox.slack.errors import SlackRefusal


def text(length: int, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": "x" * length}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": list(elements)}
    return {"type": "rich_text", "elements": [section]}


def button(**more: Any) -> dict[str, Any]:
    made = {"type": "button", "text": text(3, "plain_text"), **more}
    return {"type": "actions", "elements": [made]}


GOOD = [
    {"type": "divider"},
    {"type": "section", "text": text(3000), "fields": [text(2000)] * 10},
    {"type": "header", "text": text(150, "plain_text")},
    {"type": "context", "elements": [text(5)]},
    button(value="v" * 2000, action_id="a"),
    rich({"type": "text", "text": "x", "style": {"bold": True}}),
    {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"},
]


@pytest.mark.parametrize("block", GOOD)
def test_good_blocks_pass(block: dict[str, Any]) -> None:
    check_blocks([block])


@pytest.mark.parametrize(
    ("block", "where"),
    [
        ({"type": "section"}, "/blocks/0"),
        ({"type": "section", "text": text(3001)}, "/blocks/0/text/text"),
        ({"type": "section", "text": text(0)}, "/blocks/0/text/text"),
        ({"type": "section", "fields": [text(1)] * 11}, "/blocks/0/fields"),
        ({"type": "header", "text": text(5)}, "/blocks/0/text/type"),
        ({"type": "context", "elements": []}, "/blocks/0/elements"),
        (button(value="v" * 2001), "/blocks/0/elements/0/value"),
        (rich({"type": "text", "text": ""}), "/blocks/0/elements/0/elements/0/text"),
        (rich({"type": "strange"}), "/blocks/0/elements/0/elements/0/type"),
        ({"type": "image", "image_url": "https://x.example/a.png"}, "/blocks/0"),
        ({"type": "nothing"}, "/blocks/0/type"),
    ],
)
def test_a_bad_block_is_pointed_at(block: dict[str, Any], where: str) -> None:
    with pytest.raises(SlackRefusal) as refused:
        check_blocks([block])

    assert refused.value.code == "invalid_blocks"
    assert refused.value.more["errors"][0].endswith(f"[json-pointer:{where}]")


OPTIONS = [{"text": text(3, "plain_text"), "value": f"v{n}"} for n in range(101)]


@pytest.mark.parametrize(
    ("element", "where"),
    [
        ({"type": "static_select", "options": OPTIONS}, "/options"),
        ({"type": "checkboxes", "options": OPTIONS[:11]}, "/options"),
        (
            {
                "type": "static_select",
                "options": OPTIONS[:2],
                "initial_option": {**OPTIONS[0], "value": "v0 "},
            },
            "/initial_option",
        ),
        (
            {
                "type": "multi_static_select",
                "options": OPTIONS[:2],
                "initial_options": [],
            },
            "/initial_options",
        ),
    ],
)
def test_a_bad_menu_is_pointed_at(element: dict[str, Any], where: str) -> None:
    block = {"type": "input", "label": text(3, "plain_text"), "element": element}

    with pytest.raises(SlackRefusal) as refused:
        check_blocks([block])

    assert f"/blocks/0/element{where}]" in refused.value.more["errors"][0]


def test_a_message_has_at_most_fifty_blocks() -> None:
    with pytest.raises(SlackRefusal, match="invalid_blocks"):
        check_blocks([{"type": "divider"}] * 51)
