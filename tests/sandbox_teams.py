"""What tests of the sandbox's Teams share: a bot with tokens, and what it sees."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from botbuilder.schema import Activity, ResourceResponse
from botframework.connector import ConnectorClient
from botframework.connector.auth import AppCredentials

from bots.sandbox.teams.seed import ACME, BOT_APP_ID, BOT_PASSWORD
from tests.sandbox import Delivered, Listener, Sandbox, eventually

FALCON = "19:falcon@thread.tacv2"
TEAM = "19:acme@thread.tacv2"
GROUP = "6a1c0de5-0000-4000-8000-000000000001"
BOT_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: Any
    headers: dict[str, str]


class GivenToken(AppCredentials):  # type: ignore[misc]  # botframework ships no types
    """Credentials around a token that is there already."""

    def __init__(self, token: str) -> None:
        super().__init__(app_id=BOT_APP_ID)
        self._given = token

    def get_access_token(self, force_refresh: bool = False) -> str:  # noqa: FBT001, FBT002 - their signature
        return self._given


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that is signed in. `connector` is botframework's own client."""

    sandbox: Sandbox
    token: str
    graph_token: str
    connector: Any

    @property
    def service(self) -> str:
        return f"{self.sandbox.base}/teams/connector/amer/"

    async def send(self, conversation: str, **said: Any) -> str:
        """Post through botframework's client; returns the message's id."""
        activity = Activity(**{"type": "message", **said})
        response: ResourceResponse = await asyncio.to_thread(
            self.connector.conversations.send_to_conversation, conversation, activity
        )
        return str(response.id)

    async def say(self, text: str, conversation: str = FALCON) -> Answered:
        body = {"type": "message", "text": text}
        return await self.connect(
            "POST", f"conversations/{conversation}/activities", body
        )

    async def connect(self, verb: str, path: str, body: Any = None) -> Answered:
        """Call the connector by hand, where the status and headers matter."""
        url = f"{self.service}v3/{path}"
        return await asked(verb, url, self.token, body)

    async def graph(self, path: str) -> Answered:
        url = path if path.startswith("http") else self.graph_url(path)
        return await asked("GET", url, self.graph_token)

    def graph_url(self, path: str) -> str:
        return f"{self.sandbox.base}/teams/graph/v1.0/{path}"


async def asked(verb: str, url: str, token: str, body: Any = None) -> Answered:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        ClientSession(timeout=ClientTimeout(total=_PATIENCE)) as session,
        session.request(verb, url, json=body, headers=headers) as response,
    ):
        content: Any = await response.read()
        if response.content_type == "application/json":
            content = await response.json()
        return Answered(response.status, content, dict(response.headers))


async def signed_in(sandbox: Sandbox) -> Bot:
    token = (await token_answer(sandbox, BOT_SCOPE)).body["access_token"]
    graph_token = (await token_answer(sandbox, GRAPH_SCOPE)).body["access_token"]
    service = f"{sandbox.base}/teams/connector/amer/"
    connector = ConnectorClient(GivenToken(token), base_url=service)
    return Bot(sandbox, token, graph_token, connector)


async def token_answer(
    sandbox: Sandbox, scope: str, tenant: str = ACME, **changes: str
) -> Answered:
    form = {
        "grant_type": "client_credentials",
        "client_id": BOT_APP_ID,
        "client_secret": BOT_PASSWORD,
        "scope": scope,
        **changes,
    }
    url = f"{sandbox.base}/teams/login/{tenant}/oauth2/v2.0/token"
    async with (
        ClientSession(timeout=ClientTimeout(total=_PATIENCE)) as session,
        session.post(url, data=form) as response,
    ):
        return Answered(response.status, await response.json(), {})


async def teams_messages(
    sandbox: Sandbox, channel: str = FALCON
) -> list[dict[str, Any]]:
    """Return the messages of a channel or chat as the state shows them."""
    for tenant in (await sandbox.state())["teams"]["tenants"]:
        places = [
            *tenant["chats"],
            *(c for t in tenant["teams"] for c in t["channels"]),
        ]
        for one in places:
            if one["id"] == channel:
                found: list[dict[str, Any]] = one["messages"]
                return found
    raise AssertionError(f"no channel {channel}")


async def said(sandbox: Sandbox, **wish: Any) -> dict[str, Any]:
    """Let Carol post in Project Falcon, or what else is wished."""
    defaults = {"action": "post", "user": "29:carol", "channel": FALCON}
    return await sandbox.act_in_teams(**{**defaults, **wish})


async def arrived(listener: Listener, count: int = 1) -> list[dict[str, Any]]:
    """Wait for so many activities, and return them."""
    return [one.json() for one in await requests(listener, count)]


async def requests(listener: Listener, count: int = 1) -> list[Delivered]:
    await eventually(lambda: len(listener.got) >= count)
    return listener.got
