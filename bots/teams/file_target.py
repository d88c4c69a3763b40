"""
Let files stand in Teams, below the copies of their messages.

A small picture stands in a message of ATOM's own, which takes no right that owners do
not give. Any other file is kept in the channel's folder, as people's files are, and a
message in the thread leads to it. It has the same name there at every attempt, so that
storing it twice stores it once.
"""

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from bots.teams.connector import Connector, Gone, activities
from bots.teams.content import plain_name
from bots.teams.drive import Drive, DriveItem
from bots.teams.graph import Graph, GraphRefused
from bots.teams.groups import grouped
from bots.teams.pictures import Picture, picture
from bots.teams.places import place_of, threaded
from bots.teams.wire import text_of
from bridge.errors import (
    Ambiguous,
    CannotTell,
    NotSent,
    Refused,
    ServiceUnavailable,
)
from bridge.file_ports import Kept, Parcel
from bridge.filenames import marked_name
from bridge.files import Fate, StaysBehind, size_said
from bridge.messages import Platform
from bridge.places import Place, PlaceBook
from bridge.reactions import Spot

_LARGEST_PICTURE = 1_000_000
_WIDEST_PICTURE = 1024
_SPOKEN = {Platform.SLACK: "Slack", Platform.TEAMS: "Teams"}
_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class TeamsFileTarget:
    """
    Implements `bridge.file_ports.FileTarget`.

    A file's id is that of the message which shows it, and then those of its drive and
    of itself there if it is kept in one.
    """

    connector: Connector
    graph: Graph
    drive: Drive
    places: PlaceBook
    app_id: str

    async def put(self, parcel: Parcel, kept: Kept) -> str:
        place = await place_of(self.places, parcel.target)
        if shown := await _small_picture(kept):
            content = b"".join([chunk async for chunk in kept.chunks()])
            return await self._post(place, parcel, _picture(parcel, shown, content))
        item = await self._keep(place, parcel, kept)
        size = size_said(kept.size)
        told = await self._post(place, parcel, _caption(parcel, item.address, size))
        return f"{told} {item.drive} {item.id}"

    async def find(self, parcel: Parcel, since_us: int) -> str | None:
        """Look through the thread for a message that carries our mark."""
        place = await place_of(self.places, parcel.target)
        try:
            place = await grouped(self.connector, self.places, place)
            posted = await self.graph.posted_by(
                self.app_id, place, parcel.thread, since_us
            )
            marked = [p for p in posted if parcel.mark in p.html and not p.deleted]
            if not marked:
                _refuse_to_guess(parcel)
                return None
            told = min(marked, key=lambda p: p.created_us).id
            name = marked_name(parcel.name, parcel.mark)
            item = await self.drive.find(place, name)
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        except (Ambiguous, Refused) as error:
            raise CannotTell(str(error)) from error
        return f"{told} {item.drive} {item.id}" if item else told

    async def remove(self, spot: Spot, remote: str) -> None:
        told, *item = remote.split(" ")
        place = await place_of(self.places, spot.channel)
        if len(item) == 2:  # noqa: PLR2004 - the drive and the item
            try:
                await self.drive.remove(place, *item)
            except GraphRefused as refused:
                raise Refused(str(refused)) from refused
            except ServiceUnavailable as error:
                raise NotSent(str(error)) from error
        root = spot.thread or spot.message
        path = activities(threaded(spot.channel.id, root), told)
        try:
            await self.connector.call("DELETE", place.service_url, path)
        except Gone:
            return

    async def _keep(self, place: Place, parcel: Parcel, kept: Kept) -> DriveItem:
        name = marked_name(parcel.name, parcel.mark)
        try:
            place = await grouped(self.connector, self.places, place)
            return await self.drive.keep(place, name, kept)
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        except GraphRefused as refused:
            if refused.status in _FORBIDDEN:
                reason = f"Graph said {refused.status}"
                raise StaysBehind(Fate.UNKEPT, reason) from refused
            raise Refused(str(refused)) from refused
        except CannotTell as error:
            raise StaysBehind(Fate.UNKEPT, str(error)) from error

    async def _post(self, place: Place, parcel: Parcel, html: str) -> str:
        body = {"type": "message", "textFormat": "xml", "text": html}
        path = activities(threaded(parcel.target.id, parcel.thread))
        answer = await self.connector.call("POST", place.service_url, path, body)
        if told := text_of(answer.get("id")):
            return told
        raise Ambiguous("Teams took the file's message but gave it no id")


async def _small_picture(kept: Kept) -> Picture | None:
    """Return the picture if Teams shows it inside a message."""
    if kept.size > _LARGEST_PICTURE:
        return None
    shown = picture(b"".join([chunk async for chunk in kept.chunks()]))
    if shown is None or max(shown.width, shown.height) > _WIDEST_PICTURE:
        return None
    return shown


def _picture(parcel: Parcel, shown: Picture, content: bytes) -> str:
    encoded = b64encode(content).decode()
    image = (
        f'<img src="data:{shown.mime};base64,{encoded}" alt="{escape(parcel.name)}" '
        f'width="{shown.width}" height="{shown.height}">'
    )
    return f"{_caption(parcel, parcel.page)}<p>{image}</p>"


def _caption(parcel: Parcel, address: str, size: str = "") -> str:
    """Return a line that names the file, and marks it where an address can."""
    name = escape(parcel.name)
    if address:
        marked = escape(f"{address}#{parcel.mark}")
        name = f'<a href="{marked}">{name}</a>'
    whose = escape(plain_name(parcel.author.name) or "Somebody")
    told = f" ({size})" if size else ""
    return f"<p>📎 {name}{told} · {whose} ({_SPOKEN[parcel.origin]})</p>"


def _refuse_to_guess(parcel: Parcel) -> None:
    """Raise `CannotTell` for what could be there without a mark."""
    if not parcel.page and parcel.mime.startswith("image/"):
        raise CannotTell("the answer was lost, and a picture carries no mark")
