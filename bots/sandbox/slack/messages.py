"""What can happen to messages, and who hears of it."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from uuid import uuid4

from bots.sandbox.slack import compose, events, links
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Channel, Message
from bots.sandbox.slack.state import SlackState

_EMOJI = re.compile(r"[^\s:]{1,100}(?:::skin-tone-[2-6])?")
_EMOJI_PER_MESSAGE = 50


def post(
    state: SlackState,
    channel: Channel,
    body: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
    broadcast: bool = False,
) -> Message:
    """Let a message stand in a channel or a thread, and tell the app."""
    if channel.archived:
        raise SlackRefusal("is_archived")
    ts = state.next_ts()
    message = Message({"type": "message", **body, "ts": ts})
    message.metadata = deepcopy(dict(metadata)) if metadata else None
    _with_block_ids(message.body)
    root = _join_thread(channel, message, broadcast=broadcast)

    channel.messages[ts] = message
    _tell_posted(state, channel, message)
    if root is not None:
        _tell_root(state, channel, root)
    return message


def edit(
    state: SlackState,
    channel: Channel,
    message: Message,
    new: Mapping[str, Any],
    *,
    editor: str | None,
) -> None:
    """
    Change a message. Without an editor it is a change that nobody made: an unfurl,
    a counter; the app is told all the same.
    """
    before = events.stored(message)
    message.versions.append(deepcopy(message.body))
    ts = state.next_ts()
    message.body = {**message.body, **deepcopy(dict(new))}
    if editor is not None:
        whole = state.setting("edited_ts_whole_seconds")
        edited = f"{ts.split('.')[0]}.000000" if whole else ts
        message.body["edited"] = {"user": editor, "ts": edited}
    _with_block_ids(message.body)

    state.emit(
        channel.team, events.changed(channel, message, before, state.next_ts()), channel
    )
    _publish(state, "edited", channel, message)


def remark(
    state: SlackState,
    channel: Channel,
    message: Message,
    metadata: Mapping[str, Any],
) -> None:
    """Change what an app noted on a message; nobody sees it."""
    message.metadata = deepcopy(dict(metadata))
    if state.setting("metadata_events"):
        kind, ts = "message_metadata_updated", state.next_ts()
        told = events.metadata(kind, channel, message, ts)
        state.emit(channel.team, told, channel)


def delete(state: SlackState, channel: Channel, message: Message) -> None:
    """Remove a message. A root with replies leaves a tombstone that keeps them."""
    if message.replies and message.body.get("subtype") != "tombstone":
        _bury(state, channel, message)
        return
    before = events.stored(message)
    message.deleted = True
    state.emit(channel.team, events.deleted(channel, before, state.next_ts()), channel)
    _publish(state, "deleted", channel, message)
    if message.root:
        _leave_thread(state, channel, message)


def react(
    state: SlackState, channel: Channel, message: Message, user: str, name: str
) -> None:
    """Add a person's reaction, or refuse as reactions.add does."""
    if channel.archived:
        raise SlackRefusal("is_archived")
    if not _EMOJI.fullmatch(name) or name in state.setting("unknown_emoji"):
        raise SlackRefusal("invalid_name")
    users = message.reactions.get(name, [])
    if user in users:
        raise SlackRefusal("already_reacted")
    if not users and len(message.reactions) >= _EMOJI_PER_MESSAGE:
        raise SlackRefusal("too_many_emoji")
    mine = sum(user in others for others in message.reactions.values())
    if mine >= state.setting("reactions_per_user"):
        raise SlackRefusal("too_many_reactions")

    message.reactions.setdefault(name, []).append(user)
    _tell_reaction(state, "reaction_added", channel, message, (user, name))


def unreact(
    state: SlackState, channel: Channel, message: Message, user: str, name: str
) -> None:
    users = message.reactions.get(name, [])
    if user not in users:
        raise SlackRefusal("no_reaction")

    users.remove(user)
    if not users:
        del message.reactions[name]
    _tell_reaction(state, "reaction_removed", channel, message, (user, name))


def person_body(
    state: SlackState, user: str, text: str, blocks: list[dict[str, Any]]
) -> dict[str, Any]:
    """What a message carries when a person's client sent it."""
    team = state.user(user).team
    body: dict[str, Any] = {
        "user": user,
        "text": text,
        "client_msg_id": str(uuid4()),
        "team": team,
    }
    if not blocks:
        return body
    raw = state.setting("rich_text_raw")
    return {**body, "blocks": blocks if raw else compose.escaped(blocks)}


