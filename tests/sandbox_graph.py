"""What tests of the sandbox's Graph share: a client that is signed in through msal."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from msal import ConfidentialClientApplication

from bots.sandbox.teams.seed import ACME, BOT_APP_ID, BOT_PASSWORD
from tests.sandbox import Sandbox
from tests.sandbox_teams import GRAPH_SCOPE, Answered, asked

CAROL = "c0000000-0000-4000-8000-000000000001"
DAVE = "c0000000-0000-4000-8000-000000000002"
ERIN = "c0000000-0000-4000-8000-000000000003"
BOARD = "19:board@thread.tacv2"
_LOGIN = "https://login.microsoftonline.com"
_EVERYTHING = [
    "Channel.Create",
    "Channel.Delete.All",
    "Channel.ReadBasic.All",
    "ChannelMember.ReadWrite.All",
    "ChannelMessage.Read.All",
    "ChannelSettings.ReadWrite.All",
    "Files.ReadWrite.All",
    "Group.ReadWrite.All",
    "Team.Create",
    "Team.ReadBasic.All",
    "TeamMember.ReadWrite.All",
    "TeamSettings.ReadWrite.All",
    "User.Read.All",
]


class Rerouted(requests.Session):
    """msal takes nothing but https: what is for the login goes to the sandbox."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.trust_env = False
        self._base = base

    def request(self, method: Any, url: Any, *args: Any, **more: Any) -> Any:
        parts = urlsplit(str(url))
        there = urlsplit(self._base)
        path = f"/teams/login{parts.path}"
        moved = urlunsplit((there.scheme, there.netloc, path, parts.query, ""))
        return super().request(method, moved, *args, **more)


@dataclass(frozen=True, slots=True)
class GraphClient:
    """Calls Graph with one token."""

    base: str
    token: str

    async def get(self, path: str) -> Answered:
        return await self.call("GET", path)

    async def post(self, path: str, body: Any = None) -> Answered:
        return await self.call("POST", path, {} if body is None else body)

    async def patch(self, path: str, body: Any) -> Answered:
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> Answered:
        return await self.call("DELETE", path)

    async def call(self, verb: str, path: str, body: Any = None) -> Answered:
        url = path if path.startswith("http") else f"{self.base}/{path.lstrip('/')}"
        return await asked(verb, url, self.token, body)


async def graph_client(
    sandbox: Sandbox, *roles: str, tenant: str = ACME
) -> GraphClient:
    """Sign in with msal, as an app that has these roles, or all that are of use."""
    await sandbox.set({"teams.graph_roles": list(roles or _EVERYTHING)})
    token = await asyncio.to_thread(_token, sandbox.base, tenant)
    return GraphClient(f"{sandbox.base}/teams/graph/v1.0", token)


def bound(person: str, *roles: str) -> dict[str, Any]:
    """Return a member as Graph wants it."""
    return {
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "roles": list(roles),
        "user@odata.bind": f"https://graph.microsoft.com/v1.0/users('{person}')",
    }


def _token(base: str, tenant: str) -> str:
    with Rerouted(base) as client:
        app = ConfidentialClientApplication(
            BOT_APP_ID,
            client_credential=BOT_PASSWORD,
            authority=f"{_LOGIN}/{tenant}",
            instance_discovery=False,
            http_client=client,
        )
        answer = app.acquire_token_for_client([GRAPH_SCOPE])
    return str(answer["access_token"])
