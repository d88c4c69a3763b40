"""Links go dormant when a channel carries nothing, and wake without losing anything."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bots.sandbox.slack.grid_seed import LABS, ORG, ORG_BOT_TOKEN
from bots.sandbox.teams.seed import ACME_TEAM
from bridge.links import Link, LinkState
from bridge.messages import Platform
from tests.e2e.world import (
    COMPANY,
    FALCON,
    World,
    slack_messages,
    teams_messages,
    world,
)

# How often what is held is asked for. Slow where events have to suffice.
QUICK = {"ATOM_TUNING_PROBE": "0.3"}
SLOW = {"ATOM_TUNING_PROBE": "3600"}


async def test_what_waits_for_an_archived_slack_channel_crosses_when_it_is_back(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **SLOW) as here:
        await here.link()
        await here.start()
        # The event is lost: the first copy that is refused has to tell.
        await here.fault("slack.deliver", "drop", match={"type": "channel_archive"})
        await here.slack("archive")

        said = [f"waits {n:02}" for n in range(50)]
        for text in said:
            await here.teams("post", text=text)
        await until_held(here, "archived")
        await here.until(lambda s: told_in_teams(s, "dormant") == 1)
        await here.slack("unarchive")
        await here.until(lambda s: len(copies_in_slack(s)) == 50)
        await here.quiet()

        state = await here.state()
        # In the order in which they were captured, which Teams does not promise to keep.
        entries = await here.log()
        heard = [e.body["text"] for e in entries if e.etype == "message.create"]
        assert copies_in_slack(state) == heard
        assert sorted(heard) == said
        assert (told_in_teams(state, "dormant"), told_in_teams(state, "awake")) == (
            1,
            1,
        )
        assert await held(here) == []
        assert await letters(here) == []


async def test_what_waited_for_too_long_is_dropped_with_the_reason(
    tmp_path: Path, database_url: str
) -> None:
    more = {**SLOW, "ATOM_TUNING_DORMANT": "1"}
    async with world(tmp_path, database_url, **more) as here:
        await here.link()
        await here.start()
        await here.teams("delete_channel")
        await until_held(here, "deleted")

        for n in range(50):
            await here.slack("post", text=f"too late {n}")
        entries = await here.logged(
            lambda entries: sum(e.etype == "bridge.dropped" for e in entries) >= 50
        )
        dropped = [e for e in entries if e.etype == "bridge.dropped"]

        await here.quiet()
        entries = await here.log()
        assert sum(e.etype == "bridge.dropped" for e in entries) == 50
        assert all("was deleted" in e.body["reason"] for e in dropped)
        assert await letters(here) == []
        assert (await here.verdict()).intact


async def test_an_app_that_is_removed_and_comes_back_catches_up_on_both_sides(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **QUICK) as here:
        await here.link()
        await here.start()
        root = await here.teams("post", text="before")
        await here.until(lambda s: copies_in_slack(s) == ["before"])

        await here.teams("uninstall", team=ACME_TEAM)
        await until_held(here, "uninstalled")
        await here.teams("reply", text="unheard in Teams", thread=root)
        await here.slack("post", text="waits for Teams")
        await here.teams("install", team=ACME_TEAM)
        await here.until(lambda s: len(copies_in_slack(s)) == 2)
        await here.until(lambda s: copies_in_teams(s) == ["waits for Teams"])

        await here.slack("uninstall")
        await until_held(here, "uninstalled")
        await here.slack("post", text="unheard in Slack")
        await here.teams("post", text="waits for Slack")
        await here.slack("install")
        await here.until(lambda s: len(copies_in_teams(s)) == 2)
        await here.until(lambda s: len(copies_in_slack(s)) == 3)
        await here.quiet()

        state = await here.state()
        assert copies_in_slack(state) == [
            "before",
            "unheard in Teams",
            "waits for Slack",
        ]
        assert copies_in_teams(state) == ["waits for Teams", "unheard in Slack"]
        assert await letters(here) == []


async def held(here: World) -> list[str]:
    return [str(hold.cause) for hold in (await the_link(here)).held_by]


async def the_link(here: World) -> Link:
    async with core(here.settings, "test") as built:
        [link] = await built.links.all(COMPANY)
        return link


async def until_held(here: World, *causes: str) -> None:
    async with core(here.settings, "test") as built, asyncio.timeout(60):
        while True:
            [link] = await built.links.all(COMPANY)
            if [str(hold.cause) for hold in link.held_by] == list(causes):
                return
            await asyncio.sleep(0.05)
            await built.links.refresh(COMPANY)


async def letters(here: World) -> list[str]:
    async with core(here.settings, "test") as built:
        return [letter.reason for letter in await built.letters.all(COMPANY)]


def copies_in_slack(state: Mapping[str, Any]) -> list[str]:
    # A shared channel shows in each of its workspaces.
    people = {m["ts"]: m for m in slack_messages(state) if m.get("username")}
    return [m["text"].partition("\n")[0] for m in people.values()]


def copies_in_teams(state: Mapping[str, Any]) -> list[str]:
    bots = [m for m in teams_messages(state) if m["author"]["is_bot"] and m["source"]]
    return [m["text"].strip().split("\n")[1].strip() for m in bots]


def told_in_teams(state: Mapping[str, Any], word: str) -> int:
    """Return how many of ATOM's own cards in Teams say a word."""
    cards = [m for m in teams_messages(state) if m["author"]["is_bot"]]
    return sum(word in str(card["attachments"]) for card in cards)


