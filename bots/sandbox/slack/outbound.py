"""Calls from Slack to the app: signed, limited in time, and noted."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import (
    ClientConnectionError,
    ClientConnectorSSLError,
    ClientError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
    TooManyRedirects,
)

from bots.sandbox.journal import Journal
from bots.sandbox.settings import Settings
from bots.sandbox.slack import seed

EVENTS = "/slack/events"
_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
_SHOWN = 20_000  # bytes of an answer that the journal keeps


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. `reason` is Slack's word for a failure, or empty."""

    status: int
    body: bytes = b""
    reason: str = ""
    may_retry: bool = True

    @property
    def good(self) -> bool:
        return not self.reason

    def json(self) -> dict[str, Any]:
        """The answer's JSON object; anything else counts as none."""
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            return {"text": self.body.decode("utf-8", "replace")}
        return parsed if isinstance(parsed, dict) else {}


class Outbound:
    """Sends requests to wherever ATOM listens."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._session: ClientSession | None = None

    @property
    def aimed(self) -> bool:
        """Whether there is anyone to call."""
        return bool(self._settings.get("atom_url"))

    async def send_json(
        self, call: str, payload: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Outcome:
        body = json.dumps(payload).encode()
        return await self._post(call, payload, body, "application/json", headers)

    async def send_form(self, call: str, form: Mapping[str, str]) -> Outcome:
        """Post a form with one answer window, as commands and clicks are."""
        body = urlencode(form, errors="replace").encode()
        kind = "application/x-www-form-urlencoded"
        try:
            async with asyncio.timeout(self._settings.get("slack.answer_timeout")):
                return await self._post(call, dict(form), body, kind, {})
        except TimeoutError:
            return Outcome(0, reason="http_timeout")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(
        self,
        call: str,
        payload: Mapping[str, Any],
        body: bytes,
        kind: str,
        headers: Mapping[str, str],
    ) -> Outcome:
        signature = _signature(body, self._settings.get("slack.clock"))
        signed = {"Content-Type": kind, **signature, **headers}
        outcome = await self._attempt(body, signed)
        request = {"headers": dict(headers), "body": payload}
        answer: Any = outcome.body[:_SHOWN].decode("utf-8", "replace")
        if outcome.reason:
            answer = {"reason": outcome.reason, "body": answer}
        self._journal.note("slack", "out", call, outcome.status, request, answer)
        return outcome

    async def _attempt(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        url = self._settings.get("atom_url").rstrip("/") + EVENTS
        patience = ClientTimeout(total=self._settings.get("slack.patience"))
        try:
            async with self._open().post(
                url, data=body, headers=headers, timeout=patience
            ) as response:
                return _outcome(
                    response.status, await response.read(), response.headers
                )
        except TooManyRedirects:
            return Outcome(0, reason="too_many_redirects")
        except ClientConnectorSSLError:
            return Outcome(0, reason="ssl_error")
        except TimeoutError:
            return Outcome(0, reason="http_timeout")
        except (ClientConnectionError, ConnectionError):
            return Outcome(0, reason="connection_failed")
        except ClientError:
            return Outcome(0, reason="unknown_error")

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=0), headers={"User-Agent": _AGENT}
            )
        return self._session


def _outcome(status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
        return Outcome(status, body)
    stop = headers.get("X-Slack-No-Retry") == "1"
    return Outcome(status, body, "http_error", may_retry=not stop)


def _signature(body: bytes, ahead: float) -> dict[str, str]:
    now = str(int(time.time() + ahead))
    base = b"v0:" + now.encode() + b":" + body
    digest = hmac.new(seed.SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={digest}"}
