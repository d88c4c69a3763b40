"""What Slack accepts as a modal, and what it refuses."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bots.sandbox.slack.blocks import BLOCKS_PER_VIEW, Problem, check_blocks
from bots.sandbox.slack.errors import SlackRefusal, invalid_arguments

_VIEW_LIMIT = 250_000
# How many characters a view's own texts may have.
_TITLES = {"title": 24, "submit": 24, "close": 24}
_TEXTS = {"private_metadata": 3_000, "callback_id": 255, "external_id": 255}


def check_view(view: Mapping[str, Any], kind: str) -> None:
    """Refuse a view that Slack would refuse."""
    if view.get("type") != kind:
        raise invalid_arguments(f"must be {kind} [json-pointer:/view/type]")
    if kind == "modal" and not view.get("title"):
        raise invalid_arguments("missing required field: title [json-pointer:/view]")
    if len(str(view)) > _VIEW_LIMIT:
        raise SlackRefusal("view_too_large")
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        raise invalid_arguments("missing required field: blocks [json-pointer:/view]")
    check_blocks(blocks, most=BLOCKS_PER_VIEW)
    problems = [*_own(view), *_twice(blocks), *_inputs(view, blocks)]
    if problems:
        raise invalid_arguments(
            *(f"{what} [json-pointer:{where}]" for what, where in problems)
        )


def _own(view: Mapping[str, Any]) -> Iterator[Problem]:
    for name, most in _TITLES.items():
        if name not in view or view[name] is None:
            continue
        text = view[name]
        plain = isinstance(text, dict) and text.get("type") == "plain_text"
        if not plain or not text.get("text"):
            yield "must be a plain_text object", f"/view/{name}"
        elif len(text["text"]) > most:
            yield f"must be less than {most + 1} characters", f"/view/{name}/text"
    for name, most in _TEXTS.items():
        if len(str(view.get(name) or "")) > most:
            yield f"must be less than {most + 1} characters", f"/view/{name}"


def _twice(blocks: list[Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        name = str(block.get("block_id") or "")
        if name and name in seen:
            yield f"block_id {name} already exists", f"/view/blocks/{number}/block_id"
        seen.add(name)


def _inputs(view: Mapping[str, Any], blocks: list[Any]) -> Iterator[Problem]:
    if any(b.get("type") == "input" for b in blocks) and not view.get("submit"):
        yield "a submit button is required for views with inputs", "/view/submit"


def first_values(blocks: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the state that a view's own initial values make."""
    values: dict[str, Any] = {}
    for block in blocks:
        for element in _entered(block):
            kind = str(element.get("type"))
            made = _INITIAL.get(kind, _text)(element)
            named = str(element.get("action_id", ""))
            values.setdefault(str(block.get("block_id")), {})[named] = {
                "type": kind,
                **made,
            }
    return values


def _entered(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    elements = [*(block.get("elements") or ()), block.get("element")]
    elements.append(block.get("accessory"))
    for element in elements:
        if isinstance(element, dict) and element.get("type") in _INITIAL:
            yield element


def _text(element: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": element.get("initial_value")}


def _option(element: Mapping[str, Any]) -> dict[str, Any]:
    return {"selected_option": element.get("initial_option")}


def _options(element: Mapping[str, Any]) -> dict[str, Any]:
    return {"selected_options": element.get("initial_options") or []}


def _day(element: Mapping[str, Any]) -> dict[str, Any]:
    return {"selected_date": element.get("initial_date")}


_INITIAL: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "plain_text_input": _text,
    "number_input": _text,
    "email_text_input": _text,
    "url_text_input": _text,
    "static_select": _option,
    "radio_buttons": _option,
    "multi_static_select": _options,
    "checkboxes": _options,
    "datepicker": _day,
}


def missing(blocks: list[Mapping[str, Any]], values: Mapping[str, Any]) -> list[str]:
    """Return the ids of required inputs that are empty: a client submits none such."""
    return [
        str(block.get("block_id"))
        for block in blocks
        if block.get("type") == "input" and not block.get("optional")
        if not _given(values.get(str(block.get("block_id"))))
    ]


def _given(entered: Any) -> bool:
    if not isinstance(entered, dict):
        return False
    names = ("value", "selected_option", "selected_options", "selected_date")
    return any(
        isinstance(one, dict) and any(one.get(name) for name in names)
        for one in entered.values()
    )
