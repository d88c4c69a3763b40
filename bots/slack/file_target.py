"""
Let files stand in Slack, below the copies of their messages.

slack_sdk's upload in one call reads the whole file into memory; its three steps are
made here one by one, and the bytes go out as they are read. Only the last one shows
anything, and it marks what it shows: a block carries the mark as its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientTimeout,
    ConnectionTimeoutError,
)
from yarl import URL

from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.payload import mapping, mappings, string, timestamp
from bots.slack.sender import sender_name
from bridge.errors import Ambiguous, CannotTell, NotSent, Refused
from bridge.file_ports import Kept, Parcel
from bridge.files import Fate, StaysBehind
from bridge.reactions import Spot

_MARK = "atom_file_"
_PAGE = 200
_PAGES = 20
_GONE = {"file_not_found", "file_deleted", "message_not_found"}
_UNKEPT = {
    "file_type_not_allowed",
    "file_upload_size_restricted",
    "file_uploads_disabled",
    "missing_scope",
    "storage_limit_reached",
}
_HOST = ".slack.com"


@dataclass(frozen=True, slots=True)
class SlackFileTarget:
    """Implements `bridge.file_ports.FileTarget`."""

    clients: Clients

    async def put(self, parcel: Parcel, kept: Kept) -> str:
        client = await self.clients.of(parcel.target.team)
        try:
            room = await done(
                client.files_getUploadURLExternal(
                    filename=parcel.name, length=kept.size
                )
            )
            file, url = string(room, "file_id"), string(room, "upload_url")
            if not file:
                raise Ambiguous("Slack did not say where the file goes.")
            await self._send(url, kept)
            await done(
                client.api_call(
                    "files.completeUploadExternal",
                    params={
                        "files": orjson.dumps(
                            [{"id": file, "title": parcel.name}]
                        ).decode(),
                        "channel_id": parcel.target.id,
                        "thread_ts": parcel.thread,
                        "blocks": orjson.dumps(_blocks(parcel)).decode(),
                    },
                )
            )
        except SlackRefused as refused:
            if refused.code in _UNKEPT:
                raise StaysBehind(Fate.UNKEPT, refused.code) from refused
            raise
        return file

    async def find(self, parcel: Parcel, since_us: int) -> str | None:
        """Look through the thread for the block that carries our mark."""
        client = await self.clients.of(parcel.target.team)
        cursor = ""
        for _ in range(_PAGES):
            try:
                page = await done(
                    client.conversations_replies(
                        channel=parcel.target.id,
                        ts=parcel.thread,
                        oldest=timestamp(since_us),
                        cursor=cursor or None,
                        limit=_PAGE,
                    )
                )
            except Ambiguous as error:
                raise NotSent(str(error)) from error
            except Refused as refused:
                raise CannotTell(str(refused)) from refused
            for message in mappings(page, "messages"):
                if _is_marked(message, parcel) and (file := _file(message)):
                    return file
            cursor = string(mapping(page, "response_metadata"), "next_cursor")
            if not cursor:
                return None
        raise CannotTell(
            "Too much was said since: the file was not looked for further."
        )

    async def remove(self, spot: Spot, remote: str) -> None:
        client = await self.clients.of(spot.channel.team)
        try:
            told = await done(client.files_info(file=remote))
        except SlackRefused as refused:
            if refused.code in _GONE:
                return
            raise
        team, channel = spot.channel.team, spot.channel.id
        for ts in _shown_at(
            mapping(told, "file"), await self.clients.id_now(team, channel)
        ):
            await _unless_gone(client.chat_delete(channel=spot.channel.id, ts=ts))
        await _unless_gone(client.files_delete(file=remote))

    async def _send(self, url: str, kept: Kept) -> None:
        """Send the bytes. Nothing shows yet, so it is safe to do it again."""
        if not self._is_slacks(url):
            raise Refused("Slack named an address for the file that is not its own")
        wait = self.clients.session.timeout.total
        try:
            async with self.clients.session.post(
                URL(url, encoded=True),
                data=kept.chunks(),
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(kept.size),
                },
                allow_redirects=False,
                timeout=ClientTimeout(total=None, connect=wait, sock_read=wait),
            ) as answer:
                status = answer.status
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise NotSent("Slack cannot be reached.") from error
        except (ClientError, TimeoutError, OSError) as error:
            raise Ambiguous("Slack did not take the file.") from error
        if status != HTTPStatus.OK:
            raise Ambiguous(f"Slack says {status} to the file.")

    def _is_slacks(self, url: str) -> bool:
        try:
            origin = URL(url).origin()
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        own = origin == URL(self.clients.api_url).origin()
        return own or (origin.scheme == "https" and host.endswith(_HOST))


def _blocks(parcel: Parcel) -> list[dict[str, Any]]:
    """Say whose file it is: Slack shows it under ATOM's own name."""
    text = f"From {sender_name(parcel.author, parcel.origin)}"
    plain = {"type": "plain_text", "text": text, "emoji": False}
    block_id = _MARK + parcel.mark
    return [{"type": "context", "block_id": block_id, "elements": [plain]}]


def _is_marked(message: Mapping[str, Any], parcel: Parcel) -> bool:
    ids = {string(block, "block_id") for block in mappings(message, "blocks")}
    return _MARK + parcel.mark in ids


def _file(message: Mapping[str, Any]) -> str:
    return next((string(f, "id") for f in mappings(message, "files")), "")


def _shown_at(file: Mapping[str, Any], channel: str) -> list[str]:
    """Return where in the channel a file shows."""
    shares = mapping(file, "shares")
    return [
        string(place, "ts")
        for kind in ("public", "private")
        for place in mappings(mapping(shares, kind), channel)
        if string(place, "ts")
    ]


async def _unless_gone(call: Any) -> None:
    try:
        await done(call)
    except SlackRefused as refused:
        if refused.code not in _GONE:
            raise