# The app is in both workspaces: one of the installations hears everything, or each.
@pytest.mark.parametrize("told", ["once", "each"])
async def test_a_channel_that_another_company_reads_holds_until_an_admin_allows_it(
    tmp_path: Path, database_url: str, told: str
) -> None:
    async with world(tmp_path, database_url, **SLOW) as here:
        await here.set(slack__connect_events=told)
        async with core(here.settings, "test") as built:
            await built.companies.bind(COMPANY, Platform.SLACK, "T02GLOBEX", "Globex")
        await here.link()
        await here.start()
        await here.teams("post", text="among us")
        await here.until(lambda s: copies_in_slack(s) == ["among us"])

        hugo = "U12HUGO"
        guests = {"with": "T02GLOBEX", "members": [hugo, "UATOM2"]}
        await here.slack("connect", **guests)
        await until_held(here, "shared_outside")
        for n in range(5):
            await here.teams("post", text=f"secret {n}")
        await here.slack("post", text="hello from outside", user=hugo)
        await here.until(lambda s: told_in_teams(s, "another organisation") == 1)
        state = await here.state()
        assert copies_in_slack(state) == ["among us"]
        assert copies_in_teams(state) == []

        await here.slack("command", text="options external=allow")
        await here.until(lambda s: len(copies_in_slack(s)) == 6)
        state = await here.until(lambda s: len(copies_in_teams(s)) == 1)
        await here.quiet()

        [copy] = [m for m in teams_messages(state) if "from outside" in m["text"]]
        assert "Globex" in copy["text"]
        assert len(copies_in_teams(await here.state())) == 1


async def test_a_channel_with_a_new_id_stays_linked_and_its_old_messages_editable(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **SLOW) as here:
        await here.link()
        await here.start()
        root = await here.slack("post", text="root")
        answer = await here.teams("post", text="from Teams")
        await here.until(lambda s: copies_in_teams(s) == ["root"])
        await here.until(lambda s: copies_in_slack(s) == ["from Teams"])

        # What is queued when the id changes goes to the channel all the same.
        await here.fault(
            "slack.chat.postMessage", "error", error="service_unavailable", times=2
        )
        await here.teams("post", text="on its way")
        changed = await here._act(
            "slack", {"action": "change_channel_id", "channel": FALCON.id}
        )
        new = str(changed["channel"])
        await here.slack("edit", channel=new, ts=root, text="root, edited")
        await here.slack("reply", channel=new, thread_ts=root, text="a reply")
        await here.teams("edit", message=answer, text="from Teams, edited")
        await here.teams("post", text="after the move")

        def over(state: Mapping[str, Any]) -> bool:
            there = [m for m in slack_messages(state, new) if m.get("username")]
            said = {m["text"].partition("\n")[0] for m in there}
            wanted = {"from Teams, edited", "on its way", "after the move"}
            return said == wanted and copies_in_teams(state) == [
                "root, edited",
                "a reply",
            ]

        state = await here.until(over)
        await here.slack("rename", channel=new, name="falcon-renamed")
        await here.quiet()

        state = await here.state()
        replies = [m for m in teams_messages(state) if "a reply" in m["text"]]
        assert [m["is_root"] for m in replies] == [False]
        assert await letters(here) == []
        link = await the_link(here)
        assert link.state is LinkState.ACTIVE
        assert "falcon-renamed" in await shown_links(here, new)


