"""
The pane at the side of a conversation that shows one person a Work Object.

A click on the object tells the app, whose answer has to name the same object. Slack
names three seconds for triggers elsewhere and no time for these; here they have a
setting of their own.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bots.sandbox.slack import entities, links
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.entities import Entity
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.grid_acts import Result, Wish
from bots.sandbox.slack.interact import Interactions, Place
from bots.sandbox.slack.modal_acts import told
from bots.sandbox.slack.model import Message
from bots.sandbox.slack.tickets import NoSuchTicket, TicketExpired, TicketUsed
from bots.sandbox.world import World

Pane = dict[str, Any]

_STATUSES = frozenset(
    [
        "custom",
        "custom_partial_view",
        "edit_error",
        "internal_error",
        "not_found",
        "restricted",
        "timeout",
    ]
)
_TRIGGER = "entity"


def present(call: Call) -> Answer:
    """Serve entity.presentDetails. Slack looks at the trigger first."""
    if call.state.setting("work_objects") == "refused":
        raise SlackRefusal("feature_not_enabled")
    pane = _pane(call)
    if call.flag("user_auth_required"):
        if not call.text("user_auth_url"):
            raise SlackRefusal("user_auth_url_missing")
        shown: Pane = {"status": "auth", "auth_url": call.text("user_auth_url")}
    elif call.args.get("error"):
        shown = {"status": "error", "error": _error(call)}
    else:
        made = entities.presented(call)
        if made["external_ref"]["id"] != pane["entity"]["external_ref"]["id"]:
            raise SlackRefusal("entity_metadata_does_not_match_trigger")
        shown = {"status": "shown", "shown": made}
        _draw_anew(call, pane, made)
    pane |= {"auth_url": "", "error": None, "shown": None, **shown}
    call.state.publish("flexpane", pane["team"], user=pane["user"])
    return {}


def _pane(call: Call) -> Pane:
    try:
        found: Pane = call.state.tickets.redeem(_TRIGGER, call.text("trigger_id"))
    except (NoSuchTicket, TicketExpired, TicketUsed):
        raise SlackRefusal("invalid_trigger_id") from None
    if found["team"] != call.me.team:
        raise SlackRefusal("invalid_trigger_id")
    return found


def _error(call: Call) -> dict[str, Any]:
    error = dict(call.args["error"])
    status = error.get("status")
    if status not in _STATUSES:
        raise SlackRefusal("invalid_arguments")
    if str(status).startswith("custom") and not error.get("custom_message"):
        raise SlackRefusal("invalid_arguments")
    return error


def _draw_anew(call: Call, pane: Pane, made: Entity) -> None:
    """Ask the app for the room's preview again if this one is newer, as Slack does."""

    def modified(entity: Entity) -> int:
        payload = entity["entity_payload"]
        stated = payload["attributes"].get("metadata_last_modified")
        updated = (payload.get("fields") or {}).get("date_updated") or {}
        return int(stated or updated.get("value") or 0)

    if modified(made) > modified(pane["entity"]) and pane["channel"]:
        channel = call.state.channel(pane["channel"])
        message = channel.messages[pane["message_ts"]]
        links.tell_shared(call.state, channel, message)


