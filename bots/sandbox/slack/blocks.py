"""What Slack accepts as blocks, and how it says what it does not."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bots.sandbox.slack.errors import SlackRefusal

BLOCKS_PER_MESSAGE = 50
BLOCKS_PER_VIEW = 100

_KNOWN = frozenset(
    [
        "actions",
        "alert",
        "call",
        "card",
        "carousel",
        "container",
        "context",
        "context_actions",
        "divider",
        "file",
        "header",
        "image",
        "input",
        "markdown",
        "plan",
        "rich_text",
        "section",
        "share_shortcut",
        "table",
        "task_card",
        "video",
    ]
)
_RICH = frozenset(
    ["rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"]
)
_LEAVES: Mapping[str, str] = {
    "text": "text",
    "user": "user_id",
    "usergroup": "usergroup_id",
    "channel": "channel_id",
    "broadcast": "range",
    "emoji": "name",
    "link": "url",
    "date": "timestamp",
    "color": "value",
    "team": "team_id",
}
_STYLES = frozenset(
    [
        "bold",
        "italic",
        "strike",
        "code",
        "underline",
        "highlight",
        "client_highlight",
        "unlink",
    ]
)

_ENTERED = frozenset(
    [
        "plain_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "static_select",
        "multi_static_select",
        "radio_buttons",
        "checkboxes",
        "datepicker",
    ]
)

_BOXES = frozenset(["checkboxes", "radio_buttons"])

Problem = tuple[str, str]  # what is wrong, and the JSON pointer to it


def check_blocks(
    blocks: list[Any], *, most: int = BLOCKS_PER_MESSAGE, total: int = 0
) -> None:
    """Refuse blocks that Slack would refuse; `total` limits all their text."""
    problems = list(_problems(blocks, most))
    if problems:
        raise SlackRefusal(
            "invalid_blocks",
            errors=[f"{what} [json-pointer:{where}]" for what, where in problems],
            response_metadata={
                "messages": [
                    f"[ERROR] {what} [json-pointer:{where}]" for what, where in problems
                ]
            },
        )
    if total and sum(_texts(blocks)) > total:
        raise SlackRefusal("msg_blocks_too_long")


def _problems(blocks: list[Any], most: int) -> Iterator[Problem]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed", "/blocks"
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        if not isinstance(block, dict):
            yield "must be an object", where
        elif block.get("type") not in _KNOWN:
            yield f"unsupported type: {block.get('type')}", f"{where}/type"
        else:
            if len(str(block.get("block_id", ""))) > 255:  # noqa: PLR2004 - Slack's
                yield "must be less than 256 characters", f"{where}/block_id"
            yield from _CHECKS.get(block["type"], _nothing)(block, where)


def _nothing(_block: Mapping[str, Any], _where: str) -> Iterator[Problem]:
    yield from ()


def _section(block: Mapping[str, Any], where: str) -> Iterator[Problem]:
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        yield "must define text or fields", where
    if "text" in block:
        yield from _text_object(block["text"], f"{where}/text", 3000)
    if len(fields) > 10:  # noqa: PLR2004 - Slack's number
        yield "no more than 10 items allowed", f"{where}/fields"
    for number, field in enumerate(fields):
        yield from _text_object(field, f"{where}/fields/{number}", 2000)
    if "accessory" in block:
        yield from _element(block["accessory"], f"{where}/accessory")


def _header(block: Mapping[str, Any], where: str) -> Iterator[Problem]:
    text = block.get("text")
    yield from _text_object(text, f"{where}/text", 150)
    if isinstance(text, dict) and text.get("type") != "plain_text":
        yield "must be plain_text", f"{where}/text/type"


def _context(block: Mapping[str, Any], where: str) -> Iterator[Problem]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= 10:  # noqa: PLR2004 - Slack's number
        yield "must have between 1 and 10 items", f"{where}/elements"
    for number, element in enumerate(elements):
        if not isinstance(element, dict) or element.get("type") != "image":
            yield from _text_object(element, f"{where}/elements/{number}", 2000)


def _actions(block: Mapping[str, Any], where: str) -> Iterator[Problem]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= 25:  # noqa: PLR2004 - Slack's number
        yield "must have between 1 and 25 items", f"{where}/elements"
    for number, element in enumerate(elements):
        yield from _element(element, f"{where}/elements/{number}")


def _image(block: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if not block.get("alt_text"):
        yield "missing required field: alt_text", where
    if not block.get("image_url") and not block.get("slack_file"):
        yield "must define image_url or slack_file", where


def _rich_text(block: Mapping[str, Any], where: str) -> Iterator[Problem]:
    for number, element in enumerate(block.get("elements") or []):
        yield from _rich(element, f"{where}/elements/{number}")


def _rich(element: Any, where: str) -> Iterator[Problem]:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in _RICH:
        yield f"unsupported type: {kind}", f"{where}/type"
        return
    inner = _rich if kind == "rich_text_list" else _leaf
    for number, part in enumerate(element.get("elements") or []):
        yield from inner(part, f"{where}/elements/{number}")


def _leaf(leaf: Any, where: str) -> Iterator[Problem]:
    kind = str(leaf.get("type")) if isinstance(leaf, dict) else ""
    if kind not in _LEAVES:
        yield f"unsupported type: {kind}", f"{where}/type"
        return
    if leaf.get(_LEAVES[kind]) in (None, ""):
        yield "must be more than 0 characters", f"{where}/{_LEAVES[kind]}"
    style = leaf.get("style", {})
    if not isinstance(style, dict) or not set(style) <= _STYLES:
        yield "must be a known style", f"{where}/style"


def _input(block: Mapping[str, Any], where: str) -> Iterator[Problem]:
    yield from _text_object(block.get("label"), f"{where}/label", 2000)
    if "hint" in block:
        yield from _text_object(block["hint"], f"{where}/hint", 2000)
    element = block.get("element")
    if not isinstance(element, dict) or element.get("type") not in _ENTERED:
        yield "unsupported element for an input", f"{where}/element"
        return
    yield from _element(element, f"{where}/element")


def _element(element: Any, where: str) -> Iterator[Problem]:
    if not isinstance(element, dict) or "type" not in element:
        yield "must be an object with a type", where
        return
    if len(str(element.get("action_id", ""))) > 255:  # noqa: PLR2004 - Slack's number
        yield "must be less than 256 characters", f"{where}/action_id"
    if "placeholder" in element:
        yield from _text_object(element["placeholder"], f"{where}/placeholder", 150)
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{where}/confirm")
    if "options" in element:
        most = 10 if element["type"] in _BOXES else 100
        yield from _options(element["options"], f"{where}/options", most)
    for number, group in enumerate(element.get("option_groups") or []):
        at = f"{where}/option_groups/{number}"
        yield from _text_object(group.get("label"), f"{at}/label", 75)
        yield from _options(group.get("options"), f"{at}/options", 100)
    if len(element.get("option_groups") or []) > 100:  # noqa: PLR2004 - Slack's number
        yield "no more than 100 items allowed", f"{where}/option_groups"
    yield from _chosen(element, where)
    if element["type"] == "button":
        yield from _button(element, where)


def _chosen(element: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """What is chosen at first is one of the options, and written as it is there."""
    offered = [*(element.get("options") or [])]
    for group in element.get("option_groups") or []:
        offered += group.get("options") or []
    if "initial_option" in element and element["initial_option"] not in offered:
        yield "must be one of the options", f"{where}/initial_option"
    if "initial_options" in element:
        chosen = element["initial_options"]
        if not chosen or any(one not in offered for one in chosen):
            yield "must be some of the options", f"{where}/initial_options"


def _options(options: Any, where: str, most: int) -> Iterator[Problem]:
    if not isinstance(options, list) or not 1 <= len(options) <= most:
        yield f"must have between 1 and {most} items", where
        return
    for number, option in enumerate(options):
        yield from _text_object(option.get("text"), f"{where}/{number}/text", 75)
        if not 1 <= len(str(option.get("value", ""))) <= 150:  # noqa: PLR2004 - Slack's number
            yield "must be less than 151 characters", f"{where}/{number}/value"


def _confirm(confirm: Any, where: str) -> Iterator[Problem]:
    if not isinstance(confirm, dict):
        yield "must be an object", where
        return
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from _text_object(confirm.get(name), f"{where}/{name}", most)


def _button(element: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if element.get("style", "primary") not in {"primary", "danger"}:
        yield "must be primary or danger", f"{where}/style"
    if len(str(element.get("url", ""))) > 3000:  # noqa: PLR2004 - Slack's number
        yield "must be less than 3001 characters", f"{where}/url"
    yield from _text_object(element.get("text"), f"{where}/text", 75)
    if len(str(element.get("value", ""))) > 2000:  # noqa: PLR2004 - Slack's number
        yield "must be less than 2001 characters", f"{where}/value"


def _text_object(text: Any, where: str, most: int) -> Iterator[Problem]:
    if not isinstance(text, dict) or text.get("type") not in {"mrkdwn", "plain_text"}:
        yield "must be a text object", where
    elif not text.get("text"):
        yield "must be more than 0 characters", f"{where}/text"
    elif len(text["text"]) > most:
        yield f"must be less than {most + 1} characters", f"{where}/text"


def _texts(part: Any) -> Iterator[int]:
    """The lengths of all texts in blocks, wherever they stand."""
    if isinstance(part, list):
        for item in part:
            yield from _texts(item)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name == "text" and isinstance(value, str):
                yield len(value)
            else:
                yield from _texts(value)


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], str], Iterator[Problem]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "rich_text": _rich_text,
}
