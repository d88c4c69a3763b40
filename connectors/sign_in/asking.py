"""Ask a system for tokens (RFC 6749), and read what it says as little as possible."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from bridge.errors import NotAllowed, ServiceUnavailable
from bridge.records.connections import UNKNOWN, RefreshRefused, Tokens

_PATIENCE = 15.0  # seconds; the right to renew tokens lasts longer
_LARGEST = 256 * 1024
_EARLY = 60  # seconds before their end at which tokens are renewed
_SHORTEST = 10
# What systems say of a code or a refresh token that they do not take: RFC 6749 5.2,
# ServiceNow's access_denied, Atlassian's unauthorized_client, HubSpot's own words.
_REFUSALS = frozenset(
    {
        "invalid_grant",
        "access_denied",
        "unauthorized_client",
        "invalid_refresh_token",
        "bad_refresh_token",
        "bad_auth_code",
        "expired_auth_code",
    }
)
_UNSURE = frozenset({"access_denied"})  # ServiceNow, of wrong clients too
_NOT_OURS = frozenset({"invalid_client", "invalid_client_id", "bad_client_secret"})


@dataclass(frozen=True, slots=True)
class Asking:
    """
    Speaks with one system, named `service` to people. Nothing is ever redirected.

    `clock` gives microseconds UTC since 1970.
    """

    session: ClientSession
    service: str
    clock: Callable[[], int]

    async def tokens(
        self, url: URL, form: Mapping[str, str], *, kept: Tokens | None = None
    ) -> tuple[Tokens, Mapping[str, Any]]:
        """
        Return tokens, and all that the system said with them.

        Where it gives no new refresh token the one of `kept` stays good. Raises
        `RefreshRefused`, and `ServiceUnavailable` where nobody knows.
        """
        status, said = await self.post(url, form)
        access = said.get("access_token")
        if status == HTTPStatus.OK and isinstance(access, str) and access:
            refresh = said.get("refresh_token")
            fallback = kept.refresh if kept else ""
            return (
                Tokens(
                    access,
                    refresh if isinstance(refresh, str) and refresh else fallback,
                    self._until(said.get("expires_in")),
                    kept.site if kept else "",
                ),
                said,
            )
        raise self._refusal(status, said)

    async def post(
        self, url: URL, form: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        """Send a form; returns the status and the object that was answered."""
        return await self._asked("POST", url, data=dict(form))

    async def get(self, url: URL, token: str) -> Any:
        """Return JSON as an account sees it. Raises `NotAllowed`."""
        headers = {"Authorization": f"Bearer {token}"}
        status, said = await self._asked("GET", url, headers=headers)
        if status != HTTPStatus.OK:
            raise NotAllowed(f"{self.service} does not tell whose account that is.")
        return said

    async def _asked(self, method: str, url: URL, **more: Any) -> tuple[int, Any]:
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        try:
            async with self.session.request(
                method,
                url,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=_PATIENCE),
                **more,
            ) as response:
                status = response.status
                content = await response.content.read(_LARGEST)
                while len(content) < _LARGEST and not response.content.at_eof():
                    content += await response.content.read(_LARGEST)
        except (ClientError, OSError) as error:
            raise ServiceUnavailable(f"{self.service} does not answer") from error
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.TOO_MANY_REQUESTS,
        }:
            raise ServiceUnavailable(f"{self.service} said {status}")
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise ServiceUnavailable(
                f"{self.service} said {status}: is its address right?"
            )
        return status, self._read(status, content)

    def _read(self, status: int, content: bytes) -> Any:
        if not content.strip():
            return {}
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            if status >= HTTPStatus.BAD_REQUEST:
                return {}
            raise ServiceUnavailable(f"{self.service} does not speak JSON") from None

    def _refusal(self, status: int, said: Any) -> Exception:
        told = said if isinstance(said, dict) else {}
        words = {str(told.get(name, "")).lower() for name in ("error", "status")}
        if words & _NOT_OURS:
            return ServiceUnavailable(
                f"{self.service} does not know ATOM: an admin has to look at the "
                "client id and secret"
            )
        refused = status in {400, 401, 403}
        if refused and words & _REFUSALS:
            return RefreshRefused(
                f"{self.service} asks to sign in again.", sure=not words & _UNSURE
            )
        return ServiceUnavailable(f"{self.service} gave no token (it said {status})")

    def _until(self, told: object) -> int:
        """Return when tokens are to be renewed: a little before they run out."""
        try:
            seconds = int(str(told))
        except ValueError:
            return UNKNOWN
        if seconds <= 0:
            return UNKNOWN
        return self.clock() + max(_SHORTEST, seconds - _EARLY) * 1_000_000
