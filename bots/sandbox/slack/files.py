"""Files: announced, uploaded, shared, downloaded."""

import asyncio
import mimetypes
from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from bots.sandbox.slack import compose, messages
from bots.sandbox.slack.blocks import check_blocks
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.chat import bot_body
from bots.sandbox.slack.errors import SlackRefusal, invalid_arguments
from bots.sandbox.slack.model import Channel, File, Installation, Kind, Message
from bots.sandbox.slack.state import SlackState

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head>"
    "<body><h1>Sign in to your workspace</h1></body></html>"
)
_CHANNELS = 100


def announce(call: Call) -> Answer:
    """Give out where the bytes go."""
    length = call.args["length"]
    if length < 1:
        raise invalid_arguments("must be more than 0 [json-pointer:/length]")
    if length > call.state.setting("file_size_limit"):
        raise SlackRefusal("file_upload_size_restricted")
    file = make(
        call.state, call.me.team, call.me.bot_user, call.text("filename"), length
    )
    file.alt_text = call.text("alt_txt")
    ticket = call.state.tickets.issue("upload", file.id, seconds=600.0)
    url = f"{call.base}/slack/upload/{ticket}"
    return {"upload_url": url, "file_id": file.id}


def complete(call: Call) -> Answer:
    """Turn uploads into files, and share them if a channel is named."""
    files = [_uploaded(call, entry) for entry in call.args["files"]]
    channels = [_target(call, name) for name in _targets(call)]
    comment = compose.normalised(call.text("initial_comment"))
    blocks = _blocks(call, comment)
    for file in files:
        file.completed = True
    if channels:
        body = _bot_share(call) | {"text": comment}
        body |= {"blocks": blocks} if blocks else {}
        if call.text("thread_ts"):
            body["thread_ts"] = call.text("thread_ts")
        call.tasks.spawn(_share_later(call, channels, body, files))
    return {"files": [{"id": file.id, "title": file.title} for file in files]}


def info(call: Call) -> Answer:
    file = call.state.file(call.text("file"))
    if file.team != call.me.team or not visible(call.state, call.me, file):
        raise SlackRefusal("file_not_found")
    return {"file": wire(call.state, file, call.base), "comments": []}


def remove(call: Call) -> Answer:
    file = call.state.file(call.text("file"))
    if file.user != call.me.bot_user:
        raise SlackRefusal("cant_delete_file")
    erase(call.state, file)
    return {}


def make(state: SlackState, team: str, user: str, name: str, length: int) -> File:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = File(state.next_id("F"), team, user, name, name, length, kind, state.now())
    state.files[file.id] = file
    return file


def share(
    state: SlackState,
    channel: Channel,
    body: Mapping[str, Any],
    files: list[File],
    base: str,
) -> Message:
    """Post files in a channel; events tell of the message and of each file."""
    shown = [wire(state, file, base) for file in files]
    said = {
        "subtype": "file_share",
        **body,
        "files": shown,
        "upload": False,
        "display_as_bot": False,
    }
    message = messages.post(state, channel, said)
    for file in files:
        file.shares.append((channel.id, message.ts))
        told = {
            "type": "file_shared",
            "file_id": file.id,
            "user_id": file.user,
            "file": {"id": file.id},
            "channel_id": channel.id,
            "event_ts": state.next_ts(),
        }
        state.emit(channel.team, told, channel)
        state.publish("file", channel.team, channel=channel.id, file=file.id)
    return message


def erase(state: SlackState, file: File) -> None:
    """Delete a file everywhere; messages keep a tombstone of it."""
    file.deleted = True
    file.content = None
    for channel_id, ts in file.shares:
        channel = state.channels[channel_id]
        message = channel.messages[ts]
        rest = [
            {"id": one["id"], "mode": "tombstone"} if one["id"] == file.id else one
            for one in message.body.get("files", [])
        ]
        if not message.deleted:
            messages.edit(state, channel, message, {"files": rest}, editor=None)
    told = {"type": "file_deleted", "file_id": file.id, "event_ts": state.next_ts()}
    state.emit(file.team, told)


