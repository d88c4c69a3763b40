"""Read what was entered in the modal of a form, and say what is wrong with it."""

from collections.abc import Mapping
from hashlib import blake2s
from typing import Any, assert_never

from bots.slack.payload import mapping, mappings, string
from bridge.records import wording
from bridge.records.asking import NO, YES
from bridge.records.forms import Form, InputKind

ENTRY_PREFIX = "in."  # what an input's action id begins with; then kind and id

_VALUE, _ERROR = 150, 300
_DIGEST = "~"  # begins what stands for a value that is too long for Slack


def values_of(state: Mapping[str, Any], form: Form | None = None) -> dict[str, str]:
    """
    Return what stands in a modal's inputs, by input id, as `view.state` has it.

    Slack takes no values above 150 characters, and other ones stand for them: `form`
    says which.
    """
    values: dict[str, str] = {}
    for inside in _dicts(mapping(state, "values")).values():
        for action_id, element in _dicts(inside).items():
            kind, dot, id_ = action_id.removeprefix(ENTRY_PREFIX).partition(".")
            if dot and action_id.startswith(ENTRY_PREFIX) and kind in set(InputKind):
                values[id_] = _read(InputKind(kind), element)
    return _in_full(values, form) if form else values


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


def wire(value: str) -> str:
    """Return what stands for a value: itself, if Slack takes it."""
    if value and len(value) <= _VALUE and not value.startswith(_DIGEST):
        return value
    return _DIGEST + blake2s(value.encode(errors="replace"), digest_size=16).hexdigest()


def _in_full(values: Mapping[str, str], form: Form) -> dict[str, str]:
    full = dict(values)
    for each in form.inputs:
        long = {wire(choice.value): choice.value for choice in each.choices}
        if long and each.id in full:
            chosen = full[each.id].split("\n")
            full[each.id] = "\n".join(long.get(one, one) for one in chosen)
    return full


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
