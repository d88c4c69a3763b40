"""What Teams tests share: recorded activities, tokens to forge, and small fakes."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)

from bots.teams.auth import Key
from bridge.errors import ServiceUnavailable, StoreUnavailable
from bridge.messages import Channel, Event, Platform
from bridge.places import Place
from bridge.ports import Receipt

FOLDER = Path(__file__).parent / "fixtures" / "teams"

APP = "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02"
TENANT = "7e4a4700-0000-4000-8000-000000000001"
GROUP = "6a1c0de5-0000-4000-8000-000000000001"
ISSUER = "https://api.botframework.com"
SERVICE = "https://smba.trafficmanager.net/amer/"
TEAM = "19:acme@thread.tacv2"
FALCON = Channel(Platform.TEAMS, TEAM, "19:falcon@thread.tacv2")


def raw(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


def recorded(name: str, /, **changes: Any) -> dict[str, Any]:
    activity: dict[str, Any] = json.loads(raw(name))
    return activity | changes


@cache
def private_key(name: str) -> RSAPrivateKey:
    """Return one key per name; making them is slow."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good token; a change to None leaves one out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": APP,
        "exp": now + 3600,
        "nbf": now - 10,
        "serviceurl": SERVICE,
    }
    return {
        name: value for name, value in (good | changes).items() if value is not None
    }


def token(kid: str = "key-1", signer: str = "good", **changes: Any) -> str:
    return jwt.encode(
        claims(**changes), private_key(signer), "RS256", headers={"kid": kid}
    )


def public_jwk(kid: str = "key-1", signer: str = "good", **more: Any) -> dict[str, Any]:
    made = jwt.algorithms.RSAAlgorithm.to_jwk(
        private_key(signer).public_key(), as_dict=True
    )
    return {**made, "kid": kid, **more}


@dataclass
class Seconds:
    """A monotonic clock that runs when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeKeys:
    """One key, `key-1`, endorsed for Teams; without any when `down`."""

    endorsements: frozenset[str] = frozenset({"msteams"})
    down: bool = False

    async def key(self, kid: str) -> Key | None:
        if self.down:
            raise ServiceUnavailable("no keys")
        if kid != "key-1":
            return None
        return Key(private_key("good").public_key(), self.endorsements)


@dataclass
class FakePlaces:
    """Implements `PlaceBook` in a dict."""

    kept: dict[tuple[str, str], Place] = field(default_factory=dict)

    async def remember(self, place: Place) -> None:
        key = (place.team, place.channel)
        known = self.kept.get(key)
        self.kept[key] = known.updated(place) if known else place

    async def of_account(self, account: str) -> Place | None:
        found = [p for p in self.kept.values() if p.account == account]
        return found[-1] if found else None

    async def find(self, channel: Channel) -> Place | None:
        team = self.kept.get((channel.team, ""))
        place = self.kept.get((channel.team, channel.id))
        if place is None and team is None:
            return None
        blank = Place("", channel.team, channel.id, "")
        found = place or blank
        base = team or blank
        return Place(
            found.account or base.account,
            channel.team,
            channel.id,
            found.service_url or base.service_url,
            found.name,
            found.group_id or base.group_id,
            found.kind,
        )


@dataclass
class FakeIntake:
    """Keeps events by their delivery key, as the log does."""

    events: dict[str, Event] = field(default_factory=dict)
    stopped: bool = False
    foreign: bool = False
    failure: Exception | None = None

    async def receive(self, event: Event) -> Receipt:
        if self.failure:
            raise self.failure
        if self.stopped:
            raise StoreUnavailable("the database is away")
        if self.foreign:
            return Receipt(seq=-1)
        duplicate = event.delivery_key in self.events
        self.events.setdefault(event.delivery_key, event)
        return Receipt([*self.events].index(event.delivery_key), duplicate)

    @property
    def kinds(self) -> list[str]:
        return [str(event.kind) for event in self.events.values()]


@dataclass
class FakeTenants:
    companies: Mapping[tuple[Platform, str], str] = field(
        default_factory=lambda: {(Platform.TEAMS, TENANT): "acme"}
    )

    async def tenant_of(self, platform: Platform, account: str) -> str | None:
        return self.companies.get((platform, account))


@dataclass
class FakeTokens:
    """Tokens that count up whenever one was refused."""

    number: int = 1
    down: bool = False

    async def connector(self) -> str:
        if self.down:
            raise ServiceUnavailable("no login")
        return f"token-{self.number}"

    async def graph(self, account: str) -> str:
        return await self.connector()

    def forget(self, token: str) -> None:
        self.number += 1
