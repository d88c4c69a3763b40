"""
Ask an HTTP service for JSON, patiently, and say in one line why there is none.

What a directory answers is never trusted to be what was asked for: pages for people,
half an answer, another host's address and endless answers all end in `Unread`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from bridge.errors import AtomError

_TIMEOUT = ClientTimeout(total=60, connect=10)
_LARGEST = 64 * 1024 * 1024  # bytes of one answer
_CHUNK = 256 * 1024
_ASK_AGAIN = frozenset({429, 500, 502, 503, 504})
_PAUSE = 1.0  # seconds, doubled at each attempt, where the service names none
_NOTHING: Mapping[str, Any] = {}

Sleep = Callable[[float], Awaitable[None]]


class Unread(AtomError):
    """
    A service gave no answer that can be used; the text says why, in one line.

    `status` is the HTTP status of what it said, 0 if it said nothing; `code` is its own
    word for what is wrong; `location` is where it sends whoever asks.
    """

    def __init__(
        self, why: str, status: int = 0, code: str = "", location: str = ""
    ) -> None:
        super().__init__(why)
        self.status = status
        self.code = code
        self.location = location


@dataclass(frozen=True, slots=True)
class Rest:
    """
    Asks one service, named `service` to people. The caller owns `session`.

    What is answered with 429 or by a failing server is asked again, at most `attempts`
    times, after the pause that the service names; a longer pause than `patience`
    seconds is not waited for. Only GET is asked again after a lost answer.
    """

    session: ClientSession
    service: str
    attempts: int = 5
    patience: float = 120.0
    sleep: Sleep = asyncio.sleep

    async def json(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """Return the JSON object that stands there. Raises `Unread`."""
        for attempt in range(1, self.attempts + 1):
            try:
                return await self._once(url, headers, method, body, form)
            except _TryLater as later:
                pause = later.pause or _PAUSE * 2 ** (attempt - 1)
                if attempt == self.attempts or pause > self.patience:
                    raise later.unread from later
                await self.sleep(pause)
        raise AssertionError("unreachable")

    async def _once(
        self,
        url: str,
        headers: Mapping[str, str],
        method: str,
        body: Mapping[str, Any] | None,
        form: Mapping[str, str] | None,
    ) -> Mapping[str, Any]:
        try:
            async with self.session.request(
                method,
                URL(url, encoded=True),
                headers={"Accept": "application/json", **headers},
                json=body,
                data=form,
                timeout=_TIMEOUT,
                # A redirect would carry the key to wherever the answer says.
                allow_redirects=False,
            ) as answer:
                return self._read(answer, await self._content(answer))
        except (ClientError, OSError, ValueError) as error:
            lost = Unread(f"{self.service} does not answer")
            if method != "GET":
                raise lost from error
            raise _TryLater(lost, 0.0) from error

    async def _content(self, answer: ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > _LARGEST:
                raise Unread(f"{self.service} answers without end", answer.status)
        return bytes(content)

    def _read(self, answer: ClientResponse, content: bytes) -> Mapping[str, Any]:
        status = answer.status
        if status in _ASK_AGAIN:
            why = f"{self.service} said {status}"
            raise _TryLater(Unread(why, status), _asked_to_wait(answer.headers))
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            code = _code(content)
            said = f"{status} {code}".strip()
            location = answer.headers.get("Location", "")
            raise Unread(f"{self.service} said {said}", status, code, location)
        return self._parsed(answer, content)

    def _parsed(self, answer: ClientResponse, content: bytes) -> Mapping[str, Any]:
        if "json" not in answer.content_type:
            raise Unread(
                f"{self.service} answered with {answer.content_type}, not JSON: is "
                "its address right?",
                answer.status,
            )
        try:
            parsed = json.loads(content)
        except (ValueError, RecursionError) as error:
            why = f"{self.service}'s answer cannot be read"
            raise _TryLater(Unread(why, answer.status), 0.0) from error
        if not isinstance(parsed, dict):
            raise Unread(f"{self.service} answered with something else than expected")
        return parsed


class _TryLater(AtomError):
    def __init__(self, unread: Unread, pause: float) -> None:
        super().__init__(str(unread))
        self.unread = unread
        self.pause = pause


def same_host(url: str, base: str) -> bool:
    """Say whether an address that an answer names is at the service itself."""
    try:
        return urlsplit(url)[:2] == urlsplit(base)[:2]
    except ValueError:
        return False


def text(value: Any) -> str:
    """Return a string or a number as text without what no database takes."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return "".join(c for c in str(value) if c >= " " and not "\ud800" <= c <= "\udfff")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list; of anything else, nothing."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _asked_to_wait(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After names, as a number or as a date."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdecimal():
        return float(told[:9])
    try:
        until = parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _code(content: bytes) -> str:
    """Return a service's own word for what is wrong, never its sentences."""
    try:
        said = mapping(json.loads(content))
    except (ValueError, RecursionError):
        return ""
    error = said.get("error")
    code = text(mapping(error).get("code")) or text(error)
    return code if code.replace("_", "").replace(".", "").isalnum() else ""
