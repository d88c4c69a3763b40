"""Where the demo page and what it needs are found on the sandbox's server."""

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

from aiohttp import ClientSession, web
from jinja2 import Environment, FileSystemLoader

from bots.sandbox.page.atom import AtomAtWork
from bots.sandbox.page.files import served
from bots.sandbox.page.log_proxy import LogProxy
from bots.sandbox.world import World

_HERE = Path(__file__).parent
_STATIC = "/page/"
_PROXY = web.AppKey("log_proxy", LogProxy)
_ATOM = web.AppKey("atom", AtomAtWork)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_routes(app: web.Application, world: World) -> None:
    """Serve the page at `/`, its files under `/page/` and ATOM's log behind it."""
    html = _rendered()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    async def proxy(app: web.Application) -> AsyncIterator[None]:
        async with ClientSession() as session:
            app[_PROXY] = LogProxy(world.settings, session)
            app[_ATOM] = AtomAtWork(world, session)
            yield

    async def file(request: web.Request) -> web.Response:
        return served(world, request.match_info["side"], request.match_info["file"])

    app.cleanup_ctx.append(proxy)
    app.on_response_prepare.append(_guard)
    app.router.add_get("/", page)
    app.router.add_static(_STATIC, _HERE / "static")
    app.router.add_get("/sandbox/log", _log)
    app.router.add_get("/sandbox/log/changes", _log_changes)
    app.router.add_get("/sandbox/atom", _atom)
    app.router.add_get("/sandbox/file/{side:slack|teams}/{file}", file)
    app.router.add_post("/sandbox/atom/kill", _kill)


@cache
def _rendered() -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(static=_STATIC)


async def _guard(request: web.Request, response: web.StreamResponse) -> None:
    """Give the page's own answers, and no others, the headers that confine it."""
    if request.path == "/" or request.path.startswith(_STATIC):
        response.headers.update(_HEADERS)


async def _log(request: web.Request) -> web.StreamResponse:
    return await request.app[_PROXY].page(request)


async def _log_changes(request: web.Request) -> web.StreamResponse:
    return await request.app[_PROXY].stream(request)


async def _atom(request: web.Request) -> web.Response:
    return await request.app[_ATOM].state()


async def _kill(request: web.Request) -> web.Response:
    return request.app[_ATOM].kill()
