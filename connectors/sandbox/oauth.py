"""
Signing in at a stand-in: the page to choose a person on, tokens, and their end.

OAuth 2.0 (RFC 6749) with PKCE (RFC 7636) and revocation (RFC 7009). Systems differ in
addresses and in what a token's answer says beside the token; that is what `Login` takes.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
from aiohttp import web

from connectors.sandbox.http import answer, body_of
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.tokens import Grant
from connectors.sandbox.users import User

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in to {system}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark; --ink: #1c2030; --dim: #5d6478; --paper: #f4f5f8;
  --card: #fff; --line: #dfe2ea; --lead: {colour}; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #eceef5; --dim: #9ba3b8;
  --paper: #12141c; --card: #1b1e29; --line: #2d3242; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
  padding: 24px 16px; background: var(--paper); color: var(--ink);
  font: 16px/1.45 system-ui, sans-serif; }}
main {{ width: 100%; max-width: 420px; background: var(--card); border-radius: 16px;
  border: 1px solid var(--line); border-top: 6px solid var(--lead); padding: 28px; }}
h1 {{ font-size: 22px; margin: 0 0 4px; }} p {{ margin: 0 0 20px; color: var(--dim); }}
button {{ display: flex; gap: 14px; align-items: center; width: 100%; margin: 0 0 8px;
  padding: 10px 12px; border: 1px solid var(--line); border-radius: 10px; font: inherit;
  background: none; color: inherit; text-align: left; cursor: pointer; }}
button:hover, button:focus-visible {{ border-color: var(--lead); outline: 2px solid
  var(--lead); outline-offset: -1px; }}
i {{ flex: none; width: 38px; height: 38px; border-radius: 50%; display: grid;
  place-items: center; font-style: normal; font-weight: 600; font-size: 14px;
  background: var(--lead); color: #fff; }}
small {{ display: block; color: var(--dim); }}
.no {{ border: 0; justify-content: center; color: var(--dim); margin: 8px 0 0; }}
</style></head><body><main>
<h1>Sign in to {system}</h1>
<p>ATOM asks to read and change records as you. This is a stand-in: choose who you
are.</p>
<form method="post">{people}
<button class="no" name="deny" value="1">Don’t allow</button></form>
</main></body></html>"""


class Denied(Exception):
    """The token endpoint says no, with the standard's error code and a sentence."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Login:
    """
    A system's own way of OAuth: where its three pages are, and what it tells.

    `reply` makes the token endpoint's answer; `refused` the one for an error. `grants`
    are the grant types that it knows. `run_as` is who acts for client credentials.
    """

    authorize: str
    token: str
    revoke: str
    reply: Callable[[web.Request, Grant], dict[str, Any]]
    grants: frozenset[str] = frozenset({"authorization_code", "refresh_token"})
    refused: Callable[[Denied], web.Response] = field(
        default=lambda no: answer(
            {"error": no.error, "error_description": no.description}, no.status
        )
    )
    run_as: str = ""
    colour: str = "#0b5cab"


def routes(system: StandIn, login: Login) -> list[web.RouteDef]:
    """Return the routes of a system's sign-in."""

    async def authorize(request: web.Request) -> web.StreamResponse:
        _client_of(system, request.query)
        return web.Response(text=_page(system, login), content_type="text/html")

    async def chosen(request: web.Request) -> web.StreamResponse:
        query = request.query
        client, redirect = _client_of(system, query)
        form = await request.post()
        back = {"state": query["state"]} if "state" in query else {}
        user = str(form.get("user", ""))
        if user in system.users:
            back["code"] = system.tokens.code(
                user,
                client,
                redirect,
                query.get("scope", ""),
                query.get("code_challenge", ""),
            )
        else:
            back["error"] = "access_denied"
        glue = "&" if urlsplit(redirect).query else "?"
        raise web.HTTPFound(f"{redirect}{glue}{urlencode(back)}")

    async def token(request: web.Request) -> web.StreamResponse:
        try:
            form = await body_of(request)
            grant = _grant(system, login, request, form)
        except Denied as no:
            return login.refused(no)
        except ValueError:
            return login.refused(Denied("invalid_request", "the body cannot be read"))
        return answer(
            login.reply(request, grant), headers={"Cache-Control": "no-store"}
        )

    async def revoke(request: web.Request) -> web.StreamResponse:
        form = await body_of(request)
        wanted = str(form.get("token") or request.query.get("token", ""))
        if not system.tokens.revoke(wanted):
            return login.refused(Denied("invalid_token", "invalid token"))
        return web.Response()

    return [
        web.get(login.authorize, authorize),
        web.post(login.authorize, chosen),
        web.post(login.token, token),
        web.post(login.revoke, revoke),
    ]


