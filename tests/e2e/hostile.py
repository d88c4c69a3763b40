"""Requests that pretend to be Slack or Teams, and what ATOM lets be seen of them."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import jwt

from bots.sandbox.slack import seed as slack
from bots.sandbox.teams import seed as teams
from bots.sandbox.teams.keys import Keys, wrong_key
from tests.e2e.world import COMPANY, World

WORDS = "quarterly-secret"  # in every body, and never in a log line
ISSUER = "https://api.botframework.com"

_FIXTURES = Path(__file__).parents[1] / "fixtures"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to ATOM. `body` is sent in chunks if it is not to tell its size."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False


def slack_event(text: str = WORDS, **event: Any) -> dict[str, Any]:
    """Return a message to #project-falcon that nobody has sent before."""
    n = next(_numbers)
    body: dict[str, Any] = json.loads(
        (_FIXTURES / "slack" / "message.json").read_text()
    )
    ts = f"{int(time.time())}.{n:06}"
    body["event_id"] = f"EvHostile{n}"
    body["event"] |= {"ts": ts, "event_ts": ts, "client_msg_id": str(n)}
    body["event"] |= {"text": text} | event
    del body["event"]["blocks"]
    return body


def slack_request(
    body: Any,
    *,
    secret: str = slack.SIGNING_SECRET,
    age: float = 0,
    chunked: bool = False,
) -> Request:
    """Sign what is given, `age` seconds ago, as Slack does."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = str(int(time.time() - age))
    digest = hmac.digest(
        secret.encode(), b"v0:" + sent.encode() + b":" + raw, hashlib.sha256
    )
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": sent,
        "X-Slack-Signature": f"v0={digest.hex()}",
    }
    return Request("/slack/events", raw, headers, chunked)


def service_url(world: World) -> str:
    return f"{world.base}/teams/connector/amer/"


def activity(world: World, **changes: Any) -> dict[str, Any]:
    """Return a message in Project Falcon that nobody has sent before."""
    n = str(int(time.time() * 1000) + next(_numbers))
    made: dict[str, Any] = json.loads(
        (_FIXTURES / "teams" / "channel_message.json").read_text()
    )
    made |= {"id": n, "serviceUrl": service_url(world), "text": WORDS}
    made["conversation"]["id"] = f"19:falcon@thread.tacv2;messageid={n}"
    made["attachments"], made["entities"] = [], []
    return made | changes


def claims(world: World, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "serviceurl": service_url(world),
        "nbf": now - 10,
        "exp": now + 3600,
        "iss": ISSUER,
        "aud": teams.BOT_APP_ID,
    }
    return good | changes


def genuine(made: Mapping[str, Any]) -> str:
    """Sign as Teams does; the sandbox publishes this key."""
    return Keys("connector").sign(made)


def forged(made: Mapping[str, Any], key_id: str = "", **headers: Any) -> str:
    """Sign with a key that nobody publishes, under the id of one that is."""
    named = {"kid": key_id or Keys("connector").key_id, **headers}
    return jwt.encode(dict(made), wrong_key(), "RS256", headers=named)


def unsigned_token(made: Mapping[str, Any]) -> str:
    """Claim that no signature is needed."""
    kid = {"kid": Keys("connector").key_id}
    return jwt.encode(dict(made), "", "none", headers=kid)


def teams_request(body: Any, token: str, *, chunked: bool = False) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return Request("/api/messages", raw, headers, chunked)


async def sent(world: World, request: Request) -> int:
    """Send it and return the status."""
    body: Any = BytesIO(request.body)
    if request.chunked:
        body = _in_chunks(request.body)
    async with world.session.post(
        f"{world.atom}{request.path}", data=body, headers=request.headers
    ) as answer:
        await answer.read()
        return answer.status


async def _in_chunks(body: bytes) -> Any:
    for first in range(0, len(body), 65_536):
        yield body[first : first + 65_536]


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of ATOM from outside at one moment."""

    size: int
    refused: Mapping[tuple[str, str], float]
    lines: int

    @classmethod
    async def now(cls, world: World) -> "Seen":
        return cls(
            await log_size(world), await refusals(world), len(world.stderr.splitlines())
        )

    def refused_since(self, before: "Seen") -> dict[tuple[str, str], float]:
        """Return by how much each counter has moved."""
        return {
            key: moved
            for key, value in self.refused.items()
            if (moved := value - before.refused.get(key, 0))
        }


async def log_size(world: World) -> int:
    page = await log_page(world, -1)
    size: int = page["size"]
    return size


async def log_page(world: World, after: int) -> Mapping[str, Any]:
    """Return the log's size, and what was written after that position."""
    url = f"{world.atom}/api/v1/log"
    query = {"tenant": COMPANY, "after": str(after)}
    headers = {"Authorization": "Bearer console"}
    async with world.session.get(url, params=query, headers=headers) as answer:
        assert answer.status == 200
        found: Mapping[str, Any] = await answer.json()
        return found


async def unknown_kinds(world: World) -> float:
    """Read atom_unknown_total, of both platforms."""
    told = [
        one for one in await _metrics(world) if one.startswith("atom_unknown_total{")
    ]
    return sum(float(line.rpartition(" ")[2]) for line in told)


async def _metrics(world: World) -> list[str]:
    async with world.session.get(f"{world.atom}/metrics") as answer:
        return (await answer.text()).splitlines()


async def refusals(world: World) -> dict[tuple[str, str], float]:
    """Read atom_refused_total by platform and reason."""
    found = {}
    for line in await _metrics(world):
        if line.startswith("atom_refused_total{"):
            labels, _, value = line.partition("{")[2].partition("} ")
            named = dict(pair.split("=") for pair in labels.split(","))
            platform, reason = (named[n].strip('"') for n in ("platform", "reason"))
            found[platform, reason] = float(value)
    return found
