"""
Fetch files from Teams: pasted pictures from its connector, all others through Graph.

An activity tells only the number of a file that lies on the team's site; Graph tells
the rest, with the owners' consent to reading messages and files.
"""

from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import ClientError, ClientTimeout
from yarl import URL

from bots.teams.connector import Connector, Gone, in_path, pause_asked_for
from bots.teams.file_hosts import is_connectors, is_graphs, is_store
from bots.teams.graph import Graph, GraphRefused
from bots.teams.groups import grouped
from bots.teams.places import place_of
from bots.teams.wire import mapping, mappings, text_of
from bridge.errors import (
    CannotTell,
    NotGiven,
    NotSent,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from bridge.files import Fate, StaysBehind
from bridge.messages import File
from bridge.places import Place, PlaceBook
from bridge.reactions import Spot

_CHUNK = 64 * 1024
_HTML = "text/html"
_ATTACHMENT = "/v3/attachments/"
_REDIRECTS = {HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_FORBIDDEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class TeamsFiles:
    """Implements `bridge.file_ports.FileSource`."""

    connector: Connector
    graph: Graph
    places: PlaceBook

    async def look(self, spot: Spot, file: File) -> File:
        place = await place_of(self.places, spot.channel)
        try:
            if not file.url:
                file = await self._attached(place, spot, file)
            if is_connectors(file.url, place.service_url):
                return await self._pasted(place, file)
            if is_graphs(file.url, self.graph.base):
                return file
            if file.mime.startswith("image/"):
                # A picture that is only shown here: it lies on somebody's server.
                raise StaysBehind(Fate.ELSEWHERE)
            return await self._shared(place, file)
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        except GraphRefused as refused:
            if refused.status in _GONE:
                raise StaysBehind(Fate.GONE) from refused
            raise Refused(str(refused)) from refused
        except CannotTell as error:
            raise Refused(str(error)) from error

    async def read(self, spot: Spot, file: File) -> AsyncGenerator[bytes, None]:
        place = await place_of(self.places, spot.channel)
        url, token = file.url, await self._token(place, file.url)
        wait = self.connector.session.timeout.total
        timeout = ClientTimeout(total=None, connect=wait, sock_read=wait)
        try:
            for _ in range(2):
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                async with self.connector.session.get(
                    URL(url, encoded=True),
                    headers={**headers, "Accept-Encoding": "identity"},
                    allow_redirects=False,
                    timeout=timeout,
                ) as answer:
                    if answer.status in _REDIRECTS:
                        url, token = self._onward(answer.headers), ""
                        continue
                    _judge(answer.status, answer.headers, file)
                    async for chunk in answer.content.iter_chunked(_CHUNK):
                        yield chunk
                    return
        except (ClientError, TimeoutError, OSError) as error:
            raise NotSent("Teams does not give the file out") from error
        raise NotGiven("Graph sent ATOM from one place to the next")

    async def _token(self, place: Place, url: str) -> str:
        """Return the token that this address may see, and no other."""
        try:
            if is_connectors(url, place.service_url):
                return await self.connector.tokens.connector()
            if is_graphs(url, self.graph.base):
                return await self.graph.tokens.graph(place.account)
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        raise StaysBehind(Fate.ELSEWHERE)

    def _onward(self, headers: Mapping[str, str]) -> str:
        """Return where the bytes are; that address is its own key."""
        url = headers.get("Location", "")
        if not is_store(url, self.graph.base):
            raise StaysBehind(Fate.ELSEWHERE, "Graph leads to a place that is not its")
        return url

    async def _attached(self, place: Place, spot: Spot, file: File) -> File:
        """Ask Graph for what the activity told only the number of."""
        place = await grouped(self.connector, self.places, place)
        group, channel = in_path(place.group_id), in_path(place.channel)
        message = in_path(spot.thread or spot.message)
        path = f"teams/{group}/channels/{channel}/messages/{message}"
        if spot.thread:
            path += f"/replies/{in_path(spot.message)}"
        told = await self.graph.one(place.account, path)
        for attachment in mappings(told.get("attachments")):
            if text_of(attachment.get("id")) == file.id:
                if attachment.get("contentType") != "reference":
                    raise StaysBehind(Fate.NO_FILE)
                url = text_of(attachment.get("contentUrl"))
                name = text_of(attachment.get("name"))
                return replace(file, name=name or file.name, url=url, page=url)
        raise NotGiven("Graph does not tell of the file yet")

    async def _pasted(self, place: Place, file: File) -> File:
        """Ask the connector what a picture is, which its address does not tell."""
        number = file.url.partition(_ATTACHMENT)[2].partition("/")[0]
        path = f"v3/attachments/{number}"
        try:
            told = await self.connector.call("GET", place.service_url, path)
        except Gone as gone:
            raise StaysBehind(Fate.GONE) from gone
        views = {text_of(v.get("viewId")): v for v in mappings(told.get("views"))}
        return replace(
            file,
            name=text_of(told.get("name")) or file.name,
            mime=text_of(told.get("type")) or file.mime,
            size=_size(views.get("original", {})),
        )

    async def _shared(self, place: Place, file: File) -> File:
        encoded = urlsafe_b64encode(file.url.encode("utf-8", "replace"))
        item = f"shares/u!{encoded.decode().rstrip('=')}/driveItem"
        told = await self.graph.one(place.account, item)
        return replace(
            file,
            name=text_of(told.get("name")) or file.name,
            mime=text_of(mapping(told.get("file")).get("mimeType")),
            size=_size(told),
            url=f"{self.graph.base.rstrip('/')}/{item}/content",
            page=file.page or file.url,
        )


def _size(told: Mapping[str, object]) -> int:
    size = told.get("size")
    return size if isinstance(size, int) and size >= 0 else 0


def _judge(status: int, headers: Mapping[str, str], file: File) -> None:
    """Say what an answer means unless the bytes follow."""
    if status == HTTPStatus.OK:
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == _HTML and file.mime != _HTML:
            raise NotGiven("Teams showed a page instead of the file")
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled("Teams said 429", pause_asked_for(headers))
    if status in _GONE:
        raise StaysBehind(Fate.GONE)
    if status in _FORBIDDEN:
        raise Refused(f"Teams said {status}: ATOM may not read the team's files")
    raise NotGiven(f"Teams said {status} instead of the file")
