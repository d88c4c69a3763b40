"""Private and shared Teams channels are linked, carry, and are noticed when they do not."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bots.sandbox.teams.seed import ACME_TEAM, GLOBEX_TEAM
from bridge.messages import Channel, Platform
from tests.e2e.graph import told_by_graph
from tests.e2e.test_lifecycle import QUICK, SLOW, copies_in_slack, letters, until_held
from tests.e2e.world import (
    COMPANY,
    FALCON,
    World,
    slack_messages,
    teams_messages,
    world,
)

# Teams lets bots into such channels where a company's preview allows it.
_LET_IN = {
    "teams__private_channel_messages": True,
    "teams__private_channel_posts": True,
}


# Bots may not read there, so a call without an answer is never tried again.
_PATIENT = {"ATOM_TUNING_CALL_TIMEOUT": "30"}


@pytest.mark.parametrize("kind", ["private", "shared"])
async def test_a_closed_channel_carries_and_its_loss_is_noticed(
    tmp_path: Path, database_url: str, kind: str
) -> None:
    async with world(tmp_path, database_url, **QUICK, **_PATIENT) as here:
        there = await linked(here, kind)
        await here.start()
        await here.slack("post", text="from Slack")
        await here.until(lambda s: copies(s, there) == ["from Slack"])
        root = await here.teams("post", text="from Teams", channel=there.id)
        await here.teams("reply", text="and below", thread=root, channel=there.id)
        await here.until(lambda s: len(copies_in_slack(s)) == 2)

        await here.set(teams__private_channel_posts=False)
        await here.slack("post", text="waits")
        await until_held(here, "not_a_member")
        await here.set(teams__private_channel_posts=True)
        await here.until(
            lambda s: copies(s, there) == ["from Slack", "waits"], seconds=60
        )

        await here.teams("delete_channel", channel=there.id)
        await here.slack("post", text="too late")
        await until_held(here, "deleted")
        assert await letters(here) == []
        assert (await here.verdict()).intact


async def test_a_channel_shared_with_another_organisation_holds_while_it_is(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **SLOW, **_PATIENT) as here:
        there = await linked(here, "shared")
        await here.start()
        await here.slack("post", text="among us")
        await here.until(lambda s: copies(s, there) == ["among us"])
        guests = {"channel": there.id, "with": GLOBEX_TEAM, "members": ["29:heidi"]}

        await here.teams("share_channel", **guests)
        await until_held(here, "shared_outside")
        await here.slack("post", text="secret")
        await here.teams("unshare_channel", **guests)
        await until_held(here)

        await here.until(lambda s: copies(s, there) == ["among us", "secret"])
        await here.quiet()
        told = [e for e in await here.log() if e.etype == "bridge.delivered"]
        assert [e.body["text"] for e in told] == ["among us", "secret"]


async def test_what_graph_alone_tells_of_a_private_channel_crosses_both_ways(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **QUICK, **_PATIENT) as here:
        await here.set(teams__graph_roles=["Group.Selected", "ChannelMessage.Read.All"])
        there = await linked(here, "private", teams__private_channel_posts=True)
        await told_by_graph(here)
        where = {"channel": there.id}
        root = await here.teams("post", text="from Teams", **where)
        await here.until(lambda s: copies_in_slack(s) == ["from Teams"])
        reply = await here.teams("reply", text="below", thread=root, **where)
        state = await here.until(lambda s: len(copies_in_slack(s)) == 2)
        [first, second] = [m for m in slack_messages(state) if m.get("bot_id")]
        assert second["thread_ts"] == first["ts"]
        await here.slack("reply", text="an answer", thread_ts=first["ts"])
        await here.until(lambda s: copies(s, there) == ["an answer"])

        await here.teams("edit", message=root, text="changed", **where)
        await here.teams("delete", message=reply, **where)
        await here.until(lambda s: copies_in_slack(s) == ["changed"])
        await here.teams("undelete", message=reply, **where)
        await here.until(lambda s: copies_in_slack(s) == ["changed", "below"])

        await here.fault("teams.graph.notify", "drop")
        await here.teams("post", text="its notice is lost", **where)
        await here.until(lambda s: len(copies_in_slack(s)) == 3)
        await here.quiet()

        await here.kill()
        await here.teams("reply", text="while away", thread=root, **where)
        await here.teams("edit", message=reply, text="below, edited", **where)
        await here.start()
        await here.until(lambda s: "while away" in copies_in_slack(s))
        await here.until(lambda s: "below, edited" in copies_in_slack(s))
        await here.slack("post", text="goes on")
        await here.until(lambda s: copies(s, there) == ["an answer", "goes on"])
        await here.quiet()

        state = await here.state()
        assert sorted(copies_in_slack(state)) == [
            "below, edited",
            "changed",
            "its notice is lost",
            "while away",
        ]
        entries = [e for e in await here.log() if e.row["conv"] == there.id]
        said = [e for e in entries if e.etype.startswith("message.")]
        assert {e.row["via"] for e in said} == {"catchup"}
        kinds = Counter(e.etype.partition(".")[2] for e in said)
        assert kinds == {"create": 4, "edit": 2, "delete": 1, "restore": 1}
        assert (await here.verdict()).intact


async def linked(here: World, kind: str, **let_in: bool) -> Channel:
    """Let Carol make a channel of this kind, and link it."""
    await here.set(**(let_in or _LET_IN))
    wish = {"action": "create_channel", "kind": kind, "name": "Inner circle"}
    place = {"team": ACME_TEAM, "user": "29:carol"}
    made = await here._act("teams", wish | place)
    there = Channel(Platform.TEAMS, ACME_TEAM, str(made["channel"]))
    async with core(here.settings, "test") as built:
        await built.links.add(COMPANY, (FALCON, there), "test")
    return there


def copies(state: Mapping[str, Any], there: Channel) -> list[str]:
    ours = [m for m in teams_messages(state, there.id) if m["author"]["is_bot"]]
    texts = [m["text"].strip().split("\n") for m in ours if m["source"]]
    return [lines[1].strip() for lines in texts if len(lines) > 1]
