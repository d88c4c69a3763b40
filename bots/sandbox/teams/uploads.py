"""Files and pictures that people, and bots, put into messages."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from bots.sandbox.teams.errors import bad_argument
from bots.sandbox.teams.model import Channel, File
from bots.sandbox.world import World

_INLINE = re.compile(r'src="data:(image/[a-z]+);base64,([A-Za-z0-9+/=]*)"')

Attachments = list[dict[str, Any]]


def uploaded(
    world: World, channel: Channel, asked: Mapping[str, Any], html: str
) -> tuple[str, Attachments]:
    """
    Keep the bytes, and return the message's HTML and attachments.

    "files" are several of them in one message. A pasted picture is served by the
    connector; any other file lies on the team's site, and the activity tells only its
    number.
    """
    attachments: Attachments = []
    for one in asked.get("files") or [asked]:
        file = _file(channel, one)
        world.teams.files[file.id] = file
        attachments.append(_attachment(world, channel, file))
    said = html if asked.get("text") or asked.get("html") else ""
    return said + markup(attachments), attachments


def markup(attachments: Attachments) -> str:
    """Return how a message's HTML shows what is attached to it."""
    return "".join(_shown(attachment) for attachment in attachments)


def without_inline(html: str) -> str:
    """Return HTML without the bytes of pictures: these do not count as its length."""
    return _INLINE.sub('src=""', html)


def hosted(world: World, channel: Channel, html: str) -> str:
    """Keep the pictures that a bot wrote into its HTML, as Teams does."""

    def kept(found: re.Match[str]) -> str:
        file = File(
            str(uuid4()),
            "image",
            found[1],
            b64decode(found[2]),
            channel.id,
            pasted=True,
        )
        world.teams.files[file.id] = file
        return f'src="{escape(_view(world, channel, file))}"'

    return _INLINE.sub(kept, html)


def _attachment(world: World, channel: Channel, file: File) -> dict[str, Any]:
    if file.pasted:
        url = _view(world, channel, file)
        return {
            "id": file.id,
            "contentType": "image/*",
            "contentUrl": url,
            "name": file.name,
        }
    url = f"{world.base_url}/teams/sharepoint/{file.id}/{quote(file.name)}"
    return {
        "id": file.id,
        "contentType": "reference",
        "contentUrl": url,
        "name": file.name,
    }


def _shown(attachment: Mapping[str, Any]) -> str:
    number = attachment.get("id", "")
    if attachment.get("contentType") == "reference":
        return f'<attachment id="{number}"></attachment>'
    url = escape(str(attachment.get("contentUrl", "")))
    return f'<p><img alt="image" src="{url}" itemid="{number}"></p>'


def _view(world: World, channel: Channel, file: File) -> str:
    region = world.teams.tenants[channel.tenant].region
    service = f"{world.base_url}/teams/connector/{region}"
    return f"{service}/v3/attachments/{file.id}/views/original"


def _file(channel: Channel, asked: Mapping[str, Any]) -> File:
    try:
        content = b64decode(str(asked.get("content_base64", "")), validate=True)
    except NotBase64:
        raise bad_argument("'content_base64' is not base64") from None
    content = content or str(asked.get("content", "")).encode("utf-8", "replace")
    return File(
        str(uuid4()),
        str(asked.get("name") or "file.txt"),
        str(asked.get("media_type") or "application/octet-stream"),
        content,
        channel.id,
        bool(asked.get("pasted")),
        int(asked.get("size") or 0),
    )
