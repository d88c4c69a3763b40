"""The chat.* methods: how an app writes."""

import re
from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import compose, entities, messages, seed
from bots.sandbox.slack.blocks import check_blocks
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.events import stored
from bots.sandbox.slack.model import Channel, Installation, Message
from bots.sandbox.slack.state import SlackState

_CUSTOM = ("username", "icon_url", "icon_emoji")
_MARKDOWN_LIMIT = 12_000
_ATTACHMENTS = 100
_NAMED = re.compile(r"(?<![\w<])[@#]([\w.-]+)")


def post_message(call: Call) -> Answer:
    channel = call.channel(member=True)
    body = bot_body(call.state, call.me, call.args) | _content(call)
    if any(call.args.get(name) for name in _CUSTOM):
        call.need("chat:write.customize")
    if call.text("thread_ts"):
        body["thread_ts"] = call.text("thread_ts")

    metadata, warned = _metadata(call)
    message = messages.post(
        call.state,
        channel,
        body,
        metadata=metadata,
        broadcast=call.flag("reply_broadcast"),
    )
    answer = {"channel": channel.id, "ts": message.ts, "message": _shown(message)}
    return answer | warned


def update(call: Call) -> Answer:
    channel = call.channel()
    message = call.state.message(channel, call.text("ts"))
    if not owns(call.me, message):
        raise SlackRefusal("cant_update_message")
    _refuse_late(call, message)
    if len(call.text("text")) > call.state.setting("update_text_limit"):
        raise SlackRefusal("msg_too_long")

    new = {"blocks": [], "attachments": []} | _content(call)
    editor = message.body.get("user") or message.body.get("bot_id")
    marked = editor if call.state.setting("bot_update_marks_edited") else None
    metadata, warned = _metadata(call)
    if metadata is not None:
        messages.remark(call.state, channel, message, metadata)
    messages.edit(call.state, channel, message, new, editor=marked)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.body["text"],
        "message": _shown(message),
        **warned,
    }


