"""
Dialogs, message extensions and cards that are drawn anew, as Teams' clients do them.

A client waits five seconds for a dialog and for an extension, asks the latter twice
more, and takes no notice of what comes later.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bots.sandbox.teams.activities import Activities
from bots.sandbox.teams.delivery import Answer, Delivery, Limits
from bots.sandbox.teams.errors import bad_argument, forbidden
from bots.sandbox.teams.model import Channel, Content, Message, Person
from bots.sandbox.teams.typed import from_person
from bots.sandbox.world import World

Asked = Mapping[str, Any]
Done = dict[str, Any]

_CARD = "application/vnd.microsoft.card.adaptive"
_REFRESHED = 60  # people whose clients draw a card anew by themselves
_OK = 200


class TaskActs:
    """Does what a person did, and returns what their client shows."""

    def __init__(
        self, world: World, delivery: Delivery, tell: Callable[[Message], bool]
    ) -> None:
        self._world = world
        self._tell = tell
        self._state = world.teams
        self._delivery = delivery
        self._activities = Activities(world.teams)
        self._state.on_card.append(self._drawn)
        self.actions: Mapping[str, Callable[[Asked], Awaitable[Done]]] = {
            "refresh": self._refresh,
            "task_fetch": self._task,
            "task_submit": self._task,
            "extension_query": self._query,
            "extension_link": self._link,
            "extension_select": self._select,
            "extension_action": self._action,
            "extension_submit": self._submit,
            "extension_send": self._send,
        }

    async def _refresh(self, asked: Asked) -> Done:
        """Draw a card anew for somebody, as their client does when it comes in sight."""
        person, channel = self._who_where(asked)
        message = self._state.message(channel, str(asked.get("message")))
        if person not in self._viewers(message):
            raise bad_argument("the card names nobody like this in its refresh")
        return _told(await self._redraw(message, person))

    async def _task(self, asked: Asked) -> Done:
        """Open or submit a dialog: {"data": …}, from a message's card or alone."""
        fetching = asked["action"] == "task_fetch"
        name = "task/fetch" if fetching else "task/submit"
        value = {"data": asked.get("data") or {}, "context": {"theme": "default"}}
        return await self._ask(asked, name, value, self._dialog)

    async def _query(self, asked: Asked) -> Done:
        """Search in the compose box: {"command", "words"}."""
        words = str(asked.get("words") or "")
        named = {"name": str(asked.get("parameter") or "words"), "value": words}
        value = {
            "commandId": self._declared(asked, "query"),
            "parameters": [named] if words else [],
            "queryOptions": {"skip": 0, "count": 25},
        }
        return await self._ask(asked, "composeExtension/query", value, self._extension)

    async def _link(self, asked: Asked) -> Done:
        """Paste a link of a domain that the app asked for; `anonymous` without it."""
        name = "anonymousQueryLink" if asked.get("anonymous") else "queryLink"
        value = {"url": str(asked.get("url") or "")}
        return await self._ask(
            asked, f"composeExtension/{name}", value, self._extension
        )

    async def _select(self, asked: Asked) -> Done:
        """Choose a result whose preview says that it asks again: {"value": …}."""
        value = asked.get("value") or {}
        return await self._ask(
            asked, "composeExtension/selectItem", value, self._extension
        )

    async def _action(self, asked: Asked) -> Done:
        """Use the extension's action, on a message if one is named."""
        value: Done = {
            "commandId": self._declared(asked, "action"),
            "commandContext": "message" if asked.get("message") else "compose",
            "context": {"theme": "default"},
        }
        if asked.get("message"):
            _, channel = self._who_where(asked)
            message = self._state.message(channel, str(asked["message"]))
            value["messagePayload"] = self._payload(message)
        plain = {**asked, "message": ""}
        return await self._ask(plain, "composeExtension/fetchTask", value, self._dialog)

    async def _submit(self, asked: Asked) -> Done:
        """Submit the dialog that an extension's action has opened."""
        value = {
            "commandId": self._declared(asked, "action"),
            "commandContext": "compose",
            "data": asked.get("data") or {},
        }
        return await self._ask(
            asked, "composeExtension/submitAction", value, self._dialog
        )

    async def _send(self, asked: Asked) -> Done:
        """Post a card that an extension gave, in the person's own message."""
        person, channel = self._who_where(asked)
        html, mentions = from_person({"text": str(asked.get("text") or "")}, {})
        card = {"contentType": _CARD, "content": dict(asked.get("card") or {})}
        content = Content(html, mentions, [card])
        message = self._state.post(channel, person.id, content)
        return {"id": message.id, "thread": message.root, "told": self._tell(message)}

    async def _ask(self, asked: Asked, name: str, value: Any, limits: Limits) -> Done:
        person, channel = self._who_where(asked)
        frame = self._activities.raw(self._base, channel, person.id)
        activity = {**frame, "type": "invoke", "name": name, "value": value}
        if asked.get("message"):
            message = self._state.message(channel, str(asked["message"]))
            activity = self._activities.invoke(
                self._base, message, person.id, name, value
            )
        return _told(await self._delivery.ask(activity, limits))

    def _drawn(self, message: Message) -> None:
        """A card stands there now: clients that show it ask for views of their own."""
        if not self._state.setting("auto_refresh"):
            return
        for person in self._viewers(message):
            self._delivery.spawn(self._redraw(message, person))

    async def _redraw(self, message: Message, person: Person) -> Answer:
        action = _refresh_of(message).get("action") or {}
        value = {"action": action, "trigger": "automatic"}
        activity = self._activities.invoke(
            self._base, message, person.id, "adaptiveCard/action", value
        )
        shown = message.content
        answer = await self._delivery.ask(activity)
        body = answer.body
        card = body if isinstance(body, dict) and body.get("type") == _CARD else {}
        stands = message.content is shown and not message.deleted
        if answer.status == _OK and card and stands:
            self._state.show(message, person.id, card.get("value") or {})
        return answer

    def _viewers(self, message: Message) -> list[Person]:
        refresh = _refresh_of(message)
        if not refresh:
            return []
        members = self._state.members(self._state.channels[message.channel])
        named = refresh.get("userIds")
        if named is None:
            return members if len(members) <= _REFRESHED else []
        return [one for one in members if one.id in list(named)[:_REFRESHED]]

    def _payload(self, message: Message) -> Done:
        """A message as an action on it is told of it."""
        told = self._activities.sender(message.author)
        who = {"id": told.get("aadObjectId", told["id"]), "displayName": told["name"]}
        root = "" if message.is_root else message.root
        return {
            "id": message.id,
            "replyToId": root,
            "createdDateTime": message.created,
            "lastModifiedDateTime": message.modified,
            "deleted": bool(message.deleted),
            "importance": "normal",
            "locale": "en-us",
            "body": {"contentType": "html", "content": message.content.html},
            "from": {"user": {"userIdentityType": "aadUser", **who}},
            "attachments": [],
            "mentions": [],
            "reactions": [],
            "linkToMessage": f"https://teams.microsoft.com/l/message/{message.channel}"
            f"/{message.id}",
        }

    def _declared(self, asked: Asked, kind: str) -> str:
        wanted = str(asked.get("command") or "")
        for one in self._state.setting("extension_commands"):
            if one["id"] == wanted and one["type"] == kind:
                return wanted
        raise bad_argument(f"the app declares no such command: {wanted}")

    def _who_where(self, asked: Asked) -> tuple[Person, Channel]:
        person = self._state.person(str(asked.get("user")))
        channel = self._state.channel(str(asked.get("channel")))
        if person not in self._state.members(channel):
            raise forbidden(f"{person.id} is not in {channel.id}")
        return person, channel

    @property
    def _extension(self) -> Limits:
        setting = self._state.setting
        return Limits(setting("extension_timeout"), 1 + setting("extension_retries"))

    @property
    def _dialog(self) -> Limits:
        return Limits(self._state.setting("dialog_timeout"), 1)

    @property
    def _base(self) -> str:
        return self._world.base_url


def _refresh_of(message: Message) -> Mapping[str, Any]:
    for one in message.content.attachments:
        content = one.get("content")
        if one.get("contentType") == _CARD and isinstance(content, dict):
            refresh = content.get("refresh")
            return refresh if isinstance(refresh, dict) else {}
    return {}


def _told(answer: Answer) -> Done:
    return {"status": answer.status, "body": answer.body}
