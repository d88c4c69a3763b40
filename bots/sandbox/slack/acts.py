"""What people do in Slack's windows, done for them by tests and the page."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bots.sandbox.slack import (
    compose,
    conversations,
    events,
    files,
    installs,
    messages,
)
from bots.sandbox.slack.delivery import Delivery
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.flexpanes import EntityActs
from bots.sandbox.slack.grid_acts import GridActs, Result, Wish
from bots.sandbox.slack.interact import Interactions, Place, find_said
from bots.sandbox.slack.modal_acts import ModalActs, told
from bots.sandbox.slack.model import CHANGEABLE, Channel, File, Kind, Message, User
from bots.sandbox.slack.sockets import Sockets
from bots.sandbox.world import World


class Acts:
    """Performs one act of a person, as {"action": …} says it."""

    def __init__(
        self,
        world: World,
        interactions: Interactions,
        delivery: Delivery,
        sockets: Sockets,
    ) -> None:
        self._world = world
        self._state = world.slack
        self._interactions = interactions
        self._delivery = delivery
        self._sockets = sockets
        self._actions: Mapping[str, Callable[[Wish], Awaitable[Result] | Result]] = {
            "post": self._post,
            "reply": self._reply,
            "broadcast": self._broadcast,
            "me": self._me,
            "bot_post": self._bot_post,
            "edit": self._edit,
            "unfurl": self._unfurl,
            "delete": self._delete,
            "pin": self._pin,
            "react": self._react,
            "unreact": self._unreact,
            "upload": self._upload,
            "delete_file": self._delete_file,
            "command": self._command,
            "click": self._click,
            "join": self._join,
            "leave": self._leave,
            "create": self._create,
            "rename": self._rename,
            "topic": self._topic,
            "archive": self._archive,
            "unarchive": self._archive,
            "open_dm": self._open_dm,
            "open_home": self._open_home,
            "change_user": self._change_user,
            "install": self._install,
            "uninstall": self._uninstall,
            "event": self._event,
            "verify": self._verify,
            "rate_limited": self._rate_limited,
            "disconnect": self._disconnect,
            **GridActs(world).actions,
            **ModalActs(world, interactions).actions,
            **EntityActs(world, interactions).actions,
        }

    async def perform(self, wish: Wish) -> Result:
        """Do it and say what came of it; raises SlackRefusal."""
        action = self._actions.get(str(wish.get("action")))
        if action is None:
            raise SlackRefusal("unknown_action", known=sorted(self._actions))
        result = action(wish)
        done = result if isinstance(result, dict) else await result
        return {"ok": True, **done}

    def _post(self, wish: Wish, **more: Any) -> Result:
        channel, user = self._channel(wish), self._user(wish)
        self._needs_member(channel, user)
        body = messages.person_body(self._state, user.id, *_written(wish))
        body |= more | dict(wish.get("wire", {}))
        broadcast = wish.get("action") == "broadcast"
        message = messages.post(self._state, channel, body, broadcast=broadcast)
        return _at(message)

    def _reply(self, wish: Wish) -> Result:
        return self._post(wish, thread_ts=_need(wish, "thread_ts"))

    def _broadcast(self, wish: Wish) -> Result:
        return self._post(wish, thread_ts=_need(wish, "thread_ts"))

    def _me(self, wish: Wish) -> Result:
        return self._post(wish, subtype="me_message")

    def _bot_post(self, wish: Wish) -> Result:
        """Another app's message, such as an incoming webhook's."""
        text, blocks = _written(wish)
        body: dict[str, Any] = {
            "subtype": "bot_message",
            "bot_id": wish.get("bot_id", "B09OTHER"),
            "text": text,
        }
        if wish.get("username", "Deploys"):
            body["username"] = wish.get("username", "Deploys")
        body |= {"blocks": blocks} if blocks else {}
        if wish.get("thread_ts"):
            body["thread_ts"] = wish["thread_ts"]
        body |= wish.get("wire", {})
        metadata = wish.get("metadata")
        message = messages.post(
            self._state, self._channel(wish), body, metadata=metadata
        )
        return _at(message)

    def _edit(self, wish: Wish) -> Result:
        channel, message = self._own(wish)
        text, blocks = _written(wish)
        new = {"text": text, "blocks": blocks, **wish.get("wire", {})}
        editor = str(message.body.get("user") or message.body.get("bot_id"))
        messages.edit(self._state, channel, message, new, editor=editor)
        return _at(message) | {"edited": message.body["edited"]["ts"]}

    def _unfurl(self, wish: Wish) -> Result:
        """A change that nobody made: a preview appears under a link."""
        channel, message = self._message(wish)
        card = {"id": 1, "title": "A page", "from_url": wish.get("url", "")}
        messages.edit(
            self._state, channel, message, {"attachments": [card]}, editor=None
        )
        return _at(message)

    def _delete(self, wish: Wish) -> Result:
        channel, message = self._own(wish)
        messages.delete(self._state, channel, message)
        return _at(message)

    def _react(self, wish: Wish) -> Result:
        channel, message = self._message(wish)
        user, name = self._user(wish), _need(wish, "name")
        messages.react(self._state, channel, message, user.id, name)
        return _at(message)

    def _unreact(self, wish: Wish) -> Result:
        channel, message = self._message(wish)
        user, name = self._user(wish), _need(wish, "name")
        messages.unreact(self._state, channel, message, user.id, name)
        return _at(message)

    def _pin(self, wish: Wish) -> Result:
        """Pin a message to its channel, or with "off" take the pin out."""
        channel, message = self._message(wish)
        kind = "pin_removed" if wish.get("off") else "pin_added"
        who, ts = self._user(wish).id, self._state.next_ts()
        told = events.pin(kind, channel, message, who, ts)
        self._state.emit(channel.team, told, channel)
        return _at(message)

    def _upload(self, wish: Wish) -> Result:
        """
        Share a file; its bytes come as "content_base64" or "content".

        "files" are several of them in one message. "repeat" makes a file large; "size"
        lets Slack say another size than there are bytes.
        """
        channel, user = self._channel(wish), self._user(wish)
        self._needs_member(channel, user)
        shared = [self._file(user, one) for one in wish.get("files") or [wish]]
        body = messages.person_body(self._state, user.id, *_written(wish))
        if wish.get("thread_ts"):
            body["thread_ts"] = wish["thread_ts"]
        base = self._world.base_url
        message = files.share(self._state, channel, body, shared, base)
        return _at(message) | {
            "file": shared[0].id,
            "files": [file.id for file in shared],
        }

    def _file(self, user: User, wish: Wish) -> File:
        content = _content(wish) * int(wish.get("repeat") or 1)
        name, size = str(wish.get("name", "file.txt")), int(wish.get("size") or 0)
        file = files.make(self._state, user.team, user.id, name, size or len(content))
        file.content, file.completed = content, True
        return file

    def _delete_file(self, wish: Wish) -> Result:
        files.erase(self._state, self._state.file(_need(wish, "file")))
        return {}

    async def _command(self, wish: Wish) -> Result:
        place = Place(self._user(wish), self._channel(wish))
        name = str(wish.get("command") or "/atom")
        args = str(wish.get("args") or wish.get("text") or "")
        return told(await self._interactions.command(place, name, args))

    async def _click(self, wish: Wish) -> Result:
        """Click a button, named by its action_id or value, of a message or whisper."""
        channel, ts = self._channel(wish), _need(wish, "ts")
        said = find_said(channel, self._state.ephemerals, ts)
        action, link = _button(said, wish)
        place = Place(self._user(wish), channel, ts, str(said.get("thread_ts", "")))
        return told(await self._interactions.click(place, said, action, link))

    def _join(self, wish: Wish) -> Result:
        channel, user = self._channel(wish), self._user(wish)
        by = str(wish.get("inviter", ""))
        return {"joined": conversations.enter(self._state, channel, user.id, by)}

    def _leave(self, wish: Wish) -> Result:
        channel, user = self._channel(wish), self._user(wish)
        return {"left": conversations.exit_from(self._state, channel, user.id)}

    def _create(self, wish: Wish) -> Result:
        user = self._user(wish)
        kind = Kind.PRIVATE if wish.get("private") else Kind.PUBLIC
        made = Channel(
            self._state.next_id("C"), user.team, _need(wish, "name"), kind, user.id
        )
        made.members = [user.id, *wish.get("members", [])]
        self._state.channels[made.id] = made
        if not made.private:  # apps hear of it that are not in it yet
            told = {"id": made.id, "name": made.name, "creator": user.id}
            event = {"type": "channel_created", "channel": told}
            self._state.emit(
                user.team, event | {"event_ts": self._state.next_ts()}, None
            )
        self._state.publish("channel", made.team, channel=made.id)
        return {"channel": made.id}

    def _rename(self, wish: Wish) -> Result:
        channel = self._channel(wish)
        channel.name = _need(wish, "name")
        kind = "group_rename" if channel.private else "channel_rename"
        named = {"id": channel.id, "name": channel.name, "created": 1_700_000_000}
        self._tell(channel, {"type": kind, "channel": named})
        return {}

    def _topic(self, wish: Wish) -> Result:
        channel, user = self._channel(wish), self._user(wish)
        channel.topic = str(wish.get("text", ""))
        text = f"<@{user.id}> set the channel's topic: {channel.topic}"
        body = {"subtype": "channel_topic", "user": user.id, "text": text}
        return _at(messages.post(self._state, channel, body))

    def _archive(self, wish: Wish) -> Result:
        channel, action = self._channel(wish), str(wish["action"])
        channel.archived = action == "archive"
        user = self._user(wish).id
        kind = f"{channel.kind.value}_{action}"
        self._tell(channel, {"type": kind, "channel": channel.id, "user": user})
        return {}

    def _open_dm(self, wish: Wish) -> Result:
        user = self._user(wish)
        me = self._state.installations[user.team]
        return {"channel": self._state.direct(me, [user.id]).id}

    def _open_home(self, wish: Wish) -> Result:
        user = self._user(wish)
        event = {"type": "app_home_opened", "user": user.id, "tab": "home"}
        self._state.emit(user.team, event | {"event_ts": self._state.next_ts()})
        return {}

    def _change_user(self, wish: Wish) -> Result:
        """Rename, promote or deactivate somebody."""
        user = self._user(wish)
        for name in CHANGEABLE & set(wish):
            setattr(user, name, wish[name])
        event = {"type": "user_change", "user": user.wire(self._world.base_url)}
        self._state.emit(user.team, event | {"event_ts": self._state.next_ts()})
        self._state.publish("user", user.team, user=user.id)
        return {}

    def _install(self, wish: Wish) -> Result:
        installs.install(self._state, _need(wish, "workspace"))
        return {}

    def _uninstall(self, wish: Wish) -> Result:
        installs.uninstall(self._state, _need(wish, "workspace"))
        return {}

    def _event(self, wish: Wish) -> Result:
        """Deliver {"event": …} as it is; with a channel, by that channel's rules."""
        event = wish.get("event")
        if not isinstance(event, dict):
            raise SlackRefusal("missing_event")
        channel = self._channel(wish) if wish.get("channel") else None
        team = channel.team if channel else _need(wish, "workspace")
        self._state.emit(team, event, channel)
        return {}

    async def _verify(self, _wish: Wish) -> Result:
        return told(await self._delivery.verify())

    async def _rate_limited(self, wish: Wish) -> Result:
        return told(await self._delivery.warn(_need(wish, "workspace")))

    async def _disconnect(self, wish: Wish) -> Result:
        """End every socket, with a reason, or "drop" without a word."""
        reason = str(wish.get("reason", "refresh_requested"))
        async with asyncio.timeout(10):
            return {"sockets": await self._sockets.disconnect(reason)}

    def _channel(self, wish: Wish) -> Channel:
        named = _need(wish, "channel").removeprefix("#")
        team = str(wish.get("workspace", ""))
        for channel in self._state.channels.values():
            ours = not team or team in channel.everywhere
            if ours and named in {channel.id, channel.name}:
                return channel
        raise SlackRefusal("channel_not_found")

    def _user(self, wish: Wish) -> User:
        return self._state.user(_need(wish, "user"))

    def _needs_member(self, channel: Channel, user: User) -> None:
        if user.id not in channel.members:
            raise SlackRefusal("not_in_channel")

    def _message(self, wish: Wish) -> tuple[Channel, Message]:
        channel = self._channel(wish)
        return channel, self._state.message(channel, _need(wish, "ts"))

    def _own(self, wish: Wish) -> tuple[Channel, Message]:
        """The message, if the person wrote it or administers the workspace."""
        channel, message = self._message(wish)
        user = str(wish.get("user", ""))
        author = message.body.get("user") or message.body.get("bot_id")
        known = self._state.users.get(user)
        if user and user != author and not (known and known.is_admin):
            raise SlackRefusal("not_your_message")
        return channel, message

    def _tell(self, channel: Channel, event: dict[str, Any]) -> None:
        event["event_ts"] = self._state.next_ts()
        self._state.emit(channel.team, event, channel)
        self._state.publish("channel", channel.team, channel=channel.id)


