"""What was given out before is taken back on both platforms, and given where it is due."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bots.core import core
from bots.sandbox.company import Company, Member
from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from bots.sandbox.teams import seed
from bridge.messages import Channel, Platform
from storage.runs.stands import StoredStands
from tests.e2e.company import PROJECT_GROUP, employed, settings
from tests.e2e.test_linking import command_line
from tests.e2e.world import COMPANY, FALCON, World

GENERAL = Channel(Platform.TEAMS, seed.ACME_TEAM, seed.ACME_TEAM)
DAVE = next(each for each in seed.people() if each.id == "29:dave")


def dave() -> Member:
    """Bob's account in Slack and Dave's in Teams are one person's."""
    return Member(
        "dave",
        "Dave O'Neil",
        "Sales",
        "dave@acme.example",
        (
            "slack:T01ACME/U02BOB",
            f"teams:{seed.ACME}/{DAVE.directory_id}",
        ),
    )


def runs(link: str) -> dict[str, str]:
    return {
        "ATOM_DIRECTORY_RUNS": json.dumps(
            {
                "on": True,
                "rooms": {f"group:{PROJECT_GROUP}": [link]},
                "asks": ["mover", "conversion"],
                "every": 1,
            }
        ),
        "ATOM_SLACK_ADMIN_TOKEN": ADMIN_TOKEN,
        "ATOM_TEAMS_ADMIN_APP_ID": seed.ADMIN_APP_ID,
        "ATOM_TEAMS_ADMIN_APP_PASSWORD": seed.ADMIN_PASSWORD,
    }


async def test_a_leaver_goes_from_both_sides_and_is_signed_out(
    tmp_path: Path,
) -> None:
    async with employed(tmp_path, rules="", started=False) as (here, company):
        await linked(here, company, {"dave"})
        await here.slack("sign_in", user="U02BOB")
        await here.members_known(3)
        await known_to_runs(here, company)
        assert inside(here) == (True, True)

        company.change({"person": "dave", "disabled": True})

        await here.until(lambda _: inside(here) == (False, False), 90)
        await over(here, "leaver", "done")
        assert signed_out(here) == (True, True)
        assert (await here.verdict()).intact


async def test_a_mover_gets_what_an_admin_agreed_to_and_it_is_taken_back(
    tmp_path: Path,
) -> None:
    async with employed(tmp_path, rules="", started=False) as (here, company):
        here.sandbox.slack.channels[FALCON.id].members.remove("U02BOB")
        here.sandbox.teams.teams[seed.ACME_TEAM].members.remove("29:dave")
        await linked(here, company, set())
        await here.members_known(3)
        await known_to_runs(here, company)

        company.change({"person": "dave", "group": PROJECT_GROUP, "in": True})
        run = await over(here, "mover", "waiting")
        assert inside(here) == (False, False)
        agreed = await command_line(
            here, "users", "runs", "approve", run["run"], run["digest"]
        )
        assert agreed.code == 0, agreed.stderr

        await here.until(lambda _: inside(here) == (True, True), 90)
        await over(here, "mover", "done")
        back = await command_line(here, "users", "runs", "revert", run["run"])
        assert back.code == 0, back.stderr
        await here.until(lambda _: inside(here) == (False, False), 90)
        assert (await here.verdict()).intact


async def linked(here: World, company: Company, inside_group: set[str]) -> None:
    company.people = [p for p in company.people if p.id != "dave"] + [dave()]
    company.inside[PROJECT_GROUP] |= inside_group
    company.write()
    async with core(settings(here, company), "test") as built:
        link = await built.links.add(COMPANY, (FALCON, GENERAL), "test")
    here.more |= runs(link.id)
    await here.set(slack__grid=True)
    await here.start()


async def known_to_runs(here: World, company: Company) -> None:
    """Wait until it is kept how everybody stands: what was before is nobody's move."""
    async with here.store() as store, asyncio.timeout(60):
        stands = StoredStands(store)
        while len(await stands.all(COMPANY) or ()) != len(company.people):
            await asyncio.sleep(0.1)


def inside(here: World) -> tuple[bool, bool]:
    slack = here.sandbox.slack.channels[FALCON.id].members
    teams = here.sandbox.teams.teams[seed.ACME_TEAM].members
    return "U02BOB" in slack, "29:dave" in teams


def signed_out(here: World) -> tuple[bool, bool]:
    slack = [one.user for one in here.sandbox.slack.grid.sessions]
    return "U02BOB" not in slack, bool(
        here.sandbox.teams.people["29:dave"].sessions_from
    )


async def over(here: World, happening: str, state: str) -> Mapping[str, Any]:
    """
    Wait until the only run of its kind is as far as that; returns it.

    There may be a joiner's beside it, of an account that was known late.
    """
    found: list[Mapping[str, Any]] = []
    try:
        async with asyncio.timeout(90):
            while [run["state"] for run in found] != [state]:
                await asyncio.sleep(0.2)
                found = [r for r in await listed(here) if r["happening"] != "joiner"]
    except TimeoutError:
        raise AssertionError(f"not {state}: {found}") from None
    assert found[0]["happening"] == happening
    return found[0]


async def listed(here: World) -> list[Mapping[str, Any]]:
    ran = await command_line(here, "users", "runs", "list", "--all", "--json")
    found: list[Mapping[str, Any]] = json.loads(ran.stdout)
    return found
