"""What callers of Graph send: JSON, members, references to people."""

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp.web import Request

from bots.sandbox.teams.graph_access import bad_request

_BOUND = re.compile(r".*/users(?:\('(?P<quoted>[^']+)'\)|/(?P<plain>[^/]+))$")


async def json_body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise bad_request("Unable to read JSON request payload.") from None
    if not isinstance(body, dict):
        raise bad_request("Unable to read JSON request payload.")
    return body


def text_in(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def bound_person(member: Mapping[str, Any]) -> str:
    """Return whom a member is bound to: a directory id or an address."""
    found = _BOUND.fullmatch(text_in(member, "user@odata.bind"))
    if found is None:
        raise bad_request("A member needs 'user@odata.bind'.")
    return found["quoted"] or found["plain"]


def is_owner(member: Mapping[str, Any]) -> bool:
    """Say whether a member is to be an owner; other roles there are none."""
    roles = member.get("roles") or []
    if not isinstance(roles, list) or not set(roles) <= {"owner", "guest"}:
        raise bad_request("Invalid role specified for member.")
    return "owner" in roles


def owners_in(body: Mapping[str, Any]) -> list[str]:
    """Return whom a new team or channel names as its owners."""
    members = body.get("members") or []
    if not isinstance(members, list) or not all(isinstance(m, dict) for m in members):
        raise bad_request("The members are not valid.")
    return [bound_person(one) for one in members if is_owner(one)]