def visible(state: SlackState, me: Installation, file: File) -> bool:
    """Whether the app may see a file: its own, or one where it is."""
    if file.user == me.bot_user:
        return True
    return any(me.bot_user in state.channels[one].members for one, _ts in file.shares)


def wire(state: SlackState, file: File, base: str) -> dict[str, Any]:
    """A file as messages and files.info show it."""
    place = f"{base}/slack/files/files-pri/{file.team}-{file.id}"
    domain = state.workspace(file.team).domain
    suffix = PurePath(file.name).suffix.removeprefix(".")
    return {
        "id": file.id,
        "created": int(file.created),
        "timestamp": int(file.created),
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": suffix or "binary",
        "pretty_type": suffix.upper() or "Binary",
        "user": file.user,
        "user_team": file.team,
        "editable": False,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": True,
        "file_access": "visible",
        "alt_txt": file.alt_text,
        "url_private": f"{place}/{file.name}",
        "url_private_download": f"{place}/download/{file.name}",
        "permalink": f"https://{domain}.slack.com/files/{file.user}/{file.id}/{file.name}",
        "shares": _shares(state, file),
    }


def _shares(state: SlackState, file: File) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for channel_id, ts in file.shares:
        kind = state.channels[channel_id].kind
        group = shown.setdefault("public" if kind is Kind.PUBLIC else "private", {})
        group.setdefault(channel_id, []).append({"ts": ts, "reply_users": []})
    return shown


def _uploaded(call: Call, entry: Any) -> File:
    if not isinstance(entry, dict) or not entry.get("id"):
        raise invalid_arguments("missing required field: id [json-pointer:/files/0]")
    file = call.state.file(str(entry["id"]))
    if file.team != call.me.team or file.content is None:
        raise SlackRefusal("file_not_found")
    file.title = str(entry.get("title") or file.title)
    return file


def _targets(call: Call) -> list[str]:
    named = [call.text("channel_id"), *call.text("channels").split(",")]
    names = [name for name in named if name]
    if len(names) > _CHANNELS:
        raise SlackRefusal("channels_limit_exceeded")
    return names


def _target(call: Call, name: str) -> Channel:
    channel = call.state.reachable(call.me, name, "")
    if call.me.bot_user not in channel.members:
        raise SlackRefusal("not_in_channel")
    if channel.archived:
        raise SlackRefusal("posting_to_channel_denied")
    return channel


def _blocks(call: Call, comment: str) -> list[dict[str, Any]]:
    raw = call.args.get("blocks")
    if raw and comment:
        raise invalid_arguments("blocks and initial_comment exclude each other")
    if not raw:
        return compose.blocks_of(comment) if comment else []
    check_blocks(raw)
    marked = any(block["type"] == "markdown" for block in raw)
    if marked and not call.state.setting("file_comments_take_markdown"):
        raise SlackRefusal("internal_error")
    return list(raw)


def _bot_share(call: Call) -> dict[str, Any]:
    custom = call.args if call.state.setting("file_share_has_username") else {}
    body = bot_body(call.state, call.me, custom)
    body.pop("subtype", None)
    if not call.state.setting("file_share_has_bot_id"):
        body.pop("bot_id", None)
    return body | {"user": call.me.bot_user}


async def _share_later(
    call: Call, channels: list[Channel], body: Mapping[str, Any], files: list[File]
) -> None:
    await asyncio.sleep(call.state.setting("file_share_delay"))
    for channel in channels:
        # The caller was answered already: what is refused now stays unshared.
        with suppress(SlackRefusal):
            share(call.state, channel, body, files, call.base)


CALLS: Mapping[str, Serve] = {
    "files.getUploadURLExternal": announce,
    "files.completeUploadExternal": complete,
    "files.info": info,
    "files.delete": remove,
}
