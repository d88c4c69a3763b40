"""Only Microsoft's tokens for this very app open the door; all others get 401."""

import base64
import hmac
import json
import time
from email.utils import formatdate
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.teams.auth import Claims, TokenCheck, Unauthorised, keys_in
from bots.their_clock import TheirClock
from bridge.errors import ServiceUnavailable
from tests.teams_world import (
    APP,
    ISSUER,
    SERVICE,
    FakeKeys,
    claims,
    private_key,
    public_jwk,
    recorded,
    token,
)


@pytest.fixture
def check() -> TokenCheck:
    return TokenCheck(FakeKeys(), ISSUER, APP)


def _part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _signed(header: Any, payload: Any) -> str:
    """Sign anything, also what no library would."""
    signed = f"{_part(header)}.{_part(payload)}"
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return f"{signed}.{_part(algorithm.sign(signed.encode(), private_key('good')))}"


HEADER = {"alg": "RS256", "typ": "JWT", "kid": "key-1"}


async def test_good_token_tells_where_teams_may_be_answered(check: TokenCheck) -> None:
    said = await check.claims(f"Bearer {token()}")

    assert said == Claims(SERVICE, frozenset({"msteams"}))


async def test_clocks_may_differ_by_less_than_five_minutes(check: TokenCheck) -> None:
    now = int(time.time())
    old = token(exp=now - 200)
    new = token(nbf=now + 200)

    assert (await check.claims(f"Bearer {old}")).service_url == SERVICE
    assert (await check.claims(f"Bearer {new}")).service_url == SERVICE


@pytest.mark.parametrize("apart", [-600, 600])
async def test_where_our_clock_is_wrong_microsofts_own_counts(apart: int) -> None:
    clock = TheirClock()
    check = TokenCheck(FakeKeys(), ISSUER, APP, clock)
    now = int(time.time()) + apart
    header = f"Bearer {token(nbf=now, exp=now + 60)}"
    with pytest.raises(Unauthorised):
        await check.claims(header)

    clock.heard(formatdate(now, usegmt=True))

    assert (await check.claims(header)).service_url == SERVICE


_NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": _NOW - 400},
        {"nbf": _NOW + 4000},
        {"aud": "00000000-0000-4000-8000-000000000000"},
        {"aud": ["somebody", "else"]},
        {"iss": "https://sts.windows.net/elsewhere/"},
        {"exp": None},
        {"aud": None},
        {"iss": None},
        {"serviceurl": None},
        {"serviceurl": ""},
        {"serviceurl": 5},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"nbf": float("inf")},
        {"exp": []},
        {"iat": {}},
        {"aud": {}},
        {"iss": []},
    ],
    ids=range(18),
)
async def test_trap_bad_claims_are_401_and_never_500(
    check: TokenCheck, changes: dict[str, Any]
) -> None:
    payload = claims(**changes)

    with pytest.raises(Unauthorised):
        await check.claims(f"Bearer {_signed(HEADER, payload)}")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer  ",
        "Basic dXNlcjpwYXNz",
        "Bearer garbage",
        "Bearer a.b.c",
        "Bearer ..",
        "Bearer \udcff\udcfe.a.b",
        f"Bearer {_part(b'[' * 4000)}.e30.x",
        f"Bearer {_part({'alg': 'RS256'})}.e30.x",
        f"Bearer {_part({'alg': 'RS256', 'kid': 7})}.e30.x",
        f"Bearer {_part({'alg': 'none', 'kid': 'key-1'})}.{_part(claims())}.",
        f"Bearer {_part([])}.e30.x",
        f"Bearer {token(kid='another')}",
        f"Bearer {token(signer='thief')}",
        f"Bearer {_signed(HEADER, b'no json')}",
        f"Bearer {_signed(HEADER, [])}",
        f"Bearer {_signed({**HEADER, 'crit': ['exp']}, claims())}",
    ],
    ids=range(19),
)
async def test_trap_bad_tokens_are_401_and_never_500(
    check: TokenCheck, header: str | None
) -> None:
    with pytest.raises(Unauthorised):
        await check.claims(header)


async def test_public_key_used_as_a_shared_secret_is_refused(check: TokenCheck) -> None:
    secret = json.dumps(public_jwk()).encode()
    signed = f"{_part({**HEADER, 'alg': 'HS256'})}.{_part(claims())}"
    confused = f"{signed}.{_part(hmac.digest(secret, signed.encode(), 'sha256'))}"

    with pytest.raises(Unauthorised):
        await check.claims(f"Bearer {confused}")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
async def test_no_header_whatsoever_raises_anything_else(text: str) -> None:
    check = TokenCheck(FakeKeys(), ISSUER, APP)

    with pytest.raises(Unauthorised):
        await check.claims(f"Bearer {text}")


async def test_without_any_keys_nobody_is_judged() -> None:
    check = TokenCheck(FakeKeys(down=True), ISSUER, APP)

    with pytest.raises(ServiceUnavailable):
        await check.claims(f"Bearer {token()}")


def test_token_for_another_service_address_is_refused() -> None:
    said = Claims("https://elsewhere.example/", frozenset())

    with pytest.raises(Unauthorised):
        said.cover(recorded("channel_message"))


def test_service_address_without_encryption_is_refused() -> None:
    said = Claims("http://smba.example/", frozenset())

    with pytest.raises(Unauthorised):
        said.cover(recorded("channel_message", serviceUrl="http://smba.example/"))


def test_key_that_is_endorsed_for_other_channels_is_refused() -> None:
    said = Claims(SERVICE, frozenset({"webchat"}))

    with pytest.raises(Unauthorised):
        said.cover(recorded("channel_message"))


def test_activities_of_other_channels_are_refused() -> None:
    said = Claims(SERVICE, frozenset())

    with pytest.raises(Unauthorised):
        said.cover(recorded("channel_message", channelId="webchat"))


def test_keys_that_cannot_be_used_are_left_out() -> None:
    document = {
        "keys": [
            {"kty": "EC", "kid": "curve"},
            {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            "nonsense",
            public_jwk("key-1", endorsements=["msteams", "skype"]),
        ]
    }

    keys = keys_in(document)

    assert [*keys] == ["key-1"]
    assert keys["key-1"].endorsements == {"msteams", "skype"}
