"""What people do in Teams, when a test or the page says so."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bots.sandbox.teams import seed
from bots.sandbox.teams.activities import Activities
from bots.sandbox.teams.delivery import Delivery
from bots.sandbox.teams.errors import Refusal, bad_argument, forbidden, no_activity
from bots.sandbox.teams.model import Channel, Content, Kind, Message, Person, Team
from bots.sandbox.teams.task_acts import TaskActs
from bots.sandbox.teams.typed import from_bot, from_person
from bots.sandbox.teams.uploads import markup, uploaded
from bots.sandbox.world import World

Asked = Mapping[str, Any]
Done = dict[str, Any]

BOT = f"28:{seed.BOT_APP_ID}"
_OTHER = f"28:{seed.OTHER_APP_ID}"
_CARD = "application/vnd.microsoft.card.adaptive"
_BOT_MENTION = {"id": BOT, "name": seed.BOT_NAME}
_INVOKE_WAIT = 90.0  # seconds, in case settings wait longer than anybody would
_FALLBACK_ACTION = "Action.Execute"


class Acts:
    """Does what a person did, and tells the bot what it may know of it."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        self._world = world
        self._state = world.teams
        self._delivery = delivery
        self._activities = Activities(world.teams)
        self._messages: Mapping[str, Callable[[Asked], Awaitable[Done]]] = {
            "post": self._post,
            "reply": self._post,
            "upload": self._post,
            "edit": self._edit,
            "delete": self._delete,
            "undelete": self._undelete,
            "react": self._react,
            "unreact": self._react,
            "invoke": self._invoke,
            "submit": self._submit,
            "chat": self._chat,
            "raw": self._raw,
            "bot_post": self._bot_post,
            "bot_edit": self._bot_edit,
            **TaskActs(world, delivery, self._told).actions,
        }

    async def do(self, asked: Asked) -> Done | None:
        """Return what came of an action, or None if it is not about messages."""
        action = self._messages.get(str(asked.get("action")))
        return None if action is None else {"ok": True, **await action(asked)}

    async def _post(self, asked: Asked) -> Done:
        person, channel = self._who_where(asked)
        root = self._root(asked, channel)
        html, mentions = from_person(asked, _BOT_MENTION)
        attachments: list[dict[str, Any]] = []
        if asked["action"] == "upload":
            html, attachments = uploaded(self._world, channel, asked, html)
        elif not (asked.get("text") or asked.get("html") or asked.get("mention_bot")):
            raise bad_argument("a message needs 'text' or 'html'")
        content = Content(html, mentions, attachments)
        message = self._state.post(channel, person.id, content, root=root)
        told = self._told(message)
        files = [attachment["id"] for attachment in attachments]
        return {
            "id": message.id,
            "thread": message.root,
            "told": told,
            "files": files,
        }

    async def _edit(self, asked: Asked) -> Done:
        message = self._own(asked)
        html, mentions = from_person(asked, _BOT_MENTION)
        channel = self._state.channels[message.channel]
        dropped = set(asked.get("drop_files") or ())
        kept = [a for a in message.content.attachments if a.get("id") not in dropped]
        html += markup(kept)
        if asked.get("files"):
            html, added = uploaded(self._world, channel, asked, html)
            kept += added
        self._state.edit(message, Content(html, mentions, kept))
        return self._changed(message, "editMessage")

    async def _delete(self, asked: Asked) -> Done:
        message = self._own(asked)
        self._state.delete(message)
        return self._changed(message, "softDeleteMessage")

    async def _undelete(self, asked: Asked) -> Done:
        message = self._own(asked, deleted=True)
        self._state.restore(message)
        return self._changed(message, "undeleteMessage")

    async def _react(self, asked: Asked) -> Done:
        person, channel = self._who_where(asked)
        message = self._state.message(channel, str(asked.get("message")))
        if message.deleted:
            raise no_activity()
        kind = str(asked.get("reaction") or asked.get("type") or "like")
        adding = asked["action"] == "react"
        act = self._state.react if adding else self._state.unreact
        changed = act(message, person.id, kind)
        heard = message.by_bot or self._state.setting("reactions_on_user_messages")
        told = changed and heard and self._hears(channel)
        if told:
            change = "reactionsAdded" if adding else "reactionsRemoved"
            self._delivery.send(
                self._activities.reaction(self._base, message, person.id, change, kind)
            )
        return {"id": message.id, "changed": changed, "told": told}

    async def _invoke(self, asked: Asked) -> Done:
        """Click a card's button, and show the person what the bot answers."""
        person, channel = self._who_where(asked)
        message = self._state.message(channel, str(asked.get("message")))
        name = str(asked.get("name") or "adaptiveCard/action")
        activity = self._activities.invoke(
            self._base, message, person.id, name, asked.get("value") or _clicked(asked)
        )
        async with asyncio.timeout(_INVOKE_WAIT):
            answer = await self._delivery.ask(activity)
        if answer.status == 200 and isinstance(answer.body, dict):  # noqa: PLR2004 - HTTP's own
            self._show(message, person, answer.body)
        return {
            "id": activity["id"],
            "status": answer.status,
            "body": answer.body,
        }

    async def _submit(self, asked: Asked) -> Done:
        person, channel = self._who_where(asked)
        message = self._state.message(channel, str(asked.get("message")))
        activity = self._activities.submit(
            self._base, message, person.id, asked.get("data") or {}
        )
        self._delivery.send(activity)
        return {"id": activity["id"]}

    async def _chat(self, asked: Asked) -> Done:
        """Open the chat with the bot, which hears of it the first time."""
        person = self._state.person(str(asked.get("user")))
        known = len(self._state.channels)
        chat = self._state.direct(seed.BOT_APP_ID, person)
        if len(self._state.channels) > known:
            for told in self._activities.begun_chat(self._base, chat, person.id):
                self._delivery.send(told)
        return {"channel": chat.id}

    async def _raw(self, asked: Asked) -> Done:
        """Deliver an activity as it is given, in the frame of a real one."""
        person, channel = self._who_where(asked)
        frame = self._activities.raw(self._base, channel, person.id)
        activity = {**frame, **asked.get("activity", {})}
        async with asyncio.timeout(_INVOKE_WAIT):
            answer = await self._delivery.ask(activity)
        return {"id": activity["id"], "status": answer.status, "body": answer.body}

    async def _bot_post(self, asked: Asked) -> Done:
        """Let another app say something. Bots are not told what bots say."""
        channel = self._state.channel(str(asked.get("channel")))
        message = self._state.post(
            channel, _OTHER, _of_app(asked), root=self._root(asked, channel)
        )
        return {"id": message.id, "thread": message.root, "told": False}

    async def _bot_edit(self, asked: Asked) -> Done:
        channel = self._state.channel(str(asked.get("channel")))
        message = self._state.message(channel, str(asked.get("message")))
        if message.author != _OTHER:
            raise forbidden("apps change only their own messages")
        self._state.edit(message, _of_app(asked))
        return {"id": message.id, "thread": message.root, "told": False}

    @property
    def _base(self) -> str:
        return self._world.base_url

    def _who_where(self, asked: Asked) -> tuple[Person, Channel]:
        person = self._state.person(str(asked.get("user")))
        channel = self._state.channel(str(asked.get("channel")))
        if person not in self._state.members(channel):
            raise forbidden(f"{person.id} is not in {channel.id}")
        if channel.team and self._state.teams[channel.team].archived:
            raise forbidden("the team is archived")
        if channel.archived:
            raise forbidden("the channel is archived")
        return person, channel

    def _root(self, asked: Asked, channel: Channel) -> str:
        named = str(asked.get("thread") or "")
        if asked["action"] == "reply" and not named:
            raise bad_argument("a reply needs 'thread'")
        return self._state.message(channel, named).root if named else ""

    def _own(self, asked: Asked, *, deleted: bool = False) -> Message:
        person, channel = self._who_where(asked)
        message = self._state.message(channel, str(asked.get("message")))
        if message.author != person.id:
            raise forbidden("people change only their own messages")
        if bool(message.deleted) != deleted:
            raise no_activity()
        return message

    def _changed(self, message: Message, kind: str) -> Done:
        told = self._change_reaches(message)
        if told:
            self._delivery.send(self._activities.changed(self._base, message, kind))
        return {"id": message.id, "thread": message.root, "told": told}

    def _told(self, message: Message) -> bool:
        """Tell the bot of a new message, if it hears of it at all."""
        told = self._reaches(message)
        if told:
            self._delivery.send(self._activities.message(self._base, message))
        return told

    def _change_reaches(self, message: Message) -> bool:
        told = self._state.setting("edit_events")
        if told == "mentioned":
            return self._reaches(message) and _mentions_bot(message)
        return told == "all" and self._reaches(message)

    def _reaches(self, message: Message) -> bool:
        """Whether the bot is told of a message."""
        channel = self._state.channels[message.channel]
        if not self._hears(channel):
            return False
        heard = self._state.setting("rsc") or channel.kind is Kind.PERSONAL
        return bool(heard) or _mentions_bot(message)

    def _hears(self, channel: Channel) -> bool:
        if channel.kind is Kind.PERSONAL:
            return BOT in channel.members
        if seed.BOT_APP_ID not in self._team(channel).apps:
            return False
        private = self._state.setting("private_channel_messages")
        return channel.kind is Kind.STANDARD or bool(private)

    def _team(self, channel: Channel) -> Team:
        return self._state.teams[channel.team]

    def _show(self, message: Message, person: Person, body: dict[str, Any]) -> None:
        """A card that the bot answers takes the place of the one that was clicked."""
        if body.get("type") == "application/vnd.microsoft.card.adaptive":
            self._state.show(message, person.id, body.get("value") or {})


def refused(refusal: Refusal) -> Done:
    return {"ok": False, "error": f"{refusal.code}: {refusal.message}"}


def _of_app(asked: Asked) -> Content:
    """What an app posts: "text" and a "card", an Adaptive Card's content."""
    activity: dict[str, Any] = {"type": "message", "text": str(asked.get("text", ""))}
    attachments: list[dict[str, Any]] = []
    if asked.get("card"):
        attachments = [{"contentType": _CARD, "content": asked["card"]}]
    html, mentions = from_bot(activity, {})
    return Content(html, mentions, attachments, activity)


def _clicked(asked: Asked) -> dict[str, Any]:
    clicked = asked.get("card_action") or {}
    action = {
        "type": clicked.get("type", _FALLBACK_ACTION),
        "verb": asked.get("verb", clicked.get("verb", "")),
        "data": asked.get("data", clicked.get("data", {})),
    }
    if "id" in clicked:
        action["id"] = clicked["id"]
    return {"action": action, "trigger": "manual"}


def _mentions_bot(message: Message) -> bool:
    return any(one["id"] == BOT for one in message.content.mentions)
