"""The conversations.* methods: channels, who is in them, what was said there."""

from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import events, messages
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal, missing_scope
from bots.sandbox.slack.events import stored
from bots.sandbox.slack.model import Channel, Kind, Message
from bots.sandbox.slack.state import SlackState

_TYPES: Mapping[str, Kind] = {
    "public_channel": Kind.PUBLIC,
    "private_channel": Kind.PRIVATE,
    "im": Kind.DIRECT,
    "mpim": Kind.GROUP,
}
_LIMITED = 15
_MOST = 999
_PEOPLE_IN_A_GROUP = 8

Moment = tuple[int, int]


def list_channels(call: Call) -> Answer:
    return _listing(call, lambda _channel: True)


def list_mine(call: Call) -> Answer:
    who = call.text("user") or call.me.bot_user
    return _listing(call, lambda channel: who in channel.members)


def info(call: Call) -> Answer:
    channel = call.channel("read")
    shown = channel.wire(call.me.bot_user)
    if not call.flag("include_num_members"):
        del shown["num_members"]
    return {"channel": shown}


def members(call: Call) -> Answer:
    channel = call.channel("read")
    page, cursor = call.page(channel.members, 100, 1000)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def history(call: Call) -> Answer:
    channel = call.channel("history", member=True)
    said = [one for one in channel.messages.values() if one.in_channel]
    return _messages(call, sorted(_within(call, said), key=_moment, reverse=True))


def replies(call: Call) -> Answer:
    channel = call.channel("history", member=True)
    found = channel.messages.get(call.text("ts"))
    if found is None or found.deleted:
        raise SlackRefusal("thread_not_found")
    root = channel.messages[found.root] if found.root else found
    below = _within(call, [channel.messages[ts] for ts in root.replies])
    return _messages(call, [root, *sorted(below, key=_moment)])


def join(call: Call) -> Answer:
    channel = call.channel()
    if channel.kind is not Kind.PUBLIC:
        raise SlackRefusal("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackRefusal("is_archived")
    answer: Answer = {}
    if not enter(call.state, channel, call.me.bot_user):
        answer = {
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    return {"channel": channel.wire(call.me.bot_user), **answer}


def leave(call: Call) -> Answer:
    channel = call.channel()
    if channel.name == "general":
        raise SlackRefusal("cant_leave_general")
    if call.me.bot_user not in channel.members:
        return {"not_in_channel": True}
    exit_from(call.state, channel, call.me.bot_user)
    return {}


def open_direct(call: Call) -> Answer:
    if call.text("channel"):
        return {"channel": {"id": call.channel().id}}
    users = [one for one in call.text("users").split(",") if one]
    if not users:
        raise SlackRefusal("users_list_not_supplied")
    if len(users) > _PEOPLE_IN_A_GROUP:
        raise SlackRefusal("too_many_users")
    for user in users:
        if call.me.team not in call.state.user(user).teams:
            raise SlackRefusal("user_not_found")
    before = set(call.state.channels)
    channel = call.state.direct(call.me, users)
    known = channel.id in before
    shown: dict[str, Any] = {"id": channel.id}
    if call.flag("return_im"):
        shown = channel.wire(call.me.bot_user)
    return {"channel": shown, "already_open": known, "no_op": known}


def enter(state: SlackState, channel: Channel, user: str, inviter: str = "") -> bool:
    """Let somebody join; returns whether they were not in yet."""
    if user in channel.members:
        return False
    channel.members.append(user)
    _notice(state, channel, user, "join", "joined")
    told = events.membership("member_joined_channel", channel, user, state.next_ts())
    told |= {"inviter": inviter} if inviter else {}
    state.emit(channel.team, told, channel)
    state.publish("member", channel.team, channel=channel.id, user=user, joined=True)
    return True


def exit_from(state: SlackState, channel: Channel, user: str) -> bool:
    """Let somebody leave; the app still hears of its own leaving."""
    if user not in channel.members:
        return False
    _notice(state, channel, user, "leave", "left")
    told = events.membership("member_left_channel", channel, user, state.next_ts())
    state.emit(channel.team, told, channel)
    channel.members.remove(user)
    state.publish("member", channel.team, channel=channel.id, user=user, joined=False)
    return True


def _notice(
    state: SlackState, channel: Channel, user: str, what: str, past: str
) -> None:
    family = "group" if channel.kind is Kind.PRIVATE else "channel"
    text = f"<@{user}> has {past} the {family}"
    body = {"subtype": f"{family}_{what}", "user": user, "text": text}
    messages.post(state, channel, body)


def _listing(call: Call, wanted: Any) -> Answer:
    kinds = _kinds(call)
    me = call.me.bot_user
    shown = [
        channel.wire(me)
        for channel in call.state.channels.values()
        if call.me.team in channel.everywhere
        and channel.kind in kinds
        and (channel.kind is Kind.PUBLIC or me in channel.members)
        and not (call.flag("exclude_archived") and channel.archived)
        and wanted(channel)
    ]
    page, cursor = call.page(shown, 100, 1000)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


def _kinds(call: Call) -> set[Kind]:
    names = (call.text("types") or "public_channel").replace(" ", "").split(",")
    if not set(names) <= set(_TYPES):
        raise SlackRefusal("invalid_types")
    kinds = {_TYPES[name] for name in names}
    scopes = call.state.setting("scopes")
    for kind in sorted(kinds):
        if f"{kind.family}:read" not in scopes:
            raise missing_scope(f"{kind.family}:read", scopes)
    return kinds


def _within(call: Call, said: list[Message]) -> list[Message]:
    oldest = _bound(call, "oldest", (0, 0))
    latest = _bound(call, "latest", (1 << 62, 0))
    if call.flag("inclusive"):
        return [m for m in said if not m.deleted and oldest <= _moment(m) <= latest]
    return [m for m in said if not m.deleted and oldest < _moment(m) < latest]


def _bound(call: Call, name: str, default: Moment) -> Moment:
    raw = call.text(name)
    if not raw:
        return default
    seconds, _, micros = raw.partition(".")
    if not seconds.isdecimal() or (micros and not micros.isdecimal()):
        raise SlackRefusal(f"invalid_ts_{name}")
    return int(seconds), int(micros.ljust(6, "0")[:6] or 0)


def _moment(message: Message) -> Moment:
    seconds, micros = message.ts.split(".")
    return int(seconds), int(micros)


def _messages(call: Call, said: list[Message]) -> Answer:
    limited = call.state.setting("history_limited")
    most = _LIMITED if limited else _MOST
    page, cursor = call.page(said, min(100, most), most)
    everything = call.flag("include_all_metadata")
    answer: Answer = {
        "messages": [_shown(one, everything=everything) for one in page],
        "has_more": bool(cursor),
    }
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _shown(message: Message, *, everything: bool) -> dict[str, Any]:
    shown = stored(message)
    if everything and message.metadata:
        shown["metadata"] = message.metadata
    return shown


CALLS: Mapping[str, Serve] = {
    "conversations.list": list_channels,
    "conversations.info": info,
    "conversations.members": members,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.join": join,
    "conversations.leave": leave,
    "conversations.open": open_direct,
    "users.conversations": list_mine,
}
