"""Fetch private files from Slack."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientTimeout
from yarl import URL

from bots.slack.clients import Clients, SlackRefused, done, pause_asked_for
from bots.slack.file_shape import described
from bots.slack.payload import mapping
from bridge.errors import NotGiven, NotSent, Throttled
from bridge.files import Fate, StaysBehind
from bridge.messages import File
from bridge.reactions import Spot

_HOSTS = {"files.slack.com", "files.slack-gov.com"}
_CHUNK = 64 * 1024
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_HTML = "text/html"
_DELETED = {"file_not_found", "file_deleted"}


class SlackFiles:
    """Implements `bridge.file_ports.FileSource`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        api = URL(clients.api_url).origin()
        self._api = (api.scheme, api.host, api.port)
        wait = clients.session.timeout.total
        # The bytes of a large file take their time, but never stop coming.
        self._timeout = ClientTimeout(total=None, connect=wait, sock_read=wait)

    async def look(self, spot: Spot, file: File) -> File:
        """Ask Slack about a file of which the event told no address."""
        if not file.url:
            file = await self._described(spot, file)
        if not self._is_slacks(file.url):
            # Somebody else's drive, which knows our token for nothing.
            raise StaysBehind(Fate.ELSEWHERE)
        return file

    async def read(self, spot: Spot, file: File) -> AsyncGenerator[bytes, None]:
        if not self._is_slacks(file.url):
            raise StaysBehind(Fate.ELSEWHERE)
        token = await self._clients.token(spot.channel.team)
        try:
            async with self._clients.session.get(
                URL(file.url),
                headers={
                    "Authorization": f"Bearer {token}",
                    "Accept-Encoding": "identity",
                },
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                _judge(answer.status, answer.headers, file)
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    yield chunk
        except (ClientError, TimeoutError, OSError) as error:
            raise NotSent("Slack does not give the file out") from error

    async def _described(self, spot: Spot, file: File) -> File:
        client = await self._clients.of(spot.channel.team)
        try:
            answer = await done(client.files_info(file=file.id))
        except SlackRefused as refused:
            if refused.code in _DELETED:
                raise StaysBehind(Fate.GONE) from refused
            raise
        known = described(mapping(answer, "file"))
        return replace(known, page=known.page or file.page)

    def _is_slacks(self, url: str) -> bool:
        """Say whether a URL is Slack's: to no other the token is ever sent."""
        try:
            parts = urlsplit(url)
            place = (parts.scheme, parts.hostname, URL(url).port)
        except ValueError:
            return False
        return place == self._api or (
            parts.scheme == "https" and parts.hostname in _HOSTS
        )


def _judge(status: int, headers: Mapping[str, str], file: File) -> None:
    """Say what an answer means unless the bytes follow."""
    if status == HTTPStatus.OK:
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == _HTML and file.mime != _HTML:
            # Without a right, or right after an upload, Slack shows a login page.
            raise NotGiven("Slack showed a login page instead of the file")
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled("Slack asks to wait.", pause_asked_for(headers))
    if status in _GONE:
        raise StaysBehind(Fate.GONE)
    # A redirect leads to the login page.
    raise NotGiven(f"Slack said {status} instead of the file")
