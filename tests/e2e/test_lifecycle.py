"""Links go dormant when a channel carries nothing, and wake without losing anything."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bots.core import core
from bots.sandbox.teams.seed import ACME_TEAM
from bridge.links import Link
from tests.e2e.world import COMPANY, World, slack_messages, teams_messages, world

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
        await here.quiet()

        entries = await here.log()
        dropped = [e for e in entries if e.etype == "bridge.dropped"]
        assert len(dropped) == 50
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
    async with asyncio.timeout(30):
        while await held(here) != list(causes):
            await asyncio.sleep(0.05)


async def letters(here: World) -> list[str]:
    async with core(here.settings, "test") as built:
        return [letter.reason for letter in await built.letters.all(COMPANY)]


def copies_in_slack(state: Mapping[str, Any]) -> list[str]:
    people = [m for m in slack_messages(state) if m.get("username")]
    return [m["text"].partition("\n")[0] for m in people]


def copies_in_teams(state: Mapping[str, Any]) -> list[str]:
    bots = [m for m in teams_messages(state) if m["author"]["is_bot"] and m["source"]]
    return [m["text"].strip().split("\n")[1].strip() for m in bots]


def told_in_teams(state: Mapping[str, Any], word: str) -> int:
    """Return how many of ATOM's own cards in Teams say a word."""
    cards = [m for m in teams_messages(state) if m["author"]["is_bot"]]
    return sum(word in str(card["attachments"]) for card in cards)
