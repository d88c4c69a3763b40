"""The part of Graph that keeps files: a channel's folder, uploads, shared links."""

import mimetypes
import re
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.errors import GraphRefusal
from bots.sandbox.teams.graph import GRAPH
from bots.sandbox.teams.graph_access import Access, bad_request, not_found
from bots.sandbox.teams.graph_body import json_body, text_in
from bots.sandbox.teams.model import Channel, File, Team
from bots.sandbox.teams.state import stamp
from bots.sandbox.world import World

_STEP = 320 * 1024  # every part but the last is a multiple of it
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_UNFIT = re.compile(r'["*:<>?/\\|]')


@dataclass(slots=True)
class _Upload:
    """A file on its way, part by part."""

    channel: str
    name: str
    replace: bool
    until: float
    content: bytearray = field(default_factory=bytearray)


class GraphDrive:
    """A team's drive holds a folder for each channel; files lie in those."""

    def __init__(self, world: World, access: Access) -> None:
        self._world = world
        self._state = world.teams
        self._access = access
        self._uploads: dict[str, _Upload] = {}
        self._downloads: dict[str, str] = {}

    async def folder(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.files_folder")
        team = self._state.teams[channel.team]
        name = "General" if channel.is_general else channel.name
        return json_response(
            {
                "id": _folder_id(channel),
                "name": name,
                "webUrl": f"{self._world.base_url}/teams/sharepoint/{quote(name)}",
                "folder": {"childCount": len(self._in(channel))},
                "parentReference": {
                    "driveId": _drive_id(team),
                    "driveType": "documentLibrary",
                },
            }
        )

    async def upload(self, request: Request) -> Response:
        """Take a small file in one go."""
        channel = self._folder(request, "graph.upload")
        content = await request.read()
        if len(content) > self._state.setting("graph_small_upload"):
            raise GraphRefusal(413, "RequestEntityTooLarge", "The file is too large.")
        name = _name(request)
        behaviour = request.query.get("@microsoft.graph.conflictBehavior", "replace")
        there = self._named(channel, name)
        if there and behaviour == "fail":
            raise _exists()
        made = self._keep(channel, name, content, replace=behaviour == "replace")
        fresh = there is None or behaviour != "replace"
        return json_response(self._item(made), status=201 if fresh else 200)

    async def open_session(self, request: Request) -> Response:
        """Begin an upload; its address is secret, and needs no token."""
        channel = self._folder(request, "graph.upload_session")
        item = (await json_body(request)).get("item")
        wish = item if isinstance(item, dict) else {}
        behaviour = text_in(wish, "@microsoft.graph.conflictBehavior") or "fail"
        name = _name(request)
        if behaviour == "fail" and self._named(channel, name):
            raise _exists()
        number = uuid4().hex
        lasts = self._state.setting("graph_upload_seconds")
        self._uploads[number] = _Upload(
            channel.id, name, behaviour == "replace", time.time() + lasts
        )
        return json_response(self._progress(number))

    async def session(self, request: Request) -> Response:
        number, _ = self._upload(request)
        return json_response(self._progress(number))

    async def put_part(self, request: Request) -> Response:
        """Take the next part of an upload; the last one makes the file."""
        number, upload = self._upload(request)
        found = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
        part = await request.read()
        if found is None:
            raise bad_request("The Content-Range header is missing.", "invalidRequest")
        first, last, whole = map(int, found.groups())
        if last - first + 1 != len(part) or last >= whole:
            raise bad_request("Content-Range and body differ.", "invalidRequest")
        if first != len(upload.content):
            raise GraphRefusal(416, "invalidRange", "Optimistic concurrency failure.")
        if last + 1 < whole and len(part) % _STEP:
            raise bad_request("A part is a multiple of 320 KiB.", "invalidRequest")
        upload.content += part
        if last + 1 < whole:
            return json_response(self._progress(number), status=202)
        del self._uploads[number]
        channel = self._state.channel(upload.channel)
        made = self._keep(
            channel, upload.name, bytes(upload.content), replace=upload.replace
        )
        return json_response(self._item(made), status=201)

    async def cancel(self, request: Request) -> Response:
        number, _ = self._upload(request)
        del self._uploads[number]
        return Response(status=204)

    async def item(self, request: Request) -> Response:
        return json_response(self._item(self._file(request, "graph.item")))

    async def item_content(self, request: Request) -> Response:
        return self._elsewhere(self._file(request, "graph.item_content"))

    async def named_item(self, request: Request) -> Response:
        """Show a file by its name in a folder."""
        channel = self._folder(request, "graph.item")
        if (file := self._named(channel, request.match_info["name"])) is None:
            raise _no_item()
        return json_response(self._item(file))

    async def delete_item(self, request: Request) -> Response:
        """Put a file into the recycle bin, which is not shown here."""
        file = self._file(request, "graph.delete_item")
        del self._state.files[file.id]
        return Response(status=204)

    async def download(self, request: Request) -> Response:
        """Give the bytes to whoever knows the address, which works for a while."""
        file = self._state.files.get(self._downloads.get(request.match_info["key"], ""))
        if file is None:
            raise _no_item()
        return Response(body=file.content, content_type=file.media_type)

    async def create_link(self, request: Request) -> Response:
        file = self._file(request, "graph.create_link")
        asked = await json_body(request)
        link = {
            "type": text_in(asked, "type") or "view",
            "scope": text_in(asked, "scope") or "organization",
            "webUrl": self._address(file),
        }
        told = {"id": uuid4().hex, "roles": ["read"], "link": link}
        return json_response(told, status=201)

    async def shared_item(self, request: Request) -> Response:
        return json_response(self._item(self._shared(request, "graph.shared_item")))

    async def shared_content(self, request: Request) -> Response:
        """Give the bytes of a file on a team's site, by its encoded address."""
        return self._elsewhere(self._shared(request, "graph.file"))

    def _elsewhere(self, file: File) -> Response:
        """Send whoever may read a file to where its bytes are."""
        key = uuid4().hex
        self._downloads[key] = file.id
        where = f"{self._world.base_url}/teams/downloads/{key}"
        return Response(status=302, headers={"Location": where})

    def _folder(self, request: Request, call: str) -> Channel:
        for channel in self._state.channels.values():
            named = _folder_id(channel) == request.match_info["folder"]
            if not channel.team or channel.deleted or not named:
                continue
            team = self._state.teams[channel.team]
            if _drive_id(team) == request.match_info["drive"]:
                self._allow(request, team, call)
                return channel
        raise _no_item()

    def _allow(self, request: Request, team: Team, call: str) -> None:
        caller = self._access.known(request)
        if team.tenant != caller.tenant:
            raise _no_item()
        self._access.allow(caller, team, call)

    def _file(self, request: Request, call: str) -> File:
        file = self._state.files.get(request.match_info["item"])
        if file is None or file.pasted:
            raise _no_item()
        team = self._state.teams[self._state.channels[file.channel].team]
        if _drive_id(team) != request.match_info["drive"]:
            raise _no_item()
        self._allow(request, team, call)
        return file

    def _shared(self, request: Request, call: str) -> File:
        encoded = request.match_info["share"].removeprefix("u!")
        try:
            url = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        except ValueError:
            raise not_found() from None
        _, _, path = url.partition("/teams/sharepoint/")
        file = self._state.files.get(path.partition("/")[0])
        if file is None or file.pasted:
            raise not_found()
        team = self._state.teams[self._state.channels[file.channel].team]
        self._allow(request, team, call)
        return file

    def _upload(self, request: Request) -> tuple[str, _Upload]:
        number = request.match_info["upload"]
        upload = self._uploads.get(number)
        if upload is None or time.time() > upload.until:
            raise _no_item()
        return number, upload

    def _progress(self, number: str) -> dict[str, Any]:
        upload = self._uploads[number]
        return {
            "uploadUrl": f"{self._world.base_url}/teams/uploads/{number}",
            "expirationDateTime": stamp(int(upload.until * 1000)),
            "nextExpectedRanges": [f"{len(upload.content)}-"],
        }

    def _in(self, channel: Channel) -> list[File]:
        files = self._state.files.values()
        return [f for f in files if f.channel == channel.id and not f.pasted]

    def _named(self, channel: Channel, name: str) -> File | None:
        for file in self._in(channel):
            if file.name.lower() == name.lower():
                return file
        return None

    def _keep(
        self, channel: Channel, name: str, content: bytes, *, replace: bool
    ) -> File:
        """Keep a file; if its name is taken, in its place or under another name."""
        there = self._named(channel, name)
        number = there.id if there and replace else str(uuid4())
        stem, dot, ending = name.rpartition(".")
        count = 1
        while not replace and self._named(channel, name):
            name = f"{stem or ending} {count}{dot}{ending if stem else ''}"
            count += 1
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        made = File(number, name, media_type, content, channel.id, pasted=False)
        self._state.files[number] = made
        return made

    def _item(self, file: File) -> dict[str, Any]:
        channel = self._state.channels[file.channel]
        team = self._state.teams[channel.team]
        return {
            "id": file.id,
            "name": file.name,
            "size": file.size,
            "webUrl": self._address(file),
            "eTag": f'"{{{file.id.upper()}}},1"',
            "file": {"mimeType": file.media_type},
            "parentReference": {
                "driveId": _drive_id(team),
                "id": _folder_id(channel),
                "driveType": "documentLibrary",
            },
            "@microsoft.graph.downloadUrl": f"{self._world.base_url}{GRAPH}/drives/"
            f"{_drive_id(team)}/items/{file.id}/content",
        }

    def _address(self, file: File) -> str:
        name = quote(file.name)
        return f"{self._world.base_url}/teams/sharepoint/{file.id}/{name}"


def _drive_id(team: Team) -> str:
    return f"b!{team.group_id}"


def _folder_id(channel: Channel) -> str:
    return "01" + channel.id.encode().hex().upper()


def _name(request: Request) -> str:
    name = request.match_info["name"]
    if _UNFIT.search(name):
        raise bad_request("The name is not valid.", "invalidRequest")
    return name


def _no_item() -> GraphRefusal:
    return GraphRefusal(404, "itemNotFound", "The resource could not be found.")


def _exists() -> GraphRefusal:
    return GraphRefusal(
        409, "nameAlreadyExists", "The specified item name already exists."
    )