def _with_block_ids(body: dict[str, Any]) -> None:
    for block in body.get("blocks") or []:
        block.setdefault("block_id", uuid4().hex[:5])


def _join_thread(
    channel: Channel, message: Message, *, broadcast: bool
) -> Message | None:
    thread = message.body.get("thread_ts")
    if not thread:
        message.body.pop("thread_ts", None)
        return None
    root = channel.messages.get(thread)
    if root is None or root.deleted or root.root:
        raise SlackRefusal("cannot_reply_to_message")
    root.replies.append(message.ts)
    replier = message.body.get("user") or message.body.get("bot_id")
    if replier and replier not in root.repliers:
        root.repliers.append(replier)
    parent = root.body.get("user")
    if parent:
        message.body["parent_user_id"] = parent
    if broadcast:
        message.body |= {"subtype": "thread_broadcast", "root": events.stored(root)}
    return root


def _tell_posted(state: SlackState, channel: Channel, message: Message) -> None:
    event = events.message(channel, message)
    if message.metadata and state.setting("events_carry_metadata"):
        event["metadata"] = message.metadata
    state.emit(channel.team, event, channel)
    _publish(state, "message", channel, message)

    if message.metadata and state.setting("metadata_events"):
        kind, ts = "message_metadata_posted", state.next_ts()
        state.emit(channel.team, events.metadata(kind, channel, message, ts), channel)
    if "bot_id" not in message.body:
        _tell_what_it_names(state, channel, message)


def _tell_what_it_names(state: SlackState, channel: Channel, message: Message) -> None:
    text = str(message.body.get("text", ""))
    bot = state.installations.get(channel.team)
    if bot is not None and f"<@{bot.bot_user}>" in text:
        state.emit(channel.team, events.mention(channel, message), channel)
    links.tell_shared(state, channel, message)
    if state.setting("link_unfurls") and "<http" in text:
        edit(state, channel, message, {"attachments": [_preview(text)]}, editor=None)


def _preview(text: str) -> dict[str, Any]:
    match = re.search(r"<(https?://[^|>]+)", text)
    url = match.group(1) if match else ""
    return {"id": 1, "from_url": url, "title": "A page", "title_link": url}


def _tell_root(state: SlackState, channel: Channel, root: Message) -> None:
    if state.setting("message_replied_events"):
        told = events.replied(
            channel,
            root,
            state.next_ts(),
            has_subtype=state.setting("message_replied_has_subtype"),
        )
        state.emit(channel.team, told, channel)
    if state.setting("reply_counter_changes"):
        _tell_unchanged(state, channel, root)


def _tell_unchanged(state: SlackState, channel: Channel, message: Message) -> None:
    """Send a message_changed in which no word differs."""
    now = events.stored(message)
    told = events.changed(channel, message, now, state.next_ts())
    state.emit(channel.team, told, channel)


def _bury(state: SlackState, channel: Channel, root: Message) -> None:
    before = events.stored(root)
    root.versions.append(deepcopy(root.body))
    root.body = {
        "type": "message",
        "subtype": "tombstone",
        "text": "This message was deleted.",
        "user": "USLACKBOT",
        "hidden": True,
        "ts": root.ts,
        "thread_ts": root.ts,
    }
    root.reactions.clear()
    state.emit(
        channel.team, events.changed(channel, root, before, state.next_ts()), channel
    )
    for ts in root.replies:
        _tell_unchanged(state, channel, channel.messages[ts])
    _publish(state, "deleted", channel, root)


def _leave_thread(state: SlackState, channel: Channel, reply: Message) -> None:
    root = channel.messages[reply.root]
    root.replies.remove(reply.ts)
    lonely = not root.replies and root.body.get("subtype") == "tombstone"
    if lonely and state.setting("tombstone_vanishes"):
        delete(state, channel, root)
    elif state.setting("reply_counter_changes"):
        _tell_unchanged(state, channel, root)


def _tell_reaction(
    state: SlackState,
    kind: str,
    channel: Channel,
    message: Message,
    who: tuple[str, str],
) -> None:
    user, name = who
    told = events.reaction(kind, channel, message, who, state.next_ts())
    state.emit(channel.team, told, channel)
    state.publish(
        "reaction",
        channel.team,
        channel=channel.id,
        ts=message.ts,
        thread_ts=message.root,
        user=user,
        name=name,
        added=kind == "reaction_added",
    )


def _publish(state: SlackState, kind: str, channel: Channel, message: Message) -> None:
    state.publish(
        kind,
        channel.team,
        channel=channel.id,
        ts=message.ts,
        thread_ts=message.root,
        message=events.stored(message),
    )
