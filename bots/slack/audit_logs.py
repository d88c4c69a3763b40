"""Read Slack's Audit Logs API, which is no part of the Web API."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession

from bots.slack.clients import pause_asked_for
from bots.slack.payload import mapping, mappings, number, string
from bridge.errors import CannotTell, NotSent, ServiceUnavailable, Throttled
from bridge.organisation_log import AuditEntry
from bridge.patience import patiently

_MICRO = 1_000_000
_PAGE = 1000
_PAGES = 1000
_NO = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST}


@dataclass(frozen=True, slots=True)
class SlackAuditLogs:
    """
    Implements `bridge.organisation_log.AuditLogs`. `sleep` waits seconds.

    The whole organisation has 50 calls a minute, shared by all of its apps.
    """

    session: ClientSession
    url: str
    token: str
    sleep: Callable[[float], Awaitable[None]]

    async def since(self, us: int) -> Sequence[AuditEntry]:
        oldest, cursor = str(max(us // _MICRO, 0)), ""
        found: dict[str, AuditEntry] = {}
        for _ in range(_PAGES):
            answer = await self._page(oldest, cursor)
            for raw in mappings(answer, "entries"):
                if entry := _entry(raw):
                    found[entry.id] = entry
            cursor = string(mapping(answer, "response_metadata"), "next_cursor")
            if not cursor:
                oldest_first = [*found.values()][::-1]  # Slack tells the newest first
                return sorted(oldest_first, key=lambda entry: entry.at_us)
        raise CannotTell("the audit log has too much to read it all at once")

    async def _page(self, oldest: str, cursor: str) -> Mapping[str, Any]:
        given = {"limit": str(_PAGE), "oldest": oldest, "cursor": cursor}
        params = {name: value for name, value in given.items() if value}

        async def ask() -> Mapping[str, Any]:
            return await self._asked(params)

        try:
            return await patiently(ask, self.sleep)
        except NotSent as error:
            raise ServiceUnavailable(str(error)) from error

    async def _asked(self, params: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with self.session.get(
                f"{self.url.rstrip('/')}/logs", params=params, headers=headers
            ) as answer:
                body, status = await answer.read(), answer.status
                pause = pause_asked_for(answer.headers)
        except (ClientError, TimeoutError, OSError) as error:
            raise NotSent("Slack's audit log cannot be reached") from error
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Throttled("Slack asks to wait.", pause)
        data = _parsed(body)
        if status in _NO or (status == HTTPStatus.OK and data.get("ok") is False):
            why = string(data, "error") or str(status)
            raise CannotTell(
                f"Slack does not show its audit log ({why}): the compliance token has "
                "to be an Org Owner's, with auditlogs:read"
            )
        if status != HTTPStatus.OK:
            raise NotSent(f"Slack's audit log answered {status}")
        return data


def _entry(raw: Mapping[str, Any]) -> AuditEntry | None:
    identifier = string(raw, "id")
    if not identifier:
        return None
    actor = mapping(mapping(raw, "actor"), "user")
    entity = mapping(raw, "entity")
    place = mapping(mapping(raw, "context"), "location")
    return AuditEntry(
        identifier,
        number(raw, "date_create") * _MICRO,
        string(raw, "action"),
        string(actor, "id"),
        string(place, "id"),
        string(mapping(entity, "channel"), "id"),
        raw,
    )


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return data if isinstance(data, dict) else {}
