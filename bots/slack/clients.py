"""Speak to Slack's Web API, and put its many ways of failing into ours."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ConnectionTimeoutError,
    InvalidURL,
)
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.remembered import Remembered
from bots.slack.echo import Identity
from bots.slack.payload import string
from bots.their_clock import TheirClock
from bridge.errors import (
    Ambiguous,
    AtomError,
    DeliveryFailed,
    NotSent,
    Refused,
    ServiceUnavailable,
    StoreUnavailable,
    Throttled,
    TooLong,
)
from bridge.holds import Cause

_HOUR = 3600.0
_RETRY_AFTER = 30.0  # seconds, where Slack asks to wait and does not say how long

_THROTTLES = frozenset({"ratelimited", "rate_limited"})

_TOO_LONG = frozenset({"msg_too_long", "msg_blocks_too_long"})

# After these Slack may have done what was asked, or a part of it.
_UNCLEAR = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
)

# A workspace that moves into an organisation answers this for a while.
_LATER = frozenset({"team_added_to_org"})


# What is wrong with the channel or the workspace, and not with what was asked.
_CLOSED: Mapping[str, Cause] = {
    "account_inactive": Cause.UNINSTALLED,
    "channel_not_found": Cause.ABSENT,
    "is_archived": Cause.ARCHIVED,
    "not_in_channel": Cause.ABSENT,
    "team_access_not_granted": Cause.WITHDRAWN,
    "token_revoked": Cause.UNINSTALLED,
}


class SlackRefused(Refused):
    """
    Slack said no. `code` is the error's name in Slack's documentation.

    `failed` names the people whom it is about, where Slack lists them.
    """

    def __init__(self, code: str, failed: Mapping[str, str] | None = None) -> None:
        super().__init__(f"Slack says: {code}", _CLOSED.get(code, ""))
        self.code = code
        self.failed = dict(failed or {})


class SlackTooLong(SlackRefused, TooLong):
    """Slack would take less at once."""


def quiet() -> logging.Logger:
    """
    Return a logger for Slack's libraries.

    They write whole requests at DEBUG, take a logger without a level of its own for
    one at DEBUG, and quote codes and payloads in warnings: only errors may pass.
    """
    logger = logging.getLogger("atom.slack")
    logger.setLevel(logging.ERROR)
    return logger


async def nothing_moved(_team: str) -> Mapping[str, str]:
    """The default: every channel has the id that it was linked under."""
    return {}


class _Forwarding(AsyncWebClient):
    """Asks for channels by the ids that they have now."""

    moved: Mapping[str, str] = {}
    their_clock: TheirClock | None = None

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:
        for kind in ("params", "json", "data"):
            given = how.get(kind)
            if self.moved and isinstance(given, dict):
                how[kind] = given | self._forwarded(given)
        answer = await super().api_call(api_method, **how)
        if self.their_clock:
            self.their_clock.heard(answer.headers.get("Date"))
        return answer

    def _forwarded(self, given: Mapping[str, Any]) -> dict[str, str]:
        named = {name: str(given.get(name)) for name in ("channel", "channel_id")}
        return {n: self.moved[i] for n, i in named.items() if i in self.moved}


@dataclass(slots=True)
class Clients:
    """
    One client for each workspace. The caller owns `session`, and its timeouts.

    `token` gives a workspace's bot token; it raises `Refused` where ATOM is not
    installed, and `NotSent` where that cannot be found out now. `moved` gives the new
    ids of channels in a workspace, by those that ATOM goes on to call them. `clock` is
    Slack's, as its answers tell it.
    """

    api_url: str
    token: Callable[[str], Awaitable[str]]
    session: ClientSession
    moved: Callable[[str], Awaitable[Mapping[str, str]]] = nothing_moved
    clock: TheirClock = field(default_factory=TheirClock)
    _identities: Remembered[str, Identity] = field(init=False)

    def __post_init__(self) -> None:
        self._identities = Remembered(self._who, seconds=_HOUR)

    async def of(self, team: str) -> AsyncWebClient:
        """
        Return a client that asks once and never again by itself.

        By default it would repeat a request whose connection broke, and post twice.
        """
        client = _Forwarding(
            token=await self.token(team),
            base_url=self.api_url,
            session=self.session,
            logger=quiet(),
            retry_handlers=[],
        )
        client.moved = await self._moved(team)
        client.their_clock = self.clock
        return client

    async def id_now(self, team: str, channel: str) -> str:
        """Return the id that a channel has now, by the one that it was linked under."""
        return (await self._moved(team)).get(channel, channel)

    async def _moved(self, team: str) -> Mapping[str, str]:
        try:
            return await self.moved(team)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error

    async def identity(self, team: str) -> Identity:
        """Return who ATOM is in a workspace, or raise `ServiceUnavailable`."""
        return await self._identities.get(team)

    def forget(self, team: str) -> None:
        self._identities.forget(team)

    async def aclose(self) -> None:
        await self._identities.aclose()

    async def _who(self, team: str) -> Identity:
        answer = await asked((await self.of(team)).auth_test())
        return Identity(
            user=string(answer, "user_id"),
            bot=string(answer, "bot_id"),
            team=string(answer, "team_id"),
            name=string(answer, "team"),
        )


async def done(call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """
    Return Slack's answer to one call, or raise how it failed.

    The library's own errors end here: they quote the answer, which may hold text.
    """
    try:
        response = await call
    except SlackApiError as error:
        raise _failure(error.response) from None
    except (ClientConnectorError, ConnectionTimeoutError, InvalidURL):
        raise NotSent("Slack cannot be reached.") from None
    except (ClientError, SlackClientError, TimeoutError, OSError):
        raise Ambiguous("Slack did not answer.") from None
    except (AttributeError, RecursionError, ValueError):
        # The library takes whatever comes for a JSON object.
        raise Ambiguous("Slack answered with something else.") from None
    data = response.data
    return data if isinstance(data, dict) else {}


async def asked(call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """
    Return Slack's answer to a question, which may be asked again at will.

    Raises `SlackRefused` if it says no, and `ServiceUnavailable` otherwise.
    """
    try:
        return await done(call)
    except SlackRefused:
        raise
    except DeliveryFailed as error:
        raise ServiceUnavailable(str(error)) from error


def _failure(response: Any) -> AtomError:
    """`response` is the library's, or aiohttp's own when it was no JSON at all."""
    status = int(getattr(response, "status_code", getattr(response, "status", 0)))
    data = getattr(response, "data", None)
    code = string(data, "error") if isinstance(data, dict) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in _THROTTLES:
        return Throttled("Slack asks to wait.", pause_asked_for(response.headers))
    if code in _LATER:
        return NotSent(f"Slack says: {code}")
    if code in _TOO_LONG:
        return SlackTooLong(code)
    if code and code not in _UNCLEAR:
        return SlackRefused(code, _failed(data))
    if code or status >= HTTPStatus.INTERNAL_SERVER_ERROR or _odd(status):
        return Ambiguous(f"Slack says: {code or status}")
    return Refused(f"Slack says: {status}")


def _failed(data: Mapping[str, Any] | None) -> dict[str, str]:
    named = data.get("failed_user_ids") if data else None
    if not isinstance(named, Mapping):
        return {}
    return {str(user): str(code) for user, code in named.items()}


def _odd(status: int) -> bool:
    """Say whether a status leaves open what has happened."""
    return status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.REQUEST_TIMEOUT


def pause_asked_for(headers: Mapping[str, str]) -> float:
    """Return how many seconds an answer asks to wait."""
    wait = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    if not (wait.isascii() and wait.isdigit()):
        return _RETRY_AFTER
    return min(float(wait), _HOUR)
