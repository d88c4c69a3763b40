"""Administrative units of Entra ID are groups that rules can name, where that is wanted."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession

from bots.sandbox.teams.defaults import DEFAULTS
from bots.sandbox.teams.seed import ACME, BOT_APP_ID, BOT_PASSWORD
from bots.teams.tokens import Tokens
from bridge.directory.model import Entry, Fate, Gone, Kind, Reading
from policy.directory.entra.graph import Graph
from policy.directory.entra.objects import Shape
from policy.directory.entra.source import EntraSource
from policy.directory.rest import Rest
from tests.sandbox import Sandbox, running_sandbox
from tests.sandbox_graph import CAROL, DAVE

BERLIN = "b0000000-0000-4000-8000-0000000000b1"
BOARD = "b0000000-0000-4000-8000-0000000000b2"
TEAM = "f1000000-0000-4000-8000-000000000001"
RIGHTS = ["User.Read.All", "GroupMember.Read.All", "AdministrativeUnit.Read.All"]


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(server: Sandbox) -> Sandbox:
    await server.call("POST", "/sandbox/reset")
    await server.set({**DEFAULTS, "teams.graph_roles": RIGHTS})
    await unit(server, "add_unit", BERLIN, values={"displayName": "Berlin"})
    await unit(server, "join", BERLIN, member=CAROL)
    return server


@pytest.fixture
async def source(sandbox: Sandbox) -> AsyncIterator[EntraSource]:
    url = f"{sandbox.base}/teams/login/{{tenant}}/oauth2/v2.0/token"
    tokens = Tokens(BOT_APP_ID, BOT_PASSWORD, url, ACME, time.monotonic)
    async with ClientSession() as session:
        graph = Graph(
            Rest(session, "Microsoft Graph"),
            tokens,
            ACME,
            f"{sandbox.base}/teams/graph/v1.0",
        )
        yield EntraSource("entra", graph, Shape(ACME, administrative_units=True))


async def unit(sandbox: Sandbox, do: str, oid: str, **more: Any) -> None:
    await sandbox.act_in_teams(action="directory", do=do, id=oid, **more)


async def read(source: EntraSource, cursor: bytes = b"") -> Reading:
    (reading,) = [one async for one in source.read(cursor)]
    return reading


def told(reading: Reading, oid: str) -> Entry | None:
    found = [one for one in reading.entries if one.id == f"{ACME}/{oid}"]
    return found[0] if found else None


async def test_a_unit_is_a_group_of_the_people_in_it(
    sandbox: Sandbox, source: EntraSource
) -> None:
    """A group in it does not bring its members along: Entra sees it so."""
    await unit(sandbox, "add_group", TEAM, values={"displayName": "Team"})
    await unit(sandbox, "join", TEAM, member=DAVE)
    await unit(sandbox, "join", BERLIN, member=TEAM)

    berlin = told(await read(source), BERLIN)

    assert berlin is not None
    assert (berlin.kind, berlin.name) == (Kind.GROUP, "Berlin")
    assert berlin.members == frozenset({f"{ACME}/{CAROL}"})
    assert berlin.attributes["kind"] == "administrative unit"


async def test_changes_of_units_are_told_with_the_next_look(
    sandbox: Sandbox, source: EntraSource
) -> None:
    first = await read(source)
    await unit(sandbox, "join", BERLIN, member=DAVE)
    restricted = {"displayName": "Board", "isMemberManagementRestricted": True}
    await unit(sandbox, "add_unit", BOARD, values=restricted)

    second = await read(source, first.cursor)
    await unit(sandbox, "purge", BERLIN)
    third = await read(source, second.cursor)

    berlin, board = told(second, BERLIN), told(second, BOARD)
    assert berlin is not None
    assert berlin.members == frozenset({f"{ACME}/{CAROL}", f"{ACME}/{DAVE}"})
    assert board is not None
    assert board.attributes["kind"] == "restricted administrative unit"
    assert Gone(f"{ACME}/{BERLIN}", Fate.OUT_OF_SCOPE) in third.gone


async def test_a_unit_that_hides_its_members_is_not_taken_for_empty(
    sandbox: Sandbox, source: EntraSource
) -> None:
    first = await read(source)
    hidden = {"visibility": "HiddenMembership"}
    await unit(sandbox, "change_unit", BERLIN, values=hidden)

    second = await read(source, first.cursor)

    assert told(second, BERLIN) is None
    assert [gone.id for gone in second.gone] == [f"{ACME}/{BERLIN}"]


async def test_without_the_right_nothing_is_taken_away_and_it_is_said(
    sandbox: Sandbox, source: EntraSource
) -> None:
    first = await read(source)
    await sandbox.set({"teams.graph_roles": RIGHTS[:2]})
    source.graph.tokens.forget(await source.graph.tokens.graph(ACME))

    second = await read(source, first.cursor)

    assert not second.complete
    assert "AdministrativeUnit.Read.All" in second.why
    assert not second.gone


async def test_units_are_not_asked_for_unless_they_are_wanted(
    sandbox: Sandbox, source: EntraSource
) -> None:
    source.shape = replace(source.shape, administrative_units=False)

    assert told(await read(source), BERLIN) is None
