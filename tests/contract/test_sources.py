"""Every source of a directory keeps the same promises to the sync."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bots.sandbox.teams.defaults import DEFAULTS
from bots.sandbox.teams.seed import ACME, BOT_APP_ID, BOT_PASSWORD
from bots.teams.tokens import Tokens
from bridge.directory.model import Kind, Reading, Standing
from bridge.directory.ports import Source
from connectors.sandbox.hr.app import create_app
from connectors.sandbox.hr.company import Company
from policy.directory.entra.graph import Graph
from policy.directory.entra.objects import Shape
from policy.directory.entra.source import EntraSource
from policy.directory.hr.bamboohr import BambooFeed
from policy.directory.hr.csv_feed import CsvFeed
from policy.directory.hr.csv_file import Layout
from policy.directory.hr.source import HrSource
from policy.directory.hr.workday import WorkdayFeed, WorkdayTokens
from policy.directory.rest import Rest
from tests.sandbox import Sandbox, running_sandbox, serving
from tests.sandbox_graph import CAROL, DAVE

Change = Callable[[], Awaitable[None]]


@dataclass
class Stand:
    """A source, and how what it reads changes: `leave` is Dave's, `fail` everything's."""

    source: Source
    carol: str
    dave: str
    leave: Change
    fail: Change


@pytest.fixture(scope="module")
def graph_server() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


async def _no_pause(_seconds: float) -> None:
    """Wait for nothing."""


async def _entra(server: Sandbox, session: ClientSession) -> Stand:
    await server.call("POST", "/sandbox/reset")
    await server.call("DELETE", "/sandbox/faults")
    rights = ["User.Read.All", "GroupMember.Read.All"]
    await server.set({**DEFAULTS, "teams.graph_roles": rights})
    url = f"{server.base}/teams/login/{{tenant}}/oauth2/v2.0/token"
    tokens = Tokens(BOT_APP_ID, BOT_PASSWORD, url, ACME, time.monotonic)
    rest = Rest(session, "Microsoft Graph", sleep=_no_pause)
    graph = Graph(rest, tokens, ACME, f"{server.base}/teams/graph/v1.0")

    async def leave() -> None:
        await server.act_in_teams(action="directory", do="delete", id=DAVE)

    async def fail() -> None:
        await server.fault("teams.graph.*", "reset", times=1000)

    source = EntraSource("entra", graph, Shape(ACME))
    return Stand(source, f"{ACME}/{CAROL}", f"{ACME}/{DAVE}", leave, fail)


async def _csv(folder: Path) -> Stand:
    path = folder / "hr.csv"

    def put(text: str) -> None:
        path.write_text(text, "utf-8")

    head = "worker_id,name,last_day\n1,Carol,\n"
    put(f"{head}2,Dave,\n")

    async def leave() -> None:
        put(f"{head}2,Dave,2020-01-01\n")

    async def fail() -> None:
        path.unlink()

    source = HrSource("hr", CsvFeed(path, Layout()), lambda: datetime.now(UTC))
    return Stand(source, "1", "2", leave, fail)


async def _bamboo(base: str, company: Company, session: ClientSession) -> Stand:
    for number, name in (("1", "Carol"), ("2", "Dave")):
        company.change(number, {"displayName": name})

    async def leave() -> None:
        company.change("2", {"terminationDate": "2020-01-01"})

    async def fail() -> None:
        company.bamboo_key = "another"

    rest = Rest(session, "BambooHR", sleep=_no_pause)
    url = f"{base}/bamboohr/api/gateway.php/acme/v1"
    feed = BambooFeed(rest, url, company.bamboo_key)
    return Stand(HrSource("hr", feed, lambda: datetime.now(UTC)), "1", "2", leave, fail)


async def _workday(base: str, company: Company, session: ClientSession) -> Stand:
    dave: dict[str, Any] = {"workerId": "2", "descriptor": "Dave"}
    company.workers += [{"workerId": "1", "descriptor": "Carol"}, dave]

    async def leave() -> None:
        dave["terminationDate"] = "2020-01-01"

    async def fail() -> None:
        company.name = "another"

    rest = Rest(session, "Workday", sleep=_no_pause)
    tokens = WorkdayTokens(
        rest,
        f"{base}/workday/ccx/oauth2/acme/token",
        *company.client,
        company.refresh_token,
        time.monotonic,
    )
    url = f"{base}/workday/ccx/api/staffing/v6/acme/workers"
    feed = WorkdayFeed(rest, tokens, url)
    return Stand(HrSource("hr", feed, lambda: datetime.now(UTC)), "1", "2", leave, fail)


@pytest.fixture(params=["entra", "hr-csv", "bamboohr", "workday"])
async def stand(
    request: pytest.FixtureRequest, tmp_path: Path, graph_server: Sandbox
) -> AsyncIterator[Stand]:
    company = Company()
    async with serving(create_app(company)) as base, ClientSession() as session:
        match request.param:
            case "entra":
                yield await _entra(graph_server, session)
            case "hr-csv":
                yield await _csv(tmp_path)
            case "bamboohr":
                yield await _bamboo(base, company, session)
            case _:
                yield await _workday(base, company, session)


async def read(source: Source, cursor: bytes = b"") -> Reading:
    """Return the last reading; those before it promise nothing."""
    readings = [one async for one in source.read(cursor)]
    assert {one.source for one in readings} == {source.name}
    return readings[-1]


def people(reading: Reading) -> dict[str, Standing]:
    return {e.id: e.standing for e in reading.entries if e.kind is Kind.PERSON}


async def test_a_first_reading_is_whole_and_complete(stand: Stand) -> None:
    reading = await read(stand.source)

    assert (reading.whole, reading.complete) == (True, True)
    assert people(reading)[stand.carol] is Standing.ACTIVE
    assert people(reading)[stand.dave] is Standing.ACTIVE
    assert reading.cursor


async def test_a_cursor_is_bytes_that_another_process_can_use(stand: Stand) -> None:
    first = await read(stand.source)

    again = await read(stand.source, bytes(first.cursor))

    assert again.complete
    assert again.gone == ()


async def test_somebody_who_left_is_named_as_one_who_left(stand: Stand) -> None:
    first = await read(stand.source)
    await stand.leave()

    reading = await read(stand.source, first.cursor)

    assert people(reading)[stand.dave] is Standing.LEFT
    assert people(reading).get(stand.carol, Standing.ACTIVE) is Standing.ACTIVE


@pytest.mark.parametrize("known", [True, False])
async def test_a_source_that_is_away_names_nobody_as_gone(
    stand: Stand,
    known: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    cursor = (await read(stand.source)).cursor if known else b""
    await stand.fail()

    reading = await read(stand.source, cursor)

    assert not reading.complete
    assert (reading.gone, reading.left) == ((), ())
    assert reading.why
    assert "\n" not in reading.why


@pytest.mark.parametrize(
    "cursor", [b"\xff\x00", b"[]", b"{}", json.dumps({"mark": 5}).encode()]
)
async def test_a_cursor_of_no_use_has_everything_read(
    stand: Stand, cursor: bytes
) -> None:
    reading = await read(stand.source, cursor)

    assert (reading.whole, reading.complete) == (True, True)
    assert {stand.carol, stand.dave} <= people(reading).keys()
