"""The sandbox's company is a file that others read, and is changed one thing at a time."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from bots.sandbox.app import create_app
from bots.sandbox.company import Company, Member
from bots.sandbox.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World()
    people = [
        Member("alice", "Alice Wong", "IT", "a@acme.example", ("slack:T1/U1",)),
        Member("gus", "Gus Guest", "", guest=True),
    ]
    made.company = Company(
        tmp_path / "people.yaml", people, {"g-falcon": "Falcon"}, {"g-falcon": {"gus"}}
    )
    made.company.write()
    return made


@pytest.fixture
async def base(world: World) -> AsyncIterator[str]:
    async with TestServer(create_app(world)) as server:
        yield str(server.make_url("/sandbox/company"))


async def post(url: str, **wish: Any) -> int:
    async with ClientSession() as session, session.post(url, json=wish) as answer:
        return answer.status


def written(world: World) -> Any:
    assert world.company is not None
    return yaml.safe_load(world.company.path.read_text(encoding="utf-8"))


async def test_whoever_is_moved_is_moved_in_the_file(world: World, base: str) -> None:
    assert await post(base, person="alice", group="g-falcon", **{"in": True}) == 200
    assert await post(base, person="gus", group="g-falcon", **{"in": False}) == 200

    groups = written(world)["groups"]
    assert groups == {"g-falcon": {"name": "Falcon", "members": ["alice"]}}
    async with ClientSession() as session, session.get(base) as answer:
        told = await answer.json()
    assert {one["id"]: one["groups"] for one in told["people"]} == {
        "alice": ["g-falcon"],
        "gus": [],
    }


async def test_whoever_is_disabled_is_so_in_the_file(world: World, base: str) -> None:
    assert await post(base, person="alice", disabled=True) == 200

    told = {one["id"]: one for one in written(world)["people"]}
    assert told["alice"]["standing"] == "disabled"
    assert "standing" not in told["gus"]


@pytest.mark.parametrize(
    "wish",
    [
        {"person": "nobody", "disabled": True},
        {"person": "alice", "group": "g-none", "in": True},
        {"person": "alice", "group": "g-falcon"},
        {"person": ["alice"], "disabled": True},
        {"person": "alice", "disabled": "perhaps"},
    ],
)
async def test_what_means_nothing_changes_nothing(
    world: World, base: str, wish: dict[str, Any]
) -> None:
    before = written(world)

    assert await post(base, **wish) == 400
    assert written(world) == before


async def test_a_sandbox_without_a_company_has_none() -> None:
    async with TestServer(create_app()) as server:
        url = str(server.make_url("/sandbox/company"))
        assert await post(url, person="alice", disabled=True) == 404
