"""Who is not let in at the door that Teams knocks on, and what is not kept."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bridge.errors import StoreUnavailable
from tests.integration.teams.door import LIMIT, Door, counted
from tests.teams_server import Said
from tests.teams_world import (
    APP,
    recorded,
    token,
)


def unknown() -> float:
    found = REGISTRY.get_sample_value("atom_unknown_total", {"platform": "teams"})
    return found or 0.0


@contextmanager
def refusal(reason: str, content: str = "bold") -> Iterator[None]:
    """Expect one line and one count for what is turned away, and no content."""
    before = counted("atom_refused_total", reason)
    with capture_logs() as logs:
        yield
    assert counted("atom_refused_total", reason) == before + 1
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("request refused", reason)
    ]
    assert content not in str(logs)


@pytest.mark.parametrize("kind", ["brandNew", "event", "endOfConversation"])
async def test_unknown_activity_is_kept_as_other_and_counted(
    door: Door, kind: str
) -> None:
    kind = f"{kind}{time.monotonic_ns()}"  # the first of a kind is a line
    before = unknown()
    activities = [recorded("channel_message", id=n, type=kind) for n in ("1", "2")]

    with capture_logs() as logs:
        statuses = [(await door.deliver(activity))[0] for activity in activities]

    assert statuses == [200, 200]
    assert door.intake.kinds == ["other", "other"]
    assert unknown() == before + 2
    assert [line["kind"] for line in logs] == [kind]


async def test_own_activities_are_counted_and_not_kept(door: Door) -> None:
    before = counted("atom_ignored_total", "own")
    own = recorded("channel_message", **{"from": {"id": f"28:{APP}"}})

    status, _ = await door.deliver(own)

    assert (status, door.intake.events) == (200, {})
    assert counted("atom_ignored_total", "own") == before + 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": int(time.time()) - 4000}, "expired"),
        ({"aud": "another-app"}, "bad_token"),
        ({"iss": "https://elsewhere.example"}, "bad_token"),
        ({"signer": "thief"}, "bad_token"),
        ({"kid": "unknown"}, "unknown_key"),
        ({"serviceurl": "https://elsewhere.example/"}, "service_url"),
    ],
    ids=range(6),
)
async def test_trap_forged_token_is_401_counted_and_kept_out(
    door: Door, changes: dict[str, Any], reason: str
) -> None:
    before = counted("atom_refused_total", reason)
    forged = token(**({"serviceurl": door.teams.url} | changes))

    with capture_logs() as logs:
        status, _ = await door.deliver(recorded("channel_message"), bearer=forged)

    assert status == 401
    assert door.intake.events == {}
    assert counted("atom_refused_total", reason) == before + 1
    (line,) = logs
    assert line["reason"] == reason
    assert "bold" not in str(line)
    assert forged not in str(line)


async def test_unsigned_request_is_401(door: Door) -> None:
    with refusal("no_token"):
        status, _ = await door.deliver(recorded("channel_message"), bearer="")

    assert (status, door.intake.events) == (401, {})


async def test_metadata_that_is_away_is_503(door: Door) -> None:
    door.teams.answer("GET openid", Said(500))

    assert (await door.deliver(recorded("channel_message")))[0] == 503


async def test_another_tenant_is_403(door: Door) -> None:
    foreign = recorded("channel_message")
    foreign["channelData"]["tenant"]["id"] = "8f5b5800-0000-4000-8000-000000000002"

    with refusal("tenant"):
        status, _ = await door.deliver(foreign)

    assert (status, door.intake.events) == (403, {})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"[" * 50_000, b'"text"', b"1" * 9000],
    ids=range(8),
)
async def test_malformed_body_is_400(door: Door, body: bytes) -> None:
    with refusal("malformed"):
        status, _ = await door.send(body)

    assert (status, door.intake.events) == (400, {})


async def test_activity_without_a_type_is_400(door: Door) -> None:
    with refusal("no_activity"):
        status, _ = await door.deliver(recorded("channel_message", type=None))

    assert (status, door.intake.events) == (400, {})


async def test_body_above_the_limit_is_413(door: Door) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 5000

    for body in (b" " * (LIMIT + 1), drops()):
        with refusal("too_large"):
            status, _ = await door.send(body)

        assert (status, door.intake.events) == (413, {})


async def test_surrogates_and_nul_are_taken(door: Door) -> None:
    activity = recorded("channel_message", text="a\x00\ud800", attachments=[])

    status, _ = await door.deliver(activity)

    assert status == 200
    (event,) = door.intake.events.values()
    assert repr(event.document).encode()


async def test_a_command_that_breaks_is_answered_and_tells_no_content(
    door: Door,
) -> None:
    door.command.failure = RuntimeError("quotes: link ATOM docs")

    with capture_logs() as logs:
        status, _ = await door.deliver(recorded("command"))

    assert status == 200
    [said] = [call for call in door.teams.calls if call.method == "POST"]
    assert b"Something went wrong inside ATOM" in said.body
    assert "ATOM docs" not in str(logs)


async def test_failure_inside_is_500_and_tells_no_content(door: Door) -> None:
    door.intake.failure = RuntimeError("quotes: ATOM docs")

    with refusal("failed", "ATOM docs"):
        status, _ = await door.deliver(recorded("channel_message"))

    assert status == 500


async def test_store_that_fails_inside_a_command_is_told_on_the_card(
    door: Door,
) -> None:
    door.command.failure = StoreUnavailable("the database is away")

    status, _ = await door.deliver(recorded("command"))

    assert status == 200
    assert len(door.teams.paths("POST")) == 1


async def test_installation_for_no_company_leaves_no_places_behind(door: Door) -> None:
    door.intake.foreign = True
    door.tenants.companies = {}
    before = dict(door.places.kept)

    assert (await door.deliver(recorded("installed")))[0] == 200

    assert len(door.installed) == 1
    assert door.places.kept == before
