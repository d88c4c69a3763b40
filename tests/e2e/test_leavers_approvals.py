"""Somebody leaves while approvals wait for them: people hear of it, and one is given on."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bots.demo_records import Systems
from bots.sandbox.slack.model import User as SlackUser
from bots.sandbox.teams.seed import ACME as TEAMS_TENANT
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.instance import id_of
from tests.databases import migrated_template
from tests.e2e.at_work import (
    at_work,
    buttons,
    click_in_teams,
    said,
    slack_cards,
    teams_cards,
)
from tests.e2e.test_private_notices import whispers
from tests.e2e.test_records import (
    CHANGE,
    WAITS,
    everything_in_slack,
    logged,
    sqlite,
)
from tests.e2e.world import (
    PROJECT,
    SHARING,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
)
from tests.servers import Postgres, free_port

WITHIN = 60.0  # seconds, as it is promised
LEFT = "Alice Wong has left"
_HR = "worker_id,hire_date,last_day\n"
_TOLD = "an approval waits for them"


async def test_who_left_is_replaced_by_an_admin_of_approvals_once(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        await shown(here)

        leave(tmp_path, "alice")
        await here.until(lambda s: shows(s, f"{LEFT}: waiting on Dana Fox"), WITHIN)
        state = await here.until(
            lambda s: bool(
                in_slack(s, "U04DANA", CHANGE)
                and in_slack(s, "U05ERIN", CHANGE)
                and in_teams(s, "29:erin", CHANGE)
            ),
            WITHIN,
        )

        # Dana is their manager, and no admin of approvals.
        await press_in_slack(here, "U04DANA", in_slack(state, "U04DANA", CHANGE)[0])
        state = await here.until(
            lambda s: "does not show you that approval" in alone(s), WAITS
        )
        assert approver(systems) == "alice"
        # Erin is one, and presses on both platforms.
        await asyncio.gather(
            press_in_slack(here, "U05ERIN", in_slack(state, "U05ERIN", CHANGE)[0]),
            press_in_teams(here, "29:erin", in_teams(state, "29:erin", CHANGE)[0]),
        )
        await here.until(
            lambda s: shows(s, "waiting on Dana Fox, Erin Park") and shows(s, LEFT, 0),
            WAITS,
        )
        await here.until(lambda s: len(handed(s)) == 1, WAITS)
        await here.quiet()

        state = await here.state()
        assert approver(systems) == "dana"
        assert len(handed(state)) == 1
        assert len(written(systems)) == 1
        [update] = await logged(here, "record.update")
        assert update["actor"] in {"slack:U05ERIN", "teams:29:erin"}
        assert update["before"] == {"approver": seed.user_id("alice")}
        assert update["after"] == {"approver": seed.user_id("dana")}
        orphans = await logged(here, "record.orphan")
        mine = [one for one in orphans if one["correlation"] == update["correlation"]]
        assert len(mine) == 1
        assert len(orphans) == 2  # the other change waits for Alice, too
        for person, times in (("slack:U04DANA", 1), ("teams:29:erin", 1)):
            told = await logged(here, "record.reroute")
            same = [e for e in told if e["correlation"] == update["correlation"]]
            assert [e["person"] for e in same].count(person) == times
        assert (await here.verdict()).intact


async def shown(here: World) -> None:
    """Let the change stand on both sides, where Alice is gone from the channels."""
    erin = SlackUser("U05ERIN", "T01ACME", "erin", "Erin Park", "erin@acme.example")
    here.sandbox.slack.users[erin.id] = erin
    # A room's card shows what everybody there may see, who left as well.
    await here.slack("leave", user="U01ALICE")
    await here.teams("post", text=f"{CHANGE} waits", user="29:erin")
    await here.until(lambda s: shows(s, "waiting on Alice Wong"), WAITS)


async def test_hrs_word_that_somebody_left_is_enough(tmp_path: Path) -> None:
    """HR tells a last day that is over; the accounts' own source knows nothing of it."""
    workers = tmp_path / "workers.csv"
    workers.write_text(f"{_HR}1,2020-01-01,\n", "utf-8")
    hr: dict[str, object] = {"name": "hr", "kind": "hr-csv", "path": str(workers)}
    hr |= {"options": {"zone": "Europe/Berlin"}}
    async with at_work(
        tmp_path,
        sqlite(tmp_path),
        started=False,
        ATOM_DIRECTORY_SOURCES=json.dumps([hr]),
        ATOM_DIRECTORY_JOINS=json.dumps(["hr.id = people.employee_id"]),
    ) as (here, _systems):
        told_of(tmp_path, "alice", employee_id="1")
        await here.start()
        await shown(here)

        workers.write_text(f"{_HR}1,2020-01-01,2026-01-31\n", "utf-8")

        waits = f"{LEFT}: waiting on Dana Fox"
        await here.until(lambda s: shows(s, waits), WITHIN)
        await here.until(lambda s: len(in_slack(s, "U04DANA")) == 2, WITHIN)


