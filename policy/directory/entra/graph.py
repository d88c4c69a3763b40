"""The calls of Microsoft Graph that a directory is read by."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

from bridge.errors import ServiceUnavailable
from policy.directory.rest import Rest, Unread, mappings, same_host, text

_PAGES = 100_000  # a listing that is longer goes round in circles
_STATE_LOST = frozenset(
    {
        "syncstatenotfound",
        "syncstateinvalid",
        "resyncrequired",
        "directory_expiredpagetoken",
        "directory_resyncrequired",
    }
)


class Tokens(Protocol):
    """Where tokens for Graph come from."""

    async def graph(self, account: str) -> str:
        """Return a token for a tenant; raises `ServiceUnavailable`."""
        ...

    def forget(self, token: str) -> None:
        """The token was refused: get another next time."""
        ...


class StateLost(Unread):
    """Graph does not know any more what was read: read everything again."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing, and where it goes on: now (`following`) or later."""

    items: list[Mapping[str, Any]]
    following: str
    later: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Reads one tenant's directory at `base`. Every method raises `Unread`."""

    rest: Rest
    tokens: Tokens
    tenant: str
    base: str

    async def pages(self, start: str) -> AsyncIterator[Page]:
        """
        Yield a listing page by page: a path below `base`, or a link that Graph gave.

        Links are followed as they are, but never to another host: the token is Graph's.
        """
        url = start
        for _ in range(_PAGES):
            answer = await self.one(url)
            page = Page(
                list(mappings(answer.get("value"))),
                text(answer.get("@odata.nextLink")),
                text(answer.get("@odata.deltaLink")),
            )
            if "value" not in answer:
                raise Unread("Microsoft Graph sent a page without its contents")
            yield page
            if not page.following:
                return
            url = page.following
        raise Unread("Microsoft Graph's listing does not end")

    async def one(self, url: str) -> Mapping[str, Any]:
        """Return what stands at a path below `base`, or at a link."""
        if "://" not in url:
            url = f"{self.base.rstrip('/')}/{url}"
        if not same_host(url, self.base):
            raise Unread("Microsoft Graph's next page is at another host")
        return await self.call("GET", url)

    async def call(
        self, method: str, url: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """Make one call. A token that was refused is replaced once."""
        try:
            return await self._with_token(method, url, body)
        except Unread as unread:
            if unread.status != HTTPStatus.UNAUTHORIZED:
                raise _explained(unread) from unread
        try:
            return await self._with_token(method, url, body)
        except Unread as unread:
            raise _explained(unread) from unread

    async def deleted_user(self, oid: str, select: str) -> Mapping[str, Any] | None:
        """Return a user who waits in the bin for 30 days, None if not there."""
        kind = "microsoft.graph.user"
        path = f"directory/deletedItems/{in_path(oid)}/{kind}?$select={select}"
        return await self._found(path)

    async def user(self, oid: str, select: str) -> Mapping[str, Any] | None:
        """Return a user, None if there is none of that id."""
        expand = "&$expand=manager($select=id)"
        return await self._found(f"users/{in_path(oid)}?$select={select}{expand}")

    async def _found(self, path: str) -> Mapping[str, Any] | None:
        try:
            return await self.one(path)
        except Unread as unread:
            if unread.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _with_token(
        self, method: str, url: str, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        try:
            token = await self.tokens.graph(self.tenant)
        except ServiceUnavailable as error:
            raise Unread(str(error)) from error
        headers = {"Authorization": f"Bearer {token}"}
        try:
            return await self.rest.json(url, headers, method=method, body=body)
        except Unread as unread:
            if unread.status == HTTPStatus.UNAUTHORIZED:
                self.tokens.forget(token)
            raise


def in_path(identifier: str) -> str:
    return quote(identifier, safe="")


def _explained(unread: Unread) -> Unread:
    """Say what to do about a refusal, and tell a lost state from the others."""
    if unread.status == HTTPStatus.GONE or unread.code.lower() in _STATE_LOST:
        return StateLost(str(unread), unread.status, unread.code, unread.location)
    advice: Mapping[int, str] = {
        HTTPStatus.UNAUTHORIZED: "its token: check the app's secret or certificate",
        HTTPStatus.FORBIDDEN: "ATOM's app a right: give it the application permissions "
        "User.Read.All and GroupMember.Read.All (and AdministrativeUnit.Read.All, if it "
        "reads those) and grant admin consent",
    }
    if (advised := advice.get(unread.status)) is None:
        return unread
    why = f"Microsoft Graph refuses {advised} ({unread.status} {unread.code})"
    return Unread(why, unread.status, unread.code)
