"""Files and pictures that people put into messages."""

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


def uploaded(
    world: World, channel: Channel, asked: Mapping[str, Any], html: str
) -> tuple[str, list[dict[str, Any]]]:
    """
    Keep the bytes, and return the message's HTML and attachments.

    A pasted picture is served by the connector; any other file lies on the team's
    site, and the activity tells only its number.
    """
    file = _file(channel, asked)
    world.teams.files[file.id] = file
    said = html if asked.get("text") or asked.get("html") else ""
    if file.pasted:
        region = world.teams.tenants[channel.tenant].region
        service = f"{world.base_url}/teams/connector/{region}"
        url = f"{service}/v3/attachments/{file.id}/views/original"
        picture = f'<p><img alt="image" src="{escape(url)}" itemid="{file.id}"></p>'
        kind = {"contentType": "image/*", "contentUrl": url, "name": file.name}
        return said + picture, [kind]

    url = f"{world.base_url}/teams/sharepoint/{file.id}/{quote(file.name)}"
    reference = {
        "id": file.id,
        "contentType": "reference",
        "contentUrl": url,
        "name": file.name,
    }
    return f'{said}<attachment id="{file.id}"></attachment>', [reference]


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
    )
