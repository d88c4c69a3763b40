"""
ATOM's own tokens: for the Bot Framework connector, and for Microsoft Graph.

msal makes them, in a thread because it blocks. msal refuses any login address that is
not https and looks up each tenant's endpoints first; ATOM knows the one endpoint it
needs from its settings, so msal gets an HTTP client that answers the look-up itself
and sends what is for the login host to that endpoint.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from msal import ConfidentialClientApplication
from msal.exceptions import MsalError

from bots.teams.places import is_loopback, is_safe_address
from bots.teams.wire import text_of
from bridge.errors import BadInput, ServiceUnavailable

CONNECTOR_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
LOGIN = "https://login.microsoftonline.com"
SHARED_TENANT = "botframework.com"  # where apps of many tenants get bot tokens

_EARLY = 300.0  # seconds before its end that a token is renewed
_TIMEOUT = (5.0, 10.0)  # seconds to connect, and to answer
# msal takes every answer for JSON as it should be, and fails in as many ways.
_LOGIN_FAILED = (
    requests.RequestException,
    MsalError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """An HTTP answer as msal reads it."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        if self.status_code >= HTTPStatus.BAD_REQUEST:
            raise requests.HTTPError(f"the login server said {self.status_code}")


@dataclass(frozen=True, slots=True)
class LoginClient:
    """The HTTP client that msal is given. `token_url` may name a `{tenant}`."""

    token_url: str

    def get(self, url: str, **_options: Any) -> LoginAnswer:
        """Answer msal's look-up of a tenant's endpoints, without asking anybody."""
        authority = url.partition("/v2.0/.well-known/")[0]
        endpoint = f"{authority}/oauth2/v2.0"
        found = {
            "issuer": f"{authority}/v2.0",
            "authorization_endpoint": f"{endpoint}/authorize",
            "token_endpoint": f"{endpoint}/token",
        }
        return LoginAnswer(HTTPStatus.OK, json.dumps(found))

    def post(
        self,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_options: Any,
    ) -> LoginAnswer:
        """Ask for a token. Redirects are not followed: the secret stays here."""
        tenant = urlsplit(url).path.strip("/").partition("/")[0]
        address = self.token_url.replace("{tenant}", tenant)
        with requests.Session() as session:
            session.trust_env = not is_loopback(address)
            answer = session.post(
                address,
                data=data,
                headers=headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        return LoginAnswer(answer.status_code, answer.text, answer.headers)


@dataclass(slots=True)
class _Slot:
    """One token and the lock that lets a single request renew it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: str = ""
    until: float = 0.0


@dataclass(slots=True)
class Tokens:
    """
    App tokens, each asked for once and kept until shortly before it ends.

    `tenant_id` is the home of a single-tenant bot, from where its tokens come; empty
    for a multi-tenant one. If `several` tenants are served, Graph's tokens come from
    each. `clock` gives monotonic seconds. A `certificate`, as PEM with its private key,
    is used instead of the password. `authority` and `graph_scope` are those of a
    national cloud where the tenant is in one. Raises `BadInput` for a login address to
    which no secret may be sent.
    """

    app_id: str
    password: str = field(repr=False)
    token_url: str
    tenant_id: str
    clock: Callable[[], float]
    several: bool = False
    certificate: str = field(default="", repr=False)
    authority: str = LOGIN
    graph_scope: str = GRAPH_SCOPE
    _apps: dict[str, ConfidentialClientApplication] = field(
        default_factory=dict, repr=False
    )
    _slots: dict[tuple[str, str], _Slot] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not is_safe_address(self.token_url):
            raise BadInput(
                "ATOM_TEAMS_TOKEN_URL must start with https:// "
                "(http:// is for this machine's own addresses only)"
            )

    async def connector(self) -> str:
        """Return a token for the Bot Framework. Raises `ServiceUnavailable`."""
        return await self._token(self.tenant_id or SHARED_TENANT, CONNECTOR_SCOPE)

    async def graph(self, account: str) -> str:
        """Return a token for Graph in a Teams tenant. Raises `ServiceUnavailable`."""
        home = "" if self.several else self.tenant_id
        return await self._token(home or account, self.graph_scope)

    def forget(self, token: str) -> None:
        """Ask for a new token next time: this one was not accepted."""
        for key, slot in self._slots.items():
            if slot.token == token:
                slot.until = 0.0
                self._apps.pop(key[0], None)

    async def _token(self, tenant: str, scope: str) -> str:
        slot = self._slots.setdefault((tenant, scope), _Slot())
        async with slot.lock:
            if self.clock() >= slot.until:
                answer = await asyncio.to_thread(self._ask, tenant, scope)
                slot.token = _token_in(answer)
                slot.until = self.clock() + _lifetime(answer) - _EARLY
            return slot.token

    def _ask(self, tenant: str, scope: str) -> Mapping[str, Any]:
        try:
            if tenant not in self._apps:
                self._apps[tenant] = self._app(tenant)
            answer = self._apps[tenant].acquire_token_for_client([scope])
        except _LOGIN_FAILED as error:
            # msal keeps such answers and repeats them, or breaks on them for minutes.
            self._apps.pop(tenant, None)
            raise ServiceUnavailable("Microsoft's login does not answer") from error
        return answer if isinstance(answer, dict) else {}

    def _app(self, tenant: str) -> ConfidentialClientApplication:
        return ConfidentialClientApplication(
            self.app_id,
            client_credential=self._credential(),
            authority=f"{self.authority.rstrip('/')}/{tenant}",
            instance_discovery=False,
            http_client=LoginClient(self.token_url),
        )

    def _credential(self) -> str | dict[str, str]:
        if not self.certificate:
            return self.password
        # One file holds both, as openssl and Azure write it; msal takes PEM's text.
        pem = self.certificate
        return {"private_key": pem, "public_certificate": pem}


def _token_in(answer: Mapping[str, Any]) -> str:
    if token := text_of(answer.get("access_token")):
        return token
    # The description may repeat what was sent; its code alone says enough.
    described = text_of(answer.get("error_description"))
    code = described.partition(":")[0] if described.startswith("AADSTS") else ""
    known = code if code.isalnum() else ""
    reason = known or text_of(answer.get("error"))[:60] or "no token in its answer"
    raise ServiceUnavailable(f"Microsoft's login gave ATOM no token: {reason}")


def _lifetime(answer: Mapping[str, Any]) -> float:
    try:
        return float(answer.get("expires_in", 0))
    except (TypeError, ValueError):
        return 0.0
