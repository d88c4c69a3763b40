"""
Microsoft Graph, as far as ATOM reads it: what stands in a channel, and who owns it.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bots.teams.connector import in_path, pause_asked_for
from bots.teams.wire import changed_us, mapping, mappings, microseconds, text_of
from bots.their_clock import TheirClock
from bridge.errors import CannotTell, ServiceUnavailable, Throttled
from bridge.places import Place

_TIMEOUT = ClientTimeout(total=20, connect=5)
_PAGE = 50  # messages a page; Graph's own largest
_PAGES = 20  # pages that one look for a message may read
_MEMBER_PAGES = 300  # of 100 members; the largest teams have 25,000


class GraphTokens(Protocol):
    """Where tokens for a Teams tenant come from."""

    async def graph(self, account: str) -> str:
        """Return a token; raises `ServiceUnavailable`."""
        ...

    def forget(self, token: str) -> None:
        """The token was refused: get another next time."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """A message of an app as Graph shows it; `cards` is what its cards consist of."""

    id: str
    created_us: int
    html: str
    deleted: bool
    cards: str = ""


class GraphRefused(CannotTell):
    """Graph said no, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Graph said {status}: ATOM may not read this team there")
        self.status = status


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing, and the address of the next one, if there is one."""

    items: list[Mapping[str, Any]]
    following: str


@dataclass(frozen=True, slots=True)
class Graph:
    """
    Reads Graph at `base`. The caller owns `session`. `clock` is told their time.

    Every method raises `Throttled` when asked to wait, `ServiceUnavailable` when Graph
    does not answer, and `CannotTell` when ATOM has no right to know.
    """

    session: ClientSession
    tokens: GraphTokens
    base: str
    clock: TheirClock = field(default_factory=TheirClock)

    async def posted_by(
        self, app_id: str, place: Place, root: str, since_us: int
    ) -> list[Standing]:
        """
        Return what an app posted in a channel, or in the thread of `root`, since then.

        A channel's messages come newest first by their last change, so a page that
        holds only older ones ends the search. Of a thread all is read.
        """
        group, channel = in_path(place.group_id), in_path(place.channel)
        path = f"teams/{group}/channels/{channel}/messages"
        if root:
            path += f"/{in_path(root)}/replies"
        found: list[Standing] = []
        async for page in self.pages(place.account, f"{path}?$top={_PAGE}"):
            found += [
                standing
                for standing in (_standing(m) for m in page if _app(m) == app_id)
                if standing.created_us >= since_us
            ]
            if not root and page and all(changed_us(m) < since_us for m in page):
                break
        return found

    async def owns(self, directory_id: str, place: Place) -> bool:
        """Say whether a person is an owner of a team."""
        path = f"teams/{in_path(place.group_id)}/members"
        async for page in self.pages(place.account, path, at_most=_MEMBER_PAGES):
            if any(m.get("userId") == directory_id and _is_owner(m) for m in page):
                return True
        return False

    async def pages(
        self, account: str, path: str, at_most: int = _PAGES
    ) -> AsyncIterator[list[Mapping[str, Any]]]:
        """Yield a listing page by page. Raises `CannotTell` if it has too many."""
        for _ in range(at_most):
            page = await self.page(account, path)
            yield page.items
            if not (path := page.following):
                return
        raise CannotTell("there is too much to read through in Graph")

    async def page(self, account: str, path: str) -> Page:
        """Return one page of a listing: a path below `base`, or a `following`."""
        url = path if "://" in path else f"{self.base.rstrip('/')}/{path}"
        if not self._is_own(url):
            raise CannotTell("Graph's next page is at another host")
        answer = await self._get(account, url)
        following = text_of(answer.get("@odata.nextLink"))
        return Page(list(mappings(answer.get("value"))), following)

    async def one(self, account: str, path: str) -> Mapping[str, Any]:
        """Return what stands at a path below `base`."""
        return await self._get(account, f"{self.base.rstrip('/')}/{path}")

    def _is_own(self, url: str) -> bool:
        """The token is Graph's alone: a link elsewhere is not followed with it."""
        return urlsplit(url)[:2] == urlsplit(self.base)[:2]

    async def change(
        self, method: str, account: str, path: str, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """Change something, with one call, and return what Graph answers."""
        url = f"{self.base.rstrip('/')}/{path}"
        return await self._get(account, url, method, body)

    async def _get(
        self,
        account: str,
        url: str,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        status, headers, content = await self._ask(account, url, method, body)
        if status == HTTPStatus.UNAUTHORIZED:  # the token was forgotten; a new one
            status, headers, content = await self._ask(account, url, method, body)
        return _answer(status, headers, content)

    async def _ask(
        self, account: str, url: str, method: str, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        token = await self.tokens.graph(account)
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
                self.clock.heard(answer.headers.get("Date"))
        except (ClientError, OSError, ValueError) as error:
            raise ServiceUnavailable("Microsoft Graph does not answer") from error
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.tokens.forget(token)
        return answer.status, answer.headers, content


def _answer(
    status: int, headers: Mapping[str, str], content: bytes
) -> Mapping[str, Any]:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled("Graph said 429", pause_asked_for(headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ServiceUnavailable(f"Graph said {status}")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise GraphRefused(status)
    if not content:
        return {}
    try:
        return mapping(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise ServiceUnavailable("Graph's answer cannot be read") from error


def _standing(message: Mapping[str, Any]) -> Standing:
    body = mapping(message.get("body"))
    return Standing(
        id=text_of(message.get("id")),
        created_us=microseconds(message.get("createdDateTime")) or 0,
        html=text_of(body.get("content")),
        deleted=bool(message.get("deletedDateTime")),
        cards="\n".join(
            text_of(one.get("content")) for one in mappings(message.get("attachments"))
        ),
    )


def _app(message: Mapping[str, Any]) -> str:
    sender = mapping(message.get("from"))
    return text_of(mapping(sender.get("application")).get("id"))


def _is_owner(member: Mapping[str, Any]) -> bool:
    roles = member.get("roles")
    return isinstance(roles, list) and "owner" in roles
