"""Speak to Graph for an organisation's admins, as an app that does nothing else."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)
from yarl import URL

from bots.teams.connector import pause_asked_for
from bots.teams.graph import GraphTokens
from bots.teams.wire import mapping, mappings, text_of
from bridge.errors import (
    Ambiguous,
    Conflict,
    NotFound,
    NotSent,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from bridge.patience import patiently

# What the admin app has to be granted, and nothing else; docs/install.md says the same.
PERMISSIONS = (
    "Channel.Create",
    "Channel.Delete.All",
    "ChannelMember.ReadWrite.All",
    "ChannelSettings.ReadWrite.All",
    "RoleManagement.Read.Directory",
    "Team.Create",
    "TeamMember.ReadWrite.All",
    "TeamSettings.ReadWrite.All",
    "User.Read.All",
    "User.RevokeSessions.All",
)

_TIMEOUT = ClientTimeout(total=20, connect=5)
_SAID = 200  # characters of Graph's own words that are passed on
_PAGES = 50


@dataclass(frozen=True, slots=True)
class AdminGraph:
    """
    Calls Graph in one Teams tenant. The caller owns `session`; `sleep` waits seconds.

    Reading waits when asked to, and raises `Refused`, `NotFound` or
    `ServiceUnavailable`. What changes something is asked once: it raises `Ambiguous`
    where it may have been done, and `Throttled` or `NotSent` where it was not.
    """

    session: ClientSession
    tokens: GraphTokens
    base: str
    account: str
    sleep: Callable[[float], Awaitable[None]]

    async def read(self, path: str) -> Mapping[str, Any]:
        """Return what stands at a path below `base`, or at a following page."""
        url = path if "://" in path else self._at(path)
        if urlsplit(url)[:2] != urlsplit(self.base)[:2]:
            raise ServiceUnavailable("Graph's next page is at another host")
        try:
            return await patiently(lambda: self._ask("GET", url, None), self.sleep)
        except (Ambiguous, NotSent) as error:
            raise ServiceUnavailable(str(error)) from error

    async def every(self, path: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield what a listing holds, page after page."""
        for _ in range(_PAGES):
            page = await self.read(path)
            for one in mappings(page.get("value")):
                yield one
            if not (path := text_of(page.get("@odata.nextLink"))):
                return
        raise Refused("That is too much to read through.")

    async def order(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """Have something changed, with one call."""
        return await self._ask(method, self._at(path), body)

    def person(self, directory_id: str, *, owner: bool) -> dict[str, Any]:
        """Return a membership to be made."""
        return {
            "@odata.type": "#microsoft.graph.aadUserConversationMember",
            "roles": ["owner"] if owner else [],
            "user@odata.bind": f"{self.base.rstrip('/')}/users('{directory_id}')",
        }

    def _at(self, path: str) -> str:
        return f"{self.base.rstrip('/')}/{path}"

    async def _ask(
        self, method: str, url: str, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        status, headers, content = await self._called(method, url, body)
        if status == HTTPStatus.UNAUTHORIZED:  # the token was forgotten; a new one
            status, headers, content = await self._called(method, url, body)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return _object(content)
        raise _failure(status, headers, _object(content))

    async def _called(
        self, method: str, url: str, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            token = await self.tokens.graph(self.account)
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        try:
            async with self.session.request(
                method,
                URL(url, encoded=True),
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise NotSent("Microsoft Graph cannot be reached.") from error
        except (ClientError, OSError, ValueError) as error:
            raise Ambiguous("Microsoft Graph did not answer.") from error
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.tokens.forget(token)
        return answer.status, answer.headers, content


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(content)) if content else {}
    except (ValueError, RecursionError):
        return {}


def _failure(
    status: int, headers: Mapping[str, str], answer: Mapping[str, Any]
) -> Exception:
    """Return what became of a call, in words that say what to do."""
    error = mapping(answer.get("error"))
    code, said = text_of(error.get("code")), text_of(error.get("message"))[:_SAID]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled("Microsoft asks to wait.", pause_asked_for(headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Ambiguous(f"Microsoft Graph said {status}.")
    if code == "NameAlreadyExists":
        return Conflict(
            "There is a channel of that name already, or was one that can still be "
            "restored: choose another."
        )
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return Refused(
                "Microsoft does not accept the admin app's token: see 'atom doctor'."
            )
        case HTTPStatus.FORBIDDEN:
            return Refused(
                "The admin app lacks a permission: grant those that docs/install.md "
                "lists, and let an administrator consent."
            )
        case HTTPStatus.NOT_FOUND:
            return NotFound(f"Microsoft knows no such thing: {said or code}")
        case _:
            return Refused(f"Microsoft says: {said or code or status}")