async def shown_links(here: World, channel: str) -> str:
    wish = {"user": "U01ALICE", "channel": channel, "text": "links"}
    told = await here._act(
        "slack", wish | {"action": "command", "workspace": "T01ACME"}
    )
    return str(told["answer"])


async def test_an_organisation_takes_its_app_out_of_a_workspace_and_lets_it_in_again(
    tmp_path: Path, database_url: str
) -> None:
    more = {**SLOW, "ATOM_SLACK_BOT_TOKEN": ORG_BOT_TOKEN}
    async with world(tmp_path, database_url, **more) as here:
        await here.set(slack__grid=True)
        await here.slack("install_org")
        async with core(here.settings, "test") as built:
            await built.companies.bind(COMPANY, Platform.SLACK, ORG, "Acme Group")
        await here.link()
        await here.start()
        await here.slack("grant_access", workspaces=["T01ACME", LABS])
        await here.heard()
        await here.slack("post", text="from Slack")
        await here.teams("post", text="from Teams")
        await here.until(lambda s: copies_in_slack(s) == ["from Teams"])
        await here.until(lambda s: copies_in_teams(s) == ["from Slack"])

        await here.slack("revoke_access", workspaces=["T01ACME"])
        await until_held(here, "access_withdrawn")
        await here.teams("post", text="waits")
        await here.slack("post", text="unheard")
        await here.slack("grant_access", workspaces=["T01ACME"])
        await here.until(lambda s: copies_in_slack(s) == ["from Teams", "waits"])
        await here.until(lambda s: copies_in_teams(s) == ["from Slack", "unheard"])

        assert await letters(here) == []
        async with core(here.settings, "test") as built:
            # Granted with the other one, and the company's without anybody's doing.
            assert await built.companies.tenant_of(Platform.SLACK, LABS) == COMPANY


async def test_an_archived_teams_channel_of_which_nobody_tells_wakes_when_asked(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **QUICK) as here:
        await here.link()
        await here.start()
        await here.teams("archive_channel")

        for n in range(5):
            await here.slack("post", text=f"waits {n}")
        await until_held(here, "closed")
        assert copies_in_teams(await here.state()) == []
        await here.teams("unarchive_channel")

        await here.until(lambda s: len(copies_in_teams(s)) == 5)
        assert await letters(here) == []


async def test_a_channel_that_is_deleted_and_restored_gets_what_was_said_meanwhile(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **SLOW) as here:
        await here.link()
        await here.start()
        await here.teams("delete_channel")
        await until_held(here, "deleted")
        for n in range(5):
            await here.slack("post", text=f"waits {n}")
        await here.heard()
        assert copies_in_teams(await here.state()) == []

        await here.teams("restore_channel")

        state = await here.until(lambda s: len(copies_in_teams(s)) == 5)
        assert copies_in_teams(state) == [f"waits {n}" for n in range(5)]
        assert await held(here) == []
        await here.teams("post", text="back")
        await here.until(lambda s: copies_in_slack(s) == ["back"])
        assert await letters(here) == []


async def test_an_archived_team_gets_what_was_said_meanwhile(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **SLOW) as here:
        await here.link()
        await here.start()
        await here.teams("archive_team", team=ACME_TEAM)
        await until_held(here, "team_archived")
        for n in range(5):
            await here.slack("post", text=f"waits {n}")
        await here.heard()
        assert copies_in_teams(await here.state()) == []

        await here.teams("unarchive_team", team=ACME_TEAM)

        state = await here.until(lambda s: len(copies_in_teams(s)) == 5)
        assert copies_in_teams(state) == [f"waits {n}" for n in range(5)]
        assert await held(here) == []
        assert await letters(here) == []
