"""The connector's REST API for messages: what a bot does in conversations."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.errors import (
    Refusal,
    bad_argument,
    forbidden,
    no_activity,
    no_conversation,
    not_in_roster,
)
from bots.sandbox.teams.login import Login
from bots.sandbox.teams.model import Channel, Content, Kind, Message
from bots.sandbox.teams.serving import thread_of
from bots.sandbox.teams.throttle import Throttle
from bots.sandbox.teams.typed import from_bot
from bots.sandbox.teams.uploads import hosted, without_inline
from bots.sandbox.world import World

_CARD = "application/vnd.microsoft.card."


class Connector:
    """What bots may do: post, reply, update, delete, react, begin conversations."""

    def __init__(self, world: World, login: Login, throttle: Throttle) -> None:
        self._world = world
        self._state = world.teams
        self._login = login
        self._throttle = throttle

    async def post(self, request: Request) -> Response:
        """Put a message into a channel, or into the thread that the id names."""
        app = self._login.app(request)
        channel, root = self.place(request, app)
        activity = await self._activity(request)
        if root and root not in channel.messages:
            root = self._unknown_root()
        self._send_allowed(app, channel)
        if activity["type"] == "typing":
            self._state.publish("typing", channel)
            return json_response({}, status=201)
        target = self._target(request, channel, activity)
        return json_response(
            self._posted(channel, app, activity, root, target), status=201
        )

    async def update(self, request: Request) -> Response:
        """Replace a message of the bot's own."""
        app = self._login.app(request)
        channel, root = self.place(request, app)
        message = self._own(request, channel, root, app)
        activity = await self._activity(request)
        self._change_allowed(app, channel)
        self._state.edit(message, self._content(channel, activity))
        status = self._state.setting("update_status")
        return json_response({"id": message.id}, status=status)

    async def delete(self, request: Request) -> Response:
        """Take a message of the bot's own away; a tombstone stays."""
        app = self._login.app(request)
        channel, root = self.place(request, app)
        message = self._own(request, channel, root, app, deleting=True)
        self._change_allowed(app, channel)
        if not message.deleted:
            self._state.delete(message)
        return Response(status=200)

    async def react(self, request: Request) -> Response:
        message, kind, bot = self._reacting(request)
        self._state.react(message, bot, kind)
        return Response(status=self._state.setting("reaction_status"))

    async def unreact(self, request: Request) -> Response:
        message, kind, bot = self._reacting(request)
        self._state.unreact(message, bot, kind)
        return Response(status=self._state.setting("reaction_status"))

    async def create(self, request: Request) -> Response:
        """Begin a thread in a channel, or the chat with one person."""
        app = self._login.app(request)
        asked = await _object(request)
        data = _mapping(asked.get("channelData"))
        named = str(_mapping(data.get("channel")).get("id", ""))
        if named:
            made = self._create_thread(request, app, named, asked)
        else:
            made = self._create_chat(request, app, asked)
        return json_response(made, status=201)

    def place(self, request: Request, app: str) -> tuple[Channel, str]:
        """Return the channel and the root that a request names, or refuse."""
        channel_id, root = thread_of(request.match_info["conversation"])
        return self.reachable(request, app, channel_id), root

    def reachable(self, request: Request, app: str, channel_id: str) -> Channel:
        """Return a channel as this app reaches it at this address, or refuse."""
        channel = self._state.channel(channel_id)
        region = request.match_info["region"]
        if region not in {"", self._state.tenants[channel.tenant].region}:
            raise no_conversation()
        if self._state.setting("bot_disabled"):
            raise Refusal(403, "BotDisabledByAdmin", "The tenant admin disabled it.")
        if channel.kind is Kind.PERSONAL:
            if f"28:{app}" not in channel.members:
                raise not_in_roster()
        elif app not in self._state.teams[channel.team].apps:
            raise not_in_roster()
        self._global_allowed(app, channel)
        return channel

    def _create_thread(
        self, request: Request, app: str, named: str, asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        channel = self.reachable(request, app, named)
        if not isinstance(asked.get("activity"), dict):
            raise bad_argument("A channel conversation needs an activity.")
        activity = self._checked(dict(asked["activity"]))
        self._send_allowed(app, channel)
        made = self._posted(channel, app, activity, "", "")
        conversation = channel.conversation_id(made.get("id", ""))
        answer = {"id": conversation, "serviceUrl": self._service_url(channel)}
        return answer | ({"activityId": made["id"]} if "id" in made else {})

    def _create_chat(
        self, request: Request, app: str, asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        members = asked.get("members") or []
        if len(members) != 1 or not isinstance(members[0], dict):
            raise bad_argument("Exactly one member is needed.")
        data = _mapping(asked.get("channelData"))
        tenant = str(_mapping(data.get("tenant")).get("id") or asked.get("tenantId"))
        person = self._state.people.get(str(members[0].get("id")))
        if person is None or person.tenant != tenant:
            raise bad_argument("The member or the tenant is unknown.")
        channel = self.reachable(request, app, self._state.direct(app, person).id)
        answer = {"id": channel.id, "serviceUrl": self._service_url(channel)}
        if isinstance(asked.get("activity"), dict):
            activity = self._checked(dict(asked["activity"]))
            self._send_allowed(app, channel)
            answer["activityId"] = self._posted(channel, app, activity, "", "")["id"]
        return answer

    def _posted(
        self,
        channel: Channel,
        app: str,
        activity: dict[str, Any],
        root: str,
        target: str,
    ) -> dict[str, str]:
        """Post, and answer as Teams does: a split message has no id to tell."""
        bot = f"28:{app}"
        parts = self._parts(activity)
        made = [
            self._state.post(
                channel, bot, self._content(channel, part), root=root, target=target
            )
            for part in parts
        ]
        return {"id": made[0].id} if len(made) == 1 else {}

    def _parts(self, activity: dict[str, Any]) -> list[dict[str, Any]]:
        cards = _cards(activity)
        if not (self._state.setting("split_text_and_card") and activity.get("text")):
            return [activity]
        if not cards:
            return [activity]
        rest = [one for one in activity["attachments"] if one not in cards]
        return [
            {**activity, "attachments": rest},
            {**activity, "text": "", "entities": [], "attachments": cards},
        ]

    def _content(self, channel: Channel, activity: dict[str, Any]) -> Content:
        html, mentions = from_bot(activity, self._state.mentionable(channel))
        html = hosted(self._world, channel, html)
        activity = {**activity, "text": without_inline(str(activity.get("text") or ""))}
        attachments = [dict(one) for one in activity.get("attachments") or []]
        if not self._state.setting("on_behalf_of"):
            activity = _in_own_name(activity)
        return Content(html, mentions, attachments, activity)

    async def _activity(self, request: Request) -> dict[str, Any]:
        return self._checked(await _object(request))

    def _checked(self, activity: dict[str, Any]) -> dict[str, Any]:
        kind = activity.get("type")
        if kind not in {"message", "typing"}:
            raise Refusal(400, "BadSyntax", "Unknown activity type")
        if kind == "message" and not (
            activity.get("text") or activity.get("attachments")
        ):
            raise Refusal(400, "BadSyntax", "The message is empty")
        if _utf16_size(activity) > self._state.setting("size_limit"):
            raise Refusal(413, "MessageSizeTooBig", "Message size too large.")
        return activity

    def _target(
        self, request: Request, channel: Channel, activity: Mapping[str, Any]
    ) -> str:
        if request.query.get("isTargetedActivity", "").lower() != "true":
            return ""
        if not self._state.setting("targeted_messages"):
            raise bad_argument("Targeted messages are not offered here.")
        target = str(_mapping(activity.get("recipient")).get("id", ""))
        if target not in {one.id for one in self._state.members(channel)}:
            raise bad_argument("A targeted activity needs a recipient in the roster.")
        return target

    def _unknown_root(self) -> str:
        if self._state.setting("unknown_root") == "new_root":
            return ""
        raise no_conversation()

    def _own(
        self,
        request: Request,
        channel: Channel,
        root: str,
        app: str,
        *,
        deleting: bool = False,
    ) -> Message:
        message = self._addressed(request, channel, root)
        if message.author != f"28:{app}":
            raise forbidden("The bot may change only its own messages.")
        twice = deleting and self._state.setting("delete_twice") == "accept"
        if message.deleted and not twice:
            raise no_activity()
        return message

    def _addressed(self, request: Request, channel: Channel, root: str) -> Message:
        message = self._state.message(channel, request.match_info["activity"])
        needs_thread = self._state.setting("update_needs_thread")
        if root != message.root and (root or (needs_thread and not message.is_root)):
            raise no_activity()
        return message

    def _reacting(self, request: Request) -> tuple[Message, str, str]:
        app = self._login.app(request)
        if not self._state.setting("bot_reactions"):
            raise Refusal(405, "MethodNotAllowed", "Bots do not react here.")
        channel, root = self.place(request, app)
        message = self._addressed(request, channel, root)
        if message.deleted:
            raise no_activity()
        self._throttle.spend([((app, channel.id, "react"), "reaction")])
        return message, request.match_info["reaction"], f"28:{app}"

    def _send_allowed(self, app: str, channel: Channel) -> None:
        closed = channel.kind in {Kind.PRIVATE, Kind.SHARED}
        if closed and not self._state.setting("private_channel_posts"):
            raise not_in_roster()
        if channel.team and self._state.teams[channel.team].archived:
            raise forbidden("The team is archived.")
        if channel.archived:
            raise forbidden("The channel is archived.")
        self._throttle.spend(
            [
                ((app, channel.id, "send"), "send"),
                ((channel.id, "send"), "all_bots"),
            ]
        )

    def _change_allowed(self, app: str, channel: Channel) -> None:
        if self._state.setting("updates_count_as_sends"):
            self._send_allowed(app, channel)

    def _global_allowed(self, app: str, channel: Channel) -> None:
        self._throttle.spend([((app, channel.tenant), "tenant")])

    def _service_url(self, channel: Channel) -> str:
        region = self._state.tenants[channel.tenant].region
        return f"{self._world.base_url}/teams/connector/{region}/"


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except ValueError:
        raise Refusal(400, "BadSyntax", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "BadSyntax", "The body is not an object.")
    return body


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _in_own_name(activity: dict[str, Any]) -> dict[str, Any]:
    told = {
        name: value
        for name, value in _mapping(activity.get("channelData")).items()
        if name != "onBehalfOf"
    }
    return {**activity, "channelData": told}


def _cards(activity: Mapping[str, Any]) -> list[Any]:
    return [
        one
        for one in activity.get("attachments") or []
        if str(_mapping(one).get("contentType", "")).startswith(_CARD)
    ]


def _utf16_size(activity: Mapping[str, Any]) -> int:
    """Return the bytes that count: the text, the mentions and what is attached."""
    counted = [activity.get(name) or "" for name in ("text", "entities", "attachments")]
    counted[0] = without_inline(str(counted[0]))
    told = json.dumps(counted, ensure_ascii=False)
    return len(told.encode("utf-16-le", "surrogatepass"))