def delete(call: Call) -> Answer:
    channel = call.channel()
    message = call.state.message(channel, call.text("ts"))
    if not owns(call.me, message):
        raise SlackRefusal("cant_delete_message")
    messages.delete(call.state, channel, message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(call: Call) -> Answer:
    channel = call.channel(member=True)
    user = call.text("user")
    if user not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    said = bot_body(call.state, call.me, call.args) | _content(call)
    thread = call.text("thread_ts")
    ts = whisper(call.state, channel, user, said | {"thread_ts": thread})
    return {"message_ts": ts}


def get_permalink(call: Call) -> Answer:
    channel = call.channel()
    message = call.state.message(channel, call.text("message_ts"))
    domain = call.state.workspace(channel.team).domain
    link = f"https://{domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.root:
        link += f"?thread_ts={message.root}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def owns(me: Installation, message: Message) -> bool:
    """Whether the app wrote it."""
    gone = message.body.get("subtype") == "tombstone"
    return not gone and message.body.get("bot_id") == me.bot_id


def bot_body(
    state: SlackState, me: Installation, args: Mapping[str, Any]
) -> dict[str, Any]:
    """Whom a message of the app is from: itself, or whom it says it is."""
    if not any(args.get(name) for name in _CUSTOM):
        return {
            "user": me.bot_user,
            "bot_id": me.bot_id,
            "app_id": seed.APP_ID,
            "team": me.team,
            "bot_profile": bot_profile(me),
        }
    body: dict[str, Any] = {
        "subtype": "bot_message",
        "bot_id": me.bot_id,
    }
    if state.setting("bot_message_has_username"):
        body["username"] = args.get("username") or seed.APP_NAME
    if args.get("icon_url"):
        sizes = ("image_36", "image_48", "image_72")
        body["icons"] = dict.fromkeys(sizes, args["icon_url"])
    elif args.get("icon_emoji"):
        body["icons"] = {"emoji": args["icon_emoji"]}
    if state.setting("bot_message_has_app_id"):
        body["app_id"] = seed.APP_ID
    return body


def bot_profile(me: Installation) -> dict[str, Any]:
    icons = {f"image_{size}": "" for size in (36, 48, 72)}
    return {
        "id": me.bot_id,
        "app_id": seed.APP_ID,
        "user_id": me.bot_user,
        "name": seed.APP_NAME,
        "icons": icons,
        "deleted": False,
        "updated": 1_700_000_000,
        "team_id": me.team,
    }


def whisper(
    state: SlackState, channel: Channel, user: str, said: Mapping[str, Any]
) -> str:
    """Show something to one person only, and keep it where tests can see it."""
    ts = state.next_ts()
    shown = {
        **said,
        "team": channel.team,
        "channel": channel.id,
        "to": user,
        "ts": ts,
    }
    state.ephemerals.append(shown)
    state.publish("ephemeral", channel.team, channel=channel.id, message=shown)
    return ts


def content(state: SlackState, args: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Text, blocks and attachments as Slack stores them, or a refusal."""
    blocks, attachments = args.get("blocks") or [], args.get("attachments") or []
    if not text and not blocks and not attachments:
        raise SlackRefusal("no_text")
    if len(attachments) > _ATTACHMENTS:
        raise SlackRefusal("too_many_attachments")
    check_blocks(blocks, total=state.setting("blocks_limit"))
    text = text[: state.setting("post_text_limit")]
    if text and not blocks and state.setting("text_gets_blocks"):
        plain = args.get("mrkdwn") is False
        blocks = (
            compose.literal(compose.decode(text)) if plain else compose.blocks_of(text)
        )
    made: dict[str, Any] = {"text": text}
    if blocks:
        made["blocks"] = blocks
    return made | ({"attachments": attachments} if attachments else {})


def _content(call: Call) -> dict[str, Any]:
    text, markdown = call.text("text"), call.text("markdown_text")
    if markdown:
        if text or call.args.get("blocks"):
            raise SlackRefusal("markdown_text_conflict")
        if len(markdown) > _MARKDOWN_LIMIT:
            raise SlackRefusal("msg_too_long")
        text = markdown
    text = compose.normalised(text)
    if call.flag("link_names") or call.text("parse") == "full":
        text = _NAMED.sub(lambda match: _meant(call, match), text)
    return content(call.state, call.args, text)


def _meant(call: Call, match: re.Match[str]) -> str:
    """What a bare @name or #name becomes when the app asks for it."""
    written, name = match.group(), match.group(1)
    if written.startswith("#"):
        for channel in call.state.channels.values():
            if (channel.team, channel.name) == (call.me.team, name):
                return f"<#{channel.id}|{name}>"
        return written
    if name in {"here", "channel", "everyone"}:
        return f"<!{name}>"
    for user in call.state.users.values():
        if (user.team, user.name) == (call.me.team, name):
            return f"<@{user.id}>"
    return written


def _metadata(call: Call) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Return what to keep, and the warning about what is left out of it."""
    metadata = call.args.get("metadata")
    if metadata is None:
        return None, {}
    shaped = isinstance(metadata.get("event_payload"), dict)
    shaped = shaped and isinstance(metadata.get("event_type"), str)
    if not shaped and not metadata.get("entities"):
        raise SlackRefusal("invalid_metadata_format")
    found, warning = entities.given(call)
    kept = {name: part for name, part in metadata.items() if name != "entities"}
    if found:
        kept["entities"] = found
    if len(str(metadata)) > call.state.setting("metadata_limit"):
        raise SlackRefusal("metadata_too_large")
    return kept, {"warning": warning} if warning else {}


def _refuse_late(call: Call, message: Message) -> None:
    window = call.state.setting("edit_window_seconds")
    if window and call.state.now() - float(message.ts.split(".")[0]) > window:
        raise SlackRefusal("edit_window_closed")


def _shown(message: Message) -> dict[str, Any]:
    shown = stored(message)
    return shown | ({"metadata": message.metadata} if message.metadata else {})


def _no_upload(_call: Call) -> Answer:
    raise SlackRefusal("method_deprecated")


CALLS: Mapping[str, Serve] = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
    "files.upload": _no_upload,
}