@pytest.mark.parametrize("side", ["slack", "teams"])
async def test_without_a_manager_the_admins_are_told(tmp_path: Path, side: str) -> None:
    channels = {
        "slack": "slack:T01ACME/C03RANDOM",
        "teams": f"teams:{PROJECT.team}/{PROJECT.id}",
    }
    async with at_work(
        tmp_path, sqlite(tmp_path), ATOM_DIRECTORY_TELL=channels[side]
    ) as (here, systems):
        await shown(here)

        leave(tmp_path, "alice", manager="")
        nobody = f"{LEFT}: waiting on an admin to say who decides"
        await here.until(lambda s: shows(s, nobody), WITHIN)

        def told(state: Mapping[str, Any]) -> str:
            if side == "slack":
                return said(slack_messages(state, "C03RANDOM"))
            cards = [m["attachments"] for m in teams_messages(state) if m["is_root"]]
            return said(cards)

        words = "has to make somebody the approver there"
        await here.until(lambda s: told(s).count(words) >= 2, WITHIN)
        state = await here.until(lambda s: len(in_teams(s, "29:erin")) == 2, WITHIN)
        await here.quiet()

        # An admin of approvals is told as well; there is nobody to give it to.
        assert not buttons(in_teams(state, "29:erin", CHANGE), "give")
        assert not in_slack(state, "U04DANA")
        people = [e["person"] for e in await logged(here, "record.reroute")]
        assert people.count("the admins") == 2
        assert approver(systems) == "alice"


async def test_a_deputy_hears_that_it_waits_on_them_and_decides(tmp_path: Path) -> None:
    async with at_work(tmp_path, sqlite(tmp_path)) as (here, systems):
        deputise(systems, "alice", "carol")
        await shown(here)

        leave(tmp_path, "alice")
        stands_in = f"{LEFT}: waiting on Carol Díaz, who stands in for them"
        await here.until(lambda s: shows(s, stands_in), WITHIN)
        state = await here.until(lambda s: len(in_teams(s, "29:carol")) == 2, WITHIN)

        assert "You stand in for them" in said(in_teams(state, "29:carol", CHANGE))
        assert not buttons(in_teams(state, "29:carol"), "give")
        assert not in_slack(state, "U04DANA")
        [card] = teams_cards(state)
        await click_in_teams(here, card, "approve")
        await here.until(lambda s: shows(s, "1 of 3") and shows(s, LEFT, 0), WAITS)
        people = {e["person"] for e in await logged(here, "record.reroute")}
        assert people == {"teams:29:carol"}
        [approved] = await logged(here, "record.approve")
        assert "as delegate of Alice Wong" in approved["note"]


async def test_killed_while_it_tells_people_it_goes_on_and_tells_nobody_twice(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url) as (here, systems):
        await shown(here)
        # Erin is told in Slack first; her chat in Teams takes its time.
        await here.fault("teams.create", "timeout", times=99, seconds=600.0)
        leave(tmp_path, "alice")
        await here.until(
            lambda s: bool(in_slack(s, "U04DANA") and in_slack(s, "U05ERIN")), WITHIN
        )
        await here.kill()
        await here.no_faults()
        await here.start()

        await here.until(
            lambda s: (
                len(in_slack(s, "U04DANA")) == 2
                and len(in_slack(s, "U05ERIN")) == 2
                and len(in_teams(s, "29:erin")) == 2
            ),
            WAITS,  # on PostgreSQL another process might still be at it
        )
        await here.until(lambda s: shows(s, f"{LEFT}: waiting on Dana Fox"), WAITS)
        # After a start it looks at everything, once more.
        await here.stop()
        before = looks(systems)
        await here.start()
        await here.until(lambda _: looks(systems) > before, WAITS)
        await here.quiet()

        state = await here.state()
        for cards in (
            in_slack(state, "U04DANA"),
            in_slack(state, "U05ERIN"),
            in_teams(state, "29:erin"),
        ):
            assert len(cards) == 2
        assert len(await logged(here, "record.orphan")) == 2
        assert (await here.verdict()).intact


def shows(state: Mapping[str, Any], words: str, times: int = 1) -> bool:
    """Whether so many cards on either side say some words as they stand now."""
    slack = [said([card["text"], card["blocks"]]) for card in slack_cards(state)]
    teams = [said(card["attachments"]) for card in teams_cards(state)]
    return all(
        sum(words in each for each in cards) == times for cards in (slack, teams)
    )


