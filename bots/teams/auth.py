"""
Who may speak as Microsoft Teams: the check of the token on every incoming request.

PyJWT on keys that are fetched without blocking. Whatever is wrong with a token ends
in `Unauthorised`, never in another error; only missing keys are ATOM's own trouble.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt
from aiohttp import ClientError, ClientSession, ClientTimeout

from bots.teams.places import is_safe_address
from bots.teams.wire import mapping, mappings, text_of
from bots.their_clock import TheirClock
from bridge.errors import AtomError, ServiceUnavailable

CHANNEL = "msteams"

_LEEWAY = 300  # seconds that clocks may differ
_FRESH = 24 * 3600.0  # Microsoft asks for a refresh once a day
_USABLE = 7 * 24 * 3600.0  # without any answer for a week, keys count as unknown
_PAUSE = 60.0  # between refreshes that unknown key ids ask for
_PAUSE_WITHOUT_KEYS = 1.0
_TIMEOUT = ClientTimeout(total=10, connect=5)
_LARGEST_ANSWER = 1024 * 1024

# PyJWT lets these through for headers and claims that nobody would write in earnest:
# infinite times, deep nesting, bytes that are no text.
_BAD_TOKEN = (
    jwt.PyJWTError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


# The library compares times with our clock alone.
_BUT_FOR_TIMES: jwt.types.Options = {
    "require": ["exp", "iss", "aud"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Unauthorised(AtomError):
    """The request does not come from Microsoft Teams, for a reason fit for a label."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that signs for Microsoft, and the channels it may speak for; none: all."""

    key: Any
    endorsements: frozenset[str] = frozenset()


class Keys(Protocol):
    """Where keys come from."""

    async def key(self, kid: str) -> Key | None:
        """Return a key. Raises `ServiceUnavailable` when there are no keys at all."""
        ...


@dataclass(slots=True)
class SigningKeys:
    """
    Implements `Keys`: those behind an OpenID address, fetched when needed and kept.

    An unknown key id makes it look again, at most once a minute: forged tokens cannot
    turn ATOM into a load on Microsoft. `clock` gives monotonic seconds; `theirs` is
    Microsoft's, as its answers tell it.
    """

    session: ClientSession
    openid_url: str
    clock: Callable[[], float]
    theirs: TheirClock = field(default_factory=TheirClock)
    _keys: Mapping[str, Key] = field(default_factory=dict)
    _fetched: float | None = None
    _tried: float | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def key(self, kid: str) -> Key | None:
        if self._age() > _FRESH or kid not in self._keys:
            await self._refresh(kid)
        if not self._keys or self._age() > _USABLE:
            raise ServiceUnavailable("Microsoft's signing keys cannot be fetched")
        return self._keys.get(kid)

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self.clock() - self._fetched

    async def _refresh(self, kid: str) -> None:
        async with self._lock:
            if self._age() <= _FRESH and kid in self._keys:
                return  # another request fetched it meanwhile
            pause = _PAUSE if self._keys else _PAUSE_WITHOUT_KEYS
            if self._tried is not None and self.clock() - self._tried < pause:
                return
            self._tried = self.clock()
            try:
                keys = await self._fetch()
            except (ClientError, OSError, ValueError, RecursionError):
                return  # the old keys serve on; without any, `key` says so
            if keys:
                self._keys, self._fetched = keys, self.clock()

    async def _fetch(self) -> Mapping[str, Key]:
        metadata = await self._json(self.openid_url)
        address = text_of(metadata.get("jwks_uri"))
        if not is_safe_address(address):
            return {}
        return keys_in(await self._json(address))

    async def _json(self, url: str) -> Mapping[str, Any]:
        async with self.session.get(
            url, timeout=_TIMEOUT, allow_redirects=False, raise_for_status=True
        ) as answer:
            self.theirs.heard(answer.headers.get("Date"))
            body = await answer.content.read(_LARGEST_ANSWER)
            while not answer.content.at_eof() and len(body) < _LARGEST_ANSWER:
                body += await answer.content.read(_LARGEST_ANSWER)
        return mapping(json.loads(body))


@dataclass(frozen=True, slots=True)
class Claims:
    """What a checked token says: where it may be answered, and for which channels."""

    service_url: str
    endorsements: frozenset[str]

    def cover(self, activity: Mapping[str, Any]) -> None:
        """Raise `Unauthorised` unless the token stands for this very activity."""
        if text_of(activity.get("serviceUrl")) != self.service_url:
            raise Unauthorised("service_url")
        if not is_safe_address(self.service_url):
            raise Unauthorised("service_url")
        channel = text_of(activity.get("channelId"))
        if channel != CHANNEL or (
            self.endorsements and channel not in self.endorsements
        ):
            raise Unauthorised("endorsement")


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """Checks the Authorization header of requests that claim to be Teams."""

    keys: Keys
    issuer: str
    app_id: str
    clock: TheirClock = field(default_factory=TheirClock)

    async def claims(self, header: str | None) -> Claims:
        """
        Return what the token says; raises `Unauthorised` for every bad one.

        Raises `ServiceUnavailable` when no key was ever fetched: then nobody can be
        told apart, and the sender may try later.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorised("no_token")
        token = token.strip()
        key = await self.keys.key(_key_id(token))
        if key is None:
            raise Unauthorised("unknown_key")
        return Claims(self._service_url(token, key), key.endorsements)

    def _service_url(self, token: str, key: Key) -> str:
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self.app_id,
                issuer=self.issuer,
                options=_BUT_FOR_TIMES,
            )
            reasons = [_out_of_time(claims, now) for now in self.clock.times()]
        except _BAD_TOKEN as error:
            raise Unauthorised("bad_token") from error
        if all(reasons):
            raise Unauthorised(reasons[0])
        # The claim is spelled both ways in the wild.
        service_url = text_of(claims.get("serviceurl") or claims.get("serviceUrl"))
        if not service_url:
            raise Unauthorised("service_url")
        return service_url


def _out_of_time(claims: Mapping[str, Any], now: float) -> str:
    """Return why a token is not good at a time, if it is not."""
    if int(claims["exp"]) <= now - _LEEWAY:
        return "expired"
    starts = [int(claims[name]) for name in ("nbf", "iat") if name in claims]
    return "bad_token" if max(starts, default=0) > now + _LEEWAY else ""


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except _BAD_TOKEN as error:
        raise Unauthorised("bad_token") from error
    if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise Unauthorised("bad_token")
    return str(header["kid"])


def keys_in(document: Mapping[str, Any]) -> dict[str, Key]:
    """Read a key set. A key that cannot be used is left out; the others count."""
    keys = {}
    for entry in mappings(document.get("keys")):
        kid = text_of(entry.get("kid"))
        if not kid or entry.get("kty") != "RSA":
            continue
        try:
            usable = jwt.PyJWK(dict(entry), "RS256").key
        except _BAD_TOKEN:
            continue
        listed = entry.get("endorsements")
        endorsed = listed if isinstance(listed, list) else []
        keys[kid] = Key(usable, frozenset(filter(None, map(text_of, endorsed))))
    return keys
