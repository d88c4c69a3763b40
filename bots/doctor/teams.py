"""What the doctor asks Microsoft."""

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from bots.doctor.findings import Finding, bad, clock, good, poor
from bots.settings import TeamsSettings
from bots.teams.admin_graph import PERMISSIONS
from bots.teams.tokens import CONNECTOR_SCOPE, GRAPH_SCOPE, SHARED_TENANT

_TIMEOUT = ClientTimeout(total=10, connect=5)
_SCOPES = {
    "teams bot token": CONNECTOR_SCOPE,
    "teams graph token": GRAPH_SCOPE,
}
# The codes that Entra answers a refused client with, and what they come from.
_FIXES: Mapping[str, str] = {
    "AADSTS700016": "correct ATOM_TEAMS_APP_ID or ATOM_TEAMS_TENANT_ID",
    "AADSTS7000215": "set ATOM_TEAMS_APP_PASSWORD to the secret's value, not its id",
    "AADSTS7000222": "the client secret has expired: make a new one in Entra",
    "AADSTS90002": "correct ATOM_TEAMS_TENANT_ID or ATOM_TEAMS_MORE_TENANTS",
}
_FIX = "check ATOM_TEAMS_APP_ID, ATOM_TEAMS_APP_PASSWORD and ATOM_TEAMS_TENANT_ID"


async def teams(settings: TeamsSettings | None) -> Sequence[Finding]:
    """Look at the metadata that calls are checked with, and at ATOM's own tokens."""
    if settings is None:
        return [poor("teams", "switched off", "set ATOM_TEAMS_… to switch it on")]
    async with ClientSession(timeout=_TIMEOUT) as session:
        findings = list(await _metadata(session, settings))
        for what, scope in _SCOPES.items():
            findings += await _tokens(session, settings, what, scope)
        if settings.admin_app_id and settings.admin_app_password:
            findings.append(await _admin(session, settings))
    return findings


async def _admin(session: ClientSession, settings: TeamsSettings) -> Finding:
    """Look at what the admin app was granted: its token says so."""
    what, fix = "teams admin app", "see 'An organisation in Teams' in docs/install.md"
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.admin_app_id or "",
        "client_secret": settings.admin_app_password.get_secret_value()
        if settings.admin_app_password
        else "",
        "scope": GRAPH_SCOPE,
    }
    url = settings.token_url.replace("{tenant}", settings.tenant_id)
    try:
        async with session.post(url, data=form, allow_redirects=False) as answer:
            document = _object(await answer.read())
        token = document.get("access_token")
        if not isinstance(token, str):
            return bad(what, _code(document), f"correct ATOM_TEAMS_ADMIN_APP_…; {fix}")
        claims = jwt.decode(token, options={"verify_signature": False})
    except (ClientError, TimeoutError, OSError, ValueError, jwt.PyJWTError) as error:
        return bad(what, f"no answer ({type(error).__name__})", fix)
    granted = set(claims.get("roles") or ())
    if missing := sorted(set(PERMISSIONS) - granted):
        return bad(what, f"not granted: {', '.join(missing)}", fix)
    if more := sorted(granted - set(PERMISSIONS)):
        return poor(what, f"granted beside what it uses: {', '.join(more)}", fix)
    return good(what, "all granted")


async def _tokens(
    session: ClientSession, settings: TeamsSettings, what: str, scope: str
) -> Sequence[Finding]:
    """Ask for a token as ATOM would: for the bot once, for Graph in every tenant."""
    if scope == CONNECTOR_SCOPE:
        home = SHARED_TENANT if settings.multi_tenant_bot else settings.tenant_id
        return [await _token(session, settings, what, scope, home)]
    if not settings.more_tenants:
        return [await _token(session, settings, what, scope, settings.tenant_id)]
    return [
        await _token(session, settings, f"{what} in {tenant}", scope, tenant)
        for tenant in settings.tenants
    ]


async def _metadata(
    session: ClientSession, settings: TeamsSettings
) -> Sequence[Finding]:
    fix = "look at the network and ATOM_TEAMS_OPENID_URL"
    try:
        async with session.get(settings.openid_url) as answer:
            document = _object(await answer.read())
            date = answer.headers.get("Date")
        keys_url = document.get("jwks_uri")
        if not isinstance(keys_url, str):
            return [bad("teams metadata", "it names no keys", fix)]
        async with session.get(keys_url) as answer:
            keys = _object(await answer.read()).get("keys")
    except (ClientError, TimeoutError, OSError, ValueError) as error:
        return [bad("teams metadata", f"no answer ({type(error).__name__})", fix)]
    if document.get("issuer") != settings.issuer:
        detail = "its issuer is not ATOM_TEAMS_ISSUER"
        return [bad("teams metadata", detail, "correct ATOM_TEAMS_ISSUER")]
    if not isinstance(keys, list) or not keys:
        return [bad("teams metadata", "it has no keys", fix)]
    return [good("teams metadata", f"{len(keys)} keys"), *clock("teams", date)]


async def _token(
    session: ClientSession, settings: TeamsSettings, what: str, scope: str, tenant: str
) -> Finding:
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.app_id,
        "client_secret": settings.app_password.get_secret_value(),
        "scope": scope,
    }
    url = settings.token_url.replace("{tenant}", tenant)
    try:
        async with session.post(url, data=form, allow_redirects=False) as answer:
            document = _object(await answer.read())
    except (ClientError, TimeoutError, OSError, ValueError) as error:
        detail = f"no answer ({type(error).__name__})"
        return bad(what, detail, "look at the network and ATOM_TEAMS_TOKEN_URL")
    if isinstance(document.get("access_token"), str):
        return good(what, "granted")
    return _refusal(what, document)


def _refusal(what: str, document: Mapping[str, Any]) -> Finding:
    words = str(document.get("error_description", "")).split(":", 1)
    code = words[0] if words[0].startswith("AADSTS") else ""
    return bad(what, _code(document), _FIXES.get(code, _FIX))


def _code(document: Mapping[str, Any]) -> str:
    words = str(document.get("error_description", "")).split(":", 1)
    code = words[0] if words[0].startswith("AADSTS") else ""
    return f"refused: {code or document.get('error') or 'no token'}"


def _object(content: bytes) -> Mapping[str, Any]:
    document = orjson.loads(content)
    if not isinstance(document, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - the caller's kind of error
    return document
