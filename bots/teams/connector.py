"""
The Bot Framework connector, over our own HTTP session.

botframework-connector never retries, hides Retry-After and works in a thread pool;
here every way a call can end has its own error, so that the queue can tell "nothing
was sent" from "nobody knows".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
)
from yarl import URL

from bots.teams.places import is_safe_address
from bots.teams.wire import mapping, text_of
from bridge.errors import (
    Ambiguous,
    NotSent,
    Refused,
    ServiceUnavailable,
    Throttled,
    TooLong,
)
from bridge.holds import Cause

DEFAULT_PAUSE = 2.0  # seconds, where a throttled answer does not say how long
LONGEST_PAUSE = 3600.0

_TIMEOUT = ClientTimeout(total=20, connect=5, sock_connect=5)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}", re.ASCII)
_THROTTLES = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PRECONDITION_FAILED}
# What Teams' ids consist of travels as it is; everything else is escaped.
_AS_IT_IS = ":;@=,!$'()*-._~"


# What is wrong with the conversation or the bot, and not with what was sent.
_CLOSED: Mapping[str, Cause] = {
    "BotDisabledByAdmin": Cause.WITHDRAWN,
    "BotNotInConversationRoster": Cause.ABSENT,
}


class ConnectorTokens(Protocol):
    """Where the bearer token comes from."""

    async def connector(self) -> str:
        """Return a token; raises `ServiceUnavailable`."""
        ...

    def forget(self, token: str) -> None:
        """The token was refused: get another next time."""
        ...


class Gone(Refused):
    """What was addressed does not exist there, or not any more."""


class Forbidden(Refused):
    """Nobody, or not this bot, may do that there now."""


class NotOffered(Refused):
    """Teams does not know what was asked for, or does not offer it here."""


@dataclass(frozen=True, slots=True)
class Connector:
    """Calls to the addresses that activities name. The caller owns `session`."""

    session: ClientSession
    tokens: ConnectorTokens
    timeout: ClientTimeout = _TIMEOUT

    async def call(
        self,
        method: str,
        service_url: str,
        path: str,
        body: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """
        Make one call, once, and return its JSON answer, empty if it has none.

        Raises `Throttled`, `NotSent`, `Ambiguous` or `Refused`.
        """
        if not is_safe_address(service_url):
            raise Refused("the channel's service address is not a safe one")
        try:
            token = await self.tokens.connector()
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
        address = URL(f"{service_url.rstrip('/')}/{path}", encoded=True)
        return await self._call(method, address, token, body)

    async def _call(
        self, method: str, address: URL, token: str, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        try:
            async with self.session.request(
                method,
                address,
                data=None if body is None else _encoded(body),
                headers=_headers(token),
                timeout=self.timeout,
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
        except (ClientConnectorError, ConnectionTimeoutError, InvalidURL) as error:
            raise NotSent("Teams was not reached") from error
        except (ClientError, OSError) as error:
            raise Ambiguous("Teams' answer was lost") from error
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.tokens.forget(token)
        return outcome(answer, content)


def outcome(answer: ClientResponse, content: bytes) -> Mapping[str, Any]:
    """Return an answer's JSON, or raise what its status means."""
    said = _json(content)
    status = answer.status
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return said
    reason = f"Teams said {status} {_code(said)}".strip()
    if status in _THROTTLES:
        raise Throttled(reason, pause_asked_for(answer.headers))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Ambiguous(reason)
    if status == HTTPStatus.UNAUTHORIZED:
        raise NotSent(reason)  # a new token may help, and nothing was done
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise Gone(reason)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise TooLong(reason)
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED}:
        raise NotOffered(reason)
    if _code(said) == "ForbiddenOperationException":
        raise Forbidden(reason)
    raise Refused(reason, _CLOSED.get(_code(said), ""))


def pause_asked_for(headers: Mapping[str, str]) -> float:
    """Read Retry-After, in seconds or as a date; Teams does not promise to send it."""
    told = headers.get("Retry-After", "").strip()
    if told.replace(".", "", 1).isdecimal() and told.isascii():
        return min(max(float(told), 0.1), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(told)
        now = parsedate_to_datetime(headers.get("Date", ""))
        seconds = (until - now).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_PAUSE
    return min(max(seconds, 0.1), LONGEST_PAUSE)


def in_path(identifier: str) -> str:
    """Return an id as one segment of a path."""
    return quote(identifier, safe=_AS_IT_IS, errors="replace")


def activities(conversation: str, activity: str = "") -> str:
    """Return the path of a conversation's activities, or of one of them."""
    path = f"v3/conversations/{in_path(conversation)}/activities"
    return f"{path}/{in_path(activity)}" if activity else path


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half a surrogate pair
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
    }


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        return mapping(orjson.loads(content)) if content else {}
    except ValueError:
        return {}


def _code(said: Mapping[str, Any]) -> str:
    """Return the platform's error code; its message may quote what was sent."""
    code = text_of(mapping(said.get("error")).get("code"))
    return code if _CODE.fullmatch(code) else ""
