"""What people do with shortcuts, modals and links while they write."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bots.sandbox.slack import links, modals, views
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.events import stored
from bots.sandbox.slack.grid_acts import Result, Wish
from bots.sandbox.slack.interact import Interactions, Place
from bots.sandbox.slack.outbound import Outcome
from bots.sandbox.world import World

View = dict[str, Any]


class ModalActs:
    """Performs them; raises SlackRefusal for what a client would not let one do."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self._state = world.slack
        self._interactions = interactions
        self.actions: Mapping[str, Callable[[Wish], Awaitable[Result] | Result]] = {
            "shortcut": self._shortcut,
            "message_shortcut": self._message_shortcut,
            "submit": self._submit,
            "enter": self._enter,
            "press": self._press,
            "close_view": self._close,
            "compose": self._compose,
        }

    async def _shortcut(self, wish: Wish) -> Result:
        """Use a global shortcut: {"callback_id": …}."""
        place = Place(self._state.user(_need(wish, "user")))
        more = {"type": "shortcut", "callback_id": self._declared(wish, "global")}
        more["action_ts"] = self._state.next_ts()
        return told(await self._interactions.interact(place, more))

    async def _message_shortcut(self, wish: Wish) -> Result:
        """Use a shortcut in a message's menu: {"callback_id", "channel", "ts"}."""
        channel = self._state.channel(_need(wish, "channel"))
        message = self._state.message(channel, _need(wish, "ts"))
        place = Place(self._state.user(_need(wish, "user")), channel, message.ts)
        more = {
            "type": "message_action",
            "callback_id": self._declared(wish, "message"),
            "action_ts": self._state.next_ts(),
            "message_ts": message.ts,
            "message": stored(message),
        }
        return told(await self._interactions.interact(place, more))

    async def _submit(self, wish: Wish) -> Result:
        """Submit a view with {"values": …}; without them, with what was entered."""
        view = self._view(wish)
        if "values" in wish:
            view["state"] = {"values": wish["values"]}
        elif empty := modals.missing(view["blocks"], view["state"]["values"]):
            raise SlackRefusal("please_complete", blocks=empty)
        more = {"type": "view_submission", "view": _told_of(view), "response_urls": []}
        place = Place(self._state.user(view["user"]))
        outcome = await self._interactions.interact(place, more)
        if outcome.good:
            self._answered(view, outcome.json())
        return told(outcome)

    async def _enter(self, wish: Wish) -> Result:
        """
        Enter something in a modal: {"view", "block_id", "action_id", "entered"}.

        The app hears of it where the block says `dispatch_action`.
        """
        view = self._view(wish)
        block, element = _element(view, wish)
        entered = {"type": element["type"], **dict(wish.get("entered") or {})}
        values = view["state"]["values"].setdefault(block["block_id"], {})
        values[element.get("action_id", "")] = entered
        if not block.get("dispatch_action") and block.get("type") == "input":
            return {}
        action = {**entered, "block_id": block["block_id"]}
        return await self._acted(view, action | _named(element))

    async def _press(self, wish: Wish) -> Result:
        """Press a button in a modal: {"view", "action_id", "value"}."""
        view = self._view(wish)
        block, element = _element(view, wish)
        return await self._acted(view, {**element, "block_id": block["block_id"]})

    async def _acted(self, view: View, action: Mapping[str, Any]) -> Result:
        more = {
            "type": "block_actions",
            "container": {"type": "view", "view_id": view["id"]},
            "view": _told_of(view),
            "actions": [{**action, "action_ts": self._state.next_ts()}],
        }
        place = Place(self._state.user(view["user"]))
        return told(await self._interactions.interact(place, more))

    async def _close(self, wish: Wish) -> Result:
        view = self._view(wish)
        everything = bool(wish.get("clear"))
        views.close(self._state, view, all_of_them=everything)
        if not view.get("notify_on_close"):
            return {}
        more = {"type": "view_closed", "view": _told_of(view), "is_cleared": everything}
        place = Place(self._state.user(view["user"]))
        return told(await self._interactions.interact(place, more, trigger=False))

    def _compose(self, wish: Wish) -> Result:
        """Write something that is not sent yet."""
        user = self._state.user(_need(wish, "user"))
        text = str(wish.get("text", ""))
        draft = links.begin_draft(self._state, user.team, user.id, text)
        return {"draft": draft["id"]}

    def _answered(self, view: View, answer: Mapping[str, Any]) -> None:
        """Do what the app answered to a submission."""
        if view["id"] not in self._state.views:
            return  # it was closed meanwhile
        order, new = answer.get("response_action"), answer.get("view")
        if order == "errors":
            view["errors"] = dict(answer.get("errors") or {})
            self._state.publish(
                "view", view["team_id"], view=view["id"], user=view["user"]
            )
        elif order in {"update", "push"} and isinstance(new, dict):
            modals.check_view(new, "modal")
            change = views.replace if order == "update" else views.pushed
            change(self._state, view, views.named(new))
            view.pop("errors", None)
        else:
            views.close(self._state, view, all_of_them=order == "clear")

    def _view(self, wish: Wish) -> View:
        view = self._state.views.get(_need(wish, "view"))
        if view is None:
            raise SlackRefusal("view_not_found")
        return view

    def _declared(self, wish: Wish, kind: str) -> str:
        wanted = _need(wish, "callback_id")
        for shortcut in self._state.setting("shortcuts"):
            if (shortcut["callback_id"], shortcut["type"]) == (wanted, kind):
                return wanted
        raise SlackRefusal("unknown_shortcut")


def told(outcome: Outcome) -> Result:
    """What a test or the page is told of how the app answered."""
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "answer": outcome.json(),
    }


def _told_of(view: View) -> View:
    """A view as the app is told of it; what it refused is the client's to know."""
    return {name: value for name, value in view.items() if name != "errors"}


def _element(view: View, wish: Wish) -> tuple[View, View]:
    block_id, wanted = wish.get("block_id"), _need(wish, "action_id")
    for block in view["blocks"]:
        elements = [*(block.get("elements") or ()), block.get("element")]
        for element in [*elements, block.get("accessory")]:
            if not isinstance(element, dict) or element.get("action_id") != wanted:
                continue
            same = "value" not in wish or element.get("value") == wish["value"]
            if same and block_id in {None, block["block_id"]}:
                return block, element
    raise SlackRefusal("no_such_element")


def _named(element: Mapping[str, Any]) -> dict[str, str]:
    return {"action_id": str(element.get("action_id", ""))}


def _need(wish: Wish, name: str) -> str:
    value = wish.get(name)
    if not value:
        raise SlackRefusal(f"missing_{name}")
    return str(value)
