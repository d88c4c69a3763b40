"""
The pages by which people connect their accounts of business systems.

A link from chat leads to the system's own sign-in, that back to a page which says whose
account was found and who in chat it would be used for, and only a click there keeps it.
A cookie holds all of it to one browser. No page runs a script or loads anything.
"""

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web
from jinja2 import Environment, StrictUndefined

from bridge.errors import AtomError, NotAllowed, NotFound
from bridge.records.connections import Attempt, Connection, Stranger

_COOKIE = "atom_connect"
_LASTS = 15 * 60  # seconds; longer than any link
_LONGEST = 4_096

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2030; --dim: #5d6478; --paper: #f4f5f8;
  --card: #fff; --line: #dfe2ea; --lead: #3a5bd9; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef5; --dim: #a3abc0;
  --paper: #12141c; --card: #1b1e29; --line: #2d3242; --lead: #8ea6ff; --on: #12141c; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px 16px;
  background: var(--paper); color: var(--ink); font: 17px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 460px; background: var(--card); border-radius: 16px;
  border: 1px solid var(--line); padding: 32px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 12px; }
p { margin: 0 0 16px; color: var(--dim); overflow-wrap: anywhere; }
dl { margin: 0 0 24px; display: grid; grid-template-columns: auto 1fr; gap: 8px 16px; }
dt { color: var(--dim); } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
button { width: 100%; padding: 14px; border: 0; border-radius: 10px; cursor: pointer;
  background: var(--lead); color: var(--on); font: inherit; font-weight: 600; }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><style>{{ style | safe }}</style></head>
<body><main><h1>{{ title }}</h1>
{% if rows %}<dl>{% for label, value in rows %}<dt>{{ label }}</dt><dd>{{ value }}</dd>
{% endfor %}</dl>{% endif %}
<p>{{ text }}</p>
{% if secret %}<form method="post" action="agree">
<input type="hidden" name="secret" value="{{ secret }}">
<button>{{ button }}</button></form>{% endif %}
</main></body></html>"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Found(Protocol):
    """Whose account a browser signed in with, and the secret by which it is agreed."""

    @property
    def attempt(self) -> Attempt: ...

    @property
    def secret(self) -> str: ...


class SignInDesk(Protocol):
    """What browsers are served by: `bots.records.connecting.Connecting`."""

    async def opened(
        self, link: str, system: str, instance: str, browser: str
    ) -> str: ...

    async def back(self, state: str, code: str, browser: str) -> Found: ...

    async def agree(self, secret: str, browser: str) -> Connection: ...


@dataclass(frozen=True, slots=True)
class ConnectPages:
    """Serves `/connect/…`. `secure` says that browsers reach ATOM by https."""

    desk: SignInDesk
    secure: bool = True

    def add_routes(self, app: web.Application) -> None:
        # Not HEAD: what only looks whether a link is there begins no sign-in.
        get = app.router.add_get
        get("/connect/callback", self._guarded(self.callback), allow_head=False)
        get("/connect/{system}/{instance}", self._guarded(self.start), allow_head=False)
        app.router.add_post("/connect/agree", self._guarded(self.agree))

    async def start(self, request: web.Request) -> web.StreamResponse:
        """Send a browser to the system's sign-in."""
        browser = _browser(request) or secrets.token_urlsafe(32)
        where = await self.desk.opened(
            _told(request.query, "state"),
            request.match_info["system"],
            request.match_info["instance"],
            browser,
        )
        headers = {**_HEADERS, "Location": where}
        response = web.Response(status=302, headers=headers)
        response.set_cookie(
            _COOKIE,
            browser,
            max_age=_LASTS,
            path="/connect",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )
        return response

    async def callback(self, request: web.Request) -> web.StreamResponse:
        """Ask whether the account that was found is to be used."""
        browser = _required(request)
        query = request.query
        code = "" if "error" in query else _told(query, "code")
        found = await self.desk.back(_told(query, "state"), code, browser)
        wanted, identity = found.attempt.wanted, found.attempt.identity
        shown = wanted.system.shown
        return _page(
            f"Connect this {shown} account?",
            f"Only go on if you asked for this in chat yourself: what {wanted.shown} "
            f"asks ATOM for will be done in {shown} as this account.",
            rows=[
                (shown, identity.name if identity else ""),
                ("In chat", f"{wanted.shown} ({_platform(wanted.actor)})"),
            ],
            secret=found.secret,
            button=f"Yes, that is me: connect {shown}",
        )

    async def agree(self, request: web.Request) -> web.StreamResponse:
        browser = _required(request)
        form = await request.post()
        secret = form.get("secret")
        connection = await self.desk.agree(
            secret[:_LONGEST] if isinstance(secret, str) else "", browser
        )
        response = _page(
            f"Connected as {connection.name}",
            f"What you do with records of {connection.system.shown} is done as you "
            "from now on. You can close this page and go back to the chat.",
        )
        response.del_cookie(_COOKIE, path="/connect")
        return response

    def _guarded(
        self, page: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await page(request)
            except Stranger as error:
                return _page("This sign-in is over", str(error), status=410)
            except NotFound as error:
                return _page("There is nothing here", str(error), status=404)
            except NotAllowed as error:
                return _page("Not connected", str(error), status=403)
            except AtomError:
                return _page("Not connected", _LATER, status=503)

        return answer


_LATER = (
    "Something that is needed for it does not answer now. Nothing was changed: ask for "
    "a new link in chat in a few minutes."
)


def _page(title: str, text: str, *, status: int = 200, **more: Any) -> web.Response:
    known: dict[str, Any] = {"rows": (), "secret": "", "button": "", "style": _STYLE}
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    html = environment.from_string(_PAGE).render(
        title=title, text=text, **{**known, **more}
    )
    return web.Response(
        text=html, status=status, content_type="text/html", headers=_HEADERS
    )


def _browser(request: web.Request) -> str:
    return request.cookies.get(_COOKIE, "")[:_LONGEST]


def _required(request: web.Request) -> str:
    if not (browser := _browser(request)):
        raise Stranger(
            "This browser did not begin the sign-in: open the link from chat here."
        )
    return browser


def _told(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "")[:_LONGEST]


def _platform(actor: str) -> str:
    return actor.partition(":")[0].capitalize()
