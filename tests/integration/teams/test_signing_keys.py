"""Microsoft's keys are fetched without blocking, kept, and looked for sparingly."""

import asyncio

import pytest
from aiohttp import ClientSession

from bots.teams.auth import SigningKeys
from bridge.errors import ServiceUnavailable
from tests.servers import free_port
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import Seconds, public_jwk


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def keys(session: ClientSession, teams: ScriptedTeams, clock: Seconds) -> SigningKeys:
    teams.answer("GET openid", Said(body={"jwks_uri": f"{teams.url}keys"}))
    publish(teams, "key-1")
    return SigningKeys(session, f"{teams.url}openid", clock)


def publish(teams: ScriptedTeams, *kids: str) -> None:
    published = [public_jwk(kid, endorsements=["msteams"]) for kid in kids]
    teams.answer("GET keys", Said(body={"keys": published}))


async def test_keys_are_fetched_once_for_all(
    keys: SigningKeys, teams: ScriptedTeams
) -> None:
    found = await asyncio.gather(*(keys.key("key-1") for _ in range(5)))

    assert all(key and key.endorsements == {"msteams"} for key in found)
    assert teams.paths("GET") == ["/openid", "/keys"]


async def test_unknown_key_is_looked_for_at_most_once_a_minute(
    keys: SigningKeys, teams: ScriptedTeams, clock: Seconds
) -> None:
    await keys.key("key-1")
    publish(teams, "key-1", "key-2")
    clock.now += 61
    assert await keys.key("key-2") is not None
    fetched = len(teams.calls)

    for forged in range(20):
        assert await keys.key(f"forged-{forged}") is None

    assert len(teams.calls) == fetched
    clock.now += 61
    assert await keys.key("forged") is None
    assert len(teams.calls) == fetched + 2


async def test_withdrawn_keys_end_with_the_day(
    keys: SigningKeys, teams: ScriptedTeams, clock: Seconds
) -> None:
    await keys.key("key-1")
    publish(teams, "key-2")

    clock.now += 25 * 3600

    assert await keys.key("key-1") is None


async def test_known_keys_outlive_an_outage_but_not_a_week(
    keys: SigningKeys, teams: ScriptedTeams, clock: Seconds
) -> None:
    await keys.key("key-1")
    teams.answer("GET openid", Said(500))

    clock.now += 25 * 3600
    assert await keys.key("key-1") is not None

    clock.now += 7 * 24 * 3600
    with pytest.raises(ServiceUnavailable):
        await keys.key("key-1")


@pytest.mark.parametrize(
    "said",
    [
        Said(500),
        Said(302),
        Said(cut=True),
        Said(body=["nonsense"]),
        Said(body={"jwks_uri": "http://elsewhere.example/keys"}),
        Said(body={"jwks_uri": 5}),
    ],
    ids=str,
)
async def test_metadata_that_cannot_be_had_is_our_trouble_not_the_callers(
    keys: SigningKeys, teams: ScriptedTeams, said: Said
) -> None:
    teams.answer("GET openid", said)

    with pytest.raises(ServiceUnavailable):
        await keys.key("key-1")


async def test_metadata_host_that_is_away_is_asked_again_after_a_second(
    session: ClientSession, clock: Seconds
) -> None:
    keys = SigningKeys(session, f"http://127.0.0.1:{free_port()}/openid", clock)

    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            await keys.key("key-1")
        clock.now += 1.5


async def test_trap_fetching_keys_does_not_block_the_loop(
    keys: SigningKeys, teams: ScriptedTeams
) -> None:
    teams.answer("GET openid", Said(hang=True, body={"jwks_uri": f"{teams.url}keys"}))
    waiting = asyncio.ensure_future(keys.key("key-1"))
    async with asyncio.timeout(60):
        await teams.called.wait()  # this very loop serves it

    teams.held.set()

    assert await waiting is not None