async def test_another_process_goes_on_where_one_died(
    tmp_path: Path, postgres: Postgres
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with at_work(
            tmp_path, url, ATOM_TUNING_LEASE=SHARING["ATOM_TUNING_LEASE"]
        ) as (here, _systems):
            await shown(here)  # by now this process is the one that looks
            other = replace(here, port=free_port(), process=None)
            await other.start()
            try:
                await here.set(atom_url=other.atom)
                await here.fault("teams.create", "timeout", times=99, seconds=600.0)
                leave(tmp_path, "alice")
                await here.until(lambda s: bool(in_slack(s, "U05ERIN")), WITHIN)
                await here.kill()
                await here.no_faults()

                await here.until(
                    lambda s: (
                        len(in_slack(s, "U05ERIN")) == 2
                        and len(in_teams(s, "29:erin")) == 2
                    ),
                    WITHIN,
                )
                await here.quiet()
                state = await here.state()
            finally:
                await other.stop()

            assert len(in_slack(state, "U04DANA")) == 2
            assert len(in_slack(state, "U05ERIN")) == 2
            assert len(await logged(here, "record.orphan")) == 2
            assert (await here.verdict()).intact


def leave(home: Path, person: str, **more: str) -> None:
    """Let the company's directory say that somebody does not work there any more."""
    told_of(home, person, standing="disabled", **more)


def told_of(home: Path, person: str, **more: str) -> None:
    """Let the directory's file say something of somebody; empty takes it out."""
    file = home / "people.yaml"
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    [known] = [one for one in told["people"] if one["id"] == person]
    known |= more
    told["people"] = [{k: v for k, v in p.items() if v} for p in told["people"]]
    fresh = file.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    fresh.replace(file)


def in_slack(
    state: Mapping[str, Any], user: str, words: str = ""
) -> list[Mapping[str, Any]]:
    """Return what stands of this in somebody's own chat with ATOM in Slack."""
    own = {
        found["id"]
        for workspace in state["slack"]["workspaces"]
        for found in workspace["channels"]
        if found.get("kind") == "im" and user in found["members"]
    }
    return [
        m
        for m in everything_in_slack(state)
        if m["channel"] in own and _TOLD in said(m) and words in said(m)
    ]


def in_teams(
    state: Mapping[str, Any], user: str, words: str = ""
) -> list[Mapping[str, Any]]:
    return [
        {**message, "channel": chat["id"]}
        for one in state["teams"]["tenants"]
        for chat in one["chats"]
        if user in said(chat["members"])
        for message in chat["messages"]
        if _TOLD in said(message) and words in said(message)
    ]


def handed(state: Mapping[str, Any]) -> list[str]:
    return [t for t in slack_texts(state) if "Approval handed on by Erin Park" in t]


def alone(state: Mapping[str, Any]) -> str:
    return said(whispers(state))


async def press_in_slack(here: World, user: str, card: Mapping[str, Any]) -> None:
    [button, *_] = buttons(card["blocks"], "give")
    wish = {
        "workspace": "T01ACME",
        "user": user,
        "channel": card["channel"],
        "action": "click",
        "ts": card["ts"],
        "value": button["value"],
    }
    await here._act("slack", wish)


async def press_in_teams(
    here: World, user: str, card: Mapping[str, Any]
) -> Mapping[str, Any]:
    [button, *_] = [
        b
        for b in buttons(card["attachments"], "give")
        if b.get("type") == "Action.Execute"
    ]
    wish = {
        "tenant": TEAMS_TENANT,
        "user": user,
        "channel": card["channel"],
        "action": "invoke",
        "message": card["id"],
        "card_action": button,
    }
    return await here._act("teams", wish)


def approver(systems: Systems, number: str = CHANGE, first: str = "alice") -> str:
    """Return whose approval it is now that was asked of somebody first."""
    id_ = id_of("approval", number + first)
    row = systems.servicenow.instance.rows["sysapproval_approver"][id_]
    return {u.id: name for name, u in systems.servicenow.users.items()}[row["approver"]]


def looks(systems: Systems) -> int:
    """Return how often ServiceNow was asked whom approvals wait on."""
    return sum(
        "state%3Drequested" in each.body for each in systems.servicenow.journal.all()
    )


def deputise(systems: Systems, person: str, deputy: str) -> None:
    row = {"user": seed.user_id(person), "delegate": seed.user_id(deputy)}
    row |= {"starts": "2020-01-01 00:00:00", "ends": "2999-01-01 00:00:00"}
    systems.servicenow.instance.insert("sys_user_delegate", row, person)


def written(systems: Systems) -> list[str]:
    calls = [each.call for each in systems.servicenow.journal.all()]
    return [c for c in calls if c.startswith("PATCH ") and "sysapproval" in c]
