"""The login: OpenID metadata, app tokens, and the check of those tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
from aiohttp.web import Request, Response, json_response
from cryptography.x509 import load_pem_x509_certificate

from bots.sandbox.teams import seed
from bots.sandbox.teams.errors import LoginRefusal, Refusal
from bots.sandbox.teams.keys import Keys
from bots.sandbox.world import World

BOT_AUDIENCE = "https://api.botframework.com"
GRAPH_AUDIENCE = "https://graph.microsoft.com"
_NATIONAL = frozenset(
    {"https://graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn"}
)
_MULTI_TENANT = "botframework.com"
_ANY_TENANT = frozenset({"common", "organizations", _MULTI_TENANT})
_DEFAULT = "/.default"

NOTIFIER = "0bf30f3b-4a52-48df-9a82-234910c4a086"  # the app that sends Graph's notices
_NOTICE_LASTS = 3600


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls Graph: an app, for one tenant, with the roles of its token."""

    app: str
    tenant: str
    roles: frozenset[str]


class Login:
    """Gives tokens to apps that know their secret, and knows its tokens again."""

    def __init__(self, world: World) -> None:
        self._state = world.teams
        self._keys = Keys("login", self._state.now)

    async def metadata(self, request: Request) -> Response:
        """Answer OpenID discovery, as msal asks it before its first token."""
        tenant = request.match_info["tenant"]
        self._known(tenant)
        base = f"{self._state.setting('login_url')}/{tenant}"
        return json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "response_types_supported": ["code", "id_token", "token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": "EU",
            }
        )

    async def keys(self, request: Request) -> Response:
        self._known(request.match_info["tenant"])
        return json_response(self._keys.published())

    async def token(self, request: Request) -> Response:
        """Answer the client credentials grant."""
        tenant = request.match_info["tenant"]
        form = {key: str(value) for key, value in (await request.post()).items()}
        self._known(tenant)
        if form.get("grant_type") != "client_credentials":
            raise LoginRefusal(
                400, "unsupported_grant_type", 70003, "The grant type is not supported."
            )
        app = self._app(tenant, form)
        audience = self._audience(form)
        if audience == BOT_AUDIENCE:
            self._check_tenancy(tenant, app)
        lifetime = self._state.setting("token_seconds")
        return json_response(
            {
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": self._keys.sign(
                    self._claims(tenant, app, audience, lifetime)
                ),
            }
        )

    def app(self, request: Request) -> str:
        """Return which app calls the connector, or refuse with 401."""
        claims = self._bearer(request, BOT_AUDIENCE, "Unauthorized")
        app = str(claims.get("appid", ""))
        if app not in seed.APPS:
            raise Refusal(401, "BotNotRegistered", "The bot is not registered.")
        return app

    def caller(self, request: Request) -> Caller:
        """Return who calls Graph, for which tenant, or refuse with 401."""
        claims = self._bearer(request, GRAPH_AUDIENCE, "InvalidAuthenticationToken")
        roles = frozenset(str(role) for role in claims.get("roles", []))
        return Caller(str(claims["appid"]), str(claims["tid"]), roles)

    def notice_token(self, app: str, tenant: str) -> str:
        """Return a token by which an app knows Graph's notices for Graph's."""
        claims = self._claims(tenant, app, app, _NOTICE_LASTS)
        return self._keys.sign(claims | {"azp": NOTIFIER, "appid": NOTIFIER})

    def _bearer(self, request: Request, audience: str, code: str) -> dict[str, Any]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal(401, code, "Access token is empty.")
        try:
            return self._keys.claims(token.strip(), audience)
        except jwt.PyJWTError:
            raise Refusal(401, code, "Access token validation failure.") from None

    def _known(self, tenant: str) -> None:
        if tenant not in _ANY_TENANT and tenant not in self._state.tenants:
            raise LoginRefusal(
                400, "invalid_request", 90002, f"Tenant '{tenant}' not found."
            )

    def _app(self, tenant: str, form: Mapping[str, str]) -> str:
        app = form.get("client_id", "")
        if app not in seed.APPS:
            raise _no_app(app, tenant)
        _, secret = seed.APPS[app]
        if assertion := form.get("client_assertion"):
            self._check_assertion(app, tenant, assertion)
        elif form.get("client_secret") != secret:
            raise LoginRefusal(
                401, "invalid_client", 7000215, "Invalid client secret provided."
            )
        return app

    def _check_assertion(self, app: str, tenant: str, assertion: str) -> None:
        """An app shows that it holds the key of its certificate."""
        endpoint = f"{self._state.setting('login_url')}/{tenant}/oauth2/v2.0/token"
        try:
            registered = str(self._state.setting("app_certificate")).encode()
            key = load_pem_x509_certificate(registered).public_key()
            claims = jwt.decode(
                assertion,
                key,  # type: ignore[arg-type]  # other kinds of keys are refused
                algorithms=["PS256", "RS256"],
                audience=endpoint,
                issuer=app,
            )
            if claims.get("sub") != app:
                raise jwt.InvalidTokenError
        except (jwt.PyJWTError, ValueError, TypeError):
            raise LoginRefusal(
                401, "invalid_client", 700027, "The certificate is not registered."
            ) from None

    def _audience(self, form: Mapping[str, str]) -> str:
        scope = form.get("scope", "")
        audience = scope.removesuffix(_DEFAULT)
        if scope.endswith(_DEFAULT) and audience in _NATIONAL:
            return GRAPH_AUDIENCE
        if scope.endswith(_DEFAULT) and audience in {BOT_AUDIENCE, GRAPH_AUDIENCE}:
            return audience
        number = int(str(self._state.setting("bad_scope_error")).removeprefix("AADSTS"))
        raise LoginRefusal(400, "invalid_scope", number, "The scope is not valid.")

    def _check_tenancy(self, tenant: str, app: str) -> None:
        wanted = self._state.setting("bot_tenancy")
        multi = tenant == _MULTI_TENANT
        if (wanted == "single" and multi) or (wanted == "multi" and not multi):
            raise _no_app(app, tenant)

    def _claims(
        self, tenant: str, app: str, audience: str, lifetime: int
    ) -> dict[str, Any]:
        now = int(self._state.now())
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "appid": app,
            "tid": tenant,
            "oid": app,
            "uti": uuid4().hex,
        }
        if audience == GRAPH_AUDIENCE:
            admin = app == seed.ADMIN_APP_ID
            granted = "graph_admin_roles" if admin else "graph_roles"
            claims["roles"] = self._state.setting(granted)
        return claims


def _no_app(app: str, tenant: str) -> LoginRefusal:
    return LoginRefusal(
        400,
        "unauthorized_client",
        700016,
        f"Application with identifier '{app}' was not found in the directory "
        f"'{tenant}'.",
    )
