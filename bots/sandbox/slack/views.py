"""The views.* methods: modals and the app's home tab."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from bots.sandbox.slack import seed
from bots.sandbox.slack.blocks import BLOCKS_PER_VIEW, check_blocks
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal, invalid_arguments
from bots.sandbox.slack.tickets import NoSuchTicket, TicketExpired, TicketUsed

_VIEW_LIMIT = 250_000
_STACK = 3


def open_view(call: Call) -> Answer:
    user = _trigger(call)
    return {"view": _put(call, _checked(call, "modal"), user, root="")}


def push(call: Call) -> Answer:
    user = _trigger(call)
    stack = [one for one in call.state.views.values() if one["user"] == user]
    modals = [one for one in stack if one["type"] == "modal"]
    if not modals:
        raise SlackRefusal("not_found")
    if len(modals) >= _STACK:
        raise SlackRefusal("push_limit_reached")
    root = modals[0]["root_view_id"]
    return {"view": _put(call, _checked(call, "modal"), user, root=root)}


def publish(call: Call) -> Answer:
    if not call.state.setting("home_tab"):
        raise SlackRefusal("not_enabled")
    user = call.state.user(call.text("user_id")).id
    view = _checked(call, "home")
    for known in list(call.state.views.values()):
        if known["type"] == "home" and known["user"] == user:
            _refuse_stale(call, known)
            del call.state.views[known["id"]]
    return {"view": _put(call, view, user, root="")}


def update(call: Call) -> Answer:
    known = _found(call)
    _refuse_stale(call, known)
    new = _checked(call, known["type"])
    known.update(new, hash=_hash(), previous_view_id=known["id"])
    call.state.publish("view", call.me.team, view=known["id"], user=known["user"])
    return {"view": known}


def _trigger(call: Call) -> str:
    try:
        return str(call.state.tickets.redeem("trigger", call.text("trigger_id")))
    except NoSuchTicket:
        raise SlackRefusal("invalid_trigger_id") from None
    except TicketExpired:
        raise SlackRefusal("expired_trigger_id") from None
    except TicketUsed:
        raise SlackRefusal("exchanged_trigger_id") from None


def _checked(call: Call, kind: str) -> dict[str, Any]:
    view = dict(call.args["view"])
    if view.get("type") != kind:
        raise invalid_arguments(f"must be {kind} [json-pointer:/view/type]")
    if kind == "modal" and not view.get("title"):
        raise invalid_arguments("missing required field: title [json-pointer:/view]")
    if len(str(view)) > _VIEW_LIMIT:
        raise SlackRefusal("view_too_large")
    check_blocks(view.get("blocks") or [], most=BLOCKS_PER_VIEW)
    return view


def _put(call: Call, view: dict[str, Any], user: str, root: str) -> dict[str, Any]:
    view_id = call.state.next_id("V")
    defaults = {"private_metadata": "", "callback_id": "", "external_id": ""}
    made = {
        **defaults,
        **view,
        "id": view_id,
        "team_id": call.me.team,
        "app_id": seed.APP_ID,
        "bot_id": call.me.bot_id,
        "hash": _hash(),
        "state": {"values": {}},
        "root_view_id": root or view_id,
        "previous_view_id": None,
        "user": user,
    }
    call.state.views[view_id] = made
    call.state.publish("view", call.me.team, view=view_id, user=user)
    return made


def _found(call: Call) -> dict[str, Any]:
    external = call.text("external_id")
    for view in call.state.views.values():
        mine = view["team_id"] == call.me.team
        named = view["id"] == call.text("view_id")
        if mine and (named or (external and view["external_id"] == external)):
            return view
    raise SlackRefusal("not_found")


def _refuse_stale(call: Call, known: Mapping[str, Any]) -> None:
    if call.text("hash") and call.text("hash") != known["hash"]:
        raise SlackRefusal("hash_conflict")


def _hash() -> str:
    return f"{int(time.time())}.{uuid4().hex[:8]}"


CALLS: Mapping[str, Serve] = {
    "views.open": open_view,
    "views.push": push,
    "views.publish": publish,
    "views.update": update,
}
