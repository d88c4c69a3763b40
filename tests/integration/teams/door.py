"""ATOM's Teams side of the wire, with its inner parts in view."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession
from prometheus_client import REGISTRY

from bots.commands.base import Request
from bridge.cards import Card
from bridge.places import Place
from tests.teams_server import ScriptedTeams
from tests.teams_world import (
    FakeIntake,
    FakePlaces,
    FakeTenants,
    token,
)

LIMIT = 100_000
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass
class Echo:
    """A command that says what it was given, when it may."""

    name: str = "link"
    summary: str = "links"
    usage: str = "link"
    asked: list[Request] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    async def run(self, request: Request) -> Card:
        self.asked.append(request)
        await self.go.wait()
        if self.failure:
            raise self.failure
        return Card(f"did {request.text}")


@dataclass
class Door:
    """ATOM's side of the wire, with its inner parts in view."""

    url: str
    session: ClientSession
    teams: ScriptedTeams
    intake: FakeIntake
    tenants: FakeTenants
    places: FakePlaces
    command: Echo
    installed: list[Place]

    async def deliver(
        self, activity: dict[str, Any], *, bearer: str | None = None
    ) -> tuple[int, Any]:
        said = activity | {"serviceUrl": self.teams.url}
        return await self.send(json.dumps(said).encode(), bearer=bearer)

    async def send(self, body: Any, *, bearer: str | None = None) -> tuple[int, Any]:
        bearer = token(serviceurl=self.teams.url) if bearer is None else bearer
        headers = JSON_TYPE | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        async with self.session.post(self.url, data=body, headers=headers) as answer:
            content = await answer.read()
            return answer.status, json.loads(content) if content else None


def counted(name: str, reason: str) -> float:
    labels = {"platform": "teams", "reason": reason}
    return REGISTRY.get_sample_value(name, labels) or 0.0