def _written(wish: Wish) -> tuple[str, list[dict[str, Any]]]:
    """
    What the client sends for what was written: text and blocks.

    "blocks" stand as they are; "typed" makes the composer's formatting of "text";
    otherwise no character of it is markup.
    """
    raw = str(wish.get("text") or "")
    blocks = wish.get("blocks")
    if blocks:
        return compose.text_of(blocks) or compose.encode(raw), list(blocks)
    if wish.get("typed"):
        made = compose.typed(raw)
        return compose.text_of(made), made
    return compose.encode(raw), compose.literal(raw)


def _button(said: Mapping[str, Any], wish: Wish) -> tuple[dict[str, Any], str]:
    """Return the button that is meant, and the link whose preview it stands in."""
    wanted = {wish.get("action_id"), wish.get("value")} - {None}
    parts = [(said, ""), *((a, a.get("from_url", "")) for a in _attached(said))]
    for part, link in parts:
        for block in part.get("blocks") or []:
            elements = [*block.get("elements", ()), block.get("accessory") or {}]
            for element in elements:
                named = {element.get("action_id"), element.get("value")}
                both = {"action_id", "value"} <= set(wish) and not wanted <= named
                if element.get("type") == "button" and wanted & named and not both:
                    return {**element, "block_id": block.get("block_id", "")}, link
    raise SlackRefusal("no_such_button")


def _attached(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(said.get("attachments") or [])


def _content(wish: Wish) -> bytes:
    if "content_base64" in wish:
        try:
            return base64.b64decode(str(wish["content_base64"]), validate=True)
        except ValueError:
            raise SlackRefusal("content_is_not_base64") from None
    return str(wish.get("content", "")).encode("utf-8", "surrogatepass")


def _at(message: Message) -> Result:
    return {"ts": message.ts, "thread_ts": message.root}


def _need(wish: Wish, name: str) -> str:
    value = wish.get(name)
    if not value:
        raise SlackRefusal(f"missing_{name}")
    return str(value)
