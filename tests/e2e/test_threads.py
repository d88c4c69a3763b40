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

_FEW = 5  # answers in a thread that was begun in Teams


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A world without a link yet; ATOM is not started."""
    async with world(tmp_path, database_url) as made:
        yield made


@pytest.fixture
async def hasty(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The same, where replies do not wait long for their roots."""
    soon = {"ATOM_TUNING_ORPHAN_PATIENCE": "1"}
    async with world(tmp_path, database_url, **soon) as made:
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
    here: World,
) -> None:
    await linked(here)
    await here.set(slack__reply_counter_changes=True)
    await here.start()
    ts = await here.slack("post", text="root")
    await here.slack("broadcast", thread_ts=ts, text="for everybody")
    await here.slack("reply", thread_ts=ts, text="for the thread")

    await here.until(lambda s: len(teams_messages(s)) == 3)
    await here.quiet()

    assert roots(await here.state()) == [
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
    tmp_path: Path,
) -> None:
    more = {"ATOM_TUNING_ORPHAN_PATIENCE": "60"}
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db", **more) as here:
        await here.set(atom_url="")  # nobody listens, and Slack sends nothing again
        ts = await here.slack("post", text="before the link")
        await linked(here)
        await here.slack("reply", thread_ts=ts, text="said while ATOM was away")

        await here.start()

        state = await here.until(lambda s: len(teams_messages(s)) == 2, 90)
        await here.quiet()
        assert roots(state) == [
            ("before the link", "before the link"),
            ("said while ATOM was away", "before the link"),
        ]


async def test_a_reply_to_a_root_that_is_gone_says_where_it_was_said(
    hasty: World,
) -> None:
    here = hasty
    # Nobody listens: or what is sent again once ATOM runs would let it know of them.
    await here.set(atom_url="")
    ts = await here.slack("post", text="gone by then")
    await here.slack("reply", thread_ts=ts, text="so it left a tombstone")
    await here.slack("delete", ts=ts)
    id_ = await here.teams("post", text="gone by then")
    await here.teams("delete", message=id_)
    await here.set(atom_url=here.atom)
    await linked(here)
    await here.start()

    await here.slack("reply", thread_ts=ts, text="late in Slack")
    await here.teams("reply", thread=id_, text="late in Teams")

    def copies(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        both = [*teams_messages(state), *slack_messages(state)]
        return [m for m in both if m.get("bot_id") or m.get("author", {}).get("is_bot")]

    state = await here.until(lambda s: len(copies(s)) == 2)
    in_teams, in_slack = copies(state)
    address = f"https://acme.slack.com/archives/{FALCON.id}/p{ts.replace('.', '')}"
    said = "in reply to a message that is not here"
    assert f'<a href="{address}">{said}</a>' in in_teams["html"]
    assert in_teams["is_root"]
    assert said in str(in_slack)
    assert "thread_ts" not in in_slack


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
        id_ = await here.teams("post", text="root")
        for n in range(count):
            await here.slack("reply", thread_ts=ts, text=f"reply {n:02}")
        for n in range(_FEW):
            await here.teams("reply", thread=id_, text=f"answer {n}")
        both = 2 + count + _FEW
        state = await here.until(
            lambda s: len(teams_messages(s)) == len(slack_messages(s)) == both
        )
        await here.quiet()
        before = {side: len(await calls(here, side)) for side in ("slack", "teams")}

        await here.slack("delete", ts=ts)
        await here.teams("delete", message=id_)
        await here.slack("post", text="the next thing")
        await here.teams("post", text="the next thing")

        after = await here.until(
            lambda s: (
                any(t.endswith("\nthe next thing") for t in teams_texts(s))
                and slack_texts(s).count("the next thing") == 2
            )
        )
        await here.until(
            lambda s: (
                not any(t.endswith("\nroot") for t in teams_texts(s))
                and "root" not in slack_texts(s)
            )
        )
        await here.quiet()
        made = {side: (await calls(here, side))[n:] for side, n in before.items()}
    for texts in (teams_texts, slack_texts):
        kept = [t for t in texts(state) if "reply" in t or "answer" in t]
        assert [t for t in texts(after) if "reply" in t or "answer" in t] == kept
    ended = "delete" if deletes is Deletes.REMOVE else "update"
    # Who is in the channel, ATOM may look up at any time.
    written = [call for call in made["teams"] if call not in {"token", "members"}]
    assert sorted(written) == sorted([ended, "post"])
    written = [call for call in made["slack"] if call.startswith("chat.")]
    assert sorted(written) == sorted([f"chat.{ended}", "chat.postMessage"])


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


async def test_a_mark_turns_back_into_what_it_stands_for(here: World) -> None:
    await linked(here, Deletes.MARK)
    await here.start()
    message = await here.teams("post", text="second thoughts")
    await here.until(lambda s: slack_texts(s) == ["second thoughts"])
    ts = slack_messages(await here.state())[0]["ts"]
    await here.teams("delete", message=message)
    await here.until(lambda s: slack_texts(s) == ["_(deleted)_"])
    await here.quiet()

    await here.teams("undelete", message=message)

    state = await here.until(lambda s: slack_texts(s) == ["second thoughts"])
    assert [m["ts"] for m in slack_messages(state)] == [ts]
