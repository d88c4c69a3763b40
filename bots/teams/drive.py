"""A channel's folder on its team's site, through Microsoft Graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientTimeout,
    ConnectionTimeoutError,
)
from yarl import URL

from bots.teams.connector import in_path, pause_asked_for
from bots.teams.file_hosts import is_store
from bots.teams.graph import Graph, GraphRefused
from bots.teams.wire import mapping, text_of
from bridge.errors import Ambiguous, NotSent, Refused, Throttled
from bridge.file_ports import Kept
from bridge.places import Place

# Graph takes parts of a multiple of 320 KiB, and advises against more than 10 MiB.
_PART = 16 * 320 * 1024
_REPLACE = {"item": {"@microsoft.graph.conflictBehavior": "replace"}}


@dataclass(frozen=True, slots=True)
class DriveItem:
    """A file in a drive. `address` is where people open it."""

    drive: str
    id: str
    address: str


@dataclass(frozen=True, slots=True)
class Drive:
    """
    Keeps files. Raises what `Graph` raises.

    Without a permission to write files for the whole tenant, or for the team's site,
    Graph refuses: the owners' consent covers reading them only.
    """

    graph: Graph

    async def keep(self, place: Place, name: str, kept: Kept) -> DriveItem:
        """Keep a file under a name, in the place of one that has the name already."""
        drive, inside = await self._inside(place, name)
        path = f"{inside}:/createUploadSession"
        begun = await self.graph.change("POST", place.account, path, _REPLACE)
        url = text_of(begun.get("uploadUrl"))
        if not is_store(url, self.graph.base):
            raise Refused("Graph named an address for the file that is not its own")
        told: Mapping[str, Any] = {}
        for first in range(0, kept.size, _PART):
            end = min(first + _PART, kept.size)
            told = await self._part(url, kept, first, end)
        if not (item := text_of(told.get("id"))):
            raise Ambiguous("Graph took the file but gave it no id")
        return DriveItem(drive, item, text_of(told.get("webUrl")))

    async def find(self, place: Place, name: str) -> DriveItem | None:
        """Return the file of that name, if there is one."""
        try:
            drive, inside = await self._inside(place, name)
            told = await self.graph.one(place.account, inside)
        except GraphRefused:
            return None
        return DriveItem(drive, text_of(told.get("id")), text_of(told.get("webUrl")))

    async def remove(self, place: Place, drive: str, item: str) -> None:
        """Remove a file. What is gone is removed."""
        path = f"drives/{in_path(drive)}/items/{in_path(item)}"
        try:
            await self.graph.change("DELETE", place.account, path, None)
        except GraphRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise

    async def _inside(self, place: Place, name: str) -> tuple[str, str]:
        """Return the drive, and the path of a name in the channel's folder."""
        group, channel = in_path(place.group_id), in_path(place.channel)
        path = f"teams/{group}/channels/{channel}/filesFolder"
        folder = await self.graph.one(place.account, path)
        drive = text_of(mapping(folder.get("parentReference")).get("driveId"))
        where = f"drives/{in_path(drive)}/items/{in_path(text_of(folder.get('id')))}"
        return drive, f"{where}:/{quote(name, safe='')}"

    async def _part(
        self, url: str, kept: Kept, first: int, end: int
    ) -> Mapping[str, Any]:
        """Send one part. Its address is its own key: the token stays here."""
        wait = self.graph.session.timeout.total
        try:
            async with self.graph.session.put(
                URL(url, encoded=True),
                data=kept.chunks(first, end),
                headers={
                    "Content-Length": str(end - first),
                    "Content-Range": f"bytes {first}-{end - 1}/{kept.size}",
                },
                allow_redirects=False,
                timeout=ClientTimeout(total=None, connect=wait, sock_read=wait),
            ) as answer:
                content, status = await answer.read(), answer.status
                headers = answer.headers
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise NotSent("Microsoft Graph does not answer") from error
        except (ClientError, TimeoutError, OSError) as error:
            raise Ambiguous("Microsoft Graph did not take the file") from error
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Throttled("Graph said 429", pause_asked_for(headers))
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Ambiguous(f"Graph said {status} to a part of the file")
        try:
            return mapping(orjson.loads(content or b"{}"))
        except ValueError as error:
            raise Ambiguous("Graph's answer cannot be read") from error
