"""The table of Web API methods, and the checks that are made from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bots.sandbox.slack.errors import SlackRefusal, invalid_arguments

_TRUTHS = {"1": True, "true": True, "0": False, "false": False, "": False}


@dataclass(frozen=True, slots=True)
class Method:
    """
    One row: `bot`, `user` and `app` are the scopes of which such a token needs one.

    `limits` are the least and most of a number, or of a list's length.
    """

    name: str
    tier: str
    json: bool
    bot: tuple[str, ...]
    app: tuple[str, ...]
    required: tuple[str, ...]
    args: Mapping[str, str]
    errors: frozenset[str]
    user: tuple[str, ...] = ()
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def for_admins(self) -> bool:
        """Whether only a person's token will do."""
        return bool(self.user) and not self.bot

    def checked(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as typed values, or refuse with what is wrong."""
        missing = [name for name in self.required if args.get(name) in (None, "")]
        if missing:
            raise invalid_arguments(*(f"missing required field: {m}" for m in missing))
        typed = {
            name: _typed(self.args.get(name, "any"), name, value)
            for name, value in args.items()
            if value is not None
        }
        for name, (least, most) in self.limits.items():
            if name in typed:
                _within(name, typed[name], least, most)
        return typed


def load_methods() -> dict[str, Method]:
    """Read the table that stands beside this module."""
    table = json.loads(Path(__file__).with_name("methods.json").read_text("utf-8"))
    common = frozenset(table["common_errors"])
    return {
        name: Method(
            name,
            row["tier"],
            row["json"],
            tuple(row["bot"]),
            tuple(row.get("app", ())),
            tuple(row["required"]),
            row["args"],
            common | set(row["errors"]),
            tuple(row.get("user", ())),
            {name: (low, high) for name, (low, high) in row.get("limits", {}).items()},
        )
        for name, row in table["methods"].items()
    }


def _typed(kind: str, name: str, value: Any) -> Any:
    if kind == "boolean":
        return _boolean(name, value)
    if kind == "number":
        return _number(name, value)
    if kind == "string" and not isinstance(value, str):
        if isinstance(value, list | dict | bool):
            raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
        return str(value)
    if kind == "list":
        return _parsed(name, value, list)
    if kind == "object":
        return _parsed(name, value, dict)
    if kind == "strings":
        return _strings(name, value)
    return value


def _within(name: str, value: Any, least: int, most: int) -> None:
    size = len(value) if isinstance(value, list) else value
    if not least <= size <= most:
        raise invalid_arguments(
            f"must be from {least} to {most} [json-pointer:/{name}]"
        )


def _strings(name: str, value: Any) -> list[str]:
    """A list of ids: as JSON, or comma-joined as Slack's own clients send it."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [one.strip() for one in value.split(",") if one.strip()]
    return [str(one) for one in _parsed(name, value, list)]


def _boolean(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _TRUTHS[str(value).lower()]
    except KeyError:
        raise invalid_arguments(
            f"must provide a boolean [json-pointer:/{name}]"
        ) from None


def _number(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise invalid_arguments(
            f"must provide a number [json-pointer:/{name}]"
        ) from None


def _parsed(name: str, value: Any, kind: type) -> Any:
    """Forms carry lists and objects as JSON strings, simple lists comma-joined."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, str):
        raise _misshapen(name)
    try:
        parsed = json.loads(value or ("[]" if kind is list else "{}"))
    except ValueError:
        raise _misshapen(name) from None
    if not isinstance(parsed, kind):
        raise _misshapen(name)
    return parsed


def _misshapen(name: str) -> SlackRefusal:
    special = {
        "blocks": "invalid_blocks_format",
        "attachments": "invalid_attachments",
        "metadata": "invalid_metadata_format",
        "unfurls": "invalid_unfurls_format",
    }
    if name in special:
        return SlackRefusal(special[name])
    return invalid_arguments(f"must provide an object [json-pointer:/{name}]")
