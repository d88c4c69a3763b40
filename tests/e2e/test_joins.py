"""Who joins and leaves is told on the other side now and then, where a link wants it."""

from pathlib import Path

from bots.core import core
from bridge.messages import Channel, Platform
from bridge.options import Joins, LinkOptions
from tests.e2e.company import choose, employed
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

RANDOM = Channel(Platform.SLACK, FALCON.team, "C03RANDOM")
THERE = Channel(Platform.TEAMS, PROJECT.team, "19:random@thread.tacv2")


async def wanting(here: World, joins: Joins) -> None:
    async with core(here.settings, "test") as built:
        [link] = await built.links.all(COMPANY)
        await built.links.choose(link, LinkOptions(joins=joins), "test")


async def test_who_moves_in_slack_is_told_once_in_teams(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, ATOM_TUNING_JOINS_EVERY="3") as here:
        await here.link()
        await wanting(here, Joins.DIGEST)
        await here.start()

        await here.slack("leave", user="U02BOB")
        await here.until(lambda s: any("left" in t for t in teams_texts(s)))
        await here.slack("join", user="U02BOB")
        await here.until(lambda s: any("joined" in t for t in teams_texts(s)))
        await here.slack("post", text="after all that")
        await here.until(lambda s: any("after all" in t for t in teams_texts(s)))
        await here.quiet()
        told = teams_texts(await here.state())

    assert len(told) == 3
    assert "Bob" in told[0]
    assert told[0].endswith("left")
    assert "Bob" in told[1]
    assert told[1].endswith("joined")


async def test_who_moves_in_teams_is_told_in_slack(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/atom.db"
    async with world(tmp_path, url, ATOM_TUNING_JOINS_EVERY="3") as here:
        await here.link()
        await wanting(here, Joins.DIGEST)
        await here.start()

        await here.teams("enroll", member="29:zoe", name="Zoe", email="z@acme.example")

        await here.until(lambda s: any("Zoe joined" in t for t in slack_texts(s)))


async def test_a_link_tells_of_nobody_unless_it_wants_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/atom.db"
    async with world(tmp_path, url, ATOM_TUNING_JOINS_EVERY="3") as here:
        await here.link()
        await wanting(here, Joins.OFF)
        async with core(here.settings, "test") as built:
            link = await built.links.add(COMPANY, (RANDOM, THERE), "test")
            await built.links.choose(link, LinkOptions(joins=Joins.DIGEST), "test")
        await here.start()

        await here.slack("leave", user="U02BOB")
        await here.slack("leave", user="U02BOB", channel=RANDOM.id)
        await here.until(lambda s: len(teams_messages(s, THERE.id)) == 1)
        await here.quiet()

        assert teams_messages(await here.state()) == []


async def test_whom_the_policy_keeps_from_talking_there_is_counted_not_named(
    tmp_path: Path,
) -> None:
    async with employed(tmp_path, ATOM_TUNING_JOINS_EVERY="3") as (here, company):
        await choose(here, company, "joins=digest")

        await here.slack("leave", user="U02BOB")
        await here.until(lambda s: any("1 person left" in t for t in teams_texts(s)))

        assert not any("Bob" in t for t in teams_texts(await here.state()))
