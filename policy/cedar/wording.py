"""What a policy asks for, in words."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import cedarpy

from bridge.access import Label
from bridge.directory.model import Kind
from policy.cedar.atoms import Body, probe
from policy.cedar.naming import KINDS

NameOf = Callable[[Kind, str], str | None]

_ATTRIBUTES = {
    "principal.guest": "a guest",
    "principal.active": "active in the directory",
    "context.outsiders": "read by people of other organisations",
    "context.breakGlass": "an emergency",
    "resource.governed": "something the company has rules of its own for",
    "resource.source.welcomesOutsiders": "a channel that welcomes outsiders",
}
_TYPES = {
    "User": "somebody the directory knows",
    "Outsider": "somebody of another organisation",
    "Bot": "a bot",
}
_PLACES = {
    "resource.source": "said in",
    "resource.target": "seen in",
    "resource.place": "asked in",
    "resource": "in",
}
_HAS = {"target": "where it would be seen is known", "place": "asked in a channel"}


def worded(body: Body, name_of: NameOf) -> str:
    """Return one condition as a person reads it; Cedar's own text if it has no words."""
    if "!" in body:
        inner = body["!"]["arg"]
        if (
            inner.get("contains", {}).get("left", {}).get(".", {}).get("attr")
            == "governed"
        ):
            return "a channel without rules of its own"
        return f"not {worded(inner, name_of)}"
    if "||" in body:
        sides = body["||"]
        return f"{worded(sides['left'], name_of)} or {worded(sides['right'], name_of)}"
    if "&&" in body:
        sides = body["&&"]
        return f"{worded(sides['left'], name_of)} and {worded(sides['right'], name_of)}"
    return _simple(body, name_of) or as_cedar(body)


def as_cedar(body: Body) -> str:
    """Return a condition as Cedar writes it."""
    policy = {
        "staticPolicies": {"p": probe(body)},
        "templates": {},
        "templateLinks": [],
    }
    text = cedarpy.policies_from_json_str(json.dumps(policy))
    inner = text.partition("when {")[2].rpartition("}")[0]
    return " ".join(inner.split())


def _simple(body: Body, name_of: NameOf) -> str:
    match body:
        case {"is": {"left": {"Var": "principal"}, "entity_type": type_}}:
            return _TYPES.get(str(type_).removeprefix("Atom::"), "")
        case {"in": {"left": {"Var": "principal"}, "right": {"Value": value}}}:
            return _membership(value, name_of)
        case {"==": {"left": {"Var": "principal"}, "right": {"Value": value}}}:
            return _called(value, name_of)
        case {"in": {"left": {"Var": "resource"}, "right": {"Value": value}}}:
            return _thing(value)
        case {
            "contains": {"left": {".": {"left": place, "attr": "spaces"}}, "right": r}
        }:
            id_ = r.get("Value", {}).get("__entity", {}).get("id", "")
            return f"{_PLACES.get(path(place), 'in')} a channel of the space {id_}"
        case {"==": {"left": {".": {"left": place, "attr": "channel"}}, "right": r}}:
            id_ = r.get("Value", {}).get("__entity", {}).get("id", "")
            return f"{_PLACES.get(path(place), 'in')} {id_}"
        case {"has": {"left": {"Var": "resource"}, "attr": attr}}:
            return _HAS.get(str(attr), "")
        case {
            "in": {"left": {"Var": "principal"}, "right": {".": {"attr": "department"}}}
        }:
            return "of the same department"
        case {".": _}:
            return _ATTRIBUTES.get(path(body), "")
        case _:
            return _compared(body)


def _membership(value: Mapping[str, Any], name_of: NameOf) -> str:
    type_, id_ = _uid(value)
    if type_ == "Role":
        return f"has the role {id_}"
    kind = KINDS.get(type_)
    if kind is None:
        return ""
    name = name_of(kind, id_) or id_
    return f"{'in' if kind is not Kind.GROUP else 'member of'} {name} ({kind.value})"


def _called(value: Mapping[str, Any], name_of: NameOf) -> str:
    type_, id_ = _uid(value)
    return f"is {name_of(Kind.PERSON, id_) or id_}" if type_ == "User" else ""


def _thing(value: Mapping[str, Any]) -> str:
    type_, id_ = _uid(value)
    match type_:
        case "RecordSet":
            return f"a record of {id_}"
        case "Space":
            return f"a channel of the space {id_}"
        case _:
            return ""


def _compared(body: Body) -> str:
    for operator, words in ((">=", "at least"), ("<=", "at most"), ("==", "")):
        sides = body.get(operator)
        if not sides or "Value" not in sides["right"]:
            continue
        name, value = path(sides["left"]), sides["right"]["Value"]
        if name == "context.label" or name.endswith("classification"):
            label = Label(value).name.lower() if value in set(Label) else str(value)
            what = "labelled" if name == "context.label" else "the channel is"
            return " ".join(f"{what} {words} {label}".split())
        if name.startswith("principal."):
            return " ".join(f"{name[10:]} {words or 'is'} {value}".split())
    return ""


def path(body: Body) -> str:
    """Return `resource.source.channel` for an attribute of an attribute."""
    if "Var" in body:
        return str(body["Var"])
    if "." in body:
        return f"{path(body['.']['left'])}.{body['.']['attr']}"
    return "?"


def _uid(value: Mapping[str, Any]) -> tuple[str, str]:
    entity = value.get("__entity", {})
    return str(entity.get("type", "")).removeprefix("Atom::"), str(entity.get("id", ""))
