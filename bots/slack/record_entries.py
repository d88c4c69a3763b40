"""Read what was entered in the modal of a form, and say what is wrong with it."""

from collections.abc import Mapping
from typing import Any, assert_never

from bots.slack.payload import mapping, mappings, string
from bridge.records import wording
from bridge.records.asking import NO, YES, in_full
from bridge.records.forms import Form, InputKind

ENTRY_PREFIX = "in."  # what an input's action id begins with; then kind and id

_ERROR = 300


def values_of(state: Mapping[str, Any], form: Form | None = None) -> dict[str, str]:
    """
    Return what stands in a modal's inputs, by input id, as `view.state` has it.

    Other ones stand for values that Slack would not take: `form` says which.
    """
    values: dict[str, str] = {}
    for inside in _dicts(mapping(state, "values")).values():
        for action_id, element in _dicts(inside).items():
            kind, dot, id_ = action_id.removeprefix(ENTRY_PREFIX).partition(".")
            if dot and action_id.startswith(ENTRY_PREFIX) and kind in set(InputKind):
                values[id_] = _read(InputKind(kind), element)
    return in_full(values, form) if form else values


def errors_for(
    state: Mapping[str, Any], errors: Mapping[str, str], reason: str = ""
) -> dict[str, str]:
    """
    Return errors by block id, as the answer to a submission takes them.

    What concerns no input that is there, and `reason`, stands at the first one.
    """
    places = {
        action_id.removeprefix(ENTRY_PREFIX).partition(".")[2]: block_id
        for block_id, inside in _dicts(mapping(state, "values")).items()
        for action_id in inside
    }
    told: dict[str, list[str]] = {}
    first = next(iter(places.values()), "")
    for id_, text in [*errors.items(), ("", reason)]:
        if text and (place := places.get(id_, first)):
            told.setdefault(place, []).append(text)
    return {
        place: wording.line(" ".join(texts), _ERROR) for place, texts in told.items()
    }


def _read(kind: InputKind, element: Mapping[str, Any]) -> str:
    match kind:
        case InputKind.LINE | InputKind.TEXT | InputKind.NUMBER:
            return string(element, "value")
        case InputKind.DATE:
            return string(element, "selected_date")
        case InputKind.CHOICE:
            return string(mapping(element, "selected_option"), "value")
        case InputKind.CHOICES:
            return "\n".join(_chosen(element))
        case InputKind.CHECK:
            return YES if YES in _chosen(element) else NO
        case never:
            assert_never(never)


def _chosen(element: Mapping[str, Any]) -> list[str]:
    return [string(one, "value") for one in mappings(element, "selected_options")]


def _dicts(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in given.items() if isinstance(one, dict)}
