"""A link of four channels, in two workspaces and two tenants: once, and in its thread."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bots.sandbox.teams import seed as teams
from bridge.messages import Channel, Platform
from tests.e2e.many import (
    FOUR,
    GRACES,
    HEIDIS,
    Stands,
    act,
    everywhere,
    link_all,
    places,
    standing,
    world_of_many,
)
from tests.e2e.test_linking import code_in, slack_answer
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    teams_messages,
)


def threads(state: Mapping[str, Any], text: str, root: str) -> bool:
    """Say whether a reply stands once in every channel, under its root there."""
    roots, replies = places(state, root), places(state, text)
    return all(
        len(roots[channel]) == len(replies[channel]) == 1
        and replies[channel][0].thread == roots[channel][0].id
        for channel in FOUR
    )


def only(state: Mapping[str, Any], text: str, channel: Channel) -> Stands:
    [found] = places(state, text)[channel]
    return found


async def test_four_channels_hear_each_other_once_and_in_threads(
    tmp_path: Path, database_url: str
) -> None:
    async with world_of_many(tmp_path, database_url) as here:
        await link_all(here)
        await here.start()

        # A root from each, and under each of them a reply from everywhere.
        for n, origin in enumerate(FOUR):
            await act(here, origin, "post", text=f"root {n}")
        roots = [f"root {n}" for n in range(4)]
        state = await here.until(lambda s: everywhere(s, *roots))
        said: list[tuple[str, str]] = []
        for n, root in ((0, "root 0"), (3, "root 3")):
            for m, channel in enumerate(FOUR):
                reply = f"reply {n}{m}"
                thread = only(state, root, channel).id
                await act(here, channel, "reply", text=reply, thread=thread)
                said.append((reply, root))
        await here.until(lambda s: all(threads(s, *pair) for pair in said))

        # An edit, a delete and reactions of originals and of copies' counterparts.
        state = await here.state()
        await act(
            here,
            GRACES,
            "edit",
            message=only(state, "root 1", GRACES).id,
            text="root 1 edited",
        )
        await act(here, HEIDIS, "delete", message=only(state, "reply 03", HEIDIS).id)
        liked = {channel: only(state, "root 0", channel).id for channel in FOUR}
        await act(here, FALCON, "react", message=liked[FALCON], name="+1")
        await act(here, HEIDIS, "react", message=liked[HEIDIS], type="like")
        await here.until(
            lambda s: (
                everywhere(s, "root 1 edited")
                and not any(places(s, "reply 03").values())
                and reactions(s, liked) == LIKED
            )
        )
        await here.quiet()

        state = await here.state()
        for channel in FOUR:
            texts = Counter(one.text for one in standing(state, channel))
            assert len(texts) >= 4 + 7
            assert set(texts.values()) == {1}, texts
        assert only(state, "reply 01", PROJECT).author == "Grace Hill (Slack, Globex)"
        assert only(state, "reply 31", FALCON).author == "Grace Hill (Slack, Globex)"
        assert only(state, "reply 32", HEIDIS).author == "Carol Díaz (Teams, Acme)"
        assert only(state, "reply 00", GRACES).author == "Alice Wong (Slack, Acme)"
        assert (await here.verdict()).intact


# ATOM reacts in Slack, and counts below its copies in Teams. On Carol's own message it
# could not; this one is Alice's, so all of Teams' are copies.
LIKED = {FALCON: 2, GRACES: 1, PROJECT: 2, HEIDIS: 1}


def reactions(
    state: Mapping[str, Any], liked: Mapping[Channel, str]
) -> dict[Channel, int]:
    """Return how many likes a message shows in each channel, by people and by ATOM."""
    shown: dict[Channel, int] = {}
    for channel in (FALCON, GRACES):
        [message] = [
            m for m in slack_messages(state, channel.id) if m["ts"] == liked[channel]
        ]
        found = [r for r in message.get("reactions", []) if r["name"] == "+1"]
        shown[channel] = sum(len(r["users"]) for r in found)
    for channel in (PROJECT, HEIDIS):
        [message] = [
            m for m in teams_messages(state, channel.id) if m["id"] == liked[channel]
        ]
        line = message["html"].rpartition("<p>")[2].removesuffix("</p>")
        shown[channel] = int(line.removeprefix("👍 ")) if "👍" in line else 0
    return shown


async def test_what_was_missed_and_what_is_late_stands_in_its_thread(
    tmp_path: Path, database_url: str
) -> None:
    async with world_of_many(tmp_path, database_url) as here:
        await link_all(here)
        await here.start()
        await act(here, FALCON, "post", text="first")
        state = await here.until(lambda s: everywhere(s, "first"))
        await here.quiet()
        await here.kill()
        await here.set(atom_url="")
        missed = await act(here, GRACES, "post", text="missed")
        await act(here, GRACES, "reply", text="under missed", thread=missed)
        thread = only(state, "first", HEIDIS).id
        await act(here, HEIDIS, "reply", text="under first", thread=thread)
        await here.set(atom_url=here.atom)

        await here.start()
        await here.until(
            lambda s: everywhere(s, "missed", "under missed", "under first")
        )
        # A copy's thread goes on while the original's other copy is still on its way.
        await here.fault(
            "slack.chat.postMessage", "429", retry_after=2, match={"channel": GRACES.id}
        )
        await act(here, FALCON, "post", text="late")
        state = await here.until(lambda s: bool(places(s, "late")[PROJECT]))
        thread = only(state, "late", PROJECT).id
        await act(here, PROJECT, "reply", text="under late", thread=thread)
        await here.until(lambda s: everywhere(s, "late", "under late"))
        await here.quiet()

        state = await here.state()
        for root, reply in (
            ("missed", "under missed"),
            ("first", "under first"),
            ("late", "under late"),
        ):
            assert threads(state, reply, root), (root, places(state, reply))
        caught = [e for e in await here.log() if e.row["via"] == "catchup"]
        assert len(caught) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_companies_of_one_deployment_know_nothing_of_each_other(
    tmp_path: Path, database_url: str
) -> None:
    async with world_of_many(tmp_path, database_url) as here:
        async with core(here.settings, "test") as built:
            await built.companies.create("globex", "Globex", "grace@globex.example")
            built.keys.create("globex")
            for platform, account in (
                (Platform.SLACK, GRACES.team),
                (Platform.TEAMS, teams.GLOBEX),
            ):
                await built.companies.unbind(platform, account)
                await built.companies.bind("globex", platform, account, "Globex")
            await built.links.add(COMPANY, (FALCON, PROJECT), "test")
            await built.links.add("globex", (GRACES, HEIDIS), "test")
        await here.start()

        for channel in FOUR:
            await act(here, channel, "post", text=f"said in {channel.id}")
        pairs = {FALCON: PROJECT, PROJECT: FALCON, GRACES: HEIDIS, HEIDIS: GRACES}
        await here.until(
            lambda s: all(places(s, f"said in {a.id}")[b] for a, b in pairs.items())
        )
        await here.quiet()
        code = code_in(await slack_answer(here, "link"))
        foreign = await act_command(here, GRACES, f"link {code}")

        state = await here.state()
        for one, other in pairs.items():
            found = places(state, f"said in {one.id}")
            assert {c for c, stands in found.items() if stands} == {one, other}
            [copy] = found[other]
            assert "Globex" not in copy.author
        assert "unknown" in foreign
        async with core(here.settings, "test") as built:
            for company, account in ((COMPANY, "T01ACME"), ("globex", "T02GLOBEX")):
                entries = await built.log.entries(company, -1, 1000)
                in_slack = {
                    e.row["team"] for e in entries if e.row["platform"] == "slack"
                }
                assert in_slack == {account}
                assert (await built.log.verify(company)).intact


async def act_command(here: World, channel: Channel, line: str) -> str:
    """Let the channel's speaker type a command in Slack; returns what is answered."""
    given = {
        "workspace": channel.team,
        "user": "U11GRACE",
        "channel": channel.id,
        "action": "command",
        "command": "/atom",
        "args": line,
    }
    return str((await here._act("slack", given))["answer"])
