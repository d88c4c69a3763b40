"""A SCIM client of scim2-client's on top of requests, and a server to call with it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import requests
from aiohttp import ClientResponse, ClientSession, web
from scim2_client import BaseSyncSCIMClient
from scim2_client.client import RawResponse
from scim2_models import ScimProvider

from bots.core import Core, core, steady_us
from bots.settings import Settings
from bridge.compliance import Officer
from bridge.ports import Limiter
from storage.limiter import LocalLimiter
from tests.databases import with_tables

ADMIN = Officer("cli:root")
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class RequestsClient(BaseSyncSCIMClient):
    """Speaks over real connections; scim2-client's own engine wants httpx2."""

    def __init__(self, base: str, token: str) -> None:
        super().__init__(provider=ScimProvider())
        self.base = base
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return "://" not in endpoint or endpoint.startswith(self.base)

    def _parse_json(self, response: RawResponse) -> Any:
        return cast("requests.Response", response).json()

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        whole = url if "://" in url else f"{self.base}/{url.lstrip('/')}"
        return self.session.request(method, whole, timeout=30, **kwargs)


@dataclass
class Said:
    """An answer, read."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def id(self) -> str:
        return str(self.body["id"])


@dataclass
class ScimServer:
    """A running server, and a company's client of it."""

    core: Core
    base: str
    token: str
    session: ClientSession

    async def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> Said:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            named.setdefault("Content-Type", "application/scim+json")
        raw = BytesIO(body) if isinstance(body, bytes) else None
        json = body if raw is None else None
        async with self.session.request(
            method, f"{self.base}{path}", json=json, data=raw, headers=named
        ) as response:
            return await _read(response)

    async def user(self, user_name: str, **more: Any) -> Said:
        made = await self.ask(
            "POST", "/Users", {"schemas": [USER], "userName": user_name, **more}
        )
        assert made.status == 201, made.body
        return made

    async def group(self, name: str, *members: str) -> Said:
        made = await self.ask(
            "POST",
            "/Groups",
            {
                "schemas": [GROUP],
                "displayName": name,
                "members": [{"value": member} for member in members],
            },
        )
        assert made.status == 201, made.body
        return made

    async def patch(self, path: str, *operations: Any, **headers: str) -> Said:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return await self.ask("PATCH", path, body, **headers)

    async def get(self, path: str, **headers: str) -> Said:
        return await self.ask("GET", path, **headers)

    async def members(self, group: str) -> set[str]:
        read = await self.get(f"/Groups/{group}")
        return {member["value"] for member in read.body.get("members", ())}


async def _read(response: ClientResponse) -> Said:
    text = await response.text()
    body = await response.json(content_type=None) if text else None
    return Said(response.status, response.headers, body)


@asynccontextmanager
async def scim_server(
    home: Path,
    settings: Settings | None = None,
    company: str = "acme",
    limiter: Limiter | None = None,
) -> AsyncIterator[ScimServer]:
    """Serve what the application serves at /scim/v2, on a free port."""
    with_tables(home)
    async with core(settings or Settings(home=home), "test") as built:
        if await built.companies.create(company, company, "a@acme.example"):
            built.keys.create(company)
        made = await built.scim.tokens.create(company, ADMIN, "test")
        app = web.Application()
        built.scim.pages(limiter or LocalLimiter(steady_us)).add_routes(app)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            async with ClientSession() as session:
                base = f"http://{host}:{port}/scim/v2"
                yield ScimServer(built, base, made.text, session)
        finally:
            await runner.cleanup()
