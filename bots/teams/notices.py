"""Where Graph calls: it shows that ATOM listens, and hands over what it noticed."""

import asyncio
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import ClientError
from aiohttp.web import Request, Response

from bots.metrics import IGNORED, REFUSED
from bots.teams.wire import mapping, mappings, text_of
from bridge.errors import AtomError

log = structlog.get_logger()

_READING = 5.0  # seconds that a body may take to arrive
_WORD = re.compile(r"[\x20-\x7e]{1,500}", re.ASCII)
_MESSAGE = re.compile(
    r"teams\('[^']*'\)/channels\('(?P<channel>[^']+)'\)/messages\('(?P<root>\d+)'\)"
    r"(?:/replies\('(?P<reply>\d+)'\))?"
)
_CHANNEL = re.compile(r"/?teams/[^/]+/channels/(?P<channel>[^/]+)/messages")
# After these it is open what was not told; the last one also ends the telling.
_GAPS = {"missed", "subscriptionRemoved"}
_SUBSCRIBE_AGAIN = {"reauthorizationRequired", "subscriptionRemoved"}


class _TooLarge(AtomError):
    """A body that is longer than ATOM reads."""


@dataclass(frozen=True, slots=True)
class GraphDoor:
    """
    Lets Graph's calls in: each value that they bring goes to `take`.

    Calls without `secret` are not Graph's.
    """

    secret: str
    take: Callable[[Mapping[str, Any]], None]
    body_limit: int = 1024 * 1024

    async def handle(self, request: Request) -> Response:
        """Answer one call, at once: Graph waits three seconds."""
        if word := request.query.get("validationToken"):
            if not _WORD.fullmatch(word):
                return _refused(HTTPStatus.BAD_REQUEST, "malformed")
            return Response(text=word, headers={"X-Content-Type-Options": "nosniff"})
        try:
            values = await self._values(request)
        except _TooLarge:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        except TimeoutError:
            return _refused(HTTPStatus.REQUEST_TIMEOUT, "too_slow")
        except (ClientError, OSError, RecursionError, ValueError):
            return _refused(HTTPStatus.BAD_REQUEST, "malformed")
        known = [value for value in values if self._is_graphs(value)]
        if len(known) < len(values):
            return _refused(HTTPStatus.FORBIDDEN, "secret")
        for value in known:
            self.take(value)
        return Response(status=HTTPStatus.ACCEPTED)

    async def _values(self, request: Request) -> list[Mapping[str, Any]]:
        body = bytearray()
        async with asyncio.timeout(_READING):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > self.body_limit:
                    raise _TooLarge
        return list(mappings(mapping(json.loads(body)).get("value")))

    def _is_graphs(self, value: Mapping[str, Any]) -> bool:
        told = text_of(value.get("clientState"))
        return hmac.compare_digest(told.encode(), self.secret.encode())


@dataclass(frozen=True, slots=True)
class Noticed:
    """A message of a thread that was said, or has `changed`: edited, or deleted."""

    channel: str
    root: str
    message: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Notices:
    """
    Answers Graph's calls about messages.

    `noticed` is told of a message, `missed` the id of a channel of which Graph could not
    tell everything. Calls without `secret` are not Graph's.
    """

    secret: str
    noticed: Callable[[Noticed], None]
    missed: Callable[[str], None]
    body_limit: int = 1024 * 1024

    async def handle(self, request: Request) -> Response:
        """Answer one call."""
        return await GraphDoor(self.secret, self._take, self.body_limit).handle(request)

    def _take(self, value: Mapping[str, Any]) -> None:
        resource = text_of(value.get("resource"))
        if event := text_of(value.get("lifecycleEvent")):
            found = _CHANNEL.fullmatch(resource)
            if event in _GAPS and found:
                self.missed(found["channel"])
        elif found := _MESSAGE.fullmatch(resource):
            root, changed = found["root"], value.get("changeType") != "created"
            told = Noticed(found["channel"], root, found["reply"] or root)
            self.noticed(replace(told, changed=changed))
        else:
            IGNORED.labels("teams", "notice").inc()


@dataclass(frozen=True, slots=True)
class DirectoryNotices:
    """
    Answers Graph's calls about people and groups.

    What they name is not believed: `changed` has the directory be read. `unsubscribed`
    is told that Graph will not call any more, or wants to be asked again to.
    """

    secret: str
    changed: Callable[[], None]
    unsubscribed: Callable[[], None]

    async def handle(self, request: Request) -> Response:
        """Answer one call."""
        return await GraphDoor(self.secret, self._take).handle(request)

    def _take(self, value: Mapping[str, Any]) -> None:
        if text_of(value.get("lifecycleEvent")) in _SUBSCRIBE_AGAIN:
            self.unsubscribed()
        self.changed()


def _refused(status: HTTPStatus, reason: str) -> Response:
    REFUSED.labels("graph", reason).inc()
    log.warning("request refused", platform="graph", status=int(status), reason=reason)
    return Response(status=status)
