"""Threads stay whole: broadcasts, roots that come late, and roots that are deleted."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bridge.options import Deletes, LinkOptions
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A world without a link yet; ATOM is not started."""
    async with world(tmp_path, database_url) as made:
        yield made


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[World]:
    """The same on SQLite, where replies do not wait long for their roots."""
    hasty = {"ATOM_TUNING_ORPHAN_PATIENCE": "1"}
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db", **hasty) as made:
        yield made


async def linked(here: World, deletes: Deletes = Deletes.REMOVE) -> None:
    async with core(here.settings, "test") as built:
        link = await built.links.add(COMPANY, (FALCON, PROJECT), "test")
        await built.links.choose(link, LinkOptions(deletes=deletes), "test")


def roots(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the last line of what stands in Teams, and that of its thread's root."""
    said = {m["id"]: m["text"].strip().splitlines()[-1] for m in teams_messages(state)}
    return [(said[m["id"]], said[m["root"]]) for m in teams_messages(state)]


async def calls(here: World, side: str) -> list[str]:
    return [
        e["call"]
        for e in await here.journal()
        if e["side"] == side and e["direction"] == "in"
    ]


async def test_a_broadcast_reply_stands_in_its_thread_once_and_says_so(
    lone: World,
) -> None:
    await linked(lone)
    await lone.set(slack__reply_counter_changes=True)
    await lone.start()
    ts = await lone.slack("post", text="root")
    await lone.slack("broadcast", thread_ts=ts, text="for everybody")
    await lone.slack("reply", thread_ts=ts, text="for the thread")

    await lone.until(lambda s: len(teams_messages(s)) == 3)
    await lone.quiet()

    assert roots(await lone.state()) == [
        ("root", "root"),
        ("for everybodyalso sent to the channel", "root"),
        ("for the thread", "root"),
    ]


@pytest.mark.parametrize("heard", [True, False], ids=["in the log", "never heard"])
async def test_a_reply_to_what_never_crossed_brings_its_root_along(
    here: World, *, heard: bool
) -> None:
    here.more["ATOM_TUNING_ORPHAN_PATIENCE"] = "60"
    if heard:
        await here.start()
    ts = await here.slack("post", text="before the link")
    message = await here.teams("post", text="before it too")
    if heard:
        await here.heard()
    await linked(here)
    await here.stop()
    await here.start()

    await here.slack("reply", thread_ts=ts, text="a late reply")
    await here.teams("reply", thread=message, text="another one")

    state = await here.until(
        lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 4, 90
    )
    await here.quiet()
    assert ("a late reply", "before the link") in roots(state)
    copies = [m for m in slack_messages(state) if "(Teams)" in m.get("username", "")]
    assert [m["text"] for m in copies] == ["before it too", "another one"]
    assert copies[1]["thread_ts"] == copies[0]["ts"]


async def test_a_reply_that_only_catching_up_hears_brings_its_root_along(
    lone: World,
) -> None:
    lone.more["ATOM_TUNING_ORPHAN_PATIENCE"] = "60"
    await lone.set(atom_url="")  # nobody listens, and Slack sends nothing again
    ts = await lone.slack("post", text="before the link")
    await linked(lone)
    await lone.slack("reply", thread_ts=ts, text="said while ATOM was away")

    await lone.start()

    state = await lone.until(lambda s: len(teams_messages(s)) == 2, 90)
    await lone.quiet()
    assert roots(state) == [
        ("before the link", "before the link"),
        ("said while ATOM was away", "before the link"),
    ]


async def test_a_reply_to_a_root_that_is_gone_says_where_it_was_said(
    lone: World,
) -> None:
    # Nobody listens: or Slack would send it again once ATOM runs, and ATOM know of it.
    await lone.set(atom_url="")
    ts = await lone.slack("post", text="gone by then")
    await lone.slack("reply", thread_ts=ts, text="so it left a tombstone")
    await lone.slack("delete", ts=ts)
    await lone.set(atom_url=lone.atom)
    await linked(lone)
    await lone.start()

    await lone.slack("reply", thread_ts=ts, text="a late reply")

    state = await lone.until(lambda s: len(teams_messages(s)) == 1)
    html = teams_messages(state)[0]["html"]
    address = f"https://acme.slack.com/archives/{FALCON.id}/p{ts.replace('.', '')}"
    assert f'<a href="{address}">in reply to a message that is not here</a>' in html


@pytest.mark.parametrize(
    ("deletes", "count"), [(Deletes.REMOVE, 50), (Deletes.MARK, 5)]
)
async def test_a_deleted_root_leaves_its_replies_alone(
    tmp_path: Path, database_url: str, deletes: Deletes, count: int
) -> None:
    async with world(tmp_path, database_url) as here:
        await linked(here, deletes)
        await here.start()
        ts = await here.slack("post", text="root")
        for n in range(count):
            await here.slack("reply", thread_ts=ts, text=f"reply {n:02}")
        state = await here.until(
            lambda s: len(teams_messages(s)) == count + 1, seconds=60
        )
        await here.quiet()
        before = len(await calls(here, "teams"))

        await here.slack("delete", ts=ts)
        await here.slack("post", text="the next thing")

        after = await here.until(
            lambda s: any(t.endswith("the next thing") for t in teams_texts(s))
        )
        await here.until(
            lambda s: not any(t.endswith("\nroot") for t in teams_texts(s))
        )
        await here.quiet()
        made = (await calls(here, "teams"))[before:]
    replies = [t for t in teams_texts(after) if "reply" in t]
    assert replies == [t for t in teams_texts(state) if "reply" in t]
    ended = "delete" if deletes is Deletes.REMOVE else "update"
    # Who is in the channel, ATOM may look up at any time.
    written = [call for call in made if call not in {"token", "members"}]
    assert sorted(written) == sorted([ended, "post"])


async def test_what_comes_back_in_teams_comes_back_in_slack(here: World) -> None:
    await linked(here)
    await here.start()
    message = await here.teams("post", text="second thoughts")
    await here.until(lambda s: slack_texts(s) == ["second thoughts"])
    await here.teams("delete", message=message)
    await here.until(lambda s: not slack_messages(s))

    await here.teams("undelete", message=message)
    await here.until(lambda s: slack_texts(s) == ["second thoughts"])
    await here.quiet()
    await here.teams("edit", message=message, text="third thoughts")

    await here.until(lambda s: slack_texts(s) == ["third thoughts"])


async def test_a_mark_turns_back_into_what_it_stands_for(lone: World) -> None:
    await linked(lone, Deletes.MARK)
    await lone.start()
    message = await lone.teams("post", text="second thoughts")
    await lone.until(lambda s: slack_texts(s) == ["second thoughts"])
    ts = slack_messages(await lone.state())[0]["ts"]
    await lone.teams("delete", message=message)
    await lone.until(lambda s: slack_texts(s) == ["_(deleted)_"])
    await lone.quiet()

    await lone.teams("undelete", message=message)

    state = await lone.until(lambda s: slack_texts(s) == ["second thoughts"])
    assert [m["ts"] for m in slack_messages(state)] == [ts]
