"""Read a file as Slack's events and methods describe it."""

from collections.abc import Mapping
from typing import Any

from bots.slack.payload import number, string
from bridge.messages import File


def described(file: Mapping[str, Any]) -> File:
    return File(
        id=string(file, "id"),
        name=string(file, "name") or string(file, "title"),
        mime=string(file, "mimetype"),
        size=number(file, "size"),
        url=string(file, "url_private_download") or string(file, "url_private"),
        page=string(file, "permalink"),
    )
