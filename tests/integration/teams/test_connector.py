"""Every way a call to Teams can end has its own error."""

import pytest
from aiohttp import ClientSession, ClientTimeout

from bots.teams.connector import Connector, Gone, NotOffered, activities
from bridge.errors import (
    Ambiguous,
    DeliveryFailed,
    NotSent,
    Refused,
    Throttled,
    TooLong,
)
from tests.servers import free_port
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import FakeTokens

THREAD = "19:falcon@thread.tacv2;messageid=1700000000123"
PATH = activities(THREAD)


async def test_call_goes_where_the_activity_said_with_ids_as_they_are(
    connector: Connector, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(201, {"id": "17"}))

    answer = await connector.call("POST", teams.url, PATH, {"text": "é😀"})

    assert answer == {"id": "17"}
    (call,) = teams.calls
    assert call.path == f"/v3/conversations/{THREAD}/activities"
    assert call.headers["Authorization"] == "Bearer token-1"
    assert call.json == {"text": "é😀"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, Throttled),
        (412, Throttled),
        (500, Ambiguous),
        (502, Ambiguous),
        (503, Ambiguous),
        (504, Ambiguous),
        (400, NotOffered),
        (403, Refused),
        (413, TooLong),
        (302, Refused),
        (404, Gone),
        (401, NotSent),
    ],
)
async def test_trap_nothing_is_retried_and_each_status_has_its_error(
    connector: Connector,
    teams: ScriptedTeams,
    status: int,
    error: type[DeliveryFailed],
) -> None:
    said = {"error": {"code": "SomeCode", "message": "quotes the message"}}
    teams.answer("POST activities", Said(status, said))

    with pytest.raises(error) as caught:
        await connector.call("POST", teams.url, PATH, {})

    assert type(caught.value) is error
    assert str(caught.value) == f"Teams said {status} SomeCode"
    assert len(teams.calls) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "0"}, 0.1),
        ({"Retry-After": "999999"}, 3600.0),
        ({"Retry-After": "soon"}, 2.0),
        ({"Retry-After": "²"}, 2.0),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:10 GMT",
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            10.0,
        ),
        ({}, 2.0),
    ],
)
async def test_trap_retry_after_is_seen(
    connector: Connector,
    teams: ScriptedTeams,
    headers: dict[str, str],
    seconds: float,
) -> None:
    teams.answer("POST activities", Said(429, headers=headers))

    with pytest.raises(Throttled) as caught:
        await connector.call("POST", teams.url, PATH, {})

    assert caught.value.retry_after == seconds


async def test_refused_token_is_not_used_again(
    connector: Connector, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(401), Said(201, {"id": "1"}))
    with pytest.raises(NotSent):
        await connector.call("POST", teams.url, PATH, {})

    await connector.call("POST", teams.url, PATH, {})

    sent = [call.headers["Authorization"] for call in teams.calls]
    assert sent == ["Bearer token-1", "Bearer token-2"]


async def test_trap_reset_connection_is_ambiguous_and_not_repeated(
    connector: Connector, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(cut=True))

    with pytest.raises(Ambiguous):
        await connector.call("POST", teams.url, PATH, {})

    assert len(teams.calls) == 1


async def test_answer_that_does_not_come_is_ambiguous(
    session: ClientSession, tokens: FakeTokens, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(hang=True))
    hasty = Connector(session, tokens, ClientTimeout(total=0.2))

    with pytest.raises(Ambiguous):
        await hasty.call("POST", teams.url, PATH, {})


async def test_server_that_is_not_there_was_not_sent_anything(
    connector: Connector,
) -> None:
    with pytest.raises(NotSent):
        await connector.call("POST", f"http://127.0.0.1:{free_port()}/", PATH, {})


async def test_without_a_token_nothing_is_sent(
    connector: Connector, tokens: FakeTokens, teams: ScriptedTeams
) -> None:
    tokens.down = True

    with pytest.raises(NotSent):
        await connector.call("POST", teams.url, PATH, {})

    assert teams.calls == []


async def test_token_never_leaves_for_an_unsafe_address(connector: Connector) -> None:
    with pytest.raises(Refused):
        await connector.call("POST", "http://teams.example/", PATH, {})


async def test_redirects_are_not_followed(
    connector: Connector, teams: ScriptedTeams
) -> None:
    elsewhere = {"Location": f"{teams.url}elsewhere"}
    teams.answer("POST activities", Said(307, headers=elsewhere))

    with pytest.raises(Refused):
        await connector.call("POST", teams.url, PATH, {})

    assert len(teams.calls) == 1


async def test_lone_surrogates_do_not_stop_a_message(
    connector: Connector, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(201, {"id": "1"}))

    await connector.call("POST", teams.url, PATH, {"text": "a\ud800b"})

    assert teams.calls[0].json == {"text": "a?b"}


@pytest.mark.parametrize(
    ("identifier", "path"),
    [
        ("a/../b", "v3/conversations/a%2F..%2Fb/activities"),
        ("a?b#c", "v3/conversations/a%3Fb%23c/activities"),
        ("a%2Fb", "v3/conversations/a%252Fb/activities"),
    ],
)
def test_ids_cannot_leave_their_place_in_the_path(identifier: str, path: str) -> None:
    assert activities(identifier) == path
