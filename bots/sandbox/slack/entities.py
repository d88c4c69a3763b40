"""
Work Objects: what Slack takes as one, and where they are kept.

After docs.slack.dev, "Implementing Work Objects". Which error answers a wrong one, and
whether there is one at all, is not documented: `slack.work_objects` says which of the
ways that apps have met is tried.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bots.sandbox.slack.call import Call
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Message

Entity = dict[str, Any]

_TYPES = frozenset(
    f"slack#/entities/{name}"
    for name in ("content_item", "file", "incident", "item", "task")
)
_FIELDS = frozenset(
    ["array", "boolean", "integer", "string"]
    + [
        f"slack#/types/{name}"
        for name in (
            "channel_id",
            "date",
            "email",
            "entity_ref",
            "image",
            "link",
            "timestamp",
            "user",
        )
    ]
)
_COLOURS = frozenset(["blue", "gray", "green", "red", "yellow"])
_STYLES = frozenset(["danger", "primary"])
_ACTIONS = {"primary_actions": 2, "overflow_actions": 5}


def given(call: Call, *, under_links: bool = False) -> tuple[list[Entity], str]:
    """
    Return the entities in a call's metadata, and the warning with which they are left
    out. Raises SlackRefusal for those that Slack refuses.
    """
    metadata = call.args.get("metadata") or {}
    entities = metadata.get("entities")
    if entities is None:
        return [], ""
    refusal = "error_processing_metadata" if under_links else "invalid_metadata_schema"
    taken = call.state.setting("work_objects")
    if taken == "refused":
        raise SlackRefusal(refusal)
    if taken == "dropped":
        return [], "invalid_metadata_format"
    if not isinstance(entities, list):
        raise SlackRefusal("invalid_metadata_format")
    problems = [
        problem
        for number, one in enumerate(entities)
        for problem in problems_of(one, f"/metadata/entities/{number}", under_links)
    ]
    if problems:
        raise SlackRefusal(refusal, response_metadata={"messages": problems})
    refuse_long(call, metadata, "metadata_too_large" if not under_links else refusal)
    return list(entities), ""


def presented(call: Call) -> Entity:
    """Return what entity.presentDetails is to show, or refuse it."""
    metadata = dict(call.args.get("metadata") or {})
    problems = list(problems_of(metadata, "/metadata", under_links=False))
    if problems:
        raise SlackRefusal(
            "invalid_arguments", response_metadata={"messages": problems}
        )
    refuse_long(call, metadata, "invalid_metadata")
    return metadata


def refuse_long(call: Call, metadata: Any, code: str) -> None:
    if len(json.dumps(metadata)) > call.state.setting("metadata_limit"):
        raise SlackRefusal(code)


def entities_in(message: Message) -> list[Entity]:
    """Return the entities that stand with a message, under its links included."""
    under = [a.get("entity") for a in message.body.get("attachments") or []]
    return [*((message.metadata or {}).get("entities") or []), *filter(None, under)]


def button_in(entity: Mapping[str, Any], value: str) -> dict[str, Any]:
    """Return an action by its value or its action_id, as a client sends it."""
    actions = (entity.get("entity_payload") or {}).get("actions") or {}
    for kind in _ACTIONS:
        for one in actions.get(kind) or []:
            if value in {one.get("value"), one["action_id"]}:
                text = {"type": "plain_text", "text": one["text"], "emoji": True}
                return {**one, "type": "button", "text": text}
    raise SlackRefusal("no_such_button")


def problems_of(entity: Any, where: str, under_links: bool) -> Iterator[str]:  # noqa: FBT001
    """Say what Slack would not take of an entity."""
    if not isinstance(entity, dict):
        yield f"must be an object (pointer: {where})"
        return
    needed = ["entity_type", "entity_payload", "external_ref", "url"]
    needed += ["app_unfurl_url"] if under_links else []
    for name in needed:
        if not entity.get(name):
            yield f"missing required field: {name} (pointer: {where})"
    if entity.get("entity_type") not in _TYPES:
        yield f"unknown type (pointer: {where}/entity_type)"
    if not str(entity.get("url", "")).startswith(("https://", "http://")):
        yield f"must be a URL (pointer: {where}/url)"
    reference = entity.get("external_ref")
    if not isinstance(reference, dict) or not isinstance(reference.get("id"), str):
        yield f"missing required field: id (pointer: {where}/external_ref)"
    payload = entity.get("entity_payload")
    if isinstance(payload, dict):
        yield from _payload(payload, f"{where}/entity_payload")


def _payload(payload: Mapping[str, Any], where: str) -> Iterator[str]:
    title = (payload.get("attributes") or {}).get("title")
    if not isinstance(title, dict) or not title.get("text"):
        yield f"missing required field: title (pointer: {where}/attributes)"
    keys: set[str] = set()
    for number, one in enumerate(payload.get("custom_fields") or []):
        at = f"{where}/custom_fields/{number}"
        yield from _custom_field(one, at)
        if one.get("key") in keys:
            yield f"a key stands twice (pointer: {at}/key)"
        keys.add(one.get("key"))
    for name, most in _ACTIONS.items():
        buttons = (payload.get("actions") or {}).get(name) or []
        if len(buttons) > most:
            yield f"no more than {most} items allowed (pointer: {where}/actions/{name})"
        for number, one in enumerate(buttons):
            yield from _action(one, f"{where}/actions/{name}/{number}")


def _custom_field(one: Mapping[str, Any], where: str) -> Iterator[str]:
    for name in ("key", "label", "type", "value"):
        if not one.get(name):
            yield f"missing required field: {name} (pointer: {where})"
    if one.get("type") not in _FIELDS:
        yield f"unknown type (pointer: {where}/type)"
    if one.get("type") == "string" and not isinstance(one.get("value"), str):
        yield f"must be a string (pointer: {where}/value)"
    if one.get("tag_color", "gray") not in _COLOURS:
        yield f"unknown colour (pointer: {where}/tag_color)"


def _action(one: Mapping[str, Any], where: str) -> Iterator[str]:
    for name in ("text", "action_id"):
        if not isinstance(one.get(name), str) or not one[name]:
            yield f"missing required field: {name} (pointer: {where})"
    for name, most in (
        ("text", 75),
        ("action_id", 255),
        ("value", 2000),
        ("url", 3000),
        ("accessibility_label", 75),
    ):
        if len(str(one.get(name, ""))) > most:
            yield f"must be less than {most + 1} characters (pointer: {where}/{name})"
    if one.get("style", "primary") not in _STYLES:
        yield f"must be primary or danger (pointer: {where}/style)"
