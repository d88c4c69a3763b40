"""Commands, clicks and submitted views: what people ask of the app itself."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bots.sandbox.slack import chat, compose, grid_seed, messages, seed
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.events import stored
from bots.sandbox.slack.model import Channel, Kind, Message, User
from bots.sandbox.slack.outbound import Outbound, Outcome
from bots.sandbox.slack.sockets import Sockets
from bots.sandbox.slack.tickets import NoSuchTicket, TicketExpired, TicketUsed
from bots.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """Who asks where; `ts` is the message that was clicked, if any."""

    user: User
    channel: Channel | None = None
    ts: str = ""
    thread_ts: str = ""


class Interactions:
    """Brings what people ask to the app, and its answers back to them."""

    def __init__(self, world: World, outbound: Outbound, sockets: Sockets) -> None:
        self._world = world
        self._state = world.slack
        self._outbound = outbound
        self._sockets = sockets

    async def command(self, place: Place, name: str, args: str) -> Outcome:
        """Send a slash command, and show what the app answers at once."""
        channel = _channel(place)
        workspace = self._state.workspace(channel.team)
        wanted = self._state.setting("commands")
        if "*" not in wanted and name not in wanted:
            raise SlackRefusal("unknown_command")
        form = {
            "token": seed.VERIFICATION_TOKEN,
            "team_id": workspace.id,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": _shown_name(channel),
            "user_id": place.user.id,
            "user_name": place.user.name,
            "command": name,
            "text": self._named(args, workspace.id),
            "api_app_id": seed.APP_ID,
            **self._organisation(workspace.id),
            "response_url": self._response_url(place),
            "trigger_id": self._trigger(place),
        }
        outcome = await self._send("command", "slash_commands", form, form)
        return self._shown(place, outcome)

    def _named(self, args: str, team: str) -> str:
        """Write people whom a command names as their ids: apps ask for that."""
        people = [one for one in self._state.users.values() if team in one.teams]
        ids = {
            compose.encode(name): f"<@{one.id}|{one.name}>"
            for one in people
            for name in (one.name, one.display_name, one.real_name)
            if name and not one.deleted
        }
        longest_first = sorted(ids, key=len, reverse=True)
        names = "|".join(map(re.escape, longest_first))
        return re.sub(
            rf"(?<!\w)@({names})(?!\w)", lambda m: ids[m[1]], compose.encode(args)
        )

    async def interact(
        self, place: Place, more: Mapping[str, Any], *, trigger: bool = True
    ) -> Outcome:
        """Send a click, a shortcut or what happened to a view."""
        workspace = self._state.workspace(place.user.team)
        payload = {
            "user": _user(place.user),
            "api_app_id": seed.APP_ID,
            "token": seed.VERIFICATION_TOKEN,
            **({"trigger_id": self._trigger(place)} if trigger else {}),
            "team": {"id": workspace.id, "domain": workspace.domain},
            "enterprise": self._enterprise(workspace.id),
            "is_enterprise_install": self._org_wide(workspace.id),
            **more,
        }
        if place.channel is not None:
            payload["channel"] = {
                "id": place.channel.id,
                "name": _shown_name(place.channel),
            }
            payload["response_url"] = self._response_url(place)
        form = {"payload": json.dumps(payload)}
        return await self._send("interact", "interactive", payload, form)

    def _organisation(self, team: str) -> dict[str, str]:
        """What a command's form says of the organisation."""
        named = {"is_enterprise_install": str(self._org_wide(team)).lower()}
        if enterprise := self._enterprise(team):
            named |= {f"enterprise_{key}": value for key, value in enterprise.items()}
        return named

    def _enterprise(self, team: str) -> dict[str, str] | None:
        enterprise = self._state.grid.enterprise_of(team)
        name = grid_seed.ORG_NAME
        return {"id": enterprise, "name": name} if enterprise else None

    def _org_wide(self, team: str) -> bool:
        installed = self._state.installations.get(team)
        return bool(installed and installed.enterprise)

    async def click(
        self,
        place: Place,
        said: Mapping[str, Any],
        action: Mapping[str, Any],
        link: str = "",
    ) -> Outcome:
        """Send a click on a button of a message, or of the preview of its `link`."""
        channel = _channel(place)
        shown = dict(said)
        if self._state.setting("click_texts_encoded"):
            shown["text"] = compose.encode(compose.decode(str(shown.get("text", ""))))
        hidden = "to" in said
        container = {
            "type": "message",
            "message_ts": place.ts,
            "channel_id": channel.id,
            "is_ephemeral": hidden,
        }
        if link:
            unfurled = {"app_unfurl_url": link, "is_app_unfurl": True}
            container |= {"type": "message_attachment", **unfurled}
        clicked = {
            **action,
            "type": action.get("type", "button"),
            "action_ts": self._state.next_ts(),
        }
        return await self.interact(
            place,
            {
                "type": "block_actions",
                "container": container,
                "message": shown,
                "state": {"values": {}},
                "actions": [clicked],
            },
        )

    def answer_later(self, ticket: str, answer: Mapping[str, Any]) -> None:
        """Take what the app posts to a response_url; raises SlackRefusal."""
        try:
            place = self._state.tickets.redeem("response", ticket)
        except NoSuchTicket:
            raise SlackRefusal("invalid_url") from None
        except TicketExpired:
            raise SlackRefusal("expired_url") from None
        except TicketUsed:
            raise SlackRefusal("used_url") from None
        self._show(place, answer)

    async def _send(
        self,
        call: str,
        kind: str,
        payload: Mapping[str, Any],
        form: Mapping[str, str],
    ) -> Outcome:
        fault = self._world.faults.take(f"slack.{call}", {})
        if fault is not None and fault.kind == "drop":
            return Outcome(0, reason="dropped")
        way = self._state.setting("delivery")
        if way == "socket" or (way == "auto" and self._sockets.connected):
            outcome = await self._sockets.send(call, kind, payload, 0, "")
        elif self._outbound.aimed:
            outcome = await self._outbound.send_form(call, form)
        else:
            outcome = Outcome(0, reason="connection_failed")
        if fault is not None and fault.kind == "duplicate":
            return await self._send(call, kind, payload, form)
        return outcome

    def _shown(self, place: Place, outcome: Outcome) -> Outcome:
        answer = outcome.json()
        if outcome.good and (answer.get("text") or answer.get("blocks")):
            self._show(place, answer)
        return outcome

    def _show(self, place: Place, answer: Mapping[str, Any]) -> None:
        """Put an answer where it belongs: to one person, the channel, or a change."""
        channel = _channel(place)
        me = self._state.installations[channel.team]
        if answer.get("delete_original") or answer.get("replace_original"):
            if self._replaced(place, channel, answer):
                return
            if answer.get("delete_original"):
                return
        text = compose.normalised(str(answer.get("text", "")))
        said = chat.bot_body(self._state, me, {})
        said |= chat.content(self._state, answer, text)
        thread = str(answer.get("thread_ts") or place.thread_ts)
        if answer.get("response_type") == "in_channel":
            body = said | ({"thread_ts": thread} if thread else {})
            messages.post(self._state, channel, body)
            return
        chat.whisper(self._state, channel, place.user.id, said | {"thread_ts": thread})

    def _replaced(
        self, place: Place, channel: Channel, answer: Mapping[str, Any]
    ) -> bool:
        """Change or remove the message that was clicked, if it is known."""
        delete = bool(answer.get("delete_original"))
        for whispered in self._state.ephemerals:
            if whispered["ts"] == place.ts:
                self._replace_whisper(whispered, answer, delete=delete)
                return True
        message = channel.messages.get(place.ts)
        if message is None:
            return False
        self._replace_message(channel, message, answer, delete=delete)
        return True

    def _replace_whisper(
        self, whispered: dict[str, Any], answer: Mapping[str, Any], *, delete: bool
    ) -> None:
        if delete:
            self._state.ephemerals.remove(whispered)
        else:
            text = compose.normalised(str(answer.get("text", "")))
            whispered.update(chat.content(self._state, answer, text))
        self._state.publish(
            "ephemeral",
            whispered["team"],
            channel=whispered["channel"],
            message=whispered,
            deleted=delete,
        )

    def _replace_message(
        self,
        channel: Channel,
        message: Message,
        answer: Mapping[str, Any],
        *,
        delete: bool,
    ) -> None:
        if delete:
            messages.delete(self._state, channel, message)
            return
        text = compose.normalised(str(answer.get("text", "")))
        new = chat.content(self._state, answer, text)
        editor = str(message.body.get("user") or message.body.get("bot_id"))
        messages.edit(self._state, channel, message, new, editor=editor)

    def _trigger(self, place: Place) -> str:
        seconds = self._state.setting("trigger_seconds")
        return self._state.tickets.issue("trigger", place.user.id, seconds=seconds)

    def _response_url(self, place: Place) -> str:
        ticket = self._state.tickets.issue(
            "response",
            place,
            seconds=self._state.setting("response_url_seconds"),
            uses=self._state.setting("response_url_uses"),
        )
        return f"{self._world.base_url}/slack/hook/{ticket}"


def find_said(channel: Channel, ephemerals: list[dict[str, Any]], ts: str) -> Any:
    """The message or whisper that stands at `ts` in a channel."""
    for whispered in ephemerals:
        if (whispered["channel"], whispered["ts"]) == (channel.id, ts):
            return whispered
    message = channel.messages.get(ts)
    if message is None or message.deleted:
        raise SlackRefusal("message_not_found")
    return stored(message)


def _channel(place: Place) -> Channel:
    if place.channel is None:
        raise SlackRefusal("channel_not_found")
    return place.channel


def _shown_name(channel: Channel) -> str:
    special = {Kind.PRIVATE: "privategroup", Kind.DIRECT: "directmessage"}
    return special.get(channel.kind, channel.name)


def _user(user: User) -> dict[str, str]:
    return {
        "id": user.id,
        "username": user.name,
        "name": user.name,
        "team_id": user.team,
    }