class EntityActs:
    """What people do with Work Objects; raises SlackRefusal."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self._state = world.slack
        self._interactions = interactions
        self.actions: Mapping[str, Callable[[Wish], Awaitable[Result] | Result]] = {
            "open_entity": self._open,
            "refresh_entity": self._refresh,
            "close_entity": self._close,
            "click_entity": self._click,
        }

    def _open(self, wish: Wish) -> Result:
        """Open an entity of a message: {"channel", "ts", "user", "entity": id or url}."""
        channel = self._state.channel(str(wish.get("channel")))
        message = self._state.message(channel, str(wish.get("ts")))
        user = self._state.user(str(wish.get("user")))
        if user.id not in channel.members:
            raise SlackRefusal("not_in_channel")
        pane: Pane = {
            "team": user.team,
            "user": user.id,
            "channel": channel.id,
            "message_ts": message.ts,
            "thread_ts": message.root,
            "entity": _meant(message, str(wish.get("entity", ""))),
            "status": "",
            "shown": None,
            "error": None,
            "auth_url": "",
        }
        self._state.flexpanes[user.id] = pane
        return self._asked(pane)

    def _refresh(self, wish: Wish) -> Result:
        return self._asked(self._of(wish))

    def _close(self, wish: Wish) -> Result:
        pane = self._state.flexpanes.pop(str(wish.get("user")), None)
        if pane is not None:
            self._state.publish("flexpane", pane["team"], user=pane["user"])
        return {}

    async def _click(self, wish: Wish) -> Result:
        """Press an action: of the pane, or of a message's entity with {"ts", …}."""
        user = self._state.user(str(wish.get("user")))
        value = str(wish.get("value") or wish.get("action_id") or "")
        if wish.get("ts"):
            channel = self._state.channel(str(wish.get("channel")))
            message = self._state.message(channel, str(wish["ts"]))
            entity = _meant(message, str(wish.get("entity", "")))
            shown, kind, root = entity, "message_attachment", message.root
            ts = message.ts
        else:
            pane = self._of(wish)
            channel = self._state.channel(pane["channel"])
            entity, shown = pane["entity"], pane["shown"] or pane["entity"]
            kind, ts, root = "entity_detail", pane["message_ts"], pane["thread_ts"]
        action = entities.button_in(shown, value)
        container = {
            "type": kind,
            "message_ts": ts,
            "channel_id": channel.id,
            **({"thread_ts": root} if root else {}),
            "entity_url": entity["url"],
            "external_ref": entity["external_ref"],
            "app_unfurl_url": entity.get("app_unfurl_url", ""),
        }
        view = {"view": {"id": "V0PANE", "type": kind}} if "detail" in kind else {}
        more = {
            "type": "block_actions",
            "container": container,
            **view,
            "actions": [{**action, "action_ts": self._state.next_ts()}],
        }
        place = Place(user, channel, ts, root or "")
        return told(await self._interactions.interact(place, more))

    def _asked(self, pane: Pane) -> Result:
        """Tell the app that somebody looks at the pane, with a new trigger."""
        pane["status"] = "asked"
        trigger = self._state.tickets.issue(
            _TRIGGER,
            pane,
            seconds=self._state.setting("entity_trigger_seconds"),
            uses=self._state.setting("entity_trigger_uses"),
        )
        entity = pane["entity"]
        event = {
            "type": "entity_details_requested",
            "user": pane["user"],
            "external_ref": entity["external_ref"],
            "entity_url": entity["url"],
            "link": {"url": entity["url"], "domain": _domain(entity["url"])},
            "app_unfurl_url": entity.get("app_unfurl_url") or entity["url"],
            "event_ts": self._state.next_ts(),
            "trigger_id": trigger,
            "user_locale": "en-US",
            "channel": pane["channel"],
            "message_ts": pane["message_ts"],
            **({"thread_ts": pane["thread_ts"]} if pane["thread_ts"] else {}),
        }
        channel = self._state.channel(pane["channel"])
        self._state.emit(pane["team"], event, channel)
        self._state.publish("flexpane", pane["team"], user=pane["user"])
        return {}

    def _of(self, wish: Wish) -> Pane:
        pane = self._state.flexpanes.get(str(wish.get("user")))
        if pane is None:
            raise SlackRefusal("no_such_pane")
        return pane


def _meant(message: Message, name: str) -> Entity:
    for entity in entities.entities_in(message):
        if name in {"", entity["url"], entity["external_ref"]["id"]}:
            return entity
    raise SlackRefusal("no_such_entity")


def _domain(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


CALLS: Mapping[str, Serve] = {"entity.presentDetails": present}