def _client_of(system: StandIn, query: Mapping[str, str]) -> tuple[str, str]:
    """Return client and redirect address. Errors are not told to unknown addresses."""
    client, redirect = query.get("client_id", ""), query.get("redirect_uri", "")
    if client not in system.clients or query.get("response_type") != "code":
        raise web.HTTPBadRequest(text="error=invalid_client_id")
    if urlsplit(redirect).hostname not in _LOOPBACK:
        raise web.HTTPBadRequest(text="error=redirect_uri_mismatch")
    return client, redirect


def _page(system: StandIn, login: Login) -> str:
    people = "".join(map(_button, system.users.values()))
    return _PAGE.format(system=escape(system.shown), people=people, colour=login.colour)


def _button(user: User) -> str:
    initials = "".join(word[0] for word in user.shown.split()[:2])
    return (
        f'<button name="user" value="{escape(user.name)}" aria-label="Sign in as '
        f'{escape(user.shown)}"><i aria-hidden="true">{escape(initials)}</i><span>'
        f"Sign in as {escape(user.shown)}<small>{escape(user.title or user.mail)}"
        "</small></span></button>"
    )


def _grant(
    system: StandIn, login: Login, request: web.Request, form: Mapping[str, Any]
) -> Grant:
    told = {name: str(value) for name, value in form.items()}
    kind = told.get("grant_type", "")
    if kind not in login.grants:
        raise Denied("unsupported_grant_type", "grant type not supported")
    if kind == JWT_BEARER:
        return _by_assertion(system, told.get("assertion", ""))
    client = _authenticated(system, request, told)
    if kind == "client_credentials":
        return system.tokens.issue(login.run_as, client)
    if kind == "password":
        if told.get("username", "") not in system.users:
            raise Denied("invalid_grant", "authentication failure")
        return system.tokens.issue(told["username"], client)
    grant = (
        system.tokens.renew(told.get("refresh_token", ""), client)
        if kind == "refresh_token"
        else system.tokens.redeem(
            told.get("code", ""),
            client,
            told.get("redirect_uri", ""),
            told.get("code_verifier", ""),
        )
    )
    if grant is None:
        raise Denied("invalid_grant", f"expired or wrong {kind.replace('_', ' ')}")
    return grant


def _authenticated(
    system: StandIn, request: web.Request, told: Mapping[str, str]
) -> str:
    client, secret = told.get("client_id", ""), told.get("client_secret", "")
    scheme, _, basic = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client, _, secret = base64.b64decode(basic).decode().partition(":")
    if system.clients.get(client) != secret:
        raise Denied("invalid_client", "invalid client credentials", 401)
    return client


def _by_assertion(system: StandIn, assertion: str) -> Grant:
    """
    Give a token for a signed statement (RFC 7523).

    The stand-in has no certificates, so that it reads the statement and looks at its
    form alone: RS256, a known client, a known user, at most five minutes of life.
    """
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise Denied("invalid_grant", "invalid assertion") from None
    life = float(claims.get("exp", 0)) - system.clock.now()
    if header.get("alg") != "RS256" or not 0 < life <= 300:  # noqa: PLR2004 - seconds
        raise Denied("invalid_grant", "invalid assertion")
    if claims.get("iss") not in system.clients:
        raise Denied("invalid_client_id", "client identifier invalid")
    for user in system.users.values():
        if claims.get("sub") in {user.mail, user.name}:
            return system.tokens.issue(user.name, str(claims["iss"]))
    raise Denied("invalid_grant", "user hasn't approved this consumer")
