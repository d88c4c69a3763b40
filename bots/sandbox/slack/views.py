"""The views.* methods: modals and the app's home tab."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from bots.sandbox.slack import seed
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.modals import check_view, first_values
from bots.sandbox.slack.state import SlackState
from bots.sandbox.slack.tickets import NoSuchTicket, TicketExpired, TicketUsed

_STACK = 3


def open_view(call: Call) -> Answer:
    user = _trigger(call)
    me = (call.me.team, call.me.bot_id)
    for known in list(call.state.views.values()):  # one stack a person
        if known["type"] == "modal" and known["user"] == user:
            close(call.state, known, all_of_them=True)
    return {"view": _put(call.state, me, _checked(call, "modal"), user)}


def push(call: Call) -> Answer:
    user = _trigger(call)
    stack = [one for one in call.state.views.values() if one["user"] == user]
    modals = [one for one in stack if one["type"] == "modal"]
    if not modals:
        raise SlackRefusal("not_found")
    if len(modals) >= _STACK:
        raise SlackRefusal("push_limit_reached")
    me = (call.me.team, call.me.bot_id)
    view = _checked(call, "modal")
    return {"view": _put(call.state, me, view, user, modals[-1])}


def publish(call: Call) -> Answer:
    if not call.state.setting("home_tab"):
        raise SlackRefusal("not_enabled")
    user = call.state.user(call.text("user_id")).id
    view = _checked(call, "home")
    for known in list(call.state.views.values()):
        if known["type"] == "home" and known["user"] == user:
            _refuse_stale(call, known)
            del call.state.views[known["id"]]
    me = (call.me.team, call.me.bot_id)
    return {"view": _put(call.state, me, view, user)}


def update(call: Call) -> Answer:
    known = _found(call)
    _refuse_stale(call, known)
    new = _checked(call, known["type"])
    replace(call.state, known, new)
    return {"view": known}


def replace(state: SlackState, known: dict[str, Any], new: dict[str, Any]) -> None:
    """Show another view in a view's place; what was entered stays where it fits."""
    first = first_values(new.get("blocks") or [])
    entered = known["state"]["values"]
    kept = {
        block: {
            name: entered.get(block, {}).get(name, value)
            for name, value in given.items()
        }
        for block, given in first.items()
    }
    known.update(new, hash=_hash(), state={"values": kept})
    state.publish("view", known["team_id"], view=known["id"], user=known["user"])


def pushed(state: SlackState, below: Mapping[str, Any], new: dict[str, Any]) -> None:
    """Put a view on top of another, as the answer to a submission may order."""
    _put(state, (below["team_id"], below["bot_id"]), new, below["user"], below)


def close(state: SlackState, view: Mapping[str, Any], *, all_of_them: bool) -> None:
    """Take a view away, or its whole stack."""
    for known in list(state.views.values()):
        same = known["id"] == view["id"]
        if same or (all_of_them and known["root_view_id"] == view["root_view_id"]):
            del state.views[known["id"]]
            state.publish("view", view["team_id"], view=known["id"], user=view["user"])


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
    check_view(view, kind)
    return named(view)


def named(view: dict[str, Any]) -> dict[str, Any]:
    """Return a view whose blocks all have ids: Slack makes up those that lack one."""
    blocks = [
        {**block, "block_id": block.get("block_id") or uuid4().hex[:5]}
        for block in view.get("blocks") or []
    ]
    return {**view, "blocks": blocks}


def _put(
    state: SlackState,
    me: tuple[str, str],
    view: dict[str, Any],
    user: str,
    below: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    view_id = state.next_id("V")
    team, bot = me
    defaults = {"private_metadata": "", "callback_id": "", "external_id": ""}
    made = {
        **defaults,
        **view,
        "id": view_id,
        "team_id": team,
        "app_id": seed.APP_ID,
        "bot_id": bot,
        "hash": _hash(),
        "state": {"values": first_values(view.get("blocks") or [])},
        "root_view_id": below["root_view_id"] if below else view_id,
        "previous_view_id": below["id"] if below else None,
        "user": user,
    }
    state.views[view_id] = made
    state.publish("view", team, view=view_id, user=user)
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
